"""Results that are read as a stream, and stay whole when something else is asked meanwhile.

PyMySQL throws away what has not been read of a stream when the next statement goes over
the same connection, with a warning and no error: a loop over `yield_per` that reads a link
of its first object would end after the first portion. Here the rest is read first, and kept.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from pymysql.connections import Connection
from pymysql.constants import FIELD_TYPE
from pymysql.cursors import Cursor, SSCursor

from eyened_domain.adapters.sql.old_rows import read_date, read_moment


class KeepingCursor(SSCursor):
    """An unbuffered cursor that can read all that is left, to give it out later."""

    _kept: deque[Any] | None = None

    @property
    def result(self) -> Any:
        """What PyMySQL reads the rows from."""
        return getattr(self, "_result", None)

    def keep_rest(self) -> None:
        """Read all rows that are left, so that the connection is free for something else."""
        rest: deque[Any] = deque()
        while (row := super().read_next()) is not None:
            rest.append(row)
        self._kept = rest

    def read_next(self) -> Any:
        """Give the next row; None after the last."""
        if self._kept is None:
            return super().read_next()
        return self._kept.popleft() if self._kept else None

    def _query(self, query: Any) -> Any:
        self._kept = None
        found = super()._query(query)  # type: ignore[misc]
        if isinstance(self.connection, KeepingConnection):
            self.connection.stream = self
        return found


_DATES = {
    FIELD_TYPE.DATE: read_date,
    FIELD_TYPE.NEWDATE: read_date,
    FIELD_TYPE.DATETIME: read_moment,
    FIELD_TYPE.TIMESTAMP: read_moment,
}
"""PyMySQL's own give the text of a date of zeros."""


class KeepingConnection(Connection):
    """A connection of PyMySQL whose streams lose nothing, and whose dates are dates or None."""

    stream: KeepingCursor | None = None
    """The cursor that may not have read all of its rows."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.decoders: dict[int, Any] = self.decoders | _DATES

    def cursor(self, cursor: type[Cursor] | None = None) -> Any:
        """Give a cursor; an unbuffered one is one that keeps its rows."""
        return super().cursor(KeepingCursor if cursor is SSCursor else cursor)

    def _execute_command(self, command: int, sql: Any) -> None:
        stream, self.stream = self.stream, None
        current = getattr(self, "_result", None)
        if stream is not None and current is not None and current is stream.result:
            stream.keep_rest()
        super()._execute_command(command, sql)  # type: ignore[misc]
