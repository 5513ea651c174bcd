"""The eight EXIF orientations (tag 274), as operations on an array of (rows, columns, ...)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from eyened_domain.adapters.files.image_pixels.source import Pixels

_TURNS: dict[int, Callable[[Pixels], Pixels]] = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: np.swapaxes(pixels, 0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.swapaxes(np.rot90(pixels, 2), 0, 1),
    8: np.rot90,
}


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turn a picture as viewers show it; C-contiguous.

    Args:
        pixels: (rows, columns) or (rows, columns, samples), as stored.
        orientation: 1 to 8; 1 leaves it as it is.
    """
    turn = _TURNS.get(orientation)
    return pixels if turn is None else np.ascontiguousarray(turn(pixels))
