"""The documented nested loop over all images, against Core reading the same rows."""

from __future__ import annotations

from sqlalchemy import select

from benchmarks.dataset import Size, identifier
from benchmarks.timing import Figure, counted, ratio
from eyened_domain import Patient, Project
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.study import Series, Study

TABLES = (
    table_of(Project),
    table_of(Patient),
    table_of(Study),
    table_of(Series),
    table_of(ImageInstance),
)


def nested_loop(database: Database) -> int:
    """Run the loop of the README; return how many images it saw."""
    seen = 0
    with database.get_session() as session:
        project = Project.by_name(session, "Benchmark")
        Patient.by_identifier(session, project.project_id, identifier(1))
        for patient in project.Patients:
            for study in patient.Studies:
                for series in study.Series:
                    for image in series.ImageInstances:
                        _ = (study.StudyDate, image.path)
                        seen += 1
    return seen


def five_statements(database: Database) -> list[list[object]]:
    """Read the same full rows with Core."""
    with database.engine.connect() as connection:
        return [list(connection.execute(select(table))) for table in TABLES]


def one_join(database: Database) -> list[object]:
    """Read what the loop uses, and nothing else, with one Core join."""
    patient, study, series, image = TABLES[1:]
    join = patient.join(study).join(series).join(image)
    statement = select(study.c.study_date, image.c.dataset_identifier).select_from(join)
    with database.engine.connect() as connection:
        return list(connection.execute(statement))


def figures(database: Database, size: Size, runs: int) -> list[Figure]:
    """Measure the nested loop."""
    with counted(database.engine) as sent:
        seen = nested_loop(database)
    if seen != size.images:
        raise AssertionError(f"the loop saw {seen} of {size.images} images")
    name = f"nested loop, {size.images:,} images"
    return [
        Figure(name=f"{name}: SQL statements", value=len(sent), unit="statements", goal=8),
        ratio(
            name,
            lambda: nested_loop(database),
            lambda: five_statements(database),
            limit_name="Core, the same full rows in five statements",
            goal=2.5,
            runs=runs,
        ),
        ratio(
            name,
            lambda: nested_loop(database),
            lambda: one_join(database),
            limit_name="Core, one join, two columns",
            goal=None,
            runs=max(1, runs // 2),
        ),
    ]
