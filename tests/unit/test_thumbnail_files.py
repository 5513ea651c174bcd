"""Thumbnails as files: the right picture, put in place whole, and nowhere else."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from PIL import Image

from eyened_domain.adapters.files.image_hashes import StoredHashes
from eyened_domain.adapters.files.thumbnail_files import StoredThumbnails
from eyened_domain.adapters.phantoms import draw_oct_volume
from eyened_domain.errors import BadInput, ConfigurationError, FileMissing, StorageError
from eyened_domain.services.hashing import HashRequest
from eyened_domain.services.thumbnails import ThumbnailRequest

HEX = "0123456789abcdef01234567"
REQUEST = ThumbnailRequest(image_id=1, thumbnail=f"3/{HEX}", dataset_identifier="a.png")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    images, thumbnails = tmp_path / "images", tmp_path / "thumbnails"
    images.mkdir()
    thumbnails.mkdir()
    return images, thumbnails


@pytest.fixture
def files(folders: tuple[Path, Path]) -> StoredThumbnails:
    return StoredThumbnails(*folders)


def made(folders: tuple[Path, Path], size: int = 540) -> Image.Image:
    return Image.open(folders[1] / "3" / f"{HEX}_{size}.jpg")


def save(folders: tuple[Path, Path], pixels: Any, name: str = "a.png") -> None:
    Image.fromarray(np.asarray(pixels)).save(folders[0] / name)


def test_both_sizes_are_progressive_jpeg_of_quality_75(
    folders: tuple[Path, Path], files: StoredThumbnails
) -> None:
    rng = np.random.default_rng(1)
    save(folders, rng.integers(0, 255, (300, 400, 3), np.uint8))
    files.make(REQUEST)
    assert sorted(path.name for path in (folders[1] / "3").iterdir()) == [
        f"{HEX}_144.jpg", f"{HEX}_540.jpg",
    ]  # fmt: skip
    small, large = made(folders, 144), made(folders)
    assert (small.size, large.size) == ((144, 108), (540, 405))
    reference = io.BytesIO()
    Image.new("RGB", (8, 8)).save(reference, "JPEG", quality=75)
    pictures: list[Any] = [small, large, Image.open(reference)]
    for picture in pictures[:2]:
        assert (picture.format, picture.info.get("progressive")) == ("JPEG", 1)
        assert picture.quantization == pictures[2].quantization


@pytest.mark.parametrize("shape", [(2, 3000), (3000, 2), (1, 1), (100, 100)])
def test_the_longest_side_has_the_size_whatever_the_proportions(
    folders: tuple[Path, Path], files: StoredThumbnails, shape: tuple[int, int]
) -> None:
    save(folders, np.zeros(shape, np.uint8))
    files.make(REQUEST)
    assert (max(made(folders).size), max(made(folders, 144).size)) == (540, 144)


def test_a_colour_fundus_image_is_cut_to_its_field_of_view(
    folders: tuple[Path, Path], files: StoredThumbnails
) -> None:
    pixels = np.full((600, 900, 3), (0, 0, 200), np.uint8)
    rows, columns = np.ogrid[:600, :900]
    pixels[(rows - 250) ** 2 + (columns - 500) ** 2 <= 200**2] = (200, 0, 0)
    pixels[150:160, 498:503] = (0, 255, 0)  # 95 above the centre
    save(folders, pixels)
    roi = {"center": [500, 250], "radius": 200, "hw": [600, 900]}
    files.make(evolve(REQUEST, cf_roi=roi))
    picture = np.asarray(made(folders)).astype(int)
    assert picture.shape == (540, 540, 3)
    assert picture[270, 270, 0] > 150
    assert picture[270, 3, 0] > 150
    assert picture[4, 4, 2] > 150  # the corners of the square are not in the circle
    green = np.argwhere(picture[:, :, 1] > 120).mean(axis=0)
    assert green == pytest.approx([270 - 95.5 * 540 / 400, 270], abs=1.5)


def test_a_field_of_view_beyond_the_picture_is_black_there_and_costs_nothing(
    folders: tuple[Path, Path], files: StoredThumbnails
) -> None:
    save(folders, np.full((300, 400, 3), 255, np.uint8))
    roi = {"center": [200, 150], "radius": 200, "hw": [300, 400]}
    files.make(evolve(REQUEST, cf_roi=roi))
    picture = np.asarray(made(folders)).astype(int)
    assert picture[:60].max() < 30
    assert picture[-60:].max() < 30
    assert picture[75:-75, 2:-2].min() > 225
    files.make(evolve(REQUEST, cf_roi={**roi, "radius": 32_000}))
    assert made(folders).size == (540, 540)


@pytest.mark.parametrize(
    "roi",
    [
        {"success": False},
        {"center": [200, 150], "radius": 20, "hw": [3000, 4000]},
        {"center": [-5000, -5000], "radius": 3, "hw": [300, 400]},
        {"radius": "wide"},
        [1, 2],
    ],
)
def test_without_a_field_of_view_of_this_picture_it_is_shown_as_it_is(
    folders: tuple[Path, Path], files: StoredThumbnails, roi: Any
) -> None:
    save(folders, np.zeros((300, 400, 3), np.uint8))
    files.make(evolve(REQUEST, cf_roi=roi))
    assert made(folders).size == (540, 405)


def test_a_photograph_is_shown_upright_and_a_transparent_one_on_black(
    folders: tuple[Path, Path], files: StoredThumbnails
) -> None:
    pixels = np.zeros((300, 400, 3), np.uint8)
    pixels[:, :100] = 255
    exif = Image.Exif()
    exif[274] = 6  # shown turned by 90 degrees clockwise: left becomes top
    Image.fromarray(pixels).save(folders[0] / "a.jpg", exif=exif)
    files.make(evolve(REQUEST, dataset_identifier="a.jpg"))
    picture = np.asarray(made(folders)).astype(int)
    assert picture.shape[:2] == (540, 405)
    assert picture[:100].min() > 200
    assert picture[200:].max() < 50
    save(folders, np.dstack([np.full((9, 9, 3), 255), np.zeros((9, 9))]).astype(np.uint8))
    files.make(REQUEST)
    assert np.asarray(made(folders)).max() < 10


@pytest.mark.parametrize("told", [True, False])
def test_a_volume_is_shown_by_one_scan_or_en_face(
    folders: tuple[Path, Path], files: StoredThumbnails, told: bool
) -> None:
    volume = draw_oct_volume(3, laterality="R", shape=(12, 64, 96))
    for scans, size in ((1, (540, 360)), (9, (540, 360)), (12, (540, 540))):
        for number in range(scans):
            save(folders, volume[number], f"v_{number}.png")
        request = evolve(
            REQUEST,
            dataset_identifier=f"[png_series_{scans}]v.png",
            nr_of_frames=scans if told else None,
            resolution_horizontal=6 / 96,
            resolution_vertical=6 / 12,
        )
        files.make(request)
        assert made(folders).size == size
        if scans < 10:
            middle = Image.fromarray(volume[scans // 2]).resize((540, 360))
            difference = np.asarray(made(folders)).astype(int) - np.asarray(middle)
            assert np.abs(difference).mean() < 12


def test_what_cannot_be_read_leaves_no_file(
    folders: tuple[Path, Path], files: StoredThumbnails
) -> None:
    (folders[0] / "a.png").write_bytes(b"no picture")
    with pytest.raises(BadInput, match=r"a\.png"):
        files.make(REQUEST)
    assert list(folders[1].iterdir()) == []


def test_a_thumbnail_is_replaced_whole_or_not_at_all(
    folders: tuple[Path, Path], files: StoredThumbnails, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(folders, np.zeros((30, 40), np.uint8))
    files.make(REQUEST)
    before = {path: path.read_bytes() for path in (folders[1] / "3").iterdir()}
    save(folders, np.full((30, 40), 255, np.uint8))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match=r"THUMBNAILS_PATH.*No space left"):
        files.make(REQUEST)
    assert {path: path.read_bytes() for path in (folders[1] / "3").iterdir()} == before


def test_nothing_is_written_outside_the_folder(
    folders: tuple[Path, Path], files: StoredThumbnails, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (folders[1] / "3").symlink_to(outside)
    with pytest.raises(StorageError, match="could not be written"):
        files.write(f"3/{HEX}", {144: b"x"})
    for identifier in ("../x", f"../3/{HEX}", f"/3/{HEX}", f"3/{HEX}\n", f"3/{HEX[:-1]}", ""):
        with pytest.raises(BadInput, match="thumbnail_path"):
            files.write(identifier, {144: b"x"})
    (folders[1] / "4").mkdir()
    (folders[1] / "4" / f"{HEX}_144.jpg").symlink_to(outside / "victim")
    files.write(f"4/{HEX}", {144: b"x"})
    assert list(outside.iterdir()) == []
    assert (folders[1] / "4" / f"{HEX}_144.jpg").read_bytes() == b"x"


def test_a_folder_that_is_not_there_is_told_before_anything_is_tried(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    with pytest.raises(ConfigurationError, match="IMAGES_BASEPATH"):
        StoredThumbnails(tmp_path / "gone", here).check()
    with pytest.raises(ConfigurationError, match="THUMBNAILS_PATH"):
        StoredThumbnails(here, tmp_path / "gone").check()
    with pytest.raises(ConfigurationError, match="IMAGES_BASEPATH"):
        StoredHashes(tmp_path / "gone").check()
    StoredThumbnails(here, here).check()
    if os.getuid() != 0:
        here.chmod(0o500)
        with pytest.raises(ConfigurationError, match="may not be written"):
            StoredThumbnails(here, here).check()


def test_hashes_are_those_of_the_contract(folders: tuple[Path, Path]) -> None:
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 255, (30, 40, 3), np.uint8)
    save(folders, pixels)
    request = HashRequest(
        image_id=1, dataset_identifier="a.png", file_checksum=True, data_hash=True
    )
    files = pickle.loads(pickle.dumps(StoredHashes(folders[0])))
    found = files.make(request)
    assert found.file_checksum == hashlib.md5((folders[0] / "a.png").read_bytes()).digest()
    assert len(found.file_checksum) == 16
    assert found.data_hash == hashlib.sha256(pixels.tobytes()).hexdigest().encode("ascii")
    assert found.failure is None


def test_a_file_without_pixels_has_its_checksum_and_a_reason(folders: tuple[Path, Path]) -> None:
    (folders[0] / "a.png").write_bytes(b"no picture")
    request = HashRequest(
        image_id=1, dataset_identifier="a.png", file_checksum=True, data_hash=True
    )
    found = StoredHashes(folders[0]).make(request)
    assert found.file_checksum == hashlib.md5(b"no picture").digest()
    assert found.failure is not None
    assert (found.data_hash, found.failure.kind) == (None, "BadInput")
    with pytest.raises(FileMissing, match="does not exist"):
        StoredHashes(folders[0]).make(evolve(request, dataset_identifier="b.png"))
