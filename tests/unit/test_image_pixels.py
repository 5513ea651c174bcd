"""The pixels that are read from image files, and the files that are refused."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from eyened_domain.adapters.files.image_files import FileSystemImageFiles
from eyened_domain.adapters.files.image_headers.source import HeaderFile
from eyened_domain.adapters.files.image_pixels.turning import upright
from eyened_domain.errors import BadInput, EyenedError, FileMissing

RNG = np.random.default_rng(7)
GREY = RNG.integers(0, 256, (23, 37), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (23, 37, 3), dtype=np.uint8)
DEEP = RNG.integers(0, 65536, (23, 37, 3), dtype=np.uint16)


@pytest.fixture
def files(tmp_path: Path) -> FileSystemImageFiles:
    return FileSystemImageFiles(tmp_path)


def saved(path: Path, array: np.ndarray | Image.Image, **options: Any) -> str:
    image = array if isinstance(array, Image.Image) else Image.fromarray(array)
    image.save(path, **options)
    return path.name


def refusal(files: FileSystemImageFiles, identifier: str, **told: Any) -> str:
    with pytest.raises((BadInput, FileMissing)) as caught:
        files.read_pixels(identifier, **told)
    assert caught.value.entity == "ImageInstance"
    return str(caught.value)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def deep_png(pixels: np.ndarray) -> bytes:
    """A PNG of 16 bits per sample, with the filters None and Sub in turns."""
    rows, columns, samples = pixels.shape
    colour = {2: 4, 3: 2, 4: 6}[samples]
    raw = pixels.astype(">u2").reshape(rows, -1).view(np.uint8)
    step = 2 * samples
    sub = raw.copy()
    sub[:, step:] -= raw[:, :-step]
    lines = b"".join(bytes([n % 2]) + (sub if n % 2 else raw)[n].tobytes() for n in range(rows))
    header = struct.pack(">IIBBBBB", columns, rows, 16, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    )  # fmt: skip


def deep_tiff(pixels: np.ndarray, order: str, compression: int) -> bytes:
    """A TIFF of 16 bits per sample in one strip: not compressed (1), or deflated (8)."""
    rows, columns, samples = pixels.shape
    strip = pixels.astype(f"{order}u2").tobytes()
    strip = strip if compression == 1 else zlib.compress(strip)
    bits = struct.pack(f"{order}{samples}H", *[16] * samples)
    entries = [
        (256, 4, 1, columns), (257, 4, 1, rows), (258, 3, samples, 8), (259, 4, 1, compression),
        (262, 4, 1, 2), (273, 4, 1, 16), (277, 4, 1, samples), (278, 4, 1, rows),
        (279, 4, 1, len(strip)),
    ]  # fmt: skip
    mark = b"II*\0" if order == "<" else b"MM\0*"
    directory = struct.pack(f"{order}H", len(entries))
    directory += b"".join(struct.pack(f"{order}HHII", *entry) for entry in entries) + bytes(4)
    body = bits.ljust(8, b"\0") + strip + bytes(len(strip) % 2)
    return mark + struct.pack(f"{order}I", 8 + len(body)) + body + directory


@pytest.mark.parametrize("ending", ["png", "tif", "bmp", "gif", "jp2"])
def test_grey_is_rows_and_columns_of_bytes(
    files: FileSystemImageFiles, tmp_path: Path, ending: str
):
    pixels = files.read_pixels(saved(tmp_path / f"x.{ending}", GREY))
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, GREY)
    assert pixels.flags.c_contiguous
    assert pixels.flags.writeable


@pytest.mark.parametrize(
    ("ending", "options"),
    [("png", {}), ("tif", {}), ("tif", {"compression": "tiff_lzw"}), ("bmp", {}), ("jp2", {}),
     ("webp", {"lossless": True}), ("tif", {"compression": "tiff_deflate", "big_tiff": True})],
)  # fmt: skip
def test_colour_has_its_samples_last(
    files: FileSystemImageFiles, tmp_path: Path, ending: str, options: dict[str, Any]
):
    name = saved(tmp_path / f"x.{ending}", COLOUR, **options)
    assert np.array_equal(files.read_pixels(name), COLOUR)


def test_a_jpeg_is_what_pillow_decodes(files: FileSystemImageFiles, tmp_path: Path):
    name = saved(tmp_path / "x.jpg", COLOUR)
    assert np.array_equal(files.read_pixels(name), np.asarray(Image.open(tmp_path / name)))


@pytest.mark.parametrize("samples", [2, 4])
@pytest.mark.parametrize("ending", ["png", "tif"])
def test_transparency_is_kept(
    files: FileSystemImageFiles, tmp_path: Path, ending: str, samples: int
):
    pixels = RNG.integers(1, 256, (23, 37, samples), dtype=np.uint8)
    assert np.array_equal(files.read_pixels(saved(tmp_path / f"x.{ending}", pixels)), pixels)


@pytest.mark.parametrize(
    ("ending", "dtype"),
    [("png", np.uint16), ("tif", np.uint16), ("jp2", np.uint16), ("tif", np.int32),
     ("tif", np.float32)],
)  # fmt: skip
def test_grey_of_more_bits_keeps_all_of_them(
    files: FileSystemImageFiles, tmp_path: Path, ending: str, dtype: type
):
    pixels: Any = (RNG.random((23, 37)) * 65535).astype(dtype)
    read = files.read_pixels(saved(tmp_path / f"x.{ending}", pixels))
    assert read.dtype == dtype
    assert np.array_equal(read, pixels)


def test_a_big_endian_tiff_is_read_in_the_byte_order_of_this_machine(
    files: FileSystemImageFiles, tmp_path: Path
):
    pixels = DEEP[:, :, 0]
    content = (
        deep_tiff(DEEP[:, :, :1], ">", 1)
        .replace(struct.pack(">HHII", 258, 3, 1, 8), struct.pack(">HHIHH", 258, 3, 1, 16, 0))
        .replace(struct.pack(">HHII", 262, 4, 1, 2), struct.pack(">HHII", 262, 4, 1, 1))
    )
    (tmp_path / "x.tif").write_bytes(content)
    read = files.read_pixels("x.tif")
    assert read.dtype == np.dtype(np.uint16)
    assert np.array_equal(read, pixels)


@pytest.mark.parametrize("samples", [3, 4])
def test_a_16_bit_colour_png_keeps_its_16_bits(
    files: FileSystemImageFiles, tmp_path: Path, samples: int
):
    pixels = RNG.integers(0, 65536, (23, 37, samples), dtype=np.uint16)
    (tmp_path / "x.png").write_bytes(deep_png(pixels))
    assert np.asarray(Image.open(tmp_path / "x.png")).dtype == np.uint8  # what is avoided
    read = files.read_pixels("x.png")
    assert read.dtype == np.uint16
    assert np.array_equal(read, pixels)


@pytest.mark.parametrize("compression", [1, 8])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_16_bit_colour_tiff_keeps_its_16_bits(
    files: FileSystemImageFiles, tmp_path: Path, order: str, compression: int
):
    (tmp_path / "x.tif").write_bytes(deep_tiff(DEEP, order, compression))
    assert np.array_equal(files.read_pixels("x.tif"), DEEP)


def test_16_bits_that_would_be_lost_are_refused(files: FileSystemImageFiles, tmp_path: Path):
    (tmp_path / "x.png").write_bytes(deep_png(DEEP[:, :, :2]))
    assert "more than 8 bits per sample" in refusal(files, "x.png")
    name = saved(tmp_path / "x.jp2", COLOUR, no_jp2=True)
    content = bytearray((tmp_path / name).read_bytes())
    content[42] = content[45] = content[48] = 15  # SIZ: Ssiz of each component
    (tmp_path / name).write_bytes(content)
    assert "more than 8 bits per sample" in refusal(files, name)


@pytest.mark.parametrize("ending", ["png", "tif", "bmp"])
def test_one_bit_becomes_0_and_255(files: FileSystemImageFiles, tmp_path: Path, ending: str):
    mask = GREY > 128
    pixels = files.read_pixels(saved(tmp_path / f"x.{ending}", Image.fromarray(mask)))
    assert np.array_equal(pixels, mask * np.uint8(255))
    assert pixels.dtype == np.uint8


@pytest.mark.parametrize("ending", ["png", "tif", "bmp", "gif"])
def test_a_palette_is_looked_through_grey_when_it_is_grey(
    files: FileSystemImageFiles, tmp_path: Path, ending: str
):
    index = Image.fromarray((GREY > 128).astype(np.uint8)).convert("P")
    index.putpalette([255, 255, 255, 0, 0, 0])  # as in the field-of-view masks of CHASE_DB1
    pixels = files.read_pixels(saved(tmp_path / f"x.{ending}", index))
    assert np.array_equal(pixels, np.where(GREY > 128, 0, 255))
    index.putpalette([255, 0, 0, 0, 0, 9])
    pixels = files.read_pixels(saved(tmp_path / f"y.{ending}", index))
    assert pixels.shape == (23, 37, 3)
    assert (pixels[GREY > 128] == (0, 0, 9)).all()


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_the_pages_of_a_tiff_are_stacked_and_read_one_by_one(
    files: FileSystemImageFiles, tmp_path: Path, compression: str | None
):
    stack = RNG.integers(0, 256, (5, 23, 37), dtype=np.uint8)
    pages = [Image.fromarray(page) for page in stack]
    small = Image.fromarray(stack[0, :5, :5])
    pages[0].save(
        tmp_path / "x.tif", save_all=True, append_images=[*pages[1:3], small, *pages[3:]],
        compression=compression,
    )  # fmt: skip
    told: dict[str, Any] = {"nr_of_frames": 5, "rows_y": 23, "columns_x": 37}
    assert np.array_equal(files.read_pixels("x.tif", **told), stack)
    for index in range(5):
        assert np.array_equal(files.read_pixels("x.tif", **told, frame=index), stack[index])


@pytest.mark.parametrize("ending", ["png", "gif", "webp"])
def test_the_frames_of_an_animation_are_stacked(
    files: FileSystemImageFiles, tmp_path: Path, ending: str
):
    frames = [Image.fromarray(COLOUR // n) for n in (1, 2, 3)]
    options: dict[str, Any] = {"lossless": True} if ending == "webp" else {}
    frames[0].save(tmp_path / f"x.{ending}", save_all=True, append_images=frames[1:], **options)
    stack = files.read_pixels(f"x.{ending}", nr_of_frames=3)
    assert stack.shape == (3, 23, 37, 3)
    assert np.array_equal(files.read_pixels(f"x.{ending}", frame=1), stack[1])
    if ending != "gif":
        assert np.array_equal(stack[2], COLOUR // 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_only_when_the_row_says_so_or_it_is_shown(
    files: FileSystemImageFiles, tmp_path: Path, orientation: int
):
    exif = Image.Exif()
    exif[274] = orientation
    name = saved(tmp_path / "x.png", COLOUR, exif=exif)
    assert np.array_equal(files.read_pixels(name), COLOUR)
    assert np.array_equal(files.read_pixels(name, rows_y=23, columns_x=37), COLOUR)
    turned = files.read_pixels(name, upright=True)
    with Image.open(tmp_path / name) as image:
        from PIL import ImageOps

        assert np.array_equal(turned, np.asarray(ImageOps.exif_transpose(image)))
    assert turned.flags.c_contiguous
    if orientation >= 5:
        assert np.array_equal(files.read_pixels(name, rows_y=37, columns_x=23), turned)
    else:
        assert "23 rows x 37" in refusal(files, name, rows_y=37, columns_x=23)


def test_a_row_of_another_size_is_refused_naming_both(files: FileSystemImageFiles, tmp_path: Path):
    name = saved(tmp_path / "x.png", GREY)
    for told in ({"rows_y": 24}, {"columns_x": 36}, {"nr_of_frames": 2}, {"rows_y": 37}):
        message = refusal(files, name, **told)
        assert "1 x 23 rows x 37 columns" in message
        assert str(next(iter(told.values()))) in message


def test_a_raw_file_is_frames_of_rows_and_columns(files: FileSystemImageFiles, tmp_path: Path):
    volume = RNG.integers(0, 256, (5, 23, 37), dtype=np.uint8)
    (tmp_path / "x.binary").write_bytes(volume.tobytes())
    told: dict[str, Any] = {"rows_y": 23, "columns_x": 37}
    assert np.array_equal(files.read_pixels("x.binary", **told), volume)
    assert np.array_equal(files.read_pixels("x.binary", **told, frame=4), volume[4])
    (tmp_path / "y.binary").write_bytes(volume[0].tobytes())
    assert files.read_pixels("y.binary", **told).shape == (1, 23, 37)
    assert files.read_pixels("y.binary", **told, frame=0).shape == (23, 37)
    assert "no whole number" in refusal(files, "x.binary", rows_y=23, columns_x=36)
    assert "5 frames" in refusal(files, "x.binary", **told, nr_of_frames=4)
    assert "rows_y" in refusal(files, "x.binary", columns_x=37)


def test_one_frame_of_a_raw_file_reads_only_its_bytes(
    files: FileSystemImageFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "x.binary").write_bytes(bytes(100 * 64 * 512))
    reads: list[int] = []
    real = os.preadv

    def counted(descriptor: int, buffers: list[memoryview], offset: int) -> int:
        reads.append(sum(map(len, buffers)))
        return real(descriptor, buffers, offset)

    monkeypatch.setattr(os, "preadv", counted)
    files.read_pixels("x.binary", rows_y=64, columns_x=512, frame=7)
    assert reads == [64 * 512]


def test_a_png_series_is_stacked_and_squeezed(files: FileSystemImageFiles, tmp_path: Path):
    volume = RNG.integers(0, 256, (11, 23, 37), dtype=np.uint8)
    for position, scan in enumerate(volume):
        saved(tmp_path / f"s_{position}.png", scan)
    assert np.array_equal(files.read_pixels("[png_series_11]s.png", nr_of_frames=11), volume)
    assert files.read_pixels("[png_series_1]s.png").shape == (23, 37)
    assert "11 x 23" in refusal(files, "[png_series_11]s.png", nr_of_frames=10)
    saved(tmp_path / "s_3.png", np.zeros((23, 37), np.uint16))
    assert "s_3.png' is uint16" in refusal(files, "[png_series_11]s.png")
    saved(tmp_path / "s_3.png", GREY[:22])
    assert "number 3" in refusal(files, "[png_series_11]s.png")


def test_one_scan_of_a_png_series_opens_one_file(files: FileSystemImageFiles, tmp_path: Path):
    saved(tmp_path / "s_7.png", GREY)
    pixels = files.read_pixels("[png_series_11]s.png", nr_of_frames=11, rows_y=23, frame=7)
    assert np.array_equal(pixels, GREY)
    assert "12 x 23" in refusal(files, "[png_series_12]s.png", nr_of_frames=11, frame=7)
    assert "does not exist" in refusal(files, "[png_series_11]s.png", frame=8)


def test_a_frame_that_is_not_there_is_refused(files: FileSystemImageFiles, tmp_path: Path):
    saved(tmp_path / "x.png", GREY)
    saved(tmp_path / "s_3.png", GREY)
    (tmp_path / "x.binary").write_bytes(bytes(23 * 37))
    told: dict[str, Any] = {"rows_y": 23, "columns_x": 37}
    for name, frame in [("x.png", 1), ("x.binary", 1), ("x.png", -1)]:
        assert f"no B-scan {frame}; it has 1" in refusal(files, name, **told, frame=frame)
    assert "no B-scan 3; it has 3" in refusal(files, "[png_series_3]s.png", frame=3)


def test_the_pixels_give_the_data_hash_of_the_contract(files: FileSystemImageFiles, tmp_path: Path):
    pixels = files.read_pixels(saved(tmp_path / "x.png", COLOUR))
    expected = hashlib.sha256(COLOUR.tobytes()).hexdigest()
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == expected


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "gif", "bmp", "webp", "jp2"])
def test_a_file_cut_off_anywhere_is_bad_input(
    files: FileSystemImageFiles, tmp_path: Path, ending: str
):
    whole = (tmp_path / saved(tmp_path / f"x.{ending}", COLOUR)).read_bytes()
    for length in {*range(0, len(whole), 29), len(whole) - 1}:
        (tmp_path / "x").write_bytes(whole[:length])
        assert "dataset_identifier" in refusal(files, "x"), length


def test_json_has_no_pixels(files: FileSystemImageFiles, tmp_path: Path):
    (tmp_path / "meta.json").write_text("{}")
    assert "is JSON and has no pixels" in refusal(files, "meta.json")


def test_a_file_that_fails_to_be_read_is_a_storage_error_and_not_bad_input(
    files: FileSystemImageFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    name = saved(tmp_path / "x.bmp", COLOUR)

    def broken(self: HeaderFile, size: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(HeaderFile, "allow_pixels", broken)
    with pytest.raises(EyenedError, match="could not be read") as caught:
        files.read_pixels(name)
    assert not isinstance(caught.value, BadInput)


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def _originals() -> list[bytes]:
    found = [deep_png(DEEP), deep_tiff(DEEP, "<", 8)]
    for ending in ("PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP", "JPEG2000"):
        stream = io.BytesIO()
        Image.fromarray(COLOUR).save(stream, ending)
        found.append(stream.getvalue())
    stream = io.BytesIO()
    pages = [Image.fromarray(GREY)] * 3
    pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    return [*found, stream.getvalue()]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), whole=st.sampled_from(_originals()))
def test_damaged_bytes_give_pixels_or_bad_input_and_nothing_else(
    shared_folder: Path, data: st.DataObject, whole: bytes
):
    content = bytearray(whole)
    places = st.integers(0, min(120, len(whole) - 1)) | st.integers(0, len(whole) - 1)
    for place in data.draw(st.lists(places, max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    (shared_folder / "x").write_bytes(content)
    files = FileSystemImageFiles(shared_folder, pixel_budget=4_000_000)
    try:
        header = files.read_header("x")
        pixels = files.read_pixels("x")
    except BadInput:
        return
    size = (header.rows_y, header.columns_x)
    assert pixels.shape[int(header.nr_of_frames > 1) :][:2] == size


def test_it_can_be_sent_to_another_process(files: FileSystemImageFiles, tmp_path: Path):
    name = saved(tmp_path / "x.png", GREY)
    assert np.array_equal(pickle.loads(pickle.dumps(files)).read_pixels(name), GREY)


@given(orientation=st.integers(1, 8), rows=st.integers(1, 5), columns=st.integers(1, 5))
def test_turning_is_what_pillow_does(orientation: int, rows: int, columns: int):
    from PIL import ImageOps

    pixels = np.arange(rows * columns, dtype=np.uint8).reshape(rows, columns)
    image = Image.fromarray(pixels)
    image.getexif()[274] = orientation
    expected = np.asarray(ImageOps.exif_transpose(image))
    assert np.array_equal(upright(pixels, orientation), expected)
