"""What became of many rows."""

from __future__ import annotations

from attrs import frozen


@frozen
class RowsWritten:
    """What became of many rows."""

    ids: list[int]
    """The id of each row, in the order in which they were given."""
    new: int = 0
    """How many were inserted."""
    changed: int = 0
    """How many were there, and hold something else now."""
    same: int = 0
    """How many were there and held all of it; nothing of them was written."""
