"""Arrays with chunks or codecs that this software would not choose: zarr-python does it.

Any array that zarr-python can open is read. It is written when a slot is one file. Such a
file bears no manifest; see `adopted` for how an edit by another program is told from damage.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from eyened_domain.adapters.pixels.zarr.codecs import (
    Pixels,
    WholeSlots,
    check_of_others,
)
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.pixels.zarr.manifest import digest_of
from eyened_domain.adapters.pixels.zarr.slot_file import SlotContent, SlotFile, Stamp
from eyened_domain.errors import StorageError

_KEY = "c/0/0/0/0"


class ForeignCodec(WholeSlots):
    """Encodes and decodes with zarr-python, in memory, as the array's metadata says."""

    def __init__(self, key: ArrayKey, document: dict[str, Any]) -> None:
        chunk = document.get("chunk_grid", {}).get("configuration", {}).get("chunk_shape")
        encoding = document.get("chunk_key_encoding", {})
        separator = encoding.get("configuration", {}).get("separator", "/")
        if chunk != [1, *key.shape] or encoding.get("name") != "default" or separator != "/":
            raise StorageError(
                f"the array {key.path} has chunks {chunk}, where a slot is one chunk "
                f"{[1, *key.shape]}; `eorm defragment-zarr` copies it into a new store",
                entity="Segmentation",
                field="zarr_array_index",
                value=key.path,
            )
        self._key = key
        self._document = {**document, "shape": [1, *key.shape]}

    def encode(self, pixels: Pixels, stamp: Stamp) -> SlotContent:  # noqa: ARG002 - no manifest
        """See `SlotCodec`; unknown codecs may not bear a manifest at the end of the file."""
        array, chunks = self._array()
        array[0] = pixels
        blob = chunks.get(_KEY)
        if blob is None:  # all zero, and zarr writes no empty chunks
            array, chunks = self._array(write_empty_chunks=True)
            array[0] = pixels
            blob = chunks[_KEY]
        content = blob.to_bytes()
        return SlotContent((content,), digest_of(content), is_signed=False)

    def decode(self, file: SlotFile) -> Pixels:
        """See `SlotCodec`."""
        from zarr.core.buffer import default_buffer_prototype  # noqa: PLC0415 - loads zarr

        blob = file.all()
        check_of_others(file, blob)
        array, chunks = self._array()
        chunks[_KEY] = default_buffer_prototype().buffer.from_bytes(blob)
        try:
            return np.asarray(array[0], dtype=self._key.numpy_dtype)
        except Exception as error:
            raise file.damaged(f"cannot be decoded ({str(error)[:60]})") from error

    def _array(self, *, write_empty_chunks: bool = False) -> tuple[Any, dict[str, Any]]:
        """Return an array of one slot in memory, and the chunks that it keeps."""
        import json  # noqa: PLC0415

        import zarr  # noqa: PLC0415 - half a second, and only strange arrays need it
        from zarr.core.buffer import default_buffer_prototype  # noqa: PLC0415
        from zarr.storage import MemoryStore  # noqa: PLC0415

        chunks: dict[str, Any] = {
            "zarr.json": default_buffer_prototype().buffer.from_bytes(
                json.dumps(self._document).encode()
            )
        }
        with zarr.config.set({"array.write_empty_chunks": write_empty_chunks}):
            return zarr.open_array(MemoryStore(chunks), mode="r+"), chunks
