"""Attributes from a DataFrame and back, against SQLAlchemy Core doing the same.

    python -m benchmarks.attributes [--database mariadb|sqlite] [--images 5000] [--runs 5]

Eight columns (six of numbers, one of whole numbers, one of texts) are written as new, again with
other values, again with the same values, and read back as a wide DataFrame beside the project,
the patient and the date. The limit begins and ends with the same DataFrames: Core on plain tables
without the types of the model, an INSERT that becomes an UPDATE where the row is there
(ON DUPLICATE KEY UPDATE), the ids known beforehand, and nothing checked. The goals are those on
MariaDB; exit code 1 when one is missed.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from attrs import evolve, frozen
from sqlalchemy import Double, MetaData, Table, delete, insert, select
from sqlalchemy.dialects import mysql, sqlite

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.dataset import fill
from benchmarks.run import as_table
from benchmarks.timing import Figure, ratio
from campaigns.kit.databases import MARIADB_URL, fresh_database
from eyened_domain import Attributes, ImageInstance
from eyened_domain.adapters.database import Database

URL = MARIADB_URL.replace("benchmarks", "benchmark_attributes")
WRITE, AGAIN, SAME, READ = 1.5, 1.5, 0.7, 1.3
MODEL = ("net", "1")
HIERARCHY = ("project_name", "patient_identifier", "study_date")
TYPES = {
    **{f"real {n}": "Float" for n in range(6)},
    "whole": "Int",
    "text": "String",
}
COLUMNS = {"Float": "ValueFloat", "Int": "ValueInt", "String": "ValueText"}
_CHUNK = 10_000


def frame(images: int, seed: int) -> pd.DataFrame:
    """Return values of every image, whose ids count from 1."""
    chance = random.Random(seed)
    data: dict[str, Any] = {f"real {n}": [chance.random() for _ in range(images)] for n in range(6)}
    data["whole"] = [chance.randrange(10**6) for _ in range(images)]
    data["text"] = [f"grade {chance.randrange(10**6)}" for _ in range(images)]
    return pd.DataFrame(data, index=pd.Index(range(1, images + 1), name="image_instance_id"))


@frozen
class Core:
    """The limit: plain tables, and the ids of the model and the attributes."""

    database: Database
    tables: Any

    def begin(self) -> None:
        """Define the model and the attributes."""
        tables = self.tables
        with self.database.engine.begin() as connection:
            connection.execute(
                insert(tables["Model"]),
                {"ModelID": 1, "ModelName": "net", "Version": "1", "ModelType": "attributes"},
            )
            connection.execute(insert(tables["AttributesModel"]), {"ModelID": 1})
            rows = [
                {"AttributeID": n, "AttributeName": name, "AttributeDataType": kind}
                for n, (name, kind) in enumerate(TYPES.items(), 1)
            ]
            connection.execute(insert(tables["AttributeDefinition"]), rows)

    def insert(self, given: pd.DataFrame) -> None:
        """Write values that are not there."""
        self.begin()
        self._write(given, lambda table, _column: insert(table))

    def upsert(self, given: pd.DataFrame) -> None:
        """Write values, in the place of those that are there."""
        self._write(given, self._upsert)

    def _upsert(self, table: Table, column: str) -> Any:
        if self.database.engine.dialect.name == "sqlite":
            keys = ["ImageInstanceID", "AttributeID", "ModelKey", "LateralityKey"]
            lite = sqlite.insert(table)
            return lite.on_conflict_do_update(keys, set_={column: lite.excluded[column]})
        statement = mysql.insert(table)
        return statement.on_duplicate_key_update({column: statement.inserted[column]})

    def _write(self, given: pd.DataFrame, statement: Callable[[Table, str], Any]) -> None:
        table = self.tables["AttributeValue"]
        ids = given.index.tolist()
        with self.database.engine.begin() as connection:
            for kind, column in COLUMNS.items():
                rows = [
                    {"AttributeID": n, "ModelID": 1, "ImageInstanceID": one, column: cell}
                    for n, name in enumerate(TYPES, 1)
                    if TYPES[name] == kind
                    for one, cell in zip(ids, given[name].tolist(), strict=True)
                ]
                for start in range(0, len(rows), _CHUNK):
                    connection.execute(statement(table, column), rows[start : start + _CHUNK])

    def read(self) -> pd.DataFrame:
        """Read all values wide, with two statements."""
        t = self.tables
        image, series, study = t["ImageInstance"].c, t["Series"].c, t["Study"].c
        patient, project, value = t["Patient"].c, t["Project"].c, t["AttributeValue"].c
        named = [project.ProjectName, patient.PatientIdentifier, study.StudyDate]
        owners = (
            select(image.ImageInstanceID, *named)
            .select_from(t["ImageInstance"])
            .join(t["Series"], series.SeriesID == image.SeriesID)
            .join(t["Study"], study.StudyID == series.StudyID)
            .join(t["Patient"], patient.PatientID == study.PatientID)
            .join(t["Project"], project.ProjectID == patient.ProjectID)
            .where(~image.Inactive)
        )
        values = select(
            value.ImageInstanceID,
            value.AttributeID,
            value.ValueFloat,
            value.ValueInt,
            value.ValueText,
        ).where(value.ModelID == 1, value.ImageInstanceID.is_not(None))
        with self.database.engine.connect() as connection:
            rows = connection.execute(owners).all()
            found = connection.execute(values).all()
        at = {row[0]: number for number, row in enumerate(rows)}
        cells: dict[int, list[Any]] = {n: [None] * len(rows) for n in range(1, len(TYPES) + 1)}
        places = {n: 2 + list(COLUMNS).index(kind) for n, kind in enumerate(TYPES.values(), 1)}
        for row in found:
            cells[row[1]][at[row[0]]] = row[places[row[1]]]
        columns = dict(zip(("image_instance_id", *HIERARCHY), zip(*rows, strict=True), strict=True))
        return pd.DataFrame(columns | dict(zip(TYPES, cells.values(), strict=True)))


def figures(kind: str, images: int, runs: int) -> list[Figure]:
    """Measure all four, ours and the limit in turns on the same database."""
    with fresh_database(kind, URL) as database:
        fill(database.engine, images)
        metadata = MetaData()
        metadata.reflect(database.engine)
        # as it is reflected from MySQL, it would give Decimals, with ten digits
        metadata.tables["AttributeValue"].c.ValueFloat.type = Double()
        core = Core(database, metadata.tables)
        first, second = frame(images, 1), frame(images, 2)
        found = [
            _written(core, first, runs),
            _written_again(core, (first, second), runs),
            _same(core, second, runs),
            _read(core, second, runs),
        ]
    # SQLite is in this process, and what Python does is all there is: for information
    return found if kind == "mariadb" else [evolve(one, goal=None) for one in found]


def _ours(database: Database, given: pd.DataFrame) -> int:
    with database.unit_of_work() as uow:
        written = Attributes().run(uow, given, model=MODEL).written
        uow.commit()
    return written.new + written.changed


def _empty(core: Core) -> None:
    with core.database.engine.begin() as connection:
        for name in ("AttributeValue", "AttributesModelOutput", "AttributeDefinition"):
            connection.execute(delete(core.tables[name]))
        for name in ("AttributesModel", "Model"):
            connection.execute(delete(core.tables[name]))


def _written(core: Core, given: pd.DataFrame, runs: int) -> Figure:
    cells = given.size

    def ours() -> None:
        assert _ours(core.database, given) == cells

    return ratio(
        f"{len(given):,} images x {given.shape[1]} attributes, new",
        ours,
        lambda: core.insert(given),
        limit_name="Core, INSERT",
        goal=WRITE,
        runs=runs,
        before=lambda: _empty(core),
    )


def _written_again(core: Core, frames: tuple[pd.DataFrame, pd.DataFrame], runs: int) -> Figure:
    _empty(core)
    core.insert(frames[0])
    turn = [0]

    def other() -> pd.DataFrame:
        turn[0] = 1 - turn[0]
        return frames[turn[0]]

    def ours() -> None:
        given = other()
        assert _ours(core.database, given) == given.size

    return ratio(
        "the same with other values",
        ours,
        lambda: core.upsert(other()),
        limit_name="Core, INSERT ON DUPLICATE KEY UPDATE",
        goal=AGAIN,
        runs=runs,
    )


def _same(core: Core, given: pd.DataFrame, runs: int) -> Figure:
    core.upsert(given)

    def ours() -> None:
        assert _ours(core.database, given) == 0

    return ratio(
        "the same with the same values",
        ours,
        lambda: core.upsert(given),
        limit_name="Core, INSERT ON DUPLICATE KEY UPDATE",
        goal=SAME,
        runs=runs,
    )


def _read(core: Core, given: pd.DataFrame, runs: int) -> Figure:
    def ours() -> pd.DataFrame:
        with core.database.unit_of_work() as uow:
            found: pd.DataFrame = Attributes().frame(
                uow, ImageInstance, models=[MODEL], attributes=list(TYPES), hierarchy=HIERARCHY
            )
        return found

    mine, theirs = ours(), core.read().sort_values("image_instance_id").reset_index(drop=True)
    theirs["study_date"] = pd.to_datetime(theirs["study_date"]).astype("datetime64[s]")
    pd.testing.assert_frame_equal(mine, theirs, check_dtype=False)
    assert len(mine) == len(given)
    return ratio(
        "read back wide, with project, patient and date",
        ours,
        core.read,
        limit_name="Core, two SELECTs and a DataFrame",
        goal=READ,
        runs=5 * runs,  # each takes half a second
    )


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", choices=("mariadb", "sqlite"), default="mariadb")
    parser.add_argument("--images", type=int, default=5_000)
    parser.add_argument("--runs", type=int, default=5, help="runs of each, in turns (median)")
    options = parser.parse_args(arguments)
    found = figures(options.database, options.images, options.runs)
    print(as_table({options.database: found}))
    return 0 if all(one.reached for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
