"""The collector on real databases and a real store: what is old goes, what is needed stays."""

import json
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, func, select, update

from eyened_domain import ConfigurationError, Conflict, Database, Segmentation, StorageError
from eyened_domain.adapters.pixels.collect import GRACE_S, Collector
from eyened_domain.adapters.pixels.positions import ownership
from eyened_domain.adapters.pixels.zarr.identity import IDENTITY_FILE
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.adapters.sql.schema.pixels import zarr_array, zarr_slot
from tests.integration.test_pixels import drawn, pixels, slot_files, states

segmentation = table_of(Segmentation)


@pytest.fixture
def stored(database, builder):
    """The ids of four segmentations, the first of which was written three times."""
    with database.unit_of_work() as uow:
        ones = uow.segmentations.add_all([drawn(builder) for _ in range(4)])
        for n, one in enumerate(ones):
            one.write_data(pixels(n))
        uow.commit()
    for _ in range(2):
        with database.unit_of_work() as uow:
            uow.segmentations.get(ones[0].segmentation_id).write_data(pixels(0))
            uow.commit()
    return [one.segmentation_id for one in ones]


def collector(database, grace_s=0.0):
    return Collector(database.engine, database.pixel_shelf.files, grace_s=grace_s)


def assert_all_are_there(database, stored):
    with database.get_session() as session:
        for n, one in enumerate(Segmentation.by_ids(session, stored)):
            assert (one.read_data() == pixels(n)).all()


def test_what_nobody_points_to_is_removed_and_the_rest_is_as_it_was(database, stored):
    in_vain = list(states(database).values()).count("reserved")
    done = collector(database).collect(dry_run=False)
    assert done.files == 2
    assert done.positions == 2 + in_vain
    assert done.bytes > 0
    assert set(states(database).values()) == {"live"}
    assert len(slot_files(database)) == 4
    assert_all_are_there(database, stored)


def test_a_dry_run_counts_the_same_and_removes_nothing(database, stored):
    before = states(database)
    told = collector(database).collect()
    assert told.dry_run
    assert states(database) == before
    assert len(slot_files(database)) == 6
    done = collector(database).collect(dry_run=False)
    assert (told.positions, told.bytes) == (done.positions, done.bytes)


def test_what_is_younger_than_the_grace_stays(database, stored):
    assert GRACE_S == 7 * 86400
    assert collector(database, GRACE_S).collect(dry_run=False).positions == 0
    assert collector(database, 60).collect(dry_run=False).positions == 0
    with database.engine.begin() as connection:
        old = {"since": int(time.time()) - 61}
        connection.execute(update(zarr_slot).where(zarr_slot.c.state == "garbage").values(**old))
    assert collector(database, 60).collect(dry_run=False).positions == 2


def test_a_position_that_a_row_points_to_is_never_removed_whatever_is_noted(database, stored):
    with database.engine.begin() as connection:
        connection.execute(update(zarr_slot).values(state="garbage"))
    done = collector(database).collect(dry_run=False)
    assert done.in_use == 4
    assert_all_are_there(database, stored)


def test_a_position_is_not_used_again(database, builder, stored):
    highest = max(states(database))
    collector(database).collect(dry_run=False)
    with database.unit_of_work() as uow:
        one = uow.segmentations.add(drawn(builder))
        with pytest.raises(Conflict):  # the positions in hand have been collected
            one.write_data(pixels(9))
    with database.unit_of_work() as uow:
        one = uow.segmentations.add(drawn(builder))
        one.write_data(pixels(9))
        uow.commit()
        assert one.zarr_array_index > highest
    assert len(slot_files(database)) == 5


def test_a_program_that_slept_for_days_hands_out_no_old_position(database, builder, stored):
    reservations = database.pixel_shelf.reservations
    pool = reservations._pool
    for key in pool.since:
        pool.since[key] -= 25 * 3600
    collector(database).collect(dry_run=False)
    with database.unit_of_work() as uow:
        uow.segmentations.get(stored[1]).write_data(pixels(1))
        uow.commit()
    assert_all_are_there(database, stored)


def test_slots_in_quarantine_stay(database, stored):
    with database.engine.begin() as connection:
        connection.execute(
            update(zarr_slot).where(zarr_slot.c.state == "garbage").values(state="quarantine")
        )
    collector(database).collect(dry_run=False)
    assert len(slot_files(database)) == 6


def test_files_half_written_are_removed_when_they_are_old(database, stored):
    root = Path(database.settings.segmentations_zarr_store)
    array = slot_files(database)[0].parents[4]
    halves = [root / ".a.partial", array / ".b.partial", array.parent / ".c.partial"]
    for half in halves:
        half.write_bytes(b"half")
    assert collector(database).collect(dry_run=False).leftovers == 0  # somebody may be writing
    for half in halves:
        os.utime(half, (time.time() - 3601,) * 2)
    assert collector(database).collect().leftovers == 3
    assert all(half.exists() for half in halves)
    assert collector(database, 7200).collect(dry_run=False).leftovers == 0
    assert collector(database).collect(dry_run=False).leftovers == 3
    assert not any(half.exists() for half in halves)


def test_what_was_left_half_written_in_this_second_goes_when_no_grace_is_asked_for(
    database, stored
):
    half = Path(database.settings.segmentations_zarr_store) / ".a.partial"
    half.write_bytes(b"half")
    now = time.time()
    os.utime(half, (now, now))
    files = database.pixel_shelf.files
    impatient = Collector(database.engine, files, grace_s=0, leftover_grace_s=0)
    assert impatient.collect(dry_run=False).leftovers == 1
    assert not half.exists()


def test_a_folder_that_holds_something_else_is_left_whole(database, stored):
    (garbage, *_) = [p for p, state in states(database).items() if state == "garbage"]
    folder = slot_files(database)[0].parents[3] / str(garbage) / "0" / "0"
    (folder / "1").write_bytes(b"another program's chunk")
    done = collector(database).collect(dry_run=False)
    assert done.busy == 1
    assert (folder / "0").exists()
    assert states(database)[garbage] == "garbage"


def test_a_store_says_whose_it_is_from_the_first_reservation_on(database, stored):
    file = Path(database.settings.segmentations_zarr_store, IDENTITY_FILE)
    said = json.loads(file.read_text())
    assert set(said) == {"store", "owner", "where"}
    assert ownership.why_not_ours(database.engine, database.pixel_shelf.files) is None
    again = Database(database.settings)
    with again.unit_of_work() as uow:
        uow.segmentations.get(stored[0]).write_data(pixels(0))
        uow.commit()
    again.close()
    assert json.loads(file.read_text()) == said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"owner": "0" * 32}, "belongs to another database"),
        ({"where": "elsewhere"}, "may be a copy"),
        (None, "has no .eyened-store.json"),
    ],
)
def test_in_a_store_of_another_database_nothing_is_removed(database, stored, change, message):
    file = Path(database.settings.segmentations_zarr_store, IDENTITY_FILE)
    if change is None:
        file.unlink()
    else:
        file.write_text(json.dumps(json.loads(file.read_text()) | change))
    for dry_run in (True, False):
        with pytest.raises(ConfigurationError, match=f"{message}.*claim-store"):
            collector(database).collect(dry_run=dry_run)
    assert len(slot_files(database)) == 6
    ownership.claim_store(database.engine, database.pixel_shelf.files)
    assert collector(database).collect(dry_run=False).files == 2


@pytest.mark.parametrize(
    "names",
    [
        {"array_name": "../../x"},
        {"array_name": "int8_1_2_3.zarr"},
        {"group_name": ".."},
        {"group_name": "DataRepresentation.Other"},
        {"group_name": "model_/../a_1"},
    ],
)
def test_a_name_that_is_none_stops_everything(database, stored, names):
    with database.engine.begin() as connection:
        connection.execute(update(zarr_array).values(**names))
    with pytest.raises(StorageError, match="nothing is removed"):
        collector(database).collect(dry_run=False)
    assert len(slot_files(database)) == 6


def test_a_store_that_cannot_be_looked_through_stops_everything(database, stored, monkeypatch):
    from eyened_domain.adapters.files import durable

    before = states(database)

    class Failing:
        def __getattr__(self, name):
            if name == "scandir":
                raise OSError(5, "Input/output error")
            return getattr(__import__("os"), name)

    monkeypatch.setattr(durable, "os", Failing())
    with pytest.raises(StorageError, match="nothing was removed"):
        collector(database).collect(dry_run=False)
    monkeypatch.undo()
    assert len(slot_files(database)) == 6
    assert states(database) == before


def test_a_reservation_is_taken_away_before_its_file_is(database, stored, monkeypatch):
    """Killed after the removal and before the commit: nobody can make the position live."""
    from eyened_domain.adapters.pixels import collect

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(collect, "remove_slots", killed)
    with pytest.raises(KeyboardInterrupt):
        collector(database).collect(dry_run=False)
    found = list(states(database).values())
    assert set(found) == {"live", "garbage"}
    monkeypatch.undo()
    assert collector(database).collect(dry_run=False).positions == found.count("garbage")


def test_a_segmentation_deleted_by_another_program_is_not_noticed_before_the_doctor(
    database, stored
):
    with database.engine.begin() as connection:
        connection.execute(delete(segmentation).where(segmentation.c.segmentation_id == stored[3]))
    collector(database).collect(dry_run=False)
    assert list(states(database).values()).count("live") == 4


def test_with_a_hostile_collector_nothing_is_lost(database, builder):
    """R8 in small: grace 0, all the time, beside writers."""
    stop = threading.Event()
    failures = []

    def collect_all_the_time():
        while not stop.wait(0.005):  # SQLite gives its lock to whoever asks most often
            try:
                collector(database).collect(dry_run=False)
            except ConfigurationError:
                pass  # the store is not there yet
            except Exception as error:  # noqa: BLE001 - told by the test's own thread
                failures.append(error)

    with database.unit_of_work() as uow:
        ids = [one.segmentation_id for one in _flushed(uow, builder)]
        uow.commit()
    last = {}

    def write(identity, seed):
        rng = np.random.default_rng(seed)
        for _ in range(6):
            drawing = pixels(int(rng.integers(1000)))
            database.run(
                lambda uow, drawing=drawing: uow.segmentations.get(identity).write_data(drawing),
                retries=60,
            )
            last[identity] = drawing

    threads = [threading.Thread(target=write, args=(one, n)) for n, one in enumerate(ids)]
    hostile = threading.Thread(target=collect_all_the_time)
    hostile.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    hostile.join()
    assert not failures
    collector(database).collect(dry_run=False)
    with database.get_session() as session:
        for one in Segmentation.by_ids(session, ids):
            assert (one.read_data() == last[one.segmentation_id]).all()
        assert session.scalar(select(func.count()).select_from(zarr_slot)) == len(ids)
    assert len(slot_files(database)) == len(ids)


def _flushed(uow, builder):
    ones = uow.segmentations.add_all([drawn(builder) for _ in range(4)])
    uow.flush()
    return ones
