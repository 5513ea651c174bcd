"""Fresh reads: what a new transaction loads replaces what was loaded in an earlier one.

Objects stay readable when their transaction has ended, with the values of then: they are
stale. A query of the next transaction that returns one of them brings it up to date,
unless it was changed meanwhile; then the flush compares it with its row (`changed_rows`).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import (
    InstanceState,
    Mapper,
    ORMExecuteState,
    QueryContext,
    Session,
    SessionTransaction,
)
from sqlalchemy.orm.attributes import instance_state

from eyened_domain.adapters.sql.sqlalchemy_internals import (
    flush_before_query,
    flushes_before,
)
from eyened_domain.model.entity import Entity

_STALE = "eyened_domain.stale"
_MAPPERS = "eyened_domain.stale_mappers"
AS_HELD = "eyened_domain.as_held"
"""The execution option of a query that leaves what is in hand as it is."""
States = set[InstanceState[Any]]


def stale_states(session: Session) -> States:
    """Return the states of the objects that were last read before this transaction."""
    found: States = session.info.get(_STALE) or set()
    return found


def is_stale(session: Session, one: Entity) -> bool:
    """Whether an object was last read before this transaction."""
    return instance_state(one) in stale_states(session)


def mark_all_stale(session: Session) -> None:
    """Note that what the objects of a session hold was read in a transaction that has ended."""
    session.info[_STALE] = set(session.identity_map.all_states())
    session.info.pop(_MAPPERS, None)


def mark_fresh(session: Session, states: States) -> None:
    """Note that objects hold what their rows hold in this transaction."""
    stale: States | None = session.info.get(_STALE)
    if stale:
        stale -= states


def watch_transactions(session_class: type[Session]) -> None:
    """Make the sessions of a class read afresh in each transaction."""
    event.listen(session_class, "after_transaction_end", _ended)
    event.listen(session_class, "after_attach", _attached)
    event.listen(session_class, "do_orm_execute", _read_afresh)


def _ended(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        mark_all_stale(session)


def _attached(session: Session, one: object) -> None:
    """Count an object as stale that comes from another session, or from a pickle."""
    state = instance_state(one)
    if state.key is not None and not state.was_deleted:
        session.info.setdefault(_STALE, set()).add(state)
        session.info.pop(_MAPPERS, None)


def _read_afresh(execution: ORMExecuteState) -> None:
    """Let a query replace what stale objects hold (a `do_orm_execute` listener).

    What was changed is sent first. Where that may not be (`no_autoflush`), nothing is
    replaced.
    """
    session = execution.session
    if execution.execution_options.get(AS_HELD) or not session.info.get(_STALE):
        return
    if not execution.is_select or execution.is_column_load:
        return
    if not _stale_mappers(session).intersection(m.base_mapper for m in execution.all_mappers):
        return
    if flushes_before(execution):  # the listener comes before the session's own flush
        flush_before_query(session)
    if not session.identity_map.check_modified():
        execution.update_execution_options(populate_existing=True)


def _stale_mappers(session: Session) -> set[Mapper[Any]]:
    found: set[Mapper[Any]] | None = session.info.get(_MAPPERS)
    if found is None:
        found = session.info[_MAPPERS] = {
            state.manager.mapper.base_mapper for state in session.info[_STALE]
        }
    return found


@event.listens_for(Entity, "refresh", raw=True, propagate=True)
def _refreshed(state: InstanceState[Any], context: QueryContext, attributes: Any) -> None:
    if attributes is None and context is not None:
        mark_fresh(context.session, {state})
