"""Mapped classes leave objects that somebody else holds alone.

A unit of work in memory holds its objects (`model.links.Holder`) and finds their links
itself, also in a process where a database has mapped the classes. Their links are those
of the model then, and SQLAlchemy's lists hand over to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from sqlalchemy.orm import Session

from eyened_domain.errors import RuleBroken
from eyened_domain.model.entity import Entity
from eyened_domain.model.links import HOLDER, ToMany, ToOne, join

_CHANGES = (
    "append",
    "extend",
    "insert",
    "remove",
    "pop",
    "clear",
    "__setitem__",
    "__delitem__",
    "__iadd__",
)


def held_link(instance: Entity, name: str) -> ToOne | ToMany:
    """Return the model's own descriptor of a link."""
    link = instance.__entity__.links[name]
    return ToMany(link) if link.many else ToOne(link)


def join_held(instance: Entity, value: Any) -> bool:
    """Let an object be held together with what it is linked to.

    Returns:
        whether it is held now.
    """
    for other in _entities(value):
        if HOLDER in other.__dict__:
            join(instance, other)
    return HOLDER in instance.__dict__


def _entities(*values: Any) -> Iterator[Entity]:
    for value in values:
        if isinstance(value, Entity):
            yield value
        elif isinstance(value, list | tuple):
            yield from (one for one in value if isinstance(one, Entity))


def hand_over_changes(collection: type[list[Any]]) -> None:
    """Let the changes of a mapped list go to the model's list where the owner is held."""
    for name in _CHANGES:
        setattr(collection, name, _handing_over(name, getattr(collection, name)))


def _handing_over(name: str, change: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(change)
    def changed(self: Any, *arguments: Any, **options: Any) -> Any:
        adapter = getattr(self, "_sa_adapter", None)
        owner = adapter.owner_state.obj() if adapter is not None else None
        if owner is None:
            return change(self, *arguments, **options)
        if name in {"extend", "__iadd__"}:
            arguments = (list(arguments[0]),)  # it may be a generator
        if join_held(owner, [*_entities(*arguments)]):
            there = getattr(owner, adapter.attr.key)
            if there is not self:
                return getattr(there, name)(*arguments)
        return change(self, *arguments, **options)

    return changed


def refuse_held(_session: Session, one: object) -> None:
    """Refuse an object that a unit of work in memory holds (a `before_attach` listener)."""
    if isinstance(one, Entity) and HOLDER in one.__dict__:
        raise RuleBroken(
            f"this {type(one).__name__} belongs to a unit of work in memory; make another one "
            "for the database",
            entity=type(one).__name__,
        )
