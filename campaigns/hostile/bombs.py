"""Reliability S7, files: no image file makes the reader take much memory or time.

Each file claims more than it holds, unpacks to more than a machine holds, or leads a
parser in circles. Each is read in processes of its own: its header, as an import
does, and its pixels, as `image.pixel_array` does. Some have a good header, and hide
what they are in what only a decoder reads: these are read by `image.b_scan` as well.

    python -m campaigns.hostile.bombs

Prints for each the outcome, the extra memory and the time; exit code 1 when one is
accepted, raises anything but BadInput, or takes more than 200 MB or 2 s.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import re
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

MOST_MEGABYTES, MOST_SECONDS = 200, 2.0
WAYS = ("header", "pixels", "frame")
HIDDEN = frozenset({
    "after.png", "frame.dcm", "frame-j2k.dcm", "frame-rle.dcm", "strip.tif", "padded.webp",
    "page.tif",
})  # fmt: skip
"""Files with a good header, that would cost much only when they are decoded."""


def png(columns: int, rows: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """Make a PNG of the given size, with `chunks` before its end."""
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    all_chunks = ((b"IHDR", header), *chunks, (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    packed = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in all_chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def tiff(*entries: tuple[int, int, int, int], following: int = 0) -> bytes:
    """Make a TIFF of one directory, of entries (tag, kind, count, value)."""
    packed = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + packed + struct.pack("<I", following)


def page(columns: int, rows: int) -> list[tuple[int, int, int, int]]:
    return [(256, 4, 1, columns), (257, 4, 1, rows), (258, 3, 1, 8), (259, 3, 1, 1),
            (262, 3, 1, 1), (273, 4, 1, 8), (277, 3, 1, 1), (279, 4, 1, 64)]  # fmt: skip


def pages_without_end(count: int) -> bytes:
    """Make a TIFF of very many pages of one pixel."""
    entries = b"".join(struct.pack("<HHII", *entry) for entry in page(1, 1))
    size = 2 + len(entries) + 4
    directories = (
        struct.pack("<H", 8) + entries + struct.pack("<I", 8 + size * n)
        for n in range(1, count + 1)
    )
    return b"II*\0" + struct.pack("<I", 8) + b"".join(directories)


def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    """Pack one explicit little-endian DICOM element."""
    if vr in {b"OB", b"SQ", b"UN"}:
        return struct.pack("<HH2sHI", group, number, vr, 0, len(value)) + value
    return struct.pack("<HH2sH", group, number, vr, len(value)) + value


def dicom(body: bytes, syntax: bytes = b"1.2.840.10008.1.2.1\0") -> bytes:
    meta = element(2, 0x10, b"UI", syntax)
    length = element(2, 0, b"UL", struct.pack("<I", len(meta)))
    return bytes(128) + b"DICM" + length + meta + body


def sized(rows: int, columns: int, frames: bytes) -> bytes:
    pack = struct.Struct("<H").pack
    return (
        element(0x28, 2, b"US", pack(1))
        + element(0x28, 8, b"IS", frames)
        + element(0x28, 0x10, b"US", pack(rows))
        + element(0x28, 0x11, b"US", pack(columns))
        + element(0x28, 0x100, b"US", pack(8))
    )


def sequences(item: bytes, count: int) -> bytes:
    start = struct.pack("<HH2sHI", 0x5200, 0x9230, b"SQ", 0, 0xFFFFFFFF)
    return dicom(start + item * count)


def bombs() -> dict[str, tuple[bytes, int]]:
    """Give each bomb by its file name: its bytes, and the size it is stretched to, or 0."""
    zeros = zlib.compress(bytes(300_000_000), 9)
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflated = raw.compress(sized(8, 8, b"1 ") + bytes(300_000_000)) + raw.flush()
    array = io.BytesIO()
    with gzip.GzipFile(fileobj=array, mode="wb", compresslevel=9) as packed:
        packed.write(b"\x93NUMPY\1\0" + bytes(200_000_000))
    empty_item = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    open_item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    nested = struct.pack("<HH2sHI", 0x5200, 0x9229, b"SQ", 0, 0xFFFFFFFF) + open_item
    pixels = element(0x7FE0, 0x10, b"OB", bytes(64))
    gif = b"GIF89a" + struct.pack("<HHBBB", 9, 9, 0, 0, 0) + b"!\xfe"
    codestream = b"\xff\x4f\xff\x51" + struct.pack(">HHII", 41, 0, 2**31, 2**31) + bytes(40)
    return {
        "huge.png": (png(2**31 - 1, 2**31 - 1), 0),
        "wide.png": (png(60_000, 60_000), 0),
        "profile.png": (png(60_000, 60_000, (b"iCCP", b"x\0\0" + zeros)), 0),
        "texts.png": (png(60_000, 60_000, *[(b"zTXt", b"k\0\0" + zeros)] * 20), 0),
        "chunks.png": (png(1, 1)[:33] + struct.pack(">I", 0) + b"tEXt" + bytes(4), 3 * 10**9),
        "many-chunks.png": (png(1, 1)[:33] + (struct.pack(">I", 0) + b"tEXtabcd") * 2_000_000, 0),
        "frames.png": (png(9_000, 9_000, (b"acTL", struct.pack(">II", 2**30, 0))), 0),
        "fill.jpg": (b"\xff\xd8\xff" + b"\xff" * 20_000_000, 0),
        "segments.jpg": (b"\xff\xd8" + b"\xff\xe2\0\2" * 5_000_000, 0),
        "huge.tif": (tiff(*page(2**32 - 1, 2**32 - 1)), 0),
        "circle.tif": (tiff(*page(8, 8), following=8), 10_000),
        "tag.tif": (tiff(*page(8, 8), (700, 1, 2**32 - 20, 200)), 5 * 10**9),
        "strips.tif": (
            tiff(*[entry for entry in page(8, 8) if entry[0] != 273], (273, 4, 2**29, 200)),
            5 * 10**9,
        ),
        "pages.tif": (pages_without_end(300_000), 0),
        "huge.dcm": (dicom(sized(65_535, 65_535, b"2147483646") + pixels), 0),
        "length.dcm": (dicom(sized(8, 8, b"1 ") + pixels[:8] + b"\xf0" * 4), 0),
        "deflated.dcm": (dicom(deflated, b"1.2.840.10008.1.2.1.99"), 0),
        "items.dcm": (sequences(empty_item, 3_000_000), 0),
        "nested.dcm": (dicom(nested * 200_000), 0),
        "undefined.dcm": (dicom(struct.pack("<HH2sHI", 9, 9, b"OB", 0, 0xFFFFFFFF)), 10**10),
        "text.dcm": (dicom(struct.pack("<HH2sHI", 8, 0x1030, b"UT", 0, 4 * 10**9)), 10**10),
        "nothing.gif": (gif[:-2] + b"!\xfe\0" * 8_000_000 + b";", 0),
        "blocks.gif": (gif + b"\1x" * 12_000_000 + b"\0;", 0),
        "sparse.gif": (gif, 10**10),
        "huge.bmp": (
            b"BM" + struct.pack("<IIIIiiHH6I", 54, 0, 54, 40, 10**9, 10**9, 1, 24, *[0] * 6),
            0,
        ),
        "huge.webp": (b"RIFF" + struct.pack("<I", 40) + b"WEBPVP8X" + struct.pack("<II", 10, 0)
                      + b"\xff" * 6 + b"VP8 " + struct.pack("<I", 10) + bytes(10), 0),
        "huge.jp2": (codestream + b"\xff\xd9", 0),
        "box.jp2": (b"\0\0\0\x0cjP  \r\n\x87\n\xff\xff\xff\xffjp2h", 5 * 10**9),
        "array.npy.gz": (array.getvalue(), 0),
        **hidden_bombs(),
        "huge.binary": (b"\0", 10**12),
        "[png_series_99999]huge.png": (b"", 0),
    }  # fmt: skip


def hidden_bombs() -> dict[str, tuple[bytes, int]]:
    """Give the files of HIDDEN: a good header, and a decoder that would take too much."""
    from PIL import Image

    pixels = Image.new("L", (13_000, 13_000))  # the most that Pillow takes without an error
    packed = {}
    for kind, options in (("JPEG", {}), ("JPEG2000", {"no_jp2": True}), ("WEBP", {})):
        stream = io.BytesIO()
        (pixels if kind != "WEBP" else Image.new("L", (8, 8))).save(stream, kind, **options)
        packed[kind] = stream.getvalue()
    rle = struct.pack("<16I", 1, 64, *[0] * 14) + b"\x81\0" * 4_000_000
    small = png(8, 8)
    chunk = struct.pack(">I", 2_000_000_000) + b"tEXt"
    webp = packed["WEBP"]
    padding = b"JUNK" + struct.pack("<I", 2_000_000_000)
    length = len(webp) - 8 + 8 + 2_000_000_000
    strip = [e for e in page(8, 8) if e[0] not in {259, 279}]
    second = tiff(*page(8, 8), (700, 1, 2_000_000_000, 400), following=0)[8:]
    first = tiff(*page(8, 8), following=200)
    return {
        "after.png": (small[:-12] + chunk, len(small) - 4 + 2_000_000_004),
        "frame.dcm": (encapsulated(packed["JPEG"], b"1.2.840.10008.1.2.4.50"), 0),
        "frame-j2k.dcm": (encapsulated(packed["JPEG2000"], b"1.2.840.10008.1.2.4.90"), 0),
        "frame-rle.dcm": (encapsulated(rle, b"1.2.840.10008.1.2.5\0"), 0),
        "strip.tif": (tiff(*strip, (259, 3, 1, 5), (279, 4, 1, 2_000_000_000)), 2_100_000_000),
        "page.tif": (first.ljust(200, b"\0") + second, 2_100_000_000),
        "padded.webp": (
            webp[:4] + struct.pack("<I", length) + webp[8:] + padding, 8 + length
        ),
    }  # fmt: skip


def encapsulated(frame: bytes, syntax: bytes) -> bytes:
    """Make a DICOM of 8 x 8 pixels whose one compressed frame is `frame`."""
    item = struct.Struct("<HHI").pack
    data = item(0xFFFE, 0xE000, 0) + item(0xFFFE, 0xE000, len(frame)) + frame
    start = struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF)
    more = (
        element(0x28, 4, b"CS", b"MONOCHROME2 ")
        + element(0x28, 0x10, b"US", b"\x08\0") + element(0x28, 0x11, b"US", b"\x08\0")
        + element(0x28, 0x100, b"US", b"\x08\0") + element(0x28, 0x101, b"US", b"\x08\0")
        + element(0x28, 0x102, b"US", b"\x07\0") + element(0x28, 0x103, b"US", bytes(2))
    )  # fmt: skip
    samples = element(0x28, 2, b"US", b"\1\0")
    return dicom(samples + more + start + data + item(0xFFFE, 0xE0DD, 0), syntax)


CHILD = """
import json, re, sys, time, warnings
warnings.simplefilter("ignore")
import pydicom, PIL.TiffImagePlugin, PIL.BmpImagePlugin, PIL.Jpeg2KImagePlugin
from pathlib import Path
from eyened_domain import ImageInstance
from eyened_domain.adapters.image_store import StoredImages
from eyened_domain.adapters.files.image_headers import raster, dicom, tiff, pillow_formats
from eyened_domain.adapters.files.image_pixels import raster, dicom, png_series, binary
from pydicom.pixels import utils, decoders
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
store = StoredImages(Path(sys.argv[1]))
image = ImageInstance(dataset_identifier=sys.argv[2], laterality="L")
image.attach(store)
if sys.argv[2].endswith(".binary"):
    image.rows_y = image.columns_x = 1000
def header():
    return store.files.read_header(sys.argv[2], rows_y=1000, columns_x=1000)
def pixels():
    return image.pixel_array.shape
def frame():
    return image.b_scan(int(sys.argv[2] == "page.tif")).shape
before, start = peak(), time.perf_counter()
try:
    outcome = f"accepted {globals()[sys.argv[3]]()}"
except BaseException as error:
    outcome = f"{type(error).__name__}: {error}"
seconds = time.perf_counter() - start
print(json.dumps([outcome, peak() - before, seconds]))
"""


def write(folder: Path) -> list[str]:
    """Write the bombs; gives the identifiers under which they are read."""
    identifiers = []
    for name, (content, stretched) in bombs().items():
        with (folder / re.sub(r"^\[.*\]", "", name)).open("ab") as file:
            file.write(content)
            if stretched:
                file.truncate(stretched)
        identifiers.append(name)
    with (folder / "after.png").open("ab") as file:
        file.write(png(1, 1)[-12:])  # the end, after what was stretched
    (folder / "huge_0.png").write_bytes(png(20_000, 20_000))
    return identifiers


def main() -> int:
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    failed = 0
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        identifiers = write(Path(folder))
        for identifier, way in [
            (one, way) for one in identifiers for way in WAYS if way != "frame" or one in HIDDEN
        ]:
            child = subprocess.run(
                [sys.executable, "-c", CHILD, folder, identifier, way],
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            told = child.stdout or json.dumps([f"died: {child.stderr[-200:]}", 0, 0])
            outcome, megabytes, seconds = json.loads(told)
            good = outcome.startswith("BadInput")
            if identifier in HIDDEN and way == "header":
                good = outcome.startswith("accepted")  # or the decoder was never reached
            good &= megabytes <= MOST_MEGABYTES and seconds <= MOST_SECONDS
            failed += not good
            print(f"{'ok  ' if good else 'FAIL'} {megabytes:6.1f} MB {seconds:6.3f} s  "
                  f"{identifier:28} {way:6} {outcome[:110]}")  # fmt: skip
    print(
        f"S7 bombs: {len(identifiers)} fixed files (no seed), header and pixels: "
        f"{failed} failed, limits "
        f"{MOST_MEGABYTES} MB and {MOST_SECONDS} s; {time.monotonic() - start:.0f} s in all"
    )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
