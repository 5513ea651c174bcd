"""Which link a statement breaks: SQLite says only that there is one.

The statement has failed and was undone, so what it would have broken is looked up: which of
the ids that it writes are not there, or what refers to the rows that it deletes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from attrs import frozen
from sqlalchemy import Column, Connection, ExceptionContext, ForeignKey, Table

from eyened_domain.adapters.sql.schema import metadata

_DELETE = re.compile(r'\s*DELETE FROM "?(\w+)"?(.*)', re.DOTALL | re.IGNORECASE)
_WRITTEN = re.compile(r'\s*(?:INSERT(?: OR \w+)? INTO|UPDATE) "?(\w+)"?', re.IGNORECASE)
_DEEPEST = 12
_WHERE = " WHERE …"
"""Stands in a question for the condition of the statement that deletes."""


@frozen
class Reference:
    """A link that a statement would have broken, by the names of the database."""

    child: str
    column: str
    parent: str
    points_nowhere: bool
    """Whether what it points to is not there; otherwise it still points to what is deleted."""


def broken_reference(context: ExceptionContext) -> Reference | None:
    """Return the link that a failed statement would have broken; None if it cannot be told."""
    connection = context.connection
    if connection is None or connection.dialect.name != "sqlite":
        return None
    statement = context.statement or ""
    cursor = connection.connection.cursor()
    try:
        deletes = _DELETE.match(statement)
        if deletes is not None:
            return _still_referred(cursor, deletes, _sets(context.parameters))
        return _pointing_nowhere(cursor, statement, context)
    finally:
        cursor.close()


def forbidding_reference(
    connection: Connection, statement: str, parameters: Any
) -> Reference | None:
    """Return the link that forbids a deletion on servers, of a row that would go along with it.

    SQLite looks at what forbids when all that goes along is gone; servers before that.
    """
    deletes = _DELETE.match(statement)
    if deletes is None or not _forbids_and_goes_along(deletes.group(1)):
        return None
    cursor = connection.connection.cursor()
    try:
        return _still_referred(cursor, deletes, _sets(parameters))
    finally:
        cursor.close()


@cache
def _forbids_and_goes_along(name: str) -> bool:
    """Whether a row that goes along with one of a table may forbid that it is deleted."""
    table = metadata.tables.get(name)
    if table is None:
        return False
    along = _going_along(table, set())
    return any(reference.child in along for reference, _ in _questions(name))


def _going_along(table: Table, found: set[str]) -> set[str]:
    for key, column in _pointing_to(table):
        if key.ondelete == "CASCADE" and column.table.name not in found:
            found.add(column.table.name)
            _going_along(column.table, found)
    return found


def _sets(parameters: Any) -> Sequence[Any]:
    """Return the sets of parameters of a statement, one for each time it is executed."""
    return parameters if isinstance(parameters, list) else [parameters or ()]


def _pointing_nowhere(cursor: Any, statement: str, context: ExceptionContext) -> Reference | None:
    written = _WRITTEN.match(statement)
    table = metadata.tables.get(written.group(1)) if written else None
    executed: Any = context.execution_context
    if table is None or executed is None:
        return None
    for values in executed.compiled_parameters:
        for key, column in _foreign_keys(table):
            for value in _written_to(column, values):
                if value is not None and not _is_there(cursor, key.column, value):
                    return Reference(table.name, column.name, key.column.table.name, True)
    return None


def _foreign_keys(table: Table) -> Iterator[tuple[ForeignKey, Column[Any]]]:
    for column in table.columns:
        for key in column.foreign_keys:
            yield key, column


def _written_to(column: Column[Any], values: Any) -> Iterator[Any]:
    """Give what a statement writes to a column: of several rows, each has its own parameter."""
    for name, value in values.items():
        if name == column.key or re.fullmatch(rf"{re.escape(column.key)}_m?\d+", name):
            yield value


def _is_there(cursor: Any, column: Column[Any], value: Any) -> bool:
    asked = f'SELECT 1 FROM "{column.table.name}" WHERE "{column.name}" = ?'  # noqa: S608 - names of the schema
    return cursor.execute(asked, (value,)).fetchone() is not None


def _still_referred(
    cursor: Any, deletes: re.Match[str], parameter_sets: Sequence[Any]
) -> Reference | None:
    where = re.sub(r"\sRETURNING\s.*", "", deletes.group(2), flags=re.DOTALL)
    asked = [(one, text.replace(_WHERE, where)) for one, text in _questions(deletes.group(1))]
    for parameters in parameter_sets:
        for reference, question in asked:
            if cursor.execute(question, parameters).fetchone() is not None:
                return reference
    return None


@cache
def _questions(name: str) -> tuple[tuple[Reference, str], ...]:
    """Return what may refer to rows of a table, and what asks whether it does."""
    table = metadata.tables.get(name)
    return () if table is None else tuple(_referrers(table, _WHERE, 0))


def _referrers(table: Any, where: str, depth: int) -> Iterator[tuple[Reference, str]]:
    """Give what may refer to rows of a table, and the statement that says whether it does.

    What goes along with the rows is followed; what forbids comes first.
    """
    found = sorted(_pointing_to(table), key=lambda pair: pair[0].ondelete or "")
    for key, column in found:
        ids = f'SELECT "{key.column.name}" FROM "{table.name}"{where}'  # noqa: S608 - names of the schema
        child = column.table
        further = f' WHERE "{child.name}"."{column.name}" IN ({ids})'
        if key.ondelete not in {"CASCADE", "SET NULL"}:
            reference = Reference(child.name, column.name, table.name, False)
            yield reference, f'SELECT 1 FROM "{child.name}"{further} LIMIT 1'  # noqa: S608
        elif key.ondelete == "CASCADE" and depth < _DEEPEST:
            yield from _referrers(child, further, depth + 1)


def _pointing_to(table: Table) -> Iterator[tuple[ForeignKey, Column[Any]]]:
    for other in metadata.sorted_tables:
        for key, column in _foreign_keys(other):
            if key.column.table is table:
                yield key, column
