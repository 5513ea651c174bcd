"""What somebody could do to the history who can write to the database, but has not SECRET_KEY."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, select, update

from eyened_domain.adapters.sql.schema.bookkeeping import HISTORY_HEAD, history, history_stream

_TABLE = history.c
Row = dict[str, Any]


class Vandal:
    """Changes the history of a database by plain statements.

    Args:
        connection: in a transaction that is rolled back in the end.
        rng: draws the victims.
    """

    def __init__(self, connection: Connection, rng: random.Random) -> None:
        self.connection, self._rng = connection, rng
        counts = select(_TABLE.stream_id, _TABLE.last_number).where(_TABLE.number == HISTORY_HEAD)
        self.ends: dict[str, int] = {one: int(n) for one, n in connection.execute(counts)}
        self.stream = max(self.ends, key=lambda one: self.ends[one])
        self.last = self.ends[self.stream]

    def a_number(self) -> int:
        """Return the number of an entry that is neither the first nor the last."""
        return self._rng.randrange(2, self.last)

    def row(self, number: int) -> Row:
        """Return an entry."""
        found = self.connection.execute(select(history).where(self._at(number))).one()
        return {column.key: value for column, value in zip(_TABLE, found, strict=True)}

    def set(self, at: int, **values: Any) -> None:
        """Write to an entry."""
        self.connection.execute(update(history).where(self._at(at)).values(values))

    def take_out(self, first: int, last: int | None = None) -> None:
        """Delete entries."""
        number = _TABLE.number
        those = and_(_TABLE.stream_id == self.stream, number >= first, number <= (last or first))
        self.connection.execute(delete(history).where(those))

    def put(self, row: Row) -> None:
        """Insert an entry."""
        self.connection.execute(insert(history), [row])

    def _at(self, number: int) -> Any:
        return and_(_TABLE.stream_id == self.stream, _TABLE.number == number)


def change_new_value(one: Vandal) -> None:
    """Let it have been another value."""
    one.set(one.a_number(), new_values='{"form_data":{"grade":5}}')


def change_old_value(one: Vandal) -> None:
    """Let there have been another value before."""
    one.set(one.a_number(), old_values='{"form_data":{"grade":0}}')


def empty_values(one: Vandal) -> None:
    """Let nothing be told of what it was."""
    one.set(one.a_number(), old_values=None, new_values=None)


def change_actor(one: Vandal) -> None:
    """Put the blame on somebody else."""
    number = one.a_number()
    one.set(number, actor_id=(one.row(number)["actor_id"] or 0) + 1)


def forget_actor(one: Vandal) -> None:
    """Let nobody have done it."""
    number = one.a_number()
    one.set(number, actor_id=None if one.row(number)["actor_id"] is not None else 1)


def change_time(one: Vandal) -> None:
    """Let it have been an hour before."""
    number = one.a_number()
    one.set(number, made_at=one.row(number)["made_at"] - 3_600_000_000)


def change_reason(one: Vandal) -> None:
    """Find a better excuse."""
    one.set(one.a_number(), reason="as the protocol says")


def change_kind(one: Vandal) -> None:
    """Let an update have been an insertion."""
    number = one.a_number()
    one.set(number, kind="insert" if one.row(number)["kind"] != "insert" else "update")


def change_key(one: Vandal) -> None:
    """Let it have happened to another row."""
    number = one.a_number()
    one.set(number, entity_key=one.row(number)["entity_key"] + "9")


def change_transaction(one: Vandal) -> None:
    """Let it have been part of another transaction."""
    number = one.a_number()
    one.set(number, transaction_number=one.row(number)["transaction_number"] + 1)


def delete_first(one: Vandal) -> None:
    """Take the first entry out."""
    one.take_out(1)


def delete_one(one: Vandal) -> None:
    """Take an entry out."""
    one.take_out(one.a_number())


def delete_last(one: Vandal) -> None:
    """Take the newest entry out."""
    one.take_out(one.last)


def delete_last_and_lower_head(one: Vandal) -> None:
    """Take the newest entry out, and let the head say that there was none."""
    one.take_out(one.last)
    one.set(HISTORY_HEAD, last_number=one.last - 1)


def delete_head(one: Vandal) -> None:
    """Take the newest entries out, and what says how many there were."""
    one.take_out(one.last // 2 + 1, one.last)
    one.take_out(HISTORY_HEAD)


def swap_two(one: Vandal) -> None:
    """Let two entries change places."""
    first = one.a_number()
    second = first - 1
    one.set(first, number=2**30)
    one.set(second, number=first)
    one.set(2**30, number=second)


def close_gap(one: Vandal) -> None:
    """Take an entry out, and let the following ones move up."""
    first = one.a_number()
    one.take_out(first)
    for number in range(first + 1, one.last + 1):
        one.set(number, number=number - 1)
    one.set(HISTORY_HEAD, last_number=one.last - 1)


def forge(one: Vandal) -> None:
    """Add an entry at the end, with a digest that looks like one."""
    one.put({**one.row(one.a_number()), "number": one.last + 1, "mac": "0123456789abcdef" * 2})
    one.set(HISTORY_HEAD, last_number=one.last + 1)


def copy_with_digest(one: Vandal) -> None:
    """Add a copy of an entry at the end, with its own digest."""
    one.put({**one.row(one.a_number()), "number": one.last + 1})


def insert_into_own_stream(one: Vandal) -> None:
    """Add an entry in a stream of one's own."""
    one.put({**one.row(one.a_number()), "stream_id": "f" * 16, "number": 1})


def truncate(one: Vandal) -> None:
    """Take all entries out."""
    one.connection.execute(delete(history))


def delete_stream(one: Vandal) -> None:
    """Take a stream out, with its head."""
    one.take_out(0, HISTORY_HEAD)


def forget_stream(one: Vandal) -> None:
    """Take out what says that there is a stream."""
    those = history_stream.c.stream_id == one.stream
    one.connection.execute(delete(history_stream).where(those))


def delete_followed_stream(one: Vandal) -> None:
    """Take a stream out with all that says so, which a later one has followed."""
    first = select(history_stream.c.stream_id).order_by(history_stream.c.opened_at).limit(1)
    one.stream = str(one.connection.scalar(first))
    one.take_out(0, HISTORY_HEAD)
    forget_stream(one)


TAMPERINGS: tuple[Callable[[Vandal], None], ...] = (
    change_new_value,
    change_old_value,
    empty_values,
    change_actor,
    forget_actor,
    change_time,
    change_reason,
    change_kind,
    change_key,
    change_transaction,
    delete_first,
    delete_one,
    delete_last,
    delete_last_and_lower_head,
    delete_head,
    swap_two,
    close_gap,
    forge,
    copy_with_digest,
    insert_into_own_stream,
    truncate,
    delete_stream,
    forget_stream,
    delete_followed_stream,
)
"""Each of them must be found; see the docstrings."""
