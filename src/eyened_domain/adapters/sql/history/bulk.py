"""What is changed without objects: rows by the set, and the positions of pixels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, select
from sqlalchemy.orm import Session

from eyened_domain.adapters.sql.bulk_portions import CHUNK, chunks
from eyened_domain.adapters.sql.ended import DATABASE, ending_on
from eyened_domain.adapters.sql.history.going_along import entries_along, rows_matter
from eyened_domain.adapters.sql.history.log import log_of
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.model.entity import Entity
from eyened_domain.model.values import plain
from eyened_domain.services.changes.blocks import (
    Altered,
    entries_of_altered_rows,
    entries_of_new_rows,
)
from eyened_domain.services.changes.entries import Entry, deleted, in_order, updated
from eyened_domain.services.changes.recorded import IMPORTED, is_recorded, recorded_columns
from eyened_domain.services.changes.values import key_text
from eyened_domain.services.row_shapes import Row


def note_inserted_rows(
    session: Session, entity: type[Entity], key: str, ids: Sequence[int], rows: Sequence[Row]
) -> None:
    """Note new rows; not those of which imports keep a record."""
    log = log_of(session)
    if log is None or entity.__name__ in IMPORTED or not is_recorded(entity):
        return
    for some in chunks(zip(ids, rows, strict=True), CHUNK):
        held = ({**_held(entity, row), key: one} for one, row in some)
        log.note([*entries_of_new_rows(entity, held)])


def note_inserted_links(session: Session, entity: type[Entity], rows: Sequence[Row]) -> None:
    """Note new rows between others."""
    log = log_of(session)
    if log is not None and is_recorded(entity):
        log.note([*entries_of_new_rows(entity, (_held(entity, row) for row in rows))])


@contextmanager
def updating(
    session: Session, entity: type[Entity], key: str, rows: Sequence[Row], known: Sequence[Row]
) -> Iterator[None]:
    """Note what the block writes to rows; what they hold is read, and locked, before it.

    Args:
        session: in whose transaction.
        entity: whose rows.
        key: the column of the primary key.
        rows: what is written. Of columns that the history does not keep, nothing is asked.
        known: what they hold, where that was read and locked before.
    """
    log = log_of(session)
    before = {} if log is None else _rows_before(session, entity, key, rows, known)
    yield
    after: dict[int, Row] = {}
    for row in rows if before else ():
        if row[key] in before:
            after.setdefault(row[key], {}).update(_held(entity, row))
    if log is not None:
        changed = (Altered(str(one), before[one], now) for one, now in after.items())
        log.note([*entries_of_altered_rows(entity, changed)])


def _rows_before(
    session: Session, entity: type[Entity], key: str, rows: Sequence[Row], known: Sequence[Row]
) -> dict[int, Row]:
    table = table_of(entity)
    given = {name for row in rows for name in row} - {key}
    names = [c.name for c in recorded_columns(entity) if c.name in given and c.name in table.c]
    found: dict[int, Row] = {row[key]: row for row in known if row.keys() >= set(names)}
    ids = sorted({row[key] for row in rows} - found.keys()) if names else []
    with ending_on(session, *DATABASE):
        for some in chunks(ids, CHUNK):
            statement = _reading(entity, key, tuple(names))
            for one, *held in session.connection().execute(statement, {"ids": some}).all():
                found[one] = dict(zip(names, held, strict=True))
    return found


@lru_cache(maxsize=512)
def _reading(entity: type[Entity], key: str, names: tuple[str, ...]) -> Select[Any]:
    """Return the statement that reads columns of rows by their ``ids``, and locks them."""
    table = table_of(entity)
    ids: Any = bindparam("ids", expanding=True)
    statement = select(table.c[key], *(table.c[name] for name in names))
    return statement.where(table.c[key].in_(ids)).with_for_update()


@contextmanager
def deleting(
    session: Session, entity: type[Entity], conditions: Sequence[ColumnElement[bool]]
) -> Iterator[None]:
    """Note what the block deletes, and what goes along with it; it is read before.

    Args:
        session: in whose transaction.
        entity: whose rows.
        conditions: rows that meet one of them are deleted.
    """
    log = log_of(session)
    entries = [] if log is None else _of_deletion(session, entity, conditions)
    yield
    if log is not None:
        log.note(entries)


def _of_deletion(
    session: Session, entity: type[Entity], conditions: Iterable[ColumnElement[bool]]
) -> list[Entry]:
    if not rows_matter(entity):
        return []
    info, table = entity.__entity__, table_of(entity)
    names = [one.name for one in recorded_columns(entity) if one.name in table.c]
    held = {
        info.key(row): row for one in conditions for row in _rows_where(session, entity, one, names)
    }
    entries = [deleted(entity, row) for row in held.values()] if is_recorded(entity) else []
    if len(info.primary_key) == 1:
        own = {(one.entity, one.key) for one in entries}
        with ending_on(session, *DATABASE):
            along = entries_along(session.connection(), {info.root: {key[0] for key in held}})
            entries += [one for one in along if (one.entity, one.key) not in own]
    return in_order(entries)


def note_altered(session: Session, one: Entity, after: Mapping[str, Any]) -> None:
    """Note columns of an object that were written past its flush; it holds the old ones still."""
    log = log_of(session)
    entity = type(one)
    if log is None or not is_recorded(entity):
        return
    before = {name: getattr(one, name) for name in after}
    entry = updated(entity, key_text(entity, one.__dict__), before, after)
    log.note([] if entry is None else [entry])


def _rows_where(
    session: Session, entity: type[Entity], condition: ColumnElement[bool], names: Sequence[str]
) -> Iterator[Row]:
    """Yield columns of rows, with their keys, and lock them."""
    table = table_of(entity)
    named = list(dict.fromkeys([*entity.__entity__.primary_key, *names]))
    statement = select(*(table.c[name] for name in named)).where(condition).with_for_update()
    with ending_on(session, *DATABASE):
        for row in session.connection().execute(statement).all():
            yield dict(zip(named, row, strict=True))


def _held(entity: type[Entity], row: Row) -> Row:
    """Return what a row's columns hold, of what was given for them."""
    held: Row = {}
    for column in recorded_columns(entity):
        if column.name in row:
            value = row[column.name]
            held[column.name] = None if value is None else column.kind.convert(plain(value))
    return held
