"""The compressed frames of a DICOM file: how large they say that they are.

A decoder makes room for what the codestream tells, not for what Rows and Columns tell:
a frame of a few bytes can ask for any amount of memory.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from eyened_domain.adapters.files.image_headers.source import HeaderFile
from eyened_domain.services.image_files import ImageHeader

_JPEG, _JP2, _SIZ = b"\xff\xd8", b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"
_RLE = "1.2.840.10008.1.2.5"
_SOS = 0xDA
# Frame headers of ITU-T T.81 (B.2.2), and of JPEG-LS (T.87): F7.
_SOF = (frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}) | {0xF7}


def check_codestream(file: HeaderFile, header: ImageHeader, syntax: str, frame: bytes) -> None:
    """Refuse a frame whose codestream tells of another size than the header.

    Args:
        file: for the error.
        header: rows, columns and samples of the DICOM header.
        syntax: the UID of the transfer syntax.
        frame: the compressed frame.

    Raises:
        BadInput: it is larger, smaller, or in no known form.
    """
    if syntax == _RLE:
        # PackBits (PS3.5, G.3) adds one byte to 128; what needs twice as much hides something.
        most = 1024 + 8 * header.rows_y * header.columns_x * header.samples_per_pixel
        if len(frame) > most:
            raise file.refusal(f"is damaged: an RLE frame of {len(frame):,} bytes")
        return
    wanted = (header.rows_y, header.columns_x)
    try:
        sizes = list(_sizes(frame))
    except (struct.error, IndexError) as error:
        raise file.refusal("is cut off or damaged: a frame without a frame header") from error
    if not sizes or any(size != wanted for size in sizes):
        raise file.refusal(
            f"is damaged: a compressed frame of (rows, columns) {sizes}, where Rows and "
            f"Columns are {wanted}"
        )


def _sizes(frame: bytes) -> Iterator[tuple[int, int]]:
    if frame.startswith(_JPEG):
        yield from _jpeg_sizes(frame)
        return
    start = 0
    if frame.startswith(_JP2):
        yield struct.unpack_from(">II", frame, frame.index(b"ihdr") + 4)
        start = frame.index(_SIZ)
    if frame.startswith(_SIZ, start):
        right, bottom, left, top = struct.unpack_from(">IIII", frame, start + 8)
        yield bottom - top, right - left


def _jpeg_sizes(frame: bytes) -> Iterator[tuple[int, int]]:
    position = 2
    while True:
        mark, marker, length = struct.unpack_from(">BBH", frame, position)
        if mark != 0xFF or marker == _SOS:
            return
        if marker == 0xFF:  # a fill byte (B.1.1.2)
            position += 1
            continue
        if marker in _SOF:
            yield struct.unpack_from(">HH", frame, position + 5)
        position += 2 + length
