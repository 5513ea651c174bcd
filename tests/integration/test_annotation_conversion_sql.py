"""Legacy annotations on real databases: read, and converted to segmentations with pixels."""

from __future__ import annotations

import gzip
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import delete, select, text

from eyened_domain import Annotation, AnnotationData, Database, Segmentation, StorageError
from eyened_domain.adapters.sql.schema.pixels import annotation_conversion
from eyened_domain.errors import ConfigurationError, Duplicate
from eyened_domain.services.annotation_conversion import AnnotationConversion
from eyened_domain.services.segmenting import Segmenting
from eyened_domain.testing import Builder

HEIGHT, WIDTH, DEPTH = 60, 80, 5
SHARED = Path(os.environ.get("EYENED_SHARED", Path(__file__).parents[3] / "shared"))
LESIONS = SHARED / "data" / "masks" / "IDRiD_17_lesions.tif"


def spots(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2, shape).astype(np.uint8)


class Legacy:
    """Annotations on a database, with files of their own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.folder = Path(database.settings.annotations_path)
        self.folder.mkdir(parents=True, exist_ok=True)
        builder = Builder()
        self.builder = builder
        with database.unit_of_work() as uow:
            kinds = [
                uow.annotation_types.add(
                    builder.an_annotation_type(annotation_type_name=one, interpretation=one)
                )
                for one in ("R/G mask", "Binary mask")
            ]
            patient = uow.patients.add(builder.a_patient())
            uow.creators.add(builder.a_creator())
            uow.features.add(builder.a_feature())
            uow.flush()
            self.kinds = {one.interpretation: one.annotation_type_id for one in kinds}
            self.series = builder.a_series(study=builder.a_study(patient=patient))
            uow.series.add(self.series)
            uow.commit()
            self.patient_id = patient.patient_id
            self.owners: dict[str, Any] = {
                "creator_id": uow.creators.where()[0].creator_id,
                "feature_id": uow.features.where()[0].feature_id,
            }

    def add(
        self,
        drawn: dict[int, np.ndarray],
        kind: str,
        frames: int = 1,
        size: tuple[int, int] = (HEIGHT, WIDTH),
        **values: Any,
    ) -> int:
        with self.database.unit_of_work() as uow:
            image = uow.images.add(
                self.builder.an_image(
                    series_id=self.series.series_id,
                    rows_y=size[0], columns_x=size[1], nr_of_frames=frames,
                )
            )  # fmt: skip
            uow.flush()
            annotation = uow.annotations.add(
                Annotation(
                    patient_id=self.patient_id,
                    image_instance_id=image.image_instance_id,
                    annotation_type_id=self.kinds[kind],
                    **self.owners,
                    **values,
                )
            )
            uow.flush()
            for scan, pixels in drawn.items():
                is_png = pixels.shape[-1] == 3
                name = f"{annotation.annotation_id}_{scan}.{'png' if is_png else 'raw.gz'}"
                if is_png:
                    Image.fromarray(pixels).save(self.folder / name)
                else:
                    (self.folder / name).write_bytes(gzip.compress(pixels.tobytes()))
                uow.annotation_data.add(
                    AnnotationData(
                        annotation_id=annotation.annotation_id,
                        scan_nr=scan,
                        dataset_identifier=name,
                        media_type="image/png" if is_png else "application/octet-stream",
                    )
                )
            uow.commit()
            return annotation.annotation_id

    def convert(self, *, create: Any = None, portion: int = 3, **options: Any) -> Any:
        options = {"apply": True} | options
        return AnnotationConversion(self.database, create, portion=portion).run(**options)


@pytest.fixture
def legacy(database: Database) -> Legacy:
    return Legacy(database)


def test_files_are_read_through_a_session(legacy: Legacy, database: Database):
    drawn = spots(HEIGHT, WIDTH, 3) * 255
    number = legacy.add({-1: drawn}, "R/G mask")
    scans = {1: spots(HEIGHT, WIDTH), 4: spots(HEIGHT, WIDTH, seed=4)}
    volume = legacy.add(scans, "Binary mask", DEPTH)
    with database.get_session() as session:
        row = session.scalars(select(AnnotationData)).first()
        assert row is not None
        assert row.path == legacy.folder / f"{number}_-1.png"
        assert np.array_equal(row.load_data(), drawn)
        annotation = Annotation.by_id(session, number)
        assert np.array_equal(annotation.get_mask(), drawn[..., 0] > 0)
        assert np.array_equal(annotation.get_mask(questionable=True), drawn[..., 1] > 0)
        mask = Annotation.by_id(session, volume).get_mask()
    assert mask.shape == (DEPTH, HEIGHT, WIDTH)
    for scan in range(DEPTH):
        assert np.array_equal(mask[scan], scans.get(scan, np.zeros((HEIGHT, WIDTH))) > 0)
    assert np.array_equal(annotation.get_mask(), drawn[..., 0] > 0)  # the session is closed


def test_pixels_are_in_the_store_as_they_were_drawn(legacy: Legacy, database: Database):
    drawn = spots(HEIGHT, WIDTH, 3) * 255
    scans = {1: spots(HEIGHT, WIDTH), 4: spots(HEIGHT, WIDTH, seed=4)}
    whole, front = spots(DEPTH, HEIGHT, WIDTH), spots(DEPTH, WIDTH)
    flat = legacy.add({-1: drawn}, "R/G mask", inactive=True, date_inserted="2019-03-04 05:06:07")
    some = legacy.add(scans, "Binary mask", DEPTH)
    volume = legacy.add({-1: whole}, "Binary mask", DEPTH)
    en_face = legacy.add({-1: front}, "Binary mask", DEPTH, annotation_reference_id=None)
    limited = legacy.add({-1: front}, "Binary mask", DEPTH, annotation_reference_id=en_face)
    made = legacy.convert(apply=False)
    assert (made.total.converted, made.segmentations) == (5, {})
    made = legacy.convert().segmentations
    with database.unit_of_work() as uow:
        found = {one: uow.segmentations.get(made[one]) for one in made}
        assert [*found] == [flat, some, volume, en_face, limited]
        masks = found[flat].masks()
        assert np.array_equal(masks["mask"][0], drawn[..., 0] > 0)
        assert np.array_equal(masks["questionable"][0], drawn[..., 1] > 0)
        assert found[flat].inactive
        assert str(found[flat].date_inserted) == "2019-03-04 05:06:07"
        assert found[some].scan_indices == [1, 4]
        assert np.array_equal(found[some].read_data()[4], scans[4])
        assert np.array_equal(found[volume].read_data(), whole)
        assert np.array_equal(found[en_face].read_data()[:, 0], front)
        assert found[limited].reference_segmentation_id == made[en_face]
        for number, segmentation in found.items():
            annotation = uow.annotations.get(number)
            assert segmentation.image_instance_id == annotation.image_instance_id
            assert segmentation.creator_id == annotation.creator_id
            assert segmentation.feature_id == annotation.feature_id


@pytest.mark.skipif(not LESIONS.is_file(), reason=f"no mask {LESIONS}; set EYENED_SHARED")
def test_a_real_mask_of_lesions_is_the_same_as_a_segmentation(legacy: Legacy, database: Database):
    with Image.open(LESIONS) as picture:
        drawn = np.array(picture.convert("RGB"))
    number = legacy.add({-1: drawn}, "R/G mask", size=drawn.shape[:2])
    made = legacy.convert().segmentations[number]
    with database.get_session() as session:
        masks = Segmentation.by_id(session, made).masks()
    assert masks["mask"].shape == (1, 2848, 4288)
    assert masks["mask"].sum() == 263_629
    assert np.array_equal(masks["mask"][0], drawn[..., 0] > 0)
    assert np.array_equal(masks["questionable"][0], drawn[..., 1] > 0)


def test_what_was_converted_is_not_converted_again(legacy: Legacy, database: Database):
    numbers = [legacy.add({-1: spots(HEIGHT, WIDTH, 3)}, "R/G mask") for _ in range(7)]

    def stop(done: int, _total: int | None) -> None:
        if done >= 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        legacy.convert(progress=stop)
    report = legacy.convert()
    assert (report.total.already, [*report.segmentations]) == (3, numbers[3:])
    with database.unit_of_work() as uow:
        uow.segmentations.delete(uow.segmentations.get(report.segmentations[numbers[6]]))
        uow.commit()
    assert legacy.convert().total.already == 7
    with database.unit_of_work() as uow:
        assert uow.segmentations.count() == 6
        assert uow.conversions.converted(numbers)[numbers[6]] is None
        with pytest.raises(Duplicate):
            uow.conversions.note(numbers[0], 1)


def test_a_failure_in_the_middle_leaves_neither_row_nor_record(legacy: Legacy, database: Database):
    numbers = [legacy.add({-1: spots(HEIGHT, WIDTH, 3)}, "R/G mask") for _ in range(4)]

    def create(uow: Any, segmentation: Segmentation, pixels: Any) -> Segmentation:
        made = Segmenting().store(uow, segmentation, pixels)
        with database.get_session() as session:
            wanted = Annotation.by_id(session, numbers[2])
        if made.image_instance_id == wanted.image_instance_id:
            raise StorageError("the disk is full")
        return made

    report = legacy.convert(create=create, portion=4)
    assert [(f.annotation_id, f.why) for f in report.failures] == [(numbers[2], "the disk is full")]
    with database.unit_of_work() as uow:
        assert uow.segmentations.count() == 3
        assert {*uow.conversions.converted(numbers)} == {*numbers} - {numbers[2]}
        for one in uow.segmentations.where():
            assert one.has_pixels
    assert [*legacy.convert().segmentations] == [numbers[2]]


def test_two_runs_at_a_time_convert_everything_once(legacy: Legacy, database: Database):
    numbers = [legacy.add({-1: spots(HEIGHT, WIDTH, 3)}, "R/G mask") for _ in range(12)]
    together = threading.Barrier(2)
    reports: list[Any] = []

    def run() -> None:
        together.wait()
        reports.append(legacy.convert(portion=2))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [report.failures for report in reports] == [[], []]
    assert sorted([*reports[0].segmentations, *reports[1].segmentations]) == numbers
    with database.unit_of_work() as uow:
        assert uow.segmentations.count() == 12


def test_a_database_without_the_record_says_what_to_run(legacy: Legacy, database: Database):
    legacy.add({-1: spots(HEIGHT, WIDTH, 3)}, "R/G mask")
    with database.engine.begin() as connection:
        connection.execute(delete(annotation_conversion))
        connection.execute(text("DROP TABLE AnnotationConversion"))
    try:
        with pytest.raises(ConfigurationError, match="eorm upgrade"):
            legacy.convert()
    finally:
        annotation_conversion.create(database.engine)


def test_a_portion_is_read_in_few_statements(
    legacy: Legacy, database: Database, assert_queries: Any
):
    for _ in range(30):
        legacy.add({-1: spots(HEIGHT, WIDTH, 3)}, "R/G mask")
    with assert_queries(database, at_most=12):
        assert legacy.convert(apply=False, portion=30).total.converted == 30
