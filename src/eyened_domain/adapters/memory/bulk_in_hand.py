"""Objects in hand after rows were written by set, in memory: they hold what their rows hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from eyened_domain.adapters.memory.tables import Row
from eyened_domain.model.entity import Entity
from eyened_domain.services.inactive import INACTIVE, tells_of

if TYPE_CHECKING:
    from eyened_domain.adapters.memory.objects import Objects


def read_again(objects: Objects, rows: Iterable[Row]) -> None:
    """Let the objects in hand hold what was written to their rows."""
    for row in rows:
        known = objects.known.get((row.info.root, row.key))
        if known is not None:
            objects.before.setdefault(known, known.row)
            known.read(row)


def read_lists_again(
    objects: Objects, entity: type[Entity], rows: Sequence[dict[str, Any]]
) -> None:
    """Let lists in hand be looked up again that rows may have come to, or left.

    Args:
        objects: of the unit of work.
        entity: whose rows.
        rows: what they hold, or held.
    """
    for link in entity.__entity__.to_one:
        back = str(link.back)
        for identity in {row[str(link.via)] for row in rows} if link.back else ():
            owner = objects.in_hand(link.target, identity)
            if owner is not None and owner.entity.__dict__.pop(back, None) is not None:
                owner.settle()


def read_flags_again(
    objects: Objects, entity: type[Entity], rows: Iterable[dict[str, Any]]
) -> None:
    """Let lists in hand be looked up again that leave out what is inactive, if flags were written.

    Args:
        objects: of the unit of work.
        entity: whose rows.
        rows: what was written.
    """
    if not any(INACTIVE in row for row in rows):
        return
    for held in list(objects.known.values()):
        mine = held.entity.__dict__
        names = [link.name for link in held.info.links.values() if tells_of(link, entity)]
        if [name for name in names if mine.pop(name, None) is not None]:
            held.settle()


def let_go(objects: Objects, entity: type[Entity], rows: Sequence[Row]) -> None:
    """Let objects in hand be deleted whose rows are, and leave the lists that they are in."""
    for row in rows:
        known = objects.known.get((row.info.root, row.key))
        if known is not None:
            objects.removed(known)
    read_lists_again(objects, entity, [row.values for row in rows])
