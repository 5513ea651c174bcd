"""Column types: those of the contract on MySQL, their nearest kin on SQLite.

On SQLite texts are declared to compare as NOCASE, which our connections define as
`model.names.compare` does. What values a column accepts, and what they become, says its kind
in the model: `adapters.sql.kinds` wraps these types when the classes are mapped.
"""

from __future__ import annotations

from enum import Enum as PythonEnum
from typing import Any

from sqlalchemy import (
    BINARY,
    JSON,
    Date,
    DateTime,
    Dialect,
    Enum,
    LargeBinary,
    String,
    TypeDecorator,
)
from sqlalchemy.dialects.mysql import LONGBLOB, TINYBLOB
from sqlalchemy.types import TypeEngine

from eyened_domain.adapters.sql.tables.old_rows import Reader, reader_of
from eyened_domain.model.values import is_same_json


def varchar(length: int) -> TypeEngine[str]:
    """VARCHAR that compares without regard to case, as MySQL's default collations do."""
    return String(length).with_variant(String(length, collation="NOCASE"), "sqlite")


def exact(length: int) -> TypeEngine[str]:
    """VARCHAR that compares byte by byte: names of files, where case matters."""
    return String(length).with_variant(String(length, collation="utf8mb4_bin"), "mysql", "mariadb")


class OldRows(TypeDecorator[Any]):
    """A type whose columns may hold, in old rows, what they cannot mean."""

    impl: Any = Enum
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Reader | None:
        """See `old_rows`."""
        return reader_of(self.impl_instance, dialect, coltype)


class Word(OldRows):
    """ENUM."""

    cache_ok = True


class Bytes(OldRows):
    """BLOB."""

    impl = LargeBinary
    cache_ok = True


def names_of(enum: type[PythonEnum]) -> Word:
    """ENUM of the names of a Python enum; the member or its name is accepted in queries."""
    return Word(enum, validate_strings=True)


def values_of(enum: type[PythonEnum]) -> Word:
    """ENUM of the values of a Python enum."""
    return Word(
        enum, values_callable=lambda members: [m.value for m in members], validate_strings=True
    )


def binary(length: int) -> TypeEngine[bytes]:
    """BINARY, filled up with zero bytes on MySQL; a BLOB on SQLite, which knows no BINARY."""
    return BINARY(length).with_variant(Bytes(), "sqlite")


class Day(OldRows):
    """DATE."""

    impl = Date
    cache_ok = True


class Moment(OldRows):
    """DATETIME in whole seconds, without zone."""

    impl = DateTime
    cache_ok = True


class _ExactJson(JSON):
    """JSON in which 1, 1.0 and True are not the same: an edit from one to the other is stored."""

    def compare_values(self, x: Any, y: Any) -> bool:
        """Whether two values are the same JSON."""
        return is_same_json(x, y)


Json = _ExactJson(none_as_null=True)
TinyBlob = Bytes(255).with_variant(TINYBLOB(), "mysql", "mariadb")
LongBlob = Bytes().with_variant(LONGBLOB(), "mysql", "mariadb")
