"""Every field has two names, and both work everywhere; a third is an error."""

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyened_domain.errors import BadInput, UnknownName
from eyened_domain.model import ETDRSField, ImageInstance, Patient, Project, SexEnum, Study
from eyened_domain.model.entity import Entity, entity_classes
from eyened_domain.testing import Builder

FIELDS = [
    (entity, name)
    for entity in entity_classes()
    for name in (*entity.__entity__.columns, *entity.__entity__.links)
]
IDS = [f"{entity.__name__}.{name}" for entity, name in FIELDS]
STORED_BY_ID_ONLY = {"Annotation", "AnnotationData", "AnnotationTagLink", "AttributesModelOutput"}


def other_name(entity: type[Entity], name: str) -> str:
    info = entity.__entity__
    return (info.columns.get(name) or info.links[name]).database_name


def bare(entity: type[Entity]) -> Any:
    """An object with every column that is needed, and no links."""
    builder = Builder()
    info = entity.__entity__
    whole = builder.build(entity) if entity.__name__ not in STORED_BY_ID_ONLY else None
    needed = {name for name, column in info.columns.items() if column.required}
    if whole is None:
        return entity(**{n: 1 if n == "scan_nr" else "x" for n in needed})
    return type(whole)(**{name: getattr(whole, name) for name in needed})


@pytest.mark.parametrize(("entity", "name"), FIELDS, ids=IDS)
def test_both_names_read_and_write_the_same_field(entity: type[Entity], name: str) -> None:
    one, other = bare(entity), other_name(entity, name)
    assert other in dir(one)
    assert getattr(one, name) == getattr(one, other)
    value = getattr(one, name)
    if value is not None:
        setattr(one, other, value)
        assert getattr(one, name) == value


def test_the_constructor_takes_both_names() -> None:
    plain = Patient(patient_identifier="1", birth_date="1950-02-28", sex="F")
    database = Patient(PatientIdentifier="1", BirthDate="1950-02-28", Sex=SexEnum.F)  # type: ignore[call-arg]
    assert plain.to_dict() == database.to_dict()
    assert list(plain.to_dict(database_names=True))[:2] == ["PatientID", "PatientIdentifier"]


def test_short_forms_work_where_the_relation_is() -> None:
    series = Builder().a_series()
    image = Builder().an_image(series=series)
    assert series.images is series.ImageInstances is series.Images is series.image_instances
    assert series.images == [image]


def test_both_names_at_once_are_refused() -> None:
    with pytest.raises(BadInput, match="given twice"):
        Patient(patient_identifier="1", PatientIdentifier="2")  # type: ignore[call-arg]


def test_a_mistyped_name_is_an_error_on_reading_on_assigning_and_when_made() -> None:
    patient: Any = Patient(patient_identifier="1")
    with pytest.raises(UnknownName, match="did you mean birth_date"):
        _ = patient.birthdate
    with pytest.raises(UnknownName, match="birth_date"):
        patient.birth_dat = "1950-01-01"
    with pytest.raises(UnknownName, match="patient_identifier"):
        Patient(patient_identifer="1")  # type: ignore[call-arg]
    assert not hasattr(patient, "birthdate")
    assert "birth_dat" not in patient.__dict__


@given(st.text(min_size=1, max_size=12).filter(lambda name: not name.startswith("_")))
def test_any_other_name_is_refused(name: str) -> None:
    study = Study(study_date="2024-01-01")
    if name not in dir(study):
        with pytest.raises(UnknownName):
            setattr(study, name, 1)
        with pytest.raises(UnknownName):
            getattr(study, name)


def test_a_needed_column_that_is_missing_is_named() -> None:
    with pytest.raises(BadInput, match="Study needs study_date") as caught:
        Study()  # type: ignore[call-arg]
    assert caught.value.field == "study_date"


def test_private_columns_are_shown_nowhere() -> None:
    creator = Builder().full(type(Builder().a_creator()))
    assert creator.password is not None
    shown = repr(creator) + repr(creator.to_dict()) + repr(creator.to_dict(database_names=True))
    assert "assword" not in shown
    with pytest.raises(BadInput) as caught:
        creator.password = b"x" * 100
    assert "xxx" not in str(caught.value)


def test_on_the_class_both_names_are_the_same_column() -> None:
    program = """
from eyened_domain import Database, ImageInstance, Patient, Project, Study
assert Database
from sqlalchemy import select
plain = select(Study).join(Study.patient).where(Patient.patient_identifier == "1",
                                          Study.study_date >= "2024-01-01")
other = select(Study).join(Study.Patient).where(Patient.PatientIdentifier == "1",
                                                Study.StudyDate >= "2024-01-01")
assert str(plain) == str(other), (str(plain), str(other))
assert Project.Patients is not None and ImageInstance.SOPInstanceUid is not None
try:
    Patient.birthdate
except AttributeError as error:
    assert "birth_date" in str(error)
else:
    raise AssertionError("no error")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


def test_names_are_the_same_for_a_kind_and_its_special_kinds() -> None:
    model = Builder().a_segmentation_model(ModelName="M", Version="1")
    assert [model.model_name, model.ModelID, model.FeatureID] == ["M", None, None]


def test_an_image_answers_to_the_odd_names_of_the_contract() -> None:
    image = ImageInstance(  # type: ignore[call-arg]
        DatasetIdentifier="a.png", Laterality="L", Rows_y=5, CFROI={}, ETDRSField="F1"
    )
    assert (image.rows_y, image.cf_roi, image.etdrs_field) == (5, {}, ETDRSField.F1)
    assert Project(project_name="x", DOI="10.1").doi == "10.1"  # type: ignore[call-arg]
