"""The pixels of real photographs, masks and B-scans; what they show as PROVENANCE.md tells it."""

from __future__ import annotations

import builtins
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from eyened_domain import ImageInstance
from eyened_domain.adapters.image_store import StoredImages
from eyened_domain.model.enums import Laterality

SHARED = Path(os.environ.get("EYENED_SHARED", Path(__file__).parents[3] / "shared"))
pytestmark = pytest.mark.skipif(
    not (SHARED / "data" / "fundus").is_dir(),
    reason=f"no test data in {SHARED / 'data'}; set EYENED_SHARED",
)
SERIES = "[png_series_27]oct/heidelberg_onh_OD_png/OCT-0.png"


def image_of(name: str, **columns: Any) -> ImageInstance:
    image = ImageInstance(dataset_identifier=name, laterality=Laterality.R, **columns)
    image.attach(StoredImages(SHARED / "data"))
    return image


@pytest.mark.parametrize(
    ("name", "columns", "rows"),
    [
        ("haggstrom_OS_1411.jpg", 1411, 1411), ("haggstrom_OD_600.jpg", 600, 600),
        ("CHASEDB1_08L.png", 999, 960), ("CHASEDB1_12R.png", 999, 960),
        ("CHASEDB1_01L_x3.jpg", 2997, 2880), ("CHASEDB1_01R_x3.jpg", 2997, 2880),
        ("HRF_04_g.jpg", 3504, 2336), ("IDRiD_17.jpg", 4288, 2848),
    ],
)  # fmt: skip
def test_photographs_are_what_pillow_decodes_and_shows(name: str, columns: int, rows: int):
    image = image_of(f"fundus/{name}", rows_y=rows, columns_x=columns)
    pixels = image.pixel_array
    assert pixels.shape == (rows, columns, 3)
    with Image.open(SHARED / "data" / "fundus" / name) as expected:
        assert np.array_equal(pixels, np.asarray(expected))
    # The retina is in the middle and red, the surround is dark.
    assert pixels[rows // 2, columns // 2, 0] > pixels[rows // 2, columns // 2, 2]
    assert pixels[:5, :5].mean() < 20
    assert image.picture(144).size == (144, round(144 * rows / columns))


@pytest.mark.parametrize("name", ["CHASEDB1_08L", "CHASEDB1_12R"])
def test_the_masks_of_the_field_of_view_are_white_inside(name: str):
    mask = image_of(f"masks/{name}_fov.gif", rows_y=960, columns_x=999).pixel_array
    assert set(np.unique(mask)) == {0, 255}
    assert mask[480, 490] == 255
    assert mask[3, 3] == 0
    assert 0.6 < (mask == 255).mean() < 0.75


def test_the_lesions_keep_their_colours():
    lesions = image_of("masks/IDRiD_17_lesions.tif").pixel_array
    packed = np.unique(lesions.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32))
    colours = {(n >> 16, n >> 8 & 255, n & 255) for n in packed.tolist()}
    assert {(128, 0, 0), (0, 128, 192), (64, 192, 0), (192, 192, 0)} <= colours


def test_the_skeleton_is_whole_numbers_of_32_bits():
    skeleton = image_of("masks/haggstrom_OD_600_vessel_skeleton.tif").pixel_array
    assert skeleton.dtype == np.int32
    assert set(np.unique(skeleton)) == {0, 1}
    shown = np.asarray(image_of("masks/haggstrom_OD_600_vessel_skeleton.tif").picture())
    assert set(np.unique(shown)) == {0, 255}


def test_27_b_scans_are_one_volume_and_one_of_them_opens_one_file(
    monkeypatch: pytest.MonkeyPatch,
):
    image = image_of(SERIES, rows_y=496, columns_x=768, nr_of_frames=27)
    volume = image.pixel_array
    assert volume.shape == (27, 496, 768)
    assert volume.dtype == np.uint8
    opened: list[str] = []
    from eyened_domain.adapters.files.paths import RootFolder

    real = RootFolder.open
    monkeypatch.setattr(
        RootFolder,
        "open",
        lambda self, relative: opened.append(relative) or real(self, relative),  # type: ignore[func-returns-value]
    )
    monkeypatch.setattr(builtins, "open", None)
    monkeypatch.setattr(io, "open", None)
    assert np.array_equal(image.b_scan(13), volume[13])
    assert opened == ["oct/heidelberg_onh_OD_png/OCT-0_13.png"]


def test_the_volume_is_shown_en_face_in_the_proportions_of_its_pixels():
    image = image_of(
        SERIES, rows_y=496, columns_x=768, nr_of_frames=27,
        resolution_horizontal=0.0057, resolution_vertical=0.057,
    )  # fmt: skip
    assert image.picture().size == (768, 270)
