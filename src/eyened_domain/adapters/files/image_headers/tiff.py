"""TIFF and BigTIFF: its pages walked here, its pixel format judged by Pillow.

Pillow counts pages by parsing each in full, in a time that grows with the square of
their number, and does not look whether the strips lie within the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import attrs
from PIL.TiffImagePlugin import TiffImageFile

from eyened_domain.adapters.files.image_headers.source import HeaderFile, HeaderRequest
from eyened_domain.services.image_files import ImageHeader

_SUBFILE, _WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 256, 257, 258, 259, 262
_STRIPS, _ORIENTATION, _SAMPLES, _STRIP_BYTES = 273, 274, 277, 279
_TILES, _TILE_BYTES = 324, 325
_TAGS = frozenset(
    {_SUBFILE, _WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC, _STRIPS, _ORIENTATION}
    | {_SAMPLES, _STRIP_BYTES, _TILES, _TILE_BYTES}
)
_KINDS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_UNCOMPRESSED, _YCBCR = 1, 6
_REDUCED_OR_MASK = 0b101
_MOST_PAGES = 20_000

_Page = dict[int, tuple[int, ...]]


@attrs.frozen
class _Layout:
    """How numbers and directories are laid out: TIFF 6.0, or BigTIFF with 64-bit offsets."""

    order: str
    big: bool

    @property
    def offset(self) -> str:
        return self.order + ("Q" if self.big else "I")

    @property
    def entries(self) -> str:
        return self.order + ("Q" if self.big else "H")

    @property
    def entry(self) -> str:
        return self.order + ("HHQ8s" if self.big else "HHI4s")


def read_tiff(request: HeaderRequest, file: HeaderFile) -> ImageHeader:
    """Read a TIFF; the strips or tiles of its pages must lie within the file.

    A frame is a page of the size of the first that is not marked as a reduced
    version or a mask (NewSubfileType, tag 254). The size is the one after the
    turn that tag 274 asks for, as Pillow applies it when it decodes a TIFF.
    """
    try:
        rows, columns, frames, orientation = _frames(request, file)
    except struct.error as error:
        raise file.refusal("is cut off or damaged: a TIFF directory leads nowhere") from error
    request.check_size(file, rows, columns, len(frames))
    with file.stream() as stream:
        samples = len(TiffImageFile(stream).getbands())
    if orientation >= 5:
        rows, columns = columns, rows
    return ImageHeader(
        rows_y=rows, columns_x=columns, samples_per_pixel=samples, nr_of_frames=len(frames)
    )


def frame_pages(request: HeaderRequest, file: HeaderFile) -> list[int]:
    """Give the page that each frame is, from 0: pages that are no frames are left out."""
    return _frames(request, file)[2]


def _frames(request: HeaderRequest, file: HeaderFile) -> tuple[int, int, list[int], int]:
    rows = columns = 0
    frames: list[int] = []
    orientation = 1
    for number, page in enumerate(_pages(file)):
        size = _one(page, _LENGTH), _one(page, _WIDTH)
        if not frames:
            rows, columns = size
            orientation = _one(page, _ORIENTATION, 1)
        elif size != (rows, columns) or _one(page, _SUBFILE) & _REDUCED_OR_MASK:
            continue
        frames.append(number)
        request.check_size(file, rows, columns, len(frames))
        _require_pixels(file, page)
    return rows, columns, frames, orientation


def _pages(file: HeaderFile) -> Iterator[_Page]:
    head = file.at(0, 16)
    layout = _Layout(order="<" if head[:2] == b"II" else ">", big=b"+" in head[2:4])
    (position,) = struct.unpack_from(layout.offset, head, 8 if layout.big else 4)
    seen: set[int] = set()
    while position:
        if position in seen:
            raise file.refusal("is damaged: the pages of a TIFF lead in a circle")
        if len(seen) == _MOST_PAGES:
            raise file.refusal(f"has more than {_MOST_PAGES:,} pages")
        seen.add(position)
        page, position = _page(file, layout, position)
        yield page


def _page(file: HeaderFile, layout: _Layout, position: int) -> tuple[_Page, int]:
    """Read one directory; gives its wanted tags, and where the next one is."""
    width = struct.calcsize(layout.entries)
    (entries,) = struct.unpack(layout.entries, file.at(position, width))
    size = struct.calcsize(layout.entry)
    length = entries * size + struct.calcsize(layout.offset)
    if length > file.size:
        raise file.refusal("is cut off or damaged: a TIFF directory beyond the end")
    block = file.at(position + width, length)
    page: _Page = {}
    for entry in range(entries):
        tag, kind, count, value = struct.unpack_from(layout.entry, block, entry * size)
        if tag in _TAGS and kind in _KINDS:
            page[tag] = _values(file, layout, kind, count, value)
    (following,) = struct.unpack_from(layout.offset, block, entries * size)
    return page, following


def _values(
    file: HeaderFile, layout: _Layout, kind: int, count: int, value: bytes
) -> tuple[int, ...]:
    form = f"{layout.order}{count}{_KINDS[kind]}"
    length = count * struct.calcsize(_KINDS[kind])
    if length > file.size:
        raise file.refusal("is cut off or damaged: a TIFF tag longer than the file")
    if length > len(value):
        value = file.at(struct.unpack(layout.offset, value)[0], length)
    return struct.unpack(form, value[:length])


def _one(page: _Page, tag: int, default: int = 0) -> int:
    values = page.get(tag)
    return values[0] if values else default


def _require_pixels(file: HeaderFile, page: _Page) -> None:
    """Refuse a page whose strips or tiles lie beyond the end, or hold too little."""
    tiled = _TILES in page
    starts = page.get(_TILES if tiled else _STRIPS, ())
    lengths = page.get(_TILE_BYTES if tiled else _STRIP_BYTES, ())
    if not starts:
        raise file.refusal("is damaged: a TIFF page without strips or tiles")
    # A single strip may leave its length out (TIFF 6.0, page 40, is broken by old writers).
    ends = map(sum, zip(starts, lengths, strict=True)) if lengths else starts
    if len(starts) != len(lengths or starts) or max(ends) > file.size:
        raise file.refusal("is cut off: TIFF pixels lie beyond the end of the file")
    if not lengths or _one(page, _COMPRESSION, 1) != _UNCOMPRESSED:
        return
    bits = sum(page.get(_BITS, (1,))) if _BITS in page else _one(page, _SAMPLES, 1)
    if _one(page, _PHOTOMETRIC) != _YCBCR:
        needed = _one(page, _LENGTH) * _one(page, _WIDTH) * bits // 8
        if sum(lengths) < needed:
            raise file.refusal(
                f"is cut off: TIFF strips of {sum(lengths):,} bytes for {needed:,} bytes of pixels"
            )
