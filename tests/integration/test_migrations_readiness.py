"""Whether a database is ready to be used, what it says when it is not, and its status."""

import logging
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Engine, event, make_url

from eyened_domain import ConfigurationError, Database, Project
from eyened_domain.adapters.sql.engine import mysql_engine
from eyened_domain.adapters.sql.migrations import ensure_ready
from eyened_domain.adapters.sql.migrations.contract import contract
from eyened_domain.adapters.sql.migrations.revisions import HEAD, VERSION_TABLE
from eyened_domain.adapters.sql.migrations.state import Found, State
from eyened_domain.adapters.sql.migrations.status import status
from eyened_domain.adapters.sql.migrations.upgrade import initialise, refusal, upgrade
from eyened_domain.testing.engines import engine_on
from tests.integration.test_migrations import execute, go_to, state_in, tables_in


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    """A database without tables."""
    made = engine_on(empty_database_url)
    yield made
    made.dispose()


def test_a_database_at_head_is_found_ready_with_two_statements(database_url: str) -> None:
    engine, statements = engine_on(database_url), []
    with engine.connect():
        event.listen(engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
        ensure_ready(engine, embedded=False)
    engine.dispose()
    asked = [s for s in statements if not s.startswith("BEGIN")]
    assert len(asked) == 2
    assert asked[0] == f"SELECT version_num FROM {VERSION_TABLE}"


def test_a_ready_database_does_not_load_alembic(sqlite_url: str) -> None:
    program = (
        "import sys; from eyened_domain import Database\n"
        f"Database({sqlite_url!r}).engine\n"
        "assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        ([], "is empty: run `eorm init`"),
        (["CREATE TABLE theirs (id INTEGER)"], "none of Eyened's"),
        (["CREATE TABLE Patient (id INTEGER)"], "some of Eyened's tables.*`eorm adopt`"),
    ],
)
def test_a_database_that_is_not_ready_says_which_command_to_run(
    engine: Engine, prepare: list[str], says: str
) -> None:
    execute(engine, *prepare)
    with pytest.raises(ConfigurationError, match=says):
        ensure_ready(engine, embedded=False)


def test_a_database_that_is_behind_says_eorm_upgrade(engine: Engine) -> None:
    go_to(engine, command.upgrade, "0001")
    with pytest.raises(ConfigurationError, match=f"revision 0001, .* needs {HEAD}: .*eorm upgrade"):
        ensure_ready(engine, embedded=True)


def test_a_database_that_is_ahead_asks_for_newer_software(engine: Engine) -> None:
    initialise(engine)
    execute(engine, f"UPDATE {VERSION_TABLE} SET version_num = '0999'")
    with pytest.raises(ConfigurationError, match="newer eyened-domain"):
        ensure_ready(engine, embedded=True)
    with pytest.raises(ConfigurationError, match="newer eyened-domain"):
        upgrade(engine)


def test_a_database_that_is_not_adopted_works_with_a_warning(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    contract.create_all(engine)
    with caplog.at_level(logging.WARNING, logger="eyened_domain"):
        ensure_ready(engine, embedded=False)
    assert "eorm adopt" in caplog.text


def test_messages_name_the_database_but_not_its_password() -> None:
    engine = mysql_engine(make_url("mysql+pymysql://me:geheim%40@db.example/clinic?charset=x"))
    for state in State:
        message = str(refusal(engine, Found(state, "0001"))) if state is not State.AT_HEAD else ""
        assert "geheim" not in message
        assert "db.example/clinic" in message or state is State.AT_HEAD


def test_an_embedded_database_makes_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "DATABASE_HOST", "DATABASE_USER", "EYENED_HOME"):
        monkeypatch.delenv(name, raising=False)
    database = Database({"eyened_home": str(tmp_path / "home")})
    with database.get_session() as session:
        session.add(Project(project_name="P", external="N"))
        session.commit()
    assert state_in(database.engine) is State.AT_HEAD
    database.close()


def test_a_database_in_memory_makes_itself() -> None:
    database = Database("sqlite://")
    assert state_in(database.engine) is State.AT_HEAD
    database.close()


def test_a_file_that_was_named_does_not_make_itself(empty_sqlite_url: str) -> None:
    with pytest.raises(ConfigurationError, match="eorm init"):
        Database(empty_sqlite_url).engine  # noqa: B018


def test_four_processes_that_first_open_the_embedded_database_at_once_all_succeed(
    tmp_path: Path,
) -> None:
    program = (
        "from eyened_domain import Database, Project\n"
        f"database = Database({{'eyened_home': {str(tmp_path / 'home')!r}}})\n"
        "with database.get_session() as session:\n"
        "    session.add(Project(project_name=str(__import__('os').getpid()), external='N'))\n"
        "    session.commit()\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE) for _ in range(4)
    ]
    errors = [process.communicate()[1].decode() for process in running]
    assert errors == [""] * 4
    database = Database({"eyened_home": str(tmp_path / "home")})
    assert status(database.engine).counts["Project"] == 4
    database.close()


def test_threads_that_initialise_the_same_database_all_succeed(empty_database_url: str) -> None:
    done: list[Any] = []

    def one() -> None:
        engine = engine_on(empty_database_url)
        try:
            done.append(initialise(engine).after)
        except Exception as error:  # noqa: BLE001 - the assertion shows it
            done.append(error)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [HEAD] * 4


def test_status_tells_state_revision_server_and_counts(database: Database) -> None:
    with database.get_session() as session:
        session.add_all([Project(project_name=name, external="N") for name in "ab"])
        session.commit()
    found = status(database.engine)
    assert (found.state, found.revision, found.head) == (State.AT_HEAD, HEAD, HEAD)
    assert re.fullmatch(r"(SQLite|MariaDB|MySQL) \d+\.\d+\.\d+", found.server)
    assert found.counts["Project"] == 2
    assert len(found.counts) == 40 + 6  # the contract's, and six of ours
    assert sum(found.counts.values()) == 2


def test_status_of_an_empty_database_changes_nothing(engine: Engine) -> None:
    found = status(engine)
    assert (found.state, found.revision, dict(found.counts)) == (State.EMPTY, None, {})
    assert tables_in(engine) == set()
