"""What is left of a unit of work in memory when it is rolled back, to a savepoint or as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eyened_domain.adapters.memory.held import Held, held_of
from eyened_domain.adapters.memory.tables import Row
from eyened_domain.model.entity import root_of

if TYPE_CHECKING:
    from eyened_domain.adapters.memory.objects import Objects


def return_to(
    objects: Objects, rows: dict[Held, Row | None], before: dict[Held, Row | None]
) -> None:
    """Let objects hold what they held at a savepoint; those that were new then are new again.

    Args:
        objects: of the unit of work, whose view is back at the savepoint.
        rows: what was stored of each object then.
        before: what `Objects.before` was then.
    """
    for held in (*objects.known.values(), *objects.before):  # what was read in it is still stored
        row = objects.before.get(held, held.row)
        if held not in rows and held not in before and row is not None:
            rows[held] = row
    for held, row in rows.items():  # what has been read anew in it stays so
        if row is not None and held.row is not row and held in objects.fresh_ones:
            rows[held] = objects.view.row(row.info.root, row.key) or row
    gone = [held for held, row in objects.before.items() if row is None and held.row is None]
    alive = (*objects.new.values(), *objects.known.values())
    new = [one for one in dict.fromkeys((*alive, *gone)) if one not in rows and one not in before]
    _hold_only(objects, rows, new)
    changed = [held for held, row in rows.items() if held.row is not row or held.is_touched()]
    for held in (*changed, *_whose_lists_hold(objects, changed + new, rows)):
        row = rows.get(held)
        if row is not None:
            held.read(row)
    for held in new:
        held.drop_moved()
    objects.before = before


def _whose_lists_hold(
    objects: Objects, many: list[Held], rows: dict[Held, Row | None]
) -> list[Held]:
    """Return the objects in hand whose lists any of these has come into, or has left."""
    found: dict[Held, None] = {}
    for held in many:
        stored = [row.values for row in (held.row, rows.get(held)) if row is not None]
        for link in held.info.to_one:
            values = [one.get(str(link.via)) for one in (held.entity.__dict__, *stored)]
            is_same = len(stored) == 2 and len(set(values)) == 1
            if link.back is None or (is_same and not held.is_relinked(link)):
                continue
            keys = [(root_of(link.target), (value,)) for value in values]
            found |= {objects.known[key]: None for key in keys if key in objects.known}
            other = held.entity.__dict__.get(link.name)
            known = None if other is None else held_of(other)
            if known is not None:
                found[known] = None
    return list(found)


def revert(objects: Objects) -> list[Held]:
    """Take back what was stored; return the objects that are new again."""
    rows = {
        held: objects.before.get(held, held.row)
        for held in (*objects.known.values(), *objects.before)
    }
    new = [*objects.new.values(), *(held for held, row in rows.items() if row is None)]
    objects.look_anew()
    _hold_only(objects, rows, new)
    for held, row in rows.items():
        held.row = row
    objects.before.clear()
    return new


def _hold_only(objects: Objects, rows: dict[Held, Row | None], new: list[Held]) -> None:
    """Let a unit of work hold the objects that have a row, and let go of those that are new."""
    objects.error = None
    objects.deleted.clear()
    for held in new:
        held.renew()
    objects.new.clear()
    objects.known.clear()
    for held, row in rows.items():
        if row is not None:
            held.objects, held.deleted = objects, False
            objects.known[row.info.root, row.key] = held
