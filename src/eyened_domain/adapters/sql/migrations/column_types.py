"""Whether a column can hold what the contract's column holds.

Each rule returns None when the types agree, or what differs, with its severity: blocking
when values that the contract allows would not fit, or would come back as something else.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import types
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

from eyened_domain.adapters.sql.migrations.differences import Severity
from eyened_domain.adapters.sql.sqlalchemy_internals import (
    affinity_of,
)

Verdict = tuple[Severity, str] | None

_MYSQL = mysql.dialect()
_BLOB_SIZES = {mysql.TINYBLOB: 255, mysql.MEDIUMBLOB: 2**24 - 1, mysql.LONGBLOB: 2**32 - 1}
_TEXT_SIZES = {mysql.TINYTEXT: 255, mysql.MEDIUMTEXT: 2**24 - 1, mysql.LONGTEXT: 2**32 - 1}
_SMALL_INTEGERS = (mysql.TINYINT, mysql.MEDIUMINT, types.SmallInteger)
_USUAL_SIZE = 65_535


def compare_types(wanted: TypeEngine[Any], found: TypeEngine[Any], dialect: str) -> Verdict:
    """Compare a type of the contract with the one that a database was found to have.

    Args:
        wanted: the contract's.
        found: the database's, as reflected.
        dialect: SQLAlchemy's name of the kind of database.
    """
    if isinstance(found, types.NullType):
        return Severity.BLOCKING, "has a type that is not known here"
    if dialect == "sqlite":
        return _on_sqlite(wanted, found)
    for kind, rule in _RULES:
        if isinstance(wanted, kind):
            verdict: Verdict = rule(wanted, found)
            return verdict
    raise AssertionError(f"the contract has no {wanted!r}")


def _on_sqlite(wanted: TypeEngine[Any], found: TypeEngine[Any]) -> Verdict:
    """Compare the kinds only: SQLite enforces no sizes and knows no ENUM."""
    families = {affinity_of(wanted), affinity_of(found)}
    is_json_text = families == {types.JSON, types.String}
    return None if len(families) == 1 or is_json_text else _other(wanted, found)


def _enum(wanted: Any, found: TypeEngine[Any]) -> Verdict:
    if not isinstance(found, types.Enum):
        longest = max(len(name) for name in wanted.enums)
        if not isinstance(found, types.String) or _text_size(found) < longest:
            return _other(wanted, found)
        return None if type(found) is types.VARCHAR else (Severity.NOTE, _differs(wanted, found))
    missing = [name for name in wanted.enums if name not in found.enums]
    if missing:
        return Severity.BLOCKING, f"does not know the values {', '.join(missing)}"
    further = [name for name in found.enums if name not in wanted.enums]
    if further:
        return Severity.NOTE, f"also knows {', '.join(further)}; rows with these cannot be read"
    if list(found.enums) != list(wanted.enums):
        return Severity.NOTE, "has its values in another order: they sort differently"
    return None


def _text(wanted: Any, found: TypeEngine[Any]) -> Verdict:
    if not isinstance(found, types.String) or isinstance(found, types.Enum):
        return _other(wanted, found)
    need, have = _text_size(wanted), _text_size(found)
    if have < need:
        return Severity.BLOCKING, f"is too short: {_said(found)}, the contract has {_said(wanted)}"
    return (Severity.NOTE, _differs(wanted, found)) if have > need else None


def _text_size(text: Any) -> int:
    for kind, size in _TEXT_SIZES.items():
        if isinstance(text, kind):
            return size
    return int(text.length or _USUAL_SIZE)


def _blob(wanted: Any, found: TypeEngine[Any]) -> Verdict:
    if not isinstance(found, types._Binary):
        return _other(wanted, found)
    wanted = wanted.dialect_impl(_MYSQL)
    if isinstance(found, types.BINARY) and not isinstance(wanted, types.BINARY):
        return _other(wanted, found)  # filled up with zeros, so not what was written
    need, have = _blob_size(wanted), _blob_size(found)
    if have < need:
        return Severity.BLOCKING, f"is too short: {_said(found)}, the contract has {_said(wanted)}"
    return (Severity.NOTE, _differs(wanted, found)) if have > need else None


def _blob_size(blob: Any) -> int:
    for kind, size in _BLOB_SIZES.items():
        if isinstance(blob, kind):
            return size
    return int(getattr(blob, "length", None) or _USUAL_SIZE)


def _integer(wanted: Any, found: TypeEngine[Any]) -> Verdict:
    if not isinstance(found, types.Integer) or isinstance(found, _SMALL_INTEGERS):
        return _other(wanted, found)
    if getattr(found, "unsigned", False) or isinstance(found, types.BigInteger):
        return Severity.NOTE, _differs(wanted, found)
    return None


def _flag(wanted: Any, found: TypeEngine[Any]) -> Verdict:
    if isinstance(found, types.Boolean | mysql.TINYINT):
        return None
    if isinstance(found, types.Integer):
        return Severity.NOTE, _differs(wanted, found)
    return _other(wanted, found)


def _float(wanted: Any, found: TypeEngine[Any]) -> Verdict:
    if not isinstance(found, types.Numeric | types.Float):
        return _other(wanted, found)
    return None if isinstance(found, types.FLOAT) else (Severity.NOTE, _differs(wanted, found))


def _json(wanted: Any, found: TypeEngine[Any]) -> Verdict:
    if isinstance(found, types.JSON | mysql.LONGTEXT):
        return None  # MariaDB's JSON is a LONGTEXT
    if isinstance(found, types.Text):
        return Severity.NOTE, _differs(wanted, found)
    return _other(wanted, found)


def _moment(wanted: Any, found: TypeEngine[Any]) -> Verdict:
    if isinstance(found, types.TIMESTAMP) or getattr(found, "fsp", None):
        return Severity.NOTE, _differs(wanted, found)
    return None if isinstance(found, types.DateTime) else _other(wanted, found)


def _day(wanted: Any, found: TypeEngine[Any]) -> Verdict:
    return None if isinstance(found, types.Date) else _other(wanted, found)


def _other(wanted: Any, found: TypeEngine[Any]) -> Verdict:
    return Severity.BLOCKING, _differs(wanted, found)


def _differs(wanted: Any, found: TypeEngine[Any]) -> str:
    return f"is {_said(found)}, the contract has {_said(wanted)}"


def _said(kind: TypeEngine[Any]) -> str:
    said = kind.compile(_MYSQL).partition(" COLLATE")[0].partition(" CHARACTER SET")[0]
    # MariaDB tells how wide it would show a number, MySQL does not; it changes nothing
    said = re.sub(r"\b((?:SMALL|MEDIUM|BIG)INT|INTEGER)\(\d+\)", r"\1", said)
    return said if len(said) <= 80 else f"{said[:77]}..."


_RULES: tuple[tuple[type[TypeEngine[Any]], Any], ...] = (
    (types.Enum, _enum),
    (types.JSON, _json),
    (types._Binary, _blob),
    (types.Boolean, _flag),
    (types.Integer, _integer),
    (types.Float, _float),
    (types.DateTime, _moment),
    (types.Date, _day),
    (types.String, _text),
)
