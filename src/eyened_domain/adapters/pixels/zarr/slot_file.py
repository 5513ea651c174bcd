"""The file of a slot while it is read, and its content before it is written."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from types import TracebackType
from typing import Self, TypeVar

import attrs

from eyened_domain.adapters.files.durable import read_all, read_part
from eyened_domain.errors import PixelsDamaged, StorageError

E = TypeVar("E", bound=PixelsDamaged)


@attrs.frozen
class Stamp:
    """Position, reservation and owner of a slot: what a manifest says besides the digests.

    Attributes:
        position: on axis 0 of the array.
        token: of the reservation, 32 hexadecimal digits.
        owner: id of the segmentation, 0 when it has none yet.
    """

    position: int
    token: str
    owner: int = 0


@attrs.frozen
class StoredSlot:
    """A slot that has been stored before: its position and its digest.

    Attributes:
        position: on axis 0 of the array.
        digest: of the slot; None when the database has none.
        is_replaced: another program has written there since, and what it wrote is wanted.
    """

    position: int
    digest: bytes | None
    is_replaced: bool = False


class PixelsReplaced(PixelsDamaged):
    """The file is not the one that the database knows, and does not say that it is of ours.

    Another program has written there, unless the file was of another program before and was
    damaged since; see `adopted.taken_over`.

    Attributes:
        size: bytes of the file.
        changed_ns: when it was last changed, in nanoseconds of Unix time.
    """

    size = 0
    changed_ns = 0


@attrs.frozen
class SlotContent:
    """What is written into the file of a slot.

    Attributes:
        parts: the bytes, in order; the manifest is the last.
        digest: by which the database knows it.
        is_signed: whether it ends with a manifest.
    """

    parts: tuple[bytes | memoryview, ...]
    digest: bytes
    is_signed: bool = True

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return sum(len(part) for part in self.parts)


class SlotFile:
    """The open file of a slot.

    Args:
        descriptor: of the open file; closed with this object.
        name: what it is called in errors, for example ``group/array.zarr/c/5``.
        digest: of the slot, as the database knows it; None when it does not.

    Attributes:
        is_replaced: another program has written there since; see `StoredSlot`.
    """

    def __init__(self, descriptor: int, name: str, digest: bytes | None) -> None:
        self._descriptor = descriptor
        self.name = name
        self.digest = digest
        self.is_replaced = False
        try:
            status = os.fstat(descriptor)
        except OSError:
            os.close(descriptor)
            raise
        self.size: int = status.st_size
        self.changed_ns: int = status.st_mtime_ns

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):  # it was only read
            os.close(self._descriptor)

    def all(self) -> bytes:
        """Read the whole file.

        Raises:
            StorageError: the disk cannot read it.
        """
        with self._failures():
            return read_all(self._descriptor)

    def at(self, offset: int, length: int) -> bytes:
        """Read a part of the file.

        Raises:
            PixelsDamaged: the file ends before it.
            StorageError: the disk cannot read it.
        """
        if offset < 0 or offset + length > self.size:
            raise self.damaged("is cut off")
        with self._failures():
            found = read_part(self._descriptor, length, offset)
        if len(found) != length:
            raise self.damaged("is cut off")
        return found

    def tail(self, length: int) -> bytes:
        """Read the last bytes of the file."""
        return self.at(max(0, self.size - length), min(length, self.size))

    def damaged(self, reason: str) -> PixelsDamaged:
        """Make the error for a file that does not hold what was stored."""
        return self._error(PixelsDamaged, reason)

    def replaced(self) -> PixelsReplaced:
        """Make the error for a file that is not of ours, and not the one that is known."""
        error = self._error(
            PixelsReplaced, "was damaged, or written by another program after it was stored here"
        )
        error.size, error.changed_ns = self.size, self.changed_ns
        return error

    def _error(self, kind: type[E], reason: str) -> E:
        return kind(
            f"the file of the pixels {self.name} {reason}; restore it from a backup, and run "
            "`eorm doctor` for a list of all such files",
            field="zarr_array_index",
            value=self.name,
        )

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(
                f"the file of the pixels {self.name} could not be read: {error.strerror}",
                field="zarr_array_index",
                value=self.name,
            ) from error
