"""WebP: a walk over its chunks (RFC 9649).

Not by Pillow, which makes a decoder for the whole file to learn its size.
"""

from __future__ import annotations

import struct

import attrs

from eyened_domain.adapters.files.image_headers.exif import exif_orientation
from eyened_domain.adapters.files.image_headers.source import HeaderFile, HeaderRequest
from eyened_domain.services.image_files import ImageHeader

_ALPHA, _ANIMATED = 0x10, 0x02


@attrs.define
class _Canvas:
    columns: int = 0
    rows: int = 0
    alpha: bool = False
    animated: bool = False
    images: int = 0
    orientation: int = 1


def read_webp(request: HeaderRequest, file: HeaderFile) -> ImageHeader:
    """Read a WebP; the length in its RIFF header must lie within the file."""
    riff = file.at(0, 12)
    if riff[8:] != b"WEBP":
        raise file.refusal("is a RIFF file, but no WebP image")
    end = 8 + int.from_bytes(riff[4:8], "little")
    if end > file.size:
        raise file.refusal(f"is cut off: {file.size:,} bytes where its header tells of {end:,}")
    canvas = _walk(file, end)
    if canvas.images == 0:
        raise file.refusal("is damaged: a WebP without an image")
    request.check_size(file, canvas.rows, canvas.columns, canvas.images)
    return ImageHeader(
        rows_y=canvas.rows,
        columns_x=canvas.columns,
        samples_per_pixel=4 if canvas.alpha else 3,
        nr_of_frames=canvas.images,
        orientation=canvas.orientation,
    )


def _walk(file: HeaderFile, end: int) -> _Canvas:
    canvas = _Canvas()
    extended = False
    position = 12
    while position + 8 <= end:
        kind, length = struct.unpack("<4sI", file.at(position, 8))
        start = position + 8
        position = start + length + length % 2
        if start + length > end:
            raise file.refusal("is cut off: a WebP chunk beyond the end")
        head = file.at(start, 10)
        if kind == b"VP8X" and len(head) == 10:
            extended = True
            canvas.alpha, canvas.animated = bool(head[0] & _ALPHA), bool(head[0] & _ANIMATED)
            canvas.columns = 1 + int.from_bytes(head[4:7], "little")
            canvas.rows = 1 + int.from_bytes(head[7:10], "little")
        elif kind == b"ANMF" and canvas.animated:
            canvas.images += 1
        elif kind in {b"VP8 ", b"VP8L"} and not canvas.animated and not canvas.images:
            canvas.images = 1
            if not extended:
                _read_simple(canvas, kind, head)
        elif kind == b"EXIF":
            canvas.orientation = exif_orientation(file.at(start, min(length, 65536)))
    return canvas


def _read_simple(canvas: _Canvas, kind: bytes, head: bytes) -> None:
    """Read the size from the bitstream itself; it stays 0 when that is damaged."""
    if kind == b"VP8 " and head[3:6] == b"\x9d\x01\x2a":
        canvas.columns = int.from_bytes(head[6:8], "little") & 0x3FFF
        canvas.rows = int.from_bytes(head[8:10], "little") & 0x3FFF
    elif kind == b"VP8L" and head[:1] == b"\x2f":
        bits = int.from_bytes(head[1:5], "little")
        canvas.columns = 1 + (bits & 0x3FFF)
        canvas.rows = 1 + (bits >> 14 & 0x3FFF)
        canvas.alpha = bool(bits >> 28 & 1)
