"""What happens when somebody changes the list of a mapped link to many.

- it takes only what the link leads to;
- nothing comes into it twice, whichever way it is changed;
- where an object keeps to the links of the model (`model.links.own_link`), the change goes to
  the model's own list, also in a process where a database has mapped the classes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, SupportsIndex

from sqlalchemy.orm import Session

from eyened_domain.adapters.sql.sqlalchemy_internals import (
    STATE,
    adapter_of,
)
from eyened_domain.adapters.sql.whole_arrivals import bring_in
from eyened_domain.errors import RuleBroken, deleted
from eyened_domain.model.entity import Entity
from eyened_domain.model.links import keeps_own_links, own_link

Change = Callable[..., Any]
_TAKES = {"append": 0, "extend": 0, "insert": 1, "__setitem__": 1, "__iadd__": 0}
"""The changes that put something in, with the place of that among the arguments."""
_DROPS = ("remove", "pop", "clear", "__delitem__")
_OF_SEVERAL = {"extend", "__iadd__"}


def refuse_deleted(*entities: object) -> None:
    """Raise `RuleBroken` where an object was deleted, or is to be: nothing can be linked to it."""
    for one in entities:
        state = one.__dict__.get(STATE) if isinstance(one, Entity) else None
        if state is not None and state.key is not None:
            session = state.session
            if state.was_deleted or (session is not None and one in session.deleted):
                raise deleted(one)


def guard_changes(collection: type[list[Any]]) -> None:
    """Put what this module promises in front of the changes that SQLAlchemy has instrumented."""
    own: dict[str, Change] = {"insert": _insert, "__setitem__": _set_items}
    for name in (*_TAKES, *_DROPS):
        change = own.get(name) or getattr(collection, name)
        setattr(collection, name, _guarded(name, wraps(getattr(collection, name))(change)))


def _guarded(name: str, change: Change) -> Change:
    place = _TAKES.get(name)

    @wraps(change)
    def changed(self: Any, *arguments: Any) -> Any:
        adapter: Any = adapter_of(self)
        owner = None if adapter is None else adapter.owner_state.obj()
        if owner is None:
            return change(self, *arguments)
        items: list[Any] = []
        if place is not None:
            several = name in _OF_SEVERAL or isinstance(arguments[0], slice)
            items = list(arguments[place]) if several else [arguments[place]]
            for item in items:
                owner.check_link(owner.__entity__.links[adapter.attr.key], item)
            given = items if several else items[0]
            arguments = (*arguments[:place], given, *arguments[place + 1 :])
        own = own_link(owner, adapter.attr.key, *items)
        if own is not None:
            there = own.__get__(owner, type(owner))
            if there is not self:
                found = getattr(there, name)(*arguments)
                list.__setitem__(self, slice(None), there)  # who has this one in hand sees it too
                return found
        strange = [item for item in items if not any(one is item for one in self)]
        if strange:
            refuse_deleted(*strange, owner)
            bring_in(owner, strange)
        return change(self, *arguments)

    return changed


def _insert(self: list[Any], index: SupportsIndex, item: Any) -> None:
    """Put an item at a place, unless it is in the list."""
    if not any(one is item for one in self):
        self.append(item)
        list.pop(self)
        list.insert(self, index, item)


def _set_items(self: list[Any], index: Any, value: Any) -> None:
    """Let other items stand at a place; each stands in the list once."""
    after = list(self)
    after[index] = value
    distinct = {id(item): item for item in after}
    for item in [one for one in self if id(one) not in distinct]:
        self.remove(item)
    there = {id(one) for one in self}
    self.extend([item for item in distinct.values() if id(item) not in there])
    list.__setitem__(self, slice(None), list(distinct.values()))


def refuse_own_links(_session: Session, one: object) -> None:
    """Refuse an object that keeps to the model's own links (a `before_attach` listener)."""
    if isinstance(one, Entity) and keeps_own_links(one):
        raise RuleBroken(
            f"this {type(one).__name__} belongs to a unit of work in memory; make another one "
            "for the database",
            entity=type(one).__name__,
        )
