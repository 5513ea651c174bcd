"""B-scans of the files of OCT devices: Heidelberg ``.vol`` and ``.E2E``, Topcon ``.fda``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from eyened_domain.adapters.storage.image_headers.source import HeaderFile, HeaderRequest
from eyened_domain.adapters.storage.image_headers.vendor_oct import layout_of
from eyened_domain.adapters.storage.vendor_oct.layout import OctLayout
from eyened_domain.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EYES = {"L": "L (OS)", "R": "R (OD)"}


def read_vendor_oct(
    request: HeaderRequest, *, frame: int | None = None, laterality: str | None = None
) -> NDArray[np.uint8 | np.uint16]:
    """Read the B-scans of an OCT device's file, or one of them and no others.

    Grey values are those that the device shows, in 8 bits: Heidelberg's reflectivities
    come through its logarithmic scale (`vendor_oct.intensities`); Topcon's pictures are
    as stored, 8 or 16 bits.

    Args:
        request: the identifier and how to open it; rows_y, columns_x and nr_of_frames
            of the row are compared with the file where they are given.
        frame: the wanted B-scan, from 0; None for all.
        laterality: the eye that the row tells, ``"L"`` or ``"R"``; None compares nothing.

    Returns:
        (B-scans, depth, lateral), or (depth, lateral) when one is wanted; C-contiguous.

    Raises:
        BadInput: the file is missing, cut off, damaged, too large, of another kind than
            its name says, or not what the row tells: size or eye.
    """
    with request.open(request.identifier) as file:
        layout = layout_of(request, file)
        _require_size(request, file, layout)
        _require_eye(request, layout, laterality)
        if frame is not None:
            return _scan(file, layout, _checked(request, layout, frame))
        first = _scan(file, layout, 0)
        volume = np.empty((layout.frames, *first.shape), first.dtype)
        volume[0] = first
        for position in range(1, layout.frames):
            scan = _scan(file, layout, position)
            if scan.dtype != first.dtype:
                raise file.refusal(f"has B-scans of {first.dtype} and of {scan.dtype}")
            volume[position] = scan
        return volume


def _scan(file: HeaderFile, layout: OctLayout, position: int) -> NDArray[np.uint8 | np.uint16]:
    offset, length = layout.scan(position)
    stored = bytearray(length)
    if file.read_into(memoryview(stored), offset):
        raise file.refusal("was cut off while it was read")
    return np.ascontiguousarray(layout.decode(stored))


def _require_size(request: HeaderRequest, file: HeaderFile, layout: OctLayout) -> None:
    found = (layout.frames, layout.rows, layout.columns)
    told = (request.nr_of_frames, request.rows_y, request.columns_x)
    wanted = tuple(given or own for given, own in zip(told, found, strict=True))
    if wanted != found:
        raise file.refusal(
            f"holds {_size(*found)}, where the row has {_size(*wanted)} "
            "(nr_of_frames, rows_y, columns_x); correct the row, or give the file that it tells of"
        )


def _size(frames: int, rows: int, columns: int) -> str:
    return f"{frames} x {rows} rows x {columns} columns"


def _require_eye(request: HeaderRequest, layout: OctLayout, laterality: str | None) -> None:
    """Refuse the file of one eye for the row of the other; a file need not tell its eye."""
    told = layout.told.get("laterality")
    if told is None or laterality is None or told == laterality:
        return
    raise BadInput(
        f"ImageInstance.laterality: the row says {_EYES.get(laterality, laterality)}, the file "
        f"{request.identifier!a} {_EYES[str(told)]}; correct the row, or give the file of that eye",
        entity="ImageInstance",
        field="laterality",
        value=laterality,
    )


def _checked(request: HeaderRequest, layout: OctLayout, frame: int) -> int:
    if 0 <= frame < layout.frames:
        return frame
    raise BadInput(
        f"ImageInstance.b_scan: {request.identifier!a} has no B-scan {frame}; "
        f"it has {layout.frames}, counted from 0",
        entity="ImageInstance",
        field="b_scan",
        value=frame,
    )
