"""Relaxations for attributes: each eye its own value, whole numbers of digits, versions of models.

Other programs on the same database do not notice: they find the same tables, columns and names
of keys, and can write what they wrote before.

- The unique keys of `AttributeValue` tell eyes apart. A value without an eye, or without a model,
  is still there once: NULLs would all be different in a key, so it is over two columns that are
  computed, in which nothing is 0. On servers these are invisible.
- `AttributeValue.ModelID` may be NULL, as in the schema that deployments move to.
- `AttributeValue.ValueFloat` is DOUBLE. What was FLOAT becomes the shortest decimal number that
  is the same in single precision: 0.1, not 0.10000000149011612.
- `Model.ModelName` is no key by itself: with `Version` it is.
"""

import re

from alembic import op
from sqlalchemy import inspect

from eyened_domain.adapters.sql.migrations.contract import contract
from eyened_domain.adapters.sql.migrations.sqlite_rebuild import rebuild, table_sql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEYS = {
    "uq_AttributeValue_image_attribute_model": "ImageInstanceID",
    "uq_AttributeValue_modelseg_attribute_model": "ModelSegmentationID",
    "uq_AttributeValue_patient_attribute_model": "PatientID",
    "uq_AttributeValue_segmentation_attribute_model": "SegmentationID",
    "uq_AttributeValue_study_attribute_model": "StudyID",
}
MODEL_KEY = "COALESCE({q}ModelID{q}, 0)"
EYE_KEY = "CASE {q}Laterality{q} WHEN 'L' THEN 1 WHEN 'R' THEN 2 ELSE 0 END"
INVISIBLE = "/*!80023 INVISIBLE */ /*M!100303 INVISIBLE */"

_SIZE = "ABS(ValueFloat)"
_DECIMALS = f"(5 - FLOOR(LOG10({_SIZE})))"
_HALF = f"POW(2, FLOOR(LOG2({_SIZE})) - 24)"
_ROUNDED = " ".join(
    f"WHEN ABS(ROUND(ValueFloat, {_DECIMALS} + {more}) - ValueFloat) < {_HALF} "
    f"THEN ROUND(ValueFloat, {_DECIMALS} + {more})"
    for more in (0, 1, 2)
)
_IS_SINGLE = f"MOD(ValueFloat * POW(2, 23 - FLOOR(LOG2({_SIZE}))), 1) = 0"
"""What was written in double precision is left alone: it has more digits than 24 bits."""
SHORTEST = (
    f"UPDATE AttributeValue SET ValueFloat = CASE {_ROUNDED} ELSE ValueFloat END "  # noqa: S608
    f"WHERE {_SIZE} BETWEEN 1e-12 AND 1e12 AND {_IS_SINGLE}"
)
"""Of all numbers that are the same in single precision, the shortest of 6, 7 or 8 digits."""


def upgrade() -> None:
    """Relax the keys and columns; on servers each step is skipped that was done."""
    if op.get_context().dialect.name == "sqlite":
        _relax_sqlite()
        return
    if not _is_relaxed():
        dropped = [f"DROP INDEX `{name}`" for owner in KEYS.values() for name in _keys_of(owner)]
        added = [
            f"ADD UNIQUE KEY `{name}` (`{owner}`, `AttributeID`, `ModelKey`, `LateralityKey`)"
            for name, owner in KEYS.items()
        ]
        changes = [
            "MODIFY `ModelID` INTEGER NULL",
            "MODIFY `ValueFloat` DOUBLE NULL",
            *(
                f"ADD COLUMN `{name}` INTEGER GENERATED ALWAYS AS ({made.format(q='`')}) "
                f"VIRTUAL {INVISIBLE}"
                for name, made in (("ModelKey", MODEL_KEY), ("LateralityKey", EYE_KEY))
            ),
        ]
        op.execute(f"ALTER TABLE `AttributeValue` {', '.join([*changes, *dropped, *added])}")
    op.execute(SHORTEST)
    for name in _unique_keys("Model", {"ModelName"}, on_paper="ModelName_2"):
        op.execute(f"ALTER TABLE `Model` DROP INDEX `{name}`")


def downgrade() -> None:
    """Go back to the contract; refused by the database where values or models need what is new."""
    if op.get_context().dialect.name == "sqlite":
        _restore_sqlite()
        return
    if _is_relaxed():
        changes = [f"DROP INDEX `{name}`" for name in KEYS]
        changes += [
            f"ADD UNIQUE KEY `{name}` (`{owner}`, `AttributeID`, `ModelID`)"
            for name, owner in KEYS.items()
        ]
        changes += [
            "DROP COLUMN `LateralityKey`",
            "DROP COLUMN `ModelKey`",
            "MODIFY `ModelID` INTEGER NOT NULL",
            "MODIFY `ValueFloat` FLOAT NULL",
        ]
        op.execute(f"ALTER TABLE `AttributeValue` {', '.join(changes)}")
    if not _unique_keys("Model", {"ModelName"}, on_paper=None):
        op.execute("ALTER TABLE `Model` ADD UNIQUE KEY `ModelName_2` (`ModelName`)")


def _is_relaxed() -> bool:
    if op.get_context().as_sql:
        return False
    columns = inspect(op.get_bind()).get_columns("AttributeValue")
    return any(column["name"] == "ModelKey" for column in columns)


def _keys_of(owner: str) -> list[str]:
    named = next(name for name, column in KEYS.items() if column == owner)
    return _unique_keys("AttributeValue", {owner, "AttributeID", "ModelID"}, on_paper=named)


def _unique_keys(table: str, columns: set[str], *, on_paper: str | None) -> list[str]:
    """Return the names of the unique keys over columns; deployments call them as they like."""
    if op.get_context().as_sql:
        return [] if on_paper is None else [on_paper]
    indexes = inspect(op.get_bind()).get_indexes(table)
    return [
        str(index["name"])
        for index in indexes
        if index["unique"] and set(index["column_names"]) == columns
    ]


# --- SQLite ------------------------------------------------------------------------------------

_MADE = ', "ModelKey" INTEGER GENERATED ALWAYS AS ({model}) VIRTUAL, "LateralityKey" INTEGER '
_MADE += "GENERATED ALWAYS AS ({eye}) VIRTUAL"
_COMPUTED = _MADE.format(model=MODEL_KEY.format(q='"'), eye=EYE_KEY.format(q='"'))
_VALUE, _MODEL, _NAME_KEY = '"ValueJSON" JSON', '"ModelID" INTEGER', 'UNIQUE ("ModelName")'


def _relax_sqlite() -> None:
    values = contract.tables["AttributeValue"]
    if '"ModelKey"' not in table_sql(values):
        rebuild(values, _relaxed)
        for name, owner in KEYS.items():
            op.execute(
                f'CREATE UNIQUE INDEX "{name}" ON "AttributeValue" '
                f'("{owner}", "AttributeID", "ModelKey", "LateralityKey")'
            )
    models = contract.tables["Model"]
    if _NAME_KEY in table_sql(models):
        rebuild(models, lambda sql: re.sub(rf",\s*{re.escape(_NAME_KEY)}", "", sql, count=1))


def _relaxed(sql: str) -> str:
    for name, owner in KEYS.items():
        key = rf',\s*CONSTRAINT "?{name}"? UNIQUE \("{owner}", "AttributeID", "ModelID"\)'
        sql = re.sub(key, "", sql, count=1)
    sql = sql.replace(f"{_MODEL} NOT NULL", _MODEL, 1)
    return sql.replace(_VALUE, _VALUE + _COMPUTED, 1)


def _restore_sqlite() -> None:
    if not op.get_context().as_sql:
        for name in KEYS:
            op.execute(f'DROP INDEX "{name}"')
    rebuild(contract.tables["AttributeValue"], _restored)
    rebuild(contract.tables["Model"], lambda sql: _with_keys(sql, [_NAME_KEY]))


def _restored(sql: str) -> str:
    sql = sql.replace(_COMPUTED, "", 1).replace(_MODEL, f"{_MODEL} NOT NULL", 1)
    keys = [
        f'CONSTRAINT "{name}" UNIQUE ("{owner}", "AttributeID", "ModelID")'
        for name, owner in KEYS.items()
    ]
    return _with_keys(sql, keys)


def _with_keys(sql: str, keys: list[str]) -> str:
    body, _, end = sql.rpartition(")")
    return f"{body.rstrip()}, {', '.join(keys)}\n){end}"
