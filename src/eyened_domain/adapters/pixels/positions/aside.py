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

from eyened_domain.adapters.sql.sqlite_turns import turns_of
from eyened_domain.adapters.sql.staleness import mark_all_stale


@contextmanager
def aside(session: Session) -> Iterator[bool]:
    """Let others write while the block runs, if that can be; yield whether it can.

    Nothing may be sent through the session in the block.
    """
    bind: Any = session.get_bind()
    if bind.dialect.name != "sqlite" or not session.in_transaction():
        yield True
    elif session.in_nested_transaction() or turns_of(session.connection()).has_written:
        yield False
    else:
        with _ended(session.connection()):
            yield True
        mark_all_stale(session)  # others may have changed what it has read


@contextmanager
def _ended(connection: Connection) -> Iterator[None]:
    driver = turns_of(connection)
    driver.commit()
    try:
        yield
    finally:
        driver.begin("IMMEDIATE")
