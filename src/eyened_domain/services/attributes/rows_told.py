"""Telling which rows of a frame are bad: the first of them, and how many there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from eyened_domain.errors import BadInput
from eyened_domain.model.values import shown

_MOST = 5
_MOST_IDS = 20


def shortened(many: Iterable[Any]) -> str:
    """Return values as a list in a sentence: the first twenty, and how many more there are."""
    several = list(many)
    told = ", ".join(shown(one) for one in several[:_MOST_IDS])
    more = len(several) - _MOST_IDS
    return told if more <= 0 else f"{told} and {more:,} more"


def bad_rows(
    column: str, why: str, rows: Sequence[tuple[int, Any]], *, entity: str, advice: str = ""
) -> BadInput:
    """Return the error for a column, which names the first rows that are bad.

    Args:
        column: the name of the column.
        why: what its cells must be.
        rows: the numbers of the bad rows, from 0, and what they hold.
        entity: the entity concerned.
        advice: what to do.
    """
    told = ", ".join(f"row {number}: {shown(value)}" for number, value in rows[:_MOST])
    more = len(rows) - _MOST
    told += f" and {more:,} more" if more > 0 else ""
    return BadInput(
        f"column {column}: {why}; {told}{advice and '; '}{advice}",
        entity=entity,
        field=column,
        value=shown(rows[0][1]),
    )
