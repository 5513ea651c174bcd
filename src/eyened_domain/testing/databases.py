"""Databases for tests: real ones, made for the test run and gone after it.

Fixtures, for a `conftest.py` to import:

- `sqlite_url`, `mariadb_url`: an empty database at the newest revision;
- `empty_sqlite_url`, `empty_mariadb_url`: one without any tables;
- `database_url`, `empty_database_url`: a test that asks for these runs on both;
- `database`: an open `Database` on each, with its stores in a folder of the test;
- `servers`, `mariadb_server`: the servers themselves.

MariaDB is the server on 127.0.0.1:3306 (user root, no password) if it answers, otherwise
one that is started for the run, otherwise the test is skipped, or fails where `CI` is set.
Further servers are those of `EYENED_TEST_SERVERS` (`eyened_domain.testing.servers`): whatever
runs on MariaDB runs on each of them too, and names it in its id.
Every database is named ``test_`` and something random, so that runs and the workers of
pytest-xdist do not meet.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from eyened_domain.errors import RuleBroken
from eyened_domain.testing.engines import initialise
from eyened_domain.testing.servers import TEST_PREFIX, Servers, new_name, server_names

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Executable, Table
    from typing_extensions import TypeIs

    from eyened_domain.adapters.database import Database
    from eyened_domain.testing.mariadb import MariaDBServer

_KINDS = ("sqlite", *server_names())


def empty_tables(database: Database | Engine) -> None:
    """Delete all rows of all of Eyened's tables.

    Raises:
        RuleBroken: the name of the database does not start with ``test_``; nothing is
            deleted, and it is not connected to.
    """
    name = _name_of(database)
    if not name.startswith(TEST_PREFIX):
        raise RuleBroken(
            f"the tables of the database {name!r} are not emptied: its name does not start "
            f"with {TEST_PREFIX!r}, so it may be somebody's",
            entity="Database",
            value=name,
        )
    engine = database if _is_engine(database) else database.engine
    with engine.begin() as connection:
        _delete_rows(connection)


def _is_engine(database: Database | Engine) -> TypeIs[Engine]:
    from sqlalchemy import Engine  # noqa: PLC0415

    return isinstance(database, Engine)


def _name_of(database: Database | Engine) -> str:
    from eyened_domain.adapters.sql.engine import url_of  # noqa: PLC0415

    url = database.url if _is_engine(database) else url_of(database.settings)
    name = url.database or ""
    return Path(name).name if url.get_backend_name() == "sqlite" else name


@cache
def _tables_and_which_are_filled() -> tuple[list[Table], Executable]:
    """Return all tables, and the statement that gives the names of those with rows."""
    from sqlalchemy import exists, literal, select, union_all  # noqa: PLC0415

    from eyened_domain.adapters.sql.schema.bookkeeping import import_item  # noqa: PLC0415

    tables = list(reversed(import_item.metadata.sorted_tables))
    asked = [
        select(literal(table.name)).where(exists(select(literal(1)).select_from(table)))
        for table in tables
    ]
    return tables, union_all(*asked)


def _delete_rows(connection: Connection) -> None:
    tables, asked = _tables_and_which_are_filled()
    filled = set(connection.scalars(asked))
    is_mysql = connection.dialect.name != "sqlite"
    if is_mysql:  # rows that refer to rows of their own table can be deleted in no order
        connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")
    try:
        for table in tables:
            if table.name in filled:
                connection.execute(table.delete())
    finally:
        if is_mysql:
            connection.exec_driver_sql("SET SESSION foreign_key_checks = 1")


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """The database servers of the test run."""
    found = Servers()
    yield found
    found.close()


@pytest.fixture(scope="session", params=server_names())
def mariadb_server(request: pytest.FixtureRequest, servers: Servers) -> MariaDBServer:
    """A MariaDB or MySQL server for the test run; a test that asks for it runs on each."""
    return _server(servers, request.param)


def _server(servers: Servers, name: str) -> MariaDBServer:
    from eyened_domain.testing.mariadb import ServerMissing  # noqa: PLC0415

    try:
        return servers.server(name)
    except ServerMissing as missing:
        do_without_mariadb(str(missing))


def do_without_mariadb(why: str) -> NoReturn:
    """Skip the test, saying why; fail it where `CI` is set: there it must not pass unseen."""
    if os.environ.get("CI", "").lower() in {"true", "1", "yes"}:
        pytest.fail(f"MariaDB must be there in CI: {why}", pytrace=False)
    pytest.skip(f"no MariaDB: {why}")


@pytest.fixture
def mariadb_url(mariadb_server: MariaDBServer, servers: Servers) -> Iterator[str]:
    """The URL of a MariaDB database at the newest revision, without a row.

    All tests of a run get the same, emptied: do not change its tables.
    """
    url = servers.at_head(mariadb_server)
    yield url
    empty_tables(servers.emptying_engine(url))


@pytest.fixture
def empty_mariadb_url(mariadb_server: MariaDBServer) -> Iterator[str]:
    """The URL of a new MariaDB database without tables."""
    with mariadb_server.database(new_name()) as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_at_head(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file at the newest revision, to be copied."""
    file = tmp_path_factory.mktemp("sqlite") / "test_head.db"
    initialise(f"sqlite:///{file}")
    return file


@pytest.fixture
def sqlite_url(sqlite_at_head: Path, tmp_path: Path) -> str:
    """The URL of an SQLite file at the newest revision, without a row."""
    file = tmp_path / f"{new_name()}.db"
    shutil.copyfile(sqlite_at_head, file)
    return f"sqlite:///{file}"


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """The URL of an SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / new_name()}.db"


@pytest.fixture(params=_KINDS)
def database_url(request: pytest.FixtureRequest, servers: Servers) -> Iterator[str]:
    """The URL of a database at the newest revision, without a row: SQLite, then each server."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    url = servers.at_head(_server(servers, request.param))
    yield url
    empty_tables(servers.emptying_engine(url))


@pytest.fixture(params=_KINDS)
def empty_database_url(request: pytest.FixtureRequest, servers: Servers) -> Iterator[str]:
    """The URL of a database without tables: SQLite, then each server."""
    if request.param == "sqlite":
        yield request.getfixturevalue("empty_sqlite_url")
        return
    with _server(servers, request.param).database(new_name()) as url:
        yield url


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    """An open `Database`, on SQLite and then on MariaDB, with its stores in `tmp_path`."""
    from eyened_domain.adapters.database import Database  # noqa: PLC0415

    opened = Database(settings_on(database_url, tmp_path))
    try:
        yield opened
    finally:
        opened.close()


def settings_on(url: str, folder: Path) -> dict[str, str]:
    """Return settings for a database by its URL, with all stores below a folder."""
    return {
        "database_url": url,
        "secret_key": "not-a-secret-in-tests",
        "images_basepath": str(folder / "images"),
        "segmentations_zarr_store": str(folder / "segmentations.zarr"),
        "thumbnails_path": str(folder / "thumbnails"),
        "annotations_path": str(folder / "annotations"),
    }
