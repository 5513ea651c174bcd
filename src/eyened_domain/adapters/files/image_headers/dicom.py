"""DICOM files: the attributes of the contract, and whether the pixels are all there."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

from eyened_domain.adapters.files.image_headers.dicom_columns import (
    TAGS,
    Elements,
    columns_of,
)
from eyened_domain.adapters.files.image_headers.source import HeaderFile, HeaderRequest
from eyened_domain.errors import ConfigurationError
from eyened_domain.services.image_files import ImageHeader

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

_PIXEL_TAGS = {(0x7FE0, 0x0008), (0x7FE0, 0x0009), (0x7FE0, 0x0010)}
_UNDEFINED = 0xFFFFFFFF
_ITEM, _END = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)
_SUBSAMPLED = {"YBR_FULL_422": 2 / 3, "YBR_PARTIAL_422": 2 / 3, "YBR_PARTIAL_420": 1 / 2}


def read_dicom(request: HeaderRequest) -> ImageHeader:
    """Read a DICOM file up to its pixels (PS3.10), and check that these are all there.

    Raises:
        BadInput: the file is missing, empty, cut off, damaged, deflated (which could hide
            any amount of data), too large, or no image.
        ConfigurationError: pydicom is not installed.
    """
    require_pydicom()
    with request.open(request.identifier) as file:
        return dicom_header(request, file)


def require_pydicom() -> None:
    """Raise ConfigurationError, with what to install, when pydicom is not there."""
    try:
        import pydicom  # noqa: F401, PLC0415
    except ImportError as error:
        raise ConfigurationError(
            "DICOM files are read by pydicom, which is not installed: "
            "pip install 'eyened-domain[dicom]'",
            field="dataset_identifier",
        ) from error


def dicom_header(request: HeaderRequest, file: HeaderFile) -> ImageHeader:
    """Read an open DICOM file up to its pixels, and check that these are all there.

    Raises:
        BadInput: as `read_dicom`.
    """
    import pydicom  # noqa: PLC0415 - an extra

    if file.size == 0:
        raise file.refusal("is empty")
    if file.at(128, 4) != b"DICM":
        raise file.refusal("is no DICOM file: the mark DICM at byte 128 is missing")
    with file.stream() as stream:
        dataset = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=list(TAGS))
        return _header(request, file, dataset, pixels=stream.tell())


def _header(
    request: HeaderRequest, file: HeaderFile, dataset: FileDataset, *, pixels: int
) -> ImageHeader:
    implicit, little = dataset.original_encoding
    elements = Elements(dataset, little_endian=little is not False)
    rows, columns = elements.number("Rows"), elements.number("Columns")
    if rows is None or columns is None:
        raise file.refusal("is a DICOM file without an image: it has no Rows or Columns")
    frames = elements.integer_text("NumberOfFrames")
    frames = 1 if frames is None else frames
    samples = elements.number("SamplesPerPixel") or 1
    request.check_size(file, rows, columns, frames)
    bits = elements.number("BitsAllocated") or 8
    photometric = elements.text("PhotometricInterpretation") or ""
    needed = int(rows * columns * frames * samples * bits * _SUBSAMPLED.get(photometric, 1) // 8)
    order = "<" if elements.little_endian else ">"
    length, start = _pixel_data(file, pixels, order, implicit=bool(implicit))
    if length == _UNDEFINED:
        _require_fragments(file, start, order, frames)
    elif min(length, file.size - start) < max(length, needed):
        raise file.refusal(
            f"is cut off or damaged: {min(length, file.size - start):,} bytes of pixel data "
            f"where {max(length, needed):,} are told"
        )
    return ImageHeader(
        rows_y=rows,
        columns_x=columns,
        samples_per_pixel=samples,
        nr_of_frames=frames,
        columns=columns_of(elements, volume=frames > 1),
    )


def _pixel_data(file: HeaderFile, start: int, order: str, *, implicit: bool) -> tuple[int, int]:
    """Read the head of the pixel data element (PS3.5, 7.1); gives its length and its start."""
    head = file.at(start, 12)
    if len(head) < 12 or struct.unpack_from(f"{order}HH", head) not in _PIXEL_TAGS:
        raise file.refusal("has no pixel data, or is cut off before it")
    (length,) = struct.unpack_from(f"{order}I", head, 4 if implicit else 8)
    return length, start + (8 if implicit else 12)


def _require_fragments(file: HeaderFile, start: int, order: str, frames: int) -> None:
    """Refuse encapsulated pixel data with fewer fragments than frames."""
    fragments = sum(1 for _ in _fragments(file, start, order)) - 1  # the first: offset table
    if fragments < frames:
        raise file.refusal(f"is cut off: {max(fragments, 0)} of {frames} frames are there")


def _fragments(file: HeaderFile, position: int, order: str) -> Iterator[int]:
    """Walk the items of encapsulated pixel data (PS3.5, A.4); gives their lengths."""
    while position < file.size:
        head = file.at(position, 8)
        if len(head) < 8:
            raise file.refusal("is cut off within its pixel data")
        group, element, length = struct.unpack(f"{order}HHI", head)
        if (group, element) == _END:
            return
        position += 8 + length
        if (group, element) != _ITEM or position > file.size:
            raise file.refusal("is cut off or damaged within its pixel data")
        yield length
