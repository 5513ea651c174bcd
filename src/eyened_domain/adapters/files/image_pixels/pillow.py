"""Decoding by Pillow, of a file whose header has been judged.

Pillow's classes are called directly: the format is known, and no other may answer.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from eyened_domain.adapters.files.image_headers.png import PNG_SIGNATURE
from eyened_domain.adapters.files.image_headers.source import HeaderFile, HeaderRequest
from eyened_domain.adapters.files.image_headers.tiff import frame_pages
from eyened_domain.adapters.files.image_pixels.deep_colour import is_deep, low_bytes
from eyened_domain.adapters.files.image_pixels.modes import array_of
from eyened_domain.adapters.files.image_pixels.source import Pixels
from eyened_domain.services.image_files import ImageHeader

_MOST_SAMPLE_BYTES = 4
_WEBP_BYTES = 8 * 1024 * 1024  # with what a header may have, files of 64 MiB


def _open_webp(file: HeaderFile) -> ImageFile:
    file.allow_pixels(_WEBP_BYTES)
    return WebPImageFile(io.BytesIO(file.whole()))  # Pillow reads all of it anyway


def _opener(kind: Callable[[io.BufferedReader], ImageFile]) -> Callable[[HeaderFile], ImageFile]:
    return lambda file: kind(file.stream())


_OPENERS: tuple[tuple[bytes, Callable[[HeaderFile], ImageFile]], ...] = (
    (PNG_SIGNATURE, _opener(PngImageFile)),
    (b"\xff\xd8\xff", _opener(JpegImageFile)),
    (b"II", _opener(TiffImageFile)),
    (b"MM", _opener(TiffImageFile)),
    (b"GIF8", _opener(GifImageFile)),
    (b"BM", _opener(BmpImageFile)),
    (b"RIFF", _open_webp),
    (b"", _opener(Jpeg2KImageFile)),
)


def decoded(request: HeaderRequest, file: HeaderFile, header: ImageHeader, wanted: range) -> Pixels:
    """Decode frames of a raster image.

    Args:
        request: what the header was read for.
        file: the open file.
        header: its header.
        wanted: the positions of the frames, from 0.

    Returns:
        (len(wanted), rows, columns) or (len(wanted), rows, columns, samples).

    Raises:
        BadInput: the pixels are not what the header tells of, or have no room in an array.
    """
    pages: Sequence[int] = range(header.nr_of_frames)
    if header.nr_of_frames > 1 and file.head[:2] in {b"II", b"MM"}:
        pages = frame_pages(request, file)
    frames = _frames(file, header, [pages[position] for position in wanted])
    first = next(frames)
    if len(wanted) == 1:
        return first[np.newaxis]
    stack = np.empty((len(wanted), *first.shape), first.dtype)
    stack[0] = first
    for position, frame in enumerate(frames, start=1):
        if frame.shape != first.shape:
            raise file.refusal(f"has frames that differ: {first.shape} and {frame.shape}")
        stack[position] = frame
    return stack


def _frames(file: HeaderFile, header: ImageHeader, pages: list[int]) -> Iterator[Pixels]:
    image = _open(file)
    # The frames of a GIF may have palettes of their own; Pillow makes all but the first RGB.
    mode = "RGB" if header.nr_of_frames > 1 and isinstance(image, GifImageFile) else None
    for page in pages:
        if header.nr_of_frames > 1:
            image.seek(page)
        deep = is_deep(image, file)
        _load(image, file, header)
        pixels = array_of(image.convert(mode) if mode else image)
        if deep:
            pixels = pixels.astype(np.uint16) << 8 | _low(file, header, page)
        if pixels.shape[:2] != (header.rows_y, header.columns_x):
            raise file.refusal(f"is damaged: its pixels are {pixels.shape[0]} x {pixels.shape[1]}")
        yield pixels


def _low(file: HeaderFile, header: ImageHeader, page: int) -> Pixels:
    """Decode a page of 16-bit colour once more, for the bytes that Pillow drops."""
    image = _open(file)
    if page:
        image.seek(page)
    low_bytes(image)
    _load(image, file, header)
    return np.asarray(image)


def _open(file: HeaderFile) -> ImageFile:
    return next(opener for signature, opener in _OPENERS if file.head.startswith(signature))(file)


def _load(image: ImageFile, file: HeaderFile, header: ImageHeader) -> None:
    pixels = header.rows_y * header.columns_x
    if image.width * image.height != pixels:
        raise file.refusal(f"is damaged: a frame of {image.height} x {image.width}")
    file.allow_pixels(pixels * header.samples_per_pixel * _MOST_SAMPLE_BYTES)
    image.load()
