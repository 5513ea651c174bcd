"""Tasks on real databases: how many statements, by which index, and by how many at once."""

import secrets
import threading

import pytest
from sqlalchemy import event, text

from campaigns.units import claims as campaign_claims
from eyened_domain import ImageInstance, ReadingPlan, Tasks
from eyened_domain.adapters.sql import task_queue
from eyened_domain.adapters.sql.schema.facts import CLAIM_INDEX
from eyened_domain.testing.queries import assert_queries
from eyened_domain.testing.servers import server_names

TASKS = Tasks()
NAMES = ("ann", "bob")


@pytest.fixture
def stock(database, builder):
    """Gives the ids of so many images; there are two graders, and a kind of task."""

    def stored(count):
        with database.unit_of_work() as uow:
            image = uow.images.add(builder.an_image())
            uow.creators.add_all([builder.a_creator(creator_name=name) for name in NAMES])
            uow.task_definitions.add(builder.a_task_definition(task_definition_name="grading"))
            uow.flush()
            names = ("series_id", "source_info_id", "device_instance_id", "modality_id")
            place = {name: getattr(image, name) for name in names}
            rows = [
                {"dataset_identifier": f"{n}.png", "laterality": "R", "inactive": False, **place}
                for n in range(count)
            ]
            ids = uow.rows.insert(ImageInstance, rows, key=["dataset_identifier"])
            uow.commit()
        return ids

    return stored


def make_task(database, ids, **options):
    with database.unit_of_work() as uow:
        task = TASKS.create(uow, "task", "grading", [[one] for one in ids], **options)
        uow.commit()
        return task.task_id


def claim_next(uow, task_id, name):
    claim = TASKS.claim_next(uow, task_id, name)
    assert claim is not None
    return claim


def on_server(database):
    return database.engine.dialect.name != "sqlite"


@pytest.mark.parametrize("count", [5, 3000])
def test_a_task_is_made_in_as_many_statements_however_many_images_it_has(database, stock, count):
    ids = stock(count)
    plan = ReadingPlan(readings=2, repeats=0.1, graders=NAMES)
    with database.unit_of_work() as uow:
        with assert_queries(database, at_most=1):
            sets = TASKS.sets_of(uow, ids, by="series")
            assert [len(one.image_ids) for one in sets] == [count]
        with assert_queries(database, at_most=1):
            frame = {"dataset_identifier": [f"{n}.png" for n in range(count)]}
            assert len(TASKS.sets_in(uow, frame)) == count
        # definition, graders, images; the task, its configuration; highest id, subtasks and their
        # ids; images within a savepoint; work within a savepoint
        with assert_queries(database, at_most=16):
            task = TASKS.create(uow, "t", "grading", [[one] for one in ids], plan=plan)
        uow.commit()
        with assert_queries(database, at_most=1):
            assert TASKS.progress(uow, task).total >= 2 * count
        with assert_queries(database, at_most=3):
            assert len(TASKS.readings(uow, task)) >= 2 * count
        with assert_queries(database, at_most=4):
            assert len(TASKS.forms(uow, task)) == 0
        with assert_queries(database, at_most=4):
            assert len(TASKS.segmentations(uow, task)) == 0


@pytest.mark.parametrize("plan", [ReadingPlan(), ReadingPlan(readings=2)], ids=["plain", "blind"])
def test_a_claim_takes_a_handful_of_statements_however_many_subtasks_there_are(
    database, stock, plan
):
    task_id = make_task(database, stock(500), plan=plan)
    for _ in range(5):  # of a blind task, the other readings of these are passed over
        with database.unit_of_work() as uow:
            TASKS.claim_next(uow, task_id, "ann")
            uow.commit()
    with database.unit_of_work() as uow:
        # who and what there is, (what may be read,) the first one; written in both tables; the
        # history reads what is changed, and is written
        with assert_queries(database, at_most=7 + (not plan.is_plain)):
            claim = claim_next(uow, task_id, "ann")
            uow.commit()
        with assert_queries(database, at_most=3):
            TASKS.renew(uow, claim)
            uow.commit()
        with assert_queries(database, at_most=5):
            TASKS.finish(uow, claim)
            uow.commit()


def test_many_expired_leases_are_given_back_in_a_handful_of_statements(database, stock):
    task_id = make_task(database, stock(40))
    for _ in range(20):
        with database.unit_of_work() as uow:
            TASKS.claim_next(uow, task_id, "ann")
            uow.commit()
    with database.unit_of_work() as uow:
        uow.session.execute(text("UPDATE SubTaskWork SET LeaseExpires = '2020-01-01 00:00:00'"))
        uow.commit()
    with database.unit_of_work() as uow:
        with assert_queries(database, at_most=12 + 3 * (not on_server(database))):
            claim = claim_next(uow, task_id, "bob")
        assert claim.sub_task_id == min(one.sub_task_id for one in TASKS.readings(uow, task_id))
        uow.commit()


def explained(database, statement, parameters):
    """Return the plan of a statement, a text for each table."""
    how = "EXPLAIN" if on_server(database) else "EXPLAIN QUERY PLAN"
    with database.engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute(f"{how} {statement}", parameters)
        return [" ".join(map(str, row)) for row in cursor.fetchall()]


@pytest.mark.parametrize("count", [3, 300])
def test_the_first_that_waits_is_found_by_its_index_and_nothing_else_is_locked(
    database, stock, count
):
    """Sorting would lock every row that waits, and the second grader would get none."""
    task_id = make_task(database, stock(count))
    asked = []

    def note(_connection, _cursor, statement, parameters, *_):
        if "FROM `SubTaskWork`" in statement or 'FROM "SubTaskWork"' in statement:
            asked.append((statement, parameters))

    with database.unit_of_work() as uow:
        reserved = uow.tasks.get(task_id).sub_tasks[2]
        TASKS.reassign(uow, reserved, "bob")
        event.listen(database.engine, "before_cursor_execute", note)
        for who in (None, "bob"):
            whom = who and uow.creators.by_name(who).creator_id
            assert uow.task_queue.take_first(task_id, whom) is not None
        event.remove(database.engine, "before_cursor_execute", note)
    assert len(asked) == 2
    for statement, parameters in asked:
        assert ("SKIP LOCKED" in statement) == on_server(database)
        plan = explained(database, statement, parameters)
        assert CLAIM_INDEX in plan[0], plan
        assert not any(word in " ".join(plan) for word in ("filesort", "TEMP B-TREE", "ALL"))


def test_who_comes_while_somebody_claims_gets_the_next_one_at_once(database, stock):
    if not on_server(database):
        pytest.skip("SQLite has one writer at a time")
    task_id = make_task(database, stock(3))
    with database.unit_of_work() as one, database.unit_of_work() as other:
        for uow in (one, other):
            uow.session.execute(text("SET SESSION innodb_lock_wait_timeout = 1"))
        uow.tasks.get(task_id).start()
        uow.commit()
        first = claim_next(one, task_id, "ann")
        second = claim_next(other, task_id, "bob")
        assert second.sub_task_id == first.sub_task_id + 1
        one.rollback()
        other.commit()
        assert claim_next(other, task_id, "bob").sub_task_id == first.sub_task_id


def test_nobody_reads_the_same_images_twice_by_two_programs_at_once(database, stock):
    if not on_server(database):
        pytest.skip("SQLite has one writer at a time")
    task_id = make_task(database, stock(1), plan=ReadingPlan(readings=2))
    with database.unit_of_work() as uow:
        uow.tasks.get(task_id).start()
        uow.commit()
    claims, has_looked = [], threading.Event()

    def claim():
        claims.append(database.run(lambda uow: TASKS.claim_next(uow, task_id, "ann"), retries=20))

    thread = threading.Thread(target=claim)

    def note(_connection, _cursor, statement, *_):
        if statement.startswith("UPDATE") and threading.current_thread() is thread:
            has_looked.set()

    event.listen(database.engine, "before_cursor_execute", note)
    with database.unit_of_work() as one:
        first = TASKS.claim_next(one, task_id, "ann")
        thread.start()
        assert has_looked.wait(60)  # it saw no reading of ann's, and takes the other one
        one.commit()
        thread.join()
    event.remove(database.engine, "before_cursor_execute", note)
    assert first is not None
    assert claims == [None]


@pytest.mark.parametrize("passes", [True, False], ids=["SKIP LOCKED", "conditional UPDATE"])
def test_a_crowd_of_threads_claims_each_subtask_once(database, stock, monkeypatch, passes):
    if not passes:
        monkeypatch.setattr(task_queue, "knows_skip_locked", lambda _dialect: False)
    task_id = make_task(database, stock(24))
    claimed, errors = [], []

    def work(name):
        try:
            while claim := database.run(
                lambda uow: TASKS.claim_next(uow, task_id, name), retries=50
            ):
                claimed.append(claim.sub_task_id)
                database.run(lambda uow, held=claim: TASKS.finish(uow, held), retries=50)
        except Exception as error:  # noqa: BLE001 - the test tells them
            errors.append(error)

    threads = [threading.Thread(target=work, args=(NAMES[n % 2],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(claimed) == len({*claimed}) == 24


@pytest.mark.parametrize("kind", ["sqlite", *server_names()])
def test_a_crowd_of_killed_graders_leaves_nothing_undone(kind, servers):
    server = "" if kind == "sqlite" else servers.server(kind).url("").rstrip("/")
    kind = "sqlite" if kind == "sqlite" else "mariadb"
    seed = secrets.randbelow(2**31)
    size = campaign_claims.Size(workers=3, sub_tasks=60, kills=4, lease_s=1, look_s=0.02)
    figures = campaign_claims.run(kind, size, seed, server)
    assert figures.sound, figures
