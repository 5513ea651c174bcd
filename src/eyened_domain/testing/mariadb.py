"""A MySQL or MariaDB server for tests: one that runs already, or MariaDB for the moment.

    python -m eyened_domain.testing.mariadb

starts one, prints its URL, and stops it when its standard input ends.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from attrs import field, frozen

HOST = "127.0.0.1"
USUAL_PORT = 3306
LONGEST_START_S = 60
IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
NEEDED_BYTES = 2 * 1024**3


class ServerMissing(Exception):
    """There is no server, and none can be started; the text says why."""


@frozen
class MariaDBServer:
    """A server on which a user may do everything: by default root, without a password."""

    port: int
    is_ours: bool
    """Whether it was started for the tests."""
    host: str = HOST
    user: str = "root"
    password: str = field(default="", repr=False)

    @classmethod
    def at(cls, url: str) -> MariaDBServer:
        """Return the server that runs at a URL."""
        from sqlalchemy import make_url  # noqa: PLC0415 - loaded when it is needed

        parts = make_url(url)
        return cls(
            parts.port or USUAL_PORT,
            is_ours=False,
            host=parts.host or HOST,
            user=parts.username or "root",
            password=str(parts.password or ""),
        )

    def url(self, database: str) -> str:
        """Return the URL of one of its databases."""
        secret = f":{quote(self.password, safe='')}" if self.password else ""
        return f"mysql+pymysql://{self.user}{secret}@{self.host}:{self.port}/{database}"

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """Make a database, give its URL, and drop it afterwards."""
        self.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        try:
            yield self.url(name)
        finally:
            self.execute("SET foreign_key_checks = 0", f"DROP DATABASE IF EXISTS `{name}`")

    def execute(self, *statements: str) -> None:
        """Run statements as root, outside any database."""
        with self._connected() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def _connected(self) -> Any:
        return _connected(self.port, self.host, self.user, self.password)


@contextmanager
def running_server() -> Iterator[MariaDBServer]:
    """Give the server on 127.0.0.1:3306, or start one that ends with the block.

    Raises:
        ServerMissing: nothing answers there, and no server can be started.
    """
    if _answers(USUAL_PORT):
        yield MariaDBServer(USUAL_PORT, is_ours=False)
        return
    with throw_away_server() as server:
        yield server


@contextmanager
def throw_away_server() -> Iterator[MariaDBServer]:
    """Start a server with its data in a temporary folder; it ends with the block.

    The folder is in memory, where there is room: a database with all tables is made there in a
    tenth of a second, and on a disk in one to six.

    Raises:
        ServerMissing: MariaDB is not installed, or does not start.
    """
    with (
        tempfile.TemporaryDirectory(prefix="eyened-mariadb-", dir=_folder_in_memory()) as folder,
        # its data need not outlive it
        server_in(Path(folder), "--innodb-flush-log-at-trx-commit=2") as server,
    ):
        yield server


def _folder_in_memory() -> Path | None:
    """Return a folder whose files are held in memory; None where there is none with room."""
    try:
        free = shutil.disk_usage(IN_MEMORY).free
    except OSError:
        return None
    return IN_MEMORY if free > NEEDED_BYTES and os.access(IN_MEMORY, os.W_OK) else None


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
        # A server that starts deletes the tables in the temporary folder, also another server's.
        environment = os.environ | {"TMPDIR": sockets}
        if not data.exists():
            _install(data, file, environment)
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
            env=environment,
        )
        try:
            _wait_for(port, process, log)
            yield MariaDBServer(port, is_ours=True)
        finally:
            process.terminate()
            process.wait()


def _install(data: Path, log: IO[bytes], environment: dict[str, str]) -> None:
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
        env=environment,
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


def _connected(port: int, host: str = HOST, user: str = "root", password: str = "") -> Any:
    import pymysql  # noqa: PLC0415

    return pymysql.connect(host=host, port=port, user=user, password=password, connect_timeout=5)


def main() -> None:
    """Start a server, print its URL, and stop it when the standard input ends."""
    try:
        with throw_away_server() as server:
            sys.stdout.write(f"{server.url('')}\n")
            sys.stdout.flush()
            sys.stdin.read()
    except ServerMissing as missing:
        sys.exit(str(missing))


if __name__ == "__main__":
    main()
