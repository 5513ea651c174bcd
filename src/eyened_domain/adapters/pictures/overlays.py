"""Which view of an image a segmentation is laid over, and with which masks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import numpy.typing as npt
from PIL import Image

from eyened_domain.adapters.files.image_pixels.shown import (
    eight_bit,
    en_face_array,
    picture_of,
)
from eyened_domain.adapters.files.image_pixels.turning import upright
from eyened_domain.adapters.pictures.colours import Colour, colours_of
from eyened_domain.adapters.pictures.painting import Layer, painted
from eyened_domain.errors import BadInput
from eyened_domain.model.pixels.masks import MASK, QUESTIONABLE
from eyened_domain.model.values import shown

if TYPE_CHECKING:
    from eyened_domain.model.image import ImageInstance
    from eyened_domain.model.pixels.pictured import PicturedPixels, View

Pixels = npt.NDArray[Any]


@attrs.frozen(kw_only=True)
class Source:
    """Where an overlay gets the pixels of its image.

    Attributes:
        read: one frame by its number, or with None all of them; upright as the second
            argument says.
        orientation: the EXIF orientation by which the grid of the row is turned upright.
    """

    read: Callable[[int | None, bool], Pixels]
    orientation: Callable[[], int]


def overlay_of(
    source: Source, image: ImageInstance, grid: PicturedPixels, view: View
) -> Image.Image:
    """Return an image with the masks of a segmentation over it; see `PicturedPixels.overlay`."""
    masks: dict[str, Pixels]
    if image.is_2d:
        picture = picture_of(lambda frame: source.read(frame, True), image, None)
        turn = source.orientation()
        masks = {name: upright(mask[0], turn) for name, mask in grid.masks().items()}
    elif view.en_face or grid.is_en_face:
        picture = en_face_of(source, image)
        masks = {name: np.any(mask, axis=1) for name, mask in grid.masks().items()}
    else:
        scan = middle_scan(image, grid) if view.scan is None else view.scan
        masks = grid.masks(scan=scan)
        picture = Image.fromarray(eight_bit(source.read(scan, False)))
    if view.max_size_px is not None:
        picture.thumbnail((view.max_size_px, view.max_size_px), Image.Resampling.LANCZOS)
    return painted(picture, _layers(grid, masks, view.names), view.alpha)


def en_face_of(source: Source, image: ImageInstance) -> Image.Image:
    """Return a volume as seen from the front, however few scans it has."""
    return Image.fromarray(
        en_face_array(
            source.read(None, False),
            resolution_horizontal=image.resolution_horizontal,
            resolution_vertical=image.resolution_vertical,
        )
    )


def middle_scan(image: ImageInstance, grid: PicturedPixels | None = None) -> int:
    """Return the number of the middle B-scan: of those with data, where they are listed."""
    scans = sorted(grid.scan_indices) if grid is not None and grid.scan_indices else None
    middle: int = scans[len(scans) // 2] if scans else (image.nr_of_frames or 1) // 2
    return middle


def legend_of(grid: PicturedPixels, names: Iterable[str]) -> dict[str, Colour]:
    """Return the colour in which each of all masks of a segmentation is shown."""
    several = tuple(names)
    if is_single(several):
        title = grid.shown_name or MASK
        return dict.fromkeys(several, colours_of([title])[title])
    return colours_of(several)


def is_single(names: Iterable[str]) -> bool:
    """Whether the masks are those of one feature, and not of its subfeatures."""
    return {MASK, QUESTIONABLE}.issuperset(names)


def _layers(
    grid: PicturedPixels, masks: Mapping[str, Pixels], names: tuple[str, ...] | None
) -> list[Layer]:
    unknown = [name for name in names or () if name not in masks]
    if unknown:
        raise BadInput(
            f"{grid.__entity__.name}.overlay: there is no mask {shown(unknown[0])}; it has "
            f"{shown([*masks])}",
            entity=grid.__entity__.name,
            field="masks",
            value=unknown[0],
        )
    colours = legend_of(grid, masks)
    single = is_single(masks)
    return [
        Layer(masks[name], colours[name], hatched=single and name == QUESTIONABLE)
        for name in (masks if names is None else names)
    ]
