"""B-scans of the files of OCT devices: Heidelberg ``.vol`` and ``.E2E``, Topcon ``.fda``."""

from __future__ import annotations

import numpy as np

from eyened_domain.adapters.files.image_headers.source import HeaderFile
from eyened_domain.adapters.files.image_headers.vendor_oct import header_of, layout_of
from eyened_domain.adapters.files.image_pixels.source import PixelRequest, Pixels
from eyened_domain.adapters.files.vendor_oct.layout import OctLayout
from eyened_domain.errors import BadInput

_EYES = {"L": "L (OS)", "R": "R (OD)"}


def read_vendor_oct_pixels(request: PixelRequest) -> Pixels:
    """Read the B-scans of an OCT device's file, or one of them and no others.

    Grey values are those that the device shows, in 8 bits: Heidelberg's reflectivities
    come through its logarithmic scale (`vendor_oct.intensities`); Topcon's pictures are
    as stored, 8 or 16 bits.

    Returns:
        (B-scans, depth, lateral), with one B-scan as well; (depth, lateral) when one is
        wanted. C-contiguous.

    Raises:
        BadInput: the file is missing, cut off, damaged, too large, of another kind than
            its name says, or not what the row tells: size or eye.
    """
    with request.header.open(request.header.identifier) as file:
        layout = layout_of(request.header, file)
        header = header_of(layout)
        request.turn(header, file.refusal)
        _require_eye(request, layout)
        wanted = request.wanted(header)
        if request.frame is not None:
            return _b_scan(file, layout, request.frame)
        first = _b_scan(file, layout, 0)
        volume = np.empty((len(wanted), *first.shape), first.dtype)
        volume[0] = first
        for position in wanted[1:]:
            b_scan = _b_scan(file, layout, position)
            if b_scan.dtype != first.dtype:
                raise file.refusal(f"has B-scans of {first.dtype} and of {b_scan.dtype}")
            volume[position] = b_scan
        return volume


def _b_scan(file: HeaderFile, layout: OctLayout, position: int) -> Pixels:
    offset, length = layout.scan(position)
    stored = bytearray(length)
    if file.read_into(memoryview(stored), offset):
        raise file.refusal("was cut off while it was read")
    pixels = layout.decode(stored)
    # Writeable, and in the order of bytes of this machine.
    return np.array(pixels, pixels.dtype.newbyteorder("="), order="C")


def _require_eye(request: PixelRequest, layout: OctLayout) -> None:
    """Refuse the file of one eye for the row of the other; a file need not tell its eye."""
    told, row = layout.told.get("laterality"), request.laterality
    if told is None or row is None or told == row:
        return
    raise BadInput(
        f"ImageInstance.laterality: the row says {_EYES.get(row, row)}, the file "
        f"{request.header.identifier!a} {_EYES[str(told)]}; correct the row, or give the file "
        "of that eye",
        entity="ImageInstance",
        field="laterality",
        value=row,
    )
