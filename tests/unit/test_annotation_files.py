"""What is read from the files of legacy annotations, and which files are refused."""

from __future__ import annotations

import errno
import gzip
import io
import os
import pickle
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from eyened_domain.adapters.files.annotation_files import StoredAnnotationFiles
from eyened_domain.errors import BadInput, ConfigurationError, FileMissing, StorageError
from eyened_domain.model.annotation import AnnotationFiles

PNG, RAW = "image/png", "application/octet-stream"
FLAT = ((20, 30),)


@pytest.fixture
def files(tmp_path: Path) -> AnnotationFiles:
    (tmp_path / "annotations").mkdir()
    return StoredAnnotationFiles(tmp_path / "annotations")


@pytest.fixture
def folder(tmp_path: Path, files: AnnotationFiles) -> Path:
    return tmp_path / "annotations"


def png(pixels: np.ndarray) -> bytes:
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "PNG")
    return packed.getvalue()


def claims(columns: int, rows: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG whose header says this size, whatever it holds."""
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), *chunks, (b"IDAT", zlib.compress(bytes(99))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)


def refused(files: AnnotationFiles, name: str, media_type: str = RAW, shapes=FLAT) -> BadInput:
    with pytest.raises(BadInput) as caught:
        files.read(name, media_type=media_type, shapes=shapes)
    error = caught.value
    assert (error.entity, error.field) == ("AnnotationData", "dataset_identifier")
    assert error.value == name
    return error


@given(
    pixels=arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=3, max_side=9)),
    is_packed=st.booleans(),
    level=st.integers(0, 9),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_raw_pixels_come_back_as_they_were_written(
    files: AnnotationFiles, folder: Path, pixels: np.ndarray, is_packed: bool, level: int
):
    content = gzip.compress(pixels.tobytes(), level) if is_packed else pixels.tobytes()
    name = "a.raw.gz" if is_packed else "a.raw"
    (folder / name).write_bytes(content)
    read = files.read(name, media_type=RAW, shapes=[pixels.shape])
    assert read.dtype == np.uint8
    assert np.array_equal(read, pixels)


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_the_shape_of_a_raw_file_follows_from_its_size(
    files: AnnotationFiles, folder: Path, ending: str
):
    shapes = ((4, 5), (3, 4, 5), (3, 5))
    pack = gzip.compress if ending else bytes
    for shape in shapes:
        (folder / f"a{ending}").write_bytes(pack(noise(*shape).tobytes()))
        read = files.read(f"a{ending}", media_type=RAW, shapes=shapes)
        assert np.array_equal(read, noise(*shape))
    for size in (0, 1, 19, 21, 59, 61, 1000):
        (folder / f"a{ending}").write_bytes(pack(bytes(size)))
        error = refused(files, f"a{ending}", shapes=shapes)
        assert "4 x 5 or 3 x 4 x 5 or 3 x 5 would be 20 or 60 or 15" in str(error)
        assert (f"holds {size:,} bytes" if size < 61 else "more than 60") in str(error)


def test_a_gzip_file_of_several_members_and_padding_is_one_file(
    files: AnnotationFiles, folder: Path
):
    raw = noise(20, 30).tobytes()
    packed = gzip.compress(raw[:7]) + gzip.compress(raw[7:400]) + gzip.compress(raw[400:])
    (folder / "a.gz").write_bytes(packed + bytes(10))
    assert files.read("a.gz", media_type=RAW, shapes=FLAT).tobytes() == raw


def test_no_cut_and_no_flipped_bit_of_a_packed_file_gives_other_pixels(
    files: AnnotationFiles, folder: Path
):
    pixels = noise(20, 30) % 3
    packed = gzip.compress(pixels.tobytes(), mtime=0)
    for cut in range(len(packed)):
        (folder / "a.gz").write_bytes(packed[:cut])
        refused(files, "a.gz")
    noticed = 0
    for place in range(len(packed)):
        damaged = bytearray(packed)
        damaged[place] ^= 1 << place % 8
        (folder / "a.gz").write_bytes(damaged)
        try:
            read = files.read("a.gz", media_type=RAW, shapes=FLAT)
        except BadInput:
            noticed += 1
        else:  # a bit that means nothing, such as the time
            assert np.array_equal(read, pixels)
    assert noticed > len(packed) - 12


def test_a_raw_file_needs_the_size_of_its_image(files: AnnotationFiles, folder: Path):
    (folder / "a.raw").write_bytes(bytes(600))
    assert "rows_y and columns_x" in str(refused(files, "a.raw", shapes=()))


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGB", "RGBA", "LA", "I;16"])
def test_a_png_gives_grey_or_red_green_and_blue(files: AnnotationFiles, folder: Path, mode: str):
    picture = Image.fromarray(noise(20, 30, 3))
    if mode == "I;16":
        picture = Image.fromarray(noise(20, 30).astype(np.uint16) * 200)
    elif mode == "LA":
        picture = picture.convert("L").convert("LA")
    else:
        picture = picture.convert(mode)
    picture.save(folder / "a.png")
    read = files.read("a.png", media_type=PNG, shapes=FLAT)
    assert read.shape == ((20, 30, 3) if mode in {"P", "RGB", "RGBA"} else (20, 30))
    assert read.flags.writeable
    if mode == "I;16":
        assert read.max() > 255
    else:
        assert read.dtype == np.uint8
        colours = "RGB" if read.ndim == 3 else "L"
        assert np.array_equal(read, np.asarray(picture.convert(colours)))


def test_a_png_of_another_size_than_its_image_is_refused(files: AnnotationFiles, folder: Path):
    (folder / "a.png").write_bytes(png(noise(30, 20)))
    error = refused(files, "a.png", PNG, ((20, 30), (7, 20, 30), (7, 30)))
    assert "30 rows x 20 columns; its image needs 20 x 30 or 7 x 30" in str(error)
    assert files.read("a.png", media_type=PNG, shapes=()).shape == (30, 20)


@pytest.mark.parametrize("media_type", ["", "image/jpeg", "text/html"])
def test_other_kinds_of_file_are_refused(files: AnnotationFiles, folder: Path, media_type: str):
    (folder / "a.png").write_bytes(png(noise(20, 30)))
    with pytest.raises(BadInput, match="image/png and application/octet-stream") as caught:
        files.read("a.png", media_type=media_type, shapes=FLAT)
    assert (caught.value.field, caught.value.value) == ("media_type", media_type)


def test_a_png_that_is_none_is_cut_off_or_moves_is_refused(files: AnnotationFiles, folder: Path):
    whole = png(noise(20, 30))
    for content in [b"", b"\x89PNG", b"GIF89a" + bytes(50), whole[:-12], whole[: len(whole) // 2]]:
        (folder / "a.png").write_bytes(content)
        refused(files, "a.png", PNG)
    damaged = bytearray(whole)
    damaged[60:90] = bytes(30)
    (folder / "a.png").write_bytes(damaged)
    assert "damaged" in str(refused(files, "a.png", PNG))
    moving = claims(30, 20, (b"acTL", struct.pack(">II", 3, 0)))
    (folder / "a.png").write_bytes(moving)
    assert "3 frames" in str(refused(files, "a.png", PNG))


BOMB = zlib.compress(bytes(200_000_000), 9)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("huge.png", claims(2**31 - 1, 2**31 - 1)),
        ("wide.png", claims(60_000, 60_000)),
        ("text.png", claims(30, 20, (b"zTXt", b"k\0\0" + BOMB))),
        ("profile.png", claims(30, 20, (b"iCCP", b"x\0\0" + BOMB))),
        ("zeros.gz", gzip.compress(bytes(60_000_000))),
        ("names.gz", b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 60_000),
        ("members.gz", gzip.compress(b"") * 3000),
        ("long.gz", gzip.compress(noise(500_000).tobytes())),
        ("long.raw", bytes(5_000_000)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("shapes", [FLAT, ()], ids=["size known", "size unknown"])
def test_a_bomb_is_refused_within_little_memory(
    files: AnnotationFiles, folder: Path, name: str, content: bytes, shapes
):
    (folder / name).write_bytes(content)
    tracemalloc.start()
    try:
        refused(files, name, PNG if name.endswith("png") else RAW, shapes)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("wide.png", claims(60_000, 60_000), "at most 12,000,000 are accepted"),
        ("long.gz", gzip.compress(noise(500_000).tobytes()), "bytes packed, for 600 unpacked"),
        ("members.gz", gzip.compress(b"") * 3000, "more than 1000 gzip members"),
        ("zeros.gz", gzip.compress(bytes(60_000_000)), "holds more than 600 bytes"),
    ],
)
def test_a_bomb_is_refused_for_what_it_is(
    files: AnnotationFiles, folder: Path, name: str, content: bytes, reason: str
):
    (folder / name).write_bytes(content)
    is_png = name.endswith("png")
    assert reason in str(refused(files, name, PNG if is_png else RAW, () if is_png else FLAT))


def payloads(base: Path, secret: Path) -> list[str]:
    return [
        "../secret/x.raw", "a/../../secret/x.raw", f"{secret}/x.raw", f"/{secret}/x.raw",
        "link.raw", "folder/x.raw", "up/secret/x.raw", "loop", "a", "", ".", "..", "none.raw",
        "x.raw\0", "a/proc/root/etc/passwd", f"{base}/../secret/x.raw", "in.raw/", "\ud800",
    ]  # fmt: skip


def test_no_identifier_leads_outside_the_folder(files: AnnotationFiles, folder: Path):
    secret = folder.parent / "secret"
    secret.mkdir()
    (secret / "x.raw").write_bytes(bytes(600))
    (folder / "in.raw").write_bytes(bytes(600))
    (folder / "a").mkdir()
    (folder / "a" / "proc").symlink_to("/proc/self")
    (folder / "link.raw").symlink_to(secret / "x.raw")
    (folder / "folder").symlink_to(secret)
    (folder / "up").symlink_to("..")
    (folder / "loop").symlink_to("loop")
    for payload in payloads(folder, secret):
        with pytest.raises((BadInput, FileMissing)) as caught:
            files.read(payload, media_type=RAW, shapes=FLAT)
        assert caught.value.entity == "AnnotationData"
        assert "ANNOTATIONS_PATH" in str(caught.value)
    assert files.read("in.raw", media_type=RAW, shapes=FLAT).shape == (20, 30)


def test_paths_are_told_without_looking_and_never_lead_out(files: AnnotationFiles, folder: Path):
    assert files.path_of("12/3_-1.png") == folder / "12" / "3_-1.png"
    for identifier in ("../x.png", "/etc/passwd", "a/../../x.png"):
        with pytest.raises(BadInput, match="ANNOTATIONS_PATH") as caught:
            files.path_of(identifier)
        assert caught.value.value == identifier


def test_a_missing_folder_is_an_error_of_the_configuration(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="ANNOTATIONS_PATH"):
        StoredAnnotationFiles(tmp_path / "none").read("a", media_type=RAW, shapes=FLAT)


def test_a_store_that_fails_is_not_taken_for_a_bad_file(
    files: AnnotationFiles, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    (folder / "a.raw").write_bytes(bytes(600))

    def fail(*_: object) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("eyened_domain.adapters.files.annotation_files._read_up_to", fail)
    with pytest.raises(StorageError, match=r"ANNOTATIONS_PATH.*Input/output error"):
        files.read("a.raw", media_type=RAW, shapes=FLAT)


def test_it_can_be_pickled_for_other_processes(files: AnnotationFiles, folder: Path):
    (folder / "a.raw").write_bytes(bytes(600))
    files.read("a.raw", media_type=RAW, shapes=FLAT)
    copied = pickle.loads(pickle.dumps(files))
    assert copied.read("a.raw", media_type=RAW, shapes=FLAT).shape == (20, 30)
