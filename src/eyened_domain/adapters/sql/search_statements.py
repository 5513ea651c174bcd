"""The statements of searches: built once for a search, and sent with other values page by page.

To build one takes longer than many a server needs to answer it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from attrs import evolve, frozen
from sqlalchemy import ColumnElement, Integer, Select, bindparam

from eyened_domain.adapters.sql.joins import Joins
from eyened_domain.adapters.sql.searching import ordered, searched
from eyened_domain.model.entity import Entity
from eyened_domain.model.values import Choice
from eyened_domain.services.column_paths import path_of
from eyened_domain.services.conditions.meaning import (
    Both,
    Either,
    Exists,
    Meaning,
    Negated,
    Query,
)

_BEGUN, _END = "begun", "end"
MOST_VALUES = 200
"""A condition with more values is not kept: it is hardly asked again, and holds memory."""


@frozen
class Bounds:
    """Between which values of the first column of an order rows are looked for; None: no bound."""

    begun: Any = None
    """The last value before them, in the direction of the order."""
    end: Any = None
    """The last value that counts."""


UNBOUND = Bounds()


@frozen
class _Shape:
    """What a statement depends on, but for the values that differ from page to page."""

    entity: type[Entity]
    columns: tuple[str, ...] | None
    query: Query
    has_begun: bool
    has_end: bool


def search_statement(
    entity: type[Entity],
    columns: tuple[str, ...] | None,
    query: Query,
    bounds: Bounds = UNBOUND,
    further: Sequence[ColumnElement[bool]] = (),
) -> tuple[Select[Any], dict[str, Any]]:
    """Return the statement for what a query asks, and the values that it is sent with.

    Args:
        entity: what is searched.
        columns: paths of what is selected; None for objects.
        query: what is asked.
        bounds: only what lies between these.
        further: conditions besides.
    """
    values: dict[str, Any] = {}
    after: tuple[Any, ...] | None = None
    if query.after is not None:
        kinds = [_kind_at(entity, one.path) for one in query.order]
        each = [ordered(kind, one) for kind, one in zip(kinds, query.after, strict=False)]
        after = tuple(None if one is None else _name(at) for at, one in enumerate(each))
        values |= {_name(at): one for at, one in enumerate(each) if one is not None}
    shape = _Shape(
        entity,
        columns,
        evolve(query, columns=(), after=after),
        bounds.begun is not None,
        bounds.end is not None,
    )
    values |= {_BEGUN: bounds.begun} if shape.has_begun else {}
    values |= {_END: bounds.end} if shape.has_end else {}
    if further or weight(query.meaning) > MOST_VALUES:
        return _built(shape, further), values
    return _kept(shape), values


@lru_cache(maxsize=500)
def _kept(shape: _Shape) -> Select[Any]:
    return _built(shape)


def _built(shape: _Shape, further: Sequence[ColumnElement[bool]] = ()) -> Select[Any]:
    entity, query, joins = shape.entity, shape.query, Joins(shape.entity)
    selected = [entity] if shape.columns is None else [joins.column(one) for one in shape.columns]
    if query.after is not None:
        types = [_type_of(joins, one.path) for one in query.order]
        named = zip(query.after, types, strict=False)
        after = tuple(None if one is None else bindparam(one, type_=kind) for one, kind in named)
        query = evolve(query, after=after)
    return searched(joins, selected, query, *further, *_within(joins, shape))


def _within(joins: Joins, shape: _Shape) -> list[ColumnElement[bool]]:
    if not shape.has_begun and not shape.has_end:
        return []
    first = shape.query.order[0]
    column, kind = joins.column(first.path), _type_of(joins, first.path)
    found: list[ColumnElement[bool]] = []
    if shape.has_begun:
        value = bindparam(_BEGUN, type_=kind)
        found.append(column < value if first.descending else column > value)
    if shape.has_end:
        value = bindparam(_END, type_=kind)
        found.append(column >= value if first.descending else column <= value)
    return found


def _name(at: int) -> str:
    return f"after_{at}"


def _kind_at(entity: type[Entity], path: str) -> Any:
    found = path_of(entity, path)
    return found.owner.__entity__.columns[found.column].kind


def _type_of(joins: Joins, path: str) -> Any:
    column = joins.column(path)
    return Integer() if isinstance(column.type.column.kind, Choice) else column.type


def weight(meaning: Meaning) -> int:
    """Return how many values a condition has."""
    if isinstance(meaning, Both | Either):
        return sum(weight(part) for part in meaning.parts)
    if isinstance(meaning, Negated | Exists):
        return weight(meaning.part)
    return len(meaning.values)
