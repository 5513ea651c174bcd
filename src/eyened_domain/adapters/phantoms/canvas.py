"""Two brushes for drawn eyes: smooth noise, and rows of soft dots.

Both are plain numpy without BLAS, so that the number of threads never changes a pixel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
Points = NDArray[np.float64]


def _stretch(grid: Picture, size: int, axis: int) -> Picture:
    """Stretch one axis of a grid to ``size`` samples with the cubic B-spline."""
    cells = grid.shape[axis] - 3
    place = (np.arange(size) + 0.5) * (cells / size)
    left = np.minimum(place.astype(np.intp), cells - 1)
    t = (place - left).astype(np.float32)
    weights = (
        (1 - t) ** 3 / 6,
        (3 * t**3 - 6 * t**2 + 4) / 6,
        (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
        t**3 / 6,
    )
    along = [1] * grid.ndim
    along[axis] = size
    taps = [np.take(grid, left + k, axis=axis) * w.reshape(along) for k, w in enumerate(weights)]
    return np.asarray(taps[0] + taps[1] + taps[2] + taps[3], dtype=np.float32)


def smooth_noise(
    rng: np.random.Generator, shape: tuple[int, int], cells: tuple[float, float]
) -> Picture:
    """Draw smooth random hills and valleys.

    Args:
        rng: where the randomness comes from.
        shape: rows and columns of the result.
        cells: how many hills fit along each axis.

    Returns:
        float32 of ``shape``, mean about 0, standard deviation about 1.
    """
    rows, columns = (max(1, round(n)) for n in cells)
    grid = rng.standard_normal((rows + 3, columns + 3), dtype=np.float32)
    # the spline averages neighbours: 0.47 is what remains of a standard deviation of 1
    return _stretch(_stretch(grid, shape[0], 0), shape[1], 1) / np.float32(0.47)


def stamp(
    picture: Picture,
    x: Points,
    y: Points,
    radius: Points,
    strength: Points,
) -> None:
    """Set soft round dots into a picture, in place; where dots overlap the stronger holds.

    Args:
        picture: float32 (H, W), changed in place.
        x: column of each dot's centre, in pixels; dots outside are left out.
        y: row of each dot's centre, in pixels.
        radius: radius of each dot, in pixels; below half a pixel a dot turns fainter instead.
        strength: value at the centre of each dot.
    """
    height, width = picture.shape
    reach = np.ceil(radius + 1).astype(np.intp)
    inside = (x >= -reach) & (x < width + reach) & (y >= -reach) & (y < height + reach)
    for span in np.unique(reach[inside]):
        chosen = inside & (reach == span)
        column, row = (np.rint(v[chosen]).astype(np.int32) for v in (x, y))
        step = np.arange(-span, span + 1, dtype=np.int32)
        columns, rows = column[:, None] + step, row[:, None] + step
        dx = (columns - x[chosen][:, None]).astype(np.float32)
        dy = (rows - y[chosen][:, None]).astype(np.float32)
        away = np.sqrt(dy[:, :, None] ** 2 + dx[:, None, :] ** 2)
        size = np.maximum(radius[chosen], 0.5).astype(np.float32)[:, None, None]
        faint = (np.minimum(1.0, radius[chosen] / 0.5) * strength[chosen]).astype(np.float32)
        dome = 0.5 + 0.5 * np.sqrt(np.maximum(0, 1 - (away / (size + 0.5)) ** 2))
        value = np.clip(size + 0.5 - away, 0, 1) * dome * faint[:, None, None]
        seen_x, seen_y = (columns >= 0) & (columns < width), (rows >= 0) & (rows < height)
        value *= seen_y[:, :, None] & seen_x[:, None, :]
        where = rows[:, :, None].astype(np.intp) * width + columns[:, None, :]
        drawn = value > 0
        np.maximum.at(picture.reshape(-1), where[drawn], value[drawn])
