"""How many rows and values go into one statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from eyened_domain.services.row_shapes import Row

CHUNK = 10_000
"""Values in an IN list: SQLite takes 32,766 parameters in a statement."""
_SENT_AS_ONE = 1_000_000
"""Bytes of the rows that PyMySQL sends in one statement; a server inserts all of them or none."""
_LONGEST = 800_000
"""Characters of the texts in an IN list: servers refuse a packet of more than some megabytes."""


def is_sent_as_one(rows: Sequence[Row]) -> bool:
    """Whether a server is sent these rows in one statement."""
    texts = (value for row in rows for value in row.values() if isinstance(value, str))
    return 60 * len(rows) + 4 * sum(map(len, texts)) < _SENT_AS_ONE


def lists_for_in(values: Iterable[Any]) -> Iterator[list[Any]]:
    """Return values, or pairs of them, in lists for IN: not too many or too long at a time."""
    some: list[Any] = []
    length = 0
    for value in values:
        longer = len(str(value))
        if some and (len(some) == CHUNK or length + longer > _LONGEST):
            yield some
            some, length = [], 0
        some.append(value)
        length += longer
    if some:
        yield some


def chunks(values: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Return values in lists of at most `size`."""
    waiting = iter(values)
    while chunk := list(islice(waiting, size)):
        yield chunk
