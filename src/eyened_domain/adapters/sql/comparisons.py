"""Expressions that mean the same on every database, where SQL itself does not.

Each is an element that is written in one way for SQLite and in another for MySQL and MariaDB.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Enum, String, Text, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from eyened_domain.model.values import members, plain

_COMPARISONS = frozenset(
    (
        operators.eq,
        operators.ne,
        operators.lt,
        operators.le,
        operators.gt,
        operators.ge,
        operators.in_op,
        operators.not_in_op,
        operators.between_op,
        operators.not_between_op,
    )
)


class AsCompared(FunctionElement[Any]):
    """An expression as it is compared: texts by their letters, times by their seconds."""

    name = "as_compared"
    inherit_cache: bool | None = True

    def __init__(self, expression: Any) -> None:
        super().__init__(expression)
        self.type: TypeEngine[Any] = expression.type


class JsonTruth(FunctionElement[Any]):
    """An element of a JSON value as true or false; NULL where it is neither."""

    name = "json_truth"
    inherit_cache: bool | None = True
    type: TypeEngine[Any] = Boolean()


class Exactly(FunctionElement[Any]):
    """A FLOAT with all of its digits."""

    name = "exactly"
    inherit_cache: bool | None = True


def exactly(column: Any) -> Any:
    """Return a FLOAT column with all of its digits, of the same type."""
    return type_coerce(Exactly(column), column.type)


@compiles(AsCompared)
@compiles(Exactly, "sqlite")
def _as_it_is(element: Any, compiler: Any, **options: Any) -> Any:
    (expression,) = element.clauses
    return compiler.process(expression, **options)


@compiles(AsCompared, "sqlite")
def _compared_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    (expression,) = element.clauses
    written = compiler.process(expression, **options)
    if isinstance(_plain_type(expression.type), DateTime):
        # earlier versions wrote fractions, which are 0, and SQLite's own clock writes none
        return f"substr({written}, 1, 19)"
    return f"({written} COLLATE NOCASE)"


@compiles(Exactly)
def _in_double_precision(element: Any, compiler: Any, **options: Any) -> str:
    (expression,) = element.clauses
    return f"({compiler.process(expression, **options)} + 0e0)"


@compiles(JsonTruth)
def _truth(element: Any, compiler: Any, **options: Any) -> str:
    (expression,) = element.clauses
    found = compiler.process(expression, **options)
    return f"(CASE CAST({found} AS CHAR) WHEN 'true' THEN 1 WHEN 'false' THEN 0 END)"


@cache
def _comparator(base: Any) -> Any:
    """Return a comparator with SQLAlchemy's own of a type below it."""

    class Comparator(TypeDecorator.Comparator, base):  # type: ignore[misc, type-arg]
        """Makes expressions; see the module."""

        __slots__ = ()

        def operate(self, op: Any, *other: Any, **options: Any) -> Any:
            converted = [_python_value(one) for one in other]
            if op in _COMPARISONS:
                compared = as_compared(self.expr)
                if compared is not self.expr:
                    return compared.operate(op, *converted, **options)
            return super().operate(op, *converted, **options)

        def as_boolean(self) -> Any:
            return JsonTruth(self.expr)

    return Comparator


def comparator_of(wrapped: TypeEngine[Any]) -> Any:
    """Return what makes expressions of a column, given the type in the database."""
    factory: Any = wrapped.comparator_factory
    return _comparator(factory)


def _python_value(value: Any) -> Any:
    several = members(value)
    return plain(value) if several is None else several


def as_compared(expression: Any) -> Any:
    """Return the expression as it is compared; itself where SQLite compares as MariaDB does."""
    if isinstance(expression, AsCompared):
        return expression
    kind = _plain_type(expression.type)
    if isinstance(kind, DateTime) or (_is_text(kind) and not _is_collated(expression, kind)):
        return AsCompared(expression)
    return expression


def _is_text(kind: Any) -> bool:
    return isinstance(kind, String) and not isinstance(kind, Enum)


def _is_collated(expression: Any, kind: Any) -> bool:
    """Whether a text is a column whose declaration says how it compares."""
    return isinstance(expression, Column) and not isinstance(kind, Text)


def _plain_type(kind: Any) -> Any:
    return kind.impl_instance if isinstance(kind, TypeDecorator) else kind
