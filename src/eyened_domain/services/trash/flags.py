"""Sets and takes back the flag of many rows."""

from __future__ import annotations

from collections.abc import Mapping

from eyened_domain.model.entity import entity_class
from eyened_domain.services.inactive import INACTIVE
from eyened_domain.services.trash.contents import Ids
from eyened_domain.services.unit_of_work import UnitOfWork


def standing(
    uow: UnitOfWork,
    ids: Mapping[str, set[int]],
    *,
    inactive: bool,
) -> Ids:
    """Return those of these objects that are inactive, or those that are not; lock them.

    Args:
        uow: an open unit of work, flushed.
        ids: of objects, by the names of their entities.
        inactive: which.
    """
    found: Ids = {}
    for name, some in ids.items():
        entity = entity_class(name)
        (key,) = entity.__entity__.primary_key
        rows = uow.rows.find(entity, key, sorted(some), [key], lock=True, inactive=inactive)
        there = {row[0] for row in rows}
        if there:
            found[name] = there
    return found


def set_flags(uow: UnitOfWork, ids: Mapping[str, set[int]], *, inactive: bool) -> None:
    """Let objects be inactive, or active; lists in hand are read again."""
    for name, some in ids.items():
        entity = entity_class(name)
        (key,) = entity.__entity__.primary_key
        uow.rows.update(entity, [{key: one, INACTIVE: inactive} for one in sorted(some)])
