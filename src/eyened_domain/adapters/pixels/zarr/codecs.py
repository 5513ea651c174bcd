"""From pixels to the bytes of a slot and back, as the array's own metadata says.

Three kinds: one Zstandard frame a slot (what deployments have), one frame a B-scan in a
shard (new arrays of volumes), and whatever else zarr-python can read. Frames carry a
checksum of their content, which every decoder checks, whatever the metadata says of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from numcodecs.zstd import Zstd

from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.pixels.zarr.manifest import (
    Manifest,
    content_size,
    digest_of,
    has_remains,
    split,
)
from eyened_domain.adapters.pixels.zarr.slot_file import SlotContent, SlotFile, Stamp

Pixels = npt.NDArray[Any]


class SlotCodec(Protocol):
    """How the slots of one array are written and read."""

    def encode(self, pixels: Pixels, stamp: Stamp) -> SlotContent:
        """Return the content of a slot with these pixels, shape (depth, height, width)."""

    def decode(self, file: SlotFile) -> Pixels:
        """Return the pixels of a slot, shape (depth, height, width).

        Raises:
            PixelsDamaged: they are not the ones that were stored.
        """

    def decode_scan(self, file: SlotFile, scan: int) -> Pixels:
        """Return one B-scan of a slot, shape (height, width); see `decode`."""

    def with_scan(
        self, file: SlotFile | None, scan: int, pixels: Pixels, stamp: Stamp
    ) -> SlotContent:
        """Return the content of a new slot: that of another, but for one B-scan.

        Args:
            file: the other slot; None stands for one that is all zero.
            scan: which B-scan.
            pixels: its new pixels, shape (height, width).
            stamp: of the new slot.

        Raises:
            PixelsDamaged: the other slot is not what was stored.
        """


class WholeSlots(ABC):
    """Slots that are coded in one piece: for a B-scan, the others are decoded as well."""

    _key: ArrayKey

    @abstractmethod
    def encode(self, pixels: Pixels, stamp: Stamp) -> SlotContent:
        """See `SlotCodec`."""

    @abstractmethod
    def decode(self, file: SlotFile) -> Pixels:
        """See `SlotCodec`."""

    def decode_scan(self, file: SlotFile, scan: int) -> Pixels:
        """See `SlotCodec`; the whole slot is read."""
        found: Pixels = self.decode(file)[scan]
        return found

    def with_scan(
        self, file: SlotFile | None, scan: int, pixels: Pixels, stamp: Stamp
    ) -> SlotContent:
        """See `SlotCodec`; the whole slot is read."""
        key = self._key
        whole = np.zeros(key.shape, key.numpy_dtype) if file is None else self.decode(file)
        whole = whole if whole.flags.writeable else whole.copy()
        whole[scan] = pixels
        return self.encode(whole, stamp)


class FrameCodec(WholeSlots):
    """One Zstandard frame a slot."""

    def __init__(self, key: ArrayKey, level: int = 0) -> None:
        self._key = key
        self._dtype = key.numpy_dtype.newbyteorder("<")
        self._zstd = Zstd(level=level, checksum=True)

    def encode(self, pixels: Pixels, stamp: Stamp) -> SlotContent:
        """See `SlotCodec`."""
        frame = self._zstd.encode(np.ascontiguousarray(pixels, dtype=self._dtype))
        manifest = Manifest(stamp.position, stamp.owner, stamp.token, (digest_of(frame),))
        return SlotContent((frame, manifest.frame()), manifest.digest())

    def decode(self, file: SlotFile) -> Pixels:
        """See `SlotCodec`."""
        frame = self._checked_frame(file)
        pixels = np.empty(self._key.shape, dtype=self._dtype)
        decode_frame(self._zstd, frame, pixels, file)
        return native(pixels, self._key)

    def _checked_frame(self, file: SlotFile) -> bytes | memoryview:
        blob = file.all()
        found = split(blob)
        if found is None:
            check_of_others(file, blob)
            if file.is_replaced and has_remains(blob, chunks=1):
                raise file.damaged("is damaged: its manifest cannot be read")
            return blob
        manifest, length = found
        check_digest(file, manifest.digest())
        frame = memoryview(blob)[: len(blob) - length]
        if manifest.digests != (digest_of(frame),):
            raise file.damaged("is damaged: its checksum differs")
        return frame


def check_digest(file: SlotFile, digest: bytes) -> None:
    """Raise unless the digest of a file with a manifest is the one that the database has for it.

    Args:
        file: the slot.
        digest: of what the file holds now.

    Raises:
        PixelsDamaged: it is not.
    """
    if file.digest is not None and file.digest != digest:
        raise file.damaged("is damaged or another slot's: its checksum differs from the database's")


def check_of_others(file: SlotFile, content: bytes | memoryview) -> None:
    """Raise unless a file without a manifest is the one that the database knows.

    Args:
        file: the slot.
        content: all that the file holds now.

    Raises:
        PixelsReplaced: it is not, and it is not said that another program's is wanted.
    """
    if file.digest is None or file.is_replaced:
        return
    if file.digest != digest_of(content):
        raise file.replaced()


def decode_frame(zstd: Zstd, frame: bytes | memoryview, into: Pixels, file: SlotFile) -> None:
    """Decode a Zstandard frame into an array of exactly its size.

    Raises:
        PixelsDamaged: the frame is damaged, or has another size.
    """
    target, content = into.reshape(-1).view(np.uint8), None
    try:
        size = content_size(frame)
        if size is None:  # of a program that writes without knowing how much
            content = zstd.decode(frame)
            size = len(content)
        elif size == target.nbytes:
            zstd.decode(frame, target)
    except (RuntimeError, ValueError) as error:
        raise file.damaged(f"cannot be decoded ({str(error)[:60]})") from error
    if size != target.nbytes:  # numcodecs leaves the rest as it was
        raise file.damaged(f"holds {size:,} bytes of pixels, where {target.nbytes:,} were stored")
    if content is not None:
        target[:] = np.frombuffer(content, np.uint8)


def native(pixels: Pixels, key: ArrayKey) -> Pixels:
    """Return pixels in the byte order of this machine."""
    return pixels if pixels.dtype == key.numpy_dtype else pixels.astype(key.numpy_dtype)
