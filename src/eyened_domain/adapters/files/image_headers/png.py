"""PNG: a walk over its chunks (W3C PNG specification, third edition).

Not by Pillow, which unpacks colour profiles and texts on the way.
"""

from __future__ import annotations

import struct
import zlib

from eyened_domain.adapters.files.image_headers.exif import exif_orientation
from eyened_domain.adapters.files.image_headers.source import HeaderFile, HeaderRequest
from eyened_domain.services.image_files import ImageHeader

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = b"\0\0\0\0IEND\xaeB`\x82"
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}


def read_png(request: HeaderRequest, file: HeaderFile) -> ImageHeader:
    """Read a PNG; it must reach its IEND chunk.

    A pixel of a palette image (colour type 3) is one index: samples_per_pixel is 1.
    The frames of an animated PNG are those that its acTL chunk counts.
    """
    columns, rows, samples = _image_header(file)
    frames, orientation, data = _before_pixels(file)
    if file.tail(12) != _END:
        _require_end(file, data)
    request.check_size(file, rows, columns, frames)
    return ImageHeader(
        rows_y=rows,
        columns_x=columns,
        samples_per_pixel=samples,
        nr_of_frames=frames,
        orientation=orientation,
    )


def _image_header(file: HeaderFile) -> tuple[int, int, int]:
    """Read the IHDR chunk (11.2.1), which must come first."""
    chunk = file.at(8, 25)
    if len(chunk) < 25 or chunk[:8] != b"\0\0\0\rIHDR":
        raise file.refusal("is cut off or damaged: a PNG without its header (IHDR)")
    columns, rows, depth, colour = struct.unpack_from(">IIBB", chunk, 8)
    if zlib.crc32(chunk[4:21]) != int.from_bytes(chunk[21:]) or depth not in _DEPTHS.get(
        colour, ()
    ):
        raise file.refusal("is damaged: a PNG whose header (IHDR) is wrong")
    return columns, rows, _SAMPLES[colour]


def _before_pixels(file: HeaderFile) -> tuple[int, int, int]:
    """Walk to the first IDAT; gives the frames, the orientation, and where it is."""
    frames = orientation = 1
    position = 33
    while True:
        length, kind = _chunk(file, position)
        if kind == b"IDAT":
            return frames, orientation, position
        if kind == b"acTL" and length >= 8:
            frames = int.from_bytes(file.at(position + 8, 4))
        elif kind == b"eXIf":
            orientation = exif_orientation(file.at(position + 8, min(length, 65536)))
        elif kind == b"IEND":
            raise file.refusal("is damaged: a PNG without pixels (IDAT)")
        position += 12 + length


def _require_end(file: HeaderFile, position: int) -> None:
    """Walk on to IEND: there may be bytes after it, but it must be there."""
    while True:
        length, kind = _chunk(file, position)
        position += 12 + length
        if kind == b"IEND" and position <= file.size:
            return


def _chunk(file: HeaderFile, position: int) -> tuple[int, bytes]:
    head = file.at(position, 8)
    if len(head) < 8 or not head[4:].isalpha():
        raise file.refusal("is cut off or damaged: a PNG without its end (IEND)")
    return int.from_bytes(head[:4]), head[4:]
