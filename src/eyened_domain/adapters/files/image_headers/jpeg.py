"""JPEG: a walk over its markers (ITU-T T.81, annex B).

Not by Pillow, which for the resolution parses all of the EXIF block, at four times
the cost of everything else.
"""

from __future__ import annotations

import struct

from eyened_domain.adapters.files.image_headers.exif import exif_orientation
from eyened_domain.adapters.files.image_headers.source import HeaderFile, HeaderRequest
from eyened_domain.services.image_files import ImageHeader

_END = b"\xff\xd9"
_TRAILER = 1024 * 1024
_APP1, _SOS, _EOI = 0xE1, 0xDA, 0xD9
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})


def read_jpeg(request: HeaderRequest, file: HeaderFile) -> ImageHeader:
    """Read a JPEG; it must reach its EOI marker.

    Bytes after the marker are tolerated: cameras append previews and padding. Of
    several pictures in one file (MPO) the first counts.
    """
    size: tuple[int, int, int] | None = None
    orientation = 1
    position = 2
    while True:
        marker, length = _marker(file, position)
        if marker in _FRAMES and size is None:
            size = _frame(file, position)
        elif marker == _APP1 and file.at(position + 4, 6) == b"Exif\0\0":
            orientation = exif_orientation(file.at(position + 4, length - 2))
        elif marker == _EOI:
            raise file.refusal("is damaged: a JPEG that ends before its pixels")
        position += length + (1 if marker == 0xFF else 2)
        if marker == _SOS:
            break
    if size is None:
        raise file.refusal("is damaged: a JPEG without a frame header (SOF)")
    require_jpeg_end(file, scan=position)
    rows, columns, samples = size
    request.check_size(file, rows, columns, 1)
    return ImageHeader(
        rows_y=rows,
        columns_x=columns,
        samples_per_pixel=samples,
        nr_of_frames=1,
        orientation=orientation,
    )


def require_jpeg_end(file: HeaderFile, *, scan: int) -> None:
    """Find the end marker after the start of the scan; a preview before it has one too.

    Raises:
        BadInput: it is not there.
    """
    if file.tail(2) == _END and file.size - 2 >= scan:
        return
    start = max(scan, file.size - _TRAILER)
    if start >= file.size or _END not in file.at(start, file.size - start):
        raise file.refusal("is cut off: a JPEG without its end marker (FF D9)")


def _marker(file: HeaderFile, position: int) -> tuple[int, int]:
    """Read a marker, and the length of its segment; 0 for a marker that stands alone."""
    head = file.at(position, 4)
    if len(head) < 4:
        raise file.refusal("is cut off: a JPEG that ends before its pixels")
    if head[0] != 0xFF or head[1] == 0:
        raise file.refusal("is damaged: a JPEG segment that does not start with a marker")
    # FF FF is one fill byte (B.1.1.2).
    if head[1] in _ALONE or head[1] in {_EOI, 0xFF}:
        return head[1], 0
    (length,) = struct.unpack_from(">H", head, 2)
    if length < 2:
        raise file.refusal("is damaged: a JPEG segment of no length")
    return head[1], length


def _frame(file: HeaderFile, position: int) -> tuple[int, int, int]:
    """Read rows, columns and components from a frame header (B.2.2)."""
    head = file.at(position + 4, 6)
    if len(head) < 6:
        raise file.refusal("is cut off: a JPEG that ends before its pixels")
    precision, rows, columns, samples = struct.unpack(">BHHB", head)
    if precision != 8 or samples not in {1, 3, 4}:
        raise file.refusal(
            f"is a JPEG of {samples} components of {precision} bits; "
            "1, 3 or 4 components of 8 bits can be read"
        )
    return rows, columns, samples
