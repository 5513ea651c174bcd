"""A volume in one file, one chunk a B-scan: the sharding codec of Zarr v3.

The index stands at the start: offset and length of each B-scan's chunk, and a CRC-32C. A
B-scan that is all zero has no chunk. The manifest stands at the end.

Source: https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import attrs
import google_crc32c
import numpy as np
import numpy.typing as npt
from numcodecs.zstd import Zstd

from eyened_domain.adapters.pixels.zarr.codecs import (
    Pixels,
    check_digest,
    check_of_others,
    decode_frame,
    native,
)
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.pixels.zarr.manifest import (
    Manifest,
    digest_of,
    size_of_frame,
    split,
)
from eyened_domain.adapters.pixels.zarr.slot_file import SlotContent, SlotFile, Stamp
from eyened_domain.adapters.pixels.zarr.two_threads import for_each

_CRC = struct.Struct("<I")
_ABSENT = np.uint64(2**64 - 1)
Index = npt.NDArray[np.uint64]


@attrs.frozen
class _Opened:
    """The index and the manifest of a shard, both of which have been checked.

    Attributes:
        index: (depth, 2): offset and length of each B-scan's chunk.
        digests: of each B-scan's chunk; None where there is none, or where the file has no
            manifest.
        is_signed: whether the file has a manifest.
    """

    index: Index
    digests: tuple[bytes | None, ...]
    is_signed: bool

    def extent(self, scan: int) -> tuple[int, int] | None:
        """Return offset and length of a B-scan's chunk; None when it is all zero."""
        if self.index[scan, 0] == _ABSENT:
            return None
        return int(self.index[scan, 0]), int(self.index[scan, 1])


class ShardCodec:
    """One Zstandard frame a B-scan, all of them in one file."""

    def __init__(self, key: ArrayKey, level: int = 0) -> None:
        self._key = key
        self._depth = key.shape[0]
        self._dtype = key.numpy_dtype.newbyteorder("<")
        self._zstd = Zstd(level=level, checksum=True)
        self._index_bytes = self._depth * 16 + _CRC.size

    def encode(self, pixels: Pixels, stamp: Stamp) -> SlotContent:
        """See `SlotCodec`."""
        pixels = np.ascontiguousarray(pixels, dtype=self._dtype)

        def encoded(scan: int) -> tuple[bytes | None, bytes | None]:
            chunk = self._chunk(pixels[scan])
            return chunk, None if chunk is None else digest_of(chunk)

        chunks, digests = zip(*for_each(self._depth, encoded, size=pixels.nbytes), strict=True)
        return self._content(chunks, digests, stamp)

    def decode(self, file: SlotFile) -> Pixels:
        """See `SlotCodec`."""
        blob = memoryview(file.all())
        shard = self._opened(file, bytes(blob[: self._index_bytes]), bytes(self._tail(blob)))
        pixels = np.empty(self._key.shape, dtype=self._dtype)

        def decode(scan: int) -> None:
            extent = shard.extent(scan)
            if extent is None:
                pixels[scan] = 0
            else:
                chunk = blob[extent[0] : extent[0] + extent[1]]
                self._decode_chunk(file, shard, scan, chunk, pixels[scan])

        for_each(self._depth, decode, size=pixels.nbytes)
        return native(pixels, self._key)

    def decode_scan(self, file: SlotFile, scan: int) -> Pixels:
        """See `SlotCodec`; the index, the manifest and one chunk are read."""
        shard = self._opened_part(file)
        extent = shard.extent(scan)
        if extent is None:
            return np.zeros(self._key.shape[1:], dtype=self._key.numpy_dtype)
        pixels = np.empty(self._key.shape[1:], dtype=self._dtype)
        self._decode_chunk(file, shard, scan, file.at(*extent), pixels)
        return native(pixels, self._key)

    def with_scan(
        self, file: SlotFile | None, scan: int, pixels: Pixels, stamp: Stamp
    ) -> SlotContent:
        """See `SlotCodec`; the other B-scans are copied as they are, not encoded again."""
        chunks: list[bytes | memoryview | None] = [None] * self._depth
        digests: list[bytes | None] = [None] * self._depth
        if file is not None:
            blob = memoryview(file.all())
            shard = self._opened(file, bytes(blob[: self._index_bytes]), bytes(self._tail(blob)))

            def copy(other: int) -> None:
                extent = shard.extent(other)
                if extent is not None and other != scan:
                    chunks[other] = blob[extent[0] : extent[0] + extent[1]]
                    digests[other] = self._checked(file, shard, other, chunks[other])

            for_each(self._depth, copy, size=len(blob))
        chunks[scan] = self._chunk(np.ascontiguousarray(pixels, dtype=self._dtype))
        digests[scan] = None if chunks[scan] is None else digest_of(chunks[scan] or b"")
        return self._content(chunks, digests, stamp)

    def _chunk(self, scan: Pixels) -> bytes | None:
        return self._zstd.encode(scan) if scan.any() else None

    def _content(
        self,
        chunks: Sequence[bytes | memoryview | None],
        digests: Sequence[bytes | None],
        stamp: Stamp,
    ) -> SlotContent:
        lengths = np.array([0 if chunk is None else len(chunk) for chunk in chunks], np.uint64)
        index = np.empty((self._depth, 2), "<u8")
        index[:, 1] = lengths
        index[:, 0] = self._index_bytes + np.concatenate(([0], np.cumsum(lengths)[:-1]))
        index[lengths == 0] = _ABSENT
        packed = index.tobytes()
        packed += _CRC.pack(google_crc32c.value(packed))
        there = tuple(digest for digest in digests if digest is not None)
        manifest = Manifest(stamp.position, stamp.owner, stamp.token, there)
        parts = [chunk for chunk in chunks if chunk is not None]
        return SlotContent((packed, *parts, manifest.frame()), manifest.digest(packed))

    def _opened_part(self, file: SlotFile) -> _Opened:
        self._check_length(file)
        return self._opened(
            file, file.at(0, self._index_bytes), file.tail(size_of_frame(self._depth))
        )

    def _check_length(self, file: SlotFile) -> None:
        if file.size >= self._index_bytes:
            return
        if file.digest is None or file.is_replaced:
            raise file.damaged("is cut off")
        raise file.replaced()  # or another program is about to

    def _tail(self, blob: memoryview) -> memoryview:
        return blob[max(0, len(blob) - size_of_frame(self._depth)) :]

    def _opened(self, file: SlotFile, packed: bytes, tail: bytes) -> _Opened:
        self._check_length(file)
        found = split(tail)
        if found is None:
            if file.digest is not None and not file.is_replaced:
                check_of_others(file, file.all())
            return self._parsed(file, packed, None)
        manifest, _ = found
        check_digest(file, manifest.digest(packed))
        return self._parsed(file, packed, manifest)

    def _parsed(self, file: SlotFile, packed: bytes, manifest: Manifest | None) -> _Opened:
        if _CRC.unpack(packed[-_CRC.size :])[0] != google_crc32c.value(packed[: -_CRC.size]):
            raise file.damaged("is damaged: the checksum of its index differs")
        index = np.frombuffer(packed, "<u8", self._depth * 2).reshape(self._depth, 2)
        there = index[:, 0] != _ABSENT
        ends = index[there].sum(axis=1)
        if ends.size and int(ends.max()) > file.size:
            raise file.damaged("is cut off")
        end = int(ends.max()) if ends.size else self._index_bytes
        if manifest is None and file.is_replaced and end != file.size:
            raise file.damaged("is damaged: there is something behind its last B-scan")
        if manifest is None:
            return _Opened(index, (None,) * self._depth, is_signed=False)
        if len(manifest.digests) != int(there.sum()):
            raise file.damaged("is damaged: its index and its manifest differ")
        digests = iter(manifest.digests)
        return _Opened(index, tuple(next(digests) if one else None for one in there), True)

    def _checked(
        self, file: SlotFile, shard: _Opened, scan: int, chunk: bytes | memoryview | None
    ) -> bytes:
        found = digest_of(chunk or b"")
        if shard.is_signed and shard.digests[scan] != found:
            raise file.damaged(f"is damaged: the checksum of B-scan {scan} differs")
        return found

    def _decode_chunk(
        self, file: SlotFile, shard: _Opened, scan: int, chunk: bytes | memoryview, into: Pixels
    ) -> None:
        self._checked(file, shard, scan, chunk)
        decode_frame(self._zstd, chunk, into, file)
