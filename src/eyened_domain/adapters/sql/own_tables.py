"""Statements on tables of this software's own, which a database may not have yet."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, inspect
from sqlalchemy.orm import Session

from eyened_domain.adapters.sql.translation import NotInDatabase
from eyened_domain.errors import ConfigurationError


def execute_on(
    table: Table, lacks: str, session: Session, statement: Any, parameters: Any = None
) -> Any:
    """Execute a statement in the transaction of a session.

    Args:
        table: of our own, which the statement is about.
        lacks: what a database without it lacks: ``no record of imports``.
        session: whose transaction.
        statement: on the table.
        parameters: of the statement.

    Raises:
        ConfigurationError: the database has not the table yet; the message says what to run.
    """
    connection = session.connection()
    try:
        return connection.execute(statement, parameters)
    except NotInDatabase as error:
        if inspect(connection).has_table(table.name):
            raise
        raise ConfigurationError(
            f"this database keeps {lacks}; run `eorm upgrade` (and before it `eorm adopt`, if "
            "another program made it)"
        ) from error
