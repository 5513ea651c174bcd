"""Patients."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar, overload

from eyened_domain.model.database_names.patient import PatientNames
from eyened_domain.model.entity import Entity, entity
from eyened_domain.model.enums import SexEnum
from eyened_domain.model.fields import (
    Column,
    DateColumn,
    EnumColumn,
    Many,
    One,
    choice,
    column,
    foreign_key,
    key,
    many,
    one,
)
from eyened_domain.model.queries import RAISE, GivesRepositories
from eyened_domain.model.values import Day, Moment, Text

if TYPE_CHECKING:
    from eyened_domain.model.annotation import Annotation
    from eyened_domain.model.attribute import AttributeValue
    from eyened_domain.model.form import FormAnnotation
    from eyened_domain.model.image import ImageInstance
    from eyened_domain.model.project import Project
    from eyened_domain.model.study import Study

D = TypeVar("D")


@entity(
    unique=(("patient_identifier", "project_id"),), name="patient_identifier", repository="patients"
)
class Patient(PatientNames, Entity):
    """A person in a project, known by an identifier that is unique within it."""

    patient_id: Column[int] = key("PatientID", default=None)
    patient_identifier: Column[str] = column("PatientIdentifier", Text(255))
    birth_date: DateColumn[date | None] = column("BirthDate", Day(), default=None, nullable=True)
    sex: EnumColumn[SexEnum | None] = choice("Sex", SexEnum, default=None, nullable=True)
    project_id: Column[int] = foreign_key("ProjectID", "Project", default=None, on_delete="CASCADE")
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)

    project: One[Project] = one(
        "Project", "Project", via="project_id", back="patients", default=None
    )
    studies: Many[Study] = many("Studies", "Study", back="patient", default=None)
    annotations: Many[Annotation] = many("Annotations", "Annotation", back="patient", default=None)
    form_annotations: Many[FormAnnotation] = many(
        "FormAnnotations", "FormAnnotation", back="patient", default=None
    )
    attribute_values: Many[AttributeValue] = many(
        "AttributeValues", "AttributeValue", back="patient", default=None
    )

    def age_years(self, on: date) -> float | None:
        """Age in years on a day; None without a birth date.

        The whole part counts birthdays, the fraction is the part of the year since the last
        one, so `int(patient.age_years(day))` is the age as people say it. Who was born on
        29 February has a birthday on 1 March in other years.

        Args:
            on: a day. A day before the birth gives a negative age, as a visit whose date
                is not known does when it stands at DEFAULT_STUDY_DATE.
        """
        if self.birth_date is None:
            return None
        day = on.date() if isinstance(on, datetime) else on
        year = day.year if _birthday(self.birth_date, day.year) <= day else day.year - 1
        last, following = (_birthday(self.birth_date, y) for y in (year, year + 1))
        since = (day - last).days / ((following - last).days or 365)
        return year - self.birth_date.year + since

    @property
    def images(self) -> list[ImageInstance]:
        """All images of all visits, in the order of the links."""
        return [image for study in self.studies for image in study.images]

    @overload
    @classmethod
    def by_identifier(
        cls, source: GivesRepositories, project_id: int, identifier: str
    ) -> Patient: ...
    @overload
    @classmethod
    def by_identifier(
        cls, source: GivesRepositories, project_id: int, identifier: str, *, default: D
    ) -> Patient | D: ...
    @classmethod
    def by_identifier(
        cls, source: GivesRepositories, project_id: int, identifier: str, *, default: Any = RAISE
    ) -> Any:
        """Return the patient known by that identifier in a project.

        Raises:
            NotFound: there is none, and no default was given.
        """
        return source.repository(cls).by_identifier(project_id, identifier, default=default)


def _birthday(birth: date, year: int) -> date:
    """Return the birthday in a year that a calendar has (1 to 9999; the nearest one else)."""
    year = min(max(year, date.min.year), date.max.year)
    if (birth.month, birth.day) == (2, 29):
        return date(year, 2, 28) + timedelta(days=1)
    return birth.replace(year=year)
