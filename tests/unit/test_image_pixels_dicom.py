"""The pixels that are read from DICOM files, compressed or not."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended

from eyened_domain.adapters.files.image_files import FileSystemImageFiles
from eyened_domain.errors import BadInput, ConfigurationError

RNG = np.random.default_rng(11)
SMOOTH = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8) * 2
VOLUME = np.stack([SMOOTH + np.uint8(3 * n) for n in range(5)])
DEEP = VOLUME.astype(np.uint16) * 250
COLOUR = np.stack([SMOOTH, SMOOTH[::-1], SMOOTH[:, ::-1]], axis=-1)


@pytest.fixture
def files(tmp_path: Path) -> FileSystemImageFiles:
    return FileSystemImageFiles(tmp_path)


def dataset(pixels: np.ndarray, *, frames: bool = False, **changes: object) -> Dataset:
    """A DICOM image of (frames, rows, columns[, samples]) or of one frame."""
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.77.1.5.4", "1.2.3.4"
    shape = pixels.shape[1:] if frames else pixels.shape
    if frames:
        made.NumberOfFrames = len(pixels)
    made.Rows, made.Columns = shape[:2]
    made.SamplesPerPixel = shape[2] if len(shape) == 3 else 1
    made.PhotometricInterpretation = "RGB" if len(shape) == 3 else "MONOCHROME2"
    if len(shape) == 3:
        made.PlanarConfiguration = 0
    made.BitsAllocated = made.BitsStored = 8 * pixels.itemsize
    made.HighBit, made.PixelRepresentation = made.BitsStored - 1, int(pixels.dtype.kind == "i")
    made.PixelData = pixels.tobytes()
    for keyword, value in changes.items():
        setattr(made, keyword, value)
    return made


def write(path: Path, made: Dataset, syntax: str = uid.ExplicitVRLittleEndian) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = made.SOPClassUID
    meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    meta.TransferSyntaxUID = uid.UID(syntax)
    made["PixelData"].VR = "OW" if made.BitsAllocated == 16 else "OB"
    if meta.TransferSyntaxUID.is_compressed:
        made["PixelData"].VR, made["PixelData"].is_undefined_length = "OB", True
    FileDataset(
        str(path), made, file_meta=meta, preamble=bytes(128),
        is_implicit_VR=meta.TransferSyntaxUID.is_implicit_VR,
        is_little_endian=meta.TransferSyntaxUID.is_little_endian,
    ).save_as(path, enforce_file_format=True)  # fmt: skip
    return path.read_bytes()


def packed(kind: str, pixels: np.ndarray, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def jpeg(pixels: np.ndarray) -> bytes:
    return packed("JPEG", pixels, quality=95, subsampling=0)


def jpeg2000(pixels: np.ndarray) -> bytes:
    return packed("JPEG2000", pixels, no_jp2=True, mct=0)


@pytest.mark.parametrize("syntax", [uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_a_volume_that_is_not_compressed_is_read_whole_or_by_b_scan(
    files: FileSystemImageFiles, tmp_path: Path, syntax: str, dtype: type
):
    volume: Any = (VOLUME.astype(np.int32) * 100 - 999).astype(dtype)
    write(tmp_path / "x.dcm", dataset(volume, frames=True), syntax)
    told: dict[str, Any] = {"rows_y": 48, "columns_x": 64, "nr_of_frames": 5}
    pixels = files.read_pixels("x.dcm", **told)
    assert pixels.dtype == dtype
    assert np.array_equal(pixels, volume)
    for index in range(5):
        assert np.array_equal(files.read_pixels("x.dcm", **told, frame=index), volume[index])


def test_a_photograph_is_rows_columns_samples(files: FileSystemImageFiles, tmp_path: Path):
    write(tmp_path / "x.dcm", dataset(COLOUR))
    assert np.array_equal(files.read_pixels("x.dcm"), COLOUR)
    assert np.array_equal(files.read_pixels("x.dcm", frame=0), COLOUR)
    planar = dataset(COLOUR, PlanarConfiguration=1)
    planar.PixelData = np.moveaxis(COLOUR, 2, 0).tobytes()
    write(tmp_path / "x.dcm", planar)
    assert np.array_equal(files.read_pixels("x.dcm"), COLOUR)


COMPRESSED: list[tuple[str, Callable[[np.ndarray], bytes], np.ndarray, int]] = [
    (uid.JPEGBaseline8Bit, jpeg, VOLUME, 3),
    (uid.JPEG2000Lossless, jpeg2000, VOLUME, 0),
    (uid.JPEG2000Lossless, jpeg2000, DEEP, 0),
    (uid.JPEG2000, jpeg2000, VOLUME, 0),
]


@pytest.mark.parametrize("offsets", ["basic", "none", "extended"])
@pytest.mark.parametrize(("syntax", "encode", "volume", "error"), COMPRESSED)
def test_a_compressed_volume_is_read_whole_or_by_b_scan(
    files: FileSystemImageFiles, tmp_path: Path, offsets: str, syntax: str,
    encode: Callable[[np.ndarray], bytes], volume: np.ndarray, error: int,
):  # fmt: skip
    made = dataset(volume, frames=True)
    frames = [encode(scan) for scan in volume]
    if offsets == "extended":
        (made.PixelData, made.ExtendedOffsetTable, made.ExtendedOffsetTableLengths) = (
            encapsulate_extended(frames)
        )
    else:
        made.PixelData = encapsulate(frames, has_bot=offsets == "basic")
    write(tmp_path / "x.dcm", made, syntax)
    pixels = files.read_pixels("x.dcm", nr_of_frames=5)
    assert (pixels.shape, pixels.dtype) == (volume.shape, volume.dtype)
    assert abs(pixels.astype(int) - volume).max() <= error
    for index in (0, 2, 4):
        assert np.array_equal(files.read_pixels("x.dcm", frame=index), pixels[index])


def test_rle_is_read(files: FileSystemImageFiles, tmp_path: Path):
    for volume in (VOLUME, DEEP):
        write(tmp_path / "raw.dcm", dataset(volume, frames=True))
        from pydicom import dcmread

        made = dcmread(tmp_path / "raw.dcm")
        made.compress(uid.RLELossless, generate_instance_uid=False)
        made.save_as(tmp_path / "x.dcm", enforce_file_format=True)
        assert np.array_equal(files.read_pixels("x.dcm"), volume)
        assert np.array_equal(files.read_pixels("x.dcm", frame=3), volume[3])


def test_colour_that_was_stored_as_ybr_is_given_as_rgb(files: FileSystemImageFiles, tmp_path: Path):
    made = dataset(COLOUR, PhotometricInterpretation="YBR_FULL_422")
    made.PixelData = encapsulate([jpeg(COLOUR)])
    write(tmp_path / "x.dcm", made, uid.JPEGBaseline8Bit)
    expected = np.asarray(Image.open(io.BytesIO(jpeg(COLOUR)))).astype(int)
    assert abs(files.read_pixels("x.dcm").astype(int) - expected).max() <= 2


def test_a_frame_larger_than_the_header_tells_is_refused_before_it_is_decoded(
    files: FileSystemImageFiles, tmp_path: Path
):
    large = np.zeros((960, 640), np.uint8)
    for syntax, frame in [
        (uid.JPEGBaseline8Bit, jpeg(large)), (uid.JPEG2000Lossless, jpeg2000(large)),
        (uid.JPEG2000Lossless, packed("JPEG2000", large)), (uid.JPEGBaseline8Bit, jpeg2000(large)),
        (uid.RLELossless, bytes(100_000)), (uid.JPEGBaseline8Bit, bytes(5000)),
    ]:  # fmt: skip
        made = dataset(SMOOTH)
        made.PixelData = encapsulate([frame])
        write(tmp_path / "x.dcm", made, syntax)
        for index in (None, 0):
            with pytest.raises(BadInput, match=r"compressed frame|RLE frame|without a frame"):
                files.read_pixels("x.dcm", frame=index)


def test_a_row_or_a_frame_that_does_not_fit_is_refused(files: FileSystemImageFiles, tmp_path: Path):
    write(tmp_path / "x.dcm", dataset(VOLUME, frames=True))
    with pytest.raises(BadInput, match=r"5 x 48 rows x 64 columns.*4 x 48 rows x 64 columns"):
        files.read_pixels("x.dcm", nr_of_frames=4)
    with pytest.raises(BadInput, match="no B-scan 5; it has 5"):
        files.read_pixels("x.dcm", frame=5)


def test_a_missing_codec_is_named_with_its_package(files: FileSystemImageFiles, tmp_path: Path):
    made = dataset(SMOOTH)
    made.PixelData = encapsulate([jpeg(SMOOTH)])
    for syntax, package in [
        (uid.JPEGLSLossless, "pyjpegls"), (uid.JPEGLosslessSV1, "python-gdcm"),
    ]:  # fmt: skip
        from pydicom.pixels.decoders.base import get_decoder

        if get_decoder(syntax).is_available:
            pytest.skip(f"{package} is installed here")
        write(tmp_path / "x.dcm", made, syntax)
        with pytest.raises(ConfigurationError, match=package) as caught:
            files.read_pixels("x.dcm")
        assert syntax in str(caught.value)
        assert "libjpeg" not in str(caught.value)


def test_without_pydicom_the_extra_is_named(
    files: FileSystemImageFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write(tmp_path / "x.dcm", dataset(SMOOTH))
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(ConfigurationError, match=r"eyened-domain\[dicom\]"):
        files.read_pixels("x.dcm")


def test_video_and_deflated_files_are_refused(files: FileSystemImageFiles, tmp_path: Path):
    made = dataset(SMOOTH)
    write(tmp_path / "x.dcm", made, uid.DeflatedExplicitVRLittleEndian)
    with pytest.raises(BadInput, match="deflated"):
        files.read_pixels("x.dcm")
    made.PixelData = encapsulate([bytes(100)])
    write(tmp_path / "x.dcm", made, uid.MPEG2MPML)
    with pytest.raises(BadInput, match=r"MPEG2.*convert it"):
        files.read_pixels("x.dcm")


def _originals() -> list[tuple[Dataset, str]]:
    found: list[tuple[Dataset, str]] = [(dataset(VOLUME, frames=True), uid.ExplicitVRLittleEndian)]
    for syntax, encode, volume, _ in COMPRESSED[:2]:
        made = dataset(volume, frames=True)
        made.PixelData = encapsulate([encode(scan) for scan in volume])
        found.append((made, syntax))
    return found


@settings(max_examples=150, deadline=None)
@given(data=st.data(), which=st.integers(0, 2))
def test_damaged_dicom_gives_pixels_or_one_family_of_errors(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, which: int
):
    folder = tmp_path_factory.getbasetemp()
    content = bytearray(write(folder / "d.dcm", *_originals()[which]))
    places = st.integers(132, min(900, len(content) - 1)) | st.integers(132, len(content) - 1)
    for place in data.draw(st.lists(places, max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    (folder / "d.dcm").write_bytes(content)
    try:
        pixels = FileSystemImageFiles(folder, pixel_budget=1_000_000).read_pixels("d.dcm")
    except (BadInput, ConfigurationError):
        return
    assert pixels.size > 0
