"""What the file of a slot says about itself, so that damage and mix-ups are found.

At the end of the file stands a Zstandard skippable frame, which decoders pass over: the
position and the token of the reservation that the file was written for, and a digest of
each chunk. The *digest of the slot*, which the database keeps, covers the manifest and the
index of the shard; so one B-scan is checked without the rest of the volume being read.

A file without a manifest (of a program before this one) has the digest of all its bytes.

Source: RFC 8878, 3.1.2 (skippable frames).
"""

from __future__ import annotations

import hashlib
import struct

import attrs

DIGEST_BYTES = 16
_SKIPPABLE = 0x184D2A5E
_FRAME = bytes.fromhex("28b52ffd")
_SHORTEST_HEAD, _LONGEST_HEAD = 6, 18
_HEAD = struct.Struct("<II")
_FIXED = struct.Struct("<QQ16sI")  # position, owner, token, number of chunks
_FOOT = struct.Struct("<I4s")
_MARK = b"EYEN"
OVERHEAD = _HEAD.size + _FIXED.size + _FOOT.size
"""Bytes of a manifest beside its digests."""


@attrs.frozen
class Manifest:
    """What a slot says about itself.

    Attributes:
        position: on axis 0 of the array.
        owner: SegmentationID or ModelSegmentationID; 0 when it was not stored yet.
        token: of the reservation, 32 hexadecimal digits.
        digests: of the chunks that are there, in their order.
    """

    position: int
    owner: int
    token: str
    digests: tuple[bytes, ...]

    def frame(self) -> bytes:
        """Return the skippable frame that is appended to the file."""
        payload = self._payload()
        foot = _FOOT.pack(len(payload) + _FOOT.size, _MARK)
        return _HEAD.pack(_SKIPPABLE, len(payload) + _FOOT.size) + payload + foot

    def digest(self, index: bytes = b"") -> bytes:
        """Return the digest of the slot: of the shard's index and the manifest."""
        return hashlib.sha256(index + self._payload()).digest()[:DIGEST_BYTES]

    def _payload(self) -> bytes:
        fixed = _FIXED.pack(self.position, self.owner, bytes.fromhex(self.token), len(self.digests))
        return fixed + b"".join(self.digests)


def size_of_frame(chunks: int) -> int:
    """Return the bytes of the frame of a manifest with so many digests."""
    return OVERHEAD + chunks * DIGEST_BYTES


def split(tail: bytes) -> tuple[Manifest, int] | None:
    """Find the manifest at the end of a file.

    Args:
        tail: the last bytes of the file, or all of it.

    Returns:
        the manifest and the length of its frame; None when there is none.
    """
    if len(tail) < OVERHEAD:
        return None
    length, mark = _FOOT.unpack_from(tail, len(tail) - _FOOT.size)
    start = len(tail) - length - _HEAD.size
    if mark != _MARK or start < 0 or _HEAD.unpack_from(tail, start) != (_SKIPPABLE, length):
        return None
    position, owner, token, count = _FIXED.unpack_from(tail, start + _HEAD.size)
    first = start + _HEAD.size + _FIXED.size
    if length != _FIXED.size + count * DIGEST_BYTES + _FOOT.size:
        return None
    digests = tuple(
        tail[first + n * DIGEST_BYTES : first + (n + 1) * DIGEST_BYTES] for n in range(count)
    )
    return Manifest(position, owner, token.hex(), digests), len(tail) - start


def content_size(frame: bytes | memoryview) -> int | None:
    """Return how many bytes a Zstandard frame says that it decodes to; None when it does not say.

    Source: RFC 8878, 3.1.1.1 (frame header).

    Raises:
        ValueError: it does not begin like a frame.
    """
    head = bytes(frame[:_LONGEST_HEAD])
    if len(head) < _SHORTEST_HEAD or not head.startswith(_FRAME):
        raise ValueError("no Zstandard frame")
    descriptor = head[4]
    is_single = bool(descriptor & 0x20)
    length = (1 if is_single else 0, 2, 4, 8)[descriptor >> 6]
    start = 5 + (not is_single) + (0, 1, 2, 4)[descriptor & 3]
    if not length:
        return None
    return int.from_bytes(head[start : start + length], "little") + (256 if length == 2 else 0)


def has_remains(tail: bytes, chunks: int) -> bool:
    """Whether a manifest of so many digests stands at the end of a file, readable or not."""
    length = size_of_frame(chunks)
    if len(tail) < length:
        return False
    magic: int = struct.unpack_from("<I", tail, len(tail) - length)[0]
    return magic >> 4 == _SKIPPABLE >> 4


def digest_of(chunk: bytes | memoryview) -> bytes:
    """Return the digest of a chunk, or of a whole file without a manifest."""
    return hashlib.sha256(chunk).digest()[:DIGEST_BYTES]
