"""Storing through units of work, against Core writing the same rows in the same run.

    python -m benchmarks.flushing [--database sqlite|mariadb]

Prints ratios and counts of statements; nothing is asserted.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import count
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from benchmarks.importing import OPTIONS, importing, records
from benchmarks.timing import Figure, counted, ratio
from campaigns.kit.databases import fresh_database
from eyened_domain import Database, ImageInstance, Patient
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.services.tagging import Tagging
from eyened_domain.testing.builders import Builder

MANY, UNITS, TAGS, IMPORTED = 2000, 500, 8, 20_000
_IMAGE, _PATIENT = table_of(ImageInstance), table_of(Patient)
_numbers = count()


def _prepare(database: Database) -> dict[str, Any]:
    """Store an image and the patients that are changed; return what new images refer to."""
    build = Builder()
    with database.unit_of_work() as uow:
        image = uow.images.add(build.an_image())
        uow.creators.add(build.a_creator(creator_name="benchmark"))
        project = uow.projects.add(build.a_project())
        uow.flush()
        uow.patients.add_all(
            Patient(project_id=project.project_id, patient_identifier=f"changed {n}")
            for n in range(UNITS)
        )
        uow.commit()
        names = ("series_id", "source_info_id", "device_instance_id", "modality_id")
        return {name: getattr(image, name) for name in names}


def _rows(place: dict[str, Any]) -> Iterator[dict[str, Any]]:
    run = next(_numbers)
    for n in range(MANY):
        yield {
            "dataset_identifier": f"flush/{run}/{n}.png",
            "laterality": "R",
            "inactive": False,
            "rows_y": 1024,
            "columns_x": 1024,
            **place,
        }


def _store(database: Database, place: dict[str, Any]) -> None:
    with database.unit_of_work() as uow:
        uow.images.add_all([ImageInstance(**row) for row in _rows(place)])
        uow.commit()


def _core_insert(database: Database, place: dict[str, Any]) -> None:
    with database.engine.begin() as connection:
        connection.execute(insert(_IMAGE), list(_rows(place)))


def _changed(database: Database) -> list[int]:
    with database.engine.connect() as connection:
        wanted = _PATIENT.c.patient_identifier.like("changed %")
        return list(connection.execute(select(_PATIENT.c.patient_id).where(wanted)).scalars())


def _change(database: Database, ids: list[int]) -> None:
    run = next(_numbers)
    for patient_id in ids:
        with database.unit_of_work() as uow:
            uow.patients.get(patient_id).patient_identifier = f"{run} {patient_id}"
            uow.commit()


def _core_change(database: Database, ids: list[int]) -> None:
    run = next(_numbers)
    read = select(_PATIENT).where(_PATIENT.c.patient_id == bindparam("id"))
    locked = read.with_for_update()
    write = update(_PATIENT).where(_PATIENT.c.patient_id == bindparam("id"))
    write = write.values(patient_identifier=bindparam("new"))
    for patient_id in ids:
        with database.engine.begin() as connection:
            before = connection.execute(read, {"id": patient_id}).one()
            if connection.execute(locked, {"id": patient_id}).one() != before:
                raise AssertionError("nobody else writes here")
            connection.execute(write, {"id": patient_id, "new": f"{run} {patient_id}"})


def _statements(database: Database, place: dict[str, Any]) -> Iterator[Figure]:
    with counted(database.engine) as sent:
        _store(database, place)
    yield _count(f"{MANY:,} new objects, made, added and committed", sent)
    importing(database).run(list(records(1)), OPTIONS)
    second = list(records(2))[1:]
    with counted(database.engine) as sent:
        importing(database).run(second, OPTIONS)
    yield _count("import of one image into a study", sent)
    many = list(records(IMPORTED, prefix="many/"))
    with counted(database.engine) as sent:
        importing(database).run(many, OPTIONS)
    yield _count(f"import of {IMPORTED:,} images", sent)
    with database.unit_of_work() as uow:
        image, creator = uow.images.where()[0], uow.creators.by_name("benchmark")
        with counted(database.engine) as sent:
            Tagging().tag_all(uow, [image], [f"tag {n}" for n in range(TAGS)], by=creator)
            uow.commit()
        yield _count(f"{TAGS} new tags on an image", sent)
        with counted(database.engine) as sent:
            for n in range(TAGS):
                Tagging().tag(uow, image, f"single tag {n}", by=creator)
            uow.commit()
        yield _count(f"{TAGS} new tags on an image, one call each", sent)


def _count(name: str, sent: list[str]) -> Figure:
    return Figure(name=name, value=len([one for one in sent if one != "BEGIN"]), unit="statements")


def figures(database: Database, runs: int) -> list[Figure]:
    """Measure everything on one database."""
    place = _prepare(database)
    ids = _changed(database)
    return [
        *_statements(database, place),
        ratio(
            f"{MANY:,} new objects, made, added and committed",
            lambda: _store(database, place),
            lambda: _core_insert(database, place),
            limit_name="Core, inserting and committing the same rows",
            goal=2.5,
            runs=runs,
        ),
        ratio(
            f"{UNITS} units that change one row each",
            lambda: _change(database, ids),
            lambda: _core_change(database, ids),
            limit_name="Core, with the same check",
            goal=1.5,
            runs=runs,
        ),
    ]


def main() -> None:
    """Run on the databases that are asked for; print a line for each figure."""
    parser = argparse.ArgumentParser(description="storing, against Core")
    parser.add_argument("--database", choices=("sqlite", "mariadb"), action="append")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    for kind in options.database or ("sqlite", "mariadb"):
        with fresh_database(kind) as database:
            for one in figures(database, options.runs):
                limit = f" (against {one.limit_name})" if one.limit_name else ""
                print(f"{kind:>8}  {one.name}: {one.value:.3g} {one.unit}{limit}", flush=True)


if __name__ == "__main__":
    main()
