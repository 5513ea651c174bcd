"""Objects after a rollback: they hold again what they held before the transaction.

SQLAlchemy empties them, so that each is loaded again when it is asked for, and cannot be
read at all when the session has closed. Here their columns are put back; relations are
loaded again when they are asked for.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import InstanceState, Session, SessionTransaction
from sqlalchemy.orm.attributes import instance_state

from eyened_domain.adapters.sql.own_values import as_read
from eyened_domain.model.entity import Entity

_BEFORE = "eyened_domain.before_transaction"
_TO_RESTORE = "eyened_domain.to_restore"
Values = dict[InstanceState[Any], dict[str, Any]]


def keep_for_rollback(session: Session, objects: list[Entity]) -> None:
    """Keep what objects held that are about to be flushed, should it be rolled back."""
    levels: dict[SessionTransaction | None, Values] = session.info.setdefault(_BEFORE, {})
    before = levels.setdefault(_boundary(session), {})
    for one in objects:
        state = instance_state(one)
        if state.key is not None and state not in before:
            before[state] = as_read(state)


def restore_after_rollback(session_class: type[Session]) -> None:
    """Make the objects of the sessions of a class readable after a rollback."""
    event.listen(session_class, "after_rollback", _remember)
    event.listen(session_class, "after_soft_rollback", _restore)
    event.listen(session_class, "after_transaction_end", _hand_to_parent)


def discard_changes(session: Session) -> None:
    """Take back what was changed since a flush has failed, which SQLAlchemy would warn of."""
    for new in session.new:
        session.expunge(new)
    for state in list(session.identity_map._modified):
        values = as_read(state)
        session.expire(state.obj())
        _fill(state, values)


def _boundary(session: Session) -> SessionTransaction | None:
    """Return the savepoint that a rollback would go to; None for the whole transaction."""
    return session.get_nested_transaction()


def _remember(session: Session) -> None:
    before: Values = session.info.get(_BEFORE, {}).pop(_boundary(session), {})
    held: Values = session.info.setdefault(_TO_RESTORE, {})
    for state in session.identity_map.all_states():
        held[state] = as_read(state)
    held.update(before)


def _restore(session: Session, _transaction: SessionTransaction) -> None:
    held: Values = session.info.pop(_TO_RESTORE, {})
    for state, values in held.items():
        if state.expired and state.key is not None and state.obj() is not None:
            _fill(state, values)


def _fill(state: InstanceState[Any], values: dict[str, Any]) -> None:
    state.dict.update(values)
    state._commit_all(state.dict)


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
