"""Importing flat records, against chunked Core inserts of the rows that they become.

Both begin with an empty database and end with a commit. The rows of the limit lie ready in
memory; the import makes its rows from the records, looks up what is there, and keeps the
record of imports.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import insert, select

from benchmarks.timing import Figure
from campaigns.kit.databases import fresh_database
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.files.image_files import FileSystemImageFiles
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.model.acquisition import DeviceInstance, DeviceModel, ModalityTable, SourceInfo
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.patient import Patient
from eyened_domain.model.project import Project
from eyened_domain.model.study import Series, Study
from eyened_domain.services.importing import ImportDefaults, Importing, ImportOptions

GOAL = 2.0
IMAGES_PER_PATIENT, IMAGES_PER_STUDY = 20, 4
OPTIONS = ImportOptions(
    create_projects=True, create_patients=True, create_studies=True, read_files=False
)
FILLED = (
    table_of(Project),
    table_of(Patient),
    table_of(Study),
    table_of(Series),
    table_of(SourceInfo),
    table_of(ModalityTable),
    table_of(DeviceModel),
    table_of(DeviceInstance),
    table_of(ImageInstance),
)
_CHUNK = 1000
Rows = list[tuple[Any, list[dict[str, Any]]]]


def records(images: int, *, prefix: str = "") -> Iterator[dict[str, Any]]:
    """Give flat records: five visits of a patient, each with two photographs of each eye."""
    for n in range(images):
        patient, visit = n // IMAGES_PER_PATIENT, n // IMAGES_PER_STUDY % 5
        yield {
            "project_name": "Benchmark",
            "patient_identifier": f"{prefix}P{patient:06}",
            "patient_props": {"sex": "MF"[patient % 2], "birth_date": "1950-01-01"},
            "study_date": f"{2010 + visit}-01-01",
            "study_props": {"study_round": visit},
            "image": f"{prefix}P{patient:06}/{visit}/{n:07}.png",
            "image_props": {
                "laterality": "LR"[n % 2],
                "modality": "ColorFundus",
                "dicom_modality": "OP",
                "rows_y": 1024,
                "columns_x": 1024,
                "samples_per_pixel": 3,
                "nr_of_frames": 1,
                "resolution_horizontal": 0.01,
                "resolution_vertical": 0.01,
                "acquisition_date_time": f"{2010 + visit}-01-01T10:{n % 60:02}:00",
            },
        }


def importing(database: Database) -> Importing:
    """Return the import service on a database."""
    base = database.settings.images_basepath
    return Importing(database, FileSystemImageFiles(base), ImportDefaults(images_basepath=base))


def run_import(database: Database, images: int) -> None:
    """Plan and apply."""
    importing(database).run(records(images), OPTIONS)


def figures(kind: str, images: int, runs: int) -> list[Figure]:
    """Measure the import in turns with the limit, each on a database of its own."""
    rows = _rows_of_import(kind, images)

    def ours(database: Database) -> None:
        run_import(database, images)

    def core(database: Database) -> None:
        _insert(database, rows)

    times: dict[Callable[[Database], None], list[tuple[float, float]]] = {ours: [], core: []}
    for run in range(runs):
        for work in (ours, core) if run % 2 else (core, ours):
            times[work].append(_seconds(kind, work))
    return [
        _figure(f"import of {images:,} images", times[ours], times[core], column=0),
        _figure(f"import of {images:,} images, CPU", times[ours], times[core], column=1),
    ]


def _figure(
    name: str, ours: list[tuple[float, float]], limit: list[tuple[float, float]], *, column: int
) -> Figure:
    ours_s = statistics.median(one[column] for one in ours)
    limit_s = statistics.median(one[column] for one in limit)
    return Figure(
        name=name,
        ours=ours_s,
        limit=limit_s,
        limit_name="Core, chunked inserts of the same rows",
        value=ours_s / limit_s,
        goal=None if column else GOAL,
    )


def _seconds(kind: str, work: Callable[[Database], None]) -> tuple[float, float]:
    """Return the seconds on the clock and of this process's CPU."""
    with fresh_database(kind) as database:
        _ = database.engine
        wall, cpu = time.perf_counter(), time.process_time()
        work(database)
        return time.perf_counter() - wall, time.process_time() - cpu


def _rows_of_import(kind: str, images: int) -> Rows:
    with fresh_database(kind) as database:
        run_import(database, images)
        with database.engine.connect() as connection:
            return [
                (table, [dict(row) for row in connection.execute(_keyed(table)).mappings()])
                for table in FILLED
            ]


def _keyed(table: Any) -> Any:
    return select(*(column.label(column.key) for column in table.columns))


def _insert(database: Database, rows: Rows) -> None:
    with database.engine.begin() as connection:
        for table, some in rows:
            for start in range(0, len(some), _CHUNK):
                connection.execute(insert(table), some[start : start + _CHUNK])
