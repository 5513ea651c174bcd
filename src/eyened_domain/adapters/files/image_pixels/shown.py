"""What of an image is shown to people: one picture of 8 bits, for thumbnails and notebooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from eyened_domain.adapters.files.image_pixels.source import Pixels

if TYPE_CHECKING:
    from eyened_domain.model.image import ImageInstance

EN_FACE_SCANS = 10
"""From this number of scans on, a volume is shown en face."""

_PERCENTILES = (0.1, 99.9)
_LONGEST_SIDE = 8192


def shown_array(
    pixels: Pixels,
    *,
    nr_of_frames: int = 1,
    resolution_horizontal: float | None = None,
    resolution_vertical: float | None = None,
) -> Pixels:
    """Give the picture that stands for an image: of a photograph itself, of a volume one view.

    A volume of fewer than 10 scans is shown by its middle one, of 10 or more en face: the
    mean over axis 1 (depth), stretched to 0-255, each scan a row. Its smaller side is
    then enlarged until a pixel is as high as it is wide in millimetres.

    Args:
        pixels: as `ImageInstance.pixel_array` gives them.
        nr_of_frames: scans along axis 0; 1 for a single picture.
        resolution_horizontal: mm per pixel along a scan; None when not known.
        resolution_vertical: mm from scan to scan; None when not known.

    Returns:
        (rows, columns[, samples]) uint8. What is not uint8 is stretched, see `eight_bit`.
    """
    if nr_of_frames < EN_FACE_SCANS:
        return eight_bit(_single(pixels, nr_of_frames))
    return en_face_array(
        pixels,
        resolution_horizontal=resolution_horizontal,
        resolution_vertical=resolution_vertical,
    )


def en_face_array(
    pixels: Pixels,
    *,
    resolution_horizontal: float | None = None,
    resolution_vertical: float | None = None,
) -> Pixels:
    """Give a volume as seen from the front, however few scans it has; see `shown_array`.

    Args:
        pixels: (scans, depth, lateral).
        resolution_horizontal: mm per pixel along a scan; None when not known.
        resolution_vertical: mm from scan to scan; None when not known.
    """
    en_face = _stretched(pixels.mean(axis=1, dtype=np.float32), 0, 100)
    return _in_proportion(en_face, resolution_horizontal, resolution_vertical)


def eight_bit(pixels: Pixels) -> Pixels:
    """Give pixels as uint8: as they are, or else stretched.

    From the 0.1st percentile (0) to the 99.9th (255), all channels together, so that
    a few hot pixels do not darken the rest; from the lowest to the highest value when
    the two are the same, as in a mask with few pixels set.
    """
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * np.uint8(255)
    return _stretched(pixels, *_PERCENTILES)


def picture_of(
    read: Callable[[int | None], Pixels], image: ImageInstance, max_size_px: int | None
) -> Image.Image:
    """Make the picture of an image; of a volume no more is read than is shown.

    Args:
        read: reads one frame, or with None all of them; upright.
        image: what is known of it.
        max_size_px: the longest side that is wanted; None for all pixels.
    """
    frames = image.nr_of_frames or 1
    en_face = frames >= EN_FACE_SCANS
    shown = shown_array(
        read(None if en_face else frames // 2),
        nr_of_frames=frames if en_face else 1,
        resolution_horizontal=image.resolution_horizontal,
        resolution_vertical=image.resolution_vertical,
    )
    picture = Image.fromarray(shown)
    if max_size_px is not None:
        picture.thumbnail((max_size_px, max_size_px), Image.Resampling.LANCZOS)
    return picture


def _single(pixels: Pixels, nr_of_frames: int) -> Pixels:
    """Give the middle scan of a small volume, or a single picture without a frame axis."""
    if nr_of_frames > 1:
        middle: Pixels = pixels[nr_of_frames // 2]
        return middle
    has_frame_axis = pixels.ndim == 4 or (pixels.ndim == 3 and pixels.shape[2] > 4)
    single: Pixels = pixels[0] if has_frame_axis else pixels
    return single


def _stretched(pixels: Pixels, low: float, high: float) -> Pixels:
    """Map the two percentiles of the finite values to 0 and 255; flat pixels become 0."""
    values = pixels.astype(np.float32)
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return np.zeros(pixels.shape, np.uint8)
    bottom, top = np.percentile(finite, (low, high))
    if bottom == top:
        bottom, top = finite.min(), finite.max()
    scale = 255 / (top - bottom) if top > bottom else 0
    values = np.nan_to_num(values, nan=float(bottom))
    stretched: Pixels = np.rint(np.clip((values - bottom) * scale, 0, 255)).astype(np.uint8)
    return stretched


def _in_proportion(picture: Pixels, horizontal: float | None, vertical: float | None) -> Pixels:
    if not horizontal or not vertical or horizontal < 0 or vertical < 0:
        return picture
    rows, columns = picture.shape[:2]
    # Neither a wrong resolution nor a long volume may ask for a picture of any size.
    height = min(max(rows, round(rows * vertical / horizontal)), _LONGEST_SIDE)
    width = min(max(columns, round(columns * horizontal / vertical)), _LONGEST_SIDE)
    if (height, width) == (rows, columns):
        return picture
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR))
