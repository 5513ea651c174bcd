"""What the constructor of an entity puts into a new object."""

from datetime import date
from enum import Enum

import pytest

from eyened_domain import BadInput, ImageInstance, Patient, Project, UnknownName
from eyened_domain.model.entity import Entity, entity, entity_classes
from eyened_domain.model.fields import column, key
from eyened_domain.model.values import Text


@pytest.fixture
def a_class_of_a_host(entities_are_forgotten):
    @entity()
    class Device(Entity):
        device_id = key("DeviceID", default=None)
        name = column("Name", Text(10))

        def __attrs_post_init__(self):
            self.name = self.name.upper()

    return Device


def test_what_is_left_out_has_its_default():
    patient = Patient(patient_identifier="1")
    assert vars(patient)["birth_date"] is None
    assert ImageInstance(dataset_identifier="x", laterality="R").inactive is False


@pytest.mark.parametrize("cls", entity_classes(), ids=lambda cls: cls.__name__)
def test_defaults_are_nothing_that_two_objects_could_edit(cls):
    shared = cls.__entity__.defaults.values()
    assert all(value is None or isinstance(value, int | float | str | Enum) for value in shared)


def test_values_are_converted_and_both_names_are_taken():
    patient = Patient(PatientIdentifier="1", birth_date="1950-02-03")  # type: ignore[call-arg]
    assert (patient.patient_identifier, patient.birth_date) == ("1", date(1950, 2, 3))


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"patient_identifier": 12}, BadInput),
        ({}, BadInput),
        ({"patient_identifier": None}, BadInput),
        ({"patient_identifier": "1", "PatientIdentifier": "1"}, BadInput),
        ({"patient_identifier": "1", "birth_dat": None}, UnknownName),
        ({"patient_identifier": "1", "project": Patient(patient_identifier="2")}, BadInput),
    ],
)
def test_what_no_object_can_hold_is_refused(values, error):
    with pytest.raises(error):
        Patient(**values)


def test_links_are_set_both_ways():
    project = Project(project_name="a")
    patient = Patient(patient_identifier="1", project=project)
    assert project.patients == [patient]


def test_a_class_of_a_host_is_told_when_its_object_is_made(a_class_of_a_host):
    assert a_class_of_a_host(name="oct").name == "OCT"
