"""Heidelberg's database export ``.E2E``, after the descriptions of uocte, LibE2E and eyepy.

Folders of 44 bytes lead to data of a type each. They stand in blocks (MDbDir) that are
chained backwards from the last, which the head of the file (MDbMDir) names.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import attrs
import numpy as np
from numpy.typing import NDArray

from eyened_domain.adapters.files.vendor_oct.intensities import displayed_by_code
from eyened_domain.adapters.files.vendor_oct.layout import (
    ByteSource,
    Extent,
    OctLayout,
    SizeCheck,
    length,
)

_HEAD_BYTES = 36
_BLOCK = struct.Struct("<12s24x4I")  # mark, entries, this block or the last one, previous one
_FOLDER = struct.Struct("<3I4x3Ii2HI4x")  # place, data, bytes, patient, study, series, slice …
_DATA = struct.Struct("<12s12xI4x3Ii2HI4x")  # mark, bytes, patient, study, series, slice …
_PICTURE = struct.Struct("<5I")  # bytes, kind, values, rows, columns
_WRAPPED = b"E2EMultipleVolumeFile"
_WRAPPED_BYTES = 64

_IMAGE, _B_SCAN_INFO, _LATERALITY, _PREAMBLE = 0x40000000, 10004, 11, 3
_WANTED = frozenset({_IMAGE, _B_SCAN_INFO, _LATERALITY, _PREAMBLE})
_B_SCAN = 1
_EYE_AT = {_LATERALITY: 14, _PREAMBLE: 4}

_SeriesKey = tuple[int, int, int]


@attrs.define
class _Series:
    """What is found of one series: patient, study and series number make its key."""

    scans: dict[int, tuple[int, int, Extent]] = attrs.field(factory=dict)
    eyes: dict[int, set[str]] = attrs.field(factory=dict)
    depth: float | None = None
    promised: int = 0


def e2e_layout(file: ByteSource, check: SizeCheck) -> OctLayout:
    """Find the B-scans of an ``.E2E`` file with one volume.

    Raises:
        BadInput: it is no such file, cut off, damaged, too large, or holds no volume,
            or more than one (which of them would be the image?).
    """
    base = _WRAPPED_BYTES if file.at(0, len(_WRAPPED)) == _WRAPPED else 0
    if not file.at(base, 4).startswith(b"CMDb"):
        raise file.refusal("is no Heidelberg .E2E file: the mark CMDb is missing")
    found: dict[_SeriesKey, _Series] = {}
    for start in _data(file, base):
        _note(file, start, found, check)
    volumes = [series for series in found.values() if series.scans]
    if not volumes:
        raise file.refusal("has no B-scan in it")
    if len(volumes) > 1:
        raise file.refusal(
            f"holds {len(volumes)} volumes, and an image is one: export each to a file of its own"
        )
    return _layout(file, volumes[0], check)


def _layout(file: ByteSource, series: _Series, check: SizeCheck) -> OctLayout:
    scans = [series.scans[number] for number in sorted(series.scans)]
    rows, columns, _ = scans[0]
    check(rows, columns, len(scans))
    for other in scans:
        if other[:2] != (rows, columns):
            raise file.refusal(
                f"has B-scans that differ: {rows} x {columns} and {other[0]} x {other[1]}"
            )
    if series.promised > len(scans):
        raise file.refusal(f"is not whole: {len(scans)} of {series.promised} B-scans are there")
    told = {
        "laterality": _laterality(series),
        "resolution_axial": series.depth,
        "dicom_modality": "OPT",
        "manufacturer": "Heidelberg Engineering",
    }
    return OctLayout(
        rows=rows,
        columns=columns,
        frames=len(scans),
        scan=lambda number: scans[number][2],
        decode=lambda stored: _decoded(stored, rows, columns),
        told={name: value for name, value in told.items() if value is not None},
    )


def _laterality(series: _Series) -> str | None:
    """Give the eye that the series is told to be of; None when it is told to be of both."""
    for kind in (_LATERALITY, _PREAMBLE):
        eyes = series.eyes.get(kind)
        if eyes:
            return eyes.pop() if len(eyes) == 1 else None
    return None


def _data(file: ByteSource, base: int) -> Iterator[int]:
    """Walk the folders; gives where the data of a wanted type is."""
    mark, _, last, _, _ = _block(file, base + _HEAD_BYTES)
    if not mark.startswith(b"MDbMDir"):
        raise file.refusal("is damaged, or cut off within its head: the mark MDbMDir is missing")
    first = base + _HEAD_BYTES + _BLOCK.size
    if base + last >= file.size and file.at(first, 7) == b"MDbData":
        yield from _data_in_a_row(file, first)
        return
    seen: set[int] = set()
    while last:
        if last in seen:
            raise file.refusal("is damaged: its blocks of folders lead in a circle")
        seen.add(last)
        mark, entries, _, previous, _ = _block(file, base + last)
        if not mark.startswith(b"MDbDir"):
            raise file.refusal("is damaged: the mark MDbDir of a block of folders is missing")
        yield from _folders(file, base, base + last + _BLOCK.size, entries)
        last = previous


def _data_in_a_row(file: ByteSource, position: int) -> Iterator[int]:
    """Walk data that no folder leads to: cut down files, which must end with the last."""
    while position < file.size:
        mark, size, *_, kind = _data_head(file, position)
        if not mark.startswith(b"MDbData"):
            raise file.refusal("is cut off or damaged: it has neither folders nor data in a row")
        if kind in _WANTED:
            yield position
        position += _DATA.size
        # A picture that was cut down has the new length in itself, the old one in its head.
        position += int.from_bytes(file.at(position, 4), "little") if kind == _IMAGE else size
    if position > file.size:
        raise file.refusal(f"is cut off: {file.size:,} bytes where its data need {position:,}")


def _folders(file: ByteSource, base: int, position: int, entries: int) -> Iterator[int]:
    size = entries * _FOLDER.size
    if position + size > file.size:
        raise file.refusal("is cut off or damaged: a block of folders goes beyond its end")
    for place, start, _, *_, kind in _FOLDER.iter_unpack(file.at(position, size)):
        # Data in front of its folder is the rest of something that was deleted.
        if kind in _WANTED and start > place:
            yield base + start


def _block(file: ByteSource, position: int) -> tuple[bytes, int, int, int, int]:
    raw = file.at(position, _BLOCK.size)
    if len(raw) < _BLOCK.size:
        raise file.refusal("is cut off: a block of folders lies beyond its end")
    mark, entries, current, previous, unknown = _BLOCK.unpack(raw)
    return mark, entries, current, previous, unknown


def _data_head(file: ByteSource, position: int) -> tuple[bytes, int, int, int, int, int, int, int]:
    """Read mark, bytes, patient, study, series, slice, sub-number and type of data."""
    raw = file.at(position, _DATA.size)
    if len(raw) < _DATA.size:
        raise file.refusal("is cut off: data lie beyond its end")
    mark, size, patient, study, series, number, part, _, kind = _DATA.unpack(raw)
    return mark, size, patient, study, series, number, part, kind


def _note(file: ByteSource, start: int, found: dict[_SeriesKey, _Series], check: SizeCheck) -> None:
    """Read one piece of data, and keep what it says of its series."""
    mark, size, patient, study, number, scan, part, kind = _data_head(file, start)
    if not mark.startswith(b"MDbData"):
        raise file.refusal("is damaged: the mark MDbData is missing where data should be")
    series = found.setdefault((patient, study, number), _Series())
    start += _DATA.size
    if kind == _IMAGE and part == _B_SCAN:
        b_scan = _b_scan(file, start, size, check)
        if b_scan is not None:
            series.scans[scan] = b_scan
    elif kind == _B_SCAN_INFO:
        info = file.at(start, 68)
        if len(info) == 68:
            series.depth = length(struct.unpack_from("<f", info, 36)[0])
            series.promised = max(series.promised, struct.unpack_from("<I", info, 64)[0])
    elif kind in _EYE_AT:
        eye = file.at(start + _EYE_AT[kind], 1).decode("latin-1")
        if eye in {"L", "R"}:
            series.eyes.setdefault(kind, set()).add(eye)


def _b_scan(
    file: ByteSource, start: int, size: int, check: SizeCheck
) -> tuple[int, int, Extent] | None:
    """Read the head of a B-scan; None for an empty one, which devices leave behind."""
    raw = file.at(start, _PICTURE.size)
    if len(raw) < _PICTURE.size:
        raise file.refusal("is cut off within a B-scan")
    *_, rows, columns = _PICTURE.unpack(raw)
    if rows == 0 or columns == 0:
        return None
    check(rows, columns, 1)
    extent = Extent(start + _PICTURE.size, 2 * rows * columns)
    if extent.length > size - _PICTURE.size:
        raise file.refusal(
            f"is damaged: {size:,} bytes of data for a B-scan of {rows} x {columns} pixels"
        )
    if sum(extent) > file.size:
        raise file.refusal(
            f"is cut off: {file.size:,} bytes where a B-scan ends at {sum(extent):,}"
        )
    return rows, columns, extent


def _decoded(stored: bytes | bytearray, rows: int, columns: int) -> NDArray[np.uint8]:
    grey: NDArray[np.uint8] = displayed_by_code()[np.frombuffer(stored, "<u2")]
    return grey.reshape(rows, columns)
