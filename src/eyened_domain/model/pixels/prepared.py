"""Pixels that were checked, and are ready to be stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from eyened_domain.model.pixels.grid import Plane

if TYPE_CHECKING:
    import numpy.typing as npt


@frozen(eq=False)
class PreparedPixels:
    """Pixels of a segmentation, checked once against its grid, its image and its feature.

    Made by `StoredPixels.prepare` and `prepare_on`, and stored by `put` of the same segmentation.

    Attributes:
        pixels: (depth, height, width), or a slice without its axis, in the number type of the
            segmentation. Read-only; an array that fitted as it was is not copied, and whoever
            made it leaves it as it is until it is stored.
        plane: which plane they are; None for all pixels.
        checked_for: the segmentation, and its shape, number type and representation.
    """

    pixels: npt.NDArray[Any]
    plane: Plane | None
    checked_for: tuple[Any, ...]
