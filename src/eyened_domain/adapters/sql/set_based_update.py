"""Updating many rows, each with values of its own, in one statement for ten thousand.

PyMySQL would send an executemany of UPDATE row by row, and a CASE with as many branches as rows
takes a time that grows with their square. Servers that know JSON_TABLE (MariaDB 10.6, MySQL 8) get
the rows as one JSON text and join it with the table; SQLite is in this process, and takes the
executemany.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, Dialect, Table, bindparam, case, text, types, update

from eyened_domain.adapters.sql.kinds import KindType
from eyened_domain.services.row_shapes import Row

_CHUNK = 10_000
_CASES = 250
_LONGEST = 4_000_000
"""Characters of JSON in a statement: servers refuse a packet of more than some megabytes."""


@frozen
class _Written:
    """What rows of a table are to hold: the columns `names` by row, `further` in all of them."""

    table: Table
    key: str
    names: Sequence[str]
    further: Mapping[str, Any]


def update_rows(
    connection: Connection, table: Table, key: str, rows: Sequence[Row], always: Mapping[str, Any]
) -> Iterator[tuple[Any, Any]]:
    """Yield the statements, with their parameters, that update the rows.

    Args:
        connection: to the database; nothing is sent.
        table: whose rows.
        key: the column of the primary key, which each row holds.
        rows: what they are to hold.
        always: what each of them is to hold besides, unless it says otherwise.
    """
    alike: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        alike.setdefault(tuple(row), []).append(row)
    dialect = connection.dialect
    for given, some in alike.items():
        names = [name for name in given if name != key]
        further = {name: value for name, value in always.items() if name not in names}
        written = _Written(table, key, names, further)
        if not names and not further:
            continue
        if dialect.name == "sqlite" or len(some) == 1:
            yield from _one_by_one(written, some)
        elif _knows_json_table(dialect) and all(_json_type(table, name) for name in names):
            yield from _joined(written, some, dialect)
        else:
            yield from _cases(written, some)


def _one_by_one(written: _Written, rows: Sequence[Row]) -> Iterator[tuple[Any, Any]]:
    table, key, names = written.table, written.key, written.names
    values: dict[str, Any] = {
        name: bindparam(f"new_{name}", type_=table.c[name].type) for name in names
    }
    statement = (
        update(table)
        .where(table.c[key] == bindparam("sought"))
        .values({**values, **written.further})
    )
    for start in range(0, len(rows), _CHUNK):
        yield (
            statement,
            [
                {"sought": row[key], **{f"new_{name}": row[name] for name in names}}
                for row in rows[start : start + _CHUNK]
            ],
        )


def _cases(written: _Written, rows: Sequence[Row]) -> Iterator[tuple[Any, Any]]:
    table, key, names = written.table, written.key, written.names
    for start in range(0, len(rows), _CASES):
        some = rows[start : start + _CASES]
        values = {
            name: case(
                *(
                    (table.c[key] == row[key], bindparam(None, row[name], table.c[name].type))
                    for row in some
                ),
                else_=table.c[name],
            )
            for name in names
        }
        ids = [row[key] for row in some]
        yield update(table).where(table.c[key].in_(ids)).values({**values, **written.further}), None


def _knows_json_table(dialect: Dialect) -> bool:
    is_mariadb = getattr(dialect, "is_mariadb", False)
    return (dialect.server_version_info or ()) >= ((10, 6) if is_mariadb else (8, 0, 4))


_JSON_TYPES: tuple[tuple[type[types.TypeEngine[Any]], str], ...] = (
    (types.Enum, "VARCHAR(255)"),
    (types.JSON, "LONGTEXT"),
    (types.Boolean, "TINYINT"),
    (types.Integer, "BIGINT"),
    (types.Float, "DOUBLE"),
    (types.DateTime, "DATETIME"),
    (types.Date, "DATE"),
)


def _json_type(table: Table, name: str) -> str | None:
    """Return the type in which JSON_TABLE gives a column; None for one that JSON has not."""
    kind = table.c[name].type
    held = kind.impl_instance if isinstance(kind, KindType) else kind
    for known, written in _JSON_TYPES:
        if isinstance(held, known):
            return written
    if isinstance(held, types.String):
        return f"VARCHAR({held.length})" if held.length else "LONGTEXT"
    return None


def _joined(written: _Written, rows: Sequence[Row], dialect: Dialect) -> Iterator[tuple[Any, Any]]:
    """Yield statements that lock no other rows: of a small table all would be read, and locked."""
    table, key, names = written.table, written.key, written.names
    quote = dialect.identifier_preparer.quote
    columns = [
        f"c{place} {_json_type(table, name)} PATH '$[{place}]' NULL ON EMPTY ERROR ON ERROR"
        for place, name in enumerate([key, *names])
    ]
    sets = [f"t.{quote(table.c[name].name)} = n.c{at}" for at, name in enumerate(names, 1)]
    sets += [f"t.{quote(table.c[name].name)} = :{name}" for name in written.further]
    statement = text(
        f"UPDATE JSON_TABLE(:rows, '$[*]' COLUMNS ({', '.join(columns)})) AS n "  # noqa: S608 - names
        f"STRAIGHT_JOIN {quote(table.name)} AS t FORCE INDEX (PRIMARY) "
        f"ON t.{quote(table.c[key].name)} = n.c0 "
        f"SET {', '.join(sets)}"
    ).bindparams(*(bindparam(name, type_=table.c[name].type) for name in written.further))
    sent = [_sender(dialect, table, name) for name in [key, *names]]
    for part in _texts(rows, [key, *names], sent):
        yield statement, {"rows": f"[{','.join(part)}]", **written.further}


def _sender(dialect: Dialect, table: Table, name: str) -> Callable[[Any], Any]:
    """Return what turns a value into what the driver is given."""
    send = table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
    return send or (lambda value: value)


def _texts(
    rows: Iterable[Row], names: Sequence[str], sent: Sequence[Callable[[Any], Any]]
) -> Iterator[list[str]]:
    """Return the rows as JSON lists, as many at a time as a statement takes."""
    some: list[str] = []
    length = 0
    columns = list(zip(names, sent, strict=True))
    for row in rows:
        written = _encode([send(row[name]) for name, send in columns])
        if some and (len(some) == _CHUNK or length + len(written) > _LONGEST):
            yield some
            some, length = [], 0
        some.append(written)
        length += len(written)
    if some:
        yield some


def _iso(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat(*([" "] if hasattr(value, "hour") else []))
    raise TypeError(f"JSON has no {type(value).__name__}")


_encode = json.JSONEncoder(default=_iso).encode  # json.dumps would make an encoder for each row
