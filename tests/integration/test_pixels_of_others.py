"""What an older program does through zarr and SQL to pixels of ours is read and taken over."""

import logging
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
import zarr.codecs
from numcodecs.zstd import Zstd
from sqlalchemy import delete, select, text, update

from eyened_domain import (
    Database,
    Duplicate,
    FolderMissing,
    PixelsDamaged,
    PixelsLost,
    Segmentation,
)
from eyened_domain.adapters.checkup import checkup_on
from eyened_domain.adapters.pixels.collect import Collector
from eyened_domain.adapters.pixels.defragment import Defragmenter
from eyened_domain.adapters.pixels.examinations import taking_over, unsigned
from eyened_domain.adapters.pixels.positions import mounted
from eyened_domain.adapters.pixels.zarr import survey
from eyened_domain.adapters.pixels.zarr.files import SlotFiles
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.adapters.sql.schema.pixels import zarr_slot
from eyened_domain.services.doctor import Kind
from eyened_domain.testing import count_queries

segmentation = table_of(Segmentation)

SHAPES = {"flat": (1, 64, 64), "shard": (3, 96, 200), "frame": (3, 96, 200), "gzip": (3, 96, 200)}
"""A photograph's mask, a volume of ours, one in an array of an older program, other codecs."""


def pixels(seed, shape):
    return np.random.default_rng(seed).integers(0, 2, shape, dtype=np.uint8)


class Scene:
    """A mask of ours with pixels 1, in an array of some kind, and the older program beside it."""

    def __init__(self, database: Database, builder, layout: str) -> None:
        self.database = database
        self.shape = SHAPES[layout]
        self.store = Path(database.settings.segmentations_zarr_store)
        depth, height, width = self.shape
        self.path = f"DataRepresentation.Binary/uint8_{depth}_{height}_{width}.zarr"
        if layout in {"frame", "gzip"}:
            group = zarr.open_group(self.store, mode="w").create_group("DataRepresentation.Binary")
            codec: Any = {"compressors": zarr.codecs.GzipCodec()} if layout == "gzip" else {}
            group.create_array(
                name=self.path.rpartition("/")[2],
                shape=(0, *self.shape),
                chunks=(1, *self.shape),
                dtype="uint8",
                **codec,
            )
        with database.unit_of_work() as uow:
            image = builder.an_image(nr_of_frames=depth, rows_y=height, columns_x=width)
            file = Path(database.settings.images_basepath, image.dataset_identifier)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"an image")
            who = {"creator": builder.a_creator(), "feature": builder.a_feature()}
            self.ids = [self._store(uow, image, who, seed) for seed in (1, 2)]
            uow.commit()

    def _store(self, uow, image, who, seed):
        depth, height, width = self.shape
        grid: Any = {"depth": depth, "height": height, "width": width, "sparse_axis": 0}
        one = Segmentation(
            image_instance=image,
            data_representation="Binary",
            data_type="R8UI",
            **grid,
            **who,
        )
        uow.segmentations.add(one)
        uow.flush()
        one.write_data(pixels(seed, self.shape))
        return one.segmentation_id

    @property
    def theirs(self):
        """The array, as the older program opens it."""
        return zarr.open_group(self.store, mode="r+")[self.path]

    def position(self, n=0) -> int:
        with self.database.engine.connect() as connection:
            asked = select(segmentation.c.zarr_array_index)
            asked = asked.where(segmentation.c.segmentation_id == self.ids[n])
            return int(connection.execute(asked).scalar_one())

    def file(self, n=0) -> Path:
        return self.store / self.path / "c" / str(self.position(n)) / "0" / "0" / "0"

    def read(self, n=0, **place):
        with self.database.get_session() as session:
            return Segmentation.by_id(session, self.ids[n]).read_data(**place)

    def write(self, array, n=0, **place) -> None:
        with self.database.unit_of_work() as uow:
            uow.segmentations.get(self.ids[n]).write_data(array, **place)
            uow.commit()

    def sql(self, statement) -> None:
        with self.database.engine.begin() as connection:
            connection.execute(statement)

    def kinds(self, level=3, **options) -> list[Kind]:
        report = checkup_on(self.database, young_s=0, **options).run(level, fix=bool(options))
        assert not report.unchecked
        return sorted((one.kind for one in report.findings), key=lambda kind: kind.name)

    def adopt(self, level=2) -> list[str | None]:
        report = checkup_on(self.database, adopt=True).run(level, fix=True)
        return [one.done for one in report.repairs]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    """Nobody is writing in place: a file that cannot be decoded is not waited for."""
    monkeypatch.setattr(
        "eyened_domain.adapters.pixels.positions.standing.time.sleep", lambda _: None
    )


@pytest.fixture(params=SHAPES)
def scene(request, database, builder):
    return Scene(database, builder, request.param)


@pytest.fixture
def shards(database, builder):
    return Scene(database, builder, "shard")


@pytest.fixture
def frames(database, builder):
    return Scene(database, builder, "frame")


# -- through zarr ------------------------------------------------------------------------


def test_a_mask_that_was_written_over_in_place_is_read_whole_and_by_slices(scene):
    scene.theirs[scene.position()] = pixels(7, scene.shape)
    for _ in range(2):
        assert (scene.read() == pixels(7, scene.shape)).all()
        assert (scene.read(axis=0, slice_index=0) == pixels(7, scene.shape)[0]).all()
        assert (scene.read(axis=2, slice_index=3) == pixels(7, scene.shape)[..., 3]).all()
    assert (scene.read(1) == pixels(2, scene.shape)).all()


def test_a_slice_that_was_written_over_in_place_is_read_with_the_others(scene):
    scene.theirs[scene.position(), 0] = 1 - pixels(1, scene.shape)[0]
    wanted = pixels(1, scene.shape)
    wanted[0] = 1 - wanted[0]
    assert (scene.read() == wanted).all()
    for scan in range(scene.shape[0]):
        assert (scene.read(axis=0, slice_index=scan) == wanted[scan]).all()


def test_the_next_slice_that_is_written_here_is_put_into_what_they_drew(scene):
    position = scene.position()
    scene.theirs[position] = pixels(7, scene.shape)
    scene.write(pixels(8, scene.shape)[:, :, 5], axis=2, slice_index=5)
    wanted = pixels(7, scene.shape)
    wanted[:, :, 5] = pixels(8, scene.shape)[:, :, 5]
    assert scene.position() != position
    assert (scene.read() == wanted).all()
    assert (scene.theirs[scene.position()] == wanted).all()
    scene.write(pixels(9, scene.shape)[-1], axis=0, slice_index=scene.shape[0] - 1)
    wanted[-1] = pixels(9, scene.shape)[-1]
    assert (scene.read() == wanted).all()
    assert (scene.read(1) == pixels(2, scene.shape)).all()
    assert scene.kinds() == []


def test_a_mask_that_they_erased_has_no_file_and_reads_as_zeros(scene):
    scene.theirs[scene.position()] = 0
    assert not scene.file().exists()
    assert not scene.read().any()
    assert not scene.read(axis=0, slice_index=0).any()
    scene.write(pixels(8, scene.shape)[0], axis=0, slice_index=0)
    wanted = np.zeros(scene.shape, np.uint8)
    wanted[0] = pixels(8, scene.shape)[0]
    assert (scene.read() == wanted).all()


def test_a_slice_that_they_erased_reads_as_zeros(scene):
    scene.theirs[scene.position(), 0] = 0
    assert not scene.read(axis=0, slice_index=0).any()
    assert (scene.read()[1:] == pixels(1, scene.shape)[1:]).all()


def test_what_they_drew_after_erasing_is_read(scene):
    array, position = scene.theirs, scene.position()
    array[position] = 0
    array[position] = pixels(7, scene.shape)
    assert (scene.read() == pixels(7, scene.shape)).all()


@pytest.mark.parametrize("folder", ["the file's", "the position's", "the array's"])
def test_a_file_that_is_gone_with_its_folder_is_lost_and_never_zero(shards, folder):
    depth = {"the file's": 0, "the position's": 2, "the array's": 4}[folder]
    shutil.rmtree(shards.file().parents[depth])
    for attempt in (shards.read, lambda: shards.write(pixels(8, (96, 200)), axis=0, slice_index=0)):
        with pytest.raises(PixelsLost):
            attempt()
    assert Kind.PIXELS_LOST in shards.kinds()


@pytest.mark.parametrize("state", ["garbage", "reserved", "quarantine"])
def test_only_a_live_position_without_a_file_is_called_erased(shards, state):
    shards.file().unlink()
    shards.sql(update(zarr_slot).values(state=state))
    with pytest.raises(PixelsLost):
        shards.read()


def cut(content):
    return content[: len(content) // 2]


def cut_a_little(content):
    return content[:-1]


def append_zeros(content):
    return content + bytes(64)


def zeros(content):
    return bytes(len(content))


def nothing(_content):
    return b""


@pytest.mark.parametrize("author", ["ours", "theirs"])
@pytest.mark.parametrize("damage", [cut, cut_a_little, append_zeros, zeros, nothing])
@pytest.mark.parametrize("layout", ["flat", "shard", "frame"])
def test_what_cannot_be_decoded_is_damage_whoever_wrote_it(
    database, builder, layout, damage, author
):
    scene = Scene(database, builder, layout)
    if author == "theirs":
        scene.theirs[scene.position()] = pixels(7, scene.shape)
    scene.file().write_bytes(damage(scene.file().read_bytes()))
    with pytest.raises(PixelsDamaged, match="restore it from a backup"):
        scene.read()
    with pytest.raises(PixelsDamaged):
        scene.write(pixels(8, scene.shape[:2]), axis=2, slice_index=0)
    assert scene.kinds() == [Kind.PIXELS_DAMAGED]
    assert scene.kinds(adopt=True) == [Kind.PIXELS_DAMAGED]  # and put aside
    assert Kind.IN_QUARANTINE in scene.kinds()


def test_no_flipped_bit_of_our_files_passes_for_another_program(scene):
    content, status = scene.file().read_bytes(), scene.file().stat()
    rng = np.random.default_rng(3)
    manifest = range(8 * (len(content) - 140), 8 * len(content))  # nearly every bit of it
    for at in [*rng.integers(0, 8 * len(content), 30), *rng.choice(manifest, 60, replace=False)]:
        damaged = bytearray(content)
        damaged[at // 8] ^= 1 << (at % 8)
        scene.file().write_bytes(damaged)
        os.utime(scene.file(), ns=(status.st_atime_ns, status.st_mtime_ns))  # as a disk does it
        with pytest.raises(PixelsDamaged):
            scene.read()


def test_a_chunk_of_another_shape_is_damage(frames):
    for size in (10, 3 * 96 * 200 - 1, 3 * 96 * 200 + 1):
        frames.file().write_bytes(Zstd().encode(np.zeros(size, np.uint8)))
        with pytest.raises(PixelsDamaged):
            frames.read()


@pytest.mark.parametrize("so_far", [0, 20, 300])
def test_a_file_that_is_being_written_in_place_is_read_when_it_is_whole(scene, monkeypatch, so_far):
    scene.theirs[scene.position()] = pixels(7, scene.shape)
    whole = scene.file().read_bytes()
    scene.file().write_bytes(whole[:so_far])
    looks = []

    def wait(seconds):
        looks.append(seconds)
        if len(looks) == 2:
            scene.file().write_bytes(whole)

    monkeypatch.setattr("eyened_domain.adapters.pixels.positions.standing.time.sleep", wait)
    assert (scene.read(axis=0, slice_index=0) == pixels(7, scene.shape)[0]).all()
    assert len(looks) == 2


def test_a_unit_that_has_written_already_builds_upon_what_they_drew(scene):
    scene.theirs[scene.position(0)] = pixels(7, scene.shape)
    scene.theirs[scene.position(1)] = 0
    with scene.database.unit_of_work() as uow:
        first, second = (uow.segmentations.get(one) for one in scene.ids)
        first.scan_indices = None
        first.inactive = True
        uow.flush()
        for one in (first, second):
            one.write_data(pixels(8, scene.shape)[0], axis=0, slice_index=0)
            one.write_data(pixels(9, scene.shape)[:, 1], axis=1, slice_index=1)
        uow.commit()
    for n, seed in ((0, 7), (1, None)):
        wanted = np.zeros(scene.shape, np.uint8) if seed is None else pixels(seed, scene.shape)
        wanted[0] = pixels(8, scene.shape)[0]
        wanted[:, 1] = pixels(9, scene.shape)[:, 1]
        assert (scene.read(n) == wanted).all()


def test_it_is_noticed_once_for_each_file(shards, caplog):
    caplog.set_level(logging.WARNING, "eyened_domain")
    shards.theirs[shards.position()] = pixels(7, shards.shape)
    for _ in range(3):
        shards.read()
    (said,) = [one.message for one in caplog.records if "written by another" in one.message]
    assert said.startswith(f"position {shards.position()} of {shards.path} was written by another")
    assert "`eorm doctor --adopt` takes it over" in said
    caplog.clear()
    shards.theirs[shards.position()] = 0
    for _ in range(3):
        shards.read()
    assert len([one for one in caplog.records if "was erased by another" in one.message]) == 1


def test_pixels_of_ours_cost_no_statement_more(shards):
    with shards.database.get_session() as session:
        one = Segmentation.by_id(session, shards.ids[0])
        with count_queries(shards.database.engine) as sent:
            for _ in range(3):
                one.read_data()
                one.read_data(axis=0, slice_index=1)
        assert sent.total <= 1
    with shards.database.get_session() as session:
        one = Segmentation.by_id(session, shards.ids[0])
        with count_queries(shards.database.engine) as sent:
            one.read_data()
        assert sent.total == 0


# -- taken over --------------------------------------------------------------------------


@pytest.mark.parametrize("level", [2, 3])
def test_the_doctor_tells_it_from_damage_and_adopts_it(scene, level):
    scene.theirs[scene.position()] = pixels(7, scene.shape)
    report = checkup_on(scene.database).run(level)
    assert [one.kind for one in report.findings] == [Kind.PIXELS_REPLACED]
    assert report.exit_code == 0
    assert "doctor --adopt" in report.findings[0].message
    assert scene.kinds(grace_s=0)[-1] is Kind.PIXELS_REPLACED  # --fix alone leaves it
    content = scene.file().read_bytes()
    assert scene.adopt(level) == ["its checksum was taken"]
    assert scene.file().read_bytes() == content
    assert scene.kinds() == []
    assert (scene.read() == pixels(7, scene.shape)).all()
    scene.theirs[scene.position()] = pixels(8, scene.shape)
    assert (scene.read() == pixels(8, scene.shape)).all()
    assert scene.kinds() == [Kind.PIXELS_REPLACED]


def test_an_edit_of_the_same_size_is_found_without_opening_every_file(shards):
    shards.sql(update(zarr_slot).values(since=zarr_slot.c.since - 10))
    shards.theirs[shards.position()] = pixels(7, shards.shape)
    shards.sql(update(zarr_slot).values(bytes=shards.file().stat().st_size))
    assert shards.kinds(2) == [Kind.PIXELS_REPLACED]


def test_the_doctor_stores_the_zeros_that_they_left_no_file_for(scene):
    scene.theirs[scene.position()] = 0
    report = checkup_on(scene.database).run(2)
    assert [one.kind for one in report.findings] == [Kind.PIXELS_ERASED]
    assert report.exit_code == 1  # it may be that somebody has removed the file
    assert scene.kinds() == [Kind.PIXELS_ERASED]
    assert scene.adopt() == ["zeros were stored"]
    assert scene.kinds() == []
    assert not scene.read().any()
    shutil.rmtree(scene.file().parents[2])
    with pytest.raises(PixelsLost):
        scene.read()


def test_a_doctor_that_dies_while_it_stores_zeros_leaves_zeros(scene, monkeypatch):
    scene.theirs[scene.position()] = 0

    def die(*_):
        assert scene.file().exists()
        assert not scene.read().any()  # as somebody else does at this moment
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(taking_over, "token_of", die)
        with pytest.raises(KeyboardInterrupt):
            scene.adopt()
    assert not scene.read().any()
    assert scene.kinds() == [Kind.PIXELS_REPLACED]
    assert scene.adopt() == ["its checksum was taken"]
    assert scene.kinds() == []


def test_a_position_that_is_noted_by_others_meanwhile_does_not_end_the_adoption(
    shards, monkeypatch
):
    shards.sql(delete(zarr_slot))
    note, seen = unsigned._note, []

    def overtaken(*arguments):
        seen.append(arguments)
        if len(seen) == 1:
            raise Duplicate("there is a ZarrSlot already")
        return note(*arguments)

    monkeypatch.setattr(unsigned, "_note", overtaken)
    assert shards.kinds(adopt=True) == [Kind.NOT_ADOPTED]
    assert len(seen) == 2
    assert shards.kinds() == []


def test_damage_to_what_was_adopted_is_damage_and_an_edit_is_an_edit(scene):
    scene.theirs[scene.position()] = pixels(7, scene.shape)
    scene.adopt()
    content, status = scene.file().read_bytes(), scene.file().stat()
    for at in range(len(content) // 2, len(content) // 2 + 20):
        damaged = bytearray(content)
        damaged[at] ^= 4
        scene.file().write_bytes(damaged)
        os.utime(scene.file(), ns=(status.st_atime_ns, status.st_mtime_ns))  # as a disk does it
        with pytest.raises(PixelsDamaged):
            scene.read()
    assert scene.kinds() == [Kind.PIXELS_DAMAGED]
    scene.theirs[scene.position()] = pixels(8, scene.shape)
    assert (scene.read() == pixels(8, scene.shape)).all()


def test_a_digest_that_was_taken_anew_is_asked_for_before_anything_is_said(shards):
    other = Database(shards.database.settings)  # as another process, with what it knew
    with other.get_session() as session:
        one = Segmentation.by_id(session, shards.ids[0])
        one.read_data()
        shards.theirs[shards.position()] = pixels(7, shards.shape)
        shards.adopt()
        assert (one.read_data() == pixels(7, shards.shape)).all()
        content, status = bytearray(shards.file().read_bytes()), shards.file().stat()
        content[len(content) // 2] ^= 4
        shards.file().write_bytes(content)
        os.utime(shards.file(), ns=(status.st_atime_ns, status.st_mtime_ns))
        with pytest.raises(PixelsDamaged):
            one.read_data()
    other.close()


def test_a_young_file_of_theirs_is_not_put_aside_as_they_may_be_writing_it(frames):
    frames.theirs[frames.position()] = pixels(7, frames.shape)
    whole = frames.file().read_bytes()
    frames.file().write_bytes(whole[:100])
    for level in (2, 3):
        report = checkup_on(frames.database).run(level, fix=True)
        assert [one.kind for one in report.findings] == [Kind.PIXELS_DAMAGED]
        assert not report.repairs
    frames.file().write_bytes(whole)
    assert (frames.read() == pixels(7, frames.shape)).all()


def test_a_damaged_file_that_is_put_aside_never_reads_as_zeros(frames, monkeypatch):
    frames.file().write_bytes(frames.file().read_bytes()[:50])
    move = survey.move_to_quarantine
    seen = []

    def slowly(*arguments):
        with pytest.raises(PixelsDamaged):
            frames.read()
        moved = move(*arguments)
        with pytest.raises(PixelsLost):
            frames.read()  # as somebody else does at this moment
        seen.append(moved)
        return moved

    monkeypatch.setattr(survey, "move_to_quarantine", slowly)
    frames.kinds(grace_s=10**6)
    assert len(seen) == 1


def test_a_doctor_that_dies_before_it_has_put_a_file_aside_does_so_the_next_time(
    frames, monkeypatch
):
    frames.file().write_bytes(frames.file().read_bytes()[:50])

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(survey, "move_to_quarantine", die)
        with pytest.raises(KeyboardInterrupt):
            frames.kinds(grace_s=10**6)
    assert frames.file().exists()
    frames.kinds(grace_s=10**6)
    assert not frames.file().exists()
    assert frames.kinds() == [Kind.IN_QUARANTINE]


def test_what_is_drawn_where_a_damaged_file_was_put_aside_is_taken_over(frames):
    frames.file().write_bytes(frames.file().read_bytes()[:50])
    frames.kinds(grace_s=10**6)
    assert Kind.IN_QUARANTINE in frames.kinds()
    frames.theirs[frames.position()] = pixels(7, frames.shape)
    assert (frames.read() == pixels(7, frames.shape)).all()
    assert set(frames.kinds()) == {Kind.IN_QUARANTINE, Kind.PIXELS_REPLACED}
    assert frames.adopt() == ["its checksum was taken"]
    assert frames.kinds() == []


def test_a_new_store_has_what_they_drew(scene, tmp_path):
    scene.theirs[scene.position(0)] = pixels(7, scene.shape)
    scene.theirs[scene.position(1)] = 0
    new = SlotFiles(tmp_path / "new.zarr")
    Defragmenter(scene.database.engine, scene.database.pixel_shelf.files, new).run()
    array: Any = zarr.open_group(new.root, mode="r")[scene.path]
    assert (array[scene.position(0)] == pixels(7, scene.shape)).all()
    assert not array[scene.position(1)].any()


# -- through SQL -------------------------------------------------------------------------


def test_a_row_that_they_let_point_elsewhere_is_read_there_and_mended(shards):
    theirs = shards.theirs
    position = theirs.shape[0]
    theirs.resize((position + 1, *shards.shape))
    theirs[position] = pixels(7, shards.shape)
    before = shards.position()
    where = segmentation.c.segmentation_id == shards.ids[0]
    shards.sql(update(segmentation).where(where).values(zarr_array_index=position))
    assert (shards.read() == pixels(7, shards.shape)).all()
    assert shards.kinds() == [Kind.NOT_ADOPTED, Kind.OWNER_GONE]
    shards.kinds(adopt=True)
    assert shards.kinds() == []
    shards.sql(update(segmentation).where(where).values(zarr_array_index=before))
    assert (shards.read() == pixels(1, shards.shape)).all()  # back to what is garbage by now
    assert shards.kinds() == [Kind.OWNER_GONE, Kind.WRONG_STATE]
    shards.kinds(grace_s=0)  # --fix; nothing that a row points to is collected
    assert (shards.read() == pixels(1, shards.shape)).all()
    assert shards.kinds() == []


def test_of_two_rows_at_one_position_the_one_that_is_written_goes_elsewhere(shards):
    names = ", ".join(one.name for one in segmentation.c if one.key != "segmentation_id")
    shards.sql(
        text(
            f"INSERT INTO Segmentation ({names}) SELECT {names} FROM Segmentation "
            f"WHERE SegmentationID = {shards.ids[0]}"
        )
    )
    with shards.database.engine.connect() as connection:
        copied = connection.scalar(text("SELECT max(SegmentationID) FROM Segmentation"))
    shards.ids.append(copied)
    assert (shards.read(2) == pixels(1, shards.shape)).all()
    assert shards.kinds() == [Kind.SHARED_POSITION] * 2
    shards.write(pixels(8, shards.shape), 0)
    assert (shards.read(2) == pixels(1, shards.shape)).all()
    assert shards.kinds() == [Kind.WRONG_STATE]
    Collector(shards.database.engine, shards.database.pixel_shelf.files, grace_s=0).collect(
        dry_run=False
    )
    assert (shards.read(2) == pixels(1, shards.shape)).all()
    shards.kinds(grace_s=10**6)
    assert shards.kinds() == []


def test_a_row_that_they_delete_leaves_a_position_that_becomes_garbage(shards):
    shards.sql(delete(segmentation).where(segmentation.c.segmentation_id == shards.ids[0]))
    assert shards.kinds() == [Kind.OWNER_GONE]
    shards.kinds(grace_s=10**6)
    assert shards.kinds() == []
    assert (shards.read(1) == pixels(2, shards.shape)).all()


def test_scans_that_they_list_in_any_order_are_kept_so(shards):
    where = segmentation.c.segmentation_id == shards.ids[0]
    shards.sql(update(segmentation).where(where).values(scan_indices=[2, 0]))
    assert shards.kinds() == []
    shards.theirs[shards.position(), 1] = 1
    shards.write(pixels(8, shards.shape)[2], axis=0, slice_index=2)
    with shards.database.get_session() as session:
        one = Segmentation.by_id(session, shards.ids[0])
        assert one.scan_indices == [2, 0]
        assert one.read_data(axis=0, slice_index=1).all()


def test_a_row_that_points_where_nobody_has_written_says_so(shards):
    shards.sql(
        update(segmentation)
        .where(segmentation.c.segmentation_id == shards.ids[0])
        .values(zarr_array_index=10_000)
    )
    with pytest.raises(PixelsLost, match="there is no file at position 10000"):
        shards.read()
    assert Kind.POINTS_NOWHERE in shards.kinds()


def test_a_store_that_is_filled_while_it_is_looked_at_is_not_called_empty(tmp_path, monkeypatch):
    connection: Any = None  # nothing is asked of it

    def filled(_connection):
        (tmp_path / "zarr.json").touch()
        return True

    monkeypatch.setattr(mounted, "has_pixels", filled)
    mounted.check_store(connection, tmp_path)
    (tmp_path / "zarr.json").unlink()
    monkeypatch.setattr(mounted, "has_pixels", lambda _connection: True)
    with pytest.raises(FolderMissing, match="SEGMENTATIONS_ZARR_STORE"):
        mounted.check_store(connection, tmp_path)
