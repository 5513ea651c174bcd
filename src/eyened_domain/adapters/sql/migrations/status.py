"""What a database is, at which revision, and how many of each entity it holds."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen
from sqlalchemy import Connection, Engine, func, literal, select, table, union_all

from eyened_domain.adapters.sql.migrations.differences import Difference
from eyened_domain.adapters.sql.migrations.needed_columns import (
    Lacking,
    find_lacking,
    needed_tables,
    said_of,
)
from eyened_domain.adapters.sql.migrations.revisions import HEAD
from eyened_domain.adapters.sql.migrations.state import (
    Found,
    State,
    display_url,
    find_state,
    present_tables,
)
from eyened_domain.adapters.sql.migrations.table_engines import without_transactions
from eyened_domain.adapters.sql.schema import TABLES


@frozen
class DatabaseStatus:
    """What `eorm status` shows."""

    database: str
    """The database as a URL, without its password."""
    server: str
    """The kind of server and its version, for example ``MariaDB 10.11.6``."""
    state: State
    revision: str | None
    head: str
    """The newest revision that this software knows."""
    counts: Mapping[str, int]
    """How many rows there are of each entity; only entities whose table is there."""
    differences: tuple[Difference, ...] = ()
    """What keeps the software from working: tables and columns that are missing or that it
    cannot fill, and tables without transactions."""
    advice: str | None = None
    """What is to be done where something is missing."""


_COMPARED = frozenset({State.AT_HEAD, State.BEHIND, State.UNADOPTED})


def status(engine: Engine) -> DatabaseStatus:
    """Look at a database; nothing is changed.

    Raises:
        ConfigurationError: it cannot be reached.
    """
    with engine.connect() as connection:
        found = find_state(connection)
        lacking, without = _compared(connection, found)
        return DatabaseStatus(
            database=display_url(engine),
            server=_server(connection),
            state=State.CHANGED if lacking.missing else found.state,
            revision=found.revision,
            head=HEAD,
            counts=_counts(connection),
            differences=(*lacking.all, *without),
            advice=f"The database {said_of(lacking)}." if lacking.missing else None,
        )


def _compared(connection: Connection, found: Found) -> tuple[Lacking, tuple[Difference, ...]]:
    """Return what is missing, and the tables without transactions."""
    if found.state not in _COMPARED:
        return Lacking(), ()
    needed = {table.name: table for table in needed_tables(found)}
    return find_lacking(connection, needed.values()), without_transactions(connection, needed)


def _server(connection: Connection) -> str:
    dialect = connection.dialect
    version = ".".join(str(part) for part in (dialect.server_version_info or ())[:3])
    if dialect.name == "sqlite":
        return f"SQLite {version}"
    kind = "MariaDB" if getattr(dialect, "is_mariadb", False) else "MySQL"
    return f"{kind} {version}"


def _counts(connection: Connection) -> dict[str, int]:
    entities = {mapped.name: entity.__name__ for entity, mapped in TABLES.items()}
    present = present_tables(connection, entities)
    if not present:
        return {}
    rows = connection.execute(
        union_all(
            *(
                select(literal(entities[name]), func.count()).select_from(table(as_written))
                for name, as_written in present.items()
            )
        )
    )
    counts = {name: int(count) for name, count in rows}
    return {name: counts[name] for name in sorted(entities.values()) if name in counts}
