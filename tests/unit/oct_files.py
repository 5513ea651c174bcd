"""The smallest files of OCT devices, written from the descriptions of their formats."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FDA_MOMENT = (2024, 1, 31, 10, 11, 12)


def vol(
    b_scans: NDArray[np.float32],
    *,
    eye: bytes = b"OD",
    pattern: int = 3,
    sizes: tuple[int, int, int] | None = None,
    b_scan_header: int = 256,
) -> bytes:
    """A ``.vol`` file of (B-scans, rows, columns); `sizes` is what the header claims."""
    frames, rows, columns = sizes or b_scans.shape
    head = struct.pack(
        "<12s3I3d2I2dId4sQiI16s16sI24sdI24sd",
        b"HSF-OCT-103", columns, frames, rows, 0.0115, 0.24, 0.0039, 3, 2, 0.01, 0.01, 30, -1.5,
        eye, 0, pattern, b_scan_header, b"1", b"", 7, b"P-7", 25569.0, 8, b"", 45322.6,
    ).ljust(2048, b"\0")  # fmt: skip
    mark = b"HSF-BS-103".ljust(max(b_scan_header, 10), b"\0")
    return head + bytes(6) + b"".join(mark + scan.astype("<f4").tobytes() for scan in b_scans)


def e2e(
    volumes: Sequence[NDArray[np.uint16]],
    *,
    eyes: Sequence[str] = "RRRR",
    promised: int | None = None,
) -> bytes:
    """An ``.E2E`` file with a block of folders per volume of (B-scans, rows, columns)."""
    out = bytearray(36 + 52)
    previous = 0
    for series, (volume, eye) in enumerate(zip(volumes, eyes, strict=False), start=1):
        data = _e2e_data(volume, eye, len(volume) if promised is None else promised)
        at = len(out)
        start = at + 52 + 44 * len(data)
        out += struct.pack("<12sI20s4I", b"MDbDir", 100, b"\xff" * 20, len(data), at, previous, 0)
        previous = at
        for number, (scan, part, kind, content) in enumerate(data):
            place = at + 52 + 44 * number
            ids = (1, 2, series, scan, part, 0, kind, 0)
            out += struct.pack("<4I3Ii2H2I", place, start, len(content), 0, *ids)
            start += 60 + len(content)
        for scan, part, kind, content in data:
            ids = (1, 2, series, scan, part, 0, kind, 0)
            out += struct.pack("<12s5I3Ii2H2I", b"MDbData", 0, 0, 0, len(content), 0, *ids)
            out += content
    out[:16] = struct.pack("<12sI", b"CMDb", 100)
    out[36:88] = struct.pack("<12sI20s4I", b"MDbMDir", 100, b"\xff" * 20, 512, previous, 0, 0)
    return bytes(out)


def _e2e_data(
    volume: NDArray[np.uint16], eye: str, promised: int
) -> list[tuple[int, int, int, bytes]]:
    fundus = struct.pack("<5I", 26, 33620481, 6, 2, 3) + bytes(6)
    data = [
        (-1, 0xFFFF, 11, bytes(14) + eye.encode() + bytes(12)),
        (-1, 0, 0x40000000, fundus),
    ]
    for number, scan in enumerate(volume):
        rows, columns = scan.shape
        head = struct.pack("<5I", 20 + scan.nbytes, 35652097, scan.size, rows, columns)
        info = bytearray(428)
        struct.pack_into("<2I", info, 4, rows, columns)
        struct.pack_into("<f", info, 36, 0.0039)
        struct.pack_into("<2I", info, 64, promised, number)
        data.append((2 * number, 0, 10004, bytes(info)))
        data.append((2 * number, 1, 0x40000000, head + scan.astype("<u2").tobytes()))
    return data


def fda(
    b_scans: NDArray[np.uint8 | np.uint16],
    *,
    eye: int = 1,
    mode: int = 2,
    raw: bool = False,
    sizes: tuple[int, int, int] | None = None,
) -> bytes:
    """An ``.fda`` file of (B-scans, rows, columns), as JPEG 2000 or as raw 16-bit numbers."""
    frames, rows, columns = sizes or b_scans.shape
    if raw:
        stored = b_scans.astype("<u2").tobytes()
        head = struct.pack("<B4IBI", mode, columns, rows, 16, frames, 1, len(stored))
        picture = ("@IMG_MOT_COMP_03", head + stored)
    else:
        head = struct.pack("<B6I", mode, 0, 0, columns, rows, frames, 0xA02)
        slices = [_jpeg2000(scan) for scan in b_scans]
        stored = b"".join(struct.pack("<i", len(scan)) + scan for scan in slices)
        picture = ("@IMG_JPEG", head + stored)
    capture = struct.pack("<BBI100s6H", eye, 2, 9, b"", *FDA_MOMENT)
    patient = struct.pack("<32s32s32s8sB3H", b"P-9", b"", b"", b"", 2, 1950, 3, 4) + bytes(500)
    scan = struct.pack("<3I5dBB", 2, 0, 0, 6.0, 4.0, 2.6, 0, 0, 0, 0)
    hardware = struct.pack("<16s16s", b"3DOCT-2000", b"SN 12") + bytes(70)
    chunks = [
        ("@HW_INFO_03", hardware), ("@PATIENT_INFO_02", patient), ("@CAPTURE_INFO_02", capture),
        picture, ("@PARAM_SCAN_04", scan),
    ]  # fmt: skip
    head = b"FOCTFDA" + struct.pack("<2I", 2, 1000)
    return head + b"".join(_chunk(name, content) for name, content in chunks) + b"\0"


def _chunk(name: str, content: bytes) -> bytes:
    return bytes([len(name)]) + name.encode() + struct.pack("<I", len(content)) + content


def _jpeg2000(scan: NDArray[np.uint8 | np.uint16]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(scan).save(stream, "JPEG2000", no_jp2=True, irreversible=False)
    return stream.getvalue()
