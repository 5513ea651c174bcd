"""Column types: those of the contract on MySQL, their nearest kin on SQLite.

On SQLite texts are declared to compare as NOCASE, which our connections define as
`model.names.compare` does. What values a column of an entity accepts, and what they become,
says its kind in the model: `adapters.sql.kinds` wraps these types.
"""

from __future__ import annotations

from enum import Enum as PythonEnum
from typing import Any

import sqlalchemy
from sqlalchemy import (
    BINARY,
    JSON,
    Boolean,
    Date,
    DateTime,
    Dialect,
    Double,
    Enum,
    Float,
    LargeBinary,
    String,
    TypeDecorator,
)
from sqlalchemy.dialects.mysql import BLOB, LONGBLOB, MEDIUMBLOB, MEDIUMTEXT, TINYBLOB
from sqlalchemy.types import TypeEngine

from eyened_domain.adapters.sql.old_rows import Reader, reader_of
from eyened_domain.model import values
from eyened_domain.model.values import Blob, Choice, Kind, Text, is_same_json


def varchar(length: int) -> TypeEngine[str]:
    """VARCHAR that compares without regard to case, as MySQL's default collations do."""
    return String(length).with_variant(String(length, collation="NOCASE"), "sqlite")


def exact(length: int) -> TypeEngine[str]:
    """VARCHAR that compares byte by byte: names of files, where case matters."""
    return String(length).with_variant(String(length, collation="utf8mb4_bin"), "mysql", "mariadb")


class OldRows(TypeDecorator[Any]):
    """A type whose columns may hold, in old rows, what they cannot mean."""

    impl: Any = LargeBinary
    cache_ok: bool | None = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Reader | None:
        """See `old_rows`."""
        return reader_of(self.impl_instance, dialect, coltype)


class Bytes(OldRows):
    """BLOB."""

    cache_ok: bool | None = True


class Moment(OldRows):
    """DATETIME in whole seconds, without zone."""

    impl = DateTime
    cache_ok: bool | None = True


def binary(length: int) -> TypeEngine[bytes]:
    """BINARY, filled up with zero bytes on MySQL; a BLOB on SQLite, which knows no BINARY."""
    return BINARY(length).with_variant(Bytes(), "sqlite")


class _ExactJson(JSON):
    """JSON in which 1, 1.0 and True are not the same: an edit from one to the other is stored."""

    def compare_values(self, x: Any, y: Any) -> bool:
        """Whether two values are the same JSON."""
        return is_same_json(x, y)


Json: _ExactJson = _ExactJson(none_as_null=True)


def names_of(enum: type[PythonEnum]) -> Enum:
    """ENUM of the names of a Python enum; the member or its name is accepted in queries."""
    return Enum(enum, validate_strings=True)


def values_of(enum: type[PythonEnum]) -> Enum:
    """ENUM of the values of a Python enum."""
    return Enum(
        enum, values_callable=lambda members: [m.value for m in members], validate_strings=True
    )


def blob(length: int) -> TypeEngine[bytes]:
    """TINYBLOB to LONGBLOB, as many bytes as must fit; a BLOB on SQLite."""
    kind = next(kind for size, kind in _BLOBS if length < size)
    return LargeBinary(length).with_variant(kind(), "mysql", "mariadb")


_BLOBS: tuple[tuple[int, type[TypeEngine[bytes]]], ...] = (
    (2**8, TINYBLOB),
    (2**16, BLOB),
    (2**24, MEDIUMBLOB),
    (2**32, LONGBLOB),
)
_USUAL: dict[type[Any], TypeEngine[Any]] = {
    values.Integer: sqlalchemy.Integer(),
    values.Real: Float(),
    values.Flag: Boolean(),
    values.Day: Date(),
    values.Moment: DateTime(),
    values.Json: Json,
}


def type_of(kind: Kind) -> TypeEngine[Any]:
    """Return the type in which the database usually holds the values of a kind."""
    match kind:
        case Text(length=None):
            return sqlalchemy.Text()
        case Text(length=int(length)):
            return varchar(length)
        case Choice(enum=enum):
            return names_of(enum)
        case Blob(length=length):
            return blob(length)
        case values.Real(double=True):
            return Double().with_variant(Float(), "sqlite")
        case _:
            return _USUAL[type(kind)]


LongText: TypeEngine[str] = sqlalchemy.Text().with_variant(MEDIUMTEXT(), "mysql", "mariadb")
"""A text that may be longer than the 65,535 bytes of a TEXT: up to 16 MB."""
