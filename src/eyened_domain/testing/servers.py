"""The database servers that tests run on, each by its name.

``mariadb`` is always one of them: the server on 127.0.0.1:3306 (user root, no password) if it
answers, otherwise one that is started for the run. `EYENED_TEST_SERVERS` adds others::

    EYENED_TEST_SERVERS="mariadb118=mysql+pymysql://root@127.0.0.1:3318,mysql97=mysql+pymysql://t:p@127.0.0.1:3397"

The name stands in the id of each test that runs on the server (without one it is
``host:port``), so that ``pytest -k mysql97`` picks those. The account must be one that may
make and drop databases; it is used for databases called ``test_…`` and for nothing else.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from attrs import field, frozen

from eyened_domain.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

TEST_PREFIX = "test_"
VARIABLE = "EYENED_TEST_SERVERS"
MARIADB = "mariadb"


@frozen
class DatabaseServer:
    """A server with an account that may make databases.

    Attributes:
        name: what it is called in the ids of tests.
        address: its URL, without a database.
    """

    name: str
    address: URL = field(repr=False)  # may hold a password

    def url(self, database: str) -> str:
        """Return the URL of one of its databases."""
        url = self.address.set(database=database)
        return url.render_as_string(hide_password=False)

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """Make a database, give its URL, and drop it afterwards."""
        self.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        try:
            yield self.url(name)
        finally:
            self.execute("SET foreign_key_checks = 0", f"DROP DATABASE IF EXISTS `{name}`")

    def execute(self, *statements: str) -> None:
        """Run statements, outside any database."""
        engine = engine_on(self.url(""))
        try:
            with engine.begin() as connection:
                for statement in statements:
                    connection.exec_driver_sql(statement)
        finally:
            engine.dispose()


def further_servers(environ: Mapping[str, str] | None = None) -> dict[str, DatabaseServer]:
    """Return the servers that `EYENED_TEST_SERVERS` names.

    Raises:
        ConfigurationError: it is no list of ``url`` or ``name=url``, or a name is there twice.
    """
    said = (os.environ if environ is None else environ).get(VARIABLE, "")
    found: dict[str, DatabaseServer] = {}
    for one in filter(None, re.split(r"[,\s]+", said)):
        server = _server(one)
        if server.name in {*found, "sqlite", "memory", MARIADB}:
            raise ConfigurationError(f"{VARIABLE} has two servers called {server.name!r}")
        found[server.name] = server
    return found


def _server(one: str) -> DatabaseServer:
    from sqlalchemy import make_url  # noqa: PLC0415 - pytest loads this before it is needed
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    named = re.fullmatch(r"(?:([\w.:-]+)=)?(\w+(?:\+\w+)?://.*)", one)
    try:
        url = make_url(named.group(2)) if named else None
    except (ArgumentError, ValueError):
        url = None
    if named is None or url is None or url.get_backend_name() not in {"mysql", "mariadb"}:
        raise ConfigurationError(
            f"{VARIABLE} is a list of name=URL, with commas between, for example "
            "mysql97=mysql+pymysql://user:password@127.0.0.1:3397"
        )
    return DatabaseServer(named.group(1) or f"{url.host}:{url.port or 3306}", url)


class ServersOfRun:
    """The servers of a test run: each is looked for, and given a database, when it is needed.

    To be used in a `with` block, after which the databases are gone.
    """

    def __init__(self) -> None:
        self._ends = ExitStack()
        self._further = further_servers()
        self._mariadb: DatabaseServer | None = None
        self._at_head: dict[str, tuple[str, Engine]] = {}

    def __enter__(self) -> ServersOfRun:
        return self

    def __exit__(self, *error: object) -> None:
        self._ends.close()

    def named(self, name: str) -> DatabaseServer:
        """Return a server by its name.

        Raises:
            ServerMissing: it is ``mariadb``, nothing answers, and none can be started.
        """
        if name in self._further:
            return self._further[name]
        if self._mariadb is None:
            from eyened_domain.testing.mariadb import running_server  # noqa: PLC0415

            self._mariadb = self._ends.enter_context(running_server())
        return self._mariadb

    @contextmanager
    def empty_database(self, name: str) -> Iterator[str]:
        """Give the URL of a new database without tables on the server of that name."""
        with self.named(name).database(new_name()) as url:
            yield url

    def at_head(self, name: str) -> tuple[str, Engine]:
        """Return the URL of the run's one database at the newest revision, and an engine on it."""
        if name not in self._at_head:
            from eyened_domain.adapters.sql.migrations.upgrade import (  # noqa: PLC0415
                initialise,
            )

            url = self._ends.enter_context(self.empty_database(name))
            engine = engine_on(url)
            self._ends.callback(engine.dispose)
            initialise(engine)
            self._at_head[name] = url, engine
        return self._at_head[name]


def new_name() -> str:
    """Return a name for a database of a test: two runs never have the same."""
    return f"{TEST_PREFIX}{secrets.token_hex(6)}"


def engine_on(url: str) -> Engine:
    """Return an engine on a database in whatever state it is, as a `Database` would have it."""
    from sqlalchemy import make_url  # noqa: PLC0415

    from eyened_domain.adapters.sql.engine import mysql_engine, sqlite_engine  # noqa: PLC0415

    parsed = make_url(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    return sqlite_engine(parsed) if is_sqlite else mysql_engine(parsed)
