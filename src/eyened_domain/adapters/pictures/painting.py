"""Masks laid over a picture: a fill that lets the image through, and an outline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt
from PIL import Image

from eyened_domain.adapters.pictures.colours import Colour

Pixels = npt.NDArray[Any]

_OUTLINE = 1.0
_LEAST_SEEN = 0.7
_BETWEEN_STRIPES = 0.3
_PIXELS_PER_OUTLINE = 900
_STRIPES_PER_PICTURE = 90


@attrs.frozen
class Layer:
    """One mask of a picture.

    Attributes:
        mask: (rows, columns) bool, of the picture or on a finer or coarser grid that
            covers the same.
        colour: red, green, blue.
        hatched: in stripes, for what a grader was not sure of.
    """

    mask: Pixels
    colour: Colour
    hatched: bool = False


def painted(picture: Image.Image, layers: Sequence[Layer], alpha: float) -> Image.Image:
    """Return an RGB picture with the masks over it, the first one undermost.

    Args:
        picture: grey, RGB or RGBA; what is transparent becomes black.
        layers: the masks.
        alpha: opacity of the fill, from 0 (outlines only) to 1.
    """
    canvas = _as_rgb(picture)
    for layer in layers:
        _paint(canvas, layer, alpha)
    return Image.fromarray(canvas)


def _as_rgb(picture: Image.Image) -> Pixels:
    if picture.mode in {"RGBA", "LA"}:
        picture = picture.convert("RGBA")
        black = Image.new("RGBA", picture.size, (0, 0, 0, 255))
        picture = Image.alpha_composite(black, picture)
    return np.array(picture.convert("RGB"))


def _paint(canvas: Pixels, layer: Layer, alpha: float) -> None:
    longest = max(canvas.shape[:2])
    thickness = max(1, round(longest / _PIXELS_PER_OUTLINE))
    cover = _cover(layer.mask, canvas.shape[1::-1])
    box = _box(cover, thickness)
    cover, canvas = cover[box], canvas[box]  # most masks are small
    inside = cover > 0
    outline = inside & ~_eroded(inside, thickness)
    # a line of one pixel in a picture made smaller covers little of each pixel: it is
    # shown stronger than it covers, so that it does not vanish
    seen = np.where(inside, _LEAST_SEEN + (1 - _LEAST_SEEN) * (cover / np.float32(255)), 0)
    strength = seen * np.where(outline, np.float32(_OUTLINE), np.float32(alpha))
    if layer.hatched:
        strength *= np.where(_stripes(box, longest), 1, _BETWEEN_STRIPES)
    where = strength > 0
    weight = strength[where][:, None]
    mixed = canvas[where] * (1 - weight) + np.asarray(layer.colour, np.float32) * weight
    canvas[where] = np.rint(mixed).astype(np.uint8)


def _box(cover: Pixels, margin: int) -> tuple[slice, slice]:
    """Return the rows and columns in which there is anything, and some around them."""
    sides = []
    for axis in (0, 1):
        set_at = np.flatnonzero(cover.any(axis=1 - axis))
        first, last = (int(set_at[0]), int(set_at[-1])) if set_at.size else (0, -1)
        sides.append(slice(max(0, first - margin), min(cover.shape[axis], last + 1 + margin)))
    return sides[0], sides[1]


def _cover(mask: Pixels, size: tuple[int, int]) -> Pixels:
    """Return how much of each pixel of the picture the mask covers, 0 to 255."""
    cover = Image.fromarray(mask.astype(np.uint8) * np.uint8(255))
    if cover.size == size:
        return np.asarray(cover)
    smaller = size[0] <= cover.width and size[1] <= cover.height
    how = Image.Resampling.BOX if smaller else Image.Resampling.NEAREST
    return np.asarray(cover.resize(size, how))


def _eroded(mask: Pixels, times: int) -> Pixels:
    """Take off the outermost pixels; the border of the picture is no border of the mask."""
    left = np.pad(mask, times, constant_values=True)
    for _ in range(times):
        core = left[1:-1, 1:-1]
        core = core & left[:-2, 1:-1] & left[2:, 1:-1] & left[1:-1, :-2] & left[1:-1, 2:]
        left = core
    return left


def _stripes(box: tuple[slice, slice], longest: int) -> Pixels:
    period = max(4, round(longest / _STRIPES_PER_PICTURE))
    rows, columns = np.ogrid[box]
    stripes: Pixels = (rows + columns) % period < period / 2
    return stripes
