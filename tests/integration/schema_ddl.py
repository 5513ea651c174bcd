"""The DDL of the contract, written straight from `schema.json`: not by way of our tables."""

from collections.abc import Iterator
from typing import Any

OWNERS = ("ImageInstanceID", "SegmentationID", "ModelSegmentationID", "PatientID", "StudyID")
CHECKS = {
    "ck_AttributeValue_exactly_one_entity": " + ".join(f"(`{o}` IS NOT NULL)" for o in OWNERS)
    + " = 1"
}


def mysql_ddl(schema: dict[str, Any], prefix: str = "") -> list[str]:
    """CREATE TABLE for each table.

    Args:
        schema: what `schema.json` holds.
        prefix: put before the names of keys and indexes: they may differ in a deployment.
    """
    tables = schema["tables"]
    return [f"CREATE TABLE `{name}` (\n  {_body(name, tables[name], prefix)}\n)" for name in tables]


def _body(name: str, table: dict[str, Any], prefix: str) -> str:
    keys = [c["column"] for c in table["columns"] if c.get("primary_key")]
    parts = [_column(c, keys) for c in table["columns"]]
    parts.append(f"PRIMARY KEY ({_names(keys)})")
    parts += _keys(name, table, prefix)
    parts += [
        f"FOREIGN KEY (`{c['column']}`) REFERENCES {_reference(c['references'])}"
        f" ON DELETE {c['on_delete']}"
        for c in table["columns"]
        if "references" in c
    ]
    parts += [f"CONSTRAINT `{prefix}{check}` CHECK ({CHECKS[check]})" for check in table["checks"]]
    return ",\n  ".join(parts)


def _column(column: dict[str, Any], keys: list[str]) -> str:
    line = f"`{column['column']}` {column['type']} {'NULL' if column['nullable'] else 'NOT NULL'}"
    if "server_default" in column:
        line += f" DEFAULT {column['server_default']}"
    counts = keys == [column["column"]] and "references" not in column
    return line + " AUTO_INCREMENT" * counts


def _keys(name: str, table: dict[str, Any], prefix: str) -> Iterator[str]:
    for number, key in enumerate(table["unique"]):
        called = f"{prefix}{key['name'] or f'{name}_{number}'}"
        yield f"UNIQUE KEY `{called}` ({_names(key['columns'])})"
    for index in table["indexes"]:
        yield f"KEY `{prefix}{index['name']}` ({_names(index['columns'])})"


def _reference(target: str) -> str:
    table, _, column = target.partition(".")
    return f"`{table}` (`{column}`)"


def _names(columns: list[str]) -> str:
    return ", ".join(f"`{column}`" for column in columns)
