"""Objects after a rollback: they hold what is committed, and stay readable.

SQLAlchemy empties them at any rollback, so that each is loaded again by itself when it is
asked for, and cannot be read at all when the session has closed. Here they hold again what
they held before the transaction when a flush has failed, when a savepoint was rolled back,
and when the session has closed. After `rollback()` they are read anew when they are asked
for, all of a class at once.
"""

from __future__ import annotations

import copy
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.orm import InstanceState, Mapper, ORMExecuteState, Session, SessionTransaction
from sqlalchemy.orm.attributes import instance_state

from eyened_domain.adapters.sql.own_values import as_read, read_if_emptied
from eyened_domain.adapters.sql.sqlalchemy_internals import (
    count_as_read,
    touched_states,
)
from eyened_domain.adapters.sql.true_changes import forget_untrue_changes
from eyened_domain.model.entity import Entity

_BEFORE = "eyened_domain.before_transaction"
_TO_RESTORE = "eyened_domain.to_restore"
_TO_EMPTY = "eyened_domain.to_empty"
_KEPT = "eyened_domain.kept_for_close"
_UNREAD = "eyened_domain.not_read_since_rollback"
Values = dict[InstanceState[Any], dict[str, Any]]


def keep_for_rollback(session: Session, objects: list[Entity]) -> None:
    """Keep what objects held that are about to be flushed, should it be rolled back."""
    levels: dict[SessionTransaction | None, Values] = session.info.setdefault(_BEFORE, {})
    before = levels.setdefault(_boundary(session), {})
    for one in objects:
        state = instance_state(one)
        if state.key is not None and state not in before and not state.expired:
            before[state] = {name: _own(value) for name, value in as_read(state).items()}


def _own(value: Any) -> Any:
    """Return a value that is not edited along with the object: JSON is copied."""
    return copy.deepcopy(value) if isinstance(value, dict | list) else value


def restore_after_rollback(session_class: type[Session]) -> None:
    """Make the objects of the sessions of a class readable after a rollback."""
    event.listen(session_class, "after_rollback", _remember)
    event.listen(session_class, "after_soft_rollback", _restore)
    event.listen(session_class, "after_transaction_end", _hand_to_parent)


def read_anew(session: Session) -> None:
    """Let objects be loaded again when they are asked for; keep what they hold until then."""
    kept: Values = session.info.setdefault(_KEPT, {})
    states = session.identity_map.all_states()
    kept.update((state, as_read(state)) for state in states if not state.expired)
    session.expire_all()
    session.info[_UNREAD] = {state.manager.mapper for state in states}


def read_siblings_anew(execution: ORMExecuteState) -> None:
    """Load all objects of a class that a rollback has emptied (a `do_orm_execute` listener)."""
    session, mapper = execution.session, execution.bind_mapper
    unread: set[Mapper[Any]] = session.info.get(_UNREAD, set())
    if not execution.is_column_load or mapper not in unread or len(mapper.primary_key) > 1:
        return
    unread.discard(mapper)
    key = mapper.get_property_by_column(mapper.primary_key[0])
    ids = [
        state.key[1][0]
        for state in session.info[_KEPT]
        if state.expired and state.key is not None and state.manager.mapper is mapper
    ]
    if len(ids) > 1:
        wanted = select(mapper.class_).where(key.class_attribute.in_(ids))
        session.scalars(wanted, execution_options={"populate_existing": True}).all()


def read_emptied(session: Session) -> None:
    """Read what a rollback has emptied of objects that are to be stored, and of what they link to.

    What their rules read is what they hold.
    """
    if not session.info.get(_KEPT):
        return
    for one in (*session.dirty, *session.new):
        if isinstance(one, Entity):
            known = one.__dict__
            linked = [known.get(name) for name in one.__entity__.link_of.values()]
            for other in (one, *linked):
                read_if_emptied(other)


def fill_before_close(session: Session) -> None:
    """Let objects that were not read since a rollback hold what they held before."""
    kept: Values = session.info.pop(_KEPT, {})
    for state, values in kept.items():
        if state.expired and state.session in (session, None) and state.obj() is not None:
            _fill(state, values)


def fill_unread(session: Session) -> None:
    """Let objects be read that a rollback has emptied, in a transaction that an error has ended."""
    for state, values in session.info.get(_KEPT, {}).items():
        if state.expired and state.session is session and state.obj() is not None:
            _fill(state, values)


def fill_deleted(instance: Entity) -> bool:
    """Let an object whose row is gone hold what it held before; whether that is known."""
    state = instance_state(instance)
    kept: Values = state.session.info.get(_KEPT, {}) if state.session is not None else {}
    if state not in kept:
        return False
    lacking = {name: value for name, value in kept[state].items() if name not in state.dict}
    state.dict.update(lacking)
    count_as_read(state, lacking)  # what was set since stays so
    return True


def discard_changes(session: Session) -> None:
    """Take back what was changed since a flush has failed, which SQLAlchemy would warn of."""
    for new in session.new:
        session.expunge(new)
    for state in touched_states(session):
        values = as_read(state)
        session.expire(state.obj())
        _fill(state, values)


def _boundary(session: Session) -> SessionTransaction | None:
    """Return the savepoint that a rollback would go to; None for the whole transaction."""
    return session.get_nested_transaction()


def _remember(session: Session) -> None:
    forget_untrue_changes(session)
    before: Values = session.info.get(_BEFORE, {}).pop(_boundary(session), {})
    held: Values = session.info.setdefault(_TO_RESTORE, {})
    for state in session.identity_map.all_states():
        if not state.expired:  # a rollback has emptied it: it is still to be read anew
            held[state] = as_read(state)
    held.update(before)
    session.info[_TO_EMPTY] = set(before)


def _restore(session: Session, _transaction: SessionTransaction) -> None:
    held: Values = session.info.pop(_TO_RESTORE, {})
    for state in session.info.pop(_TO_EMPTY, ()):
        one = state.obj()
        if one is not None and one in session and not state.expired:  # written by set
            session.expire(one)
    for state, values in held.items():
        if state.expired and state.key is not None and state.obj() is not None:
            _fill(state, values)


def _fill(state: InstanceState[Any], values: dict[str, Any]) -> None:
    state.dict.update(values)
    count_as_read(state)


def _hand_to_parent(session: Session, transaction: SessionTransaction) -> None:
    """Keep what was flushed in a savepoint for a rollback of the transaction around it."""
    levels: dict[SessionTransaction | None, Values] = session.info.get(_BEFORE, {})
    if transaction.parent is None:
        levels.clear()
    elif transaction in levels:
        kept = levels.pop(transaction)
        around = levels.setdefault(_boundary(session), {})
        for state, values in kept.items():
            around.setdefault(state, values)
