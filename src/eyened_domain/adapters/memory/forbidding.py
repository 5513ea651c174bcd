"""Rows that forbid one deletion, and go along with another one of the same flush."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from eyened_domain.adapters.memory.constraints import children
from eyened_domain.adapters.memory.shape import referrers, root_of
from eyened_domain.adapters.memory.store import Row
from eyened_domain.model.links import HOLDER

if TYPE_CHECKING:
    from eyened_domain.adapters.memory.objects import Objects


def delete_forbidding(objects: Objects) -> None:
    """Delete the rows that forbid a deletion, where another one takes them along."""
    for row in list(_forbidding(objects)) if len(objects.deleted) > 1 else ():
        held = objects.loaded(row).__dict__[HOLDER]
        if id(held.entity) not in objects.deleted and _goes_along(objects, row):
            objects.delete(held)


def _forbidding(objects: Objects) -> Iterator[Row]:
    for held in objects.deleted.values():
        key = () if held.row is None else held.row.key
        for referrer in referrers(held.shape.root):
            if referrer.column.on_delete not in {"CASCADE", "SET NULL"}:
                yield from children(objects.view, referrer, key)


def _goes_along(objects: Objects, row: Row) -> bool:
    """Whether a row hangs on one that is deleted: an object in hand, or one that is not."""
    known = objects.known.get((row.shape.root, row.key))
    for column in row.shape.foreign_keys:
        value = row.values[column.name]
        is_moved = known is not None and known.entity.__dict__[column.name] != value
        if column.on_delete != "CASCADE" or value is None or is_moved:
            continue
        key = (root_of(str(column.references)), (value,))
        parent, above = objects.known.get(key), objects.view.row(*key)
        if parent is not None and id(parent.entity) in objects.deleted:
            return True
        if parent is None and above is not None and _goes_along(objects, above):
            return True
    return False
