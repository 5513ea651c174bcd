"""Databases for tests: real ones, made for the test run and gone after it.

Fixtures, for a `conftest.py` to import (`from eyened_domain.testing.databases import ...`):

- `sqlite_url`, `empty_sqlite_url`: an SQLite database at the newest revision, or none yet;
- `server_url`, `empty_server_url`: a database on a server, at the newest revision or without
  tables; a test that asks for one runs on every server;
- `database_url`, `empty_database_url`: on SQLite and on every server;
- `database`: an open `Database` on each of those, with its stores in a folder of the test;
- `database_server`: every server itself;
- `mariadb_url`, `empty_mariadb_url`, `mariadb_server`: on MariaDB alone.

Which servers there are says `eyened_domain.testing.servers`: MariaDB, and what
`EYENED_TEST_SERVERS` names. Without MariaDB a test is skipped, or fails where `CI` is set.
Every database is named ``test_`` and something random, so that runs and the workers of
pytest-xdist do not meet.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from eyened_domain.errors import RuleBroken
from eyened_domain.testing.servers import (
    MARIADB,
    TEST_PREFIX,
    DatabaseServer,
    ServersOfRun,
    engine_on,
    further_servers,
    new_name,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Executable, Table
    from typing_extensions import TypeIs

    from eyened_domain.adapters.sql.database import Database

SERVERS = (MARIADB, *further_servers())
"""The names of all servers that tests run on."""


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

    from eyened_domain.adapters.sql.tables.bookkeeping import import_item  # noqa: PLC0415

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
def servers_of_run() -> Iterator[ServersOfRun]:
    """The servers of the test run."""
    with ServersOfRun() as servers:
        yield servers


@contextmanager
def _or_without() -> Iterator[None]:
    from eyened_domain.testing.mariadb import ServerMissing  # noqa: PLC0415

    try:
        yield
    except ServerMissing as missing:
        do_without_mariadb(str(missing))


def do_without_mariadb(why: str) -> NoReturn:
    """Skip the test, saying why; fail it where `CI` is set: there it must not pass unseen."""
    if os.environ.get("CI", "").lower() in {"true", "1", "yes"}:
        pytest.fail(f"MariaDB must be there in CI: {why}", pytrace=False)
    pytest.skip(f"no MariaDB: {why}")


@contextmanager
def _database_at_head(servers: ServersOfRun, name: str) -> Iterator[str]:
    """Give a server's database at the newest revision: the same for all tests, emptied after."""
    with _or_without():
        url, engine = servers.at_head(name)
    yield url
    empty_tables(engine)


# without further servers, as in other people's runs, a test's id names none
@pytest.fixture(params=SERVERS if len(SERVERS) > 1 else None)
def database_server(request: pytest.FixtureRequest, servers_of_run: ServersOfRun) -> DatabaseServer:
    """A server; a test that asks for it runs on every one."""
    with _or_without():
        return servers_of_run.named(getattr(request, "param", MARIADB))


@pytest.fixture
def server_url(database_server: DatabaseServer, servers_of_run: ServersOfRun) -> Iterator[str]:
    """The URL of a server's database at the newest revision, without a row.

    All tests of a run get the same, emptied: do not change its tables.
    """
    with _database_at_head(servers_of_run, database_server.name) as url:
        yield url


@pytest.fixture
def empty_server_url(database_server: DatabaseServer) -> Iterator[str]:
    """The URL of a new database without tables on a server."""
    with database_server.database(new_name()) as url:
        yield url


@pytest.fixture
def mariadb_server(servers_of_run: ServersOfRun) -> DatabaseServer:
    """The MariaDB server of the test run."""
    with _or_without():
        return servers_of_run.named(MARIADB)


@pytest.fixture
def mariadb_url(servers_of_run: ServersOfRun) -> Iterator[str]:
    """As `server_url`, on MariaDB alone."""
    with _database_at_head(servers_of_run, MARIADB) as url:
        yield url


@pytest.fixture
def empty_mariadb_url(mariadb_server: DatabaseServer) -> Iterator[str]:
    """As `empty_server_url`, on MariaDB alone."""
    with mariadb_server.database(new_name()) as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_at_head(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file at the newest revision, to be copied."""
    file = tmp_path_factory.mktemp("sqlite") / "test_head.db"
    _initialise(f"sqlite:///{file}")
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


@pytest.fixture(params=("sqlite", *SERVERS))
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database at the newest revision, without a row: SQLite, then each server."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    with _database_at_head(request.getfixturevalue("servers_of_run"), request.param) as url:
        yield url


@pytest.fixture(params=("sqlite", *SERVERS))
def empty_database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database without tables: SQLite, then each server."""
    if request.param == "sqlite":
        yield request.getfixturevalue("empty_sqlite_url")
        return
    with _or_without():
        server = request.getfixturevalue("servers_of_run").named(request.param)
    with server.database(new_name()) as url:
        yield url


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    """An open `Database`, on SQLite and then on MariaDB, with its stores in `tmp_path`."""
    from eyened_domain.adapters.sql.database import Database  # noqa: PLC0415

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


def _initialise(url: str) -> None:
    from eyened_domain.adapters.sql.migrations.upgrade import initialise  # noqa: PLC0415

    engine = engine_on(url)
    try:
        initialise(engine)
    finally:
        engine.dispose()
