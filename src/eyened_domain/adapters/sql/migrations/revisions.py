"""Which revisions there are, and where a database says at which one it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from eyened_domain.adapters.sql.schema.facts import COMPUTED

VERSION_TABLE = "eyened_domain_version"
"""Ours alone; `alembic_version` belongs to another program on the same database."""

_FILES = (Path(__file__).parent / "versions").glob("[0-9]*_*.py")
REVISIONS = tuple(sorted(file.name.partition("_")[0] for file in _FILES))
"""All revisions, oldest first: known without loading Alembic, which costs a tenth of a second."""

CONTRACT = "0001"
"""The revision that an existing deployment is at when it is adopted."""

HEAD = REVISIONS[-1]


def is_ours(thing: Any, name: str | None, kind: str, reflected: bool, counterpart: Any) -> bool:
    """Tell Alembic's autogenerate what to leave alone.

    That are the tables that other programs have here; and what the database computes of fields,
    with the keys over it, which our tables know by the fields alone.
    """
    if kind == "table":
        return not (reflected and counterpart is None)
    computed = COMPUTED.get(thing.table.name, {})
    if kind == "column":
        return name not in computed
    columns = {column.name for column in getattr(thing, "columns", ())}
    keyed = {*computed, *(thing.table.c[field].name for field in _fields(thing, computed))}
    is_key = kind == "unique_constraint" or getattr(thing, "unique", False)
    return not (computed and is_key and columns & keyed)


def _fields(thing: Any, computed: Any) -> Any:
    return [field for field in computed.values() if field in thing.table.c]
