"""What an image says of its files: paths, pixels, B-scans, pictures, thumbnails."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from eyened_domain import ImageInstance
from eyened_domain.adapters.files.image_pixels.shown import eight_bit, shown_array
from eyened_domain.adapters.image_store import StoredImages
from eyened_domain.errors import BadInput, ConfigurationError, FileMissing, NotFound, NotLoaded
from eyened_domain.model.enums import Laterality
from eyened_domain.testing import Builder, MemoryImages, MemoryUnitOfWork

RNG = np.random.default_rng(3)
VOLUME = RNG.integers(0, 256, (12, 20, 40), dtype=np.uint8)


def image_of(
    store: StoredImages | None = None, name: str = "x.png", **columns: Any
) -> ImageInstance:
    image = ImageInstance(dataset_identifier=name, laterality=Laterality.R, **columns)
    image.attach(store)
    return image


@pytest.fixture
def store(tmp_path: Path) -> StoredImages:
    return StoredImages(tmp_path, thumbnails=tmp_path / "thumbnails")


@pytest.fixture
def volume(store: StoredImages, tmp_path: Path) -> ImageInstance:
    (tmp_path / "v.binary").write_bytes(VOLUME.tobytes())
    return image_of(store, "v.binary", rows_y=20, columns_x=40, nr_of_frames=12)


def test_an_image_that_no_unit_of_work_holds_says_so():
    for ask in ("pixel_array", "path", "url"):
        with pytest.raises(NotLoaded, match="session or unit of work"):
            getattr(image_of(), ask)
    for call in (lambda image: image.b_scan(0), ImageInstance.picture):
        with pytest.raises(NotLoaded):
            call(image_of())


def test_a_volume_gives_its_pixels_and_each_of_its_b_scans(volume: ImageInstance):
    assert volume.is_3d
    assert volume.pixel_array.shape == volume.shape == (12, 20, 40)
    assert np.array_equal(volume.pixel_array, VOLUME)
    assert np.array_equal(volume.b_scan(11), VOLUME[11])
    assert np.array_equal(volume.b_scan(np.int64(3)), VOLUME[3])  # type: ignore[arg-type]


@pytest.mark.parametrize("index", [-1, 12, 99])
def test_a_b_scan_that_is_not_there_is_refused(volume: ImageInstance, index: int):
    with pytest.raises(BadInput, match=f"no B-scan {index}; give a number from 0 to 11") as caught:
        volume.b_scan(index)
    assert caught.value.value == index
    volume.nr_of_frames = None
    with pytest.raises(BadInput, match=f"no B-scan {index}"):
        volume.b_scan(index)


def test_the_only_b_scan_of_a_picture_is_the_picture(store: StoredImages, tmp_path: Path):
    Image.fromarray(VOLUME[0]).save(tmp_path / "x.png")
    image = image_of(store, rows_y=20, columns_x=40)
    assert image.is_2d
    assert np.array_equal(image.b_scan(0), image.pixel_array)


def test_images_in_memory_show_what_the_test_gave_them(builder: Builder):
    pixels = {"a.png": VOLUME[0], "v.binary": VOLUME}
    with MemoryUnitOfWork(image_store=MemoryImages(pixels)) as uow:
        image = builder.add(uow, ImageInstance, dataset_identifier="a.png", nr_of_frames=1)
        assert np.array_equal(image.pixel_array, VOLUME[0])
        image.pixel_array[:] = 0
        assert image.picture().size == (40, 20)
        image.dataset_identifier = "b.png"
        with pytest.raises(FileMissing, match=r"b\.png"):
            _ = image.pixel_array
        image.dataset_identifier, image.nr_of_frames = "v.binary", 12
        assert np.array_equal(image.b_scan(5), VOLUME[5])
        assert image.picture().size == (40, 12)


def test_the_thumbnail_has_the_path_of_the_contract(store: StoredImages, tmp_path: Path):
    image = image_of(store, thumbnail_path="7/0123456789abcdef01234567")
    for size in (144, 540):
        path = image.get_thumbnail_path(size)
        assert path == tmp_path / "thumbnails" / f"7/0123456789abcdef01234567_{size}.jpg"
    with pytest.raises(BadInput, match="145 pixels; ask for 144 or 540"):
        image.get_thumbnail_path(145)


@pytest.mark.parametrize(("path", "command"), [(None, "thumbnails`"), ("", "thumbnails --failed`")])
def test_without_a_thumbnail_the_error_names_the_command(
    store: StoredImages, path: str | None, command: str
):
    with pytest.raises(NotFound, match=f"eorm update-{command}"):
        image_of(store, thumbnail_path=path).get_thumbnail_path()


@pytest.mark.parametrize("path", ["../x", "/etc/x", "7/../../x", "7\0x", "a\\..\\x", "..", "7/.."])
def test_a_thumbnail_path_that_leads_outside_is_refused(store: StoredImages, path: str):
    with pytest.raises(BadInput, match="thumbnail_path"):
        image_of(store, thumbnail_path=path).get_thumbnail_path()


def test_a_store_without_thumbnails_says_what_is_not_set(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="THUMBNAILS_PATH"):
        image_of(StoredImages(tmp_path), thumbnail_path="7/a").get_thumbnail_path()


def test_a_picture_is_upright_and_no_larger_than_asked(store: StoredImages, tmp_path: Path):
    exif = Image.Exif()
    exif[274] = 6
    pixels = RNG.integers(0, 256, (20, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "x.png", exif=exif)
    image = image_of(store, rows_y=20, columns_x=40)
    assert image.pixel_array.shape == (20, 40, 3)
    assert np.array_equal(np.asarray(image.picture()), np.rot90(pixels, -1))
    assert image.picture(10).size == (5, 10)
    assert image.picture(1000).size == (20, 40)


@pytest.mark.parametrize("size", [0, -5, True, 2.5])
def test_a_picture_of_no_size_is_refused(volume: ImageInstance, size: object):
    with pytest.raises(BadInput, match="max_size_px"):
        volume.picture(size)  # type: ignore[arg-type]


@pytest.mark.parametrize("frames", range(1, 10))
def test_a_small_volume_is_shown_by_its_middle_scan_and_only_that_is_read(
    store: StoredImages, tmp_path: Path, frames: int, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "v.binary").write_bytes(VOLUME[:frames].tobytes())
    image = image_of(store, "v.binary", rows_y=20, columns_x=40, nr_of_frames=frames)
    monkeypatch.setattr(StoredImages, "pixels_of", None)
    assert np.array_equal(np.asarray(image.picture()), VOLUME[frames // 2])
    assert np.array_equal(shown_array(VOLUME[:frames], nr_of_frames=frames), VOLUME[frames // 2])


def test_a_volume_of_ten_scans_is_shown_en_face_in_proportion(volume: ImageInstance):
    mean = VOLUME.mean(axis=1)
    shown = np.asarray(volume.picture())
    assert shown.shape == (12, 40)
    expected = (mean - mean.min()) / (mean.max() - mean.min()) * 255
    assert abs(shown - expected).max() <= 1
    # Scans 0.1 mm apart, pixels of 0.02 mm: five rows for each scan.
    volume.resolution_vertical, volume.resolution_horizontal = 0.1, 0.02
    assert volume.picture().size == (40, 60)
    volume.resolution_vertical, volume.resolution_horizontal = 0.02, 0.1
    assert volume.picture().size == (200, 12)
    volume.resolution_horizontal = 0.0
    assert volume.picture().size == (40, 12)
    volume.resolution_vertical, volume.resolution_horizontal = 1e30, 1e-30
    assert max(volume.picture().size) <= 8192


def test_more_bits_are_stretched_between_percentiles_and_bytes_are_left():
    deep = np.linspace(1000, 3000, 10_000).reshape(100, 100).astype(np.uint16)
    deep[0, 0] = 65535  # one hot pixel
    shown = eight_bit(deep)
    assert shown.dtype == np.uint8
    assert (shown.min(), shown.max()) == (0, 255)
    assert int(shown[50, 50]) == pytest.approx(128, abs=2)
    assert np.array_equal(eight_bit(VOLUME[0]), VOLUME[0])
    few = np.zeros((100, 100), np.int32)
    few[3, 4] = 1
    assert eight_bit(few)[3, 4] == 255
    assert set(np.unique(eight_bit(np.array([[True, False]])))) == {0, 255}
    fractions = np.array([[0.0, 0.5], [1.0, np.nan]], np.float32)
    assert eight_bit(fractions).tolist() in ([[0, 127], [255, 0]], [[0, 128], [255, 0]])
    for flat in (np.full((3, 3), 7, np.uint16), np.full((3, 3), np.nan)):
        assert not eight_bit(flat).any()


def test_the_store_can_be_sent_to_another_process_and_touches_no_file_when_made(tmp_path: Path):
    store = pickle.loads(pickle.dumps(StoredImages(tmp_path / "absent")))
    assert store.path_of("a.png") == tmp_path / "absent" / "a.png"
    with pytest.raises(ConfigurationError, match="IMAGES_BASEPATH"):
        store.pixels_of(image_of(store))
