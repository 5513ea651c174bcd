"""A store is copied into a new one: all or nothing, whenever it is interrupted."""

import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
import zarr
from sqlalchemy import delete, event, select

from campaigns.kit.crowd import context
from eyened_domain import (
    ConfigurationError,
    Database,
    EyenedError,
    ModelSegmentation,
    PixelsLost,
    Segmentation,
)
from eyened_domain.adapters.checkup import checkup_on
from eyened_domain.adapters.files import durable
from eyened_domain.adapters.pixels import defragment
from eyened_domain.adapters.pixels.defragment import Defragmenter
from eyened_domain.adapters.pixels.tree import tree_of
from eyened_domain.adapters.pixels.zarr import copying
from eyened_domain.adapters.pixels.zarr.copying import copy_slot
from eyened_domain.adapters.pixels.zarr.files import SlotFiles
from eyened_domain.adapters.sql.schema.pixels import zarr_slot
from eyened_domain.model.computation import SegmentationModel
from eyened_domain.services.doctor import Kind
from tests.integration.test_pixels import SHAPE, drawn, pixels, slot_files, states

ARRAY = ("DataRepresentation.Binary", "uint8_3_96_200.zarr")


@pytest.fixture
def stored(database, builder):
    """Ids of five segmentations and one of a model; some were written again, one is of old."""
    with database.unit_of_work() as uow:
        ones = uow.segmentations.add_all([drawn(builder) for _ in range(5)])
        for n, one in enumerate(ones[:4]):
            one.write_data(pixels(50 + n))
        uow.commit()
        for n, one in enumerate(ones[:4]):
            one.write_data(pixels(n))
        uow.commit()
        root = zarr.open_group(database.settings.segmentations_zarr_store, mode="r+")
        array: Any = root["/".join(ARRAY)]
        at = array.shape[0]
        array.resize((at + 2, *SHAPE))
        array[at] = pixels(4)
        ones[4].zarr_array_index = at
        zero = drawn(builder, zarr_array_index=at + 1)  # zeros, for which there is no file
        uow.segmentations.add(zero)
        model = SegmentationModel(model_name="unet", version="1", feature=ones[0].feature)
        computed = ModelSegmentation(
            model=model,
            image_instance=ones[0].image_instance,
            data_representation="Probability",
            data_type="R32F",
            depth=3,
            height=96,
            width=200,
            sparse_axis=0,
        )
        uow.repository(ModelSegmentation).add(computed)
        uow.flush()
        computed.write_data(pixels(9).astype("float32") / 2)
        uow.commit()
    return [one.segmentation_id for one in (*ones, zero)], computed.model_segmentation_id


def on_new_store(database, new: Path) -> Database:
    return Database(attrs.evolve(database.settings, segmentations_zarr_store=new))


def assert_all_are_there(database, stored):
    ids, computed = stored
    with database.get_session() as session:
        for n, identity in enumerate(ids[:5]):
            assert (Segmentation.by_id(session, identity).read_data() == pixels(n)).all()
        assert not Segmentation.by_id(session, ids[5]).read_data().any()
        found = ModelSegmentation.by_id(session, computed).read_data()
        assert (found == pixels(9).astype("float32") / 2).all()


def run(database, new):
    return Defragmenter(database.engine, database.pixel_shelf.files, SlotFiles(new)).run()


def test_the_new_store_has_what_rows_point_to_without_gaps_and_nothing_else(
    database, stored, tmp_path
):
    new = tmp_path / "new.zarr"
    done = run(database, new)
    assert (done.copied, done.slots, done.arrays) == (7, 7, 2)
    fresh = on_new_store(database, new)
    assert_all_are_there(fresh, stored)
    assert sorted(states(fresh)) == [0, 1, 2, 3, 4, 5]
    assert set(states(fresh).values()) == {"live"}
    assert len(slot_files(fresh)) == 7
    assert not list(new.glob(".eyened-defragment*"))
    report = checkup_on(fresh, young_s=0).run(3)
    assert {one.kind for one in report.findings} <= {Kind.IMAGE_MISSING}
    binary, _ = tree_of(fresh.engine, fresh.pixel_shelf.files)
    assert (binary.used, binary.free, binary.shape) == (6, 0, (6, *SHAPE))
    with fresh.unit_of_work() as uow:  # and it is written to
        one = uow.segmentations.get(stored[0][0])
        one.write_data(pixels(77))
        uow.commit()
        assert (one.read_data() == pixels(77)).all()
    array: Any = zarr.open_group(new, mode="r")["/".join(ARRAY)]
    assert (array[3] == pixels(3)).all() or array.shape[0] >= 6
    fresh.close()


def test_the_old_store_is_left_and_not_written_to_any_more(database, stored, tmp_path):
    before = slot_files(database)
    run(database, tmp_path / "new.zarr")
    assert slot_files(database) == before
    other = Database(database.settings)
    with other.unit_of_work() as uow:
        one = uow.segmentations.get(stored[0][0])
        with pytest.raises(ConfigurationError, match=r"was copied to .*new\.zarr"):
            one.write_data(pixels(5))
    other.close()
    with pytest.raises(ConfigurationError, match="was copied to"):
        run(database, tmp_path / "another.zarr")


def test_a_row_whose_pixels_are_lost_stops_it_and_nothing_has_changed(database, stored, tmp_path):
    with database.get_session() as session:
        lost = Segmentation.by_id(session, stored[0][1]).zarr_array_index
    file = Path(database.settings.segmentations_zarr_store, *ARRAY, "c", str(lost))
    shutil.move(file, tmp_path / "aside")
    before = states(database)
    with pytest.raises(PixelsLost, match=rf"Segmentation {stored[0][1]} \(lost\)"):
        run(database, tmp_path / "new.zarr")
    assert states(database) == before
    shutil.move(tmp_path / "aside", file)
    assert run(database, tmp_path / "new.zarr").copied == 1
    assert_all_are_there(on_new_store(database, tmp_path / "new.zarr"), stored)


def test_it_writes_into_no_folder_that_holds_something_else(database, stored, tmp_path):
    new = tmp_path / "new.zarr"
    new.mkdir()
    (new / "precious").write_text("mine")
    with pytest.raises(ConfigurationError, match="is not empty"):
        run(database, new)
    with pytest.raises(ConfigurationError, match="names already"):
        run(database, Path(database.settings.segmentations_zarr_store))
    assert list(new.iterdir()) == [new / "precious"]


def test_what_is_written_and_deleted_meanwhile_is_followed(
    database, stored, tmp_path, builder, monkeypatch
):
    ids, _ = stored
    original = copy_slot
    rounds = []

    def copying(*arguments):
        entry = original(*arguments)
        rounds.append(entry)
        if len(rounds) == 3:
            with database.unit_of_work() as uow:
                uow.segmentations.get(ids[0]).write_data(pixels(100))
                uow.segmentations.delete(uow.segmentations.get(ids[1]))
                uow.commit()
        if len(rounds) == 8:
            with database.unit_of_work() as uow:
                uow.segmentations.get(ids[2]).write_data(pixels(102))
                uow.commit()
        return entry

    monkeypatch.setattr(defragment, "copy_slot", copying)
    run(database, tmp_path / "new.zarr")
    fresh = on_new_store(database, tmp_path / "new.zarr")
    with fresh.get_session() as session:
        for identity, n in ((ids[0], 100), (ids[2], 102), (ids[3], 3), (ids[4], 4)):
            assert (Segmentation.by_id(session, identity).read_data() == pixels(n)).all()
    assert sorted(states(fresh)) == [0, 1, 2, 3, 4]
    assert len(slot_files(fresh)) == 6
    fresh.close()


class Death:
    """Kills its process at the n-th change of a phase: of files, of rows, or after them."""

    def __init__(self, moment: str) -> None:
        phase, left = moment.split()
        self.phase, self.left, self.now = phase, int(left), "files"

    def passed(self) -> None:
        self.left -= self.now == self.phase
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)

    def __getattr__(self, name: str):
        """Stand in for `os`."""
        found = getattr(os, name)
        if name not in {"link", "replace", "write", "unlink", "mkdir", "rmdir"}:
            return found

        def call(*arguments, **options):
            self.passed()
            return found(*arguments, **options)

        return call

    def sent(self, _connection, _cursor, statement, *_) -> None:
        if statement.startswith(("UPDATE `Segm", 'UPDATE "Segm')):
            self.now = "rows"
        if self.now == "rows":
            self.passed()

    def committing(self, _connection) -> None:
        if self.now == "rows":
            self.passed()
            self.now = "after"


def _defragment_and_die(settings, new, moment) -> None:
    death: Any = Death(moment)
    for module in (durable, copying):
        vars(module)["os"] = death
    database = Database(settings)
    event.listen(database.engine, "before_cursor_execute", death.sent)
    event.listen(database.engine, "commit", death.committing)
    Defragmenter(database.engine, database.pixel_shelf.files, SlotFiles(new)).run()


def kill_at(settings, new, moment) -> bool:
    """Run it in a process that is killed at the n-th change of a phase; return whether it was."""
    one = context().Process(target=_defragment_and_die, args=(settings, new, moment))
    one.start()
    one.join()
    assert one.exitcode in {0, -signal.SIGKILL}
    return one.exitcode == -signal.SIGKILL


@pytest.mark.parametrize(
    "step", ["files 2", "files 9", "files 30", "rows 1", "rows 3", "rows 5", "after 1", "after 3"]
)
def test_killed_at_any_moment_it_finishes_when_it_is_run_again(
    database, database_url, stored, tmp_path, step
):
    from eyened_domain.testing.databases import settings_on

    new = tmp_path / "new.zarr"
    assert kill_at(settings_on(database_url, tmp_path), new, step)
    again = Database(database.settings)
    try:
        assert_all_are_there(again, stored)  # the database is as it was
    except EyenedError:
        fresh = on_new_store(database, new)  # or has changed over, all of it
        assert_all_are_there(fresh, stored)
        fresh.close()
    again.close()
    with suppress(ConfigurationError):  # it was all done already
        run(database, new)
    fresh = on_new_store(database, new)
    assert_all_are_there(fresh, stored)
    assert sorted(states(fresh)) == [0, 1, 2, 3, 4, 5]
    assert len(slot_files(fresh)) == 7
    fresh.close()


def test_of_an_older_program_what_is_written_in_place_meanwhile_is_copied_again(
    database, stored, tmp_path, monkeypatch
):
    ids, _ = stored
    with database.engine.begin() as connection:
        connection.execute(delete(zarr_slot))
    original = copy_slot
    rounds = []

    def copying(*arguments):
        entry = original(*arguments)
        rounds.append(entry)
        if len(rounds) == 7:
            with database.engine.connect() as connection:
                index = Segmentation.ZarrArrayIndex
                at = connection.scalar(select(index).where(Segmentation.SegmentationID == ids[4]))
            root = zarr.open_group(database.settings.segmentations_zarr_store, mode="r+")
            array: Any = root["/".join(ARRAY)]
            array[at] = np.ones(SHAPE, "uint8")
        return entry

    monkeypatch.setattr(defragment, "copy_slot", copying)
    run(database, tmp_path / "new.zarr")
    fresh = on_new_store(database, tmp_path / "new.zarr")
    with fresh.get_session() as session:
        assert Segmentation.by_id(session, ids[4]).read_data().all()
    fresh.close()
