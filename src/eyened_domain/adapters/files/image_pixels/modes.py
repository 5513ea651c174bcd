"""From Pillow's pictures to arrays: what each of its modes becomes."""

from __future__ import annotations

import numpy as np
from PIL import Image

from eyened_domain.adapters.files.image_pixels.source import Pixels

# Bits become bytes; premultiplied, padded and subsampled modes their plain forms.
_PLAIN = {
    "1": "L", "YCbCr": "RGB", "RGBX": "RGB", "RGBa": "RGBA", "La": "LA",
}  # fmt: skip


def array_of(image: Image.Image) -> Pixels:
    """Give a decoded picture as an array of its own: C-contiguous, writeable, native bytes.

    Grey is (rows, columns): uint8, uint16 (I;16), int32 (I), float32 (F); 1 bit is uint8
    0 and 255. Colour is (rows, columns, samples) uint8. A palette image is read through
    its palette: the index of a colour means nothing by itself.
    """
    mode = _palette_mode(image) if image.mode in {"P", "PA"} else _PLAIN.get(image.mode)
    pixels = np.array(image if mode is None else image.convert(mode))
    return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)


def _palette_mode(image: Image.Image) -> str:
    """L when each colour of the palette is grey, else RGB; RGBA with transparency."""
    if image.mode == "PA" or "transparency" in image.info:
        return "RGBA"
    palette = np.array(image.getpalette("RGB") or [0, 0, 0]).reshape(-1, 3)
    return "L" if (palette == palette[:, :1]).all() else "RGB"
