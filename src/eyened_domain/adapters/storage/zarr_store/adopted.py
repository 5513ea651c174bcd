"""Files of other programs that were adopted as they are, and how their damage is told.

A file of ours has a manifest: one that differs from what the database knows, and has none, was
written by another program. A file that was adopted has none. What the database keeps as the
token of its position says when the file was last changed; a file that has been changed since
was written anew, and one that has not, and differs all the same, is damaged.
"""

from __future__ import annotations

from eyened_domain.adapters.storage.zarr_store.slot_file import PixelsReplaced, StoredSlot

_MARK = "ad0bed0f0ade4f11"
"""How the tokens of adopted files begin; those of reservations are random."""


def token_of_adopted(changed_ns: int) -> str:
    """Return the token of a position whose file is adopted as it is, 32 hexadecimal digits.

    Args:
        changed_ns: when the file was last changed, in nanoseconds of Unix time.
    """
    return f"{_MARK}{changed_ns % 2**64:016x}"


def taken_over(
    error: PixelsReplaced, position: int, token: str | None, size: int | None
) -> StoredSlot:
    """Return the slot with what another program has written there.

    Args:
        error: of reading it with the digest that the database has.
        position: of the slot.
        token: what the database has as its token.
        size: bytes of the file that the database knows.

    Raises:
        PixelsReplaced: nobody has written there; the file was adopted, and is damaged.
    """
    known = (token or "", size)
    if known == (token_of_adopted(error.changed_ns), error.size):
        raise error
    return StoredSlot(position, None, is_replaced=True)
