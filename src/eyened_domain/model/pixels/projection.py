"""Masks on a grid of their own, in the pixels of the image that they lie on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_ROWS_AT_ONCE = 256


def on_image_grid(
    mask: npt.NDArray[np.bool_], matrix: Sequence[Sequence[float]], shape: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """Return a flat mask in the pixels of the image.

    Each pixel of the image takes the value of the segmentation's pixel in which its centre
    lies, and False where it lies outside. Whole numbers are the centres of pixels.

    Args:
        mask: (height, width) of the segmentation.
        matrix: ImageProjectionMatrix, 3 x 3: from (x, y, 1) of the segmentation to (x, y, 1)
            of the image, up to a factor.
        shape: (rows, columns) of the image.

    Returns:
        an array of that shape.
    """
    inverse = np.linalg.inv(np.asarray(matrix, dtype=float))
    projected = np.zeros(shape, dtype=bool)
    for start in range(0, shape[0], _ROWS_AT_ONCE):
        rows = np.arange(start, min(start + _ROWS_AT_ONCE, shape[0]))
        projected[rows] = _sampled(mask, inverse, rows, shape[1])
    return projected


def _sampled(
    mask: npt.NDArray[np.bool_], inverse: npt.NDArray[Any], rows: npt.NDArray[Any], width: int
) -> npt.NDArray[np.bool_]:
    x, y = np.arange(width, dtype=float)[None, :], rows.astype(float)[:, None]
    w = inverse[2, 0] * x + inverse[2, 1] * y + inverse[2, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        u = (inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]) / w
        v = (inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]) / w
    height, length = mask.shape
    # halves go up, so that a pixel's border belongs to one of its neighbours
    inside = (u >= -0.5) & (u < length - 0.5) & (v >= -0.5) & (v < height - 0.5)
    column = np.floor(np.where(inside, u, 0) + 0.5).astype(np.intp)
    row = np.floor(np.where(inside, v, 0) + 0.5).astype(np.intp)
    found: npt.NDArray[np.bool_] = mask[row, column] & inside
    return found
