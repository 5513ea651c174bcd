"""What goes along with a deletion, though rows that nobody has in hand lie between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from eyened_domain.adapters.memory.constraints import children
from eyened_domain.adapters.memory.held import Held
from eyened_domain.adapters.memory.tables import Row
from eyened_domain.model.entity import root_of
from eyened_domain.model.fields import ColumnInfo
from eyened_domain.model.references import referrers

if TYPE_CHECKING:
    from eyened_domain.adapters.memory.objects import Objects


def delete_along(objects: Objects) -> None:
    """Delete the objects in hand that go along with what is deleted.

    So are the rows that forbid a deletion, where another one takes them along.
    """
    for row in list(_forbidding(objects)) if len(objects.deleted) > 1 else ():
        objects.loaded(row)
    if not objects.deleted:
        return
    for held in list(objects.known.values()):
        is_kept = id(held.entity) not in objects.deleted
        if is_kept and held.row is not None and _goes_along(objects, held.row):
            objects.delete(held)


def _forbidding(objects: Objects) -> Iterator[Row]:
    for held in objects.deleted.values():
        key = () if held.row is None else held.row.key
        for referrer in referrers(held.info.root):
            if referrer.column.forbids_deletion:
                yield from children(objects.view, referrer, key)


def _goes_along(objects: Objects, row: Row) -> bool:
    """Whether a row hangs on one that is deleted: an object in hand, or one that is not."""
    held = objects.known.get((row.info.root, row.key))
    for column in row.info.foreign_keys:
        value = row.values[column.name]
        if column.on_delete != "CASCADE" or value is None or _is_moved(held, column):
            continue
        key = (root_of(str(column.references)), (value,))
        parent, above = objects.known.get(key), objects.view.row(*key)
        if parent is not None and id(parent.entity) in objects.deleted:
            return True
        if parent is None and above is not None and _goes_along(objects, above):
            return True
    return False


def _is_moved(held: Held | None, column: ColumnInfo) -> bool:
    """Whether an object in hand was linked to something else since it was read."""
    if held is None or held.row is None:
        return False
    if held.entity.__dict__[column.name] != held.row.values[column.name]:
        return True
    link = held.entity.__entity__.link_of.get(column.name)
    return link is not None and held.is_relinked(held.entity.__entity__.links[link])
