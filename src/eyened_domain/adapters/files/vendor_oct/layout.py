"""Where the B-scans of a file are, known from its header before any is decoded."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

import attrs

from eyened_domain.errors import BadInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SizeCheck = Callable[[int, int, int], None]
"""Refuses what has no pixels, or too many: rows, columns, B-scans."""

PixelDecoder = Callable[["bytes | bytearray"], "NDArray[np.uint8 | np.uint16]"]
"""Turns the bytes of one B-scan into its (rows, columns)."""


class ByteSource(Protocol):
    """An open file whose header is read; `HeaderFile` is one.

    Attributes:
        size: bytes in the file.
    """

    size: int
    refusal: Callable[[str], BadInput]

    def at(self, offset: int, length: int) -> bytes:
        """Read `length` bytes at `offset`; fewer, or none, at the end of the file."""
        ...


class Extent(NamedTuple):
    """Where the stored pixels of one B-scan are, in bytes of the file."""

    offset: int
    length: int


@attrs.frozen(kw_only=True)
class OctLayout:
    """One volume in a file: its pixel array has the shape (B-scans, rows, columns).

    Attributes:
        rows: pixels into the depth of the retina.
        columns: pixels in the lateral direction.
        frames: the number of B-scans.
        scan: tells where a B-scan is, by its position on axis 0; all lie within the file.
        decode: turns the bytes of one B-scan into pixels.
        told: what else the file says for certain, by the Python name of the column;
            lengths in millimetres, enum values by name.
    """

    rows: int
    columns: int
    frames: int
    scan: Callable[[int], Extent]
    decode: PixelDecoder
    told: Mapping[str, object] = attrs.field(factory=dict)


def text(raw: bytes) -> str | None:
    """Read a zero-terminated text; None when it is empty."""
    return raw.split(b"\0", 1)[0].decode("latin-1").strip() or None


def length(value: float) -> float | None:
    """Read a length; None for what is no length."""
    return value if math.isfinite(value) and value > 0 else None
