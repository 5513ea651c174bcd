"""One at a time writes to SQLite; the others wait for their turn, and readers do not."""

import fcntl
import multiprocessing
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from eyened_domain import Conflict, Database, Project, Segmentation
from eyened_domain.adapters.pixels.collect import Collector
from eyened_domain.adapters.sql import sqlite_turns
from eyened_domain.testing.databases import settings_on
from tests.integration.test_pixels import drawn, pixels, slot_files, states


@pytest.fixture
def database(tmp_path):
    database = Database(settings_on(f"sqlite:///{tmp_path}/turns.db", tmp_path))
    database.init()
    with database.unit_of_work() as uow:
        uow.projects.add(Project(project_name="turns", external="N", description="0"))
        uow.commit()
    yield database
    database.close()


def add_one(uow) -> None:
    project = uow.projects.get(1)
    project.description = str(int(project.description) + 1)


def counted(database) -> int:
    with database.get_session() as session:
        return int(str(Project.by_id(session, 1).description))


def test_others_may_write_while_a_unit_that_can_be_run_again_only_reads(database):
    seen = []

    def work(uow):
        seen.append(uow.projects.get(1).description)
        if len(seen) == 1:
            with database.unit_of_work() as other:
                add_one(other)
                other.commit()

    database.run(work)
    assert seen[0] == "0"
    assert counted(database) == 1


def test_what_was_read_is_read_again_when_somebody_else_has_changed_it(database, monkeypatch):
    tries = []

    def waits(_seconds: float) -> None:
        raise AssertionError("nobody is writing: there is nothing to wait for")

    monkeypatch.setattr(
        sqlite_turns, "time", SimpleNamespace(monotonic=time.monotonic, sleep=waits)
    )

    def work(uow):
        before = int(uow.projects.get(1).description)
        tries.append(before)
        if len(tries) == 1:
            database.run(add_one)
        uow.projects.get(1).description = str(before + 1)

    database.run(work)
    assert tries == [0, 1]
    assert counted(database) == 2


def test_a_unit_that_may_not_be_run_again_keeps_others_from_writing(database, monkeypatch):
    monkeypatch.setattr(sqlite_turns, "PATIENCE_S", 0.05)

    def work(uow):
        uow.projects.get(1)
        with pytest.raises(Conflict, match="writing to the database"):
            database.run(add_one)

    database.run(work, retries=0)
    assert counted(database) == 0


def test_whoever_waits_too_long_is_told_so_and_can_go_on_later(database, monkeypatch):
    monkeypatch.setattr(sqlite_turns, "PATIENCE_S", 0.05)
    with database.unit_of_work() as uow:
        add_one(uow)
        uow.flush()
        with pytest.raises(Conflict, match="run it again"):
            database.run(add_one)
        uow.commit()
    database.run(add_one)
    assert counted(database) == 2


def test_counts_of_threads_and_of_nested_savepoints_are_all_kept(database):
    def work(uow):
        with uow.session.begin_nested():
            add_one(uow)

    def many():
        for _ in range(25):
            database.run(work, retries=60)

    threads = [threading.Thread(target=many) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert counted(database) == 100


def _wait_in_line(folder) -> None:
    Database(settings_on(f"sqlite:///{folder}/turns.db", folder)).run(add_one)


def is_waited_for(database) -> bool:
    """Whether somebody is first in the queue."""
    with Path(f"{database.engine.url.database}-queue").open("w") as queue:
        try:
            fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def test_who_is_killed_while_it_waits_is_no_longer_in_the_queue(database, tmp_path):
    context = multiprocessing.get_context("spawn")
    with database.unit_of_work() as uow:
        add_one(uow)
        uow.flush()
        first = context.Process(target=_wait_in_line, args=(tmp_path,))
        first.start()
        give_up = time.monotonic() + 60
        while not is_waited_for(database):
            assert time.monotonic() < give_up
        first.kill()
        first.join()
        uow.commit()
    database.run(add_one)
    assert counted(database) == 2


def test_without_a_place_for_the_queue_turns_are_taken_all_the_same(database, tmp_path):
    (tmp_path / "turns.db-queue").mkdir()
    with database.unit_of_work() as uow:
        add_one(uow)
        uow.flush()
        other = threading.Thread(target=database.run, args=(add_one,))
        other.start()
        uow.commit()
    other.join()
    assert counted(database) == 2


def test_a_connection_that_was_closed_is_in_nobodys_way_though_a_cursor_is_left(
    database, monkeypatch
):
    monkeypatch.setattr(sqlite_turns, "PATIENCE_S", 0.05)
    writing = database.engine.execution_options(**{sqlite_turns.BEGIN: "IMMEDIATE"})
    with writing.connect() as connection:
        connection.begin()
        left = sqlite_turns.turns_of(connection).execute("SELECT 1 UNION SELECT 2")
        connection.invalidate()  # what SQLAlchemy does after Ctrl-C
    database.run(add_one)
    assert counted(database) == 1
    del left


class TestPositionsOfAUnitThatHasWritten:
    """Nobody else can reserve any for it."""

    @pytest.fixture
    def add(self, builder):
        def add(uow) -> Segmentation:
            one = uow.segmentations.add(drawn(builder))
            uow.flush()
            one.write_data(pixels(1))
            return one

        return add

    def states(self, database) -> list[str]:
        return list(states(database).values())

    def test_are_reserved_together_and_the_next_units_take_what_is_left(self, database, add):
        for _ in range(3):
            with database.unit_of_work() as uow:
                add(uow)
                add(uow)
                uow.commit()
        found = self.states(database)
        assert found.count("live") == 6
        assert found.count("reserved") == 10

    def test_that_is_rolled_back_are_collected_and_not_handed_out(self, database, add):
        with database.unit_of_work() as uow:
            add(uow)
        with database.unit_of_work() as uow:
            positions = [add(uow).zarr_array_index]
            uow.commit()
        with database.unit_of_work() as uow:
            positions.append(add(uow).zarr_array_index)
        found = self.states(database)
        assert (found.count("live"), found.count("garbage")) == (1, 1)
        assert len(set(positions)) == 2
        Collector(
            database.engine, database.pixel_shelf.files, grace_s=0, leftover_grace_s=0
        ).collect(dry_run=False)
        assert self.states(database) == ["live"]
        assert len(slot_files(database)) == 1

    def test_in_a_savepoint_that_is_rolled_back_are_garbage(self, database, add):
        with database.unit_of_work() as uow:
            add_one(uow)
            uow.flush()
            savepoint = uow.session.begin_nested()
            add(uow)
            savepoint.rollback()
            kept = add(uow)
            uow.commit()
        with database.get_session() as session:
            found = Segmentation.by_id(session, kept.segmentation_id).read_data()
        assert (found == pixels(1)).all()
        assert self.states(database).count("garbage") == 1

    def test_the_store_says_whose_it_is(self, database, add):
        with database.unit_of_work() as uow:
            add(uow)
            uow.commit()
        assert (database.pixel_shelf.files.root / ".eyened-store.json").is_file()
