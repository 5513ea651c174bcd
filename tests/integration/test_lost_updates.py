"""Units of work that overlap on a real database: nobody's change is written over in silence."""

import random
import threading

import pymysql
import pytest
from sqlalchemy import event, select, update

from campaigns.units import counters as campaign_counters
from eyened_domain import Conflict, Database, FormAnnotation, Patient, Project, SubTask
from eyened_domain.testing import Builder
from eyened_domain.testing.databases import settings_on
from eyened_domain.testing.servers import server_names


@pytest.fixture
def form(database, builder):
    """The id of a stored form."""
    with database.unit_of_work() as uow:
        made = uow.forms.add(builder.a_form_annotation(form_data={"count": 0}))
        uow.commit()
        return made.form_annotation_id


@pytest.fixture
def two_sessions(database):
    with database.get_session() as one, database.get_session() as other:
        yield one, other


def test_of_two_sessions_that_have_read_the_same_row_the_second_is_refused(two_sessions, form):
    first, second = (FormAnnotation.by_id(session, form) for session in two_sessions)
    first.form_data["count"] += 1
    second.form_data["count"] += 1
    two_sessions[0].commit()
    with pytest.raises(Conflict, match="somebody else"):
        two_sessions[1].commit()
    two_sessions[1].rollback()
    assert FormAnnotation.by_id(two_sessions[1], form).form_data == {"count": 1}


def test_a_session_reads_what_others_have_committed_since_its_commit(two_sessions, form):
    one, other = two_sessions
    mine = one.scalars(select(FormAnnotation)).one()
    one.commit()
    FormAnnotation.by_id(other, form).form_data["count"] = 5
    other.commit()
    assert mine.form_data == {"count": 0}
    assert one.scalars(select(FormAnnotation)).one() is mine
    assert mine.form_data == {"count": 5}


def test_within_a_transaction_a_query_leaves_what_was_loaded_as_it_is(two_sessions, form, database):
    one, _ = two_sessions
    mine = one.scalars(select(FormAnnotation)).one()
    patient = mine.patient
    patient.form_annotations.sort(key=id)
    before = patient.form_annotations
    one.scalars(select(Patient)).all()
    assert patient.form_annotations is before


def test_a_query_without_autoflush_does_not_take_away_what_was_changed(two_sessions, form):
    one, other = two_sessions
    mine = FormAnnotation.by_id(one, form)
    one.commit()
    FormAnnotation.by_id(other, form).form_data["count"] = 5
    other.commit()
    mine.form_data["mine"] = 1
    with one.no_autoflush:
        one.scalars(select(FormAnnotation)).all()
    assert mine.form_data == {"count": 0, "mine": 1}
    with pytest.raises(Conflict):
        one.commit()


def test_an_update_statement_is_the_way_to_let_the_last_writer_win(two_sessions, form):
    one, other = two_sessions
    FormAnnotation.by_id(one, form)
    one.commit()
    FormAnnotation.by_id(other, form).form_data["count"] = 5
    other.commit()
    one.execute(update(FormAnnotation).values(form_data={"count": 6}))
    one.commit()
    assert FormAnnotation.by_id(one, form).form_data == {"count": 6}


def test_the_check_costs_one_statement_a_table_and_flush(database, builder, count_queries):
    with database.unit_of_work() as uow:
        project = builder.a_project()
        uow.patients.add_all([builder.a_patient(project=project) for _ in range(30)])
        uow.commit()
        for number, patient in enumerate(project.patients):
            patient.patient_identifier = f"renamed {number}"
        project.description = "changed"
        with count_queries(database) as counted:
            uow.commit()
    checks = [s for s in counted.statements if s.lstrip().startswith("SELECT")]
    assert len(checks) == 2, counted


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])
def test_each_of_many_increments_counts(database_url, tmp_path, level):
    database = Database(settings_on(database_url, tmp_path))
    if database.engine.dialect.name != "sqlite":
        event.listen(
            database.engine,
            "engine_connect",
            lambda connection: connection.exec_driver_sql(
                f"SET SESSION TRANSACTION ISOLATION LEVEL {level}"
            ),
        )
    with database.unit_of_work() as uow:
        made = [Builder().a_project(project_name=f"P{n}", description="0") for n in range(3)]
        uow.projects.add_all(made)
        uow.commit()
        ids = [one.project_id for one in made]

    def work(thread):
        for number in range(15):

            def increment(uow, number=number):
                project = uow.projects.get(ids[(thread + number) % 3])
                project.description = str(int(project.description) + 1)

            database.run(increment, retries=200)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.get_session() as session:
        assert sum(int(str(p.description)) for p in Project.by_ids(session, ids)) == 60
    database.close()


def test_graders_who_take_subtasks_at_the_same_time_take_each_once(database, builder):
    with database.unit_of_work() as uow:
        task = builder.a_task()
        uow.tasks.add(task)
        uow.sub_tasks.add_all([builder.a_sub_task(task=task) for _ in range(12)])
        graders = [builder.a_creator() for _ in range(4)]
        uow.creators.add_all(graders)
        uow.commit()
        ids = [one.creator_id for one in graders]
    taken = []

    def grade(creator):
        def take(uow):
            free = uow.sub_tasks.where(creator_id=None)
            if not free:
                return None
            free[0].start(by=uow.creators.get(creator))
            return free[0].sub_task_id

        while (found := database.run(take, retries=200)) is not None:
            taken.append(found)

    threads = [threading.Thread(target=grade, args=(one,)) for one in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.get_session() as session:
        assert sorted(taken) == sorted(one.sub_task_id for one in SubTask.fetch_all(session))


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
def test_a_deadlock_in_a_savepoint_ends_the_whole_unit(database, form):
    def deadlock(*_arguments):
        raise pymysql.err.OperationalError(1213, "Deadlock found when trying to get lock")

    def fail(_connection, cursor, statement, *_rest):
        if statement.startswith("UPDATE"):
            cursor.execute = deadlock

    with database.unit_of_work() as uow:
        kept = uow.forms.get(form)
        kept.form_data["count"] = 1
        uow.flush()
        event.listen(database.engine, "before_cursor_execute", fail)
        with pytest.raises(Conflict), uow.savepoint():
            kept.form_data["count"] = 2
        event.remove(database.engine, "before_cursor_execute", fail)
        with pytest.raises(Conflict, match="earlier error has ended"):
            uow.commit()
    with database.get_session() as session:
        assert FormAnnotation.by_id(session, form).form_data == {"count": 0}


@pytest.mark.parametrize("kind", ["sqlite", *server_names()])
def test_a_crowd_of_processes_that_counts_in_the_same_rows_loses_nothing(kind, servers):
    server = "" if kind == "sqlite" else servers.server(kind).url("").rstrip("/")
    kind = "sqlite" if kind == "sqlite" else "mariadb"
    seed = random.SystemRandom().randrange(2**31)
    size = campaign_counters.Size(workers=3, each=15)
    figures = campaign_counters.run(kind, size, seed, server)
    assert figures.sound, figures
