"""What a MySQL or MariaDB server is like, and what each connection to it is told at once.

Looked at when a connection is opened, and again when a connection meets another version (the
server was upgraded, or another took over): which variables a server has follows from no
version number, since MariaDB brings new ones to its older releases as well.
"""

from __future__ import annotations

from typing import Any, Protocol

from attrs import frozen
from sqlalchemy import Engine, event

SNAPSHOT_ISOLATION = "innodb_snapshot_isolation"


class DriverConnection(Protocol):
    """A connection of PyMySQL or mysqlclient."""

    def cursor(self) -> Any:
        """Return a cursor."""

    def get_server_info(self) -> str:
        """Return the version that the server told when it was connected to."""


@frozen
class Server:
    """What a server is like."""

    version: str
    """As it calls itself, for example ``11.8.9-MariaDB-0+deb13u1``."""

    has_snapshot_isolation: bool
    """Whether it can refuse to change a row that is newer than a transaction's snapshot."""

    @classmethod
    def at(cls, connection: DriverConnection) -> Server:
        """Look at the server that a connection leads to."""
        found = _rows(connection, f"SHOW SESSION VARIABLES LIKE '{SNAPSHOT_ISOLATION}'")
        return cls(connection.get_server_info(), has_snapshot_isolation=bool(found))

    def session_settings(self, *, strict: bool) -> str | None:
        """Return the one statement that each connection begins with; None where none is needed.

        Args:
            strict: refuse values that do not fit, instead of cutting them.
        """
        settings = []
        if strict:
            settings.append("sql_mode = CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES')")
        if self.has_snapshot_isolation:
            # We compare rows ourselves, on every server. With it on, a unit that has read
            # could not change a row that a side connection has just reserved for it.
            settings.append(f"{SNAPSHOT_ISOLATION} = OFF")
        return f"SET SESSION {', '.join(settings)}" if settings else None


def prepare_connections(engine: Engine, *, strict: bool) -> None:
    """Give each connection of an engine the same session, whatever its server's defaults.

    Args:
        engine: on MySQL or MariaDB.
        strict: refuse values that do not fit, instead of cutting them.
    """
    known: dict[str, Server] = {}

    def prepare(connection: DriverConnection, _record: object) -> None:
        version = connection.get_server_info()
        if version not in known:
            known[version] = Server.at(connection)
        statement = known[version].session_settings(strict=strict)
        if statement is not None:
            _rows(connection, statement)

    event.listen(engine, "connect", prepare)


def _rows(connection: DriverConnection, statement: str) -> Any:
    cursor = connection.cursor()
    try:
        cursor.execute(statement)
        return cursor.fetchall()
    finally:
        cursor.close()
