"""Five thousand filtered images: as objects, and as a DataFrame."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from benchmarks.dataset import Size
from benchmarks.timing import Figure, ratio
from eyened_domain import ImageInstance, Laterality, Modality, Patient, Series, Study
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.sql.schema import table_of

LIMIT = 5000
_IMAGE = table_of(ImageInstance)


def objects(database: Database) -> list[ImageInstance]:
    """Read filtered images as objects."""
    statement = (
        select(ImageInstance)
        .where(ImageInstance.Modality == Modality.ColorFundus)
        .where(ImageInstance.Laterality == Laterality.L)
        .limit(LIMIT)
    )
    with database.get_session() as session:
        return list(session.scalars(statement))


def core_rows(database: Database) -> list[Any]:
    """Read the same full rows with Core."""
    statement = (
        select(_IMAGE)
        .where(_IMAGE.c.modality == Modality.ColorFundus)
        .where(_IMAGE.c.laterality == Laterality.L)
        .limit(LIMIT)
    )
    with database.engine.connect() as connection:
        return list(connection.execute(statement))


def ten_columns() -> Select[*tuple[Any, ...]]:
    """Ten columns of three entities, as a user writes them."""
    return (
        select(
            Patient.PatientIdentifier,
            Patient.Sex,
            Patient.BirthDate,
            Study.StudyDate,
            Study.StudyRound,
            ImageInstance.ImageInstanceID,
            ImageInstance.Laterality,
            ImageInstance.DatasetIdentifier,
            ImageInstance.Rows_y,
            ImageInstance.Columns_x,
        )
        .join(Study, Study.PatientID == Patient.PatientID)
        .join(Series, Series.StudyID == Study.StudyID)
        .join(ImageInstance, ImageInstance.SeriesID == Series.SeriesID)
        .where(ImageInstance.Modality == Modality.ColorFundus)
        .where(ImageInstance.Laterality == Laterality.L)
        .limit(LIMIT)
    )


def frame(database: Database) -> Any:
    """Read them as a DataFrame."""
    with database.get_session() as session:
        return session.frame(ten_columns())


def core_frame(database: Database) -> Any:
    """Read them with Core, and hand the rows to pandas."""
    import pandas as pd

    p, s, i = table_of(Patient).c, table_of(Study).c, _IMAGE.c
    statement = (
        select(
            p.patient_identifier, p.sex, p.birth_date, s.study_date, s.study_round,
            i.image_instance_id, i.laterality, i.dataset_identifier, i.rows_y, i.columns_x,
        )
        .select_from(table_of(Patient).join(table_of(Study)).join(table_of(Series)).join(_IMAGE))
        .where(i.modality == Modality.ColorFundus, i.laterality == Laterality.L)
        .limit(LIMIT)
    )  # fmt: skip
    with database.engine.connect() as connection:
        result = connection.execute(statement)
        return pd.DataFrame(result.all(), columns=list(result.keys()))


def figures(database: Database, size: Size, runs: int) -> list[Figure]:
    """Measure both ways to read."""
    count = min(LIMIT, len(core_rows(database)))
    if len(frame(database)) != len(core_frame(database)) or len(objects(database)) != count:
        raise AssertionError("ours and Core read different rows")
    return [
        ratio(
            f"{count:,} of {size.images:,} images as objects",
            lambda: objects(database),
            lambda: core_rows(database),
            limit_name="Core, the same full rows",
            goal=3.0,
            runs=runs,
        ),
        ratio(
            f"{count:,} rows, 10 columns of 3 entities as DataFrame",
            lambda: frame(database),
            lambda: core_frame(database),
            limit_name="Core + pandas.DataFrame",
            goal=1.2,
            runs=runs,
        ),
    ]
