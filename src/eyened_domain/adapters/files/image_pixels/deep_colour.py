"""Colour of 16 bits per sample, of which Pillow keeps the high bytes only.

It says nothing about it. The decoder is therefore run a second time with its reader of
the opposite byte order, which picks the low bytes out of the same data.
"""

from __future__ import annotations

import sys

from PIL.ImageFile import ImageFile

from eyened_domain.adapters.files.image_headers.png import PNG_SIGNATURE
from eyened_domain.adapters.files.image_headers.source import HeaderFile

_OTHER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_BITS_PER_SAMPLE = 258
_SIZ = b"\xff\x4f\xff\x51"


def is_deep(image: ImageFile, file: HeaderFile) -> bool:
    """Whether Pillow would drop the low bytes, and they can be had in a second run.

    Raises:
        BadInput: they would be dropped, and cannot be had.
    """
    if not _loses_bits(image, file):
        return False
    if image.tile and all(_rawmode(tile.args) for tile in image.tile):
        return True
    raise file.refusal(
        "has more than 8 bits per sample in more than one channel, in a form that cannot be "
        "read without loss; store it as 16-bit RGB PNG, or its channels as grey images"
    )


def low_bytes(image: ImageFile) -> None:
    """Make an open picture decode the low bytes in place of the high ones."""
    image.tile = [tile._replace(args=_swapped(tile.args)) for tile in image.tile]


def _loses_bits(image: ImageFile, file: HeaderFile) -> bool:
    head = file.head
    if head.startswith(PNG_SIGNATURE):
        return head[24] == 16 and head[25] in {2, 4, 6}  # IHDR: depth, colour with channels
    if image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (8,))
        return len(bits) > 1 and max(bits) > 8
    if image.format == "JPEG2000":
        start = head.find(_SIZ)
        samples = int.from_bytes(head[start + 40 : start + 42])  # T.800, A.5.1: Csiz, Ssiz
        depths = head[start + 42 : start + 42 + 3 * samples : 3]
        return start < 0 or (samples > 1 and any((depth & 0x7F) >= 8 for depth in depths))
    return False


def _rawmode(args: object) -> str | None:
    """Give the name of the reader in the arguments of a tile, if it has an opposite."""
    name = args[0] if isinstance(args, tuple) else args
    if isinstance(name, str) and name[:-1] in {"RGB;16", "RGBA;16"} and name[-1] in _OTHER:
        return name
    return None


def _swapped(args: object) -> tuple[object, ...] | str:
    name = _rawmode(args) or ""
    other = name[:-1] + _OTHER[name[-1]]
    return (other, *args[1:]) if isinstance(args, tuple) else other
