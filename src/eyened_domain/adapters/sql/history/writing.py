"""Statements that write the history.

They are written as texts, and sent by the driver: their shape is always the same, and to
compile an INSERT of many rows takes longer than all else.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, Dialect, select

from eyened_domain.adapters.sql.history.macs import Macs
from eyened_domain.adapters.sql.schema.bookkeeping import HISTORY_HEAD, history, history_stream
from eyened_domain.errors import StorageError
from eyened_domain.services.changes.entries import Entry

HEAD = "head"
"""The kind of the row that is the head of a stream."""
MOST_FOLLOWED = 1000
_MOST_ROWS = 2500
"""SQLite takes 32,766 parameters in a statement; a server is sent a text."""
_MOST_CHARACTERS = 3_000_000
"""Of the texts in a statement: servers refuse a packet of more than some megabytes."""
SIGNED = tuple(column for column in history.c if column.key != "mac")
"""The columns of `History` that a digest is of, in their order; the digest is the last column."""


@frozen
class Position:
    """Where in a stream changes are written."""

    stream_id: str
    number: int
    """Of the first of them."""
    transaction_number: int
    """Of the first change of their transaction."""
    not_before: int
    """The moment of the last change of earlier transactions in the stream."""


@frozen
class Noted:
    """A change that is to be written."""

    entry: Entry
    moment: int
    """When it was made, in microseconds of Unix time."""
    reason: str | None


def insert_changes(
    connection: Connection,
    macs: Macs,
    at: Position,
    changes: Sequence[Noted],
    actor_id: int | None,
) -> None:
    """Insert changes, and let the head of the stream say which is the last; one statement.

    There are more statements where the texts are too long for one.

    Args:
        connection: of the transaction that made the changes.
        macs: computes the digests.
        at: where the first of them goes.
        changes: in their order.
        actor_id: CreatorID of who made them.
    """
    rows = [
        _signed(macs, _values(at, number, noted, actor_id))
        for number, noted in enumerate(changes, at.number)
    ]
    last = at.number + len(rows) - 1
    most = _MOST_ROWS if connection.dialect.name == "sqlite" else len(rows)
    for some in _portions(rows, most):
        head = head_row(macs, at.stream_id, last) if some[-1][1] == last else None
        _send(connection, some, head)


def head_row(macs: Macs, stream_id: str, last: int) -> tuple[Any, ...]:
    """Return the head of a stream whose last change has this number."""
    return _signed(
        macs, (stream_id, HISTORY_HEAD, 0, "", "", HEAD, None, None, None, None, 0, last)
    )


def _values(at: Position, number: int, noted: Noted, actor_id: int | None) -> tuple[Any, ...]:
    entry = noted.entry
    return (
        at.stream_id,
        number,
        at.transaction_number,
        entry.entity,
        entry.key,
        entry.kind.value,
        entry.before,
        entry.after,
        actor_id,
        noted.reason,
        max(noted.moment, at.not_before),
        None,
    )


def _signed(macs: Macs, values: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*values, macs.of(*values))


def _portions(rows: Sequence[tuple[Any, ...]], most: int) -> Iterator[list[tuple[Any, ...]]]:
    some: list[tuple[Any, ...]] = []
    length = 0
    for row in rows:
        longer = 200 + len(row[6] or "") + len(row[7] or "") + len(row[9] or "")
        if some and (len(some) == most or length + longer > _MOST_CHARACTERS):
            yield some
            some, length = [], 0
        some.append(row)
        length += longer
    yield some


def _send(
    connection: Connection, rows: list[tuple[Any, ...]], head: tuple[Any, ...] | None
) -> None:
    sent = rows if head is None else [*rows, head]
    begin, row, end = _parts(connection.dialect)
    text = begin + ",".join([row] * len(sent))
    values = [value for one in sent for value in one]
    if head is not None:
        text, values = text + end, [*values, *head[-2:]]
    result = connection.exec_driver_sql(text, tuple(values))
    # an UPDATE counts as two on a server: the head's, or that of a change which was there already
    if result.rowcount not in {len(sent), len(sent) + (head is not None)}:
        raise StorageError(
            f"changes {rows[0][1]} to {rows[-1][1]} of stream {rows[0][0]} of the history were "
            "there already; nothing was stored"
        )


@cache
def _parts(dialect: Dialect) -> tuple[str, str, str]:
    """Return the texts of an INSERT: its beginning, a row, and what becomes of a head there is."""
    quote = dialect.identifier_preparer.quote
    sign = "?" if dialect.paramstyle == "qmark" else "%s"
    # without a list of columns, for which MariaDB would ask that they may all be updated
    begin = f"INSERT INTO {quote(history.name)} VALUES "  # noqa: S608
    sets = f"{quote(history.c.last_number.name)} = {sign}, {quote(history.c.mac.name)} = {sign}"
    end = f" ON DUPLICATE KEY UPDATE {sets}"
    if dialect.name == "sqlite":
        keys = ", ".join(quote(one.name) for one in history.primary_key.columns)
        number = quote(history.c.number.name)
        end = f" ON CONFLICT ({keys}) DO UPDATE SET {sets} WHERE {number} = {HISTORY_HEAD}"
    return begin, f"({', '.join([sign] * len(history.c))})", end


def open_stream(connection: Connection, macs: Macs, stream_id: str) -> None:
    """Note that there is a stream, and which ones were there that none had followed yet."""
    table = history_stream
    newest = select(table.c.stream_id, table.c.follows).order_by(table.c.opened_at.desc())
    known = connection.execute(newest.limit(MOST_FOLLOWED)).all()
    followed = {one for _, text in known for one in json.loads(text)}
    follows = json.dumps([one for one, _ in known if one not in followed])
    moment = time.time_ns() // 1000
    row = {"stream_id": stream_id, "opened_at": moment, "follows": follows}
    connection.execute(table.insert(), {**row, "mac": macs.of(stream_id, moment, follows)})
