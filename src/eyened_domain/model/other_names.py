"""The second name of a field: the one that it has in the database, or a short form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eyened_domain.model.entity import Entity


class DatabaseName:
    """Data descriptor under a field's other name: reads and writes the field."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, owner: Entity | None, owner_type: type) -> Any:
        return getattr(owner_type if owner is None else owner, self.name)

    def __set__(self, owner: Entity, value: Any) -> None:
        setattr(owner, self.name, value)
