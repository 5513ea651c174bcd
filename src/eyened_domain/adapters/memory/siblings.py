"""Links that are loaded along: when one object's is asked for, so are those of its siblings.

As on a database, where that is one statement for all: what is read along is as fresh.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eyened_domain.model.fields import LinkInfo
from eyened_domain.model.links import LinkedList

if TYPE_CHECKING:
    from eyened_domain.adapters.memory.held import Held
    from eyened_domain.adapters.memory.objects import Objects

_WALKED_PER_LOAD = 256
"""A walk past so many objects is counted as much as a link that is loaded by itself."""


def load_siblings(objects: Objects, held: Held, link: LinkInfo) -> None:
    """Load a link of the other objects that lack it, unless looking costs more than it saves.

    What a walk past all objects cost more than it saved is paid for by single loads.
    """
    name = (link.name, link.target, str(link.via))
    if objects.debts[name] > 0:
        objects.debts[name] -= 1
        return
    lacking = [
        other
        for other in objects.known.values()
        if link.name not in other.entity.__dict__
        and other is not held
        and other.entity.__entity__.links.get(link.name) == link
        and id(other.entity) not in objects.deleted
    ]
    objects.debts[name] = max(0, len(objects.known) // _WALKED_PER_LOAD - len(lacking))
    for other in lacking:
        _load(objects, other, link)


def _load(objects: Objects, held: Held, link: LinkInfo) -> None:
    mine: Any = held.entity.__dict__
    if not link.many:
        held.found(link, objects.linked(link, mine[str(link.via)], flush=False))
        return
    items = objects.linking(link, held, flush=False)
    there = mine[link.name] = LinkedList(held.entity, link)
    list.extend(there, items)
    if link.through:
        held.lists[link.name] = items
