"""Legacy annotations, with their pixels in files."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from eyened_domain.model.entity import Entity, entity
from eyened_domain.model.fields import (
    Column,
    DateColumn,
    Many,
    One,
    column,
    foreign_key,
    key,
    key_part,
    many,
    one,
)
from eyened_domain.model.lineage import check_lineage
from eyened_domain.model.values import Blob, Flag, Integer, Moment, Real, Text

if TYPE_CHECKING:
    from eyened_domain.model.creator import Creator
    from eyened_domain.model.image import ImageInstance
    from eyened_domain.model.patient import Patient
    from eyened_domain.model.study import Series, Study


@entity(unique=(("annotation_type_name", "interpretation"),), name="annotation_type_name")
class AnnotationType(Entity):
    """How the pixels of a legacy annotation are to be read."""

    annotation_type_id: Column[int] = key("AnnotationTypeID", default=None)
    annotation_type_name: Column[str] = column("AnnotationTypeName", Text(45))
    interpretation: Column[str] = column("Interpretation", Text(45))

    annotations: Many[Annotation] = many(
        "Annotations", "Annotation", back="annotation_type", default=None
    )


@entity()
class Annotation(Entity):
    """A legacy annotation, with its pixels in files; new work uses `Segmentation`."""

    annotation_id: Column[int] = key("AnnotationID", default=None)
    patient_id: Column[int] = foreign_key("PatientID", "Patient", default=None)
    study_id: Column[int | None] = foreign_key("StudyID", "Study", default=None, nullable=True)
    series_id: Column[int | None] = foreign_key("SeriesID", "Series", default=None, nullable=True)
    image_instance_id: Column[int | None] = foreign_key(
        "ImageInstanceID", "ImageInstance", default=None, nullable=True, on_delete="CASCADE"
    )
    creator_id: Column[int] = foreign_key("CreatorID", "Creator", default=None)
    feature_id: Column[int] = foreign_key("FeatureID", "Feature", default=None)
    annotation_type_id: Column[int] = foreign_key(
        "AnnotationTypeID", "AnnotationType", default=None
    )
    annotation_reference_id: Column[int | None] = foreign_key(
        "AnnotationReferenceID", "Annotation", default=None, nullable=True, on_delete="CASCADE"
    )
    inactive: Column[bool] = column("Inactive", Flag(), default=False)
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)

    patient: One[Patient] = one(
        "Patient", "Patient", via="patient_id", back="annotations", default=None
    )
    study: One[Study | None] = one(
        "Study", "Study", via="study_id", back="annotations", default=None
    )
    series: One[Series | None] = one(
        "Series", "Series", via="series_id", back="annotations", default=None
    )
    image_instance: One[ImageInstance | None] = one(
        "ImageInstance", "ImageInstance", via="image_instance_id", back="annotations", default=None
    )
    creator: One[Creator] = one(
        "Creator", "Creator", via="creator_id", back="annotations", default=None
    )
    annotation_type: One[AnnotationType] = one(
        "AnnotationType",
        "AnnotationType",
        via="annotation_type_id",
        back="annotations",
        default=None,
    )
    annotation_reference: One[Annotation | None] = one(
        "AnnotationReference",
        "Annotation",
        via="annotation_reference_id",
        back="child_annotations",
        default=None,
    )
    child_annotations: Many[Annotation] = many(
        "ChildAnnotations", "Annotation", back="annotation_reference", default=None
    )
    annotation_data: Many[AnnotationData] = many(
        "AnnotationData", "AnnotationData", back="annotation", default=None
    )

    def check_rules(self) -> None:
        """Raise `RuleBroken` when patient, study, series and image, as loaded, do not agree."""
        check_lineage(self)


@entity(unique=(("dataset_identifier",),))
class AnnotationData(Entity):
    """The file of one scan of a legacy annotation; scan -1 stands for all scans."""

    annotation_id: Column[int] = foreign_key(
        "AnnotationID", "Annotation", default=None, primary_key=True, on_delete="CASCADE"
    )
    scan_nr: Column[int] = key_part("ScanNr", Integer())
    value_int: Column[int | None] = column("ValueInt", Integer(), default=None, nullable=True)
    value_float: Column[float | None] = column("ValueFloat", Real(), default=None, nullable=True)
    value_blob: Column[bytes | None] = column(
        "ValueBlob", Blob(2**32 - 1), default=None, nullable=True
    )
    dataset_identifier: Column[str] = column("DatasetIdentifier", Text(45))
    date_modified: DateColumn[datetime | None] = column(
        "DateModified", Moment(), default=None, nullable=True
    )
    media_type: Column[str] = column("MediaType", Text(45))

    annotation: One[Annotation] = one(
        "Annotation", "Annotation", via="annotation_id", back="annotation_data", default=None
    )
