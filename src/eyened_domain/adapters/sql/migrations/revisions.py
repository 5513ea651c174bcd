"""Which revisions there are, and where a database says at which one it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

VERSION_TABLE = "eyened_domain_version"
"""Ours alone; `alembic_version` belongs to another program on the same database."""

_FILES = (Path(__file__).parent / "versions").glob("[0-9]*_*.py")
REVISIONS = tuple(sorted(file.name.partition("_")[0] for file in _FILES))
"""All revisions, oldest first: known without loading Alembic, which costs a tenth of a second."""

CONTRACT = "0001"
"""The revision that an existing deployment is at when it is adopted."""

HEAD = REVISIONS[-1]


def is_ours(thing: Any, name: str | None, kind: str, reflected: bool, counterpart: Any) -> bool:  # noqa: ARG001
    """Tell Alembic's autogenerate to leave alone the tables that other programs have here."""
    return not (kind == "table" and reflected and counterpart is None)
