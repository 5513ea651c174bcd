"""Rows that somebody else has changed are found before they are written over.

Before a flush, the rows of the objects that were changed or deleted are read once more, one
statement a table, and compared with what the objects were read with. On a server they are
locked by that until the transaction ends. SQLite has one writer, and refuses a transaction
that writes on top of what it has not seen: there only objects of earlier transactions are
compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select, tuple_
from sqlalchemy.orm import InstanceState, Mapper, Session, SessionTransaction
from sqlalchemy.orm.attributes import instance_state

from eyened_domain.adapters.sql.own_values import as_read
from eyened_domain.adapters.sql.sqlite_turns import take_turn
from eyened_domain.adapters.sql.staleness import mark_fresh, stale_states
from eyened_domain.errors import RowChanged
from eyened_domain.model.entity import Entity
from eyened_domain.model.values import is_same

_COMPARED = "eyened_domain.compared"
CHUNK = 10_000
"""How many rows one statement compares; SQLite takes 32,766 parameters at most."""
States = list[InstanceState[Any]]
Row = tuple[type[Entity], tuple[Any, ...]]


def lock_rows(session: Session, rows: Iterable[Row]) -> None:
    """Lock rows before anything is read, so that nobody changes them until the end."""
    by_entity: defaultdict[type[Entity], list[Any]] = defaultdict(list)
    for entity, key in rows:
        by_entity[entity].append(key[0] if len(key) == 1 else key)
    for entity in sorted(by_entity, key=lambda one: one.__name__):
        statement, _ = _rows_now(entity.__mapper__)
        session.connection().execute(statement, {"keys": sorted(by_entity[entity])}).all()


def refuse_overwriting(session: Session, objects: Iterable[Entity]) -> None:
    """Compare the rows of objects that are about to be written with what was read of them.

    Args:
        session: in the transaction that writes them.
        objects: that were changed or deleted; new ones are passed over.

    Raises:
        Conflict: a row was changed or deleted by another transaction since it was read.
    """
    compared: set[InstanceState[Any]] = session.info.setdefault(_COMPARED, set())
    one_writer = session.get_bind().dialect.name == "sqlite"
    stale = stale_states(session)
    by_mapper: defaultdict[Mapper[Any], States] = defaultdict(list)
    for one in objects:
        state = instance_state(one)
        if state.key is not None and state not in compared and (not one_writer or state in stale):
            by_mapper[state.manager.mapper].append(state)
    # always in the same order, so that two units do not wait for each other
    for mapper in sorted(by_mapper, key=lambda one: one.class_.__name__):
        for some in _chunks(by_mapper[mapper]):
            _compare(session, mapper, some)
        compared.update(by_mapper[mapper])
        mark_fresh(session, set(by_mapper[mapper]))


def begin_writing(session: Session) -> None:
    """Make the transaction the one that writes, where there is one at a time (SQLite).

    Raises:
        Conflict: what it has read was changed by another, or it did not become its turn.
    """
    if session.get_bind().dialect.name == "sqlite":
        take_turn(session.connection())


def note_locked(session: Session, objects: Iterable[object]) -> None:
    """Note that the rows of objects are locked, and were read since."""
    compared: set[InstanceState[Any]] = session.info.setdefault(_COMPARED, set())
    compared.update(map(instance_state, objects))


def note_inserted(session: Session, *_: Any) -> None:
    """Note that nobody else can have changed what is new (an `after_flush` listener)."""
    if session.new:
        note_locked(session, session.new)


def forget_compared(session: Session, transaction: SessionTransaction) -> None:
    """Forget which rows are locked, at the end of a transaction that locked them."""
    if transaction.parent is None:
        session.info.pop(_COMPARED, None)


def _compare(session: Session, mapper: Mapper[Any], states: States) -> None:
    statement, names = _rows_now(mapper)
    wanted = [_key(state) for state in states]
    is_single = len(mapper.primary_key) == 1
    keys = [key[0] for key in wanted] if is_single else wanted
    rows = session.connection().execute(statement, {"keys": sorted(keys)})
    count = len(mapper.primary_key)
    now = {tuple(row[:count]): dict(zip(names, row[count:], strict=True)) for row in rows}
    for state, key in zip(states, wanted, strict=True):
        _compare_one(state, now.get(key))


def _compare_one(state: InstanceState[Any], now: dict[str, Any] | None) -> None:
    info = state.class_.__entity__
    if now is not None:
        before = as_read(state)
        differing = [
            name
            for name, value in before.items()
            if not is_same(info.columns[name].kind, value, now[name])
        ]
        if not differing:
            return
    what = "deleted" if now is None else f"changed ({', '.join(differing)})"
    identity = ", ".join(str(part) for part in _key(state))
    conflict = RowChanged(
        f"{info.name} {identity} was {what} by somebody else since it was read; read it again, or "
        "let database.run do the whole unit again",
        entity=info.name,
        field=differing[0] if now is not None else None,
        value=identity,
    )
    conflict.row = (state.class_, _key(state))
    raise conflict


def _key(state: InstanceState[Any]) -> tuple[Any, ...]:
    found: tuple[Any, ...] = state.key[1] if state.key else ()
    return found


@cache
def _rows_now(mapper: Mapper[Any]) -> tuple[Select[Any], tuple[str, ...]]:
    """Return the statement that reads and locks rows of a class by ``keys``, and its fields."""
    attributes = [one for one in mapper.column_attrs if one.key in mapper.class_.__entity__.columns]
    keys: Sequence[Any] = mapper.primary_key
    named = keys[0] if len(keys) == 1 else tuple_(*keys)
    statement = (
        select(*keys, *(one.columns[0].label(f"c_{one.key}") for one in attributes))
        .select_from(mapper.persist_selectable)
        .where(named.in_(bindparam("keys", expanding=True)))
        .order_by(*keys)
        .with_for_update()
    )
    return statement, tuple(one.key for one in attributes)


def _chunks(states: States) -> Iterator[States]:
    for start in range(0, len(states), CHUNK):
        yield states[start : start + CHUNK]
