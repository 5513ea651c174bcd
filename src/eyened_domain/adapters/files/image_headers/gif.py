"""GIF: a walk over its blocks (GIF89a specification)."""

from __future__ import annotations

import struct

from eyened_domain.adapters.files.image_headers.source import HeaderFile, HeaderRequest
from eyened_domain.services.image_files import ImageHeader

_TRAILER, _IMAGE, _EXTENSION = 0x3B, 0x2C, 0x21
_MOST_BLOCKS = 250_000


def read_gif(request: HeaderRequest, file: HeaderFile) -> ImageHeader:
    """Read a GIF; it must reach its trailer, and every image in it is a frame.

    A pixel of a GIF is one index into a palette: samples_per_pixel is 1.
    """
    blocks = file.at(0, file.size)
    try:
        columns, rows, frames = _walk(blocks, file)
    except (IndexError, struct.error) as error:
        raise file.refusal("is cut off: a GIF without its trailer") from error
    request.check_size(file, rows, columns, frames)
    return ImageHeader(rows_y=rows, columns_x=columns, samples_per_pixel=1, nr_of_frames=frames)


def _walk(blocks: bytes, file: HeaderFile) -> tuple[int, int, int]:
    columns, rows, packed = struct.unpack_from("<HHB", blocks, 6)
    position = 13 + _palette_bytes(packed)
    frames = 0
    for _ in range(_MOST_BLOCKS):
        kind = blocks[position]
        if kind == _TRAILER:
            return columns, rows, frames
        if kind == _IMAGE:
            x, y, width, height, packed = struct.unpack_from("<HHHHB", blocks, position + 1)
            # Pillow, like browsers, widens the canvas to hold the first image.
            if frames == 0:
                columns, rows = max(columns, x + width), max(rows, y + height)
            frames += 1
            position = _after_data(blocks, position + 11 + _palette_bytes(packed), file)
        elif kind == _EXTENSION:
            position = _after_data(blocks, position + 2, file)
        else:
            raise file.refusal(f"is damaged: a GIF with an unknown block at byte {position:,}")
    raise file.refusal(f"has more than {_MOST_BLOCKS:,} blocks")


def _after_data(blocks: bytes, position: int, file: HeaderFile) -> int:
    """Skip the sub-blocks of one block, up to the empty one that ends them."""
    for _ in range(_MOST_BLOCKS):
        length = blocks[position]
        position += 1 + length
        if length == 0:
            return position
    raise file.refusal(f"has more than {_MOST_BLOCKS:,} blocks")


def _palette_bytes(packed: int) -> int:
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0
