"""Rows that the database deletes, or changes, along with others: read before it does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, exists, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import instance_state
from sqlalchemy.orm.util import identity_key

from eyened_domain.adapters.sql.bulk_portions import chunks
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.model.entity import Entity, entity_classes, root_of
from eyened_domain.model.fields import ColumnInfo
from eyened_domain.services.changes.entries import Entry, deleted, updated
from eyened_domain.services.changes.recorded import is_recorded, recorded_columns
from eyened_domain.services.changes.values import key_text

_MOST_ASKED = 30_000
"""How many ids stand in a statement, once for each column: SQLite takes 32,766 parameters."""
Gone = Mapping[str, set[Any]]
"""Ids by the name of the class whose table holds them."""


def entries_of_rows_along(
    session: Session, gone: Iterable[Entity], altered: Iterable[Entity]
) -> list[Entry]:
    """Return the entries of rows that go along with a flush's deletions.

    Args:
        session: being flushed, with the objects in hand: what goes along of them is in `gone`.
        gone: the objects that are deleted.
        altered: those that are changed in the same flush, and hold a link by their own account.
    """
    ids: defaultdict[str, set[Any]] = defaultdict(set)
    for one in gone:
        key = instance_state(one).key
        if key is not None and len(key[1]) == 1:
            ids[one.__entity__.root].add(key[1][0])
    own = {id(one) for one in altered}

    def is_meant(entity: type[Entity], key: tuple[Any, ...], rule: str) -> bool:
        known = session.identity_map.get(identity_key(entity, key))
        return known is None or (rule == "SET NULL" and id(known) not in own)

    return list(entries_along(session.connection(), ids, is_meant))


def entries_along(connection: Connection, gone: Gone, is_meant: Any = None) -> Iterator[Entry]:
    """Yield the entries of rows that hang on rows which are deleted, level by level.

    One statement tells, of thousands of ids of a class, which columns refer to some of them, and
    one more for each of these reads the rows.

    Args:
        connection: of the transaction that deletes them.
        gone: the ids of what is deleted.
        is_meant: called with class, key and delete rule; whether the database decides.
    """
    seen: set[tuple[str, Any]] = set()
    while gone:
        further: defaultdict[str, set[Any]] = defaultdict(set)
        for entity, column, ids in _that_hold_some(connection, gone):
            for row in _rows(connection, entity, column, ids):
                key = entity.__entity__.key(row)
                if is_meant is not None and not is_meant(entity, key, column.on_delete):
                    continue
                if column.on_delete == "SET NULL":
                    yield from _emptied(entity, column, row)
                elif (entity.__name__, key) not in seen:
                    seen.add((entity.__name__, key))
                    if is_recorded(entity):
                        yield deleted(entity, row)
                    if len(key) == 1:
                        further[entity.__entity__.root].add(key[0])
        gone = further


def _that_hold_some(
    connection: Connection, gone: Gone
) -> Iterator[tuple[type[Entity], ColumnInfo, list[Any]]]:
    """Yield the columns that refer to some of these ids, with the ids; one statement a class."""
    for root, several in gone.items():
        hanging = _hanging_on(root)
        for some in chunks(several if hanging else (), _MOST_ASKED // max(3, len(hanging))):
            held = connection.execute(_which_hold(root), {"ids": some}).one()
            for (entity, column), is_held in zip(hanging, held, strict=True):
                if is_held:
                    yield entity, column, some


@cache
def _which_hold(root: str) -> Select[Any]:
    """Return the statement that asks which columns refer to some of the ``ids`` of a class."""
    ids: Any = bindparam("ids", expanding=True)
    asked: list[Any] = [
        exists().where(table_of(entity).c[column.name].in_(ids))
        for entity, column in _hanging_on(root)
    ]
    return select(*asked)


@cache
def _hanging_on(root: str) -> tuple[tuple[type[Entity], ColumnInfo], ...]:
    """Return the columns by which rows go along with those of a class, or lose a link to them.

    Those are left out that lead to nothing that the history keeps.
    """
    return tuple(
        (entity, column)
        for entity in entity_classes()
        if entity.__entity__.parent is None
        for column in entity.__entity__.columns.values()
        if column.references
        and column.on_delete in {"CASCADE", "SET NULL"}
        and root_of(column.references) == root
        and (is_recorded(entity) or column.on_delete == "CASCADE")
        and entity.__entity__.root in _that_matter()
    )


@cache
def _that_matter() -> frozenset[str]:
    """Return the classes that the history keeps, and those between them and what is deleted."""
    found = {entity.__entity__.root for entity in entity_classes() if is_recorded(entity)}
    more = True
    while more:
        links = {
            root_of(str(column.references))
            for entity in entity_classes()
            if entity.__entity__.root in found
            for column in entity.__entity__.foreign_keys
            if column.on_delete in {"CASCADE", "SET NULL"}
        }
        more = not links <= found
        found |= links
    return frozenset(found)


def rows_matter(entity: type[Entity]) -> bool:
    """Whether the history keeps the deletion of a class's rows, or of what goes along."""
    return entity.__entity__.root in _that_matter()


def _rows(
    connection: Connection, entity: type[Entity], column: ColumnInfo, ids: list[Any]
) -> Iterator[dict[str, Any]]:
    statement, names = _reading(entity, column.name)
    for row in connection.execute(statement, {"ids": ids}).all():
        yield dict(zip(names, row, strict=True))


@cache
def _reading(entity: type[Entity], by: str) -> tuple[Select[Any], list[str]]:
    """Return the statement that reads the rows whose column holds one of the ``ids``."""
    table = table_of(entity)
    kept = [one.name for one in recorded_columns(entity)] or [by]
    names = list(dict.fromkeys([*entity.__entity__.primary_key, *kept]))
    ids: Any = bindparam("ids", expanding=True)
    return select(*(table.c[name] for name in names)).where(table.c[by].in_(ids)), names


def _emptied(entity: type[Entity], column: ColumnInfo, row: dict[str, Any]) -> Iterator[Entry]:
    entry = updated(
        entity,
        key_text(entity, row),
        {column.name: row[column.name]},
        {column.name: None},
    )
    if entry is not None:
        yield entry
