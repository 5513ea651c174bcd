"""The databases that tests get: real, of their own, and never somebody's."""

from pathlib import Path
from typing import Any

import attrs
import pytest
from sqlalchemy import event, make_url, text

from eyened_domain import Database
from eyened_domain.adapters.sql.migrations.status import status
from eyened_domain.errors import RuleBroken
from eyened_domain.testing import mariadb, servers
from eyened_domain.testing.databases import do_without_mariadb, empty_tables
from eyened_domain.testing.engines import engine_on
from eyened_domain.testing.mariadb import ServerMissing, throw_away_server
from tests.integration.samples import store_two_of_each


def test_emptying_a_database_leaves_no_row(database: Database) -> None:
    with database.get_session() as session:
        store_two_of_each(session)
        session.commit()
    empty_tables(database)
    assert sum(status(database.engine).counts.values()) == 0


@pytest.mark.parametrize(
    "url",
    [
        "mysql+pymysql://root@127.0.0.1/eyened",
        "mysql+pymysql://root@127.0.0.1/eyened_test_",
        "mysql+pymysql://root@127.0.0.1/",
        "sqlite:////test_folder/eyened.db",
    ],
)
def test_emptying_refuses_a_database_that_is_not_named_as_a_test_s(url: str) -> None:
    def connected(*_arguments: Any) -> None:
        raise AssertionError("it was connected to")

    engine = engine_on(url)
    event.listen(engine, "do_connect", connected)
    with pytest.raises(RuleBroken, match="test_"):
        empty_tables(engine)
    with pytest.raises(RuleBroken, match="test_"):
        empty_tables(Database({"database_url": url, "secret_key": "x"}))


def test_a_mariadb_database_of_a_test_is_named_as_a_test_s(
    mariadb_url: str, empty_mariadb_url: str
) -> None:
    names = [str(make_url(url).database) for url in (mariadb_url, empty_mariadb_url)]
    assert all(name.startswith("test_") for name in names)
    assert len(set(names)) == 2


def test_a_server_is_started_when_none_runs_and_is_gone_afterwards(
    mariadb_server: mariadb.MariaDBServer,
) -> None:
    with throw_away_server() as server:
        assert server.is_ours
        assert server.port != mariadb.USUAL_PORT
        with server.database("test_own") as url:
            engine = engine_on(url)
            with engine.connect() as connection:
                assert "MariaDB" in str(connection.scalar(text("SELECT VERSION()")))
            engine.dispose()
    assert not mariadb._answers(server.port)


def test_the_server_that_tests_run_on_anyway_can_be_named(
    mariadb_server: mariadb.MariaDBServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = attrs.evolve(mariadb_server, user="somebody")
    monkeypatch.setenv(servers.VARIABLE, f"mariadb={named.url('')},other=mysql+pymysql://h:1")
    assert servers.server_names() == ["mariadb", "other"]
    assert servers.Servers().server("mariadb") == attrs.evolve(named, is_ours=False)


def test_a_server_that_is_started_leaves_the_temporary_tables_of_others_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    of_another_server = tmp_path / "#sql-temptable-1-2-3.MAI"
    of_another_server.touch()
    with throw_away_server():
        assert of_another_server.exists()


def test_a_machine_without_mariadb_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_a, **_k: None)
    with pytest.raises(ServerMissing, match="mariadbd"), throw_away_server():
        pass


def test_without_mariadb_a_test_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="not installed"):
        do_without_mariadb("not installed")


def test_without_mariadb_a_test_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="not installed"):
        do_without_mariadb("not installed")
