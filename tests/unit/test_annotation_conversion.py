"""What legacy annotations become, and that every one is converted once."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from eyened_domain import (
    Annotation,
    AnnotationData,
    DataRepresentation,
    Datatype,
    Feature,
    Segmentation,
)
from eyened_domain.adapters.files.annotation_files import StoredAnnotationFiles
from eyened_domain.adapters.memory import MemoryDatabase
from eyened_domain.errors import (
    BadInput,
    ConfigurationError,
    Conflict,
    NotFound,
    RuleBroken,
    StorageError,
)
from eyened_domain.services.annotation_conversion import (
    AnnotationConversion,
    segmentation_from,
)
from eyened_domain.testing import Builder

HEIGHT, WIDTH, DEPTH = 6, 8, 5


class Legacy:
    """A database in memory with annotations, and a fake of what stores segmentations."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = MemoryDatabase(annotation_files=StoredAnnotationFiles(folder))
        self.builder = Builder()
        self.pixels: dict[int, np.ndarray] = {}
        self.before_create: Callable[[Segmentation], None] = lambda _: None
        self.types = {
            name: self.builder.an_annotation_type(
                annotation_type_name=name, interpretation=interpretation
            )
            for name, interpretation in [
                ("Lesions", "R/G mask"), ("Layers", "Binary mask"), ("Old", "Probability")
            ]
        }  # fmt: skip
        self.patient = self.builder.a_patient()
        with self.database.unit_of_work() as uow:
            uow.patients.add(self.patient)
            for one in self.types.values():
                uow.annotation_types.add(one)
            self.feature = self.builder.add(uow, Feature)
            self.creator = uow.creators.add(self.builder.a_creator())
            uow.commit()

    def add(
        self,
        drawn: dict[int, np.ndarray],
        kind: str = "Lesions",
        frames: int = 1,
        reference: int | None = None,
        **values: Any,
    ) -> int:
        """Store an annotation with a PNG for each scan, or a raw file for a whole volume."""
        with self.database.unit_of_work() as uow:
            patient = values.pop("patient", None) or uow.patients.get(self.patient.patient_id)
            study = self.builder.a_study(patient=patient)
            image = self.builder.an_image(
                series=self.builder.a_series(study=study),
                rows_y=HEIGHT, columns_x=WIDTH, nr_of_frames=frames,
            )  # fmt: skip
            annotation = Annotation(
                patient=patient,
                image_instance=image,
                annotation_type=uow.annotation_types.get(self.types[kind].annotation_type_id),
                creator_id=self.creator.creator_id,
                feature_id=self.feature.feature_id,
                annotation_reference_id=reference,
                **values,
            )
            uow.annotations.add(annotation)
            uow.flush()
            for scan, pixels in drawn.items():
                self.draw(annotation, scan, pixels)
            uow.commit()
            return annotation.annotation_id

    def draw(self, annotation: Annotation, scan: int, pixels: np.ndarray) -> None:
        is_png = pixels.ndim == 2 or pixels.shape[-1] == 3
        name = f"{annotation.annotation_id}_{scan}.{'png' if is_png else 'raw'}"
        if is_png:
            Image.fromarray(pixels.astype(np.uint8)).save(self.folder / name)
        else:
            (self.folder / name).write_bytes(pixels.astype(np.uint8).tobytes())
        AnnotationData(
            annotation=annotation,
            scan_nr=scan,
            dataset_identifier=name,
            media_type="image/png" if is_png else "application/octet-stream",
            date_modified=datetime(2021, 1, 2 + abs(scan)),
        )

    def create(self, uow: Any, segmentation: Segmentation, pixels: Any) -> Segmentation:
        self.before_create(segmentation)
        uow.segmentations.add(segmentation)
        uow.flush()
        self.pixels[segmentation.segmentation_id] = pixels.pixels
        return segmentation

    def convert(self, *, apply: bool = True, portion: int = 3, **options: Any) -> Any:
        conversion = AnnotationConversion(self.database, self.create, portion=portion)
        return conversion.run(apply=apply, **options)

    def planned(self, annotation_id: int) -> tuple[Segmentation, Any]:
        with self.database.unit_of_work() as uow:
            segmentation, prepared = segmentation_from(uow.annotations.get(annotation_id))
            return segmentation, prepared.pixels

    def stored(self) -> list[Segmentation]:
        with self.database.unit_of_work() as uow:
            return uow.segmentations.where()

    def converted(self) -> dict[int, int | None]:
        with self.database.unit_of_work() as uow:
            return uow.conversions.converted(range(100))


@pytest.fixture
def legacy(tmp_path: Path) -> Legacy:
    return Legacy(tmp_path)


def spots(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2, shape).astype(np.uint8)


def red_and_green(seed: int = 1) -> np.ndarray:
    return spots(HEIGHT, WIDTH, 3, seed=seed) * 255


def bits(drawn: np.ndarray) -> np.ndarray:
    return (drawn[..., 0] > 0) + 2 * (drawn[..., 1] > 0)


def test_an_r_g_mask_becomes_a_dual_bit_mask_of_the_same_photograph(legacy: Legacy):
    drawn = red_and_green()
    number = legacy.add({-1: drawn}, inactive=True, date_inserted=datetime(2020, 5, 6, 7, 8, 9))
    segmentation, pixels = legacy.planned(number)
    assert np.array_equal(pixels, bits(drawn)[np.newaxis])
    assert pixels.dtype == segmentation.dtype == np.uint8
    assert segmentation.data_representation is DataRepresentation.DualBitMask
    assert segmentation.data_type is Datatype.R8UI
    assert (segmentation.shape, segmentation.sparse_axis) == ((1, HEIGHT, WIDTH), 0)
    assert segmentation.scan_indices is segmentation.image_projection_matrix is None
    assert segmentation.segmentation_id is segmentation.zarr_array_index is None
    assert segmentation.inactive
    assert segmentation.date_inserted == datetime(2020, 5, 6, 7, 8, 9)
    assert segmentation.date_modified == datetime(2021, 1, 3)
    assert segmentation.creator_id == legacy.creator.creator_id
    assert segmentation.feature_id == legacy.feature.feature_id
    masks = segmentation.decode(pixels)
    assert np.array_equal(masks["mask"][0], drawn[..., 0] > 0)
    assert np.array_equal(masks["questionable"][0], drawn[..., 1] > 0)


@pytest.mark.parametrize(
    ("drawn", "shape", "axis", "scans"),
    [
        ({0: (HEIGHT, WIDTH), 3: (HEIGHT, WIDTH)}, (DEPTH, HEIGHT, WIDTH), 0, [0, 3]),
        (dict.fromkeys(range(DEPTH), (HEIGHT, WIDTH)), (DEPTH, HEIGHT, WIDTH), 0, [*range(DEPTH)]),
        ({-1: (DEPTH, HEIGHT, WIDTH)}, (DEPTH, HEIGHT, WIDTH), 0, None),
        ({-1: (HEIGHT, WIDTH)}, (DEPTH, HEIGHT, WIDTH), 0, None),
        ({-1: (DEPTH, WIDTH)}, (DEPTH, 1, WIDTH), 1, None),
    ],
    ids=["some scans", "every scan", "a volume", "one mask for all", "from the front"],
)
def test_a_volume_is_converted_in_every_case(
    legacy: Legacy, drawn: dict[int, Any], shape: Any, axis: int, scans: Any
):
    masks = {scan: spots(*size, seed=scan + 5) for scan, size in drawn.items()}
    number = legacy.add(masks, "Layers", DEPTH)
    segmentation, pixels = legacy.planned(number)
    assert (segmentation.shape, segmentation.sparse_axis) == (shape, axis)
    assert segmentation.scan_indices == scans
    assert segmentation.data_representation is DataRepresentation.Binary
    expected = np.zeros(shape, np.uint8)
    for scan, mask in masks.items():
        if scan >= 0:
            expected[scan] = mask
        else:
            expected[:] = mask[:, np.newaxis] if axis == 1 else mask
    assert np.array_equal(pixels, expected)
    assert legacy.convert().total.converted == 1
    (stored,) = legacy.stored()
    assert (stored.shape, stored.scan_indices) == (shape, scans)


def test_planning_touches_nothing(legacy: Legacy):
    number = legacy.add({-1: red_and_green()})
    with legacy.database.unit_of_work() as uow:
        annotation = uow.annotations.get(number)
        segmentation, _ = segmentation_from(annotation)
        assert annotation.image_instance is not None
        assert annotation.image_instance.segmentations == []
        assert segmentation.image_instance_id == annotation.image_instance_id
        uow.commit()
    assert legacy.stored() == []


def test_without_an_image_there_is_nothing_to_convert_to(legacy: Legacy):
    number = legacy.add({-1: red_and_green()})
    with legacy.database.unit_of_work() as uow:
        uow.annotations.get(number).image_instance = None
        uow.commit()
    with pytest.raises(BadInput, match=f"Annotation {number}: it belongs to no image"):
        legacy.planned(number)


def test_a_dry_run_tells_what_would_be_done_and_writes_nothing(legacy: Legacy):
    legacy.add({-1: red_and_green()})
    reference = legacy.add({-1: spots(HEIGHT, WIDTH)}, "Layers")
    legacy.add({-1: spots(HEIGHT, WIDTH)}, "Layers", reference=reference)
    bad = legacy.add({-1: spots(HEIGHT + 1, WIDTH)}, "Layers")
    report = legacy.convert(apply=False)
    assert not report.applied
    assert (report.types["Lesions"].converted, report.types["Layers"].converted) == (1, 2)
    assert [one.annotation_id for one in report.failures] == [bad]
    assert report.segmentations == {}
    assert legacy.stored() == []
    assert legacy.converted() == {}


def test_a_conversion_publishes_the_event_of_every_mask(legacy: Legacy):
    legacy.add({-1: red_and_green()})
    heard: list[Any] = []
    database = MemoryDatabase(
        legacy.database.store, [heard.append], annotation_files=StoredAnnotationFiles(legacy.folder)
    )
    made = AnnotationConversion(database).run(apply=True).segmentations
    assert [one.segmentation.segmentation_id for one in heard] == [*made.values()]


def test_a_second_run_converts_what_is_new_and_nothing_twice(legacy: Legacy):
    first = [legacy.add({-1: red_and_green(seed)}) for seed in range(7)]
    assert legacy.convert().total.converted == 7
    new = legacy.add({-1: red_and_green(9)})
    report = legacy.convert()
    assert (report.total.converted, report.total.already, report.total.failed) == (1, 7, 0)
    assert [*report.segmentations] == [new]
    assert len(legacy.stored()) == 8
    assert legacy.convert().total.already == 8
    assert {*legacy.converted()} == {*first, new}
    with legacy.database.unit_of_work() as uow:  # nothing is taken away
        assert uow.annotations.count() == uow.annotation_data.count() == 8


def test_a_converted_segmentation_that_was_deleted_does_not_come_back(legacy: Legacy):
    number = legacy.add({-1: red_and_green()})
    legacy.convert()
    with legacy.database.unit_of_work() as uow:
        uow.segmentations.delete(uow.segmentations.where()[0])
        uow.commit()
    second = legacy.add({-1: red_and_green()}, reference=number)
    report = legacy.convert()
    assert (report.total.already, report.total.converted) == (1, 0)
    assert [one.annotation_id for one in report.failures] == [second]
    assert "deleted since" in report.failures[0].why


def test_a_bad_annotation_is_told_and_the_others_are_converted(legacy: Legacy):
    good = [legacy.add({-1: red_and_green(seed)}) for seed in range(4)]
    missing = legacy.add({-1: red_and_green()})
    (legacy.folder / f"{missing}_-1.png").unlink()
    strange = legacy.add({-1: red_and_green()}, "Old")
    empty = legacy.add({})
    good += [legacy.add({-1: red_and_green(seed)}) for seed in range(4)]
    report = legacy.convert()
    assert [*report.segmentations] == good
    why = {one.annotation_id: one for one in report.failures}
    assert [*why] == [missing, strange, empty]
    assert "does not exist" in why[missing].why
    assert why[missing].field == "dataset_identifier"
    assert "Probability" in why[strange].why
    assert why[strange].annotation_type == "Old"
    assert "no AnnotationData" in why[empty].why
    assert legacy.convert().total.failed == 3
    (legacy.folder / f"{missing}_-1.png").write_bytes(_png(red_and_green()))
    assert [*legacy.convert().segmentations] == [missing]


def test_one_that_cannot_be_stored_does_not_take_its_portion_along(legacy: Legacy):
    numbers = [legacy.add({-1: red_and_green(seed)}) for seed in range(6)]

    def refuse(segmentation: Segmentation) -> None:
        if segmentation.image_instance_id == 2:
            raise RuleBroken("this image takes no mask", field="image_instance")

    legacy.before_create = refuse
    report = legacy.convert(portion=4)
    assert [one.annotation_id for one in report.failures] == [numbers[1]]
    assert report.failures[0].why == "this image takes no mask"
    assert sorted(report.segmentations) == [one for one in numbers if one != numbers[1]]
    assert sorted(one.segmentation_id for one in legacy.stored()) == sorted(
        report.segmentations.values()
    )


def test_a_conflict_is_tried_again(legacy: Legacy):
    legacy.add({-1: red_and_green()})
    conflicts = [Conflict("somebody was faster")] * 3

    def give_way(_: Segmentation) -> None:
        if conflicts:
            raise conflicts.pop()

    legacy.before_create = give_way
    report = legacy.convert()
    assert (report.total.converted, report.total.failed) == (1, 0)
    assert len(legacy.stored()) == 1


def test_a_run_that_is_stopped_keeps_whole_portions_and_can_go_on(legacy: Legacy):
    numbers = [legacy.add({-1: red_and_green(seed)}) for seed in range(10)]

    def stop(done: int, total: int | None) -> None:
        assert total == 10
        if done >= 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        legacy.convert(progress=stop)
    assert len(legacy.stored()) == 6

    def crash(_: Segmentation) -> None:
        raise KeyboardInterrupt

    legacy.before_create = crash
    with pytest.raises(KeyboardInterrupt):
        legacy.convert()
    assert len(legacy.stored()) == 6
    legacy.before_create = lambda _: None
    assert [*legacy.convert().segmentations] == numbers[6:]
    assert len(legacy.stored()) == 10


def test_a_reference_is_converted_first_and_referred_to(legacy: Legacy):
    last = legacy.add({-1: red_and_green(1)})
    middle = legacy.add({-1: red_and_green(2)}, reference=last)
    later = legacy.add({-1: red_and_green(3)})
    with legacy.database.unit_of_work() as uow:
        uow.annotations.get(last).annotation_reference_id = later
        uow.commit()
    made = legacy.convert(portion=1).segmentations
    assert [*made] == [later, last, middle]
    by_id = {one.segmentation_id: one for one in legacy.stored()}
    assert by_id[made[middle]].reference_segmentation_id == made[last]
    assert by_id[made[last]].reference_segmentation_id == made[later]
    assert by_id[made[later]].reference_segmentation_id is None


def test_a_reference_that_an_earlier_run_converted_is_referred_to(legacy: Legacy):
    reference = legacy.add({-1: spots(HEIGHT, WIDTH)}, "Layers")
    number = legacy.add({-1: red_and_green()}, "Lesions", reference=reference)
    alone = legacy.convert(annotation_type="Lesions")
    assert f"refers to annotation {reference}" in alone.failures[0].why
    assert "convert that one first" in alone.failures[0].why
    segmentation_id = legacy.convert(annotation_type="Layers").segmentations[reference]
    made = legacy.convert(annotation_type="Lesions").segmentations[number]
    with legacy.database.unit_of_work() as uow:
        assert uow.segmentations.get(made).reference_segmentation_id == segmentation_id


def test_a_reference_of_another_shape_is_refused(legacy: Legacy):
    reference = legacy.add({-1: spots(HEIGHT, WIDTH)}, "Layers", DEPTH)
    number = legacy.add({-1: red_and_green()}, reference=reference)
    for apply in (False, True):
        report = legacy.convert(apply=apply)
        assert [one.annotation_id for one in report.failures] == [number]
        assert "both must have the same" in report.failures[0].why


def test_annotations_that_refer_to_each_other_in_a_circle_are_refused(legacy: Legacy):
    one, other = (legacy.add({-1: red_and_green()}) for _ in range(2))
    beside = legacy.add({-1: red_and_green()}, reference=one)
    with legacy.database.unit_of_work() as uow:
        uow.annotations.get(one).annotation_reference_id = other
        uow.annotations.get(other).annotation_reference_id = one
        uow.commit()
    report = legacy.convert()
    assert {f.annotation_id for f in report.failures} == {one, other, beside}
    assert report.total.total == 3
    assert legacy.stored() == []


def test_types_and_projects_are_chosen_by_name(legacy: Legacy):
    lesion = legacy.add({-1: red_and_green()})
    layer = legacy.add({-1: spots(HEIGHT, WIDTH)}, "Layers")
    project = legacy.builder.a_project(project_name="Elsewhere")
    elsewhere = legacy.add({-1: red_and_green()}, patient=legacy.builder.a_patient(project=project))
    assert [*legacy.convert(project="Elsewhere").segmentations] == [elsewhere]
    assert [*legacy.convert(annotation_type="Layers").segmentations] == [layer]
    assert [*legacy.convert().segmentations] == [lesion]
    with pytest.raises(NotFound, match=r"no AnnotationType 'Lesion'; there are .*'Lesions'"):
        legacy.convert(annotation_type="Lesion")
    with pytest.raises(NotFound, match="Nowhere"):
        legacy.convert(project="Nowhere")


def test_a_folder_that_is_not_there_stops_the_run_at_once(legacy: Legacy, tmp_path: Path):
    legacy.add({-1: red_and_green()})
    legacy.database = MemoryDatabase(
        legacy.database.store, annotation_files=StoredAnnotationFiles(tmp_path / "none")
    )
    for apply in (False, True):
        with pytest.raises(ConfigurationError, match="ANNOTATIONS_PATH"):
            legacy.convert(apply=apply)


def test_a_store_that_fails_again_and_again_stops_the_run(legacy: Legacy):
    for seed in range(14):
        legacy.add({-1: red_and_green(seed)})
    tried = []

    def full(segmentation: Segmentation) -> None:
        tried.append(segmentation)
        raise StorageError("no space left on device")

    legacy.before_create = full
    with pytest.raises(StorageError, match="no space left"):
        legacy.convert(portion=1)
    assert len(tried) == 10


def test_the_report_is_plain_for_json(legacy: Legacy):
    number = legacy.add({-1: red_and_green()})
    legacy.add({}, "Layers")
    told = legacy.convert().as_dict()
    assert told["applied"] is True
    assert told["total"] == {"total": 2, "converted": 1, "already": 0, "failed": 1}
    assert told["types"]["Lesions"]["converted"] == 1
    assert list(told["segmentations"]) == [number]
    assert told["failures"][0]["annotation_type"] == "Layers"


def _png(pixels: np.ndarray) -> bytes:
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "PNG")
    return packed.getvalue()
