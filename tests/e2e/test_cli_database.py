"""`eorm` as people and their scripts run it: `init`, `upgrade`, `adopt`, `status`."""

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, make_url, text

from eyened_domain import Database, Project, Settings
from eyened_domain.adapters.cli import COMMANDS
from eyened_domain.adapters.sql.migrations.contract import contract
from eyened_domain.adapters.sql.migrations.revisions import HEAD, VERSION_TABLE
from eyened_domain.testing.engines import engine_on
from eyened_domain.testing.mariadb import MariaDBServer
from tests.e2e.forked import run_eorm

Run = subprocess.CompletedProcess[str]


class Shell:
    """Runs `eorm` in a folder, with an environment of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.environment = kept | {"PYTHONIOENCODING": "utf-8"}

    def use(self, url: str) -> None:
        """Set DATABASE_URL, and what a server asks for."""
        self.environment |= {"DATABASE_URL": url, "SECRET_KEY": "not-a-secret"}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "eyened_domain.adapters.cli", *arguments]

    def eorm(self, *arguments: str) -> Run:
        return run_eorm(*arguments, cwd=self.folder, env=self.environment)

    def on_a_terminal(self, *arguments: str) -> str:
        """What a command shows on a terminal."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment | {"TERM": "xterm", "COLUMNS": "100"},
            stdout=theirs,
            stderr=theirs,
            stdin=theirs,
        )
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:
                break
            if not part:
                break
            shown += part
        os.close(ours)
        assert process.wait() == 0, shown
        return shown.decode()


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def assert_refused(run: Run, *says: str) -> None:
    """It failed with one clear line on stderr, and nothing on stdout."""
    assert run.returncode != 0
    assert run.stdout == ""
    assert run.stderr.startswith("eorm: ")
    assert run.stderr.count("\n") == 1
    assert "Traceback" not in run.stderr
    for one in says:
        assert one in run.stderr


def test_init_status_and_upgrade_on_a_machine_where_nothing_is_set(shell: Shell) -> None:
    made = shell.eorm("init")
    assert (made.returncode, made.stderr) == (0, "")
    assert f"is at revision {HEAD} now." in made.stdout
    assert (shell.folder / "eyened-data" / "eyened.db").exists()
    assert (shell.folder / "eyened-data" / "secret_key").exists()
    for again in ("init", "upgrade"):
        run = shell.eorm(again)
        assert (run.returncode, run.stderr) == (0, "")
        assert f"is at revision {HEAD} already." in run.stdout


def test_init_and_status_on_a_server(shell: Shell, empty_database_url: str) -> None:
    shell.use(empty_database_url)
    if empty_database_url.startswith("mysql"):
        before = json.loads(shell.eorm("status", "--json").stdout)
        assert (before["state"], before["revision"], before["counts"]) == ("empty", None, {})
    made = json.loads(shell.eorm("init", "--json").stdout)
    assert (made["before"], made["revision"]) == (None, HEAD)
    after = json.loads(shell.eorm("status", "--json").stdout)
    assert (after["state"], after["revision"], after["head"]) == ("at head", HEAD, HEAD)
    assert len(after["counts"]) == 40 + 6  # the contract's, and six of ours


def test_status_counts_what_is_there_in_plain_columns_when_piped(shell: Shell) -> None:
    shell.eorm("init")
    database = Database(f"sqlite:///{shell.folder}/eyened-data/eyened.db")
    with database.get_session() as session:
        session.add_all([Project(project_name=str(n), external="N") for n in range(12)])
        session.commit()
    database.close()
    run = shell.eorm("status")
    assert run.returncode == 0
    assert run.stdout.isascii()
    assert "\x1b" not in run.stdout
    lines = run.stdout.splitlines()
    assert f"revision  {HEAD}" in lines
    assert [line.split() for line in lines if line.startswith("Project")] == [["Project", "12"]]
    table = lines[lines.index("") + 1 :]
    assert len({len(line) for line in table}) == 1  # numbers stand below one another


def test_status_draws_a_table_on_a_terminal(shell: Shell) -> None:
    shell.eorm("init")
    shown = shell.on_a_terminal("status")
    assert "│ Project" in shown


def test_status_of_a_file_that_is_not_there_makes_nothing(shell: Shell) -> None:
    assert_refused(shell.eorm("status"), "eorm init")
    assert list(shell.folder.iterdir()) == []


def test_an_env_file_says_which_database(shell: Shell, empty_database_url: str) -> None:
    file = shell.folder / "my.env"
    file.write_text(f"DATABASE_URL={empty_database_url}\nSECRET_KEY=x\n")
    assert shell.eorm("init", "-e", "my.env").returncode == 0
    status = json.loads(shell.eorm("status", "--env", "my.env", "--json").stdout)
    assert status["state"] == "at head"
    assert_refused(shell.eorm("status", "-e", "other.env"), "other.env")


def test_upgrade_brings_a_database_that_is_behind_to_head(
    shell: Shell, empty_database_url: str
) -> None:
    engine = engine_on(empty_database_url)
    contract.create_all(engine)
    shell.use(empty_database_url)
    assert_refused(shell.eorm("upgrade"), "eorm adopt")
    assert shell.eorm("adopt").returncode == 0
    shown = shell.eorm("upgrade", "--sql")
    assert shown.returncode == 0
    assert "ImportBatch" in shown.stdout
    assert json.loads(shell.eorm("status", "--json").stdout)["state"] == "behind"
    done = json.loads(shell.eorm("upgrade", "--json").stdout)
    assert (done["before"], done["revision"]) == ("0001", HEAD)
    assert shell.eorm("upgrade", "--sql").stdout == "-- nothing to do\n"
    assert_refused(shell.eorm("upgrade", "--revision", "77"), "'77'")
    engine.dispose()


def test_the_sql_of_an_empty_database_is_all_of_it(shell: Shell, empty_mariadb_url: str) -> None:
    shell.use(empty_mariadb_url)
    run = shell.eorm("upgrade", "--sql")
    assert run.returncode == 0
    assert run.stdout.count("CREATE TABLE") == 40 + 16 + 1  # the contract, ours, the version
    assert json.loads(shell.eorm("status", "--json").stdout)["state"] == "empty"


@pytest.mark.parametrize(
    "command",
    [
        ["status"],
        ["doctor"],
        ["zarr-tree"],
        ["defragment-zarr", "--new-store-path", "new"],
        ["convert-annotations"],
        ["update-thumbnails"],
        ["update-hashes", "--workers", "2"],
    ],
    ids=lambda command: command[0],
)
def test_where_no_database_is_none_is_made_and_nothing_said_to_be_in_order(
    shell: Shell, command: list[str]
) -> None:
    run = shell.eorm(*command)
    assert run.returncode != 0
    assert "eorm init" in run.stderr
    assert list(shell.folder.iterdir()) == []


def test_adopt_lists_what_differs_fails_and_changes_nothing(
    shell: Shell, empty_mariadb_url: str
) -> None:
    engine = engine_on(empty_mariadb_url)
    contract.create_all(engine)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE Patient DROP COLUMN Sex"))
        connection.execute(text("ALTER TABLE Study MODIFY StudyDate DATE NULL"))
    shell.use(empty_mariadb_url)
    run = shell.eorm("adopt")
    assert run.returncode == 1
    assert "blocking  Patient  Sex        is missing" in run.stdout
    assert "note      Study    StudyDate  accepts NULL" in run.stdout
    assert run.stderr.startswith("eorm: ")
    assert "nothing was changed" in run.stderr
    told = json.loads(shell.eorm("adopt", "--json").stdout)
    assert {d["severity"] for d in told["differences"]} == {"blocking", "note"}
    assert told["revision"] is None
    with engine.connect() as connection:
        assert VERSION_TABLE not in connection.scalars(text("SHOW TABLES")).all()
    engine.dispose()


def test_a_server_that_does_not_answer_is_one_line(shell: Shell) -> None:
    shell.use("mysql+pymysql://root:geheim@127.0.0.1:1/nothing")
    run = shell.eorm("status")
    assert_refused(run, "cannot be reached")
    assert "geheim" not in run.stderr


def test_a_half_configured_server_is_one_line(shell: Shell) -> None:
    shell.environment["DATABASE_HOST"] = "db"
    assert_refused(shell.eorm("init"), "DATABASE_USER", "DATABASE_PASSWORD", "SECRET_KEY")


@pytest.mark.parametrize("arguments", [["nothing"], ["init", "--nothing"], ["init", "more"]])
def test_a_mistyped_command_is_one_line_and_exit_code_2(shell: Shell, arguments: list[str]) -> None:
    run = shell.eorm(*arguments)
    assert_refused(run, "--help")
    assert run.returncode == 2


def test_debug_shows_where_an_error_came_from(shell: Shell) -> None:
    run = shell.eorm("status", "--debug")
    assert run.returncode != 0
    assert "Traceback" in run.stderr


def test_a_reader_that_goes_away_is_no_traceback(shell: Shell) -> None:
    shell.eorm("init")
    process = subprocess.Popen(
        shell.command("status"),
        cwd=shell.folder,
        env=shell.environment | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() != 0


@pytest.mark.parametrize("name", ["init", "upgrade", "adopt", "status"])
def test_the_help_of_a_command_has_examples(shell: Shell, name: str) -> None:
    shown = shell.eorm(name, "--help").stdout
    assert f"Usage: eorm {name}" in shown
    assert f"  eorm {name}" in shown.partition("Examples:")[2]
    assert "\\b" not in shown
    assert "--json" in shown
    assert "--env" in shown


def test_the_list_of_commands_is_shown_within_200_milliseconds(shell: Shell) -> None:
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        run = shell.eorm("--help")
        taken.append(time.perf_counter() - start)
    assert all(name in run.stdout for name in COMMANDS)
    assert min(taken) < 0.2


# --- passwords ------------------------------------------------------------------------------

PASSWORD = "p@ss:w/o#r%d%40 é'\"\\?&=+"


@pytest.fixture
def account(mariadb_server: MariaDBServer, empty_mariadb_url: str) -> Iterator[URL]:
    """An account with a password full of what URLs are made of, on an empty database."""
    url = make_url(empty_mariadb_url)
    name = str(url.database)
    engine = engine_on(empty_mariadb_url)
    quoted: Any = {"password": PASSWORD}
    with engine.begin() as connection:
        for host in ("127.0.0.1", "localhost"):
            connection.execute(
                text(f"CREATE USER '{name}'@'{host}' IDENTIFIED BY :password"), quoted
            )
            connection.execute(text(f"GRANT ALL ON `{name}`.* TO '{name}'@'{host}'"))
    yield url.set(username=name, password=PASSWORD)
    with engine.begin() as connection:
        for host in ("127.0.0.1", "localhost"):
            connection.execute(text(f"DROP USER '{name}'@'{host}'"))
    engine.dispose()


def test_a_password_of_any_characters_works_through_the_five_parts(
    shell: Shell, account: URL
) -> None:
    shell.environment |= {
        "DATABASE_USER": str(account.username),
        "DATABASE_PASSWORD": PASSWORD,
        "DATABASE_HOST": "127.0.0.1",
        "DATABASE_PORT": str(account.port),
        "DATABASE_NAME": str(account.database),
        "SECRET_KEY": "x",
    }
    assert shell.eorm("init").returncode == 0
    run = shell.eorm("status", "--json")
    assert json.loads(run.stdout)["state"] == "at head"
    assert PASSWORD not in run.stdout
    assert "r%d" not in run.stdout


def test_a_password_of_any_characters_works_in_a_url(shell: Shell, account: URL) -> None:
    shell.use(account.render_as_string(hide_password=False))
    assert shell.eorm("init").returncode == 0
    assert json.loads(shell.eorm("status", "--json").stdout)["state"] == "at head"


def test_a_password_of_any_characters_works_in_a_dictionary(account: URL, tmp_path: Path) -> None:
    parts = {
        "user": account.username,
        "password": PASSWORD,
        "host": "127.0.0.1",
        "port": account.port,
        "database": account.database,
    }
    settings = Settings.load({"database": parts, "secret_key": "x"})
    engine = engine_on(account.render_as_string(hide_password=False))
    contract.create_all(engine)
    database = Database(settings)
    with database.get_session() as session:
        assert Project.fetch_all(session) == []
    assert PASSWORD not in repr(database)
    database.close()
    engine.dispose()
