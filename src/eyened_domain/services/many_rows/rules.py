"""The rules of an entity on many rows: what they read is looked up for all of them together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from eyened_domain.errors import EyenedError, RuleBroken
from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.services.many_rows.faults import Faults
from eyened_domain.services.row_shapes import Row
from eyened_domain.services.rows import Rows


def has_rules(entity: type[Entity]) -> bool:
    """Whether an entity has rules of its own."""
    return entity.check_rules is not Entity.check_rules


def check_rules(
    rows: Rows, entity: type[Entity], many: Iterable[tuple[int, Row]], faults: Faults
) -> None:
    """Check rows as objects of the entity are checked before they are stored.

    One statement for each link that the rules follow.

    Args:
        rows: the storage's set-based reading.
        entity: whose rows.
        many: the numbers of rows, and what all their columns hold.
        faults: takes the rows that break a rule.

    Raises:
        RuleBroken: some do.
    """
    objects = [(number, _made(entity, row)) for number, row in many]
    in_view: dict[tuple[str, Any], Entity] = {}
    for path in entity.rules_read:
        _put_in_view(rows, [one for _, one in objects], path.split("."), in_view)
    for number, one in objects:
        try:
            one.check_rules()
        except EyenedError as error:
            faults.add(number, error.field, str(error), error.value)
    faults.raise_as(RuleBroken)


def _made(entity: type[Entity], row: Row) -> Entity:
    """Return an object that no unit of work holds, for its rules alone."""
    one = Entity.blank(entity)
    one.__dict__.update({name: row.get(name) for name in entity.__entity__.columns})
    return one


def _put_in_view(
    rows: Rows, owners: list[Entity], path: list[str], in_view: dict[tuple[str, Any], Entity]
) -> None:
    if not owners or not path:
        return
    link = owners[0].__entity__.links[path[0]]
    target = entity_class(link.target)
    (key,) = target.__entity__.primary_key
    ids = {one.__dict__.get(str(link.via)) for one in owners} - {None}
    unread = [identity for identity in ids if (link.target, identity) not in in_view]
    names = list(target.__entity__.columns)
    for values in rows.find(target, key, unread, names) if unread else ():
        found = _made(target, dict(zip(names, values, strict=True)))
        in_view[link.target, found.__dict__[key]] = found
    for one in owners:
        there = in_view.get((link.target, one.__dict__.get(str(link.via))))
        if there is not None:
            one.__dict__[link.name] = there
    further = {id(one): one for one in in_view.values() if type(one) is target}
    _put_in_view(rows, list(further.values()), path[1:], in_view)
