"""Forms: answers as a flat frame against Core, and validation against jsonschema's own.

    python -m benchmarks.forms [--forms 3000] [--answers 100000] [--runs 5]

On MariaDB. Exit code 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from benchmarks.dataset import fill, insert_chunked
from benchmarks.run import as_table
from benchmarks.timing import Figure, counted, ratio
from campaigns.kit.databases import fresh_database
from eyened_domain import FormAnnotation
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.model import Creator, FormSchema, ImageInstance, Patient, Project, Study
from eyened_domain.model.flat_answers import flat

NAME = "AMD Grading"
_NOW = datetime(2026, 1, 5, 12)
_FORM, _SCHEMA, _CREATOR = table_of(FormAnnotation), table_of(FormSchema), table_of(Creator)
_PATIENT, _STUDY, _IMAGE = table_of(Patient), table_of(Study), table_of(ImageInstance)
_PROJECT = table_of(Project)


def nested_answers(n: int) -> dict[str, Any]:
    """Give the answers of a grading: two eyes, lists, and lists of objects; 30 values or so."""
    return {
        "grade": n % 5,
        "sure": bool(n % 2),
        "comment": f"form {n}",
        "eyes": {
            side: {
                "drusen": [{"size_um": 63.5 + k, "layer": "RPE"} for k in range(1 + n % 3)],
                "layers": [0.25 * k for k in range(6)],
                "notes": [] if n % 4 else ["seen twice"],
                "extra": {},
            }
            for side in ("left", "right")
        },
    }


def store(database: Database, forms: int) -> None:
    """Store a schema, its creator and what was filled in of it about images."""
    with database.engine.begin() as connection:
        connection.execute(
            insert(_SCHEMA),
            [{"form_schema_id": 1, "schema_name": NAME, "schema": None, "entity_type": None}],
        )
        connection.execute(
            insert(_CREATOR),
            [{"creator_id": 1, "creator_name": "dr_smith", "is_human": True}],
        )
        rows = (
            {
                "form_schema_id": 1,
                "patient_id": 1,
                "study_id": 1,
                "image_instance_id": 1 + n % 5,
                "creator_id": 1,
                "form_data": nested_answers(n),
                "inactive": False,
                "date_inserted": _NOW,
            }
            for n in range(forms)
        )
        insert_chunked(connection, _FORM, rows)


def export(database: Database) -> Any:
    """Export as people do."""
    with database.get_session() as session:
        return FormAnnotation.export_formannotations_by_schema(
            session, NAME, creator_name="dr_smith"
        )


def core_export(database: Database) -> Any:
    """Read the same columns with Core, flatten the answers in the same way, make a frame."""
    import pandas as pd

    told = [
        *(_FORM.c.form_annotation_id, _FORM.c.form_annotation_reference_id),
        *(_SCHEMA.c.schema_name, _PROJECT.c.project_name, _FORM.c.patient_id),
        *(_PATIENT.c.patient_identifier, _FORM.c.study_id, _STUDY.c.study_date),
        *(_FORM.c.image_instance_id, _IMAGE.c.dataset_identifier, _FORM.c.laterality),
        *(_CREATOR.c.creator_name, _FORM.c.sub_task_id, _FORM.c.inactive),
        _FORM.c.date_inserted,
    ]
    source = (
        _FORM.join(_SCHEMA, _SCHEMA.c.form_schema_id == _FORM.c.form_schema_id)
        .join(_PATIENT, _PATIENT.c.patient_id == _FORM.c.patient_id)
        .join(_PROJECT, _PROJECT.c.project_id == _PATIENT.c.project_id)
        .join(_CREATOR, _CREATOR.c.creator_id == _FORM.c.creator_id)
        .outerjoin(_STUDY, _STUDY.c.study_id == _FORM.c.study_id)
        .outerjoin(_IMAGE, _IMAGE.c.image_instance_id == _FORM.c.image_instance_id)
    )
    statement = (
        select(*told, _FORM.c.form_data)
        .select_from(source)
        .where(_SCHEMA.c.schema_name == NAME, _CREATOR.c.creator_name == "dr_smith")
        .where(_FORM.c.inactive.in_([False]))
        .order_by(_FORM.c.form_annotation_id)
    )
    names = [column.key for column in told]
    with database.engine.connect() as connection:
        rows = connection.execute(statement).all()
    return pd.DataFrame([{**dict(zip(names, row, strict=False)), **flat(row[-1])} for row in rows])


def export_figures(database: Database, forms: int, runs: int) -> list[Figure]:
    """Measure the export, and count its statements."""
    with counted(database.engine) as sent:
        ours = export(database)
    assert len(ours) == len(core_export(database)) == forms
    assert set(ours.columns) == set(core_export(database).columns)
    return [
        ratio(
            f"{forms:,} nested answers as a flat frame",
            lambda: export(database),
            lambda: core_export(database),
            limit_name="Core, the same flattening, pandas",
            goal=1.5,
            runs=runs,
        ),
        Figure(
            name="statements of that export", value=float(len(sent)), unit="statements", goal=4.0
        ),
    ]


def figures(kind: str, forms: int, runs: int) -> list[Figure]:
    """Measure everything about forms on a fresh database."""
    with fresh_database(kind) as database:
        fill(database.engine, 100)
        store(database, forms)
        return export_figures(database, forms, runs)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", choices=("mariadb", "sqlite"), default="mariadb")
    parser.add_argument("--forms", type=int, default=3000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args(arguments)
    found = figures(options.database, options.forms, options.runs)
    print(as_table({options.database: found}))
    return 0 if all(one.reached for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
