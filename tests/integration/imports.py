"""What the tests of imports share: records, image files, and counts of all rows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from eyened_domain import Database
from eyened_domain.adapters.files.image_files import FileSystemImageFiles
from eyened_domain.adapters.sql.schema.bookkeeping import import_item
from eyened_domain.services.importing import ImportDefaults, Importing, ImportOptions

CREATING: dict[str, Any] = {
    "create_projects": True,
    "create_patients": True,
    "create_studies": True,
}
ALL = ImportOptions(**CREATING)
UNREAD = ImportOptions(**CREATING, read_files=False)
LEVELS = ("Project", "Patient", "Study", "Series", "ImageInstance")


def options(**changes: Any) -> ImportOptions:
    return ImportOptions(**{**CREATING, **changes})


def importing_on(database: Database) -> Importing:
    base = Path(database.settings.images_basepath)
    base.mkdir(exist_ok=True)
    return Importing(
        database,
        FileSystemImageFiles(base),
        ImportDefaults(images_basepath=base, thumbnails_path=database.settings.thumbnails_path),
    )


def row_counts(database: Database) -> dict[str, int]:
    """The number of rows of every table, the bookkeeping included."""
    tables = import_item.metadata.sorted_tables
    with database.engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in tables
        }


def domain_counts(database: Database) -> dict[str, int]:
    """The number of rows of every table of the contract."""
    own = {"ImportBatch", "ImportItem", "UnitOfWorkLog", "History", "HistoryStream"}
    return {name: count for name, count in row_counts(database).items() if name not in own}


def dump(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the contract's tables, without the moments of their insertion and last change."""
    found = {}
    with database.engine.connect() as connection:
        for table in import_item.metadata.sorted_tables:
            if table.name not in {
                "ImportBatch",
                "ImportItem",
                "UnitOfWorkLog",
                "History",
                "HistoryStream",
            }:
                columns = [
                    column
                    for column in table.columns
                    if column.key != "date_inserted" and column.onupdate is None
                ]
                rows = connection.execute(select(*columns))
                found[table.name] = sorted((tuple(row) for row in rows), key=repr)
    return found


def png(database: Database, *names: str, size: tuple[int, int] = (8, 6), mode: str = "RGB") -> None:
    """Write images of (columns, rows) under the base path."""
    from PIL import Image

    base = Path(database.settings.images_basepath)
    for name in names:
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new(mode, size).save(path)


def flat(
    image: str, *, patient: str = "P1", day: str = "2024-01-31", **more: Any
) -> dict[str, Any]:
    """A flat record of one image of a right eye."""
    return {
        "project_name": "AREDS",
        "patient_identifier": patient,
        "study_date": day,
        "image": image,
        "image_props": {"laterality": "R", **more.pop("image_props", {})},
        **more,
    }


def nested(
    *studies: dict[str, Any], patient: str | None = "P1", project: str = "AREDS", **more: Any
) -> dict[str, Any]:
    """A nested record of one patient."""
    record: dict[str, Any] = {"project_name": project, "studies": list(studies), **more}
    return record if patient is None else {**record, "patient_identifier": patient}


def study(*series: dict[str, Any], day: str | None = "2024-01-31", **more: Any) -> dict[str, Any]:
    record = {"series": list(series), **more}
    return record if day is None else {**record, "study_date": day}


def series(*images: str | dict[str, Any], **more: Any) -> dict[str, Any]:
    """A series; an image is a path, or a whole record of an image."""
    records = [
        {"image": one, "props": {"laterality": "R"}} if isinstance(one, str) else one
        for one in images
    ]
    return {"images": records, **more}


def many(count: int, *, per_patient: int = 10, prefix: str = "") -> Iterable[dict[str, Any]]:
    """Flat records of images without files."""
    for number in range(count):
        yield flat(
            f"{prefix}{number // per_patient}/{number}.png",
            patient=f"{prefix}P{number // per_patient}",
            day=f"20{10 + number % 5}-01-01",
            image_props={"modality": "ColorFundus", "rows_y": 6, "columns_x": 8},
        )
