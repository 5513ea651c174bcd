"""Changes of many rows of one class, written by the set, as one entry: a block.

Its entity is the class's name with `MARK` behind it, its key the lowest and the highest of its
rows' keys (``"17..516"``), and its texts hold a list for each column, so that neither the time
nor the room of a bulk write grows by an entry for each row. Whoever reads finds single changes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from math import ceil
from typing import Any, NamedTuple

from eyened_domain.model.entity import Entity
from eyened_domain.model.fields import ColumnInfo
from eyened_domain.model.values import Blob, Json, Text
from eyened_domain.services.changes.entries import (
    ChangeKind,
    Entry,
    differing,
    inserted,
    updated,
)
from eyened_domain.services.changes.recorded import recorded_columns
from eyened_domain.services.changes.values import (
    columns_of,
    encoded,
    is_long,
    key_of_text,
    key_text,
    read_value,
    written,
)

MARK = "[]"
"""What stands behind the class's name where an entry holds the changes of many rows."""
FEWEST, MOST = 10, 500
"""How many rows make a block at the least, and at the most: who asks for one reads them all."""
LONGEST_BLOCK = 1_000_000
"""Characters of a block's texts; of long values, a block has fewer rows. Servers refuse a packet
of more than some megabytes."""
_KEYS = ""
"""What a block's keys are called beside its columns; no column has that name."""
_BETWEEN = ".."
Values = Mapping[str, Any]


class Altered(NamedTuple):
    """A row that was changed: columns, what they held, and what they hold now."""

    key: str
    before: Values
    after: Values


class Member(NamedTuple):
    """The change of one row of a block."""

    key: tuple[int, ...]
    before: dict[str, Any]
    after: dict[str, Any]


# --- writing ----------------------------------------------------------------------------------


def entries_of_new_rows(entity: type[Entity], rows: Iterable[Values]) -> Iterator[Entry]:
    """Yield the entries of rows that were inserted: blocks where there are many.

    Args:
        entity: their class.
        rows: of each, what its columns hold, its primary key with them; empty ones are left out.
    """
    columns = [one for one in recorded_columns(entity) if not one.set_on_insert]
    names = [one.name for one in columns]
    alike: dict[tuple[str, ...], list[Values]] = {}
    for row in rows:
        held = tuple([name for name in names if row.get(name) is not None])
        alike.setdefault(held, []).append(row)
    for held, some in alike.items():
        several = [one for one in columns if one.name in held]
        for part in _parts(several, some, lambda row: (row,)):
            if len(part) < FEWEST:
                yield from (inserted(entity, row) for row in part)
                continue
            yield from _fitting(partial(_block_of_new, entity, several), part)


def entries_of_altered_rows(entity: type[Entity], rows: Iterable[Altered]) -> Iterator[Entry]:
    """Yield the entries of rows that were changed, those that were not left out."""
    alike: dict[tuple[ColumnInfo, ...], list[Altered]] = {}
    for row in rows:
        columns = tuple(differing(entity, row.before, row.after))
        if columns:
            alike.setdefault(columns, []).append(row)
    for columns, some in alike.items():
        for part in _parts(columns, some, lambda row: (row.before, row.after)):
            if len(part) < FEWEST:
                yield from (entry for row in part if (entry := updated(entity, *row)) is not None)
                continue
            yield from _fitting(partial(_block_of_altered, entity, columns), part)


def _parts(columns: Sequence[ColumnInfo], rows: Sequence[Any], values: Any) -> Iterator[list[Any]]:
    """Yield rows by the block; those of which a digest is kept by themselves."""
    may_be_long = [one.name for one in columns if isinstance(one.kind, Text | Json | Blob)]

    def lacks_room(row: Any) -> bool:
        return any(is_long(held[name]) for held in values(row) for name in may_be_long)

    short = [row for row in rows if not (may_be_long and lacks_room(row))]
    for start in range(0, len(short), MOST):
        yield short[start : start + MOST]
    if len(short) < len(rows):
        yield from ([row] for row in rows if lacks_room(row))


def _fitting(block_of: Callable[[Any], Entry], rows: Sequence[Any]) -> Iterator[Entry]:
    """Yield the block of some rows, or several where it would be too long."""
    entry = block_of(rows)
    length = len(entry.before or "") + len(entry.after or "")
    if length <= LONGEST_BLOCK or len(rows) == 1:
        yield entry
        return
    count = ceil(len(rows) / ceil(length / LONGEST_BLOCK))
    for start in range(0, len(rows), count):
        yield from _fitting(block_of, rows[start : start + count])


def _block_of_new(
    entity: type[Entity], columns: Sequence[ColumnInfo], rows: Sequence[Values]
) -> Entry:
    keys = [key_text(entity, row) for row in rows]
    return _block(entity, ChangeKind.INSERT, keys, None, _lists(columns, rows))


def _block_of_altered(
    entity: type[Entity], columns: Sequence[ColumnInfo], rows: Sequence[Altered]
) -> Entry:
    before = _lists(columns, [row.before for row in rows])
    after = _lists(columns, [row.after for row in rows])
    return _block(entity, ChangeKind.UPDATE, [row.key for row in rows], before, after)


def _lists(columns: Iterable[ColumnInfo], rows: Sequence[Values]) -> dict[str, list[Any]]:
    return {one.name: [written(row[one.name]) for row in rows] for one in columns}


def _block(
    entity: type[Entity],
    kind: ChangeKind,
    keys: list[str],
    before: Mapping[str, list[Any]] | None,
    after: Mapping[str, list[Any]],
) -> Entry:
    in_order = sorted(keys, key=key_of_text)
    return Entry(
        entity.__name__ + MARK,
        in_order[0] + _BETWEEN + in_order[-1],
        kind,
        None if before is None else encoded(before),
        encoded({_KEYS: keys, **after}),
    )


# --- reading ----------------------------------------------------------------------------------


def is_block(entity: str) -> bool:
    """Whether an entry of that entity is a block."""
    return entity.endswith(MARK)


def may_hold(span: str, keys: Iterable[tuple[int, ...]]) -> bool:
    """Whether one of some primary keys lies between the lowest and the highest of a block."""
    first, _, last = span.partition(_BETWEEN)
    low, high = key_of_text(first), key_of_text(last)
    return any(low <= key <= high for key in keys)


def members_of(entity: str, before: str | None, after: str | None) -> list[Member]:
    """Return the changes of a block, in their order.

    Args:
        entity: the name of the class, without `MARK`.
        before: the block's texts, as they were written.
        after: as well.
    """
    news: dict[str, list[Any]] = json.loads(after or "{}")
    olds: dict[str, list[Any]] = json.loads(before or "{}")
    keys = [key_of_text(one) for one in news.pop(_KEYS)]
    return [
        Member(key, old, new)
        for key, old, new in zip(
            keys, _rows(entity, olds, len(keys)), _rows(entity, news, len(keys)), strict=True
        )
    ]


def _rows(entity: str, lists: Mapping[str, list[Any]], count: int) -> list[dict[str, Any]]:
    columns = columns_of(entity)
    read = {
        name: [read_value(columns.get(name), value) for value in values]
        for name, values in lists.items()
    }
    return [{name: values[at] for name, values in read.items()} for at in range(count)]
