"""Studies (visits) and their series."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from eyened_domain.model.database_names.study import SeriesNames, StudyNames
from eyened_domain.model.entity import Entity, entity
from eyened_domain.model.fields import (
    Column,
    DateColumn,
    Many,
    One,
    column,
    foreign_key,
    key,
    many,
    one,
)
from eyened_domain.model.values import Day, Integer, Moment, Text

if TYPE_CHECKING:
    from eyened_domain.model.annotation import Annotation
    from eyened_domain.model.attribute import AttributeValue
    from eyened_domain.model.form import FormAnnotation
    from eyened_domain.model.image import ImageInstance
    from eyened_domain.model.patient import Patient
    from eyened_domain.model.tag import StudyTagLink


@entity(unique=(("study_date", "patient_id"),), name="study_description", repository="studies")
class Study(StudyNames, Entity):
    """All that was taken of a patient on one day (DICOM study; one per patient and date)."""

    study_id: Column[int] = key("StudyID", default=None)
    patient_id: Column[int] = foreign_key("PatientID", "Patient", default=None, on_delete="CASCADE")
    study_round: Column[int | None] = column("StudyRound", Integer(), default=None, nullable=True)
    study_description: Column[str | None] = column(
        "StudyDescription", Text(64), default=None, nullable=True
    )
    study_date: DateColumn[date] = column("StudyDate", Day())
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)

    patient: One[Patient] = one(
        "Patient", "Patient", via="patient_id", back="studies", default=None
    )
    series: Many[Series] = many("Series", "Series", back="study", default=None)
    annotations: Many[Annotation] = many("Annotations", "Annotation", back="study", default=None)
    form_annotations: Many[FormAnnotation] = many(
        "FormAnnotations", "FormAnnotation", back="study", default=None
    )
    attribute_values: Many[AttributeValue] = many(
        "AttributeValues", "AttributeValue", back="study", default=None
    )
    study_tag_links: Many[StudyTagLink] = many(
        "StudyTagLinks", "StudyTagLink", back="study", default=None
    )

    @property
    def age_years(self) -> float | None:
        """The patient's age in years at the visit; None without a birth date or a patient."""
        return None if self.patient is None else self.patient.age_years(self.study_date)

    @property
    def images(self) -> list[ImageInstance]:
        """All images of all its series, in the order of the links."""
        return [image for series in self.series for image in series.image_instances]


@entity(
    unique=(("series_instance_uid",), ("study_instance_uid", "series_instance_uid")),
    repository="series",
)
class Series(SeriesNames, Entity):
    """Images of a study that belong together, for example one volume and its localiser."""

    series_id: Column[int] = key("SeriesID", default=None)
    study_id: Column[int] = foreign_key("StudyID", "Study", default=None, on_delete="CASCADE")
    series_number: Column[int | None] = column(
        "SeriesNumber", Integer(), default=None, nullable=True
    )
    series_instance_uid: Column[str | None] = column(
        "SeriesInstanceUid", Text(64), default=None, nullable=True
    )
    study_instance_uid: Column[str | None] = column(
        "StudyInstanceUid", Text(64), default=None, nullable=True
    )

    study: One[Study] = one("Study", "Study", via="study_id", back="series", default=None)
    image_instances: Many[ImageInstance] = many(
        "ImageInstances", "ImageInstance", back="series", default=None
    )
    annotations: Many[Annotation] = many("Annotations", "Annotation", back="series", default=None)
