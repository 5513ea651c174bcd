"""Lists that follow what was stored, and are read anew when that is rolled back.

SQLAlchemy does not know of lists that were changed quietly, nor that a list was loaded after
something was stored in a savepoint, and holds what is taken back with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.orm.attributes import instance_state
from sqlalchemy.orm.util import identity_key

from eyened_domain.adapters.sql.own_values import id_of
from eyened_domain.adapters.sql.sqlalchemy_internals import (
    adapter_of,
)
from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.model.fields import LinkInfo

_FOLLOWED = "eyened_domain.lists_that_followed"
_TO_READ = "eyened_domain.lists_to_read_anew"
Owners = set[Any]
"""The identity keys of those whose lists are to be read anew, with all their links."""


def drop(session: Session, owner: Entity, name: str, one: Entity) -> None:
    """Take an object off a list, if that is loaded and holds it."""
    there = owner.__dict__.get(name)
    if there is not None and any(item is one for item in there):
        _note(session, owner)
        adapter_of(there).remove_without_event(one)


def take(session: Session, owner: Entity, name: str, several: Iterable[Entity]) -> None:
    """Put objects on a list, if that is loaded; those that it holds stay where they are."""
    there = owner.__dict__.get(name)
    if there is None:
        return
    known = {id(item) for item in there}
    for one in several:
        if id(one) not in known:
            known.add(id(one))
            _note(session, owner)
            adapter_of(there).append_without_event(one)


def forget(session: Session, owner: Entity, name: str) -> None:
    """Let a list be read again when it is asked for; also after a rollback."""
    _note(session, owner)
    session.expire(owner, [name])


def note_moves(session: Session, objects: Iterable[Any]) -> None:
    """Note whose lists objects enter or leave that are stored or deleted in a savepoint."""
    if session.get_nested_transaction() is None:
        return  # a rollback of the whole transaction empties everything
    owners = _owners(session)
    for one in objects:
        state = instance_state(one)
        for link in one.__entity__.links.values():
            changed = {link.name, link.via} & state.committed_state.keys()
            is_moved = changed or state.key is None or one in session.deleted
            if link.back is not None and not link.many and is_moved:
                target = entity_class(link.target)
                owners |= {identity_key(target, key) for key in _ids_of_owners(one, link)}


def _ids_of_owners(one: Entity, link: LinkInfo) -> set[Any]:
    """Return where a link leads, and where it led when it was read."""
    held, read = one.__dict__, instance_state(one).committed_state
    found = {held.get(str(link.via)), read.get(str(link.via))}
    linked = (held.get(link.name), read.get(link.name))
    found |= {id_of(other) for other in linked if isinstance(other, Entity)}
    return {identity for identity in found if isinstance(identity, int)}


def read_lists_anew(session_class: type[Session]) -> None:
    """Let the lists of the sessions of a class be read anew after a rollback to a savepoint."""
    event.listen(session_class, "after_rollback", _remember)
    event.listen(session_class, "after_soft_rollback", _forget_lists)
    event.listen(session_class, "after_transaction_end", _hand_to_parent)


def _note(session: Session, owner: Entity) -> None:
    _owners(session).add(instance_state(owner).key)


def _owners(session: Session) -> Owners:
    levels: dict[SessionTransaction | None, Owners] = session.info.setdefault(_FOLLOWED, {})
    return levels.setdefault(session.get_nested_transaction(), set())


def _remember(session: Session) -> None:
    followed: Owners = session.info.get(_FOLLOWED, {}).pop(session.get_nested_transaction(), set())
    session.info.setdefault(_TO_READ, set()).update(followed)


def _forget_lists(session: Session, _transaction: SessionTransaction) -> None:
    for key in session.info.pop(_TO_READ, ()):
        owner = None if key is None else session.identity_map.get(key)
        if owner is not None:
            links = owner.__dict__.keys() & owner.__entity__.links.keys()
            if links:  # without names, all would be read anew
                session.expire(owner, links)


def _hand_to_parent(session: Session, transaction: SessionTransaction) -> None:
    levels: dict[SessionTransaction | None, Owners] = session.info.get(_FOLLOWED, {})
    if transaction.parent is None:
        levels.clear()
    elif transaction in levels:
        followed = levels.pop(transaction)
        levels.setdefault(session.get_nested_transaction(), set()).update(followed)
