"""The fields of `model.study` under their second names, for type checkers.

Written by `python -m tests.architecture.database_names`, from the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

    from eyened_domain import model
    from eyened_domain.model.fields import Column, DateColumn, Many, One


class StudyNames:
    """The fields of `Study` under their second names."""

    StudyID: Column[int]
    PatientID: Column[int]
    StudyRound: Column[int | None]
    StudyDescription: Column[str | None]
    StudyDate: DateColumn[date]
    DateInserted: DateColumn[datetime]
    Patient: One[model.Patient]
    Series: Many[model.Series]
    Annotations: Many[model.Annotation]
    FormAnnotations: Many[model.FormAnnotation]
    AttributeValues: Many[model.AttributeValue]
    StudyTagLinks: Many[model.StudyTagLink]


class SeriesNames:
    """The fields of `Series` under their second names."""

    SeriesID: Column[int]
    StudyID: Column[int]
    SeriesNumber: Column[int | None]
    SeriesInstanceUid: Column[str | None]
    StudyInstanceUid: Column[str | None]
    Study: One[model.Study]
    ImageInstances: Many[model.ImageInstance]
    Annotations: Many[model.Annotation]
    images: Many[model.ImageInstance]
    Images: Many[model.ImageInstance]
