"""Objects that were made before their classes were mapped, and are met by SQLAlchemy later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm.attributes import manager_of_class

from eyened_domain.adapters.sql.sqlalchemy_internals import (
    STATE,
)
from eyened_domain.model.entity import Entity
from eyened_domain.model.entity_dict import whole
from eyened_domain.model.links import HOLDER


def adopt(entity: Entity) -> Any:
    """Give an object, and all that is linked to it, what SQLAlchemy needs of them.

    The links are set again from one side only, so that nothing comes into a list twice.

    Returns:
        its new InstanceState.
    """
    if HOLDER in entity.__dict__ or not dict.__len__(entity.__dict__):  # it is just being made
        manager_of_class(type(entity)).setup_instance(entity)
        return entity.__dict__[STATE]
    before = [(one, whole(one.__dict__)) for one in _born_before(entity)]
    for one, values in before:
        one.__dict__.clear()
        manager_of_class(type(one)).setup_instance(one)
        for name, value in values.items():
            if name in one.__entity__.columns:
                setattr(one, name, value)
            elif name not in one.__entity__.links:
                one.__dict__[name] = value
    for one, values in before:
        for name, link in one.__entity__.links.items():
            if name in values and not link.many:
                setattr(one, name, values[name])
    for one, values in before:
        for name, link in one.__entity__.links.items():
            if name in values and link.many:
                _fill(getattr(one, name), values[name])
    return entity.__dict__[STATE]


def _born_before(entity: Entity) -> list[Entity]:
    """Return the object and what hangs on it, as far as SQLAlchemy has not met it."""
    found = {id(entity): entity}
    queue = [entity]
    for one in queue:
        for other in _linked(one):
            known = other.__dict__
            if id(other) not in found and STATE not in known and HOLDER not in known:
                found[id(other)] = other
                queue.append(other)
    return queue


def _linked(entity: Entity) -> Iterator[Entity]:
    for name in entity.__entity__.links:
        value = entity.__dict__.get(name)
        if isinstance(value, list):
            yield from value
        elif value is not None:
            yield value


def _fill(mapped: list[Any], wanted: list[Any]) -> None:
    there = {id(one) for one in mapped}
    mapped.extend([one for one in wanted if id(one) not in there])
    places = {id(one): place for place, one in enumerate(wanted)}
    ordered = sorted(mapped, key=lambda one: places.get(id(one), len(places)))
    list.__setitem__(mapped, slice(None), ordered)
