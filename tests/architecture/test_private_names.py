"""Private names of SQLAlchemy stand in one module, so that each can be tested by itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, CursorResult, Engine, Select
from sqlalchemy.engine.cursor import CursorResultMetaData
from sqlalchemy.orm import ClassManager, InstanceState, InstrumentedAttribute, Mapper, Session
from sqlalchemy.orm.collections import CollectionAdapter
from sqlalchemy.orm.context import QueryContext
from sqlalchemy.orm.unitofwork import UOWTransaction
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

import eyened_domain

ROOT = Path(eyened_domain.__file__).parent
ITS_ROOM = ROOT / "adapters" / "sql" / "sqlalchemy_internals.py"
OWNERS = (
    Session,
    InstanceState,
    type(Session().identity_map),
    ClassManager,
    CollectionAdapter,
    InstrumentedAttribute,
    Mapper,
    UOWTransaction,
    QueryContext.default_load_options,
    CursorResult,
    CursorResultMetaData,
    SQLCompiler,
    Select,
    TypeEngine,
    Engine,
    Connection,
)


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


PRIVATE = {name for owner in OWNERS for name in dir(owner) if _is_private(name)} | {
    "_key_to_index",  # set by methods, so that no class tells them
    "_keymap",
    "_sa_instance_state",
    "_sa_adapter",
    "_new",
    "_deleted",
    "_modified",
    "_label_resolve_dict",
}


def _used_in(source: str) -> Iterator[str]:
    """Yield the private names of SQLAlchemy that a module uses of something else than itself."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
            yield from (one.name for one in node.names if _is_private(one.name))
        elif isinstance(node, ast.Attribute) and node.attr in PRIVATE:
            is_own = isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}
            if not is_own:
                yield node.attr
        elif isinstance(node, ast.Constant) and node.value in PRIVATE:
            yield str(node.value)


def _bad_examples() -> list[str]:
    return [
        "session._deleted.clear()",
        "super()._update_impl(state)",
        "from sqlalchemy.sql.elements import _label_reference",
        "vars(one)['_sa_instance_state']",
    ]


def test_a_private_name_is_found_wherever_it_stands() -> None:
    assert all(list(_used_in(source)) for source in _bad_examples())


def test_private_names_of_sqlalchemy_stand_in_one_module() -> None:
    used = {
        str(path.relative_to(ROOT)): sorted(set(_used_in(path.read_text("utf-8"))))
        for path in ROOT.rglob("*.py")
        if path != ITS_ROOM and "sqlalchemy" in path.read_text("utf-8")
    }
    assert {path: names for path, names in used.items() if names} == {}
