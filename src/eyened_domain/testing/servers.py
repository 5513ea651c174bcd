"""The database servers that tests run on: MariaDB on this machine, and those that are named.

`EYENED_TEST_SERVERS` names further servers, separated by commas:

    EYENED_TEST_SERVERS=mariadb118=mysql+pymysql://root@127.0.0.1:3318,mysql97=mysql+pymysql://…

Every test of a database then runs on them as well; the name stands in the id of the test. The
name ``mariadb`` stands for the server that tests run on anyway, and says where that is.
"""

from __future__ import annotations

import os
import re
import secrets
from contextlib import ExitStack
from typing import TYPE_CHECKING

from eyened_domain.errors import ConfigurationError
from eyened_domain.testing.engines import engine_on, initialise
from eyened_domain.testing.mariadb import MariaDBServer, running_server

if TYPE_CHECKING:
    from sqlalchemy import Engine

VARIABLE = "EYENED_TEST_SERVERS"
HERE = "mariadb"
"""The server that `EYENED_TEST_SERVERS` gives that name, the one on 127.0.0.1:3306, or one that
is started for the run."""
TEST_PREFIX = "test_"


def named_servers() -> dict[str, str]:
    """Return the URLs of the servers that the environment names, by name.

    Raises:
        ConfigurationError: the variable is not of the form ``name=URL,name=URL``.
    """
    found: dict[str, str] = {}
    for part in filter(None, re.split(r"[,\s]+", os.environ.get(VARIABLE, ""))):
        name, separator, url = part.partition("=")
        if not separator or "://" not in url or not name.isidentifier():
            raise ConfigurationError(
                f"{VARIABLE} lists servers as name=URL, separated by commas; {name!r} is not one"
            )
        found[name] = url.rstrip("/")
    return found


def server_names() -> list[str]:
    """Return the names of all servers that tests run on."""
    return list(dict.fromkeys([HERE, *named_servers()]))


def new_name() -> str:
    """Return a name for a database of a test."""
    return f"{TEST_PREFIX}{secrets.token_hex(6)}"


class Servers:
    """The servers of a test run, each with one database at the newest revision."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._servers: dict[str, MariaDBServer] = {}
        self._at_head: dict[str, str] = {}
        self._engines: dict[str, Engine] = {}

    def server(self, name: str) -> MariaDBServer:
        """Return a server.

        Raises:
            ServerMissing: it is not there, and cannot be started.
        """
        if name not in self._servers:
            elsewhere = named_servers()
            self._servers[name] = (
                MariaDBServer.at(elsewhere[name])
                if name in elsewhere
                else self._stack.enter_context(running_server())
            )
        return self._servers[name]

    def at_head(self, server: MariaDBServer) -> str:
        """Return the URL of the run's one database at the newest revision on a server."""
        key = server.url("")
        if key not in self._at_head:
            url = self._stack.enter_context(server.database(new_name()))
            initialise(url)
            self._at_head[key] = url
        return self._at_head[key]

    def emptying_engine(self, url: str) -> Engine:
        """Return the engine that all tests of a run empty their database with."""
        if url not in self._engines:
            self._engines[url] = engine_on(url)
            self._stack.callback(self._engines[url].dispose)
        return self._engines[url]

    def close(self) -> None:
        """Drop the databases, and stop what was started."""
        self._stack.close()
