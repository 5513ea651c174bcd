"""What is read from the files of OCT devices, and which of them are refused.

No Topcon file is in the shared data: those here are written from the description of
the format, and oct-converter, where it is installed, reads the same from them.
"""

from __future__ import annotations

import os
import struct
import tracemalloc
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from eyened_domain.adapters.files.image_files import FileSystemImageFiles
from eyened_domain.adapters.files.image_headers.source import HeaderFile
from eyened_domain.adapters.files.vendor_oct.intensities import displayed, displayed_by_code
from eyened_domain.adapters.image_store import StoredImages
from eyened_domain.errors import BadInput
from eyened_domain.model.enums import Laterality
from eyened_domain.model.image import ImageInstance
from tests.unit import oct_files
from tests.unit.test_image_files_real import SHARED, needs_shared

VOLUME = np.linspace(0, 1, 3 * 5 * 7, dtype=np.float32).reshape(3, 5, 7)
CODES = (np.arange(3 * 5 * 7, dtype=np.uint16) * 613).reshape(3, 5, 7)
GREYS = (np.arange(3 * 40 * 50) % 251).astype(np.uint8).reshape(3, 40, 50)
FILES: dict[str, Callable[[], bytes]] = {
    "x.vol": lambda: oct_files.vol(VOLUME),
    "x.E2E": lambda: oct_files.e2e([CODES]),
    "x.fda": lambda: oct_files.fda(GREYS),
    "raw.fda": lambda: oct_files.fda(CODES, raw=True),
}
PIXELS: dict[str, NDArray[Any]] = {
    "x.vol": displayed(VOLUME),
    "x.E2E": displayed_by_code()[CODES],
    "x.fda": GREYS,
    "raw.fda": CODES,
}
BUDGET = 400_000_000
SHARED_FOLDER = [HealthCheck.function_scoped_fixture]


def pixels(folder: Path, name: str, *, budget: int = BUDGET, **wanted: Any) -> NDArray[Any]:
    return FileSystemImageFiles(folder, pixel_budget=budget).read_pixels(name, **wanted)


def header(folder: Path, name: str, content: bytes | None = None) -> Any:
    if content is not None:
        (folder / name).write_bytes(content)
    return FileSystemImageFiles(folder).read_header(name)


def size(read: Any) -> tuple[int, int, int]:
    return read.nr_of_frames, read.rows_y, read.columns_x


@pytest.mark.parametrize("name", FILES)
def test_a_volume_is_read_with_the_size_that_its_header_tells(tmp_path: Path, name: str):
    assert size(header(tmp_path, name, FILES[name]())) == PIXELS[name].shape
    found = pixels(tmp_path, name)
    np.testing.assert_array_equal(found, PIXELS[name])
    assert found.dtype == PIXELS[name].dtype
    assert found.flags.c_contiguous
    assert found.flags.writeable


@pytest.mark.parametrize("name", FILES)
def test_one_b_scan_is_read_without_the_others(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / name).write_bytes(FILES[name]())
    read: list[int] = []
    plain = HeaderFile.read_into
    monkeypatch.setattr(
        HeaderFile,
        "read_into",
        lambda *args: read.append(len(args[1])) or plain(*args),  # type: ignore[func-returns-value]
    )
    for number in range(3):
        np.testing.assert_array_equal(pixels(tmp_path, name, frame=number), PIXELS[name][number])
    assert len(read) == 3
    for number in (-1, 3):
        with pytest.raises(BadInput, match=f"no B-scan {number}; it has 3"):
            pixels(tmp_path, name, frame=number)


@pytest.mark.parametrize("name", ["a.VOL", "a.e2e", "a.FDA"])
def test_endings_are_read_in_small_and_in_large_letters(tmp_path: Path, name: str):
    content = next(make() for known, make in FILES.items() if known[1:].lower() == name[1:].lower())
    assert header(tmp_path, name, content).nr_of_frames == 3
    assert len(pixels(tmp_path, name)) == 3


def test_what_the_header_of_a_vol_file_tells(tmp_path: Path):
    assert header(tmp_path, "x.vol", oct_files.vol(VOLUME, eye=b"OS")).columns == {
        "laterality": "L",
        "resolution_horizontal": 0.0115,
        "resolution_axial": 0.0039,
        "resolution_vertical": 0.24,
        "dicom_modality": "OPT",
        "manufacturer": "Heidelberg Engineering",
        "patient_identifier": "P-7",
        "birth_date": date(1970, 1, 1),
        "study_date": date(2024, 1, 31),
    }


@pytest.mark.parametrize("pattern", [1, 2, 5])
def test_scans_that_are_not_parallel_have_no_distance(tmp_path: Path, pattern: int):
    told = header(tmp_path, "x.vol", oct_files.vol(VOLUME, pattern=pattern)).columns
    assert "resolution_vertical" not in told


def test_what_the_header_of_an_e2e_file_tells(tmp_path: Path):
    told = header(tmp_path, "x.E2E", oct_files.e2e([CODES], eyes="L")).columns
    assert told == {
        "laterality": "L",
        "resolution_axial": pytest.approx(0.0039),
        "dicom_modality": "OPT",
        "manufacturer": "Heidelberg Engineering",
    }


def test_what_the_header_of_an_fda_file_tells(tmp_path: Path):
    assert header(tmp_path, "x.fda", oct_files.fda(GREYS)).columns == {
        "dicom_modality": "OPT",
        "manufacturer": "Topcon",
        "manufacturer_model_name": "3DOCT-2000",
        "serial_number": "SN 12",
        "laterality": "L",
        "acquisition_date_time": datetime(2024, 1, 31, 10, 11, 12),
        "study_date": date(2024, 1, 31),
        "patient_identifier": "P-9",
        "sex": "F",
        "birth_date": date(1950, 3, 4),
        "resolution_axial": pytest.approx(0.0026),
        "resolution_horizontal": 6 / 50,
        "resolution_vertical": pytest.approx(4 / 3),
    }


@pytest.mark.parametrize(
    ("name", "content", "told", "row"),
    [
        ("x.vol", oct_files.vol(VOLUME, eye=b"OD"), "R", "L"),
        ("x.vol", oct_files.vol(VOLUME, eye=b"OS"), "L", "R"),
        ("x.E2E", oct_files.e2e([CODES], eyes="R"), "R", "L"),
        ("x.fda", oct_files.fda(GREYS, eye=1), "L", "R"),
    ],
)
def test_the_file_of_one_eye_is_refused_for_the_row_of_the_other(
    tmp_path: Path, name: str, content: bytes, told: str, row: str
):
    assert header(tmp_path, name, content).columns["laterality"] == told
    assert len(pixels(tmp_path, name, laterality=told)) == 3
    with pytest.raises(BadInput) as caught:
        pixels(tmp_path, name, laterality=row)
    assert caught.value.field == "laterality"
    assert f"the row says {row} (" in str(caught.value)
    assert f"the file '{name}' {told} (" in str(caught.value)


def test_an_image_reads_its_b_scans_and_compares_its_eye(tmp_path: Path):
    (tmp_path / "x.vol").write_bytes(oct_files.vol(VOLUME, eye=b"OD"))
    image = ImageInstance(dataset_identifier="x.vol", laterality="R", nr_of_frames=3)
    image.attach(StoredImages(tmp_path))
    np.testing.assert_array_equal(image.pixel_array, PIXELS["x.vol"])
    np.testing.assert_array_equal(image.b_scan(1), PIXELS["x.vol"][1])
    image.laterality = Laterality.L
    for read in (lambda: image.pixel_array, lambda: image.b_scan(1)):
        with pytest.raises(BadInput, match=r"the row says L \(OS\), the file 'x.vol' R \(OD\)"):
            read()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.vol", oct_files.vol(VOLUME, eye=b"")),
        ("x.E2E", oct_files.e2e([CODES], eyes="?")),
        ("x.fda", oct_files.fda(GREYS, eye=7)),
    ],
)
def test_a_file_that_does_not_tell_its_eye_fits_both(tmp_path: Path, name: str, content: bytes):
    assert "laterality" not in header(tmp_path, name, content).columns
    for row in ("L", "R", None):
        assert len(pixels(tmp_path, name, laterality=row)) == 3


@pytest.mark.parametrize("name", FILES)
def test_a_row_of_another_size_is_refused(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(FILES[name]())
    frames, rows, columns = PIXELS[name].shape
    right = {"nr_of_frames": frames, "rows_y": rows, "columns_x": columns}
    assert len(pixels(tmp_path, name, **right)) == frames
    for field, value in right.items():
        with pytest.raises(BadInput, match=f"holds 3 x {rows} rows x {columns} columns"):
            pixels(tmp_path, name, **right | {field: value + 1})


def test_reflectivities_become_the_grey_values_that_the_device_shows():
    stored = np.array([0, 1e-4, 1e-2, 1, 2, np.finfo(np.float32).max, np.nan, -1], np.float32)
    logarithmic = (np.log(stored[1:3] + 2.44e-4) + 8.3) / 8.285 * 255
    darkest = 0
    assert displayed(stored).tolist() == [
        darkest, *np.rint(logarithmic).astype(int).tolist(), 255, 255, 0, 0, darkest
    ]  # fmt: skip


def test_codes_of_an_e2e_file_grow_with_what_they_stand_for():
    shown = displayed_by_code()
    assert (np.diff(shown.astype(int)) >= 0).all()
    assert shown[0] == 0
    assert shown[63 << 10] == 255  # 1.0
    assert shown[62 << 10 | 512] == displayed(np.array([0.75]))[0]


@pytest.mark.parametrize("name", FILES)
@settings(deadline=None, max_examples=60, suppress_health_check=SHARED_FOLDER)
@given(data=st.data())
def test_a_file_that_is_cut_off_anywhere_is_refused(tmp_path: Path, name: str, data: Any):
    whole = FILES[name]()
    # Behind the pixels of an .fda file are the chunks that nobody needs to see them.
    end = whole.index(b"@PARAM_SCAN") - 1 if name.endswith("fda") else len(whole)
    (tmp_path / name).write_bytes(whole[: data.draw(st.integers(0, end - 1))])
    with pytest.raises(BadInput, match=r"is empty|cut off|is no|damaged|no B-scan"):
        header(tmp_path, name)
    with pytest.raises(BadInput):
        pixels(tmp_path, name)


@pytest.mark.parametrize("name", FILES)
@settings(deadline=None, max_examples=150, suppress_health_check=SHARED_FOLDER)
@given(data=st.data())
def test_damage_is_told_or_harmless_and_nothing_else_is_raised(
    tmp_path: Path, name: str, data: Any
):
    content = bytearray(FILES[name]())
    places = st.integers(0, min(len(content) - 1, 2600))
    for place in data.draw(st.lists(places, min_size=1, max_size=4)):
        content[place] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))
    (tmp_path / name).write_bytes(content)
    try:
        found = pixels(tmp_path, name, budget=100_000)
    except BadInput:
        return
    assert found.ndim == 3


@pytest.mark.parametrize("name", ["x.vol", "x.E2E", "x.fda"])
@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n" + bytes(5000), b"{}", bytes(5000)])
def test_foreign_files_with_such_names_are_refused(tmp_path: Path, name: str, content: bytes):
    with pytest.raises(BadInput, match=r"is empty|is no (Heidelberg|Topcon)"):
        header(tmp_path, name, content)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.vol", oct_files.vol(VOLUME, sizes=(1_000_000, 496, 768))),
        ("x.vol", oct_files.vol(VOLUME, sizes=(1_000_000, 1, 1))),
        ("x.vol", oct_files.vol(VOLUME, sizes=(2**32 - 1, 2**32 - 1, 2**32 - 1))),
        ("x.vol", oct_files.vol(VOLUME, sizes=(0, 5, 7))),
        ("x.vol", oct_files.vol(VOLUME, b_scan_header=0)),
        ("x.fda", oct_files.fda(GREYS, sizes=(1_000_000, 40, 50))),
        ("x.fda", oct_files.fda(GREYS, sizes=(1_000_000, 1, 1))),
        ("x.fda", oct_files.fda(GREYS, raw=True, sizes=(100_000, 40, 50))),
        ("x.fda", oct_files.fda(GREYS, sizes=(3, 50, 50))),
    ],
)
def test_sizes_that_lie_are_refused_before_memory_is_taken(
    tmp_path: Path, name: str, content: bytes
):
    (tmp_path / name).write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(BadInput):
            pixels(tmp_path, name)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", FILES)
def test_more_pixels_than_the_budget_are_refused(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(FILES[name]())
    assert pixels(tmp_path, name, budget=PIXELS[name].size).size == PIXELS[name].size
    with pytest.raises(BadInput, match="at most"):
        pixels(tmp_path, name, budget=PIXELS[name].size - 1)


@pytest.mark.parametrize("name", ["x.vol", "x.E2E"])
def test_a_file_whose_last_byte_is_missing_is_refused_by_its_header(tmp_path: Path, name: str):
    with pytest.raises(BadInput, match="is cut off"):
        header(tmp_path, name, FILES[name]()[:-1])


def test_an_e2e_file_of_several_volumes_is_no_image(tmp_path: Path):
    with pytest.raises(BadInput, match="holds 2 volumes"):
        header(tmp_path, "x.E2E", oct_files.e2e([CODES, CODES], eyes="RL"))


def test_an_e2e_file_that_lacks_b_scans_is_not_whole(tmp_path: Path):
    with pytest.raises(BadInput, match="3 of 25 B-scans"):
        header(tmp_path, "x.E2E", oct_files.e2e([CODES], promised=25))


def test_blocks_of_an_e2e_file_that_lead_in_a_circle_are_refused(tmp_path: Path):
    content = bytearray(oct_files.e2e([CODES]))
    struct.pack_into("<I", content, 88 + 44, 88)
    with pytest.raises(BadInput, match="circle"):
        header(tmp_path, "x.E2E", bytes(content))


def test_a_sparse_file_of_any_size_takes_no_memory_for_its_header(tmp_path: Path):
    with (tmp_path / "x.vol").open("wb") as file:
        file.write(oct_files.vol(VOLUME, sizes=(100_000_000, 1, 1)))
        os.truncate(file.fileno(), 30_000_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(BadInput, match="HSF-BS"):
            header(tmp_path, "x.vol")
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_oct_converter_reads_the_same_from_an_e2e_file(tmp_path: Path):
    readers = pytest.importorskip(
        "oct_converter.readers", reason="compared with oct-converter: pip install .[peers]"
    )
    # It takes the bits of the mantissa in reverse: compared where that makes no difference.
    mantissas = [0, 0b1111111111, 0b1000000001, 0b0100000010, 0b0000110000]
    codes = np.array([exponent << 10 | m for exponent in range(40, 63) for m in mantissas], "u2")
    volume = np.stack([codes.reshape(23, 5), codes[::-1].reshape(23, 5)])
    (tmp_path / "x.E2E").write_bytes(oct_files.e2e([volume], eyes="L"))
    (theirs,) = readers.E2E(tmp_path / "x.E2E").read_oct_volume()
    shown = np.rint(np.clip(np.stack(theirs.volume), 0, 1) * 255)
    np.testing.assert_array_equal(pixels(tmp_path, "x.E2E"), shown)
    told = header(tmp_path, "x.E2E").columns
    assert told["resolution_axial"] == pytest.approx(theirs.pixel_spacing[1])


@pytest.mark.parametrize("raw", [False, True])
def test_oct_converter_reads_the_same_from_an_fda_file(
    tmp_path: Path, raw: bool, monkeypatch: pytest.MonkeyPatch
):
    readers = pytest.importorskip(
        "oct_converter.readers", reason="compared with oct-converter: pip install .[peers]"
    )
    # numpy 2.3 removed what it calls.
    monkeypatch.setattr(np, "fromstring", np.frombuffer)
    (tmp_path / "x.fda").write_bytes(oct_files.fda(GREYS, raw=raw))
    theirs = readers.FDA(tmp_path / "x.fda").read_oct_volume()
    np.testing.assert_array_equal(pixels(tmp_path, "x.fda"), np.stack(theirs.volume))
    told = header(tmp_path, "x.fda").columns
    assert told["laterality"] == theirs.laterality
    assert told["acquisition_date_time"] == theirs.acquisition_date
    assert [
        told[f"resolution_{direction}"] for direction in ("horizontal", "vertical", "axial")
    ] == pytest.approx(theirs.pixel_spacing)


@needs_shared
@pytest.mark.parametrize(
    ("name", "lateral_mm"), [("Willis_B_716_0.vol", 0.01182), ("Willis_B_716_2.vol", 0.01472)]
)
def test_real_line_and_circle_scans_of_a_spectralis_are_read(name: str, lateral_mm: float):
    folder = SHARED / "data" / "oct" / "spectralis_vol"
    read = header(folder, name)
    assert size(read) == (1, 496, 768)
    assert read.columns["laterality"] == "R"
    assert read.columns["resolution_horizontal"] == pytest.approx(lateral_mm, abs=1e-5)
    assert read.columns["resolution_axial"] == pytest.approx(0.00387, abs=1e-5)
    assert "resolution_vertical" not in read.columns
    scan = pixels(folder, name, frame=0)
    # The retina is bright, the vitreous above it and the depth below it are dark.
    bands = scan.reshape(8, 62, 768).mean(axis=(1, 2))
    assert bands.argmax() in {2, 3}
    assert bands.max() > 3 * bands[-1]


@needs_shared
def test_the_b_scan_of_a_real_e2e_file_without_folders_is_read():
    folder = SHARED / "data" / "oct"
    read = header(folder, "e2e_minimized.E2E")
    assert size(read) == (1, 496, 512)
    assert read.columns["laterality"] == "L"
    scan = pixels(folder, "e2e_minimized.E2E", frame=0)
    assert scan.reshape(8, 62, 512).mean(axis=(1, 2)).argmax() in {2, 3}


@needs_shared
def test_the_mantissa_of_a_real_e2e_file_has_its_high_bit_first():
    """With the bits of the mantissa in reverse, neighbouring pixels agree less."""
    raw = (SHARED / "data" / "oct" / "e2e_minimized.E2E").read_bytes()
    codes = np.frombuffer(raw, "<u2", 496 * 512, 348 + 80).reshape(496, 512)
    reverse = np.array([int(f"{number:010b}"[::-1], 2) for number in range(1024)])
    shown = [displayed_by_code()[c] for c in (codes, codes & 0xFC00 | reverse[codes & 1023])]
    agreement = [np.corrcoef(s[:, 1:].ravel(), s[:, :-1].ravel())[0, 1] for s in shown]
    assert agreement[0] > agreement[1] + 0.005
