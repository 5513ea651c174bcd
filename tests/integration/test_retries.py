"""A unit of work that is run again happens once."""

import random
from typing import Any

import pymysql
import pytest
from attrs import frozen
from sqlalchemy import event, func, select, text

from campaigns.units import connections as campaign_connections
from campaigns.units import deadlocks as campaign_deadlocks
from eyened_domain import (
    Conflict,
    Database,
    Patient,
    Project,
    RuleBroken,
    StorageError,
    Study,
)
from eyened_domain.adapters.sql import retry
from eyened_domain.adapters.sql.schema.bookkeeping import unit_of_work_log
from eyened_domain.adapters.sql.translation import ConnectionLost
from eyened_domain.services.events import Event

FIXED = 20261123


def drawn() -> int:
    """A seed of this run; the figures of a failure name it."""
    return random.SystemRandom().randrange(2**31)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(retry, "LONGEST_PAUSE_S", 0.0)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


@pytest.mark.parametrize("seed", [lambda: FIXED, drawn], ids=["fixed", "drawn"])
def test_units_whose_connections_are_killed_happen_once(mariadb_url, seed):
    url = f"{mariadb_url}_kills"
    figures = campaign_connections.run(url, units=30, kills=20, seed=seed())
    assert campaign_connections.sound(figures), figures
    assert figures["kills"].get("commit", 0) > 0
    assert figures["kills"].get("work", 0) > 0


@pytest.mark.parametrize("seed", [lambda: FIXED, drawn], ids=["fixed", "drawn"])
def test_units_that_deadlock_or_time_out_count_once(mariadb_url, seed):
    figures = campaign_deadlocks.run(f"{mariadb_url}_deadlocks", units=24, seed=seed())
    assert campaign_deadlocks.sound(figures), figures


@frozen
class Done(Event):
    """Something to be published."""

    name: str


@pytest.fixture
def maria(mariadb_url):
    published: list[Any] = []
    settings = {"database_url": mariadb_url, "secret_key": "k"}
    database: Any = Database(settings, subscribers=[published.append])
    database.published = published
    yield database
    database.close()


def count(database, entity=Project):
    with database.get_session() as session:
        return session.scalar(select(func.count()).select_from(entity))


def kill_own_connection(connection):
    """Close the connection from the server's side, as a broken network does."""
    driver, url = connection.connection.dbapi_connection, connection.engine.url
    thread_id = driver.thread_id()
    with pymysql.connect(  # the engine's URL does not tell the password
        host=url.host, port=url.port or 3306, user=url.username, password=driver.password
    ) as admin:
        admin.cursor().execute("KILL CONNECTION %s", (thread_id,))


def lose_answers_of_commits(database, times, *, first_commit):
    """Break the connection at the next commits: before they reach the server, or after."""
    left = [times]

    def committing(connection):
        if left[0] > 0:
            left[0] -= 1
            if first_commit:
                connection.connection.dbapi_connection.commit()
            kill_own_connection(connection)

    event.listen(database.engine, "commit", committing)


def adds_project(name, attempts=None):
    def work(uow):
        if attempts is not None:
            attempts.append(name)
        uow.record(Done(name))
        return uow.projects.add(Project(project_name=name))

    return work


def test_a_commit_whose_answer_was_lost_is_found_and_not_run_again(maria):
    lose_answers_of_commits(maria, 1, first_commit=True)
    attempts: list[Any] = []
    project = maria.run(adds_project("A", attempts))
    assert (len(attempts), count(maria)) == (1, 1)
    assert project.project_name == "A"
    assert project.project_id is not None


def test_events_and_callbacks_of_a_commit_that_was_found_are_published_once(maria):
    lose_answers_of_commits(maria, 1, first_commit=True)
    called = []

    def work(uow):
        uow.on_commit(lambda: called.append(1))
        adds_project("A")(uow)

    maria.run(work)
    assert maria.published == [Done("A")]
    assert called == [1]


def test_a_commit_that_did_not_reach_the_server_is_run_again(maria):
    lose_answers_of_commits(maria, 2, first_commit=False)
    attempts: list[Any] = []
    maria.run(adds_project("A", attempts))
    assert (len(attempts), count(maria)) == (3, 1)
    assert maria.published == [Done("A")]


def test_an_object_from_outside_the_unit_is_stored_by_the_attempt_that_succeeds(maria):
    lose_answers_of_commits(maria, 1, first_commit=False)
    project = Project(project_name="outside")
    Patient(patient_identifier="P", project=project)
    maria.run(lambda uow: uow.projects.add(project))
    assert (count(maria), count(maria, Patient)) == (1, 1)


@pytest.mark.parametrize("first_commit", [True, False])
def test_work_that_commits_by_itself_happens_once(maria, first_commit):
    lose_answers_of_commits(maria, 1, first_commit=first_commit)

    def work(uow):
        adds_project("A")(uow)
        uow.commit()

    maria.run(work)
    assert count(maria) == 1
    assert maria.published == [Done("A")]


def test_work_that_fails_after_its_own_commit_leaves_nothing(database):
    def work(uow):
        uow.projects.add(Project(project_name="A"))
        uow.commit()
        raise KeyError("after")

    with pytest.raises(KeyError):
        database.run(work)
    assert count(database) == 0


def test_a_conflict_after_the_own_commit_of_work_doubles_nothing(database):
    attempts: list[Any] = []

    def work(uow):
        attempts.append(1)
        uow.projects.add(Project(project_name=f"A{len(attempts)}"))
        uow.commit()
        if len(attempts) < 3:
            raise Conflict("somebody else")

    database.run(work)
    assert len(attempts) == 3
    assert count(database) == 1


def test_rolling_back_after_an_own_commit_is_refused_in_a_unit_that_may_be_run_again(database):
    def work(uow):
        uow.projects.add(Project(project_name="A"))
        uow.commit()
        uow.rollback()

    with pytest.raises(RuleBroken, match="two units of work"):
        database.run(work)
    assert count(database) == 0


def test_a_rollback_inside_work_takes_back_what_was_done_before_it(database):
    def work(uow):
        uow.projects.add(Project(project_name="gone"))
        uow.flush()
        uow.rollback()
        uow.projects.add(Project(project_name="kept"))

    database.run(work)
    with database.get_session() as session:
        assert session.scalars(select(Project.project_name)).all() == ["kept"]


def test_a_commit_that_cannot_be_looked_up_says_which_token_to_look_for(maria, monkeypatch):
    lose_answers_of_commits(maria, 1, first_commit=True)
    attempts: list[Any] = []

    def unreachable():
        raise ConnectionLost("gone")

    monkeypatch.setattr(maria, "create_session", unreachable)
    with pytest.raises(StorageError, match=r"unit of work [0-9a-f]{32} .* UnitOfWorkLog") as caught:
        maria.run(adds_project("A", attempts))
    assert not isinstance(caught.value, Conflict)
    assert len(attempts) == 1


def test_an_error_that_is_no_conflict_is_raised_at_once(database):
    attempts: list[Any] = []

    def work(uow):
        attempts.append(1)
        raise KeyError("mine")

    with pytest.raises(KeyError):
        database.run(work)
    assert attempts == [1]


def test_after_all_retries_the_conflict_is_raised_and_nothing_is_stored(database):
    attempts: list[Any] = []

    def work(uow):
        attempts.append(1)
        uow.projects.add(Project(project_name="A"))
        uow.flush()
        raise Conflict("always")

    with pytest.raises(Conflict, match="always"):
        database.run(work, retries=2)
    assert len(attempts) == 3
    assert count(database) == 0


def test_each_unit_leaves_one_token_and_a_plain_unit_none(database):
    for name in "ABC":
        database.run(adds_project(name))
    with database.unit_of_work() as uow:
        uow.projects.add(Project(project_name="plain"))
        uow.commit()
    with database.get_session() as session:
        assert session.scalar(select(func.count()).select_from(unit_of_work_log)) == 3


def test_what_work_returns_stays_readable(database):
    project = database.run(adds_project("A"))
    assert project.project_name == "A"
    assert project.project_id is not None


def test_work_that_goes_on_after_a_broken_flush_is_run_again(maria):
    attempts: list[Any] = []

    def work(uow):
        attempts.append(1)
        uow.projects.add(Project(project_name="A"))
        if len(attempts) == 1:
            kill_own_connection(uow.session.connection())
            with pytest.raises(Conflict):
                uow.flush()
        uow.projects.count()

    maria.run(work)
    assert len(attempts) == 2
    assert count(maria) == 1


@pytest.mark.parametrize(
    "error",
    [
        pymysql.err.InterfaceError(0, ""),
        pymysql.err.OperationalError(2006, "MySQL server has gone away"),
        pymysql.err.OperationalError(2013, "Lost connection to MySQL server during query"),
        pymysql.err.OperationalError(1927, "Connection was killed"),
        pymysql.err.OperationalError(1317, "Query execution was interrupted"),
        pymysql.err.OperationalError(1213, "Deadlock found"),
        pymysql.err.OperationalError(1205, "Lock wait timeout exceeded"),
        pymysql.err.OperationalError(1020, "Record has changed since last read"),
        pymysql.err.OperationalError(1305, "SAVEPOINT sa_savepoint_1 does not exist"),
    ],
    ids=lambda error: str(error.args[0]),
)
def test_what_the_driver_says_of_a_conflict_is_a_conflict(maria, error):
    def fail(_connection, cursor, *_rest):
        def execute(*_arguments):
            raise error

        cursor.execute = execute

    with maria.get_session() as session:
        session.connection()
        event.listen(maria.engine, "before_cursor_execute", fail)
        with pytest.raises(Conflict):
            session.execute(text("SELECT 1"))
        event.remove(maria.engine, "before_cursor_execute", fail)


def test_a_connection_that_was_closed_while_it_lay_in_the_pool_is_replaced(maria):
    with maria.get_session() as session:
        kill_own_connection(session.connection())
    with maria.get_session() as session:
        assert session.scalar(select(func.count()).select_from(Study)) == 0


def test_a_session_whose_connection_was_lost_closes_and_rolls_back_in_peace(maria):
    with maria.get_session() as session:
        kill_own_connection(session.connection())
        session.rollback()
        assert session.scalar(select(func.count()).select_from(Study)) == 0
        kill_own_connection(session.connection())
        session.close()
        assert session.scalar(select(func.count()).select_from(Study)) == 0
        project = Project(project_name="A")
        session.add(project)
        session.flush()
        kill_own_connection(session.connection())
        session.rollback()
        session.add(project)
        session.commit()
    assert count(maria) == 1


def test_the_error_of_a_block_is_raised_though_the_connection_is_lost_as_well(maria):
    def fail():
        with maria.unit_of_work() as uow:
            kill_own_connection(uow.session.connection())
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fail()


def test_a_conflict_is_retried_though_the_connection_is_lost_as_well(maria):
    attempts: list[Any] = []

    def work(uow):
        attempts.append(1)
        uow.projects.add(Project(project_name="A"))
        uow.flush()
        if len(attempts) == 1:
            kill_own_connection(uow.session.connection())
            raise Conflict("mine")

    maria.run(work)
    assert (len(attempts), count(maria)) == (2, 1)
