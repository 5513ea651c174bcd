"""Copies of entities: new objects, which are stored as new rows when they are added.

`copy.copy`, `copy.deepcopy` and `attrs.evolve` mean the same by it. A copy has the columns
of the original but for what belongs to its row alone (`ColumnInfo.copied`), and points to
the same neighbours; nothing points to it.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, TypeVar

from eyened_domain.errors import RuleBroken

if TYPE_CHECKING:
    from eyened_domain.model.entity import Entity
    from eyened_domain.model.fields import LinkInfo

KEPT = "_kept_links"
"""Where a copy keeps the links that it was made with, by their columns."""
E = TypeVar("E", bound="Entity")


def copied(one: E) -> E:
    """Return a new object with the columns and the links to one of another.

    Links to many are empty; a link between two things, such as `StudyTagLink`, holds the ids
    of both. It is in no session or unit of work; where a neighbour is not
    stored yet, it is linked to it both ways, and is stored with it.

    Raises:
        NotLoaded: a column was not loaded before the unit of work closed.
        RuleBroken: a link was set, by object or by id, and is not stored yet, so that the two
            contradict each other.
    """
    info = one.__entity__
    values = {
        name: _own(getattr(one, name))
        for name, column in info.columns.items()
        if column.copied and not column.private
    }
    links = {name: _target(one, link, values) for name, link in info.links.items() if not link.many}
    made = type(one)(**values)
    for name, target in links.items():
        if target is not None and _identity(target) is None:
            setattr(made, name, target)
        elif target is not None and len(info.primary_key) == 1:
            # its id says it all: the neighbour does not hear of the copy
            made.__dict__[name] = target
            made.__dict__.setdefault(KEPT, {})[str(info.links[name].via)] = name
    return made


def let_follow(one: Entity, column: str) -> None:
    """Let the link that a copy was made with go, when another id is set for it."""
    kept: dict[str, str] = one.__dict__.get(KEPT, {})
    link = kept.pop(column, None)
    if link is not None and one.__dict__.get(one.__entity__.primary_key[0]) is None:
        one.__dict__.pop(link, None)


def _target(one: Entity, link: LinkInfo, values: dict[str, Any]) -> Entity | None:
    """Return the neighbour that is in memory, if it is the one that the id tells of."""
    target: Entity | None = one.__dict__.get(link.name)
    identity = values[str(link.via)]
    own = _identity(target) if target is not None else None
    contradicts = identity is not None and link.name in one.__dict__ and identity != own
    if contradicts and (target is None or own is not None):
        name = one.__entity__.name
        raise RuleBroken(
            f"{name}.{link.name} and {link.via} contradict each other, since one of them was "
            f"changed and is not stored yet: flush before copying the {name}",
            entity=name,
            field=link.name,
        )
    if target is not None:
        values[str(link.via)] = own
    return target


def _identity(target: Entity) -> Any:
    return getattr(target, target.__entity__.primary_key[0])  # a rollback may have emptied it


def _own(value: Any) -> Any:
    return copy.deepcopy(value) if isinstance(value, dict | list) else value
