"""An attribute value has one owner, and a value of its attribute's type."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from eyened_domain.errors import BadInput, RuleBroken
from eyened_domain.model import (
    AttributeDefinition,
    AttributeValue,
    ImageInstance,
    ModelSegmentation,
    Patient,
    Segmentation,
    Study,
)

GRID: dict[str, Any] = {
    "depth": 1,
    "height": 2,
    "width": 2,
    "data_representation": "Binary",
    "data_type": "R8UI",
}
OWNERS: dict[str, Callable[..., Any]] = {
    "image_instance": lambda **k: ImageInstance(dataset_identifier="a", laterality="L", **k),
    "segmentation": lambda **k: Segmentation(**GRID, **k),
    "model_segmentation": lambda **k: ModelSegmentation(**GRID, **k),
    "patient": lambda **k: Patient(patient_identifier="P", **k),
    "study": lambda **k: Study(study_date="2020-01-01", **k),
}


def a_value(**links: Any) -> Any:
    return AttributeValue(**links)


def a_definition(kind="Float") -> AttributeDefinition:
    return AttributeDefinition(attribute_name="fractal dimension", attribute_data_type=kind)


@pytest.mark.parametrize("name", OWNERS)
def test_the_owner_may_be_given_as_object_stored_or_not_or_as_id(name):
    key = f"{name}_id"
    for owner in (OWNERS[name](), OWNERS[name](**{key: 7})):
        value = a_value(**{name: owner})
        value.check_rules()
        assert value.owner is owner
    by_id = a_value(**{key: 7})
    by_id.check_rules()
    both = a_value(**{key: 7, name: OWNERS[name](**{key: 7})})
    both.check_rules()


def test_a_value_without_an_owner_is_refused():
    with pytest.raises(RuleBroken, match="needs an owner"):
        AttributeValue().check_rules()
    assert AttributeValue().owner is None


def test_two_owners_are_refused_however_they_are_given():
    patient, study = OWNERS["patient"](), OWNERS["study"]()
    stored, visit = OWNERS["patient"](patient_id=1), OWNERS["study"](study_id=2)
    for given in (
        {"patient": patient, "study": study},
        {"patient": stored, "study": visit},
        {"patient_id": 1, "study_id": 2},
        {"patient": stored, "study_id": 2},
        {"PatientID": 1, "Study": study},
    ):
        value = a_value(**given)
        with pytest.raises(RuleBroken, match="patient, study"):
            value.check_rules()


def test_two_owners_given_as_objects_are_no_owner():
    value = AttributeValue(patient=OWNERS["patient"](), study=OWNERS["study"]())
    with pytest.raises(RuleBroken, match="more than one"):
        _ = value.owner


@pytest.mark.parametrize("before", OWNERS)
@pytest.mark.parametrize("after", OWNERS)
@pytest.mark.parametrize("new", [True, False])
def test_setting_the_owner_takes_away_the_one_before(before, after, new):
    old: Any = OWNERS[before](**{f"{before}_id": 1})
    value = a_value(**{before: old, f"{before}_id": 1})
    if not new:
        value.attribute_value_id = 9
    owner: Any = OWNERS[after](**{f"{after}_id": 2})
    value.owner = owner
    value.check_rules()
    assert value.owner is owner
    assert getattr(value, f"{after}_id") == 2
    assert value in owner.attribute_values
    assert value not in old.attribute_values


def test_setting_the_owner_takes_away_one_that_was_given_by_id():
    value = AttributeValue(patient_id=1)
    value.owner = OWNERS["study"](study_id=2)
    value.check_rules()
    assert (value.patient_id, value.study_id) == (None, 2)


def test_an_owner_of_another_kind_is_refused_and_changes_nothing():
    patient = OWNERS["patient"]()
    value = AttributeValue(patient=patient)
    with pytest.raises(BadInput, match="it is one of ImageInstance"):
        value.owner = a_definition()
    assert value.owner is patient


def test_a_stored_value_whose_link_and_id_contradict_is_left_to_the_database():
    value = AttributeValue(
        attribute_value_id=9, patient_id=1, patient=OWNERS["patient"](patient_id=1)
    )
    value.patient_id = None  # moved by id: the link is not told
    value.study_id = 2
    value.check_rules()


@pytest.mark.parametrize(
    ("kind", "given", "column", "held"),
    [
        ("Float", 1.5, "value_float", 1.5),
        ("Float", np.float32(1.5), "value_float", 1.5),
        ("Float", 2, "value_float", 2.0),
        ("Int", 3, "value_int", 3),
        ("Int", np.int64(3), "value_int", 3),
        ("Int", 3.0, "value_int", 3),
        ("String", "good", "value_text", "good"),
        ("JSON", {"a": [1, 2]}, "value_json", {"a": [1, 2]}),
        ("JSON", [1], "value_json", [1]),
    ],
)
def test_a_value_goes_into_the_column_of_its_type(kind, given, column, held):
    value = AttributeValue(patient_id=1, attribute_definition=a_definition(kind))
    value.value = given
    assert value.value == held
    assert getattr(value, column) == held
    others = {"value_float", "value_int", "value_text", "value_json"} - {column}
    assert all(getattr(value, name) is None for name in others)
    value.check_rules()


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("Float", "1.5"),
        ("Float", float("nan")),
        ("Float", True),
        ("Float", np.True_),
        ("Float", [1.5]),
        ("Int", 1.5),
        ("Int", "1"),
        ("Int", True),
        ("Int", np.True_),
        ("Int", 2**31),
        ("String", 1),
        ("String", "x" * 256),
        ("JSON", object()),
    ],
)
def test_a_value_of_another_type_is_refused_and_changes_nothing(kind, given):
    value = AttributeValue(attribute_definition=a_definition(kind), value_text="before")
    with pytest.raises(BadInput):
        value.value = given
    assert value.value_text == "before"


def test_setting_a_value_empties_the_columns_of_other_types():
    value = AttributeValue(attribute_definition=a_definition("Float"), value_int=1, value_json=[1])
    value.value = 0.5
    assert (value.value_int, value.value_json) == (None, None)
    value.value = None
    assert value.value_float is None


def test_without_a_definition_there_is_no_type_and_no_value():
    value = AttributeValue(value_float=1.0)
    with pytest.raises(RuleBroken, match="attribute_definition"):
        _ = value.value
    with pytest.raises(RuleBroken, match="attribute_definition"):
        value.value = 1.0


def test_a_new_value_in_a_column_of_another_type_is_refused():
    value = AttributeValue(patient_id=1, attribute_definition=a_definition("Int"), value_float=1.5)
    with pytest.raises(RuleBroken, match="go into value_int"):
        value.check_rules()
    value.attribute_value_id = 4  # rows of other programs are not judged
    value.check_rules()
