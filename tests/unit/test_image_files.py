"""What is read from image files, and which files are refused."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from eyened_domain.adapters.files.image_files import FileSystemImageFiles
from eyened_domain.errors import BadInput, FileMissing
from eyened_domain.services.image_files import ImageFiles, ImageHeader

FORMATS = {
    "png": {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "P": 1, "1": 1, "I;16": 1},
    "jpg": {"L": 1, "RGB": 3, "CMYK": 4},
    "tif": {"L": 1, "RGB": 3, "RGBA": 4, "P": 1, "1": 1, "I;16": 1, "F": 1, "CMYK": 4},
    "gif": {"L": 1, "P": 1},
    "bmp": {"L": 1, "RGB": 3, "P": 1, "1": 1},
    "webp": {"RGB": 3, "RGBA": 4},
    "jp2": {"L": 1, "RGB": 3, "RGBA": 4},
}
CASES = [(ending, mode) for ending, modes in FORMATS.items() for mode in modes]


@pytest.fixture
def files(tmp_path: Path) -> FileSystemImageFiles:
    return FileSystemImageFiles(tmp_path)


def picture(mode: str = "RGB", size: tuple[int, int] = (37, 23), value: int = 0) -> Image.Image:
    """A picture of `size` (width, height) whose pixels are not all the same."""
    ramp = np.arange(size[0] * size[1], dtype=np.uint8).reshape(size[1], size[0]) + value
    if mode == "I;16":
        return Image.fromarray(ramp.astype(np.uint16) * 257)
    image = Image.fromarray(ramp.astype(np.uint8)).convert(mode)
    if mode in {"LA", "RGBA"}:
        image.putalpha(Image.fromarray(ramp.astype(np.uint8)))  # an encoder may drop opaque alpha
    return image


def encoded(ending: str, mode: str = "RGB", **options: Any) -> bytes:
    stream = io.BytesIO()
    names = {"jpg": "JPEG", "tif": "TIFF", "jp2": "JPEG2000"}
    picture(mode).save(stream, names.get(ending, ending.upper()), **options)
    return stream.getvalue()


def refusal(files: FileSystemImageFiles, identifier: str, **given: int) -> str:
    with pytest.raises((BadInput, FileMissing)) as caught:
        files.read_header(identifier, **given)
    assert caught.value.entity == "ImageInstance"
    return f"{caught.value.field}: {caught.value}"


def test_the_adapter_is_what_the_port_asks_for(files: FileSystemImageFiles):
    port: ImageFiles = files
    assert port.identifier_of("a.png") == "a.png"


def test_the_port_brings_no_image_library():
    code = "import sys, eyened_domain.services.image_files; print([m for m in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert not any(f"'{name}" in loaded for name in ("PIL", "pydicom", "numpy", "sqlalchemy"))


def test_a_path_is_an_identifier_relative_to_the_base_path(tmp_path: Path):
    files = FileSystemImageFiles(tmp_path)
    absolute = f"{tmp_path}/a/b.png"
    for path in ("a/b.png", "a//b.png", "./a/./b.png", absolute, "/" + absolute):
        assert files.identifier_of(path) == "a/b.png"
    assert files.path_of("a/b.png") == tmp_path / "a" / "b.png"


def test_the_prefix_of_a_png_series_is_kept_wherever_it_stands(tmp_path: Path):
    files = FileSystemImageFiles(tmp_path)
    for path in ("[png_series_9]a/b.png", f"[png_series_9]{tmp_path}/a/b.png",
                 f"{tmp_path}/[png_series_9]a/b.png"):  # fmt: skip
        assert files.identifier_of(path) == "[png_series_9]a/b.png"
    again = str(files.path_of("[png_series_9]a/b.png"))
    assert files.identifier_of(again) == "[png_series_9]a/b.png"


def test_a_base_path_that_is_a_link_is_known_under_both_names(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "images").symlink_to(tmp_path / "real")
    files = FileSystemImageFiles(tmp_path / "images")
    assert files.identifier_of(f"{tmp_path}/images/x.png") == "x.png"
    assert files.identifier_of(f"{tmp_path}/real/x.png") == "x.png"


@pytest.mark.parametrize(
    "path",
    [
        "", ".", "/", "a/", "a/.", "..", "../a.png", "a/../b.png", "/etc/passwd", "a\0.png",
        "a\n.png", "a\x7f.png", "a\u202egnp.png", "\ud800.png", "..\\a.png", "a\\b.png",
        "x" * 257, "x" * 10_000_000, "[png_series_0]a.png", "[png_series_]a.png",
        "[png_series_3a.png", "[png_series_3]", "[png_series_3]a.jpg", "[png_series_3]/etc/a.png",
        "[png_series_3]../a.png", "[png_series_3][png_series_3]a.png", "[png_series_-1]a.png",
        "[png_series_123456]a.png", None, 5, b"a.png",
    ],
)  # fmt: skip
def test_what_can_be_no_identifier_is_refused(files: FileSystemImageFiles, path: str):
    for call in (files.identifier_of, files.path_of, files.read_header):
        with pytest.raises(BadInput) as caught:
            call(path)
        assert caught.value.field == "dataset_identifier"
        assert len(str(caught.value)) < 400
        assert len(str(caught.value.value)) < 300


def test_a_folder_whose_name_begins_like_the_base_path_is_outside(tmp_path: Path):
    with pytest.raises(BadInput, match="not beneath"):
        FileSystemImageFiles(tmp_path / "im").identifier_of(f"{tmp_path}/images/x.png")


@given(path=st.text(alphabet="a./\\[]png_series_3 \0é", max_size=40))
def test_an_identifier_is_relative_normal_and_its_own_identifier(path: str):
    files = FileSystemImageFiles("/images")
    try:
        identifier = files.identifier_of(path)
    except BadInput:
        return
    assert files.identifier_of(identifier) == identifier
    assert files.identifier_of(str(files.path_of(identifier))) == identifier
    assert not identifier.startswith("/")
    assert ".." not in identifier.split("/")


@pytest.mark.parametrize(("ending", "mode"), CASES)
def test_the_header_tells_the_shape_that_pillow_decodes(
    files: FileSystemImageFiles, tmp_path: Path, ending: str, mode: str
):
    (tmp_path / f"x.{ending}").write_bytes(encoded(ending, mode))
    header = files.read_header(f"x.{ending}")
    with Image.open(tmp_path / f"x.{ending}") as image:
        assert (header.rows_y, header.columns_x) == np.asarray(image).shape[:2] == (23, 37)
        assert header.samples_per_pixel == len(image.getbands()) == FORMATS[ending][mode]
    assert header.nr_of_frames == 1
    assert header.columns == {}


@pytest.mark.parametrize(
    ("ending", "options"),
    [
        ("jpg", {"progressive": True}), ("jpg", {"icc_profile": bytes(200_000)}),
        ("jpg", {"comment": b"\xff" * 60_000}), ("png", {"icc_profile": bytes(100_000)}),
        ("tif", {"compression": "tiff_lzw"}), ("tif", {"compression": "jpeg"}),
        ("tif", {"compression": "tiff_deflate", "big_tiff": True}),
        ("webp", {"lossless": True}), ("jp2", {"no_jp2": True}),
    ],
)  # fmt: skip
def test_variants_of_a_format_are_read(
    files: FileSystemImageFiles, tmp_path: Path, ending: str, options: dict[str, Any]
):
    (tmp_path / "x").write_bytes(encoded(ending, **options))
    assert files.read_header("x") == ImageHeader(
        rows_y=23, columns_x=37, samples_per_pixel=3, nr_of_frames=1
    )


@pytest.mark.parametrize("ending", ["tif", "gif", "png", "webp"])
def test_frames_are_counted(files: FileSystemImageFiles, tmp_path: Path, ending: str):
    rest = [picture(value=5 * n) for n in range(1, 4)]
    (tmp_path / "x").write_bytes(encoded(ending, save_all=True, append_images=rest))
    assert files.read_header("x").nr_of_frames == 4


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
def test_the_size_is_that_of_the_decoded_array_and_the_orientation_is_told(
    files: FileSystemImageFiles, tmp_path: Path, ending: str
):
    exif = Image.Exif()
    exif[274] = 6
    (tmp_path / "x").write_bytes(encoded(ending, exif=exif))
    header = files.read_header("x")
    with Image.open(tmp_path / "x") as image:
        assert (header.rows_y, header.columns_x) == np.asarray(image).shape[:2]
    assert header.orientation == (1 if ending == "tif" else 6)


def test_reduced_pages_of_a_tiff_are_no_frames(files: FileSystemImageFiles, tmp_path: Path):
    small = picture(size=(9, 6))
    (tmp_path / "x.tif").write_bytes(encoded("tif", save_all=True, append_images=[small]))
    assert files.read_header("x.tif").nr_of_frames == 1


def test_a_raw_file_has_the_frames_that_its_size_tells(files: FileSystemImageFiles, tmp_path: Path):
    (tmp_path / "x.binary").write_bytes(bytes(5 * 23 * 37))
    header = files.read_header("x.binary", rows_y=23, columns_x=37)
    assert header == ImageHeader(rows_y=23, columns_x=37, samples_per_pixel=1, nr_of_frames=5)
    assert files.read_header("x.binary", rows_y=23, columns_x=37, nr_of_frames=5) == header
    assert "rows_y" in refusal(files, "x.binary", columns_x=37)
    assert "columns_x" in refusal(files, "x.binary", rows_y=23, columns_x=0)
    assert "no whole number" in refusal(files, "x.binary", rows_y=23, columns_x=36)
    assert "5 frames" in refusal(files, "x.binary", rows_y=23, columns_x=37, nr_of_frames=4)


def write_series(folder: Path, count: int) -> None:
    folder.mkdir()
    for position in range(count):
        (folder / f"s_{position}.png").write_bytes(encoded("png", "L"))


def test_a_png_series_is_one_volume(files: FileSystemImageFiles, tmp_path: Path):
    write_series(tmp_path / "v", 11)
    assert files.read_header("[png_series_11]v/s.png") == ImageHeader(
        rows_y=23, columns_x=37, samples_per_pixel=1, nr_of_frames=11
    )
    assert "v/s_11.png' does not exist" in refusal(files, "[png_series_12]v/s.png")
    (tmp_path / "v" / "s_7.png").write_bytes(encoded("png", "RGB"))
    assert "number 7" in refusal(files, "[png_series_11]v/s.png")
    (tmp_path / "v" / "s_3.png").write_bytes(encoded("jpg", "L"))
    assert "s_3.png' is no PNG" in refusal(files, "[png_series_11]v/s.png")


@pytest.mark.parametrize("ending", FORMATS)
def test_a_file_cut_off_anywhere_is_refused(
    files: FileSystemImageFiles, tmp_path: Path, ending: str
):
    whole = encoded(ending)
    for length in {*range(0, len(whole), 7), *range(len(whole) - 13, len(whole))}:
        (tmp_path / "x").write_bytes(whole[:length])
        assert "dataset_identifier" in refusal(files, "x"), length


@pytest.mark.parametrize("ending", ["jpg", "png", "gif", "jp2", "bmp", "webp", "tif"])
def test_padding_after_the_end_is_tolerated_but_does_not_hide_a_cut(
    files: FileSystemImageFiles, tmp_path: Path, ending: str
):
    whole = encoded(ending)
    (tmp_path / "x").write_bytes(whole + bytes(5000))
    assert files.read_header("x").rows_y == 23
    if ending in {"jpg", "png", "jp2"}:
        (tmp_path / "x").write_bytes(whole[:-12] + bytes(5000))
        assert "cut off" in refusal(files, "x")


def test_a_png_whose_size_was_damaged_is_refused(files: FileSystemImageFiles, tmp_path: Path):
    content = bytearray(encoded("png"))
    content[19] += 1
    (tmp_path / "x.png").write_bytes(content)
    assert "header (IHDR) is wrong" in refusal(files, "x.png")


def test_the_end_of_a_preview_is_not_taken_for_the_end_of_the_jpeg(
    files: FileSystemImageFiles, tmp_path: Path
):
    exif = b"Exif\0\0" + encoded("jpg", "L")
    whole = encoded("jpg", exif=exif)
    (tmp_path / "x.jpg").write_bytes(whole)
    assert files.read_header("x.jpg").samples_per_pixel == 3
    (tmp_path / "x.jpg").write_bytes(whole[:-40])
    assert "cut off" in refusal(files, "x.jpg")


def test_files_that_are_no_images_are_refused_with_the_reason(
    files: FileSystemImageFiles, tmp_path: Path
):
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "fifo.png")
    for name, content in [
        ("empty.png", b""), ("text.png", b"hello"), ("page.html", b"<svg onload=1>"),
        ("meta.json", b"{}"), ("x.npy.gz", b"\x1f\x8b" + bytes(100)), ("pdf.jpg", b"%PDF-1.4"),
        ("x.DCM", bytes(128) + b"DICM"), ("riff.webp", b"RIFF\x04\0\0\0WAVE"),
    ]:  # fmt: skip
        (tmp_path / name).write_bytes(content)
    for name, reason in [
        ("none.png", "does not exist"), ("folder.png", "is a folder"), ("fifo.png", "regular"),
        ("empty.png", "is empty"), ("text.png", "no image"), ("page.html", "no image"),
        ("meta.json", "JSON"), ("x.npy.gz", "no image"), ("pdf.jpg", "no image"),
        ("x.DCM", r".dcm"), ("riff.webp", "no WebP"),
    ]:  # fmt: skip
        message = refusal(files, name)
        assert reason in message
        assert name in message


def test_the_pixel_budget_counts_all_frames(tmp_path: Path):
    rest = [picture(value=5)] * 3
    (tmp_path / "x.tif").write_bytes(encoded("tif", save_all=True, append_images=rest))
    write_series(tmp_path / "v", 4)
    (tmp_path / "x.binary").write_bytes(bytes(4 * 23 * 37))
    for budget, accepted in [(4 * 23 * 37, True), (4 * 23 * 37 - 1, False)]:
        files = FileSystemImageFiles(tmp_path, pixel_budget=budget)
        for name in ("x.tif", "[png_series_4]v/s.png", "x.binary"):
            if accepted:
                assert files.read_header(name, rows_y=23, columns_x=37).nr_of_frames == 4
            else:
                assert "accepted" in refusal(files, name, rows_y=23, columns_x=37)


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


ORIGINALS = [encoded(ending, mode) for ending, mode in CASES]


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), whole=st.sampled_from(ORIGINALS))
def test_damaged_bytes_give_a_header_or_bad_input_and_nothing_else(
    shared_folder: Path, data: st.DataObject, whole: bytes
):
    content = bytearray(whole)
    # Most of a file's meaning stands at its start.
    places = st.integers(0, min(120, len(whole) - 1)) | st.integers(0, len(whole) - 1)
    for place in data.draw(st.lists(places, max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    kept = data.draw(st.integers(0, len(content)) | st.just(len(content)))
    (shared_folder / "x").write_bytes(content[:kept])
    try:
        header = FileSystemImageFiles(shared_folder).read_header("x")
    except BadInput:
        return
    assert 0 < header.rows_y * header.columns_x * header.nr_of_frames <= 400_000_000
    assert 1 <= header.samples_per_pixel <= 255


def test_threads_may_share_it_and_it_can_be_sent_to_another_process(tmp_path: Path):
    files = pickle.loads(pickle.dumps(FileSystemImageFiles(tmp_path)))
    for ending in FORMATS:
        (tmp_path / f"x.{ending}").write_bytes(encoded(ending))
    seen: list[ImageHeader] = []

    def read_all() -> None:
        seen.extend(files.read_header(f"x.{ending}") for _ in range(20) for ending in FORMATS)

    threads = [threading.Thread(target=read_all) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 6 * 20 * len(FORMATS)
    assert {(header.rows_y, header.columns_x) for header in seen} == {(23, 37)}
