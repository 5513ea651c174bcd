"""The tables of the contract as revision 0001 makes them, and as `adopt` looks for them.

They are read from `contract.json`. Frozen: what a migration does must not change when the tables
of the software change. Later changes are revisions of their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

from sqlalchemy import (
    BINARY,
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Enum,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.mysql import LONGBLOB, TINYBLOB
from sqlalchemy.types import TypeEngine

Written = Mapping[str, Any]
"""A part of `contract.json`."""


def _varchar(length: str) -> TypeEngine[str]:
    """On SQLite it compares without regard to case, as on MySQL."""
    return String(int(length)).with_variant(String(int(length), collation="NOCASE"), "sqlite")


def _binary(length: str) -> TypeEngine[bytes]:
    """On SQLite it is a BLOB: BINARY would be taken for a number."""
    return BINARY(int(length)).with_variant(LargeBinary(), "sqlite")


_TYPES: dict[str, Callable[..., TypeEngine[Any]]] = {
    "INTEGER": Integer,
    "FLOAT": Float,
    "BOOL": Boolean,
    "DATE": Date,
    "DATETIME": DateTime,
    "JSON": JSON,
    "TEXT": Text,
    "TINYBLOB": lambda: LargeBinary(255).with_variant(TINYBLOB(), "mysql", "mariadb"),
    "LONGBLOB": lambda: LargeBinary().with_variant(LONGBLOB(), "mysql", "mariadb"),
    "VARCHAR": _varchar,
    "BINARY": _binary,
    "ENUM": Enum,
}


def _type(written: str) -> TypeEngine[Any]:
    name, *arguments = re.findall(r"\w+", written)
    return _TYPES[name](*arguments)


def _column(written: Written, *, is_only_key: bool) -> Column[Any]:
    default, target = written.get("server_default"), written.get("references")
    on_delete = written.get("on_delete")
    rule = None if on_delete == "NO ACTION" else on_delete
    return Column(
        written["column"],
        _type(written["type"]),
        *([] if target is None else [ForeignKey(target, ondelete=rule)]),
        nullable=written["nullable"],
        primary_key=written.get("primary_key", False),
        autoincrement="auto" if is_only_key else False,
        server_default=None if default is None else text(default),
    )


def _table(name: str, written: Written, metadata: MetaData) -> Table:
    keys = [one for one in written["columns"] if one.get("primary_key")]
    return Table(
        name,
        metadata,
        *(_column(one, is_only_key=len(keys) == 1) for one in written["columns"]),
        *(UniqueConstraint(*one["columns"], name=one["name"]) for one in written["unique"]),
        *(CheckConstraint(one["sql"], name=one["name"]) for one in written["checks"]),
        *(Index(one["name"], *one["columns"], unique=one["unique"]) for one in written["indexes"]),
    )


def _read() -> MetaData:
    written = json.loads(
        files("eyened_domain.adapters.sql.migrations").joinpath("contract.json").read_text("utf-8")
    )
    metadata = MetaData()
    for name, table in written.items():
        _table(name, table, metadata)
    return metadata


contract: MetaData = _read()
"""The 40 tables as revision 0001 makes them."""
