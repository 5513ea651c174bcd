"""What hangs on objects, near and far: whole sets of ids, a statement for each way down.

Which columns lead down the model says (`model.references.parts_of`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from eyened_domain.model.entity import Entity, entity_class, entity_classes, root_of
from eyened_domain.model.references import Referrer, parts_of, referrers
from eyened_domain.services.inactive import INACTIVE
from eyened_domain.services.unit_of_work import UnitOfWork

Key = tuple[Any, ...]
Reach = dict[type[Entity], set[Key]]
"""Primary keys, by the class whose table holds them; what hangs on others comes after them."""


def gather(
    uow: UnitOfWork,
    start: Mapping[type[Entity], Iterable[int]],
    *,
    only: frozenset[type[Entity]] | None = None,
    lock: bool = False,
) -> Reach:
    """Return objects and everything that is part of them.

    One statement for each column that leads down, and for every ten thousand ids; one more for
    each revision of a form that hangs on another one.

    Args:
        uow: an open unit of work, flushed.
        start: the ids of the objects.
        only: the classes that are looked at; all by default.
        lock: keep others from changing what is found.
    """
    found: Reach = {}
    for entity, ids in start.items():
        found.setdefault(_root(entity), set()).update((one,) for one in ids)
    for entity in _downwards():
        if not found.get(entity) or len(entity.__entity__.primary_key) > 1:
            continue
        own, below = _split(parts_of(entity.__name__))
        for referrer in own:
            _close(uow, found[entity], referrer, lock=lock)
        for referrer in below:
            child = _root(entity_class(referrer.entity))
            if only is None or child in only:
                keys = read(uow, referrer, found[entity], lock=lock)
                found.setdefault(child, set()).update(keys)
    return {entity: found[entity] for entity in _downwards() if found.get(entity)}


def read(
    uow: UnitOfWork, referrer: Referrer, keys: Iterable[Key], *, lock: bool = False
) -> set[Key]:
    """Return the primary keys of the rows whose column leads to one of these."""
    entity = entity_class(referrer.entity)
    columns = entity.__entity__.primary_key
    ids = sorted(key[0] for key in keys)
    return set(uow.rows.find(entity, referrer.column.name, ids, columns, lock=lock))


@cache
def with_flags_below() -> frozenset[type[Entity]]:
    """Return the classes that have the flag, and those that something with a flag is part of."""
    found: set[type[Entity]] = set()
    for entity in reversed(_downwards()):
        children = {_root(entity_class(one.entity)) for one in parts_of(entity.__name__)}
        if INACTIVE in entity.__entity__.columns or children & found:
            found.add(entity)
    return frozenset(found)


def flagged() -> list[type[Entity]]:
    """Return the classes that have the flag."""
    return [entity for entity in _downwards() if INACTIVE in entity.__entity__.columns]


@cache
def _downwards() -> list[type[Entity]]:
    """Return the classes with a table of their own, those that others point to before these."""
    order: dict[type[Entity], None] = {}
    below: set[type[Entity]] = set()

    def visit(entity: type[Entity]) -> None:
        if entity in below:
            return
        below.add(entity)
        for referrer in referrers(entity.__name__):
            visit(_root(entity_class(referrer.entity)))
        order[entity] = None

    for entity in entity_classes():
        visit(_root(entity))
    return list(reversed(order))


def _root(entity: type[Entity]) -> type[Entity]:
    return entity_class(root_of(entity.__name__))


def _split(parts: Iterable[Referrer]) -> tuple[list[Referrer], list[Referrer]]:
    """Return the columns by which rows hang on others of their own table, and the other ones."""
    several = list(parts)
    own = [one for one in several if one.root == root_of(str(one.column.references))]
    return own, [one for one in several if one not in own]


def _close(uow: UnitOfWork, keys: set[Key], referrer: Referrer, *, lock: bool) -> None:
    """Add the rows that hang on rows of the same table, near and far."""
    new = set(keys)
    while new:
        new = read(uow, referrer, new, lock=lock) - keys
        keys |= new
