"""Lists that follow what was stored, without being changed themselves.

SQLAlchemy does not know that they were changed: when that is rolled back to a savepoint, they
are read anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import InstanceState, Session, SessionTransaction
from sqlalchemy.orm.attributes import instance_state

from eyened_domain.model.entity import Entity

_FOLLOWED = "eyened_domain.lists_that_followed"
_TO_READ = "eyened_domain.lists_to_read_anew"
Lists = set[tuple[InstanceState[Any], str]]


def drop(session: Session, owner: Entity, name: str, one: Entity) -> None:
    """Take an object off a list, if that is loaded and holds it."""
    there = owner.__dict__.get(name)
    if there is not None and any(item is one for item in there):
        _note(session, owner, name)
        there._sa_adapter.remove_without_event(one)


def take(session: Session, owner: Entity, name: str, several: Iterable[Entity]) -> None:
    """Put objects on a list, if that is loaded; those that it holds stay where they are."""
    there = owner.__dict__.get(name)
    if there is None:
        return
    known = {id(item) for item in there}
    for one in several:
        if id(one) not in known:
            known.add(id(one))
            _note(session, owner, name)
            there._sa_adapter.append_without_event(one)


def read_lists_anew(session_class: type[Session]) -> None:
    """Let the lists of the sessions of a class be read anew after a rollback to a savepoint."""
    event.listen(session_class, "after_rollback", _remember)
    event.listen(session_class, "after_soft_rollback", _forget_lists)
    event.listen(session_class, "after_transaction_end", _hand_to_parent)


def _note(session: Session, owner: Entity, name: str) -> None:
    levels: dict[SessionTransaction | None, Lists] = session.info.setdefault(_FOLLOWED, {})
    lists = levels.setdefault(session.get_nested_transaction(), set())
    lists.add((instance_state(owner), name))


def _remember(session: Session) -> None:
    followed: Lists = session.info.get(_FOLLOWED, {}).pop(session.get_nested_transaction(), set())
    session.info.setdefault(_TO_READ, set()).update(followed)


def _forget_lists(session: Session, _transaction: SessionTransaction) -> None:
    for state, name in session.info.pop(_TO_READ, ()):
        if state.key is not None and state.session is session and name in state.dict:
            state._expire_attributes(state.dict, [name])


def _hand_to_parent(session: Session, transaction: SessionTransaction) -> None:
    levels: dict[SessionTransaction | None, Lists] = session.info.get(_FOLLOWED, {})
    if transaction.parent is None:
        levels.clear()
    elif transaction in levels:
        followed = levels.pop(transaction)
        levels.setdefault(session.get_nested_transaction(), set()).update(followed)
