"""Makes the table of an entity from what the model declares of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    MetaData,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.schema import SchemaItem

from eyened_domain.adapters.sql.clock import moment_of_update
from eyened_domain.adapters.sql.kinds import kind_type
from eyened_domain.adapters.sql.schema.facts import Columns, TableFacts
from eyened_domain.adapters.sql.schema.types import type_of
from eyened_domain.model.entity import Entity, EntityInfo, entity_class
from eyened_domain.model.fields import ColumnInfo

ENTITY = "eyened_domain.entity"
"""In the `info` of a table: the name of the entity class whose objects it holds."""


def make_table(entity: type[Entity], metadata: MetaData, facts: TableFacts) -> Table:
    """Make the table of an entity class.

    That of a special kind of another entity has only what the kind has in addition, and the
    primary key, which joins it to the other table.

    Args:
        entity: the class.
        metadata: what the table becomes part of; the tables that it refers to may come later.
        facts: what only the database knows of it.
    """
    info = entity.__entity__
    parent = entity_class(info.parent).__entity__ if info.parent else None
    inherited = parent.columns if parent else {}
    inherited_keys = parent.unique if parent else ()
    return Table(
        info.table,
        metadata,
        *([_joining_column(info, parent)] if parent else []),
        *(_column(info, c, facts) for name, c in info.columns.items() if name not in inherited),
        *(_unique_key(key, facts) for key in info.unique if key not in inherited_keys),
        *_indexes(info, facts),
        *(CheckConstraint(condition, name=name) for name, condition in facts.checks.items()),
        info={ENTITY: info.name},
    )


def _column(info: EntityInfo, column: ColumnInfo, facts: TableFacts) -> Column[Any]:
    in_database = facts.types.get(column.name)
    is_counted = column.generated and not column.references
    return Column(
        column.database_name,
        kind_type(info.name, column, type_of(column.kind) if in_database is None else in_database),
        *_references(column),
        key=column.name,
        primary_key=column.primary_key,
        nullable=column.nullable,
        autoincrement="auto" if is_counted or not column.primary_key else False,
        server_default=text("CURRENT_TIMESTAMP") if column.set_on_insert else None,
        onupdate=moment_of_update if column.set_on_update else None,
    )


def _references(column: ColumnInfo) -> Iterator[ForeignKey]:
    if column.references:
        target = entity_class(column.references).__entity__
        (key,) = target.primary_key
        on_delete = None if column.on_delete == "NO ACTION" else column.on_delete
        yield ForeignKey(f"{target.table}.{key}", ondelete=on_delete)


def _joining_column(info: EntityInfo, parent: EntityInfo) -> Column[Any]:
    (key,) = parent.primary_key
    column = info.columns[key]
    return Column(
        column.database_name,
        kind_type(info.name, column, type_of(column.kind)),
        ForeignKey(f"{parent.table}.{key}", ondelete="CASCADE"),
        key=key,
        primary_key=True,
    )


def _unique_key(columns: Columns, facts: TableFacts) -> SchemaItem:
    for name, named in facts.unique_indexes.items():
        if named == columns:
            return Index(name, *columns, unique=True)
    names = {named: name for name, named in facts.unique_constraints.items()}
    return UniqueConstraint(*columns, name=names.get(columns))


def _indexes(info: EntityInfo, facts: TableFacts) -> Iterator[Index]:
    for name in facts.foreign_key_indexes:
        referred = info.columns[name].database_name.removesuffix("ID")
        yield Index(f"fk_{info.table}_{referred}1_idx", name)
    for index, columns in facts.indexes.items():
        yield Index(index, *columns)
