"""What is read from real photographs, masks and B-scans; sizes as PROVENANCE.md tells them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from eyened_domain.adapters.files.image_files import FileSystemImageFiles
from eyened_domain.errors import BadInput, FileMissing
from eyened_domain.services.image_files import ImageHeader

SHARED = Path(os.environ.get("EYENED_SHARED", Path(__file__).parents[3] / "shared"))
needs_shared = pytest.mark.skipif(
    not (SHARED / "data" / "fundus").is_dir(),
    reason=f"no test data in {SHARED / 'data'}; set EYENED_SHARED",
)


@needs_shared
@pytest.mark.parametrize(
    ("name", "columns", "rows", "samples"),
    [
        ("fundus/haggstrom_OS_1411.jpg", 1411, 1411, 3),
        ("fundus/haggstrom_OD_600.jpg", 600, 600, 3),
        ("fundus/CHASEDB1_08L.png", 999, 960, 3), ("fundus/CHASEDB1_12R.png", 999, 960, 3),
        ("fundus/CHASEDB1_01L_x3.jpg", 2997, 2880, 3),
        ("fundus/CHASEDB1_01R_x3.jpg", 2997, 2880, 3),
        ("fundus/HRF_04_g.jpg", 3504, 2336, 3), ("fundus/IDRiD_17.jpg", 4288, 2848, 3),
        ("masks/haggstrom_OD_600_vessels.tif", 600, 600, 1),
        ("masks/haggstrom_OD_600_vessel_skeleton.tif", 600, 600, 1),
        ("masks/CHASEDB1_08L_fov.gif", 999, 960, 1), ("masks/CHASEDB1_12R_fov.gif", 999, 960, 1),
        ("masks/CHASEDB1_01L_x3_vessels.jpg", 2997, 2880, 1),
        ("masks/IDRiD_17_lesions.tif", 4288, 2848, 3),
        ("oct/heidelberg_onh_OD_png/SLO_IR-0_0.png", 1536, 1536, 1),
    ],
)  # fmt: skip
def test_real_photographs_and_masks_are_read(name: str, columns: int, rows: int, samples: int):
    header = FileSystemImageFiles(SHARED / "data").read_header(name)
    assert header == ImageHeader(
        rows_y=rows, columns_x=columns, samples_per_pixel=samples, nr_of_frames=1
    )


@needs_shared
def test_27_real_b_scans_are_one_volume_as_a_png_series():
    files = FileSystemImageFiles(SHARED / "data" / "oct")
    identifier = "[png_series_27]heidelberg_onh_OD_png/OCT-0.png"
    assert files.read_header(identifier) == ImageHeader(
        rows_y=496, columns_x=768, samples_per_pixel=1, nr_of_frames=27
    )
    with pytest.raises(FileMissing, match=r"OCT-0_27\.png"):
        files.read_header(identifier.replace("27", "28"))


@needs_shared
def test_real_files_of_other_kinds_are_refused():
    files = FileSystemImageFiles(SHARED / "data" / "oct")
    with pytest.raises(BadInput, match="JSON"):
        files.read_header("heidelberg_onh_OD_png/locations.json")
