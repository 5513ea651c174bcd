"""An open image file, read within limits that a header has no reason to pass."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from types import TracebackType

import attrs

from eyened_domain.errors import BadInput

HEADER_BYTES = 32 * 1024 * 1024
"""More than this is not read for one header: a tag that claims more is an attack or damage."""

HEADER_READS = 100_000
"""More reads than this are not done for one header; it bounds the time that parsing takes."""

_HEAD = 16 * 1024
_MOST_AT_ONCE = 2**30  # the kernel reads less than 2 GiB in one call


class HeaderFile:
    """An image file that is open for reading its header.

    Args:
        descriptor: an open regular file; closed with this object.
        refusal: makes the error that names the file and says what is wrong with it.

    Attributes:
        size: bytes in the file.
        head: the first bytes of the file, at most 16 KiB.
    """

    def __init__(self, descriptor: int, refusal: Callable[[str], BadInput]) -> None:
        self.refusal = refusal
        self._descriptor = descriptor
        self._most_bytes = self._bytes_left = HEADER_BYTES
        self._most_reads = self._reads_left = HEADER_READS
        self._reading = "a header"
        try:
            self.size: int = os.fstat(descriptor).st_size
            self.head: bytes = os.pread(descriptor, _HEAD, 0)
        except BaseException:
            os.close(descriptor)
            raise

    def __enter__(self) -> HeaderFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def at(self, offset: int, length: int) -> bytes:
        """Read `length` bytes at `offset`; fewer, or none, at the end of the file.

        Raises:
            BadInput: the header asks for more than a header can need.
        """
        if offset + length <= len(self.head):
            return self.head[offset : offset + length]
        if offset >= self.size:
            return b""
        length = min(length, self.size - offset)
        self.spend(length)
        return os.pread(self._descriptor, length, offset)

    def tail(self, length: int) -> bytes:
        """Read the last bytes of the file."""
        return self.at(max(0, self.size - length), min(length, self.size))

    def whole(self) -> bytes:
        """Read all of the file."""
        return self.at(0, self.size)

    def read_into(self, target: memoryview, offset: int) -> int:
        """Fill `target` with the bytes from `offset` on; tells how many are missing at the end."""
        while target:
            read = os.preadv(self._descriptor, [target[:_MOST_AT_ONCE]], offset)
            if read == 0:
                break
            target, offset = target[read:], offset + read
        return len(target)

    def stream(self) -> HeaderStream:
        """Give the file in the form that libraries read from, from its start."""
        return HeaderStream(self, io.FileIO(self._descriptor, "rb", closefd=False))

    def allow_pixels(self, size: int) -> None:
        """Let a decoder read on, as much as `size` bytes of pixels can take when packed badly.

        A codec that cannot shrink noise makes it a little longer; four times is never met.
        """
        self._most_bytes = self._bytes_left = HEADER_BYTES + 4 * size
        self._most_reads = self._reads_left = HEADER_READS + size // 64
        self._reading = "pixel data"

    def spend(self, size: int) -> None:
        """Count a read.

        Raises:
            BadInput: the header, or the pixels, ask for more than they can need.
        """
        self._bytes_left -= size
        self._reads_left -= 1
        if self._bytes_left < 0 or self._reads_left < 0:
            raise self.refusal(
                f"has {self._reading} that needs more than {self._most_bytes:,} bytes or "
                f"{self._most_reads:,} reads"
            )


class HeaderStream(io.BufferedReader):
    """A file object for Pillow and pydicom that keeps to the limits of its `HeaderFile`."""

    def __init__(self, file: HeaderFile, raw: io.FileIO) -> None:
        super().__init__(raw, _HEAD)
        self._file = file
        self.seek(0)

    def read(self, size: int | None = -1, /) -> bytes:
        """Read like any file, within the limits.

        Raises:
            BadInput: the header asks for more than a header can need, or for everything.
        """
        if size is None or size < 0:
            # pydicom does so to unpack a deflated file, which may be any number of times larger.
            raise self._file.refusal("is packed (deflated) as a whole; unpack it first")
        size = min(size, self._file.size)
        self._file.spend(size)
        return super().read(size)


@attrs.frozen(kw_only=True)
class HeaderRequest:
    """What a reader is asked for: one identifier, and what the record says of it.

    Attributes:
        identifier: the normalised DatasetIdentifier.
        open: opens a file by its path relative to IMAGES_BASEPATH.
        pixel_budget: the most pixels an image may have, all frames together.
        rows_y: the rows that the record gives, or None.
        columns_x: the columns that the record gives, or None.
        nr_of_frames: the frames that the record gives, or None.
    """

    identifier: str
    open: Callable[[str], HeaderFile]
    pixel_budget: int
    rows_y: int | None = None
    columns_x: int | None = None
    nr_of_frames: int | None = None

    def check_size(self, file: HeaderFile, rows: int, columns: int, frames: int) -> None:
        """Refuse an image without pixels, or with more than the budget.

        Raises:
            BadInput: naming the file and its size.
        """
        if rows < 1 or columns < 1 or frames < 1:
            raise file.refusal(f"has no pixels: {frames} frames of {rows} rows x {columns} columns")
        if rows * columns * frames > self.pixel_budget:
            raise file.refusal(
                f"has {rows * columns * frames:,} pixels ({frames} frames of {rows} x {columns}); "
                f"at most {self.pixel_budget:,} are accepted"
            )
