"""All checks of the project, from nothing: `python3 check.py`.

Makes a virtual environment beside this file, installs the package with what its checks
need, and runs them in the order in which they fail fastest. With SQLAlchemy it tests both
ends of the range that the package allows. Where MariaDB is installed, tests run on a server of
their own with its data in memory. Where `../shared/servers/server.sh` is, it starts MariaDB 11.8
and MySQL 9.7 and runs a chosen part of the tests there beside the rest.

    python3 check.py              everything
    python3 check.py --fast       style, types, layers, and the tests without a database
    python3 check.py --servers    all tests that need a database, on MariaDB 11.8 and MySQL 9.7
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import venv
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
NEWEST = HERE / ".venv"
OLDEST = HERE / ".venv-oldest-sqlalchemy"
OLDEST_SQLALCHEMY = "SQLAlchemy==2.0.40"
PARALLEL = ["-n", "2"]
ON_BOTH = [
    "tests/contract",
    "--ignore=tests/contract/test_memory.py",  # which has no SQLAlchemy
    *(f"tests/integration/test_{what}.py" for what in ("mapping", "navigation", "round_trip")),
]
WITHIN = ["tests/unit", "tests/contract/test_memory.py"]
COVERED = ["eyened_domain.model", "eyened_domain.services"]
INSIDE = [
    *WITHIN,
    *(f"--cov={package}" for package in COVERED),
    *("--cov-branch", "--cov-report=term:skip-covered", "--cov-fail-under=95"),
]
SERVER_SCRIPT = HERE.parent / "shared" / "servers" / "server.sh"
LONGEST_STOP_S = 60
SERVERS = {"mariadb118": "mariadb", "mysql97": "mysql"}  # what server.sh calls them
ON_SERVERS = [
    "tests/contract",
    *(f"tests/integration/test_{what}.py" for what in ("pixels", "retries", "servers")),
]


def main() -> None:
    """Run the checks; leave with 1 at the first one that fails."""
    signal.signal(signal.SIGTERM, leave)  # what was started is stopped then as well
    with ExitStack() as ends:
        if "--servers" in sys.argv[1:]:
            on_servers(ends)
        elif "--fast" in sys.argv[1:]:
            without_databases()
        else:
            everything(ends)


def leave(number: int, _frame: FrameType | None) -> None:
    """End the program as an error does."""
    sys.exit(128 + number)


def without_databases() -> Path:
    """Run what needs no database; return the Python of the virtual environment."""
    python = environment(NEWEST)
    run("style", python, "-m", "ruff", "check", ".")
    run("format", python, "-m", "ruff", "format", "--check", ".")
    run("layers", NEWEST / "bin" / "lint-imports", "--no-cache")
    run("circles", NEWEST / "bin" / "lint-imports", "--no-cache", "tests/architecture/circles.ini")
    run("types", python, "-m", "mypy")
    pyright = (python, "-m", "pyright", "--pythonpath", python, "tests/typing")
    run("types as users see them, pyright", *pyright)
    run("size", python, "-m", "benchmarks.size_report")
    if "--fast" in sys.argv[1:]:
        run("tests", python, "-m", "pytest", "-q", "tests/unit", "tests/architecture")
    return python


def everything(ends: ExitStack) -> None:
    """Run all checks; the oldest SQLAlchemy meets the further servers, where they are.

    Each end of the range of SQLAlchemy and each server is tested, not each with each: that
    would be minutes more.
    """
    servers = FurtherServers(ends)
    python = without_databases()
    oldest = environment(OLDEST, OLDEST_SQLALCHEMY)
    use_own_mariadb(ends, python)
    beside = Beside(ends, "chosen tests on further servers", servers.tests(oldest, *ON_SERVERS))
    elsewhere = ["-k", "not mariadb"] if beside.is_running else []
    in_turn = (*PARALLEL, *elsewhere, *ON_BOTH)
    run(f"tests on {OLDEST_SQLALCHEMY}", oldest, "-m", "pytest", "-q", *in_turn)
    run("the code in README and docs", python, "-m", "pytest", "-q", "README.md", "docs")
    run("tests without a database, and what they cover", python, "-m", "pytest", *PARALLEL, *INSIDE)
    run("tests", python, "-m", "pytest", *PARALLEL, "tests", *(f"--ignore={one}" for one in WITHIN))
    beside.end()


def use_own_mariadb(ends: ExitStack, python: Path) -> None:
    """Start MariaDB for the tests that come, with its data in memory, and name it to them.

    Where it cannot be started they run on the server of this machine, if there is one: it makes
    the tables of a database in a second or more, and this one in a tenth.
    """
    command = [str(python), "-m", "eyened_domain.testing.mariadb"]
    server = subprocess.Popen(command, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    ends.callback(server.wait)
    ends.callback(server.communicate)  # which closes its input, and so ends it
    url = server.stdout.readline().decode().strip() if server.stdout else ""
    if url:
        os.environ["EYENED_TEST_SERVERS"] = f"mariadb={url}"


def on_servers(ends: ExitStack) -> None:
    """Run every test that needs a database on the further servers."""
    servers = FurtherServers(ends)
    python = environment(NEWEST)
    command = servers.tests(python, *PARALLEL, "tests/contract", "tests/integration")
    if not command:
        sys.exit("check.py: there are no further servers to run tests on")
    run("tests on further servers", *command)


class FurtherServers:
    """MariaDB 11.8 and MySQL 9.7, started at once and stopped with the stack.

    Where this machine cannot have them, that is said and there are none; where `CI` is set
    and the script is there, it is an error.
    """

    def __init__(self, ends: ExitStack) -> None:
        self._starting: dict[str, Starting] = {}
        why = None if SERVER_SCRIPT.exists() else f"there is no {SERVER_SCRIPT}"
        if why is None and os.geteuid() != 0:
            why = "they run in folders of their own, which only root can make"
        if why is not None:
            print(f"== no tests on MariaDB 11.8 and MySQL 9.7: {why}", flush=True)
            return
        home = home_of_servers(ends)
        ends.callback(self._stop)
        for name, kind in SERVERS.items():
            port, folder = free_port(), home / name
            stop(folder)  # of a run that was killed
            command = ["bash", str(SERVER_SCRIPT), kind, str(folder), str(port)]
            script = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            self._starting[name] = Starting(port, folder, command, script)

    def tests(self, python: Path, *arguments: str) -> list[str | Path]:
        """Wait for the servers; return the command for tests on them, empty without any."""
        for one in self._starting.values():
            one.script.wait()
        up = {name: one.port for name, one in self._starting.items() if one.is_up()}
        if len(up) < len(self._starting):
            missing = ", ".join(self._starting.keys() - up.keys())
            print(f"== no tests on {missing}: it does not start", flush=True)
            if os.environ.get("CI"):
                sys.exit(1)
        if not up:
            return []
        urls = [f"{name}=mysql+pymysql://t:p@127.0.0.1:{port}" for name, port in up.items()]
        chosen = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", " or ".join(up)]
        urls += filter(None, [os.environ.get("EYENED_TEST_SERVERS")])
        return ["env", f"EYENED_TEST_SERVERS={','.join(urls)}", python, *chosen, *arguments]

    def _stop(self) -> None:
        for one in self._starting.values():
            one.script.wait()  # otherwise it may start the server after we have looked
            stop(one.folder)


class Starting(NamedTuple):
    """A server that is being started, or was."""

    port: int
    folder: Path
    command: list[str]
    script: subprocess.Popen[bytes]

    def is_up(self) -> bool:
        """Whether it is up; it is started once more if it is not, with no other beside.

        The first time on a machine the scripts install packages, which one at a time may do.
        """
        if self.script.wait() == 0:
            return True
        return subprocess.run(self.command, check=False, stdout=subprocess.DEVNULL).returncode == 0


def stop(folder: Path) -> None:
    """End the server that runs in a folder, if one does."""
    try:
        pid = int((folder / "run" / "server" / "pid").read_text())
        if Path(f"/proc/{pid}/root").readlink() != folder:
            return  # the number is somebody else's by now
        os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError):
        return
    until = time.monotonic() + LONGEST_STOP_S
    while Path(f"/proc/{pid}/exe").exists() and time.monotonic() < until:
        time.sleep(0.1)


def home_of_servers(ends: ExitStack) -> Path:
    """Return a folder for the servers: the one of the last time, or if it is in use a new one."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = cache / "eyened-domain-servers"
    home.mkdir(parents=True, exist_ok=True)
    home = home.resolve()
    lock = ends.enter_context((home / "lock").open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        own = ends.enter_context(tempfile.TemporaryDirectory(prefix="eyened-servers-"))
        return Path(own).resolve()
    return home


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Beside:
    """A check that runs beside the others; it is stopped if one of them fails."""

    def __init__(self, ends: ExitStack, what: str, command: list[str | Path]) -> None:
        self._what = what
        self._told = ends.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
        self._process = None
        if command:
            parts = [str(part) for part in command]
            self._process = subprocess.Popen(parts, cwd=HERE, stdout=self._told, stderr=self._told)
            ends.callback(self._process.wait)
            ends.callback(self._process.terminate)

    @property
    def is_running(self) -> bool:
        """Whether there is anything to run beside the others."""
        return self._process is not None

    def end(self) -> None:
        """Wait for it; show what it said, and leave with 1 if it failed."""
        if self._process is None:
            return
        print(f"== {self._what}", flush=True)
        started = time.monotonic()
        failed = self._process.wait()
        print(f"   {time.monotonic() - started:.0f} s more than the rest", flush=True)
        self._told.seek(0)
        print(self._told.read().decode(errors="replace")[-20_000:], flush=True)
        if failed:
            print(f"check.py: {self._what} failed", flush=True)
            sys.exit(1)


def environment(folder: Path, *pinned: str) -> Path:
    """Return the Python of a virtual environment with the package and its checks."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    run(
        "install",
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--editable",
        ".[dev]",
        *pinned,
    )
    return python


def run(what: str, *command: str | Path) -> None:
    """Run one check in the project's folder; say how long it took."""
    print(f"== {what}", flush=True)
    started = time.monotonic()
    done = subprocess.run([str(part) for part in command], cwd=HERE, check=False)
    print(f"   {time.monotonic() - started:.0f} s", flush=True)
    if done.returncode:
        print(f"check.py: {what} failed", flush=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
