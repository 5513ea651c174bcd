"""Pixels on real databases and a real store, beyond what the contract says of every storage."""

import json
import os
import shutil
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
import zarr.codecs
from sqlalchemy import event, select, update

from eyened_domain import (
    ConfigurationError,
    Conflict,
    Database,
    PixelsDamaged,
    PixelsLost,
    RuleBroken,
    Segmentation,
)
from eyened_domain.adapters.files import durable
from eyened_domain.adapters.pixels.positions.reservations import BLOCK, Reservations
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.sql.ended import go_on
from eyened_domain.adapters.sql.schema.pixels import zarr_array, zarr_slot
from eyened_domain.testing import Builder
from eyened_domain.testing.databases import settings_on

SHAPE = (3, 96, 200)
KEY = ArrayKey("DataRepresentation.Binary", "uint8", SHAPE)


def drawn(build, **values):
    depth, height, width = SHAPE
    given = {
        "image_instance": build.an_image(nr_of_frames=depth, rows_y=height, columns_x=width),
        "creator": build.a_creator(),
        "feature": build.a_feature(),
        "data_representation": "Binary",
        "data_type": "R8UI",
        "depth": depth,
        "height": height,
        "width": width,
        "sparse_axis": 0,
    }
    return Segmentation(**given | values)


def pixels(seed=0):
    return np.random.default_rng(seed).integers(0, 2, SHAPE, dtype=np.uint8)


@pytest.fixture
def stored(database, builder):
    """The id of a segmentation with pixels(1)."""
    with database.unit_of_work() as uow:
        one = uow.segmentations.add(drawn(builder))
        one.write_data(pixels(1))
        uow.commit()
        return one.segmentation_id


def slot_files(database: Database) -> list[Path]:
    root = Path(database.settings.segmentations_zarr_store)
    return sorted(file for file in root.rglob("c/*/0/0/0") if file.is_file())


def states(database: Database) -> dict[Any, str]:
    with database.engine.connect() as connection:
        found = connection.execute(select(zarr_slot.c.slot_index, zarr_slot.c.state)).all()
    return {int(position): state for position, state in found}


def test_plain_zarr_opens_what_was_written(database, stored):
    root = zarr.open_group(database.settings.segmentations_zarr_store, mode="r")
    with database.get_session() as session:
        one = Segmentation.by_id(session, stored)
        array: Any = root[f"{one.group_name}/{one.array_name}"]
        assert array.shape[1:] == SHAPE
        assert (array[one.zarr_array_index] == pixels(1)).all()
        assert (array[one.zarr_array_index, 2] == pixels(1)[2]).all()


def test_old_and_new_positions_are_known_and_only_one_is_live(database, stored):
    with database.get_session() as session:
        one = Segmentation.by_id(session, stored)
        first = one.zarr_array_index
        one.write_data(pixels(2))
        session.commit()
        found = states(database)
        assert found[first] == "garbage"
        assert found[one.zarr_array_index] == "live"
        assert sorted(found.values()).count("live") == 1


def test_a_deleted_segmentation_leaves_its_position_as_garbage(database, stored):
    with database.unit_of_work() as uow:
        one = uow.segmentations.get(stored)
        position = one.zarr_array_index
        uow.segmentations.delete(one)
        uow.commit()
    assert states(database)[position] == "garbage"


@pytest.mark.parametrize("damage", ["flip", "truncate", "zero", "swap", "append"])
def test_damage_is_found_on_reading_of_a_volume_and_of_one_scan(database, builder, stored, damage):
    with database.unit_of_work() as uow:
        other = uow.segmentations.add(drawn(builder))
        other.write_data(pixels(2))
        uow.commit()
    mine, theirs = slot_files(database)[:2]
    content = bytearray(mine.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 4
    elif damage == "truncate":
        del content[-40:]
    elif damage == "zero":
        content[100:140] = bytes(40)
    elif damage == "append":
        content += bytes(16)
    elif damage == "swap":
        content = bytearray(theirs.read_bytes())
    mine.write_bytes(content)
    with database.get_session() as session:
        one = Segmentation.by_id(session, stored)
        with pytest.raises(PixelsDamaged, match="restore it from a backup"):
            one.read_data()
        if damage in {"truncate", "swap", "append"}:
            with pytest.raises(PixelsDamaged):
                one.read_data(axis=0, slice_index=0)
        with pytest.raises(PixelsDamaged):
            one.write_data(pixels(3)[:, 0], axis=1, slice_index=0)


def test_pixels_whose_file_is_gone_are_lost_and_never_zero(database, stored):
    shutil.rmtree(slot_files(database)[0].parents[2])
    with database.get_session() as session:
        one = Segmentation.by_id(session, stored)
        for attempt in (one.read_data, lambda: one.write_data(pixels(2)[0], 0, 0)):
            with pytest.raises(PixelsLost, match="there is no file at position"):
                attempt()


def test_a_store_of_an_older_program_is_read_and_extended(database, builder):
    store = database.settings.segmentations_zarr_store
    group = zarr.open_group(store, mode="w").create_group("DataRepresentation.Binary")
    array = group.create_array(
        name="uint8_3_96_200.zarr", shape=(2, *SHAPE), chunks=(1, *SHAPE), dtype="uint8"
    )
    array[1] = pixels(5)  # and zeros at 0, for which there is no file
    with database.unit_of_work() as uow:
        ones = [drawn(builder, zarr_array_index=n) for n in (0, 1)]
        uow.segmentations.add_all(ones)
        uow.commit()
        assert not ones[0].read_data().any()
        assert (ones[1].read_data() == pixels(5)).all()
        ones[0].write_data(pixels(6)[1], axis=0, slice_index=1)
        ones[1].write_data(pixels(7)[2], axis=0, slice_index=2)
        uow.commit()
        assert (ones[0].read_data()[1] == pixels(6)[1]).all()
        assert (ones[1].read_data()[:2] == pixels(5)[:2]).all()
    path = "DataRepresentation.Binary/uint8_3_96_200.zarr"
    extended: Any = zarr.open_group(store, mode="r")[path]
    assert extended.chunks == (1, *SHAPE)
    assert (extended[1] == pixels(5)).all()  # the old position is left as it is
    assert (extended[ones[1].zarr_array_index, 2] == pixels(7)[2]).all()


def test_arrays_with_other_codecs_are_read_and_written_by_their_own_metadata(database, builder):
    store = database.settings.segmentations_zarr_store
    group = zarr.open_group(store, mode="w").create_group("DataRepresentation.Binary")
    group.create_array(
        name="uint8_3_96_200.zarr",
        shape=(0, *SHAPE),
        chunks=(1, *SHAPE),
        dtype="uint8",
        compressors=zarr.codecs.GzipCodec(level=1),
    )
    with database.unit_of_work() as uow:
        one = uow.segmentations.add(drawn(builder))
        one.write_data(pixels(1))
        one.write_data(pixels(2)[0], axis=0, slice_index=0)
        uow.commit()
    path = "DataRepresentation.Binary/uint8_3_96_200.zarr"
    array: Any = zarr.open_group(store, mode="r")[path]
    assert (array[one.zarr_array_index][0] == pixels(2)[0]).all()
    assert (one.read_data()[1:] == pixels(1)[1:]).all()


def test_a_conflict_is_run_again_by_the_database_and_no_slice_is_lost(database, stored):
    def draw(scan):
        def work(uow):
            uow.segmentations.get(stored).write_data(pixels(scan + 10)[scan], 0, scan)

        database.run(work, retries=20)

    threads = [threading.Thread(target=draw, args=(scan,)) for scan in range(SHAPE[0])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.get_session() as session:
        found = Segmentation.by_id(session, stored).read_data()
    for scan in range(SHAPE[0]):
        assert (found[scan] == pixels(scan + 10)[scan]).all()


def test_a_row_that_was_changed_meanwhile_is_not_written_over(database, stored):
    with database.get_session() as session, database.get_session() as other:
        mine, theirs = Segmentation.by_id(session, stored), Segmentation.by_id(other, stored)
        other.commit()
        session.commit()
        theirs.write_data(pixels(2))
        other.commit()
        with pytest.raises(Conflict, match="changed by somebody else"):
            mine.write_data(pixels(3))
        session.rollback()
        assert (mine.read_data() == pixels(2)).all()


@pytest.mark.parametrize("dirty", [False, True], ids=["after reading", "after writing"])
def test_a_rolled_back_unit_leaves_a_position_that_is_known(database, builder, stored, dirty):
    with database.unit_of_work() as uow:
        one = uow.segmentations.get(stored)
        if dirty:
            one.creator.creator_name = "somebody else"
            uow.flush()
        one.write_data(pixels(2))
        position = one.zarr_array_index
    assert states(database)[position] in {"reserved", "garbage"}
    assert len(slot_files(database)) == 2
    with database.unit_of_work() as uow:
        one = uow.segmentations.get(stored)
        assert (one.read_data() == pixels(1)).all()
        one.write_data(pixels(3))
        assert one.zarr_array_index != position
        uow.commit()


def test_a_savepoint_that_is_rolled_back_leaves_the_old_pixels(database, stored):
    with database.get_session() as session:
        one = Segmentation.by_id(session, stored)
        with session.begin_nested() as savepoint:
            one.write_data(pixels(2))
            savepoint.rollback()
        assert (one.read_data() == pixels(1)).all()
        session.commit()
        assert (one.read_data() == pixels(1)).all()


def test_a_store_that_is_not_mounted_is_not_made_anew(database, stored):
    shutil.rmtree(database.settings.segmentations_zarr_store)
    again = Database(database.settings)
    with again.get_session() as session:
        one = Segmentation.by_id(session, stored)
        with pytest.raises(ConfigurationError, match="SEGMENTATIONS_ZARR_STORE"):
            one.write_data(pixels(2))
    again.close()


def test_a_link_in_the_store_is_not_followed(database, stored, tmp_path):
    (file,) = slot_files(database)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    array = file.parents[4]
    shutil.move(array / "c", elsewhere / "c")
    (array / "c").symlink_to(elsewhere / "c")
    with database.get_session() as session:
        one = Segmentation.by_id(session, stored)
        with pytest.raises(Exception, match="could not be read or written"):
            one.read_data()
        with pytest.raises(Exception, match="could not be read or written"):
            one.write_data(pixels(2))
    assert len(list((elsewhere / "c").rglob("*"))) == 4


def test_reading_many_asks_for_their_checksums_together(database, builder, assert_queries):
    with database.unit_of_work() as uow:
        for n in range(12):
            uow.segmentations.add(drawn(builder)).write_data(pixels(n))
        uow.commit()
    fresh = Database(database.settings)
    with fresh.get_session() as session:
        ones = Segmentation.fetch_all(session)
        with assert_queries(fresh, at_most=1):
            for n, one in enumerate(ones):
                assert (one.read_data() == pixels(n)).all()
    fresh.close()


def test_a_forked_process_takes_no_position_of_its_parent(database, builder, stored):
    reservations = database.pixel_shelf.reservations
    with database.get_session() as session:
        one = Segmentation.by_id(session, stored)
        from eyened_domain.adapters.pixels.zarr.layout import ArrayKey

        key = ArrayKey.of(one)
    mine = reservations.take(key)
    pool = reservations._pool
    pool.process = -1  # as it is in a child
    assert reservations.take(key).token != mine.token
    with database.engine.connect() as connection:
        assert len(connection.execute(select(zarr_array)).all()) == 1


def test_a_reference_of_another_shape_is_refused(database, builder, stored):
    with database.get_session() as session:
        other = drawn(
            builder,
            image_instance=builder.an_image(nr_of_frames=1, rows_y=4, columns_x=4),
            depth=1,
            height=4,
            width=4,
            reference_segmentation_id=stored,
        )
        session.add(other)
        with pytest.raises(RuleBroken, match="both must have the same"):
            other.write_empty()


def test_builders_make_what_can_be_written(database):
    with database.unit_of_work() as uow:
        one = uow.segmentations.add(Builder().a_segmentation())
        one.write_empty()
        uow.commit()
        assert not one.read_data().any()


def test_one_unit_deletes_a_mask_of_an_older_program_and_writes_another(database, builder):
    store = database.settings.segmentations_zarr_store
    group = zarr.open_group(store, mode="w").create_group("DataRepresentation.Binary")
    group.create_array(
        name="uint8_3_96_200.zarr", shape=(2, *SHAPE), chunks=(1, *SHAPE), dtype="uint8"
    )
    with database.unit_of_work() as uow:
        old, other = uow.segmentations.add_all(
            [drawn(builder, zarr_array_index=0), drawn(builder, zarr_array_index=1)]
        )
        uow.commit()
        uow.segmentations.delete(old)
        uow.flush()
        other.write_data(pixels(1))  # waits for no lock of its own unit
        uow.commit()
    assert states(database)[0] == "garbage"
    assert states(database)[other.zarr_array_index] == "live"


def test_the_position_of_a_new_mask_is_one_of_a_block_on_sqlite_as_well(database, builder):
    with database.unit_of_work() as uow:
        image = uow.images.add(builder.an_image(nr_of_frames=3, rows_y=96, columns_x=200))
        creator = uow.creators.add(builder.a_creator())
        feature = uow.features.add(builder.a_feature())
        uow.commit()
    with database.unit_of_work() as uow:
        one = Segmentation(
            image_instance_id=image.image_instance_id,
            creator_id=creator.creator_id,
            feature_id=feature.feature_id,
            data_representation="Binary",
            data_type="R8UI",
            depth=3,
            height=96,
            width=200,
        )
        uow.segmentations.add(one)
        one.write_data(pixels(1))
        uow.commit()
    assert sorted(states(database).values()) == ["live"] + ["reserved"] * 15


def test_a_collector_that_takes_half_written_metadata_is_no_error(
    database, builder, stored, monkeypatch
):
    taken: list[Any] = []

    class Hostile:
        def __getattr__(self, name):
            return getattr(os, name)

        def replace(self, source, *arguments, **options):
            if not taken:
                taken.append(source)
                os.unlink(source, dir_fd=options["src_dir_fd"])
            os.replace(source, *arguments, **options)  # noqa: PTH105 - of the folder's descriptor

    monkeypatch.setattr(durable, "os", Hostile())
    database.pixel_shelf.reservations.forget(KEY)
    with database.unit_of_work() as uow:
        one = uow.segmentations.get(stored)
        one.write_data(pixels(2))
        uow.commit()
        assert taken
        assert (one.read_data() == pixels(2)).all()


def test_two_who_make_the_same_array_at_once_both_get_positions(mariadb_url, tmp_path):
    database = Database(settings_on(mariadb_url, tmp_path))
    database.pixel_shelf.files.make_root()
    both_have_looked = threading.Barrier(2)
    waiting, positions = [1, 2], []

    def wait(_connection, _cursor, statement, *_rest):
        if statement.startswith("INSERT INTO `ZarrArray`") and waiting:
            waiting.pop()
            with suppress(threading.BrokenBarrierError):  # a row not yet purged keeps one waiting
                both_have_looked.wait(timeout=3)

    def take():
        shelf = database.pixel_shelf
        positions.append(Reservations(database.engine, shelf.files).take(KEY).position)

    event.listen(database.engine, "before_cursor_execute", wait)
    threads = [threading.Thread(target=take) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.close()
    assert len(set(positions)) == 2


@pytest.mark.parametrize("why", ["reservation collected", "changed by others"])
def test_a_conflict_that_is_committed_all_the_same_leaves_the_old_pixels(database, stored, why):
    shelf = database.pixel_shelf
    with database.get_session() as session:
        one = Segmentation.by_id(session, stored)
        session.commit()
        shelf.reservations.forget(KEY)
        shelf.reservations._own_pool().waiting[KEY].append(shelf.reservations.take(KEY))
        with database.engine.begin() as connection:
            if why == "reservation collected":
                reserved = update(zarr_slot).where(zarr_slot.c.state == "reserved")
                connection.execute(reserved.values(state="garbage"))
        if why == "changed by others":
            with database.unit_of_work() as uow:
                uow.segmentations.get(stored).write_data(pixels(1))
                uow.commit()
        with pytest.raises(Conflict):
            one.write_data(pixels(2))
        with pytest.raises(Conflict, match="earlier error has ended"):
            session.commit()
        go_on(session)  # as a program would that goes on over the connection
        session.commit()
    with database.get_session() as session:
        assert (Segmentation.by_id(session, stored).read_data() == pixels(1)).all()
    assert list(states(database).values()).count("live") == 1


def length_of(database):
    root = zarr.open_group(database.settings.segmentations_zarr_store, mode="r")
    array: Any = root[KEY.path]
    return array.shape[0]


def test_an_array_that_an_older_program_has_made_shorter_grows_again(database, stored):
    document = Path(database.settings.segmentations_zarr_store, KEY.path, "zarr.json")
    before = length_of(database)
    shorter = json.loads(document.read_text())
    shorter["shape"][0] = before - BLOCK + 1
    document.write_text(json.dumps(shorter))
    with database.unit_of_work() as uow:
        one = uow.segmentations.get(stored)
        one.write_data(pixels(2))
        uow.commit()
        assert one.zarr_array_index >= before, "the old program may take those in hand next"
    assert length_of(database) > one.zarr_array_index


def test_a_position_that_an_older_program_has_taken_is_left_to_it(database, stored):
    reserved = database.pixel_shelf.reservations._own_pool().waiting[KEY][0]
    store = Path(database.settings.segmentations_zarr_store, KEY.path)
    zarr.open_array(store)[reserved.position] = pixels(9)
    with database.unit_of_work() as uow:
        one = uow.segmentations.get(stored)
        one.write_data(pixels(2))
        uow.commit()
        assert one.zarr_array_index != reserved.position
        assert (one.read_data() == pixels(2)).all()
    assert (zarr.open_array(store)[reserved.position] == pixels(9)).all()


def test_an_array_whose_folder_was_taken_away_is_made_again(database, builder, stored):
    with database.unit_of_work() as uow:
        one = uow.segmentations.get(stored)
        shutil.rmtree(Path(database.settings.segmentations_zarr_store, one.group_name))
        with pytest.raises(PixelsLost):
            one.read_data()
        for n in range(20):  # more than one block
            uow.segmentations.add(drawn(builder)).write_data(pixels(n))
        uow.commit()
    with database.get_session() as session:
        others = Segmentation.fetch_all(session)[1:]
        for n, other in enumerate(others):
            assert (other.read_data() == pixels(n)).all()
