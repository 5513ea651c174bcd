"""The fields of `model.annotation` under their second names, for type checkers.

Written by `python -m tests.architecture.database_names`, from the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from eyened_domain import model
    from eyened_domain.model.fields import Column, DateColumn, Many, One


class AnnotationTypeNames:
    """The fields of `AnnotationType` under their second names."""

    AnnotationTypeID: Column[int]
    AnnotationTypeName: Column[str]
    Interpretation: Column[str]
    Annotations: Many[model.Annotation]


class AnnotationNames:
    """The fields of `Annotation` under their second names."""

    AnnotationID: Column[int]
    PatientID: Column[int]
    StudyID: Column[int | None]
    SeriesID: Column[int | None]
    ImageInstanceID: Column[int | None]
    CreatorID: Column[int]
    FeatureID: Column[int]
    AnnotationTypeID: Column[int]
    AnnotationReferenceID: Column[int | None]
    Inactive: Column[bool]
    DateInserted: DateColumn[datetime]
    Patient: One[model.Patient]
    Study: One[model.Study | None]
    Series: One[model.Series | None]
    ImageInstance: One[model.ImageInstance | None]
    Creator: One[model.Creator]
    AnnotationType: One[model.AnnotationType]
    AnnotationReference: One[model.Annotation | None]
    ChildAnnotations: Many[model.Annotation]
    AnnotationData: Many[model.AnnotationData]


class AnnotationDataNames:
    """The fields of `AnnotationData` under their second names."""

    AnnotationID: Column[int]
    ScanNr: Column[int]
    ValueInt: Column[int | None]
    ValueFloat: Column[float | None]
    ValueBlob: Column[bytes | None]
    DatasetIdentifier: Column[str]
    DateModified: DateColumn[datetime | None]
    MediaType: Column[str]
    Annotation: One[model.Annotation]
