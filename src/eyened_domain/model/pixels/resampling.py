"""Pixels on another grid of the same direction: scale and shift, in plain numpy."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[Any]


@attrs.frozen(kw_only=True)
class Window:
    """A square grid laid on an image; whole numbers are the centres of pixels.

    Attributes:
        step: pixels of the image from one pixel of the grid to the next.
        size: rows and columns of the grid.
        x: column of the image at the centre of the grid's first pixel.
        y: row of the image there.
    """

    step: float
    size: int
    x: float
    y: float

    def of(self, pixels: Pixels, *, smooth: bool) -> Pixels:
        """Read the image on the grid; 0 outside the image.

        Smooth is a triangle filter, as wide as a step of the grid and at least as one
        pixel: bilinear when the grid is the finer one, an average without aliases when
        the image is.

        Args:
            pixels: (rows, columns[, samples]).
            smooth: False takes the nearest pixel.

        Returns:
            (size, size[, samples]) of the same number type; whole numbers are rounded,
            bool is true from one half.
        """
        if not smooth:
            rows, columns = self._nearest(self.y), self._nearest(self.x)
            found = pixels[np.clip(rows, 0, pixels.shape[0] - 1)]
            found = found[:, np.clip(columns, 0, pixels.shape[1] - 1)]
            found[(rows < 0) | (rows >= pixels.shape[0])] = 0
            found[:, (columns < 0) | (columns >= pixels.shape[1])] = 0
            return found
        found = self._along(pixels, self.y)
        found = np.swapaxes(self._along(np.swapaxes(found, 0, 1), self.x), 0, 1)
        return _as_type(found, pixels.dtype)

    def _nearest(self, start: float) -> npt.NDArray[np.intp]:
        places: npt.NDArray[np.intp] = np.floor(
            start + self.step * np.arange(self.size) + 0.5
        ).astype(np.intp)
        return places

    def _along(self, pixels: Pixels, start: float) -> Pixels:
        """Interpolate along axis 0."""
        reach = max(self.step, 1.0)
        places = start + self.step * np.arange(self.size)
        first = np.floor(places - reach).astype(np.intp) + 1
        taps = first[:, np.newaxis] + np.arange(int(np.ceil(2 * reach)))
        weights = np.maximum(0, 1 - np.abs(taps - places[:, np.newaxis]) / reach)
        length = pixels.shape[0]
        weights[(taps < 0) | (taps >= length)] = 0
        # Half a pixel beyond the outermost centres is still the image.
        weights[(places < -0.5) | (places > length - 0.5)] = 0
        total = weights.sum(axis=1, keepdims=True)
        weights = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
        kind = np.float64 if pixels.dtype.itemsize > 2 else np.float32
        found = np.zeros((self.size, *pixels.shape[1:]), kind)
        shape = (-1, *(1,) * (pixels.ndim - 1))
        for tap in range(taps.shape[1]):
            weight = weights[:, tap].astype(kind)
            used = np.flatnonzero(weight)
            found[used] += pixels[taps[used, tap]] * weight[used].reshape(shape)
        return found


def _as_type(pixels: Pixels, dtype: np.dtype[Any]) -> Pixels:
    if dtype.kind == "b":
        return pixels >= 0.5
    if dtype.kind in "ui":
        pixels = np.rint(pixels)
    return np.ascontiguousarray(pixels.astype(dtype))
