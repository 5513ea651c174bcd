"""What a type checker knows of a field under its second name; checked, never run."""

from collections.abc import Sequence
from datetime import date
from typing import Any, assert_type

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute

from eyened_domain import (
    Database,
    ImageInstance,
    Laterality,
    Patient,
    Project,
    Segmentation,
    Series,
    Study,
    model,
)


def on_the_class(database: Database) -> None:
    assert_type(Patient.PatientIdentifier, InstrumentedAttribute[str])
    assert_type(Patient.BirthDate, InstrumentedAttribute[date | None])
    assert_type(Patient.PatientIdentifier == "P1", ColumnElement[bool])
    assert_type(Study.StudyDate >= "2024-01-01", ColumnElement[bool])
    assert_type(ImageInstance.Laterality, InstrumentedAttribute[Laterality])
    assert_type(Study.Patient, InstrumentedAttribute[Patient])
    assert_type(Project.Patients, InstrumentedAttribute[list[Patient]])
    with database.get_session() as session:
        assert_type(session.scalars(select(Patient.PatientIdentifier)).all(), Sequence[str])
        session.scalars(select(Study).join(Study.Patient).where(Patient.Sex.is_not(None)))
        session.frame(select(Patient.PatientIdentifier, Patient.sex, Study.StudyDate))
    select(Study).where(Patient.PatientIdentifier.like)  # type: ignore[arg-type]


def on_an_object(patient: Patient, study: Study, image: ImageInstance) -> None:
    assert_type(patient.PatientIdentifier, str)
    assert_type(patient.BirthDate, date | None)
    assert_type(patient.Project, Project)
    assert_type(study.Patient.Studies, list[Study])
    assert_type(image.Laterality, Laterality)
    patient.BirthDate = "1950-02-28"
    image.Laterality = "L"
    image.Series = None
    patient.PatientIdentifier = 1  # type: ignore[assignment]
    study.Patient = study  # type: ignore[assignment]


def short_forms(series: Series) -> None:
    assert_type(series.images, list[ImageInstance])
    assert_type(series.Images, list[ImageInstance])
    assert_type(Series.images, InstrumentedAttribute[list[ImageInstance]])


def of_a_special_kind(one: model.SegmentationModel) -> None:
    assert_type(model.SegmentationModel.FeatureID, InstrumentedAttribute[int | None])
    assert_type(model.SegmentationModel.ModelName, InstrumentedAttribute[str])
    assert_type(one.ModelName, str)


def other_names(patient: Patient, mask: Segmentation, anything: Any) -> None:
    Patient.PatientIdentifer  # type: ignore[attr-defined]  # noqa: B018
    Patient.patient_identifer  # type: ignore[attr-defined]  # noqa: B018
    patient.BirthDat  # type: ignore[attr-defined]  # noqa: B018
    patient.birthdate  # type: ignore[attr-defined]  # noqa: B018
    mask.thresold = anything  # type: ignore[attr-defined]
    patient.birthdate = anything  # type: ignore[attr-defined]
    select(Patient.patient_identifer)  # type: ignore[attr-defined]
