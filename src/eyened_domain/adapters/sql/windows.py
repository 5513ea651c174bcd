"""A page of what other tables tell is looked for in a window of the order, before in all of it.

What is asked of a patient, a tag or an attribute's value leaves it to the server with which table
it begins. It may begin with the other one, find all that there is, and sort it for fifty rows. In
a window, the rows between the place where the page begins and one some hundreds further along, it
has no such choice; when a window holds as many rows as are wanted, they are the first ones. Of
what is rare, windows are empty, and then all is asked at once, which suits what is rare.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from math import ceil
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from attrs import define, evolve
from sqlalchemy import Dialect, Select, func, select

from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.adapters.sql.search_statements import MOST_VALUES, UNBOUND, Bounds, weight
from eyened_domain.model.entity import Entity
from eyened_domain.model.values import Day, Integer, Moment, Text
from eyened_domain.services.column_paths import path_of
from eyened_domain.services.conditions.meaning import (
    AnswerTest,
    Both,
    Either,
    Exists,
    Meaning,
    Negated,
    Query,
    Test,
)

R = TypeVar("R")
Execute = Callable[[Select[Any]], Any]
Fetch = Callable[[Bounds], list[R]]
_OWN, _TIMES = 2_000, 4
"""How many rows of the order the first window has: by the entity's own key, where reading ends
with the last row that is wanted; otherwise for each row that is wanted, since all are sorted."""
_MOST = 20_000
"""The most rows in a window."""
_REMEMBERED = 1_000
"""Of how many searches is remembered how wide a window they need, for each database."""
_TRUSTED = 200
"""How often that is believed before it is found out anew."""


@define
class _Known:
    """How wide a window a search needed; None where what it finds is rare."""

    size: int | None
    uses: int = 0


_known: WeakKeyDictionary[Dialect, OrderedDict[Any, _Known]] = WeakKeyDictionary()
"""By the dialect, of which each database has its own: a unit of work may have its own engine."""


def first_rows(
    dialect: Dialect, entity: type[Entity], query: Query, execute: Execute, fetch: Fetch[R]
) -> list[R]:
    """Return the first rows of a query, as many as it wants.

    Args:
        dialect: of the database; what was learnt of a search is kept with it.
        entity: what is searched.
        query: what is asked.
        execute: sends a statement.
        fetch: sends the query within bounds, and returns its rows.
    """
    size = _first_size(dialect, entity, query)
    if size is None or not query.most:
        return fetch(UNBOUND)
    windows = (_KeyWindows if _is_own_key(entity, query) else _Windows)(entity, query, execute)
    rows: list[R] = []
    while size is not None and size <= _MOST:
        rows += fetch(windows.next(size))
        if len(rows) >= query.most or windows.is_last():
            _remember(dialect, entity, query, size)
            return rows[: query.most]
        size = windows.wider(size, len(rows), query.most)
    _remember(dialect, entity, query, None)
    return (rows + fetch(Bounds(begun=windows.end)))[: query.most]


class _Windows:
    """Windows in the order of a column that an index begins with."""

    def __init__(self, entity: type[Entity], query: Query, execute: Execute) -> None:
        found, self._execute = path_of(entity, query.order[0].path), execute
        self._is_shared = bool(found.steps)
        owner = found.steps[-1].target if found.steps else entity
        self._column: Any = table_of(owner).c[found.column]
        self._descending = query.order[0].descending
        self._place = None if query.after is None else query.after[0]
        self.end: Any = None
        """What the column holds in the last row of the windows so far; None before the first."""

    def next(self, size: int) -> Bounds:
        """Return the bounds of the next window, of so many rows of the order."""
        begun, column = self.end, self._column
        if self._is_shared and begun is None and self._place is not None:
            self.end = self._place  # first of all, the rest of those that are level with it
            return Bounds(None, self.end)
        statement = select(column).order_by(column.desc() if self._descending else column)
        place = self._place if begun is None else begun
        if place is not None:  # of those that are level with it, a window holds all
            statement = statement.where(column < place if self._descending else column > place)
        self.end = self._execute(statement.limit(1).offset(size)).scalar()
        return Bounds(begun, self.end)

    def is_last(self) -> bool:
        """Whether nothing lies beyond the windows so far."""
        return self.end is None

    def wider(self, size: int, found: int, wanted: int) -> int | None:
        """Return the size of the next window; None where what is sought is rare."""
        if self.end == self._place:  # that was no whole window
            return size
        return ceil(2 * size * wanted / found) if found else None


class _KeyWindows(_Windows):
    """Windows in the order of an entity's own key, whose numbers have few gaps."""

    _known_span: tuple[int, int] | None = None
    """The lowest and the highest number."""

    def next(self, size: int) -> Bounds:
        """Return the bounds of the next window, of so many numbers."""
        begun = self.end
        if begun is None and self._place is None and self._descending:
            begun = self._span()[1] + 1
        start = (self._place or 0) if begun is None else begun
        self.end = start - size if self._descending else start + size
        return Bounds(begun, self.end)

    def is_last(self) -> bool:
        """Whether nothing lies beyond the windows so far; if so, the next begins where more is."""
        lowest, highest = self._span()
        if self._descending:
            self.end = min(self.end, highest + 1)
            return bool(self.end <= lowest)
        self.end = max(self.end, lowest - 1)
        return bool(self.end >= highest)

    def _span(self) -> tuple[int, int]:
        if self._known_span is None:
            lowest, highest = func.min(self._column), func.max(self._column)
            found = self._execute(select(lowest, highest)).one()
            self._known_span = found[0] or 0, found[1] or 0
        return self._known_span


def _first_size(dialect: Dialect, entity: type[Entity], query: Query) -> int | None:
    """Return how wide the first window is; None where the query is asked at once."""
    if not query.most or not query.order or not _has_windows(entity, query.order[0].path):
        return None
    if "." not in query.order[0].path and not _asks_elsewhere(query.meaning):
        return None
    key = _key(entity, query)
    known = None if key is None else _known.get(dialect, {}).get(key)
    if known is None or known.uses >= _TRUSTED:
        return max(_OWN, query.most) if _is_own_key(entity, query) else _TIMES * query.most
    known.uses += 1
    return known.size


def _remember(dialect: Dialect, entity: type[Entity], query: Query, size: int | None) -> None:
    key = _key(entity, query)
    if key is None:
        return
    sizes = _known.setdefault(dialect, OrderedDict())
    known = sizes.get(key)
    if known is None or known.size != size or known.uses >= _TRUSTED:
        sizes[key] = _Known(size)
        while len(sizes) > _REMEMBERED:
            sizes.popitem(last=False)


def _is_own_key(entity: type[Entity], query: Query) -> bool:
    return entity.__entity__.primary_key == (query.order[0].path,)


def _key(entity: type[Entity], query: Query) -> Any:
    """Return what a search is remembered by; None where its many values would hold memory."""
    if weight(query.meaning) > MOST_VALUES:
        return None
    return entity, evolve(query, columns=(), after=None)


@cache
def _has_windows(entity: type[Entity], path: str) -> bool:
    """Whether the rows have an order by a column that an index begins with, and none lacks it."""
    found = path_of(entity, path)
    owner = entity
    for step in found.steps:
        if owner.__entity__.columns[step.via].nullable:
            return False
        owner = step.target
    table = table_of(owner)
    if found.column not in table.c or table.c[found.column].nullable:
        return False
    if not isinstance(owner.__entity__.columns[found.column].kind, Integer | Day | Moment | Text):
        return False
    keys = [table.primary_key.columns, *(index.columns for index in table.indexes)]
    return any(next(iter(key)).key == found.column for key in keys)


def _asks_elsewhere(meaning: Meaning) -> bool:
    """Whether a condition asks more than the columns of the entity's own table."""
    if isinstance(meaning, Both | Either):
        return any(_asks_elsewhere(part) for part in meaning.parts)
    if isinstance(meaning, Negated):
        return _asks_elsewhere(meaning.part)
    return isinstance(meaning, Exists) or (
        isinstance(meaning, Test | AnswerTest) and "." in meaning.path
    )
