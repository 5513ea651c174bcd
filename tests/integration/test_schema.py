"""The tables and the mapping are the contract's, to the letter."""

import copy
import json
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import CheckConstraint, Column, MetaData, Table, UniqueConstraint
from sqlalchemy.dialects import mysql

import eyened_domain.adapters.sql.mapping  # noqa: F401 - maps the classes
from eyened_domain.adapters.sql.migrations.contract import contract
from eyened_domain.adapters.sql.schema import TABLES, bookkeeping, metadata, pixels, table_of
from eyened_domain.model import (
    Cohort,
    CohortMember,
    CreatorIdentity,
    SubTaskWork,
    TaskConfiguration,
    TrashEntry,
)
from eyened_domain.model.entity import entity_class
from tests.integration.schema_ddl import CHECKS

OURS = {
    table.name
    for table in (
        bookkeeping.unit_of_work_log,
        bookkeeping.import_batch,
        bookkeeping.import_item,
        bookkeeping.attribute_computation,
        bookkeeping.history,
        bookkeeping.history_stream,
        pixels.zarr_array,
        pixels.zarr_slot,
        pixels.database_identity,
        pixels.annotation_conversion,
        table_of(CreatorIdentity),
        table_of(Cohort),
        table_of(CohortMember),
        table_of(TrashEntry),
        table_of(TaskConfiguration),
        table_of(SubTaskWork),
    )
}
OUR_LINKS = {"FormAnnotation": {"FormAnnotationReference", "Revisions"}}
"""Relations that the contract does not list: their columns are in it."""
SHARED = Path(__file__).parents[3] / "shared" / "contract" / "schema.json"

RELAXED_KEY = ("AttributeID", "ModelID", "Laterality")


def taken_further(schema: dict[str, Any]) -> dict[str, Any]:
    """The contract as revision 0004 relaxes it."""
    further = copy.deepcopy(schema)
    values = further["tables"]["AttributeValue"]
    for column in values["columns"]:
        if column["column"] == "ModelID":
            column["nullable"] = True
        if column["column"] == "ValueFloat":
            column["type"] = "DOUBLE"
    for key in values["unique"]:
        key["columns"] = [key["columns"][0], *RELAXED_KEY]
    models = further["tables"]["Model"]
    models["unique"] = [key for key in models["unique"] if len(key["columns"]) > 1]
    return further


@pytest.fixture
def wanted_schema(tables: MetaData, schema: dict[str, Any]) -> dict[str, Any]:
    return schema if tables is contract else taken_further(schema)


both = pytest.mark.parametrize("tables", [metadata, contract], ids=["tables", "revision 0001"])


def type_of(column: Column[Any]) -> str:
    return str(column.type.compile(mysql.dialect())).replace(", ", ",")


def reference_of(column: Column[Any]) -> tuple[str, str] | None:
    for key in column.foreign_keys:
        target = key.column
        return f"{target.table.name}.{target.name}", key.ondelete or "NO ACTION"
    return None


def keys_of(table: Table) -> set[tuple[str | None, tuple[str, ...], bool]]:
    """The unique keys: name, columns, and whether it is a unique index."""
    constraints: set[tuple[Any, tuple[str, ...], bool]] = {
        (c.name, tuple(x.name for x in c.columns), False)
        for c in table.constraints
        if isinstance(c, UniqueConstraint)
    }
    return constraints | {
        (i.name, tuple(c.name for c in i.columns), True) for i in table.indexes if i.unique
    }


@pytest.mark.skipif(not SHARED.exists(), reason=f"{SHARED} is not on this machine")
def test_the_copy_of_the_contract_is_the_contract(schema: dict[str, Any]) -> None:
    assert schema == json.loads(SHARED.read_text())


@both
def test_the_tables_are_those_of_the_contract(tables: MetaData, schema: dict[str, Any]) -> None:
    assert set(tables.tables) - OURS == set(schema["tables"])
    assert len(schema["tables"]) == 40


@both
def test_columns_are_equal_in_name_order_type_and_nullability(
    tables: MetaData, wanted_schema: dict[str, Any]
) -> None:
    for name, wanted in wanted_schema["tables"].items():
        columns = tables.tables[name].columns
        found = [(c.name, type_of(c), c.nullable, c.primary_key) for c in columns]
        assert found == [
            (c["column"], c["type"], c["nullable"], c.get("primary_key", False))
            for c in wanted["columns"]
        ], name


@both
def test_foreign_keys_and_what_they_do_on_delete_are_equal(
    tables: MetaData, schema: dict[str, Any]
) -> None:
    for name, wanted in schema["tables"].items():
        for column in wanted["columns"]:
            found = next(c for c in tables.tables[name].columns if c.name == column["column"])
            asked = (column["references"], column["on_delete"]) if "references" in column else None
            assert reference_of(found) == asked, f"{name}.{column['column']}"


@both
def test_server_defaults_are_equal(tables: MetaData, schema: dict[str, Any]) -> None:
    for name, wanted in schema["tables"].items():
        found = {
            c.name: str(cast("Any", c.server_default).arg)
            for c in tables.tables[name].columns
            if c.server_default is not None
        }
        assert found == {
            c["column"]: c["server_default"] for c in wanted["columns"] if "server_default" in c
        }, name


@both
def test_unique_keys_and_indexes_are_equal(tables: MetaData, wanted_schema: dict[str, Any]) -> None:
    for name, wanted in wanted_schema["tables"].items():
        table = tables.tables[name]
        assert keys_of(table) == {
            (u["name"], tuple(u["columns"]), u.get("as_index", False)) for u in wanted["unique"]
        }, name
        found = {i.name: [c.name for c in i.columns] for i in table.indexes if not i.unique}
        assert found == {i["name"]: i["columns"] for i in wanted["indexes"]}, name


@both
def test_checks_are_equal(tables: MetaData, schema: dict[str, Any]) -> None:
    for name, wanted in schema["tables"].items():
        found = {
            c.name: str(c.sqltext).replace("`", "")
            for c in tables.tables[name].constraints
            if isinstance(c, CheckConstraint)
        }
        assert found == {n: CHECKS[n].replace("`", "") for n in wanted["checks"]}, name


def test_each_column_has_the_python_name_of_the_contract(schema: dict[str, Any]) -> None:
    for name, wanted in schema["tables"].items():
        keys = {c.name: c.key for c in metadata.tables[name].columns}
        assert keys == {c["column"]: c["attribute"] for c in wanted["columns"]}, name


def test_each_entity_has_the_columns_of_its_table_under_both_names(schema: dict[str, Any]) -> None:
    for wanted in schema["tables"].values():
        info = entity_class(wanted["entity"]).__entity__
        for column in wanted["columns"]:
            known = info.columns[info.field_name(column["column"])]
            assert known.name == column["attribute"]
            assert known.database_name == column["column"]


def test_each_entity_is_mapped_to_the_table_of_the_contract(schema: dict[str, Any]) -> None:
    found = {e.__name__: table.name for e, table in TABLES.items() if table.name not in OURS}
    assert found == {name: wanted["table"] for name, wanted in schema["entities"].items()}


def test_the_relationships_are_those_of_the_contract(schema: dict[str, Any]) -> None:
    for name, wanted in schema["entities"].items():
        info = entity_class(name).__entity__
        found = {
            (
                link.database_name,
                link.name,
                link.target,
                link.many,
                None
                if link.back is None
                else entity_class(link.target).__entity__.links[link.back].database_name,
            )
            for link in info.links.values()
            if link.database_name not in OUR_LINKS.get(name, ())
        }
        asked = {
            (r["name"], r["attribute"], r["target"], r["many"], r.get("back"))
            for r in wanted["relationships"]
        }
        assert found == asked, name


def test_relations_of_our_own_lead_through_columns_of_the_contract(schema: dict[str, Any]) -> None:
    for name, ours in OUR_LINKS.items():
        info = entity_class(name).__entity__
        links = {link.database_name: link for link in info.links.values()}
        assert ours <= links.keys()
        columns = {one["attribute"] for one in schema["tables"][info.table]["columns"]}
        for link in (links[one] for one in ours):
            there = link if link.via is not None else info.links[str(link.back)]
            assert there.via in columns


def test_the_mapped_relationships_lead_where_the_contract_says(schema: dict[str, Any]) -> None:
    for name, wanted in schema["entities"].items():
        relationships = entity_class(name).__mapper__.relationships
        for asked in wanted["relationships"]:
            found = relationships[asked["attribute"]]
            assert found.mapper.class_.__name__ == asked["target"]
            assert found.uselist == asked["many"]
            names = entity_class(asked["target"]).__entity__
            back = asked.get("back")
            assert found.back_populates == (back and names.field_name(back))
