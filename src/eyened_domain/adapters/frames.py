"""Queries as DataFrames: one statement, no objects; `frame` says how."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any

import sqlalchemy
from sqlalchemy import Column, Select, Table
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import Mapper, Session
from sqlalchemy.sql.elements import ColumnElement, TextClause
from sqlalchemy.sql.visitors import iterate
from sqlalchemy.types import TypeDecorator, TypeEngine

from eyened_domain.errors import BadInput, RuleBroken
from eyened_domain.model.entity import Entity, entity_classes
from eyened_domain.model.values import Blob, Day, Flag, Integer, Json, Kind, Moment, Real, Text
from eyened_domain.services.data_frames import backend_of


def frame(
    session: Session,
    statement: Select[*tuple[Any, ...]],
    *,
    backend: str = "pandas",
    database_names: bool = False,
) -> Any:
    """Return the rows of a query as a DataFrame, read with one statement.

        frame(session, select(Patient.PatientIdentifier, Study.StudyDate).join(Study))

    Args:
        session: an open session.
        statement: ``select(…)`` of columns, expressions and entities; an entity stands
            for all its columns that are not private.
        backend: ``pandas`` or ``polars``.
        database_names: label the columns as the database does (``PatientIdentifier``)
            instead of as Python does (``patient_identifier``). A ``.label(…)`` of one's
            own is kept. A name that would stand there twice gets its entity before it:
            ``Study.date_inserted``.

    Returns:
        a DataFrame of shape (rows, columns): enum members by name, dates as datetimes
        (pandas, ``datetime64[s]``) or dates (polars), whole numbers as whole numbers.

    Raises:
        BadInput: it is no ``select``, or two columns have the same label.
        RuleBroken: a private column is asked for, or SQL text, which might hide one.
        ConfigurationError: the backend is not installed.
    """
    make = backend_of(backend)
    if not isinstance(statement, Select):
        raise BadInput(f"a DataFrame is made from a select(…), not from {type(statement).__name__}")
    for expression in statement.inner_columns:
        _refuse_text(expression)
    asked = statement.column_descriptions
    columns = [column for one in asked for column in _columns_of(one)]
    for column in columns:
        _refuse_private(column)
    labels = _labels(columns, database_names=database_names)
    if any(_is_entity(one) for one in asked):
        statement = statement.with_only_columns(*columns, maintain_column_froms=True)
    rows = session.execute(statement).all()
    values = zip(*rows, strict=True) if rows else iter([()] * len(columns))
    kinds = {label: _kind(one.type) for label, one in zip(labels, columns, strict=True)}
    data = {label: _plain(some, kinds[label]) for label, some in zip(labels, values, strict=True)}
    return make(data, kinds)


def _columns_of(asked: Mapping[str, Any]) -> Iterator[Any]:
    """Give the column that was asked for; of an entity, all that may be shown."""
    if not _is_entity(asked):
        yield asked["expr"]
        return
    for name, info in asked["type"].__entity__.columns.items():
        if not info.private:
            yield getattr(asked["entity"], name)


def _is_entity(asked: Mapping[str, Any]) -> bool:
    return isinstance(asked["type"], type) and issubclass(asked["type"], Entity)


def _refuse_private(column: Any) -> None:
    expression = column.__clause_element__() if hasattr(column, "__clause_element__") else column
    private = _private_columns()
    for source in _sources(expression):
        owner = private.get(_origin(source))
        if owner is not None:
            raise RuleBroken(
                f"{owner}.{source.key} is private; it is not shown in a DataFrame",
                entity=owner,
                field=source.key,
            )


def _refuse_text(expression: Any) -> None:
    for source in _sources(expression):
        is_text = isinstance(source, TextClause) or getattr(source, "is_literal", False)
        is_counted = source is not expression and getattr(source, "name", "") == "*"  # count(*)
        if is_text and not is_counted:
            raise RuleBroken(
                "a DataFrame is made from the columns of entities, not from SQL text, which "
                "could name a private column"
            )


def _sources(expression: Any) -> Iterator[Any]:
    """Give all that an expression is made of, also through subqueries."""
    for part in iterate(expression):
        yield part
        if isinstance(part, ColumnElement):
            for base in part.base_columns:
                if base is not part:
                    yield from _sources(base)


def _origin(source: Any) -> tuple[str, str] | None:
    """Return the names of the table and the column, for a column of a table."""
    table = getattr(source, "table", None) if isinstance(source, Column) else None
    return (table.name, source.name) if isinstance(table, Table) else None


def _private_columns() -> dict[tuple[str, str] | None, str]:
    """Return the entity of each private column, by the names of its table and its own."""
    return {
        (entity.__entity__.table, info.database_name): entity.__name__
        for entity in entity_classes()
        for info in entity.__entity__.columns.values()
        if info.private
    }


def _labels(columns: Sequence[Any], *, database_names: bool) -> list[str]:
    labels = [_label(column, database_names=database_names) for column in columns]
    often = {label for label, times in Counter(labels).items() if times > 1}
    for place, column in enumerate(columns):
        mapper = getattr(column, "parent", None)
        if labels[place] in often and isinstance(mapper, Mapper):
            labels[place] = f"{mapper.class_.__name__}.{labels[place]}"
    for label, times in Counter(labels).items():
        if times > 1:
            raise BadInput(f"{times} columns are called {label}; give them names with .label(…)")
    return labels


def _label(column: Any, *, database_names: bool) -> str:
    mapper = getattr(column, "parent", None)
    name = getattr(column, "key", None) or getattr(column, "name", None) or str(column)
    if database_names and isinstance(mapper, Mapper):
        return str(mapper.class_.__entity__.columns[name].database_name)
    return str(name)


def _kind(of: TypeEngine[Any]) -> Kind:
    """Return the kind of values that a column of a statement gives."""
    kind = of.impl_instance if isinstance(of, TypeDecorator) else of
    if isinstance(kind, EnumType):
        return Text()
    return next((made for types, made in _KINDS if isinstance(kind, types)), Json())


def _plain(values: Sequence[Any], kind: Kind) -> list[Any]:
    """Return the values, with the names of enum members in their place, and no Decimals."""
    if isinstance(kind, Integer | Real):  # MySQL gives sums and means as Decimals
        number = int if isinstance(kind, Integer) else float
        return [number(value) if isinstance(value, Decimal) else value for value in values]
    return [value.name if isinstance(value, Enum) else value for value in values]


_KINDS: tuple[tuple[type[TypeEngine[Any]], Kind], ...] = (
    (sqlalchemy.String, Text()),
    (sqlalchemy.Date, Day()),
    (sqlalchemy.DateTime, Moment()),
    (sqlalchemy.Integer, Integer()),
    (sqlalchemy.Numeric, Real()),
    (sqlalchemy.Boolean, Flag()),
    (sqlalchemy.LargeBinary, Blob(2**32 - 1)),
)
