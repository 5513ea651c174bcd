"""Engines on databases for tests, in whatever state they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Engine


def engine_on(url: str) -> Engine:
    """Return an engine on a database in whatever state it is, as a `Database` would have it."""
    from sqlalchemy import make_url  # noqa: PLC0415

    from eyened_domain.adapters.sql.engine import mysql_engine, sqlite_engine  # noqa: PLC0415

    parsed = make_url(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    return sqlite_engine(parsed) if is_sqlite else mysql_engine(parsed)


def initialise(url: str) -> None:
    """Make the tables of an empty database, at the newest revision."""
    from eyened_domain.adapters.sql.migrations.upgrade import initialise  # noqa: PLC0415

    engine = engine_on(url)
    try:
        initialise(engine)
    finally:
        engine.dispose()
