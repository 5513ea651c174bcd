"""A MariaDB server for tests: the one that runs on this machine, or one for the moment."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from attrs import frozen

from eyened_domain.testing.servers import MARIADB, DatabaseServer

HOST = "127.0.0.1"
USUAL_PORT = 3306
LONGEST_START_S = 60


class ServerMissing(Exception):
    """There is no server, and none can be started; the text says why."""


@frozen
class MariaDBServer(DatabaseServer):
    """A server on which the user root may do everything, without a password.

    Attributes:
        is_ours: whether it was started for the tests.
    """

    is_ours: bool

    @classmethod
    def on(cls, port: int, *, is_ours: bool) -> MariaDBServer:
        """Return the server on a port of this machine."""
        from sqlalchemy import URL  # noqa: PLC0415 - pytest loads this before it is needed

        address = URL.create("mysql+pymysql", username="root", host=HOST, port=port)
        return cls(MARIADB, address, is_ours)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.address.port or USUAL_PORT


@contextmanager
def running_server() -> Iterator[MariaDBServer]:
    """Give the server on 127.0.0.1:3306, or start one that ends with the block.

    Raises:
        ServerMissing: nothing answers there, and no server can be started.
    """
    if _answers(USUAL_PORT):
        yield MariaDBServer.on(USUAL_PORT, is_ours=False)
        return
    with throw_away_server() as server:
        yield server


@contextmanager
def throw_away_server() -> Iterator[MariaDBServer]:
    """Start a server with its data in a temporary folder; it ends with the block.

    Raises:
        ServerMissing: MariaDB is not installed, or does not start.
    """
    with (
        tempfile.TemporaryDirectory(prefix="eyened-mariadb-") as folder,
        # its data need not outlive it
        server_in(Path(folder), "--innodb-flush-log-at-trx-commit=2") as server,
    ):
        yield server


@contextmanager
def server_in(folder: Path, *options: str) -> Iterator[MariaDBServer]:
    """Start a server with its data in a folder, new or as it was left; it ends with the block.

    Args:
        folder: for the data and the log; what is there is recovered, as after a crash.
        options: of mariadbd, besides those that are needed.

    Raises:
        ServerMissing: MariaDB is not installed, or does not start.
    """
    daemon, log, data, port = _program("mariadbd"), folder / "log", folder / "data", _free_port()
    with log.open("ab") as file, tempfile.TemporaryDirectory() as sockets:
        if not data.exists():
            _install(data, file)
        process = subprocess.Popen(  # noqa: S603
            [
                daemon,
                "--no-defaults",
                f"--datadir={data}",
                f"--socket={sockets}/socket",
                f"--pid-file={sockets}/pid",
                f"--port={port}",
                f"--bind-address={HOST}",
                f"--user={_user()}",
                *options,
            ],
            stdout=file,
            stderr=file,
        )
        try:
            _wait_for(port, process, log)
            yield MariaDBServer.on(port, is_ours=True)
        finally:
            process.terminate()
            process.wait()


def _install(data: Path, log: IO[bytes]) -> None:
    subprocess.run(  # noqa: S603
        [
            _program("mariadb-install-db"),
            "--no-defaults",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            f"--user={_user()}",
        ],
        stdout=log,
        stderr=log,
        check=False,
    )


def _program(name: str) -> str:
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        raise ServerMissing(
            f"nothing answers on {HOST}:{USUAL_PORT}, and there is no {name} to start "
            "(apt install mariadb-server)"
        )
    return path


def _user() -> str:
    import getpass  # noqa: PLC0415

    return getpass.getuser()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + LONGEST_START_S
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > until:
            last = log.read_text(errors="replace").splitlines()[-3:]
            raise ServerMissing(f"mariadbd does not start: {' / '.join(last)}")
        time.sleep(0.05)


def _answers(port: int) -> bool:
    from pymysql.err import MySQLError  # noqa: PLC0415

    try:
        with _connected(port):
            return True
    except (MySQLError, OSError):
        return False


def _connected(port: int) -> Any:
    import pymysql  # noqa: PLC0415

    return pymysql.connect(host=HOST, port=port, user="root", password="", connect_timeout=2)
