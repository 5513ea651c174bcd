"""The orientation in an EXIF block, without the rest of it."""

from __future__ import annotations

import struct

_ORIENTATION = 274
_SHORT = 3


def exif_orientation(exif: object) -> int:
    r"""Read tag 274 of the first directory.

    Args:
        exif: the block as it stands in a JPEG, PNG or WebP file, with or without the
            marker ``Exif\\0\\0``; anything else counts as absent.

    Returns:
        1 to 8; 1, which is upright, when it is absent or damaged.
    """
    if not isinstance(exif, bytes):
        return 1
    block = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None:
        return 1
    try:
        return _orientation(block, order)
    except struct.error:
        return 1


def _orientation(block: bytes, order: str) -> int:
    start: int = struct.unpack_from(f"{order}I", block, 4)[0]
    entries: int = struct.unpack_from(f"{order}H", block, start)[0]
    for entry in range(entries):
        tag, kind, _, value = struct.unpack_from(f"{order}HHIH", block, start + 2 + 12 * entry)
        if tag == _ORIENTATION:
            return int(value) if kind == _SHORT and 1 <= value <= 8 else 1
    return 1
