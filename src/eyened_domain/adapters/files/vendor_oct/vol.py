"""Heidelberg's raw export ``.vol`` (HSF-OCT-xxx), after its table of fields in eyepy (MIT).

A header of 2048 bytes, the SLO picture, then for each B-scan a header of a fixed
length and its pixels: float32, row after row. Line, circle, volume and radial
scans are all stored so.
"""

from __future__ import annotations

import re
import struct
from datetime import date, datetime, timedelta
from typing import NamedTuple

import numpy as np

from eyened_domain.adapters.files.vendor_oct.intensities import displayed
from eyened_domain.adapters.files.vendor_oct.layout import (
    ByteSource,
    Extent,
    OctLayout,
    SizeCheck,
    length,
    text,
)

_HEADER = struct.Struct("<12s3I3d2I2dId4sQiI16s16sI24sdI24sd")
_HEADER_BYTES = 2048
_VERSION = re.compile(rb"HSF-OCT-[0-9]{3}\0")
_B_SCAN_MARK = b"HSF-BS-"
_LEAST_B_SCAN_HEADER = 256
_PARALLEL = frozenset({3, 4})  # volume scans; 1 line, 2 circle, 5 radial
_EYES = {"OD": "R", "OS": "L"}
_FIRST_DAY = datetime(1899, 12, 30)


class _Header(NamedTuple):
    """The fields of the file's header, in their order."""

    version: bytes
    columns: int
    frames: int
    rows: int
    scale_x: float
    distance: float
    scale_y: float
    slo_columns: int
    slo_rows: int
    slo_scale_x: float
    slo_scale_y: float
    slo_field: int
    focus: float
    eye: bytes
    exam_time: int
    pattern: int
    b_scan_header: int
    identifier: bytes
    reference: bytes
    patient_number: int
    patient: bytes
    birth: float
    visit_number: int
    visit_identifier: bytes
    visit: float


def vol_layout(file: ByteSource, check: SizeCheck) -> OctLayout:
    """Find the B-scans of a ``.vol`` file.

    Raises:
        BadInput: it is no such file, cut off, damaged or too large.
    """
    raw = file.at(0, _HEADER.size)
    if _VERSION.match(raw) is None:
        raise file.refusal("is no Heidelberg .vol file: the mark HSF-OCT is missing")
    if len(raw) < _HEADER.size:
        raise file.refusal("is cut off within its header")
    head = _Header._make(_HEADER.unpack(raw))
    check(head.rows, head.columns, head.frames)
    first, step, size = _b_scans(file, head)
    return OctLayout(
        rows=head.rows,
        columns=head.columns,
        frames=head.frames,
        scan=lambda number: Extent(first + number * step, size),
        decode=lambda stored: displayed(
            np.frombuffer(stored, "<f4").reshape(head.rows, head.columns)
        ),
        told=_told(head),
    )


def _b_scans(file: ByteSource, head: _Header) -> tuple[int, int, int]:
    """Work out where the pixels of the first B-scan are, how far apart, and how many bytes."""
    if head.b_scan_header < _LEAST_B_SCAN_HEADER:
        raise file.refusal(f"is damaged: headers of {head.b_scan_header} bytes for its B-scans")
    size = 4 * head.rows * head.columns
    step = head.b_scan_header + size
    start = _HEADER_BYTES + head.slo_columns * head.slo_rows
    end = start + head.frames * step
    if end > file.size:
        raise file.refusal(
            f"is cut off: {file.size:,} bytes where {head.frames:,} B-scans need {end:,}"
        )
    for position in (start, end - step):
        if not file.at(position, 12).startswith(_B_SCAN_MARK):
            raise file.refusal("is damaged: a B-scan does not begin with HSF-BS")
    return start + head.b_scan_header, step, size


def _told(head: _Header) -> dict[str, object]:
    """Give what the header says for certain.

    The time of examination is left out: it is in UTC, and the column holds local time.
    """
    volume = head.pattern in _PARALLEL and head.frames > 1
    told = {
        "laterality": _EYES.get(text(head.eye) or ""),
        "resolution_horizontal": length(head.scale_x),
        "resolution_axial": length(head.scale_y),
        "resolution_vertical": length(head.distance) if volume else None,
        "dicom_modality": "OPT",
        "manufacturer": "Heidelberg Engineering",
        "patient_identifier": text(head.patient),
        "birth_date": _day(head.birth),
        "study_date": _day(head.visit),
    }
    return {name: value for name, value in told.items() if value is not None}


def _day(days: float) -> date | None:
    """Read days since 1899-12-30; 0 stands for no date."""
    if not 0 < days < 200_000:
        return None
    return (_FIRST_DAY + timedelta(days=days)).date()
