"""A link to one and the id behind it: what was set last counts, and the other follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eyened_domain.adapters.memory.held import Held
from eyened_domain.model.copying import KEPT
from eyened_domain.model.entity import Entity
from eyened_domain.model.fields import LinkInfo
from eyened_domain.model.links import LinkedList

if TYPE_CHECKING:
    from eyened_domain.adapters.memory.objects import Objects


def agree(objects: Objects, held: Held, link: LinkInfo) -> None:
    """Let a link and the column behind it say the same; the one that was set counts."""
    mine, via = held.entity.__dict__, str(link.via)
    if link.name in mine and held.is_relinked(link):
        mine[via] = id_of(mine[link.name])
        if link.name in mine.get(KEPT, {}).values():  # a copy, of which its neighbours hear now
            _list_with(objects, held.entity, link)
    elif mine[via] != (held.row.values[via] if held.row is not None else None):
        before = mine.pop(link.name, None)
        there = None if before is None else before.__dict__.get(str(link.back))
        if isinstance(there, LinkedList):
            there.drop(held.entity)
        _list_with(objects, held.entity, link)


def agree_for_rules(objects: Objects, held: Held, link: LinkInfo) -> bool:
    """Let a link and the id behind it say the same, as far as the ids are there already.

    Returns:
        whether it is a link of a new object, or was changed.
    """
    mine, via = held.entity.__dict__, str(link.via)
    if held.row is None or held.is_relinked(link):
        own = id_of(mine.get(link.name))
        is_cleared = held.row is not None and mine.get(link.name, held) is None
        if own is not None or is_cleared:
            mine[via] = own
        return True
    if mine[via] == held.row.values[via]:
        return False
    agree(objects, held, link)
    return True


def id_of(target: Entity | None) -> Any:
    """Return the id of what a link to one leads to; None where it leads nowhere or has none."""
    return None if target is None else target.__dict__.get(target.__entity__.primary_key[0])


def _list_with(objects: Objects, item: Entity, link: LinkInfo) -> None:
    """Put an object into the list at the other end of its link, if that is loaded."""
    other = objects.in_hand(link.target, item.__dict__[str(link.via)])
    there = None if other is None else other.entity.__dict__.get(str(link.back))
    if other is not None and isinstance(there, LinkedList):
        there.take(item)
        item.__dict__[link.name] = other.entity
