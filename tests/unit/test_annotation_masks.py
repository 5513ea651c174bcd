"""What legacy annotations mark: files by their interpretation, on the grid of their image."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from eyened_domain import Annotation, AnnotationData
from eyened_domain.adapters.files.annotation_files import StoredAnnotationFiles
from eyened_domain.adapters.memory import MemoryUnitOfWork
from eyened_domain.errors import BadInput, NotFound, NotLoaded
from eyened_domain.testing import Builder

HEIGHT, WIDTH, DEPTH = 6, 8, 5
PNG, RAW = "image/png", "application/octet-stream"


@pytest.fixture
def uow(tmp_path: Path):
    with MemoryUnitOfWork(annotation_files=StoredAnnotationFiles(tmp_path)) as opened:
        yield opened


class Studio:
    """Makes annotations with their files."""

    def __init__(self, uow: MemoryUnitOfWork, folder: Path) -> None:
        self.uow, self.folder, self.builder = uow, folder, Builder()

    def annotation(self, interpretation: str = "R/G mask", **image: Any) -> Annotation:
        kind = self.builder.an_annotation_type(interpretation=interpretation)
        size = {"rows_y": HEIGHT, "columns_x": WIDTH, "nr_of_frames": 1} | image
        made = self.builder.add(
            self.uow,
            Annotation,
            annotation_type=kind,
            image_instance=self.builder.an_image(**size),
        )
        self.uow.flush()
        return made

    def draw(self, annotation: Annotation, pixels: np.ndarray, scan_nr: int = -1, ending="png"):
        name = f"{annotation.annotation_id}_{scan_nr}.{ending}"
        content = pixels.astype(np.uint8).tobytes()
        if ending == "png":
            packed = io.BytesIO()
            Image.fromarray(pixels.astype(np.uint8)).save(packed, "PNG")
            content = packed.getvalue()
        (self.folder / name).write_bytes(gzip.compress(content) if ending == "gz" else content)
        row = AnnotationData(
            annotation=annotation,
            scan_nr=scan_nr,
            dataset_identifier=name,
            media_type=PNG if ending == "png" else RAW,
        )
        self.uow.flush()
        return row


@pytest.fixture
def studio(uow: MemoryUnitOfWork, tmp_path: Path) -> Studio:
    return Studio(uow, tmp_path)


def spots(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2, shape).astype(bool)


def red_and_green(mask: np.ndarray, questionable: np.ndarray) -> np.ndarray:
    """Draw as graders did: any red and green above 0 counts, blue means nothing."""
    blue = np.full(mask.shape, 77)
    return np.stack([mask * 1, questionable * 200, blue], axis=-1)


@given(pixels=st.binary(min_size=3 * HEIGHT * WIDTH, max_size=3 * HEIGHT * WIDTH))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_red_is_the_mask_and_green_is_questionable(studio: Studio, pixels: bytes):
    drawn = np.frombuffer(pixels, np.uint8).reshape(HEIGHT, WIDTH, 3)
    row = studio.draw(studio.annotation(), drawn)
    assert np.array_equal(row.load_data(), drawn)
    assert np.array_equal(row.get_mask(), drawn[..., 0] > 0)
    assert np.array_equal(row.get_mask(questionable=True), drawn[..., 1] > 0)
    assert row.get_mask().dtype == bool


@pytest.mark.parametrize("ending", ["png", "raw", "gz"])
def test_any_value_above_0_is_a_binary_mask(studio: Studio, ending: str):
    mask = spots(HEIGHT, WIDTH)
    for value in (1, 128, 255):
        annotation = studio.annotation("Binary mask")
        row = studio.draw(annotation, mask * value, ending=ending)
        assert np.array_equal(row.get_mask(), mask)
        assert np.array_equal(annotation.get_mask(), mask)
        assert not row.get_mask(questionable=True).any()


def test_a_binary_mask_in_colour_counts_every_colour(studio: Studio):
    drawn = np.zeros((HEIGHT, WIDTH, 3))
    drawn[1, 2, 0] = drawn[3, 4, 1] = drawn[5, 6, 2] = 9
    row = studio.draw(studio.annotation("Binary mask"), drawn)
    assert [*zip(*np.nonzero(row.get_mask()), strict=True)] == [(1, 2), (3, 4), (5, 6)]


def test_one_value_per_pixel_has_a_mask_but_says_nothing_of_questionable(studio: Studio):
    mask = spots(HEIGHT, WIDTH)
    row = studio.draw(studio.annotation(), mask * 255)
    assert np.array_equal(row.get_mask(), mask)
    with pytest.raises(BadInput, match="one value per pixel") as caught:
        row.get_mask(questionable=True)
    assert caught.value.value == row.dataset_identifier
    empty = studio.draw(studio.annotation(), mask * 0)
    assert not empty.get_mask(questionable=True).any()


def test_an_interpretation_that_says_nothing_is_an_error_that_names_it(studio: Studio):
    row = studio.draw(studio.annotation("Probability"), spots(HEIGHT, WIDTH))
    assert row.load_data().shape == (HEIGHT, WIDTH)
    with pytest.raises(BadInput, match="'R/G mask' and 'Binary mask'") as caught:
        row.get_mask()
    assert caught.value.entity == "AnnotationType"
    assert (caught.value.field, caught.value.value) == ("interpretation", "Probability")


def test_a_file_has_a_path_beneath_annotations_path(studio: Studio, tmp_path: Path):
    row = studio.draw(studio.annotation(), spots(HEIGHT, WIDTH))
    assert row.path == tmp_path / row.dataset_identifier
    assert row.path.is_file()


def test_outside_a_unit_of_work_there_are_no_files(builder: Builder):
    row = builder.an_annotation_data(annotation=Annotation(patient_id=1, image_instance=None))
    for ask in (lambda: row.path, row.load_data, row.get_mask):
        with pytest.raises(NotLoaded, match="AnnotationData has no files"):
            ask()


def test_files_stay_readable_after_the_unit_of_work(tmp_path: Path):
    with MemoryUnitOfWork(annotation_files=StoredAnnotationFiles(tmp_path)) as uow:
        studio = Studio(uow, tmp_path)
        annotation = studio.annotation("Binary mask")
        row = studio.draw(annotation, spots(HEIGHT, WIDTH))
        uow.commit()
    assert np.array_equal(row.get_mask(), spots(HEIGHT, WIDTH))


def test_rows_that_are_loaded_know_their_files(studio: Studio, uow: MemoryUnitOfWork):
    studio.draw(studio.annotation("Binary mask"), spots(HEIGHT, WIDTH))
    uow.commit()
    store = uow.store
    with MemoryUnitOfWork(store, annotation_files=uow.annotation_files) as other:
        (row,) = other.annotation_data.where()
        assert np.array_equal(row.get_mask(), spots(HEIGHT, WIDTH))


def test_scans_with_files_of_their_own_make_a_volume(studio: Studio):
    annotation = studio.annotation(nr_of_frames=DEPTH)
    drawn = {scan: (spots(HEIGHT, WIDTH, seed=scan), spots(HEIGHT, WIDTH)) for scan in (3, 1)}
    for scan, (mask, questionable) in drawn.items():
        studio.draw(annotation, red_and_green(mask, questionable), scan)
    for number, asked in enumerate((False, True)):
        volume = annotation.get_mask(questionable=asked)
        assert volume.shape == (DEPTH, HEIGHT, WIDTH)
        for scan in range(DEPTH):
            expected = drawn[scan][number] if scan in drawn else np.zeros((HEIGHT, WIDTH), bool)
            assert np.array_equal(volume[scan], expected)
    assert np.array_equal(annotation.get_mask(3), drawn[3][0])
    with pytest.raises(NotFound, match=r"no file for scan 2; it has \[1, 3\]"):
        annotation.get_mask(2)


@pytest.mark.parametrize("ending", ["raw", "gz"])
def test_one_file_may_hold_the_whole_volume(studio: Studio, ending: str):
    annotation = studio.annotation("Binary mask", nr_of_frames=DEPTH)
    volume = spots(DEPTH, HEIGHT, WIDTH)
    row = studio.draw(annotation, volume, ending=ending)
    assert row.load_data().shape == volume.shape
    assert np.array_equal(annotation.get_mask(), volume)
    assert np.array_equal(annotation.get_mask(2), volume[2])
    with pytest.raises(NotFound):
        annotation.get_mask(DEPTH)


@pytest.mark.parametrize("ending", ["png", "raw"])
def test_one_flat_mask_for_all_scans_is_on_every_scan(studio: Studio, ending: str):
    annotation = studio.annotation("Binary mask", nr_of_frames=DEPTH)
    mask = spots(HEIGHT, WIDTH)
    studio.draw(annotation, mask, ending=ending)
    assert np.array_equal(annotation.get_mask(), np.stack([mask] * DEPTH))
    assert np.array_equal(annotation.get_mask(4), mask)


@pytest.mark.parametrize("ending", ["png", "raw"])
def test_a_map_from_the_front_has_a_row_for_each_scan(studio: Studio, ending: str):
    annotation = studio.annotation("Binary mask", nr_of_frames=DEPTH)
    mask = spots(DEPTH, WIDTH)
    studio.draw(annotation, mask, ending=ending)
    assert np.array_equal(annotation.get_mask(), mask[:, np.newaxis, :])


def test_a_flat_mask_that_may_lie_in_two_ways_is_refused(studio: Studio):
    annotation = studio.annotation("Binary mask", nr_of_frames=HEIGHT)
    row = studio.draw(annotation, spots(HEIGHT, WIDTH))
    with pytest.raises(BadInput, match="as many B-scans as rows"):
        annotation.get_mask()
    assert np.array_equal(row.get_mask(), spots(HEIGHT, WIDTH))


@pytest.mark.parametrize(
    ("frames", "scans", "reason"),
    [
        (DEPTH, [-1, 2], r"files for the scans \[-1, 2\]"),
        (1, [-1, 0], "its image is one picture"),
        (DEPTH, [DEPTH], "no scan 5: they are numbered 0 to 4"),
        (DEPTH, [-2], "no scan -2"),
        (DEPTH, [], "no AnnotationData"),
        (1, [], "no AnnotationData"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(
    studio: Studio, frames: int, scans: list[int], reason: str
):
    annotation = studio.annotation("Binary mask", nr_of_frames=frames)
    for scan in scans:
        studio.draw(annotation, spots(HEIGHT, WIDTH), scan)
    with pytest.raises(BadInput, match=reason) as caught:
        annotation.get_mask()
    assert caught.value.entity == "Annotation"


def test_without_the_size_of_its_image_only_a_png_can_be_read(
    studio: Studio, uow: MemoryUnitOfWork
):
    annotation = studio.annotation("Binary mask", rows_y=None, columns_x=None)
    mask = spots(9, 4)
    row = studio.draw(annotation, mask, ending="png")
    assert np.array_equal(annotation.get_mask(), mask)
    row.media_type = RAW
    with pytest.raises(BadInput, match="the size of its image is not known"):
        annotation.get_mask()
    other = studio.annotation("Binary mask")
    other.image_instance = None
    assert np.array_equal(studio.draw(other, mask).get_mask(), mask)


def test_the_size_of_an_image_out_of_all_bounds_takes_no_memory(studio: Studio):
    annotation = studio.annotation("Binary mask", nr_of_frames=2**31 - 1)
    studio.draw(annotation, spots(HEIGHT, WIDTH))
    with pytest.raises(BadInput, match="correct its rows_y, columns_x or nr_of_frames"):
        annotation.get_mask()
