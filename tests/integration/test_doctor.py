"""The doctor on real databases and files: what is broken is found, and nothing else is."""

import json
import os
import shutil
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from PIL import Image
from sqlalchemy import delete, insert, select, text, update

from eyened_domain import Database, PixelsDamaged, PixelsLost, Segmentation, Trash
from eyened_domain.adapters.checkup import checkup_on
from eyened_domain.adapters.pixels.zarr import files as zarr_files
from eyened_domain.adapters.pixels.zarr.identity import IDENTITY_FILE
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.adapters.sql.schema.bookkeeping import unit_of_work_log
from eyened_domain.adapters.sql.schema.pixels import zarr_array, zarr_slot
from eyened_domain.model.attribute import AttributeValue
from eyened_domain.model.image import ImageInstance
from eyened_domain.services.doctor import Kind, Watch
from tests.integration.test_pixels import drawn, pixels, slot_files, states

attribute_value = table_of(AttributeValue)
image_instance = table_of(ImageInstance)
segmentation = table_of(Segmentation)

ARRAY = "DataRepresentation.Binary/uint8_3_96_200.zarr"


class Clinic:
    """A database with five segmentations, five images and their thumbnails, all in order."""

    def __init__(self, database: Database, builder) -> None:
        self.database = database
        self.store = Path(database.settings.segmentations_zarr_store)
        self.images = Path(database.settings.images_basepath)
        self.thumbnails = Path(database.settings.thumbnails_path)
        with database.unit_of_work() as uow:
            ones = uow.segmentations.add_all([drawn(builder) for _ in range(5)])
            for n, one in enumerate(ones):
                one.write_data(pixels(n))
                self._files_of(one.image_instance, n)
            uow.commit()
        self.ids = [one.segmentation_id for one in ones]
        self.image_ids = [one.image_instance_id for one in ones]

    def _files_of(self, image, n: int) -> None:
        import hashlib

        image.dataset_identifier = f"images/{n}.png"
        image.thumbnail_path = f"1/{n:024x}"
        file = self.images / image.dataset_identifier
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels(n)[0] * 255).save(file)
        image.nr_of_frames, image.rows_y, image.columns_x = 3, 96, 200
        image.file_checksum = hashlib.md5(file.read_bytes()).digest()
        for size in (144, 540):
            thumbnail = self.thumbnails / f"{image.thumbnail_path}_{size}.jpg"
            thumbnail.parent.mkdir(parents=True, exist_ok=True)
            thumbnail.write_bytes(b"a thumbnail")

    def change(self, table, key, identity, **values) -> None:
        with self.database.engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                connection.execute(text("PRAGMA ignore_check_constraints = ON"))
            connection.execute(update(table).where(table.c[key] == identity).values(**values))

    def change_mask(self, n: int, **values) -> None:
        self.change(segmentation, "segmentation_id", self.ids[n], **values)

    def position(self, n: int) -> int:
        with self.database.engine.connect() as connection:
            asked = select(segmentation.c.zarr_array_index)
            asked = asked.where(segmentation.c.segmentation_id == self.ids[n])
            return int(connection.execute(asked).scalar_one())

    def slot(self, n: int) -> Path:
        return self.store / ARRAY / "c" / str(self.position(n)) / "0" / "0" / "0"

    def change_slot(self, n: int, **values) -> None:
        self.change(zarr_slot, "slot_index", self.position(n), **values)

    def checkup(self, level=3, *, fix=False, **options):
        return checkup_on(self.database, **{"young_s": 0} | options).run(level, fix=fix)

    def kinds(self, level=3, **options) -> list[Kind]:
        report = self.checkup(level, **options)
        assert not report.unchecked
        return sorted((one.kind for one in report.findings), key=lambda kind: kind.name)

    def assert_whole(self, numbers=range(5)) -> None:
        with self.database.get_session() as session:
            for n in numbers:
                found = Segmentation.by_id(session, self.ids[n]).read_data()
                assert (found == pixels(n)).all()


@pytest.fixture(autouse=True)
def _few_looks(monkeypatch):
    """Damaged metadata is not waited for: nobody is writing it."""
    monkeypatch.setattr(zarr_files, "_LOOKS", 2)


@pytest.fixture
def clinic(database, builder) -> Clinic:
    return Clinic(database, builder)


def flip(file: Path, at: int = 200) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 0x10
    file.write_bytes(content)


def lose_file(clinic):
    shutil.rmtree(clinic.slot(1).parents[2])


def points_beyond(clinic):
    with clinic.database.engine.begin() as connection:
        connection.execute(delete(zarr_slot).where(zarr_slot.c.slot_index == clinic.position(1)))
    shutil.rmtree(clinic.slot(1).parents[2])
    clinic.change_mask(1, zarr_array_index=10_000)


def array_gone(clinic):
    shutil.rmtree(clinic.store / ARRAY)


def share(clinic):
    clinic.change_mask(1, zarr_array_index=clinic.position(2))


def damage(clinic):
    flip(clinic.slot(1))


def cut_off(clinic):
    clinic.slot(1).write_bytes(clinic.slot(1).read_bytes()[:2000])


def replace_by_old_program(clinic):
    array: Any = zarr.open_group(clinic.store, mode="r+")[ARRAY]
    array[clinic.position(1)] = pixels(99)


def lose_metadata(clinic):
    (clinic.store / ARRAY / "zarr.json").unlink()


def damage_metadata(clinic):
    (clinic.store / ARRAY / "zarr.json").write_text('{"shape": [')


def shorten_metadata(clinic):
    file = clinic.store / ARRAY / "zarr.json"
    document = json.loads(file.read_text())
    document["shape"][0] = 2
    file.write_text(json.dumps(document))


def lose_group_metadata(clinic):
    (clinic.store / ARRAY).parent.joinpath("zarr.json").unlink()


def unknown_file(clinic):
    folder = clinic.store / ARRAY / "c" / "9999" / "0" / "0"
    folder.mkdir(parents=True)
    (folder / "0").write_bytes(b"whose is it")


def delete_row(clinic):
    with clinic.database.engine.begin() as connection:
        key = segmentation.c.segmentation_id
        connection.execute(delete(segmentation).where(key == clinic.ids[1]))


def foreign_store(clinic):
    file = clinic.store / IDENTITY_FILE
    file.write_text(json.dumps(json.loads(file.read_text()) | {"owner": "0" * 32}))


def lose_image(clinic):
    (clinic.images / "images/1.png").unlink()


def change_image(clinic):
    flip(clinic.images / "images/1.png", 60)


def lose_thumbnail(clinic):
    (clinic.thumbnails / f"1/{1:024x}_540.jpg").unlink()


def unknown_thumbnail(clinic):
    (clinic.thumbnails / "1/unknown_144.jpg").write_bytes(b"")


def old_log(clinic):
    old = datetime.now().replace(microsecond=0) - timedelta(days=31)
    with clinic.database.engine.begin() as connection:
        rows = [{"unit_of_work_id": f"{n:032x}", "committed_at": old} for n in range(1500)]
        connection.execute(insert(unit_of_work_log), rows)


DEFECTS = [
    # what is done, what is found, what is left of it after --fix
    (lose_file, [Kind.PIXELS_LOST], [Kind.PIXELS_LOST]),
    (
        points_beyond,
        [Kind.NOT_ADOPTED, Kind.POINTS_NOWHERE],
        [Kind.NOT_ADOPTED, Kind.POINTS_NOWHERE],
    ),
    (array_gone, [Kind.PIXELS_LOST] * 5, [Kind.PIXELS_LOST] * 5),
    (
        share,
        [Kind.OWNER_GONE, Kind.SHARED_POSITION, Kind.SHARED_POSITION],
        [Kind.SHARED_POSITION] * 2,
    ),
    (lambda c: c.change_slot(1, state="garbage"), [Kind.WRONG_STATE], []),
    (lambda c: c.change_slot(1, state="reserved"), [Kind.WRONG_STATE], []),
    (lambda c: c.change_slot(1, segmentation_id=999), [Kind.WRONG_OWNER], []),
    (lambda c: c.change_slot(1, model_segmentation_id=3), [Kind.WRONG_OWNER], []),
    (damage, [Kind.PIXELS_DAMAGED], [Kind.IN_QUARANTINE]),
    (cut_off, [Kind.PIXELS_DAMAGED], [Kind.IN_QUARANTINE]),
    (replace_by_old_program, [Kind.PIXELS_REPLACED], [Kind.PIXELS_REPLACED]),
    (lose_metadata, [Kind.METADATA_MISSING], []),
    (damage_metadata, [Kind.METADATA_DAMAGED], []),
    (shorten_metadata, [Kind.METADATA_SHORT], []),
    (lose_group_metadata, [Kind.METADATA_MISSING], []),
    (unknown_file, [Kind.UNKNOWN_FILE], []),
    (delete_row, [Kind.OWNER_GONE], []),
    (lose_image, [Kind.IMAGE_MISSING], [Kind.IMAGE_MISSING]),
    (change_image, [Kind.CHECKSUM_DIFFERS], [Kind.CHECKSUM_DIFFERS]),
    (lose_thumbnail, [Kind.THUMBNAIL_MISSING], [Kind.THUMBNAIL_UNKNOWN]),
    (unknown_thumbnail, [Kind.THUMBNAIL_UNKNOWN], [Kind.THUMBNAIL_UNKNOWN]),
    (old_log, [Kind.OLD_LOG], []),
    (
        lambda c: c.change_mask(1, data_type="R32F"),
        [Kind.GRID, Kind.POINTS_NOWHERE],
        None,
    ),
    (lambda c: c.change_mask(1, sparse_axis=2), [Kind.GRID], [Kind.GRID]),
    (lambda c: c.change_mask(1, scan_indices=[3]), [Kind.GRID], [Kind.GRID]),
    (lambda c: c.change_mask(1, threshold=0.5), [], []),
    (
        lambda c: c.change_mask(1, threshold=40, data_representation="Probability"),
        [Kind.GRID, Kind.POINTS_NOWHERE],
        None,
    ),
    (
        lambda c: c.change_mask(1, image_projection_matrix=[[1, 0, 0], [2, 0, 0], [0, 0, 1]]),
        [Kind.GRID],
        [Kind.GRID],
    ),
    (
        lambda c: c.change(image_instance, "image_instance_id", c.image_ids[1], rows_y=95),
        [Kind.GRID],
        None,
    ),
    (
        lambda c: (
            c.change_mask(1, reference_segmentation_id=c.ids[2]),
            c.change_mask(2, reference_segmentation_id=c.ids[1]),
        ),
        [Kind.REFERENCE, Kind.REFERENCE],
        None,
    ),
    (
        lambda c: c.change_mask(1, reference_segmentation_id=c.ids[1]),
        [Kind.REFERENCE],
        None,
    ),
]


def test_in_what_is_in_order_nothing_is_found(clinic):
    assert clinic.kinds() == []
    report = clinic.checkup()
    assert report.exit_code == 0
    assert report.looked_at["Pixels"] == report.looked_at["Files of pixels"] == 5
    assert report.looked_at["Image files"] == 5


@pytest.mark.parametrize(("breaking", "found", "left"), DEFECTS)
def test_what_is_broken_is_found_and_nothing_else_and_mended_where_it_can_be(
    clinic, breaking, found, left
):
    breaking(clinic)
    fresh = Database(clinic.database.settings)  # which has read no metadata yet
    clinic.database, before = fresh, clinic.database
    try:
        order = sorted(found, key=lambda kind: kind.name)
        assert clinic.kinds() == order
        assert clinic.kinds() == order  # a dry run has changed nothing
        if left is not None:
            repairs = clinic.checkup(fix=True).repairs
            assert clinic.kinds() == sorted(left, key=lambda kind: kind.name)
            said = {one.finding.kind for one in repairs if one.done}
            assert said == set(found) - set(left)
    finally:
        fresh.close()
        clinic.database = before


def test_an_array_that_somebody_died_making_is_no_defect_and_is_made_whole(clinic, builder):
    folder = clinic.store / "DataRepresentation.Binary/uint8_1_5_6.zarr"
    folder.mkdir()
    assert clinic.kinds() == []
    mask = np.ones((1, 5, 6), np.uint8)
    with clinic.database.unit_of_work() as uow:
        image = builder.an_image(nr_of_frames=1, rows_y=5, columns_x=6)
        one = uow.segmentations.add(
            drawn(builder, image_instance=image, depth=1, height=5, width=6)
        )
        one.write_data(mask)
        uow.commit()
        assert (one.read_data() == mask).all()
    assert (folder / "zarr.json").exists()


def test_what_the_trash_deletes_for_good_leaves_no_position_without_a_row(clinic):
    with clinic.database.unit_of_work() as uow:
        Trash().delete(uow, uow.segmentations.get(clinic.ids[2]))
        entry = Trash().put_away(uow, uow.segmentations.get(clinic.ids[3]))
        Trash().empty(uow, uow.trash_entries.get(entry.entry_id))
        uow.commit()
    assert clinic.kinds() == []
    clinic.assert_whole([0, 1, 4])


@pytest.mark.parametrize("broken", [lose_metadata, damage_metadata, shorten_metadata])
def test_metadata_that_is_made_again_is_what_it_was(clinic, broken):
    file = clinic.store / ARRAY / "zarr.json"
    before = json.loads(file.read_text())
    broken(clinic)
    clinic.database.close()
    clinic.checkup(fix=True)
    after = json.loads(file.read_text())
    length = after["shape"][0]
    assert length > max(clinic.position(n) for n in range(5))
    assert {**after, "shape": before["shape"]} == before
    clinic.assert_whole()
    array: Any = zarr.open_group(clinic.store, mode="r")[ARRAY]
    assert (array[clinic.position(3)] == pixels(3)).all()


def test_metadata_of_an_old_array_is_made_again_with_its_own_codecs(clinic, builder):
    group: Any = zarr.open_group(clinic.store, mode="r+")["DataRepresentation.Binary"]
    shape = (5, 128, 160)  # such that a new array would be sharded
    array = group.create_array(
        name="uint8_5_128_160.zarr", shape=(2, *shape), chunks=(1, *shape), dtype="uint8"
    )
    mask = np.random.default_rng(1).integers(0, 2, shape, dtype=np.uint8)
    array[1] = mask
    with clinic.database.unit_of_work() as uow:
        image = builder.an_image(nr_of_frames=5, rows_y=128, columns_x=160)
        old = drawn(builder, image_instance=image, depth=5, height=128, width=160)
        old.zarr_array_index = 1
        uow.segmentations.add(old)
        uow.commit()
    (clinic.store / "DataRepresentation.Binary/uint8_5_128_160.zarr/zarr.json").unlink()
    report = clinic.checkup(fix=True)
    assert [one.done for one in report.repairs] == ["was made from the files, with 2 positions"]
    fresh = Database(clinic.database.settings)
    with fresh.get_session() as session:
        assert (Segmentation.by_id(session, old.segmentation_id).read_data() == mask).all()
    fresh.close()


def test_what_is_put_aside_is_kept_and_reading_says_that_it_is_lost(clinic):
    damaged = clinic.slot(1)
    damage(clinic)
    content = damaged.read_bytes()
    clinic.checkup(fix=True)
    aside = clinic.store / ".quarantine" / ARRAY / str(clinic.position(1))
    assert aside.read_bytes() == content
    assert states(clinic.database)[clinic.position(1)] == "quarantine"
    with clinic.database.get_session() as session:
        one = Segmentation.by_id(session, clinic.ids[1])
        with pytest.raises((PixelsLost, PixelsDamaged)):
            one.read_data()
        one.write_data(pixels(1))  # drawn again
        session.commit()
    assert clinic.kinds() == []
    clinic.assert_whole()


def test_garbage_is_a_note_and_is_collected_when_it_is_old(clinic):
    with clinic.database.unit_of_work() as uow:
        uow.segmentations.get(clinic.ids[0]).write_data(pixels(0))
        uow.commit()
    assert clinic.kinds() == []
    report = clinic.checkup(grace_s=0)
    assert [one.kind for one in report.findings] == [Kind.GARBAGE]
    assert report.exit_code == 0
    assert len(slot_files(clinic.database)) == 6
    clinic.checkup(grace_s=0, fix=True)
    assert len(slot_files(clinic.database)) == 5
    assert clinic.kinds(grace_s=0) == []
    clinic.assert_whole()


def test_in_a_store_of_another_database_nothing_is_repaired(clinic):
    foreign_store(clinic)
    damage(clinic)
    report = clinic.checkup(fix=True, grace_s=0)
    assert {one.kind for one in report.findings} == {Kind.FOREIGN_STORE, Kind.PIXELS_DAMAGED}
    assert "belongs to another database" in report.unchecked["Pixels"]
    assert report.exit_code == 2
    assert not report.repairs
    assert clinic.slot(1).exists()


def test_masks_of_an_older_program_are_adopted_and_zeros_become_files(clinic):
    with clinic.database.engine.begin() as connection:
        connection.execute(delete(zarr_slot))
        connection.execute(delete(zarr_array))
    shutil.rmtree(clinic.slot(2).parents[2])  # zeros, to an older program
    array: Any = zarr.open_group(clinic.store, mode="r+")[ARRAY]
    array[clinic.position(3)] = pixels(3)  # and one without a manifest
    os.utime(clinic.slot(4), (time.time(),) * 2)
    assert clinic.kinds() == [Kind.NOT_ADOPTED]
    assert clinic.checkup().exit_code == 0
    assert clinic.kinds(young_s=3600, adopt=True, fix=True) == [Kind.NOT_ADOPTED]
    assert not states(clinic.database)  # somebody may be writing them
    report = clinic.checkup(adopt=True, fix=True)
    assert [one.done for one in report.repairs] == ["the checksums of 5 of 5 were taken"]
    assert clinic.kinds() == []
    assert clinic.slot(2).exists()
    clinic.assert_whole([0, 1, 3, 4])
    flip(clinic.slot(3))
    assert clinic.kinds() == [Kind.PIXELS_DAMAGED]


def test_what_cannot_be_looked_at_is_said(clinic):
    shutil.move(clinic.store, clinic.store.with_name("unmounted"))
    shutil.move(clinic.images, clinic.images.with_name("no images"))
    report = clinic.checkup()
    assert {"Files of pixels", "Pixels", "Image files"} <= set(report.unchecked)
    assert report.exit_code == 2
    assert not clinic.store.exists()


def test_out_of_time_it_says_so_and_goes_on_where_it_was(clinic, monkeypatch):
    from eyened_domain.adapters.pixels.examinations import slot_pixels
    from eyened_domain.services.doctor import OutOfTime

    monkeypatch.setattr(slot_pixels, "_CHUNK", 2)
    flip(clinic.slot(4))

    class Stopping(Watch):
        def tick(self, done, total=None):
            if total == 5 and done >= 2:
                raise OutOfTime

    report = clinic.checkup(watch=Stopping())
    assert report.unchecked == {
        "Pixels": "the time limit was reached",
    }
    assert report.looked_at["Pixels"] == 2
    report = clinic.checkup(resume=True)
    assert report.looked_at["Pixels"] == 3
    assert [one.kind for one in report.findings] == [Kind.PIXELS_DAMAGED]
    assert clinic.checkup(resume=True).looked_at["Pixels"] == 5


def test_a_time_limit_of_nothing_looks_at_nothing(clinic):
    report = clinic.checkup(watch=Watch(0))
    assert report.exit_code == 2
    assert set(report.unchecked.values()) == {"the time limit was reached"}


@pytest.fixture
def unchecked(database):
    """A transaction in which rows of AttributeValue may break its CHECK."""
    engine, name = database.engine, "ALTER TABLE AttributeValue ALTER CHECK {} {}ENFORCED"
    check = "ck_AttributeValue_exactly_one_entity"
    with engine.connect() as connection:
        has_switch = connection.dialect.name == "sqlite" or connection.dialect.is_mariadb
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        elif has_switch:
            connection.exec_driver_sql("SET SESSION check_constraint_checks = 0")
        else:
            connection.exec_driver_sql(name.format(check, "NOT "))
        connection.rollback()
        yield connection
        connection.rollback()
        connection.invalidate()
    if not has_switch:  # the tables are the run's: what breaks the check is taken out first
        with engine.begin() as connection:
            connection.execute(delete(attribute_value))
            connection.exec_driver_sql(name.format(check, ""))


def test_what_the_contract_forbids_of_values_modalities_features_and_forms(
    clinic, database, builder, unchecked
):
    image = clinic.image_ids[0]
    with database.unit_of_work() as uow:
        value = builder.add(uow, __import__("eyened_domain").AttributeValue, full=False)
        uow.commit()
        identity = value.attribute_value_id
    assert clinic.kinds(1) == []
    with unchecked.begin():
        columns = ("image_instance_id", "segmentation_id", "patient_id", "study_id")
        empty = dict.fromkeys((*columns, "model_segmentation_id"))
        unchecked.execute(
            update(attribute_value)
            .where(attribute_value.c.attribute_value_id == identity)
            .values(**empty, value_float=1.5, value_text="x", value_int=2)
        )
        tag = unchecked.scalar(text("SELECT ModalityTag FROM Modality"))
        other = "OCT" if tag != "OCT" else "ColorFundus"
        unchecked.execute(
            update(image_instance)
            .where(image_instance.c.image_instance_id == image)
            .values(modality=other)
        )
    assert clinic.kinds(1) == [
        Kind.MODALITY,
        Kind.OWNERS_OF_VALUE,
        Kind.VALUE_OF_ANOTHER_TYPE,
    ]


def test_a_doctor_beside_writers_reports_nothing(clinic, builder):
    import threading

    stop = threading.Event()

    def write():
        def draw(uow):
            for n, identity in enumerate(clinic.ids):
                uow.segmentations.get(identity).write_data(pixels(n))

        while not stop.is_set():
            clinic.database.run(draw, retries=30)

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(6):
            assert clinic.kinds(grace_s=3600, young_s=3600) == []
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    clinic.assert_whole()


def test_a_store_in_which_nobody_has_stored_anything_needs_no_owner(database):
    database.pixel_shelf.files.make_root()
    assert checkup_on(database).run(3).findings == []
