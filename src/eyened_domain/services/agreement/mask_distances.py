"""How alike two masks are: Dice, intersection over union, 95 % Hausdorff distance.

Empty masks, by one rule: two empty ones agree (Dice and IoU 1, distance 0); where one is
empty Dice and IoU are 0, and a distance is not defined (NaN).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from eyened_domain.errors import ConfigurationError
from eyened_domain.services.agreement.statistics import NOT_INSTALLED

Mask = npt.NDArray[np.bool_]


def dice_and_iou(first: Mask, second: Mask) -> tuple[float, float]:
    """Return Dice and intersection over union of two masks of one shape, 0 to 1."""
    both = int(np.count_nonzero(first & second))
    total = int(np.count_nonzero(first)) + int(np.count_nonzero(second))
    return (1.0, 1.0) if total == 0 else (2 * both / total, both / (total - both))


def hausdorff_95(first: Mask, second: Mask, spacing: Sequence[float]) -> float:
    """Return the 95 % Hausdorff distance between the borders of two masks.

    The border are the pixels of the mask that have a neighbour across a side (4 in a plane, 6
    in a volume) outside of it, or lie at the edge of the array. From each border pixel of one
    mask to the nearest of the other; of each of both directions the 95th percentile (linear
    between two); the larger of the two. Axes of length 1 are none.

    Args:
        first: one mask.
        second: another of the same shape.
        spacing: how far apart the pixels are along each axis, in mm or whatever the distance
            shall be in.
    """
    if not first.any() or not second.any():
        return np.nan if first.any() or second.any() else 0.0
    axes = [axis for axis, length in enumerate(first.shape) if length > 1]
    if not axes:
        return 0.0
    steps = [float(spacing[axis]) for axis in axes]
    shape = tuple(first.shape[axis] for axis in axes)
    first, second = first.reshape(shape), second.reshape(shape)
    box = _bounding_box(first | second)
    ours, theirs = _border(first[box]), _border(second[box])
    return max(_directed(ours, theirs, steps), _directed(theirs, ours, steps))


def _directed(border: Mask, to: Mask, steps: Sequence[float]) -> float:
    distances = _ndimage().distance_transform_edt(~to, sampling=steps)[border]
    return float(np.quantile(distances, 0.95))


def _border(mask: Mask) -> Mask:
    inside: Mask = _ndimage().binary_erosion(mask)  # beyond the array there is nothing
    return mask & ~inside


def _bounding_box(mask: Mask) -> tuple[slice, ...]:
    box = []
    for axis in range(mask.ndim):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        (there,) = np.nonzero(mask.any(axis=others))
        box.append(slice(int(there[0]), int(there[-1]) + 1))
    return tuple(box)


def _ndimage() -> Any:
    try:
        from scipy import ndimage  # noqa: PLC0415 - loaded when used
    except ImportError as error:
        raise ConfigurationError(NOT_INSTALLED.format("scipy")) from error
    return ndimage
