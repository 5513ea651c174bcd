"""Standing aside: letting another connection write while a session is in a transaction.

A server locks rows, and a side connection is not in the way. SQLite has one writer: a unit
of work that has begun keeps everybody else from reserving a position. If it has written
nothing so far, it ends its transaction and begins a new one afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from eyened_domain.adapters.sql.engine import begin_sqlite, has_written


@contextmanager
def aside(session: Session) -> Iterator[bool]:
    """Let others write while the block runs, if that can be; yield whether it can.

    Nothing may be sent through the session in the block.
    """
    bind: Any = session.get_bind()
    if bind.dialect.name != "sqlite":
        yield True
    elif isinstance(bind.pool, StaticPool):
        yield False  # a database in memory has one connection
    elif not session.in_transaction():
        yield True
    elif session.in_nested_transaction() or has_written(session.connection()):
        yield False
    else:
        with _ended(session.connection()):
            yield True


@contextmanager
def _ended(connection: Connection) -> Iterator[None]:
    connection.exec_driver_sql("COMMIT")
    try:
        yield
    finally:
        begin_sqlite(connection)
