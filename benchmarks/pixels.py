"""Reading images, against Pillow, pydicom and numpy reading the same files.

    python -m benchmarks.pixels [--runs 7]

Exit code 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import Figure, ratio
from eyened_domain import ImageInstance
from eyened_domain.adapters.image_store import StoredImages
from eyened_domain.model.enums import Laterality

SEED = 5
VOLUME = (128, 496, 512)


def write(folder: Path) -> None:
    """Write a smooth photograph of 3 Mpx and a volume, in each form that is read."""
    from PIL import Image

    random = np.random.default_rng(SEED)
    coarse = random.integers(0, 256, (48, 64, 3), dtype=np.uint8)
    photograph = Image.fromarray(coarse).resize((2048, 1536), Image.Resampling.BICUBIC)
    photograph.save(folder / "photograph.jpg", quality=90)
    photograph.save(folder / "photograph.png")
    slow = random.integers(0, 256, (VOLUME[0], 62, 64), dtype=np.uint8)
    volume = np.repeat(np.repeat(slow, 8, axis=1), 8, axis=2)
    (folder / "volume.binary").write_bytes(volume.tobytes())
    for position, scan in enumerate(volume):
        Image.fromarray(scan).save(folder / f"scan_{position}.png", compress_level=1)
    pages = [Image.fromarray(scan) for scan in volume]
    pages[0].save(folder / "volume.tif", save_all=True, append_images=pages[1:])
    write_dicom(folder / "volume.dcm", volume)


def write_dicom(path: Path, volume: np.ndarray[Any, Any]) -> None:
    """Write a volume that is not compressed."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID("1.2.3"), UID("1.2.3.4")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    made.SOPClassUID, made.SOPInstanceUID = "1.2.3", "1.2.3.4"
    made.NumberOfFrames, made.Rows, made.Columns = volume.shape
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit, made.PixelRepresentation = 7, 0
    made.PixelData = volume.tobytes()
    made["PixelData"].VR = "OB"
    made.save_as(path, enforce_file_format=True)


def figures(folder: Path, runs: int) -> list[Figure]:
    """Measure each kind of file."""
    from PIL import Image
    from pydicom.pixels.utils import pixel_array

    store = StoredImages(folder)

    def image(name: str, **columns: Any) -> ImageInstance:
        made = ImageInstance(dataset_identifier=name, laterality=Laterality.R, **columns)
        made.attach(store)
        return made

    def pillow(name: str) -> Any:
        with Image.open(folder / name) as opened:
            return np.array(opened)

    frames, rows, columns = VOLUME
    told = {"nr_of_frames": frames, "rows_y": rows, "columns_x": columns}
    raw = image("volume.binary", **told)
    dicom = image("volume.dcm", **told)
    series = image(f"[png_series_{frames}]scan.png", **told)
    tiff = image("volume.tif", **told)
    jpeg, png = image("photograph.jpg"), image("photograph.png")
    path = folder / "volume.dcm"

    def whole() -> Any:
        return np.fromfile(folder / "volume.binary", np.uint8).reshape(VOLUME)

    def all_scans() -> Any:
        return np.stack([pillow(f"scan_{n}.png") for n in range(frames)])

    cases: list[tuple[str, Callable[[], Any], Callable[[], Any], str, float | None]] = [
        ("3 Mpx JPEG", lambda: jpeg.pixel_array, lambda: pillow("photograph.jpg"), "Pillow", 1.15),
        ("3 Mpx PNG", lambda: png.pixel_array, lambda: pillow("photograph.png"), "Pillow", 1.15),
        (".binary, all", lambda: raw.pixel_array, whole, "numpy.fromfile", 1.15),
        (".binary, one B-scan", lambda: raw.b_scan(64), whole, "numpy.fromfile, all", 0.1),
        ("PNG series, all", lambda: series.pixel_array, all_scans, "Pillow", 1.3),
        ("PNG series, one", lambda: series.b_scan(64), all_scans, "Pillow, all", 0.1),
        ("TIFF pages, one", lambda: tiff.b_scan(64), lambda: tiff.pixel_array, "ours, all", None),
        ("DICOM, all", lambda: dicom.pixel_array, lambda: pixel_array(path), "pydicom", 1.15),
        ("DICOM, one B-scan", lambda: dicom.b_scan(64), lambda: pixel_array(path, index=64),
         "pydicom, index=", None),
    ]  # fmt: skip
    return [
        ratio(name, ours, limit, limit_name=limit_name, goal=goal, runs=runs)
        for name, ours, limit, limit_name, goal in cases
    ]


def main() -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        found = figures(Path(folder), options.runs)
    print(f"reading images: volume {VOLUME}, seed {SEED}, median of {options.runs} runs in turns")
    for one in found:
        goal = "" if one.goal is None else f"goal {one.goal:.2f}"
        mark = "ok  " if one.reached else "MISS"
        ours, limit = (f"{1e3 * (seconds or 0):8.2f} ms" for seconds in (one.ours, one.limit))
        print(f"{mark} {one.name:22} {ours}, {one.limit_name:20} {limit}: {one.value:6.3f}x {goal}")
    return int(not all(one.reached for one in found))


if __name__ == "__main__":
    sys.exit(main())
