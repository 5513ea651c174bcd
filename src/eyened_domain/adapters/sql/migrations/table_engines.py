"""Tables whose storage engine knows no transactions: a rollback changes nothing there."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, text

from eyened_domain.adapters.sql.migrations.differences import Difference, blocking

_ASK = text(
    "SELECT table_name, engine FROM information_schema.tables "
    "WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND engine <> 'InnoDB'"
)


def without_transactions(connection: Connection, names: Iterable[str]) -> tuple[Difference, ...]:
    """Return which of the tables are not InnoDB's, each with the statement that converts it."""
    if connection.dialect.name == "sqlite":
        return ()
    wanted = {name.lower(): name for name in names}
    return tuple(
        blocking(
            f"is a table of {engine}, where a rollback does nothing and links are not checked: "
            f"ALTER TABLE `{table}` ENGINE=InnoDB",
            wanted[table.lower()],
        )
        for table, engine in connection.execute(_ASK)
        if table.lower() in wanted
    )
