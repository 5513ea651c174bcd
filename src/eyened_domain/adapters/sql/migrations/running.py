"""Running Alembic on a connection: without files of its own, one at a time, whole or not at all."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from eyened_domain.adapters.sql.sqlite_turns import BEGIN
from eyened_domain.errors import Conflict

LONGEST_WAIT_S = 60
_one_at_a_time = threading.RLock()
# Alembic's `op` and `context` are variables of a module, shared by all threads.


def alembic_config(*, output: TextIO | None = None, **attributes: Any) -> Config:
    """Return Alembic's configuration; there is no alembic.ini.

    Args:
        output: where SQL on paper is written.
        attributes: for `env.py`: a `connection`, or the name of a `dialect`.
    """
    here = str(Path(__file__).parent).replace("%", "%%")
    config = Config(output_buffer=output, attributes=attributes)
    config.set_main_option("script_location", here)
    config.set_main_option("path_separator", "newline")
    return config


@contextmanager
def one_migration_at_a_time() -> Iterator[None]:
    """Keep other threads of this process from running Alembic inside the block."""
    with _one_at_a_time:
        yield


@contextmanager
def migrating(engine: Engine) -> Iterator[Connection]:
    """Give a connection, in a transaction, on which nobody else migrates the same database.

    On SQLite all of it happens or nothing. MySQL commits each statement that changes a
    table; what was done then is not done again.

    Raises:
        Conflict: somebody else is migrating it and did not finish in a minute.
    """
    lock = _sqlite_lock if engine.dialect.name == "sqlite" else _mysql_lock
    with one_migration_at_a_time(), engine.connect() as connection, lock(connection):
        yield connection


@contextmanager
def _sqlite_lock(connection: Connection) -> Iterator[None]:
    # A table is changed by copying and dropping it: with foreign keys on, the DROP would
    # delete what refers to its rows. SQLite heeds the switch outside a transaction only.
    _driver_execute(connection, "PRAGMA foreign_keys = OFF")
    try:
        connection.execution_options(**{BEGIN: "IMMEDIATE"})
        with connection.begin():
            yield
    finally:
        _driver_execute(connection, "PRAGMA foreign_keys = ON")


def _driver_execute(connection: Connection, statement: str) -> None:
    driver: Any = connection.connection.driver_connection
    driver.execute(statement)


@contextmanager
def _mysql_lock(connection: Connection) -> Iterator[None]:
    database = str(connection.engine.url.database)
    name = f"eyened_domain {hashlib.sha256(database.encode()).hexdigest()[:40]}"
    with connection.begin():
        taken = connection.execute(
            text("SELECT GET_LOCK(:name, :seconds)"), {"name": name, "seconds": LONGEST_WAIT_S}
        ).scalar()
        if not taken:
            raise Conflict(
                f"somebody else is migrating {database} and has not finished in "
                f"{LONGEST_WAIT_S} seconds; run it again"
            )
        # whatever the server's default is: what is made here must roll back
        connection.execute(text("SET SESSION default_storage_engine = InnoDB"))
        try:
            yield
        finally:
            connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": name})
