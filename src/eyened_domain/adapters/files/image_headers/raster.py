"""Raster images: which format a file is in, by its first bytes.

Only the formats listed here are read, whatever Pillow could open. A format is told
by its signature and never by the file's name.
"""

from __future__ import annotations

from collections.abc import Callable

from eyened_domain.adapters.files.image_headers.gif import read_gif
from eyened_domain.adapters.files.image_headers.jpeg import read_jpeg
from eyened_domain.adapters.files.image_headers.png import PNG_SIGNATURE, read_png
from eyened_domain.adapters.files.image_headers.source import HeaderFile, HeaderRequest
from eyened_domain.adapters.files.image_headers.webp import read_webp
from eyened_domain.services.image_files import ImageHeader

_Reader = Callable[[HeaderRequest, HeaderFile], ImageHeader]


def _read_tiff(request: HeaderRequest, file: HeaderFile) -> ImageHeader:
    # Pillow is brought in by the formats that need it, not by every photograph.
    from eyened_domain.adapters.files.image_headers.tiff import read_tiff  # noqa: PLC0415

    return read_tiff(request, file)


def _read_bmp(request: HeaderRequest, file: HeaderFile) -> ImageHeader:
    from eyened_domain.adapters.files.image_headers import pillow_formats  # noqa: PLC0415

    return pillow_formats.read_bmp(request, file)


def _read_jpeg2000(request: HeaderRequest, file: HeaderFile) -> ImageHeader:
    from eyened_domain.adapters.files.image_headers import pillow_formats  # noqa: PLC0415

    return pillow_formats.read_jpeg2000(request, file)


_SIGNATURES: tuple[tuple[bytes, _Reader], ...] = (
    (PNG_SIGNATURE, read_png),
    (b"\xff\xd8\xff", read_jpeg),
    (b"II*\0", _read_tiff),
    (b"MM\0*", _read_tiff),
    (b"II+\0", _read_tiff),
    (b"MM\0+", _read_tiff),
    (b"GIF87a", read_gif),
    (b"GIF89a", read_gif),
    (b"BM", _read_bmp),
    (b"RIFF", read_webp),
    (b"\xff\x4f\xff\x51", _read_jpeg2000),
    (b"\0\0\0\x0cjP  \r\n\x87\n", _read_jpeg2000),
)
_FORMATS = "PNG, JPEG, TIFF, GIF, BMP, WebP or JPEG 2000"


def read_raster(request: HeaderRequest) -> ImageHeader:
    """Read the header of a raster image.

    Raises:
        BadInput: the file is missing, empty, cut off, damaged, too large, or no image.
    """
    with request.open(request.identifier) as file:
        return raster_header(request, file)


def read_png_member(request: HeaderRequest, member: str) -> ImageHeader:
    """Read the header of one PNG file of a series.

    Raises:
        BadInput: the file is missing, empty, cut off, damaged, too large, or no PNG.
    """
    with request.open(member) as file:
        return png_member_header(request, file)


def png_member_header(request: HeaderRequest, file: HeaderFile) -> ImageHeader:
    """Read the header of an open PNG file of a series.

    Raises:
        BadInput: the file is empty, cut off, damaged, too large, or no PNG.
    """
    if file.size and not file.head.startswith(PNG_SIGNATURE):
        raise file.refusal("is no PNG file")
    return raster_header(request, file)


def raster_header(request: HeaderRequest, file: HeaderFile) -> ImageHeader:
    """Read the header of an open raster image.

    Raises:
        BadInput: the file is empty, cut off, damaged, too large, or no image.
    """
    if request.identifier.lower().endswith(".json"):
        raise file.refusal("is JSON and has no pixels; give the image file")
    if file.size == 0:
        raise file.refusal("is empty")
    for signature, reader in _SIGNATURES:
        if file.head.startswith(signature):
            return reader(request, file)
    if file.head[128:132] == b"DICM":
        raise file.refusal("is DICOM; its name must end in .dcm (in small letters)")
    raise file.refusal(f"is no image in the format {_FORMATS}")
