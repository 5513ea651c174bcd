"""One at a time may write to SQLite: how transactions begin, and how others wait for their turn.

SQLite itself looks less and less often whether the other is done, every 0.1 s in the end: in
a crowd, nobody writes for half of the time. Here those who wait stand in a queue, a lock
(`flock(2)`) on a file beside the database that goes with the process: the first in the queue
looks all the time, the others sleep.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, delete, false
from sqlalchemy.dialects.sqlite import dialect

from eyened_domain.adapters.sql.schema.bookkeeping import unit_of_work_log
from eyened_domain.errors import Conflict

BEGIN = "eyened_begin"
"""Execution option: how a transaction begins on SQLite.

DEFERRED reads. IMMEDIATE is the one that writes, from the beginning. LATE is so from its
first statement that writes; a Conflict when it has read what is no longer so then.
"""
PATIENCE_S = 60
"""How long in seconds a turn is waited for."""
_LOOK_EVERY_S = 0.0003
_WRITE_NOTHING = str(delete(unit_of_work_log).where(false()).compile(dialect=dialect()))


class TurnTaking(sqlite3.Connection):
    """A connection that waits for its turn in a queue before it writes."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.isolation_level: Any = None  # the begin is ours; the driver's own comes too late
        file = self.execute("PRAGMA database_list").fetchone()[2]
        self._queue = f"{file}-queue" if file else None
        self._is_late = False
        self._is_writing = False
        self._changes_before = 0

    @property
    def has_written(self) -> bool:
        """Whether rows were changed since the transaction began."""
        return self.total_changes != self._changes_before

    def begin(self, how: str) -> None:
        """Begin a transaction; see `BEGIN`.

        Raises:
            Conflict: it did not become this connection's turn.
        """
        self._changes_before = self.total_changes
        self._is_late = how == "LATE"
        self._is_writing = how == "IMMEDIATE"
        if how == "IMMEDIATE":
            self._in_turn("BEGIN IMMEDIATE")
        elif how == "DEFERRED":
            self.execute("BEGIN")

    def before(self, statement: str) -> None:
        """Let a transaction that is LATE begin, or become the one that writes.

        Raises:
            Conflict: it did not become this connection's turn, or what the transaction has
                read was changed by another.
        """
        if not self._is_late:
            return
        if statement.startswith(("SELECT", "PRAGMA")):
            if not self.in_transaction:
                self.execute("BEGIN")
            return
        self.take_turn()

    def take_turn(self) -> None:
        """Make the transaction the one that writes, before it writes anything.

        Raises:
            Conflict: as `before`.
        """
        if not self._is_writing:
            self._is_late = False
            self._in_turn(_WRITE_NOTHING if self.in_transaction else "BEGIN IMMEDIATE")
            self._is_writing = True

    def close(self) -> None:
        """Close the connection; what it was writing is rolled back, and others can write.

        SQLite keeps a connection alive as long as one of its cursors, with its transaction:
        after Ctrl-C, the traceback may hold one.
        """
        with suppress(sqlite3.Error):
            self.rollback()
        super().close()

    def _in_turn(self, statement: str) -> None:
        impatient = time.monotonic() + PATIENCE_S
        try:
            self.execute("PRAGMA busy_timeout = 0")
            if self._gets_through(statement):
                return
            with _next_in(self._queue):
                while not self._gets_through(statement):
                    if time.monotonic() > impatient:
                        raise Conflict(
                            "somebody else has been writing to the database for "
                            f"{PATIENCE_S} s; run it again"
                        )
                    time.sleep(_LOOK_EVERY_S)
        finally:
            self.execute(f"PRAGMA busy_timeout = {1000 * PATIENCE_S}")

    def _gets_through(self, statement: str) -> bool:
        """Execute a statement; return whether nobody else was writing.

        Another error is left to the statement that comes next: it has the same reason.
        """
        try:
            self.execute(statement)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY_SNAPSHOT:
                raise Conflict(
                    "what this unit of work has read was changed by somebody else; run it again"
                ) from error
            return error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY
        return True


@contextmanager
def _next_in(queue: str | None) -> Iterator[None]:
    """Wait until this is the first in a queue, and stay it; at once where no queue can be."""
    try:
        descriptor = os.open(queue or "", os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError:
        yield
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def begin_sqlite(connection: Connection) -> None:
    """Begin a transaction as the connection's option `BEGIN` says."""
    turns_of(connection).begin(connection.get_execution_options().get(BEGIN, "DEFERRED"))


def before_statement(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    """Tell a connection what is going to be executed."""
    turns_of(connection).before(statement)


def take_turn(connection: Connection) -> None:
    """Make a transaction the one that writes.

    Raises:
        Conflict: it did not become this connection's turn, or what the transaction has read
            was changed by another.
    """
    turns_of(connection).take_turn()


def turns_of(connection: Connection) -> TurnTaking:
    """Return the driver's connection."""
    driver: Any = connection.connection.dbapi_connection
    found: TurnTaking = driver
    return found
