"""Raw files: uint8 in C order, frames of rows x columns one after the other."""

from __future__ import annotations

import numpy as np

from eyened_domain.adapters.files.image_headers.binary import binary_header
from eyened_domain.adapters.files.image_pixels.source import PixelRequest, Pixels


def read_binary_pixels(request: PixelRequest) -> Pixels:
    """Read a ``.binary`` file, or the bytes of one frame of it and no others.

    Returns:
        (frames, rows, columns) uint8, with one frame as well; (rows, columns) when one
        frame is wanted.

    Raises:
        BadInput: the file is missing, or its size does not fit rows_y, columns_x and
            nr_of_frames of the row.
    """
    with request.header.open(request.header.identifier) as file:
        header = binary_header(request.header, file)
        wanted = request.wanted(header)
        shape = (len(wanted), header.rows_y, header.columns_x)
        pixels = np.empty(shape, np.uint8)
        if file.read_into(pixels.data.cast("B"), wanted.start * shape[1] * shape[2]):
            raise file.refusal("was cut off while it was read")
    return pixels if request.frame is None else pixels[0]
