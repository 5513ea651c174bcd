"""Files without a manifest: how what another program writes there is told from damage.

A file of ours has a manifest: one that differs from what the database knows, and has none, was
written by another program. A file that was adopted as it is has none, nor has one of ours in
an array with codecs of others. What the database keeps as the token of their position says
when the file was last changed: a file that has been changed since was written anew, and one
that has not, and differs all the same, is damaged.
"""

from __future__ import annotations

from eyened_domain.adapters.pixels.zarr.files import SlotFiles, SlotGone
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.pixels.zarr.manifest import digest_of
from eyened_domain.adapters.pixels.zarr.slot_file import (
    PixelsReplaced,
    SlotContent,
    StoredSlot,
)
from eyened_domain.errors import Conflict

_MARK = "ad0bed0f0ade4f11"
"""How the tokens of files without a manifest begin; those of reservations are random."""
_CLOCKS_DIFFER_S = 1800
"""Seconds by which clocks may differ, at most; half of how old a file is when it is adopted."""


def token_of_adopted(changed_ns: int) -> str:
    """Return the token of a position whose file has no manifest, 32 hexadecimal digits.

    Args:
        changed_ns: when the file was last changed, in nanoseconds of Unix time.
    """
    return f"{_MARK}{changed_ns % 2**64:016x}"


def as_others_write(content: SlotContent) -> SlotContent:
    """Return the content of a slot without its manifest, as zarr-python would write it."""
    if not content.is_signed:
        return content
    parts = content.parts[:-1]
    return SlotContent(parts, digest_of(b"".join(parts)), is_signed=False)


def token_of(
    files: SlotFiles, key: ArrayKey, position: int, content: SlotContent, token: str
) -> str:
    """Return the token of a position that has been written: the given one, or when it was.

    Raises:
        Conflict: the file was collected meanwhile.
    """
    if content.is_signed:
        return token
    try:
        with files.open(key, position, None) as file:
            return token_of_adopted(file.changed_ns)
    except SlotGone as error:
        raise Conflict(f"position {position} of {key.path} was collected; run it again") from error


def taken_over(
    error: PixelsReplaced, position: int, *, token: str | None, since: int | None
) -> StoredSlot:
    """Return the slot with what another program has written there.

    Args:
        error: of reading it with the digest that the database has.
        position: of the slot.
        token: what the database has as its token.
        since: when the database noted it, in seconds of Unix time.

    Raises:
        PixelsReplaced: nobody has written there since; the file is damaged.
    """
    if (token or "").startswith(_MARK):
        is_as_noted = token == token_of_adopted(error.changed_ns)
    else:  # of ours, or adopted before tokens said when; nobody writes before the database knows
        is_as_noted = error.changed_ns / 1e9 < (since or 0) - _CLOCKS_DIFFER_S
    if is_as_noted:
        raise error
    return StoredSlot(position, None, is_replaced=True)
