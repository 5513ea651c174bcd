"""The limit of the pixel benchmarks: zarr-python itself, and the fsyncs that safety costs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_FOLDER = os.O_RDONLY | os.O_DIRECTORY


class PlainZarr:
    """An array of slots, one chunk a slot, Zstandard at zarr's own level.

    Args:
        folder: where the array is made.
        shape: (depth, height, width) of a slot.
        dtype: of its numbers.
        slots: how many.
        checksum: whether frames carry one.
    """

    def __init__(
        self, folder: Path, shape: tuple[int, int, int], dtype: str, slots: int, *, checksum: bool
    ) -> None:
        import zarr

        self._folder = folder
        self.array: Any = zarr.create_array(
            str(folder),
            shape=(slots, *shape),
            chunks=(1, *shape),
            dtype=dtype,
            compressors=zarr.codecs.ZstdCodec(level=0, checksum=checksum),
        )

    def write(self, slot: int, pixels: npt.NDArray[Any]) -> None:
        """Write a slot, and wait until it is on the disk."""
        self.array[slot] = pixels
        self.sync(slot)

    def write_scan(self, slot: int, scan: int, pixels: npt.NDArray[Any]) -> None:
        """Write one B-scan of a slot, and wait until it is on the disk."""
        self.array[slot, scan] = pixels
        self.sync(slot)

    def read(self, slot: int) -> npt.NDArray[Any]:
        """Read a slot."""
        return np.asarray(self.array[slot])

    def read_scan(self, slot: int, scan: int) -> npt.NDArray[Any]:
        """Read one B-scan of a slot."""
        return np.asarray(self.array[slot, scan])

    def sync(self, slot: int) -> None:
        """Wait until the file of a slot, and each folder that it needed, is on the disk."""
        file = self.file(slot)
        for path, flags in [(file, os.O_RDONLY), *((p, _FOLDER) for p in list(file.parents)[:4])]:
            descriptor = os.open(path, flags)
            os.fsync(descriptor)
            os.close(descriptor)

    def file(self, slot: int) -> Path:
        """Return the file of a slot."""
        return self._folder / "c" / str(slot) / "0" / "0" / "0"
