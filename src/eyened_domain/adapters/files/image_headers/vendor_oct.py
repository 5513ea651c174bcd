"""Files of OCT devices: Heidelberg ``.vol`` and ``.E2E``, Topcon ``.fda``."""

from __future__ import annotations

from collections.abc import Callable

from eyened_domain.adapters.files.image_headers.source import HeaderFile, HeaderRequest
from eyened_domain.adapters.files.vendor_oct.e2e import e2e_layout
from eyened_domain.adapters.files.vendor_oct.fda import fda_layout
from eyened_domain.adapters.files.vendor_oct.layout import ByteSource, OctLayout, SizeCheck
from eyened_domain.adapters.files.vendor_oct.vol import vol_layout
from eyened_domain.services.image_files import ImageHeader

_LAYOUTS: dict[str, Callable[[ByteSource, SizeCheck], OctLayout]] = {
    "vol": vol_layout,
    "e2e": e2e_layout,
    "fda": fda_layout,
}


def read_vendor_oct(request: HeaderRequest) -> ImageHeader:
    """Read the header of an OCT device's file, and check that its B-scans are all there.

    Raises:
        BadInput: the file is missing, empty, cut off, damaged, too large, or of another
            kind than its name says.
    """
    with request.open(request.identifier) as file:
        return header_of(layout_of(request, file))


def header_of(layout: OctLayout) -> ImageHeader:
    """Give what is known of the B-scans in the form in which other images tell it."""
    return ImageHeader(
        rows_y=layout.rows,
        columns_x=layout.columns,
        samples_per_pixel=1,
        nr_of_frames=layout.frames,
        columns=layout.told,
    )


def layout_of(request: HeaderRequest, file: HeaderFile) -> OctLayout:
    """Find the B-scans of an open file; the ending of its name tells the format.

    Raises:
        BadInput: as `read_vendor_oct`.
    """
    if file.size == 0:
        raise file.refusal("is empty")

    def check(rows: int, columns: int, frames: int) -> None:
        request.check_size(file, rows, columns, frames)

    return _LAYOUTS[request.identifier.rpartition(".")[2].lower()](file, check)
