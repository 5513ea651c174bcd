"""Raster images: PNG, JPEG, TIFF, GIF, BMP, WebP, JPEG 2000."""

from __future__ import annotations

import numpy as np

from eyened_domain.adapters.files.image_headers.raster import raster_header
from eyened_domain.adapters.files.image_pixels.pillow import decoded
from eyened_domain.adapters.files.image_pixels.source import PixelRequest, Pixels
from eyened_domain.adapters.files.image_pixels.turning import upright


def read_raster_pixels(request: PixelRequest) -> Pixels:
    """Read a raster image, all its frames or one.

    Returns:
        (rows, columns[, samples]), with the frames in front when it has more than one
        and all of them are wanted.

    Raises:
        BadInput: the file is missing, cut off, damaged, too large, no image, or not of
            the size that the row tells.
    """
    with request.header.open(request.header.identifier) as file:
        header = raster_header(request.header, file)
        turn = request.turn(header, file.refusal)
        frames = decoded(request.header, file, header, request.wanted(header))
    if len(frames) == 1:
        return upright(frames[0], turn)
    return frames if turn == 1 else np.stack([upright(frame, turn) for frame in frames])
