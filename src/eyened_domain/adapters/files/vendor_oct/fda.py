"""Topcon's ``.fda``, after the description of uocte and oct-converter's structures (MIT).

The mark FOCT, then chunks: a name, a length and content. The B-scans are JPEG 2000
pictures (@IMG_JPEG), or raw 16-bit numbers (@IMG_MOT_COMP_03).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eyened_domain.adapters.files.vendor_oct.layout import (
    ByteSource,
    Extent,
    OctLayout,
    SizeCheck,
    length,
    text,
)
from eyened_domain.errors import BadInput

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_HEAD_BYTES = 15
_PICTURES, _RAW = b"@IMG_JPEG", b"@IMG_MOT_COMP_03"
_PICTURES_HEAD = struct.Struct("<B8x3I4x")  # scan mode, columns, rows, B-scans
_RAW_HEAD = struct.Struct("<B4Ix4x")  # scan mode, columns, rows, bits, B-scans
_LINES = frozenset({0, 2, 7})  # a line, a volume, seven lines: the width is that of the B-scan
_VOLUME = 2
_EYES = {0: "R", 1: "L"}
_SEXES = {1: "M", 2: "F"}

_Chunks = Mapping[bytes, Extent]


def fda_layout(file: ByteSource, check: SizeCheck) -> OctLayout:
    """Find the B-scans of an ``.fda`` file.

    Raises:
        BadInput: it is no such file, cut off, damaged, too large, or holds no B-scans.
    """
    if not file.at(0, 4).startswith(b"FOCT"):
        raise file.refusal("is no Topcon .fda file: the mark FOCT is missing")
    chunks = _chunks(file)
    if _PICTURES in chunks:
        return _pictures(file, chunks, check)
    if _RAW in chunks:
        return _raw(file, chunks, check)
    raise file.refusal("has no B-scans in it: neither @IMG_JPEG nor @IMG_MOT_COMP_03")


def _chunks(file: ByteSource) -> dict[bytes, Extent]:
    """Walk the chunks; gives where the content of each is, the first of a name."""
    found: dict[bytes, Extent] = {}
    position = _HEAD_BYTES
    while position < file.size:
        name_length = file.at(position, 1)[0]
        if name_length == 0:
            break
        head = file.at(position + 1, name_length + 4)
        if len(head) < name_length + 4 or not head.startswith(b"@"):
            raise file.refusal("is cut off or damaged: no chunk where one should begin")
        size = int.from_bytes(head[name_length:], "little")
        start = position + 1 + len(head)
        position = start + size
        if position > file.size:
            raise file.refusal(
                f"is cut off: {file.size:,} bytes where its chunks need {position:,}"
            )
        found.setdefault(head[:name_length], Extent(start, size))
    return found


def _pictures(file: ByteSource, chunks: _Chunks, check: SizeCheck) -> OctLayout:
    position, end = chunks[_PICTURES].offset, sum(chunks[_PICTURES])
    mode, columns, rows, frames = _PICTURES_HEAD.unpack(
        _content(file, chunks, _PICTURES, _PICTURES_HEAD.size)
    )
    check(rows, columns, frames)
    position += _PICTURES_HEAD.size
    scans = []
    for number in range(frames):
        size = int.from_bytes(file.at(position, 4), "little", signed=True)
        position += 4 + size
        if size < 1 or position > end:
            raise file.refusal(f"is cut off or damaged: {number} of {frames} B-scans are there")
        scans.append(Extent(position - size, size))
    return OctLayout(
        rows=rows,
        columns=columns,
        frames=frames,
        scan=scans.__getitem__,
        decode=lambda stored: _picture(file.refusal, stored, rows, columns),
        told=_told(file, chunks, mode=mode, columns=columns, frames=frames),
    )


def _raw(file: ByteSource, chunks: _Chunks, check: SizeCheck) -> OctLayout:
    start, size = chunks[_RAW]
    mode, columns, rows, bits, frames = _RAW_HEAD.unpack(
        _content(file, chunks, _RAW, _RAW_HEAD.size)
    )
    check(rows, columns, frames)
    if bits != 16:
        raise file.refusal(f"has B-scans of {bits} bits per pixel, where 16 are known")
    start += _RAW_HEAD.size
    scan = 2 * rows * columns
    if frames * scan > size - _RAW_HEAD.size:
        raise file.refusal(
            f"is cut off or damaged: {size:,} bytes for {frames} B-scans of {rows} x {columns}"
        )
    return OctLayout(
        rows=rows,
        columns=columns,
        frames=frames,
        scan=lambda number: Extent(start + number * scan, scan),
        decode=lambda stored: np.frombuffer(stored, "<u2").reshape(rows, columns),
        told=_told(file, chunks, mode=mode, columns=columns, frames=frames),
    )


def _content(file: ByteSource, chunks: _Chunks, name: bytes, size: int) -> bytes:
    """Read the beginning of a chunk.

    Raises:
        BadInput: the chunk is shorter.
    """
    if chunks[name].length < size:
        raise file.refusal(f"is damaged: its chunk {name.decode('latin-1')} is too short")
    return file.at(chunks[name].offset, size)


def _told(
    file: ByteSource, chunks: _Chunks, *, mode: int, columns: int, frames: int
) -> dict[str, object]:
    told = {
        "dicom_modality": "OPT",
        "manufacturer": "Topcon",
        **_capture(file, chunks),
        **_device(file, chunks),
        **_patient(file, chunks),
        **_resolution(file, chunks, mode=mode, columns=columns, frames=frames),
    }
    return {name: value for name, value in told.items() if value is not None}


def _capture(file: ByteSource, chunks: _Chunks) -> dict[str, object]:
    for name, moment_at in ((b"@CAPTURE_INFO_02", 106), (b"@CAPTURE_INFO", 1)):
        if name in chunks:
            raw = _content(file, chunks, name, moment_at + 12)
            moment = _moment(struct.unpack_from("<6H", raw, moment_at))
            return {
                "laterality": _EYES.get(raw[0]),
                "acquisition_date_time": moment,
                "study_date": moment.date() if moment else None,
            }
    return {}


def _device(file: ByteSource, chunks: _Chunks) -> dict[str, object]:
    for name in (b"@HW_INFO_03", b"@HW_INFO_02", b"@HW_INFO_01"):
        if name in chunks:
            raw = _content(file, chunks, name, 32)
            return {"manufacturer_model_name": text(raw[:16]), "serial_number": text(raw[16:])}
    return {}


def _patient(file: ByteSource, chunks: _Chunks) -> dict[str, object]:
    if b"@PATIENT_INFO_02" not in chunks:
        return {}
    raw = _content(file, chunks, b"@PATIENT_INFO_02", 111)
    sex, *birth = struct.unpack_from("<B3H", raw, 104)
    moment = _moment((*birth, 0, 0, 0))
    return {
        "patient_identifier": text(raw[:32]),
        "sex": _SEXES.get(sex),
        "birth_date": None if moment is None else date(moment.year, moment.month, moment.day),
    }


def _resolution(
    file: ByteSource, chunks: _Chunks, *, mode: int, columns: int, frames: int
) -> dict[str, object]:
    """Read millimetres per pixel; the size of a circle or of radii says nothing of a pixel."""
    for name, sizes_at in ((b"@PARAM_SCAN_04", 12), (b"@PARAM_SCAN_02", 21)):
        if name in chunks:
            raw = _content(file, chunks, name, sizes_at + 24)
            width, height, depth = struct.unpack_from("<3d", raw, sizes_at)
            return {
                "resolution_axial": length(depth / 1000),
                "resolution_horizontal": length(width / columns) if mode in _LINES else None,
                "resolution_vertical": (
                    length(height / frames) if mode == _VOLUME and frames > 1 else None
                ),
            }
    return {}


def _moment(parts: tuple[int, ...]) -> datetime | None:
    try:
        return datetime(*parts)  # type: ignore[arg-type]
    except ValueError:
        return None


def _picture(
    refusal: Callable[[str], BadInput], stored: bytes | bytearray, rows: int, columns: int
) -> NDArray[np.uint8 | np.uint16]:
    """Decode one picture, once it is known to have the size that the chunk tells."""
    try:
        picture = _opened(stored)
        if picture.size == (columns, rows) and picture.mode in {"L", "I;16"}:
            return np.asarray(picture)
    except (OSError, SyntaxError, ValueError, struct.error) as error:
        raise refusal(f"is damaged: a B-scan cannot be decoded ({str(error)[:60]})") from error
    raise refusal(
        f"is damaged: a B-scan of {picture.height} x {picture.width} pixels in the mode "
        f"{picture.mode}, where grey ones of {rows} x {columns} are told"
    )


def _opened(stored: bytes | bytearray) -> ImageFile:
    """Open a picture without decoding it; JPEG 2000, though plain JPEG would fit the name."""
    # Pillow is brought in when there is something to decode, not by headers.
    from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile  # noqa: PLC0415
    from PIL.JpegImagePlugin import JpegImageFile  # noqa: PLC0415

    kind = JpegImageFile if stored.startswith(b"\xff\xd8\xff") else Jpeg2KImageFile
    return kind(io.BytesIO(stored))
