"""Names and metadata of the store: `<group>/<numpy dtype>_<D>_<H>_<W>.zarr` (Zarr v3).

A *position* is an index along axis 0 of an array; the *slot* at it is one file,
`c/<position>/0/0/0`. The metadata document carries the length only; a position without a file
costs nothing.

Source: https://zarr-specs.readthedocs.io/en/latest/v3/core/ and its sharding codec.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import attrs

from eyened_domain.model.pixels.grid import Shape

if TYPE_CHECKING:
    import numpy as np

    from eyened_domain.model.pixels.stored import StoredPixels

METADATA = "zarr.json"
CHUNKS = "c"
SLOT_PATH = ("0", "0", "0")
"""Where in the folder of its position the file of a slot is: folders, and the file."""
SHARDED_FROM_BYTES = 16 * 1024
"""Bytes of a B-scan from which a volume is stored in one chunk a B-scan (a shard)."""

_NAME = re.compile(r"(uint8|uint16|uint32|float32)_([1-9]\d*)_([1-9]\d*)_([1-9]\d*)\.zarr")


@attrs.frozen
class ArrayKey:
    """Which array: its group, the type of its numbers, and the shape of a slot.

    Attributes:
        group: name of the zarr group.
        dtype: numpy's name of the number type.
        shape: (depth, height, width) of each slot.
    """

    group: str
    dtype: str
    shape: Shape

    @classmethod
    def of(cls, grid: StoredPixels) -> ArrayKey:
        """Return the array that holds the pixels of a segmentation."""
        return cls(grid.group_name, grid.data_type.numpy_name, grid.shape)

    @classmethod
    def parse(cls, group: str, name: str) -> ArrayKey | None:
        """Read the name of an array; None when it is no name of one."""
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        dtype, depth, height, width = found.groups()
        return cls(group, dtype, (int(depth), int(height), int(width)))

    @property
    def name(self) -> str:
        """Name of the array in its group."""
        return f"{self.dtype}_{'_'.join(map(str, self.shape))}.zarr"

    @property
    def path(self) -> str:
        """Path of the array in the store."""
        return f"{self.group}/{self.name}"

    @property
    def numpy_dtype(self) -> np.dtype[Any]:
        """The number type, in the byte order of this machine."""
        import numpy as np  # noqa: PLC0415 - names need no numpy

        return np.dtype(self.dtype)

    @property
    def is_sharded_when_new(self) -> bool:
        """Whether a new array of this kind gets one chunk a B-scan, in one file a volume."""
        depth, height, width = self.shape
        return depth > 1 and height * width * self.numpy_dtype.itemsize >= SHARDED_FROM_BYTES


def group_document() -> bytes:
    """Return the metadata of a group."""
    return _written({"attributes": {}, "zarr_format": 3, "node_type": "group"})


def array_document(key: ArrayKey) -> bytes:
    """Return the metadata of a new, empty array."""
    depth, height, width = key.shape
    codecs = _bytes_and_zstd(key)
    if key.is_sharded_when_new:
        codecs = [_shard((1, 1, height, width), codecs)]
    return _written(
        {
            "shape": [0, depth, height, width],
            "data_type": key.dtype,
            "chunk_grid": {
                "name": "regular",
                "configuration": {"chunk_shape": [1, depth, height, width]},
            },
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": 0.0 if key.dtype.startswith("float") else 0,
            "codecs": codecs,
            "attributes": {},
            "zarr_format": 3,
            "node_type": "array",
            "storage_transformers": [],
        }
    )


def grown(document: dict[str, Any], length: int) -> bytes:
    """Return metadata with another length; all else is as it was."""
    return _written({**document, "shape": [length, *document["shape"][1:]]})


def _bytes_and_zstd(key: ArrayKey) -> list[dict[str, Any]]:
    # `checksum: false` is what every reader takes; the frames carry a checksum all the same
    zstd = {"name": "zstd", "configuration": {"level": 0, "checksum": False}}
    if key.numpy_dtype.itemsize == 1:
        return [{"name": "bytes"}, zstd]
    return [{"name": "bytes", "configuration": {"endian": "little"}}, zstd]


def _shard(chunk: tuple[int, int, int, int], codecs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": "sharding_indexed",
        "configuration": {
            "chunk_shape": list(chunk),
            "codecs": codecs,
            "index_codecs": [
                {"name": "bytes", "configuration": {"endian": "little"}},
                {"name": "crc32c"},
            ],
            # at the start, so that the end of the file is free for the slot's manifest
            "index_location": "start",
        },
    }


def _written(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=2).encode()
