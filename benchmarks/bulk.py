"""Issue 10: many rows at once, beside SQLAlchemy Core doing the same.

    python -m benchmarks.bulk [--database mariadb|sqlite|both] [--rows 20000] [--runs N]

A DataFrame goes in, with projects and sources by name, and the ids come out, committed. What Core
does: the frame's records, missing values as NULL and dates as dates, names looked up, one INSERT
for all rows, ids read back as what is there beyond the highest one. It checks
nothing. The goal is 1.5 times, in no more statements. Exit code 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, cast

import pandas as pd
from sqlalchemy import Connection, func, insert, select

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.run import KINDS, as_table
from benchmarks.timing import Figure, counted, ratio
from campaigns.kit.databases import campaign_url, fresh_database
from eyened_domain import ImageInstance, ModalityTable, Patient, Project, SourceInfo
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.testing import Builder

GOAL = 1.5
LOOKED_UP: dict[str, Any] = {
    "project_name": Project,
    "source_name": SourceInfo,
    "modality_tag": ModalityTable,
}
PROJECTS = ("AREDS", "Rotterdam", "UK Biobank", "MESA")


def patients(rows: int) -> Iterator[pd.DataFrame]:
    """Yield frames of patients, each with identifiers of its own; every tenth has no birth date."""
    days = [datetime(1940, 1, 1) + timedelta(days=number) for number in range(rows)]
    births = pd.Series(days).where(pd.Series(range(rows)) % 10 > 0)
    for run in count():
        yield pd.DataFrame(
            {
                "project_name": [PROJECTS[n % len(PROJECTS)] for n in range(rows)],
                "patient_identifier": [f"P{run}_{n:06}" for n in range(rows)],
                "sex": [("F", "M", None)[n % 3] for n in range(rows)],
                "birth_date": births,
            }
        )


def images(rows: int, given: dict[str, int]) -> Iterator[pd.DataFrame]:
    """Yield frames of images of one series, each with files of its own."""
    for run in count():
        yield pd.DataFrame(
            {
                **given,
                "source_name": "camera",
                "modality": "ColorFundus",
                "dataset_identifier": [f"{run}/{n:06}.png" for n in range(rows)],
                "laterality": ["LR"[n % 2] for n in range(rows)],
                "rows_y": 1536,
                "columns_x": [1536 + n % 7 for n in range(rows)],
                "resolution_horizontal": [0.01 + n % 5 / 1000 for n in range(rows)],
                "cf_quality": [None if n % 2 else n % 11 / 5 for n in range(rows)],
                "inactive": False,
            }
        )


def core_insert(connection: Connection, entity: Any, frame: pd.DataFrame) -> list[int]:
    """Insert the rows of a frame with Core, and return their ids."""
    table = table_of(entity)
    frame = frame.astype(object).where(frame.notna(), None)
    if "birth_date" in frame:
        frame["birth_date"] = [None if one is None else one.date() for one in frame["birth_date"]]
    if "modality" in frame:
        frame["modality_tag"] = frame["modality"]
    for name, target in LOOKED_UP.items():
        if name in frame:
            names = table_of(target)
            key = next(iter(names.primary_key))
            wanted = names.c[name].in_(set(frame[name]))
            found = dict(connection.execute(select(names.c[name], key).where(wanted)).all())
            frame[key.key] = [found[one] for one in frame.pop(name)]
    identity = next(iter(table.primary_key))
    highest = connection.execute(select(func.max(identity))).scalar() or 0
    connection.execute(insert(table), cast("Any", frame.to_dict("records")))
    made = connection.execute(select(identity).where(identity > highest).order_by(identity))
    return list(made.scalars())


def pair(
    database: Database, entity: Any, frames: Iterator[pd.DataFrame]
) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return how many rows are inserted by ours, and by Core."""

    def ours() -> list[int]:
        with database.unit_of_work() as uow:
            ids = uow.repository(entity).insert_many(next(frames))
            uow.commit()
        return ids

    def core() -> list[int]:
        with database.engine.begin() as connection:
            return core_insert(connection, entity, next(frames))

    return ours, core


def statements(database: Database, name: str, ours: Any, core: Any) -> Figure:
    """Compare how many statements each sends."""
    sent: list[int] = []
    for work in (ours, core):
        with counted(database.engine) as some:
            work()
        sent.append(len([one for one in some if not one.startswith("BEGIN")]))
    return Figure(
        name=f"{name}, statements",
        value=float(sent[0]),
        unit="statements",
        goal=float(sent[1]),
        limit_name="Core",
    )


def figures(kind: str, *, rows: int, runs: int) -> list[Figure]:
    """Measure on one kind of database."""
    found: list[Figure] = []
    build = Builder()
    with fresh_database(kind, campaign_url("bulk_benchmark")) as database:
        with database.unit_of_work() as uow:
            uow.projects.add_all(build.a_project(project_name=name) for name in PROJECTS)
            image = uow.images.add(build.an_image())
            image.source_info.source_name = "camera"
            uow.commit()
            given = {n: getattr(image, n) for n in ("series_id", "device_instance_id")}
            uow.modalities.add(ModalityTable(modality_tag="ColorFundus"))
            uow.commit()
        for entity, frames in ((Patient, patients(rows)), (ImageInstance, images(rows, given))):
            ours, core = pair(database, entity, frames)
            told = f"insert_many of {rows:,} {entity.__entity__.repository}"
            found.append(ratio(told, ours, core, limit_name="Core", goal=GOAL, runs=runs))
            found.append(statements(database, told, ours, core))
    return found


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", choices=(*KINDS, "both"), default="both")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=5, help="runs of each, in turns (median)")
    options = parser.parse_args(arguments)
    kinds = KINDS if options.database == "both" else (options.database,)
    found = {kind: figures(kind, rows=options.rows, runs=options.runs) for kind in kinds}
    print(as_table(found))
    return 0 if all(one.reached for some in found.values() for one in some) else 1


if __name__ == "__main__":
    sys.exit(main())
