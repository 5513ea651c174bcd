"""Comparing a database with the tables of the contract.

Names of constraints and indexes may differ, and so may what is there besides: databases
that grew by migration are told by what they hold and what they enforce.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKeyConstraint,
    Inspector,
    Table,
    UniqueConstraint,
    inspect,
)

from eyened_domain.adapters.sql.migrations.column_types import compare_types
from eyened_domain.adapters.sql.migrations.contract import contract
from eyened_domain.adapters.sql.migrations.differences import (
    Difference,
    Severity,
    blocking,
    note,
)
from eyened_domain.adapters.sql.migrations.state import present_tables
from eyened_domain.adapters.sql.migrations.table_engines import without_transactions


def compare_with_contract(connection: Connection) -> tuple[Difference, ...]:
    """Return everything in which a database differs from the contract; nothing is changed."""
    inspector = inspect(connection)
    present = present_tables(connection, contract.tables)
    differences: list[Difference] = []
    for name, table in contract.tables.items():
        if name in present:
            differences += _TableComparison(inspector, table, present[name])
        else:
            differences.append(blocking("is missing", name))
    return (*without_transactions(connection, contract.tables), *differences)


class _TableComparison:
    """The differences of one table.

    Args:
        inspector: of the database.
        table: the contract's.
        as_written: the name of the table in this database.
    """

    def __init__(self, inspector: Inspector, table: Table, as_written: str) -> None:
        self.inspector = inspector
        self.table = table
        self.as_written = as_written
        self.dialect = inspector.dialect.name
        self.columns = {c["name"].lower(): c for c in inspector.get_columns(as_written)}

    def __iter__(self) -> Iterator[Difference]:
        for column in self.table.columns:
            found = self.columns.get(column.name.lower())
            if found is None:
                yield blocking("is missing", self.table.name, column.name)
            else:
                yield from self._compare_column(column, found)
        yield from self._further_columns()
        yield from self._primary_key()
        yield from self._foreign_keys()
        yield from self._unique_keys()
        yield from self._checks()

    def _compare_column(self, column: Column[Any], found: Any) -> Iterator[Difference]:
        table, name = self.table.name, column.name
        verdict = compare_types(column.type, found["type"], self.dialect)
        if verdict is not None:
            yield Difference(verdict[0], table, name, verdict[1])
        if column.nullable and not found["nullable"]:
            yield blocking("does not accept NULL", table, name)
        elif found["nullable"] and not column.nullable and not column.primary_key:
            yield note("accepts NULL", table, name)
        if column.server_default is not None and found["default"] is None:
            severity = Severity.NOTE if column.nullable else Severity.BLOCKING
            yield Difference(severity, table, name, "has no default of CURRENT_TIMESTAMP")
        counts = column is self.table.autoincrement_column and not column.foreign_keys
        if counts and found.get("autoincrement") is False:
            yield blocking("has no AUTO_INCREMENT", table, name)

    def _further_columns(self) -> Iterator[Difference]:
        known = {column.name.lower() for column in self.table.columns}
        for name, found in self.columns.items():
            is_given = found["nullable"] or found["default"] is not None or found.get("computed")
            if name not in known and not is_given:
                yield blocking(
                    "is not in the contract, and rows cannot be added without it",
                    self.table.name,
                    found["name"],
                )

    def _primary_key(self) -> Iterator[Difference]:
        wanted = {column.name.lower() for column in self.table.primary_key}
        found = self.inspector.get_pk_constraint(self.as_written)["constrained_columns"]
        if {name.lower() for name in found} != wanted:
            columns = ", ".join(found) or "nothing"
            yield blocking(f"has {columns} as its primary key", self.table.name)

    def _foreign_keys(self) -> Iterator[Difference]:
        found = {
            (
                key["constrained_columns"][0].lower(),
                key["referred_table"].lower(),
            ): key.get("options", {}).get("ondelete")
            for key in self.inspector.get_foreign_keys(self.as_written)
        }
        for key in self.table.constraints:
            if isinstance(key, ForeignKeyConstraint):
                yield from self._compare_foreign_key(key, found)

    def _compare_foreign_key(
        self, key: ForeignKeyConstraint, found: dict[tuple[str, str], str | None]
    ) -> Iterator[Difference]:
        (column,) = key.column_keys
        target = key.elements[0].target_fullname.partition(".")[0]
        place = (column.lower(), target.lower())
        if place not in found:
            yield note(f"has no foreign key to {target}", self.table.name, column)
            return
        wanted, has = _on_delete(key.ondelete), _on_delete(found[place])
        if wanted != has:
            what = f"has a foreign key ON DELETE {has}, the contract has ON DELETE {wanted}"
            yield note(what, self.table.name, column)

    def _unique_keys(self) -> Iterator[Difference]:
        keys: list[Any] = [*self.inspector.get_unique_constraints(self.as_written)]
        keys += [i for i in self.inspector.get_indexes(self.as_written) if i["unique"]]
        found = {frozenset(str(name).lower() for name in key["column_names"]) for key in keys}
        wanted = {frozenset(name.lower() for name in names): names for names in self._wanted_keys()}
        for columns in sorted(wanted.keys() - found, key=sorted):
            yield note(f"has no unique key over {', '.join(wanted[columns])}", self.table.name)
        for columns in sorted(found - wanted.keys(), key=sorted):
            has = f"has a unique key over {', '.join(sorted(columns))}"
            if not any(key <= columns for key in (*wanted, self._primary_columns())):
                yield note(f"{has}, the contract has not", self.table.name)

    def _primary_columns(self) -> frozenset[str]:
        return frozenset(column.name.lower() for column in self.table.primary_key)

    def _wanted_keys(self) -> Iterator[tuple[str, ...]]:
        for key in self.table.constraints:
            if isinstance(key, UniqueConstraint):
                yield tuple(column.name for column in key.columns)
        for index in self.table.indexes:
            if index.unique:
                yield tuple(column.name for column in index.columns)

    def _checks(self) -> Iterator[Difference]:
        wanted = [c for c in self.table.constraints if isinstance(c, CheckConstraint)]
        if not wanted:
            return
        found = [
            _letters(check["sqltext"])
            for check in self.inspector.get_check_constraints(self.as_written)
        ]
        for check in wanted:
            if _letters(str(check.sqltext)) not in found:
                yield note(f"has no check {check.name}", self.table.name)


def _on_delete(rule: str | None) -> str:
    # RESTRICT and NO ACTION are the same to MySQL and MariaDB, and the default.
    return "RESTRICT" if rule in (None, "NO ACTION", "RESTRICT") else str(rule).upper()


def _letters(sql: str) -> str:
    """Return a condition without what servers add to it: quotes, blanks, brackets and case."""
    return "".join(
        character for character in sql.lower() if character.isalnum() or character in "+="
    )
