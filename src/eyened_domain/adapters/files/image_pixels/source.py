"""What a reader of pixels is asked for, and what must hold before it decodes anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

from eyened_domain.adapters.files.image_headers.source import HeaderRequest
from eyened_domain.errors import BadInput
from eyened_domain.services.image_files import ImageHeader

if TYPE_CHECKING:
    import numpy.typing as npt

    Pixels = npt.NDArray[Any]
else:
    Pixels = Any  # numpy is brought in by the readers, not by the names that lead to them


@attrs.frozen(kw_only=True)
class PixelRequest:
    """One image, or one frame of it.

    Attributes:
        header: the identifier, and what the row says of it.
        frame: the frame that is wanted, from 0; None for all of them.
        upright: turn the picture as its EXIF orientation asks, whatever the row says.
        laterality: the eye that the row tells of, ``"L"`` or ``"R"``; None when not known.
    """

    header: HeaderRequest
    frame: int | None = None
    upright: bool = False
    laterality: str | None = None

    def wanted(self, header: ImageHeader) -> range:
        """Give the positions of the frames that are to be decoded.

        Raises:
            BadInput: there is no frame of that number.
        """
        if self.frame is None:
            return range(header.nr_of_frames)
        if not 0 <= self.frame < header.nr_of_frames:
            raise BadInput(
                f"ImageInstance.b_scan: {self.header.identifier!a} has no B-scan {self.frame}; "
                f"it has {header.nr_of_frames}, counted from 0",
                entity="ImageInstance",
                field="b_scan",
                value=self.frame,
            )
        return range(self.frame, self.frame + 1)

    def turn(self, header: ImageHeader, refusal: Callable[[str], BadInput]) -> int:
        """Compare the header with the row; tell the EXIF orientation to turn the array by.

        The array is left as it is stored (1), unless the row has the size of the turned
        picture.

        Raises:
            BadInput: the row has another size, naming both.
        """
        row = self.header
        found = (header.nr_of_frames, header.rows_y, header.columns_x)
        told = (row.nr_of_frames, row.rows_y, row.columns_x)
        wanted = tuple(a or b for a, b in zip(told, found, strict=True))
        if wanted == found:
            return header.orientation if self.upright else 1
        turned = (found[0], found[2], found[1])
        if header.orientation >= 5 and wanted == turned:
            return header.orientation
        raise refusal(
            f"holds {_size(*found)}, where the row has {_size(*wanted)} "
            "(nr_of_frames, rows_y, columns_x); correct the row, or give the file that it tells of"
        )


def _size(frames: int, rows: int, columns: int) -> str:
    return f"{frames} x {rows} rows x {columns} columns"
