"""BMP and JPEG 2000: headers read by Pillow, ends looked at here.

Pillow's classes are called directly and not through `Image.open`: the format is
known, its check against decompression bombs warns through global state, and no
other format may answer.
"""

from __future__ import annotations

from PIL.BmpImagePlugin import BmpImageFile
from PIL.ImageFile import ImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

from eyened_domain.adapters.files.image_headers.jpeg import require_jpeg_end
from eyened_domain.adapters.files.image_headers.source import HeaderFile, HeaderRequest
from eyened_domain.services.image_files import ImageHeader


def read_jpeg2000(request: HeaderRequest, file: HeaderFile) -> ImageHeader:
    """Read a JPEG 2000 file or codestream; it must reach its EOC marker (T.800, A.4.4)."""
    with file.stream() as stream:
        image = Jpeg2KImageFile(stream)
        require_jpeg_end(file, scan=stream.tell())
        return _header(request, file, image)


def read_bmp(request: HeaderRequest, file: HeaderFile) -> ImageHeader:
    """Read a BMP; its rows must lie within the file."""
    with file.stream() as stream:
        image = BmpImageFile(stream)
        codec, _, offset, arguments = image.tile[0]
        end = int.from_bytes(file.at(2, 4), "little")
        if codec == "raw" and isinstance(arguments, tuple):
            end = offset + int(arguments[1]) * image.size[1]
        if end > file.size or offset >= file.size:
            raise file.refusal(f"is cut off: {file.size:,} bytes of at least {end:,}")
        return _header(request, file, image)


def _header(request: HeaderRequest, file: HeaderFile, image: ImageFile) -> ImageHeader:
    columns, rows = image.size
    request.check_size(file, rows, columns, 1)
    return ImageHeader(
        rows_y=rows, columns_x=columns, samples_per_pixel=len(image.getbands()), nr_of_frames=1
    )
