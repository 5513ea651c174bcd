"""How much may be asked at once: what every database takes in one statement."""

from __future__ import annotations

from collections.abc import Iterator

from eyened_domain.errors import BadInput
from eyened_domain.model.values import shown
from eyened_domain.services.conditions.language import (
    All,
    AnyOf,
    Comparison,
    Condition,
    Not,
    Some,
)

DEEPEST = 30
"""How many conditions may be within each other."""
MOST = 1_000
"""How many comparisons there may be: SQLite takes no more in one expression."""
MOST_VALUES = 10_000
"""How many values of lists there may be that are no whole numbers: these are parameters."""
LONGEST = 1_000_000
"""How many characters these may have together: servers refuse a packet of several megabytes."""


def check_extent(condition: Condition) -> None:
    """Raise `BadInput` where a condition is too deep, or has too many comparisons or values."""
    comparisons = values = length = 0
    for one in _comparisons(condition, 0):
        comparisons += 1
        if isinstance(one.value, tuple):
            texts = [value for value in one.value if not isinstance(value, int)]
            values += len(texts)
            length += sum(len(value) for value in texts if isinstance(value, str))
    if comparisons > MOST:
        raise too_many()
    if values > MOST_VALUES or length > LONGEST:
        raise BadInput(
            f"{values:,} values are listed, with {length:,} characters; at most "
            f"{MOST_VALUES:,} with {LONGEST:,} are, but for ids, which may be as many as you "
            "like: ask several times, or by ids"
        )


def too_deep() -> BadInput:
    """Return the error about conditions within each other."""
    return BadInput(f"conditions are nested more than {DEEPEST} deep")


def too_many() -> BadInput:
    """Return the error about many comparisons."""
    return BadInput(f"there are more than {MOST:,} comparisons; say in for several values")


def _comparisons(condition: Condition, depth: int) -> Iterator[Comparison]:
    if depth > DEEPEST + 1:  # several conditions are put into one by who asks
        raise too_deep()
    if isinstance(condition, Comparison):
        yield condition
    elif isinstance(condition, All | AnyOf):
        for one in condition.conditions:
            yield from _comparisons(one, depth + 1)
    elif isinstance(condition, Not | Some):
        yield from _comparisons(condition.condition, depth + 1)


def checked_limit(limit: int | None, name: str = "limit") -> int | None:
    """Return how many are wanted at the most; None for all.

    Args:
        limit: the number.
        name: what the caller calls it.

    Raises:
        BadInput: it is no number of objects.
    """
    if limit is None or (isinstance(limit, int) and not isinstance(limit, bool) and limit >= 0):
        return limit
    raise BadInput(f"{name}: a number of objects is needed, not {shown(limit)}", field=name)
