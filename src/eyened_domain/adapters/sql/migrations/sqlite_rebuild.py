"""Changing a table of SQLite, which can only be made anew and filled from the old one.

What is made anew is written after the old table's own text, so that what stands in it besides
(columns of others, collations, checks) stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from alembic import op
from attrs import frozen
from sqlalchemy import Connection, Table, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

_GUARD = (
    'CREATE TEMPORARY TABLE "ForeignKeysMustBeOff" ("is_on" INTEGER CHECK ("is_on" = 0))',
    (
        'INSERT INTO "ForeignKeysMustBeOff" SELECT foreign_keys FROM pragma_foreign_keys '
        'WHERE EXISTS (SELECT 1 FROM "{name}")'
    ),
    'DROP TABLE "ForeignKeysMustBeOff"',
)
"""On paper: with foreign keys on, dropping a table would delete what refers to its rows."""


@frozen
class _AsItIs:
    sql: str
    columns: tuple[str, ...]
    further: tuple[str, ...]
    """The texts of its indexes and triggers."""


def table_sql(table: Table) -> str:
    """Return the text of a table as it is in this database; on paper, as it was made."""
    return _as_it_is(table).sql


def rebuild(table: Table, change: Callable[[str], str]) -> None:
    """Make a table anew, with its rows and indexes; foreign keys must be off.

    Args:
        table: as the contract has it.
        change: gives the new text of the table; columns keep their names.
    """
    found, name = _as_it_is(table), table.name
    new = f"{name}__new"
    if op.get_context().as_sql:
        for guard in _GUARD:
            _execute(guard.format(name=name))
    _execute(re.sub(rf'(CREATE TABLE\s+)"?{name}"?', rf'\1"{new}"', change(found.sql), count=1))
    columns = ", ".join(f'"{column}"' for column in found.columns)
    _execute(f'INSERT INTO "{new}" ({columns}) SELECT {columns} FROM "{name}"')  # noqa: S608
    if "AUTOINCREMENT" in found.sql.upper():
        _execute(f"DELETE FROM sqlite_sequence WHERE name = '{new}'")  # noqa: S608
        _execute(
            f"INSERT INTO sqlite_sequence (name, seq) SELECT '{new}', seq "  # noqa: S608
            f"FROM sqlite_sequence WHERE name = '{name}'"
        )
    _execute(f'DROP TABLE "{name}"')
    _execute(f'ALTER TABLE "{new}" RENAME TO "{name}"')
    for one in found.further:
        _execute(one)


def _execute(sql: str) -> None:
    op.execute(text(sql.replace(":", "\\:")))


def _as_it_is(table: Table) -> _AsItIs:
    if op.get_context().as_sql:
        return _on_paper(table)
    return _in_database(op.get_bind(), table.name)


def _on_paper(table: Table) -> _AsItIs:
    dialect = sqlite.dialect()
    table.dialect_options["sqlite"]["autoincrement"] = True
    ordered = sorted(table.indexes, key=lambda index: str(index.name))
    return _AsItIs(
        str(CreateTable(table).compile(dialect=dialect)).strip(),
        tuple(column.name for column in table.columns),
        tuple(str(CreateIndex(index).compile(dialect=dialect)) for index in ordered),
    )


def _in_database(connection: Connection, name: str) -> _AsItIs:
    sql = connection.scalar(
        text("SELECT sql FROM sqlite_master WHERE type = 'table' AND lower(name) = lower(:name)"),
        {"name": name},
    )
    stored = text("SELECT name FROM pragma_table_xinfo(:name) WHERE hidden = 0")
    further = text(
        "SELECT sql FROM sqlite_master WHERE type IN ('index', 'trigger') "
        "AND lower(tbl_name) = lower(:name) AND sql IS NOT NULL ORDER BY type, name"
    )
    return _AsItIs(
        str(sql),
        tuple(connection.scalars(stored, {"name": name})),
        tuple(connection.scalars(further, {"name": name})),
    )
