"""By what rows are looked up, worked out once of what the entities declare."""

from __future__ import annotations

from functools import cache
from typing import Any

from eyened_domain.model.entity import entity_classes

Key = tuple[Any, ...]


@cache
def indexed(root: str) -> tuple[tuple[str, ...], ...]:
    """Return the columns by which the rows of a table can be looked up at once."""
    found: dict[tuple[str, ...], None] = {}
    for entity in entity_classes():
        info = entity.__entity__
        if info.root == root:
            found |= dict.fromkeys(info.unique)
            found |= {(column.name,): None for column in info.foreign_keys}
    return tuple(found)
