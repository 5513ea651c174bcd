"""Conditions as SQL: what `services.conditions.meaning` says, on tables.

A test that fails on NULL is true or false, as everywhere, since WHERE drops both; under a
negation it is written the other way round, so that NULL counts and indexes still serve.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from attrs import evolve
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Table,
    UniqueConstraint,
    and_,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from eyened_domain.adapters.sql.answers_in_sql import OPERATIONS, answer_passes
from eyened_domain.adapters.sql.bulk_portions import chunks
from eyened_domain.adapters.sql.compilers import InOrder
from eyened_domain.adapters.sql.joins import Joins
from eyened_domain.adapters.sql.lists import among
from eyened_domain.model.values import Choice, Kind
from eyened_domain.services.conditions.meaning import (
    AnswerTest,
    Both,
    Either,
    Exists,
    Meaning,
    Negated,
    Order,
    Query,
    Test,
)

Bool = ColumnElement[bool]
_SIDE_BY_SIDE = 8
_CONTRARY = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "like": "not like"}


class InParentheses(FunctionElement[bool]):
    """A condition that stays in its parentheses, which SQLAlchemy would take away."""

    name = "in_parentheses"
    inherit_cache: bool | None = True
    type: TypeEngine[bool] = Boolean()


@compiles(InParentheses)
def _in_parentheses(element: InParentheses, compiler: Any, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)})"


def searched(joins: Joins, columns: Sequence[Any], query: Query, *further: Bool) -> Select[Any]:
    """Return the statement for what a query asks.

    Args:
        joins: of the entity, to which tables are joined as they are needed.
        columns: what is selected.
        query: what is asked; its own columns are not looked at.
        further: conditions besides.
    """
    ordered = [(joins.column(one.path), one) for one in _needed(joins.table, query.order)]
    conditions = [*further, written(query.meaning, joins)]
    if query.after is not None:
        conditions.append(_beyond(ordered, query.after[: len(ordered)]))
    statement = select(*columns).select_from(joins.source).where(*conditions)
    statement = statement.order_by(*(c.desc() if one.descending else c for c, one in ordered))
    return statement if query.most is None else statement.limit(query.most)


def _needed(table: FromClause, order: Sequence[Order]) -> Sequence[Order]:
    """Return the columns of an order up to those that no two rows share.

    Servers read rows in the order of an index only where nothing follows the key that it holds.
    """
    for count in range(1, len(order)):
        told = {one.path for one in order[:count]}
        if any(told >= key for key in _keys(table)):
            return order[:count]
    return order


@cache
def _keys(table: FromClause) -> list[frozenset[str]]:
    """Return the columns of each unique key of a table that cannot hold NULL."""
    assert isinstance(table, Table)  # noqa: S101 - that of an entity
    keys: list[Iterable[Column[Any]]] = [one.columns for one in table.indexes if one.unique]
    keys += [one.columns for one in table.constraints if isinstance(one, UniqueConstraint)]
    held = [[*key] for key in [table.primary_key.columns, *keys]]
    return [frozenset(c.key for c in key) for key in held if not any(c.nullable for c in key)]


def counted(joins: Joins, query: Query) -> Select[Any]:
    """Return the statement for how many rows a query asks for, at the most those it takes."""
    everything = evolve(query, order=(), after=None)
    if query.most is None:
        # not around a subquery: MariaDB would read all rows for each EXISTS in it
        return searched(joins, [func.count()], everything)
    some = searched(joins, [literal(1)], everything)
    return select(func.count()).select_from(some.subquery())


def written(meaning: Meaning, joins: Joins, *, negated: bool = False) -> Bool:
    """Return a condition as SQL; true or false wherever the negation is written, never NULL.

    Args:
        meaning: the condition.
        joins: where its paths begin.
        negated: write that it does not hold.
    """
    if isinstance(meaning, Negated):
        return written(meaning.part, joins, negated=not negated)
    if isinstance(meaning, Both | Either):
        parts = [written(part, joins, negated=negated) for part in meaning.parts]
        return _all_of(parts) if isinstance(meaning, Both) != negated else _any_of(parts)
    if isinstance(meaning, Exists):
        found = _exists(meaning, joins)
        return ~found if negated else found
    if isinstance(meaning, AnswerTest):
        return answer_passes(meaning, joins.column(meaning.path), negated=negated)
    return _test(meaning, joins.column(meaning.path), negated=negated)


def _all_of(parts: Sequence[Bool]) -> Bool:
    return and_(true(), *_by_groups(and_, parts))


def _any_of(parts: Sequence[Bool]) -> Bool:
    return or_(false(), *_by_groups(or_, parts))


def _by_groups(combined: Callable[..., Bool], parts: Sequence[Bool]) -> Sequence[Bool]:
    """Return conditions in groups of groups: SQLite takes none that is 1,000 of one kind deep."""
    while len(parts) > _SIDE_BY_SIDE:
        parts = [InParentheses(combined(*some)) for some in chunks(parts, _SIDE_BY_SIDE)]
    return parts


def _exists(meaning: Exists, joins: Joins) -> Bool:
    owner = joins.column(meaning.owner_key)
    theirs = Joins(meaning.target, named_anew=True)
    back = theirs.column(str(meaning.target.__entity__.links[str(meaning.link.back)].via))
    part = written(meaning.part, theirs)
    inner = select(literal(1)).select_from(theirs.source).where(back == owner, part)
    return exists(inner.correlate(owner.table))


def _test(test: Test, column: Any, *, negated: bool) -> Bool:
    if test.operator == "in":
        return _one_of(test, column, negated=negated)
    (value,) = test.values
    if negated:
        return or_(column.is_(None), OPERATIONS[_CONTRARY[test.operator]](column, value))
    return OPERATIONS[test.operator](column, value)


def _one_of(test: Test, column: Any, *, negated: bool) -> Bool:
    values = [value for value in test.values if value is not None]
    or_nothing = len(values) < len(test.values)
    if negated:
        if not values:
            return column.is_not(None) if or_nothing else true()
        differs = column != values[0] if len(values) == 1 else among(column, values, negated=True)
        return differs if or_nothing else or_(column.is_(None), differs)
    if not values:
        return column.is_(None) if or_nothing else false()
    equals = column == values[0] if len(values) == 1 else among(column, values)
    return or_(equals, column.is_(None)) if or_nothing else equals


def _beyond(ordered: Sequence[tuple[Any, Order]], after: Sequence[Any]) -> Bool:
    """Return that a row comes after one whose columns of the order hold these values.

    Written so that an index on the first column serves: (a >= 1 AND (a > 1 OR …)).
    """
    (column, order), value = ordered[0], after[0]
    column, value = _as_ordered(column, value)
    later = _later(column, value, descending=order.descending)
    if len(ordered) == 1:
        return later
    level = column.is_(None) if value is None else column == value
    rest = or_(later, and_(level, _beyond(ordered[1:], after[1:])))
    if value is None or order.descending:
        return rest
    return and_(column >= value, rest)


def _as_ordered(column: Any, value: Any) -> tuple[Any, Any]:
    """Return a column and its value as they are ordered: members of an enumeration by place."""
    kind = column.type.column.kind
    if not isinstance(kind, Choice):
        return column, value
    return type_coerce(InOrder(column), Integer()), ordered(kind, value)


def ordered(kind: Kind, value: Any) -> Any:
    """Return a value as it is ordered: a member of an enumeration is a number."""
    if isinstance(kind, Choice) and isinstance(value, kind.enum):
        return [*kind.enum].index(value)
    return value


def _later(column: Any, value: Any, *, descending: bool) -> Bool:
    """Return that a column comes after a value; nothing comes before everything else."""
    if value is None:
        return false() if descending else column.is_not(None)
    return or_(column < value, column.is_(None)) if descending else column > value
