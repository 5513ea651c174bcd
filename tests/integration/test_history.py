"""The history in SQL: how it is written, and whether it shows that somebody has touched it."""

import json
import random
import threading
from contextlib import suppress

import pytest
from sqlalchemy import delete, func, insert, select, text, update

from campaigns.units import audit as campaign_audit
from campaigns.units.tamperings import TAMPERINGS, Vandal
from eyened_domain import ConfigurationError, Database, FormAnnotation, StorageError, Tag
from eyened_domain.adapters.checkup import checkup_on
from eyened_domain.adapters.sql.engine import engine_of, url_of
from eyened_domain.adapters.sql.history.auditing import Auditor
from eyened_domain.adapters.sql.history.macs import Macs
from eyened_domain.adapters.sql.history.streams import Stream, Streams
from eyened_domain.adapters.sql.migrations.contract import contract
from eyened_domain.adapters.sql.schema.bookkeeping import HISTORY_HEAD, history, history_stream
from eyened_domain.adapters.sql.translation import ConnectionLost
from eyened_domain.config import Secret
from eyened_domain.services.doctor import Kind
from eyened_domain.services.history import History
from eyened_domain.testing import Builder
from eyened_domain.testing.databases import settings_on
from eyened_domain.testing.queries import assert_queries, count_queries
from eyened_domain.testing.servers import server_names


@pytest.fixture
def form(database, builder):
    """The id of a stored form; the stream of this process is open by then."""
    with database.unit_of_work() as uow:
        form = uow.forms.add(builder.a_form_annotation(form_data={"grade": 0}))
        uow.commit()
        return form.form_annotation_id


def grade(database, form, number, **by):
    with database.unit_of_work(**by) as uow:
        uow.forms.get(form).form_data["grade"] = number
        uow.commit()


def faults(database, connection=None, sealed=None, key=None):
    macs = Macs(database.settings.secret_key if key is None else Secret(key))
    auditor = Auditor(macs, sealed)
    if connection is not None:
        return [one.message for one in auditor.faults(connection, lambda *_: None)]
    with database.engine.connect() as reading:
        return [one.message for one in auditor.faults(reading, lambda *_: None)]


def rows_of(database):
    with database.engine.connect() as connection:
        return connection.execute(select(history).where(history.c.number < HISTORY_HEAD)).all()


def test_the_changes_of_a_unit_are_one_statement_however_many(database, builder):
    for count in (3, 1000):
        with database.unit_of_work() as uow:
            creator = uow.creators.add(builder.a_creator())
            uow.flush()
            for n in range(count):
                tag = builder.a_tag(tag_name=f"tag {count} {n}", creator=creator)
                uow.tags.add(tag)
            uow.flush()
            with count_queries(database) as counted:
                uow.commit()
        own = [one for one in counted.statements if "INSERT" in one and "History" in one]
        assert len(own) - (count == 3) == 1  # a process says once that it opens a stream
        assert not faults(database)


def test_rows_with_long_values_are_written_by_the_set_in_packets_that_servers_take(
    database, form, builder
):
    with database.unit_of_work() as uow:
        one = uow.forms.get(form)
        links = {name: getattr(one, name) for name in ("form_schema_id", "creator_id")}
        new = {**links, "patient_id": one.patient_id, "inactive": False}
        rows = [{**new, "form_data": {"text": "a" * 8000}} for _ in range(500)]
        ids = uow.rows.insert(FormAnnotation, rows, key=["patient_id"])
        uow.commit()
    with database.unit_of_work(reason="b") as uow:
        data = {"text": "b" * 8000}
        rows = [{"form_annotation_id": one, "form_data": data} for one in ids]
        uow.rows.update(FormAnnotation, rows)
        uow.commit()
    written = rows_of(database)
    assert max(len(one.old_values or "") + len(one.new_values or "") for one in written) < 3_000_000
    with database.unit_of_work() as uow:
        found = [one for one in History().find(uow, most=2000) if one.reason == "b"]
        assert sorted(one.key for one in found) == [(one,) for one in sorted(ids)]
        assert {one.after["form_data"]["text"] for one in found} == {"b" * 8000}


def test_what_was_read_with_a_lock_is_not_read_again_for_the_history(database, form):
    key = {"form_annotation_id": form}
    rows = [{**key, "form_data": {"grade": 1}, "inactive": True}]
    for before, read in (
        ([{**key, "form_data": {"grade": 0}, "inactive": False}], 0),
        ([{**key, "form_data": {"grade": 0}}], 1),  # not all that is written
        ([], 1),
    ):
        with database.unit_of_work() as uow:
            uow.flush()
            with count_queries(database) as counted:
                uow.rows.update(FormAnnotation, rows, before=before)
            assert sum(one.startswith("SELECT") for one in counted.statements) == read
            change = History().find(uow, entity=FormAnnotation)[0]
            assert change.before == {"form_data": {"grade": 0}, "inactive": False}
            assert change.after == {"form_data": {"grade": 1}, "inactive": True}


def test_what_changes_nothing_costs_no_statement(database, form):
    with database.unit_of_work(actor="nobody") as uow:
        uow.forms.get(form).form_data["grade"] = 0
        with assert_queries(database, at_most=0):
            uow.commit()


def test_a_known_actor_costs_a_statement_once_by_id_and_none_by_object(database, builder, form):
    with database.unit_of_work() as uow:
        ann = uow.creators.add(builder.a_creator(creator_name="ann"))
        uow.commit()
    wanted = ((ann, 0), (ann.creator_id, 1), (ann.creator_id, 0), ("ann", 1))
    for n, (actor, asked) in enumerate(wanted, 1):
        with database.unit_of_work(actor=actor) as uow:
            uow.forms.get(form).form_data["grade"] = n
            uow.flush()
            with count_queries(database) as counted:
                uow.commit()
        assert counted.total == 1 + asked


def test_units_and_sessions_of_every_kind_say_who_acts(database, builder, form):
    with database.unit_of_work() as uow:
        uow.creators.add(builder.a_creator(creator_name="ann"))
        uow.commit()

    def work(uow):
        assert (uow.actor.creator_name, uow.reason) == ("ann", "a run")
        uow.forms.get(form).form_data["grade"] = 1

    database.run(work, actor="ann", reason="a run")
    with database.get_session(actor="ann", reason="a session") as session:
        session.get(FormAnnotation, form).form_data["grade"] = 2
        session.commit()
    grade(database, form, 3, actor="ann", reason="a unit")
    with database.unit_of_work() as uow:
        told = History().find(uow, entity=FormAnnotation, by="ann")
    assert [one.reason for one in told] == ["a unit", "a session", "a run"]


def test_a_run_that_is_repeated_is_in_the_history_once(database, form):
    attempts = []

    def work(uow):
        attempts.append(uow)
        uow.forms.get(form).form_data["grade"] += 1
        uow.flush()
        if len(attempts) == 1:
            raise ConnectionLost("the first time")

    database.run(work)
    assert len(attempts) == 2
    with database.unit_of_work() as uow:
        assert len(History().find(uow, entity=FormAnnotation)) == 2
    assert not faults(database)


def test_what_was_written_in_a_savepoint_that_was_taken_back_leaves_no_gap(database, form):
    with database.unit_of_work() as uow:
        uow.forms.get(form).form_data["grade"] = 1
        uow.flush()
        for number in (2, 3):
            with suppress(KeyError), uow.savepoint():
                uow.forms.get(form).form_data["grade"] = number
                assert len(History().find(uow, entity=FormAnnotation)) == 3  # it is written
                raise KeyError
        uow.commit()
        grades = [
            one.after["form_data"]["grade"] for one in History().find(uow, of=uow.forms.get(form))
        ]
    assert grades == [1, 0]
    assert not faults(database)


def test_each_thread_that_commits_at_once_has_a_stream_of_its_own(database, form):
    both = threading.Barrier(2)

    def work(n):
        with database.unit_of_work() as uow:
            if database.engine.dialect.name != "sqlite":  # where one at a time may write
                uow.tags.where()
                both.wait()
            uow.forms.get(form, lock=True).form_data[f"thread {n}"] = n
            uow.commit()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not faults(database)
    assert len({(row.stream_id, row.number) for row in rows_of(database)}) == len(rows_of(database))


def test_a_stream_of_which_nobody_knows_whether_it_went_on_is_not_gone_on_with(
    database, form, monkeypatch
):
    grade(database, form, 1)
    (stream,) = {row.stream_id for row in rows_of(database)}
    dialect = database.engine.dialect

    def lost(_connection):
        raise ConnectionLost("while it was committed")

    with monkeypatch.context() as patched, database.unit_of_work() as uow:
        uow.forms.get(form).form_data["grade"] = 2
        uow.flush()
        patched.setattr(dialect, "do_commit", lost)
        with pytest.raises(ConnectionLost):
            uow.commit()
    grade(database, form, 3)
    assert len({row.stream_id for row in rows_of(database)} - {stream}) == 1
    assert not faults(database)


def test_a_forked_process_takes_no_stream_of_its_parent(monkeypatch):
    streams = Streams()
    own = streams.take()
    own.last_number = 5
    streams.give_back(own)
    monkeypatch.setattr("os.getpid", lambda: -1)
    assert streams.take() is not own
    streams.give_back(own)
    assert streams.take() is own


def test_many_changes_of_long_texts_are_written_in_several_statements(database, form, monkeypatch):
    monkeypatch.setattr("eyened_domain.adapters.sql.history.writing._MOST_CHARACTERS", 5000)
    monkeypatch.setattr("eyened_domain.adapters.sql.history.log.MOST_WAITING", 20_000)
    with database.unit_of_work() as uow:
        for n in range(40):
            uow.forms.get(form).form_data["text"] = f"{n} " * 400
            uow.flush()
        uow.commit()
        assert len(History().find(uow, entity=FormAnnotation)) == 41
    assert not faults(database)


def test_many_rows_written_by_the_set_are_few_entries(database, builder):
    with database.unit_of_work() as uow:
        ann = uow.creators.add(builder.a_creator())
        uow.flush()
        made_by = {"tag_type": "Study", "creator_id": ann.creator_id}
        rows = [{"tag_name": f"tag {n}", "tag_description": "", **made_by} for n in range(1200)]
        ids = uow.rows.insert(Tag, rows, key=["tag_name"])
        texts = [{"tag_id": one, "tag_description": f"text {one}"} for one in ids]
        uow.rows.update(Tag, texts[:9])
        uow.rows.update(Tag, texts)
        uow.commit()
    entries = [one.entity for one in rows_of(database)]
    assert entries == ["Creator", *["Tag[]"] * 3, *["Tag"] * 9, *["Tag[]"] * 3]
    assert not faults(database)
    with database.engine.begin() as connection:
        altered = func.replace(history.c.new_values, f'"text {ids[700]}"', '"another"')
        connection.execute(update(history).values(new_values=altered))
    (fault,) = faults(database)
    assert "(update of Tag[] " in fault


def test_a_change_that_is_there_already_is_never_written_over(database, form, monkeypatch):
    grade(database, form, 1)
    (row, *_) = rows_of(database)
    taken = Stream(row.stream_id, row.number)  # as two processes would have it
    monkeypatch.setattr(database._history.streams, "take", lambda: taken)
    with database.unit_of_work() as uow:
        uow.forms.get(form).form_data["grade"] = 2
        with pytest.raises(StorageError, match="were there already"):
            uow.commit()
    assert not faults(database)


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda one: one.__name__)
def test_whatever_is_done_to_the_history_shows(database, form, tamper):
    settings = database.settings
    for n in range(1, 4):
        grade(database, form, n, reason="seen")
    other = Database(settings)  # another process, with a stream of its own
    for n in range(4, 12):
        grade(other, form, n)
    other.close()
    assert not faults(database)
    with database.engine.connect() as connection:
        tamper(Vandal(connection, random.Random(7)))
        assert faults(database, connection)
        connection.rollback()
    assert not faults(database)


def test_what_is_put_back_as_a_whole_shows_beside_a_seal(database, form, tmp_path):
    seal = tmp_path / "history.seal"
    grade(database, form, 1)
    with database.engine.connect() as connection:
        before = [dict(row._mapping) for row in connection.execute(select(history))]
    grade(database, form, 2)
    assert checkup_on(database, audit=True, seal=seal).run(1).exit_code == 0
    with database.engine.begin() as connection:
        connection.execute(delete(history))
        names = {column.name: column.key for column in history.c}
        rows = [{names[name]: value for name, value in row.items()} for row in before]
        connection.execute(insert(history), rows)
    assert not faults(database)
    report = checkup_on(database, audit=True, seal=seal).run(1)
    assert [one.kind for one in report.findings] == [Kind.HISTORY_MISSING]
    assert "the seal says" in report.findings[0].message
    held = json.loads(seal.read_text())
    held["streams"] = dict.fromkeys(held["streams"], 1)
    seal.write_text(json.dumps(held))
    report = checkup_on(database, audit=True, seal=seal).run(1)
    assert "no seal" in report.unchecked["Entries of the history"]


def test_another_key_finds_every_entry_forged(database, form):
    grade(database, form, 1)
    assert len(faults(database, key="another")) > len(rows_of(database))


def test_a_deployment_may_have_no_history(database, builder, form):
    off = Database({**given(database), "EYENED_HISTORY": "off"})
    grade(off, form, 5)
    with off.unit_of_work(actor="nobody", reason="none is looked up") as uow:
        assert not uow.history.is_kept
        assert len(History().find(uow, entity=FormAnnotation)) == 1  # of before
        uow.rows.update(FormAnnotation, [{"form_annotation_id": form, "form_data": {"grade": 6}}])
        uow.forms.delete(uow.forms.get(form))
        uow.commit()
    off.close()
    assert len([row for row in rows_of(database) if row.entity == "FormAnnotation"]) == 1


def given(database):

    url = url_of(database.settings).render_as_string(hide_password=False)
    return {"database_url": url, "secret_key": database.settings.secret_key}


def test_entries_of_an_object_and_of_a_creator_are_found_by_an_index(database, form):
    if database.engine.dialect.name != "sqlite":
        pytest.skip("the optimiser of a server reads small tables whole")
    grade(database, form, 1)
    with database.unit_of_work() as uow, count_queries(database) as counted:
        History().find(uow, of=uow.forms.get(form))
        History().find(uow, by=1)
        History().find(uow)
    plans = []
    with database.engine.connect() as connection:
        for one in [one for one in counted.statements if "History" in one]:
            values = ("FormAnnotation", "1", 1, 1)[: one.count("?") - 1]
            values = (0, *values) if one.count("?") > 1 else ()
            numbers = (*values, *([1] * (one.count("?") - len(values))))
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one}", numbers)
            plans.append(" ".join(row[3] for row in plan))
    for plan, index in zip(plans, ("Entity", "Entity", "ActorID", "MadeAt"), strict=True):
        assert f"History_{index}_idx" in plan
        assert "SCAN" not in plan or index == "MadeAt"


def test_a_table_that_is_gone_is_said_to_be_gone(database, form):
    with database.engine.begin() as connection:
        connection.execute(text("DROP TABLE HistoryStream"))
        connection.execute(text("DROP TABLE History"))
    try:
        with database.unit_of_work() as uow, pytest.raises(ConfigurationError, match="upgrade"):
            History().find(uow)
        with database.unit_of_work() as uow:
            uow.tags.where()
            uow.forms.get(form).form_data["grade"] = 9
            with pytest.raises(Exception, match="History"):
                uow.commit()
    finally:
        history.create(database.engine)
        history_stream.create(database.engine)


def test_a_database_that_is_not_adopted_is_written_as_before(empty_database_url, tmp_path):
    database = Database(settings_on(empty_database_url, tmp_path))
    engine = engine_of(database.settings.prepare())
    contract.create_all(engine)
    engine.dispose()
    with database.unit_of_work(actor="nobody", reason="no table says so") as uow:
        assert not uow.history.is_kept
        tag = uow.tags.add(Builder().a_tag())
        uow.commit()
        tag.tag_name = "changed"
        uow.commit()
        uow.rows.delete(Tag, [(tag.tag_id, tag.tag_id)])
        uow.commit()
        with pytest.raises(ConfigurationError, match="no history yet; run `eorm upgrade`"):
            History().find(uow)
    database.close()


@pytest.mark.parametrize("kind", ["sqlite", *server_names()])
def test_a_crowd_that_is_killed_has_an_entry_for_each_change_and_none_besides(kind, servers):
    server = "" if kind == "sqlite" else servers.server(kind).url("").rstrip("/")
    kind = "sqlite" if kind == "sqlite" else "mariadb"
    size = campaign_audit.Size(workers=3, each=12, kills=3, timed=1)
    figures = campaign_audit.run(kind, size, random.SystemRandom().randrange(2**31), server)
    assert figures.sound, figures
