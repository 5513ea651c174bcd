"""Forms: answers as a flat frame against Core, and validation against jsonschema's own.

    python -m benchmarks.forms [--forms 3000] [--answers 100000] [--runs 5]

On MariaDB. Exit code 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select, update

from benchmarks.dataset import fill, insert_chunked
from benchmarks.run import as_table
from benchmarks.timing import Figure, counted, ratio, seconds_of
from campaigns.kit.databases import fresh_database
from eyened_domain import FormAnnotation, Forms
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.model import Creator, FormSchema, ImageInstance, Patient, Project, Study
from eyened_domain.model.flat_answers import flat

NAME = "AMD Grading"
_SAMPLE = 300
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


def sixty_fields() -> dict[str, Any]:
    """Give a schema of sixty fields: numbers, texts with a pattern, choices, lists."""
    kinds: list[dict[str, Any]] = [
        {"type": "integer", "minimum": 0, "maximum": 4},
        {"type": "string", "maxLength": 200, "pattern": "^[A-Za-z ]*$"},
        {"enum": ["none", "some", "many"]},
        {"type": "number", "minimum": 0},
        {"type": "boolean"},
        {"type": "array", "items": {"type": "number"}},
    ]
    names = [f"field_{n:02}" for n in range(60)]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": names[:30],
        "additionalProperties": False,
        "properties": {name: kinds[n % 6] for n, name in enumerate(names)},
    }


def sixty_answers(n: int) -> dict[str, Any]:
    """Give valid answers to these fields."""
    values = [n % 5, "seen twice", "some", 1.5 * (n % 7), n % 2 == 0, [1, 2.5, n]]
    return {f"field_{k:02}": values[k % 6] for k in range(60)}


def validation_figures(database: Database, answers: int) -> list[Figure]:
    """Measure `Forms.validate` on all answers, against `jsonschema.validate` on some of them."""
    import jsonschema

    schema = sixty_fields()
    with database.engine.begin() as connection:
        connection.execute(delete(_FORM))
        connection.execute(update(_SCHEMA).values(schema=schema))
        rows = (
            {
                "form_schema_id": 1,
                "patient_id": 1,
                "creator_id": 1,
                "form_data": sixty_answers(n),
                "inactive": False,
                "date_inserted": _NOW,
            }
            for n in range(answers)
        )
        insert_chunked(connection, _FORM, rows)
    some = [sixty_answers(n) for n in range(_SAMPLE)]

    def validate_some() -> None:
        for one in some:
            jsonschema.validate(one, schema)

    def validate_all() -> None:
        with database.unit_of_work() as uow:
            report = Forms().validate(uow)
        assert report.schemas[0].valid == answers

    validate_some()
    before, limit_s = _begin_peak(), seconds_of(validate_some) / _SAMPLE * answers
    ours_s = seconds_of(validate_all)
    grown_mb = (_memory_kb("VmHWM") - before) / 1024
    limit_s = (limit_s + seconds_of(validate_some) / _SAMPLE * answers) / 2
    return [
        Figure(
            name=f"validation of {answers:,} answers of 60 fields",
            ours=ours_s,
            limit=limit_s,
            limit_name=f"jsonschema.validate, {_SAMPLE} of them, for as many",
            value=ours_s / limit_s,
            goal=0.2,
        ),
        Figure(name="memory at its peak, above the start", value=grown_mb, unit="MB", goal=100.0),
    ]


def _begin_peak() -> int:
    """Let the kernel forget the peak up to now; return what is in memory, in kB."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what is free is no part of the start
    Path("/proc/self/clear_refs").write_text("5")
    return _memory_kb("VmRSS")


def _memory_kb(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def figures(kind: str, forms: int, answers: int, runs: int) -> list[Figure]:
    """Measure everything about forms on a fresh database."""
    found: list[Figure] = []
    with fresh_database(kind) as database:  # first, while there is little in memory
        fill(database.engine, 10)
        store(database, 0)
        found += validation_figures(database, answers)
    with fresh_database(kind) as database:
        fill(database.engine, 100)
        store(database, forms)
        return found + export_figures(database, forms, runs)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", choices=("mariadb", "sqlite"), default="mariadb")
    parser.add_argument("--forms", type=int, default=3000)
    parser.add_argument("--answers", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args(arguments)
    found = figures(options.database, options.forms, options.answers, options.runs)
    print(as_table({options.database: found}))
    return 0 if all(one.reached for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
