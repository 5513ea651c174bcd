"""Counts the statements that go to a database.

with count_queries(database) as counted:
    walk(project)
assert counted.total <= 5
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from eyened_domain.adapters.database import Database

_MOST_SHOWN = 50


class CountedQueries:
    """The statements that were sent, in their order."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    @property
    def total(self) -> int:
        """How many there were."""
        return len(self.statements)

    def __str__(self) -> str:
        shown = [" ".join(one.split())[:300] for one in self.statements[:_MOST_SHOWN]]
        lines = [f"{number}. {one}" for number, one in enumerate(shown, 1)]
        if self.total > _MOST_SHOWN:
            lines.append(f"… and {self.total - _MOST_SHOWN} more")
        return "\n".join(lines) or "no statements"


@contextmanager
def count_queries(database: Database | Engine) -> Iterator[CountedQueries]:
    """Collect the statements that go to a database inside the block, of all its sessions.

    Beginning, committing and rolling back are not counted; an executemany counts once.
    """
    from sqlalchemy import Engine, event  # noqa: PLC0415 - loaded when first used

    engine = database if isinstance(database, Engine) else database.engine
    counted = CountedQueries()

    def note(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        if not statement.startswith("BEGIN"):  # SQLite's transactions are begun by a statement
            counted.statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield counted
    finally:
        event.remove(engine, "before_cursor_execute", note)


@contextmanager
def assert_queries(database: Database | Engine, *, at_most: int) -> Iterator[CountedQueries]:
    """Fail unless at most that many statements go to the database inside the block.

    Raises:
        AssertionError: there were more; the message lists them.
    """
    with count_queries(database) as counted:
        yield counted
    if counted.total > at_most:
        raise AssertionError(
            f"{counted.total} statements were sent, at most {at_most} are allowed:\n{counted}"
        )
