"""The laws of links, for objects in any state.

`test_links.py` runs them on classes that SQLAlchemy has mapped, and this file, run as a
program, on classes that are not mapped; on free objects, and on objects that a unit of
work in memory holds. As a program it prints one line of JSON: what each law said.
"""

import copy
import json
import pickle
import sys
import traceback
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from eyened_domain.adapters.memory import MemoryUnitOfWork
from eyened_domain.errors import BadInput, UnknownName
from eyened_domain.model import (
    AttributeDefinition,
    AttributesModel,
    Contact,
    Patient,
    Project,
    Study,
)
from eyened_domain.model.entity import Entity

Make = Callable[..., Any]
"""Makes an object of a class; whether something holds it is the caller's choice."""


def _studies(make: Make, number: int) -> list[Any]:
    return [make(Study, study_date=f"2024-01-{day:02}") for day in range(1, number + 1)]


def law_setting_one_side_sets_the_other(make: Make) -> None:
    patient, (study, other) = make(Patient, patient_identifier="1"), _studies(make, 2)
    study.patient = patient
    assert patient.studies == [study]
    patient.studies.append(other)
    assert other.patient is patient
    assert patient.studies == [study, other]


def law_the_constructor_links_both_ways(make: Make) -> None:
    patient = make(Patient, patient_identifier="1")
    study = make(Study, study_date="2024-01-01", patient=patient)
    assert patient.studies == [study]
    parent = make(Patient, patient_identifier="2", studies=[study])
    assert (study.patient, patient.studies, parent.studies) == (parent, [], [study])


def law_both_names_are_the_same_link(make: Make) -> None:
    patient, (study,) = make(Patient, PatientIdentifier="1"), _studies(make, 1)
    study.Patient = patient
    assert patient.Studies is patient.studies
    assert patient.Studies == [study]
    assert make(Project, ProjectName="x", Patients=[patient]).Patients == [patient]
    assert patient.Project is patient.project


def law_a_link_that_is_not_given_is_not_set(make: Make) -> None:
    study = make(Study, study_date="2024-01-01")
    assert "patient" not in study.__dict__
    assert study.patient is None
    assert study.series == []


def law_an_item_moves_from_list_to_list(make: Make) -> None:
    first, second = (make(Patient, patient_identifier=n) for n in "12")
    (study,) = _studies(make, 1)
    first.studies.append(study)
    second.studies.append(study)
    assert (first.studies, second.studies, study.patient) == ([], [study], second)
    study.patient = first
    assert (first.studies, second.studies) == ([study], [])
    study.patient = None
    assert (first.studies, second.studies) == ([], [])


def law_nothing_is_in_a_list_twice(make: Make) -> None:
    patient, studies = make(Patient, patient_identifier="1"), _studies(make, 3)
    patient.studies = [studies[0], studies[1], studies[0]]
    patient.studies.append(studies[0])
    patient.studies.extend([studies[1], studies[2], studies[2]])
    patient.studies += [studies[2]]
    studies[0].patient = patient
    assert patient.studies == studies


def law_what_leaves_a_list_loses_its_link(make: Make) -> None:
    patient, studies = make(Patient, patient_identifier="1"), _studies(make, 6)
    patient.studies = studies
    patient.studies.remove(studies[0])
    assert patient.studies.pop() is studies[5]
    del patient.studies[0]
    del patient.studies[:1]
    assert patient.studies == studies[3:5]
    patient.studies[:] = [studies[3]]
    patient.studies.clear()
    assert [one.patient for one in studies] == [None] * 6


def law_a_whole_list_is_replaced(make: Make) -> None:
    patient, studies = make(Patient, patient_identifier="1"), _studies(make, 4)
    patient.studies = studies[:2]
    patient.studies = studies[1:3]
    assert patient.studies == studies[1:3]
    assert [one.patient for one in studies] == [None, patient, patient, None]
    patient.studies = (one for one in studies[:1])
    assert patient.studies == studies[:1]


def law_a_place_in_a_list_is_replaced(make: Make) -> None:
    patient, studies = make(Patient, patient_identifier="1"), _studies(make, 3)
    patient.studies = studies[:2]
    patient.studies[0] = studies[2]
    assert [one.patient for one in studies] == [None, patient, patient]
    patient.studies.insert(0, studies[0])
    assert patient.studies == [studies[0], studies[2], studies[1]]


def law_removing_what_is_not_there_is_an_error(make: Make) -> None:
    patient, (study,) = make(Patient, patient_identifier="1"), _studies(make, 1)
    try:
        patient.studies.remove(study)
    except ValueError:
        return
    raise AssertionError("no error")


def law_a_link_takes_only_its_own_kind(make: Make) -> None:
    patient, (study,) = make(Patient, patient_identifier="1"), _studies(make, 1)
    for wrong in (
        lambda: setattr(study, "patient", study),
        lambda: setattr(study, "patient", 5),
        lambda: setattr(patient, "studies", [patient]),
        lambda: patient.studies.append(patient),
        lambda: patient.studies.extend([study, 5]),
        lambda: patient.studies.insert(0, None),
        lambda: Study(study_date="2024-01-01", patient="Patient_001"),  # type: ignore[arg-type]
    ):
        try:
            wrong()
        except BadInput:
            continue
        raise AssertionError("no error")
    assert (study.patient, patient.studies) == (None, [])


def law_a_mistyped_link_is_an_error(make: Make) -> None:
    patient = make(Patient, patient_identifier="1")
    for wrong in (lambda: patient.study, lambda: setattr(patient, "study", [])):
        try:
            wrong()
        except UnknownName as error:
            if "tudies" in str(error):
                continue
        raise AssertionError("no error")


def law_many_to_many_goes_both_ways(make: Make) -> None:
    models = [make(AttributesModel, model_name=f"m{n}", version="1") for n in range(2)]
    area, width = (
        make(AttributeDefinition, attribute_name=n, attribute_data_type="Float") for n in "aw"
    )
    models[0].output_attributes = [area, width, area]
    area.producing_models.append(models[1])
    area.producing_models.append(models[0])
    assert models[0].output_attributes == [area, width]
    assert models[1].output_attributes == [area]
    assert area.producing_models == models
    models[0].output_attributes.remove(area)
    assert area.producing_models == [models[1]]
    area.producing_models.clear()
    assert models[1].output_attributes == []


def law_objects_are_compared_by_identity(make: Make) -> None:
    one, other = (make(Contact, name="A", email="a@b.c") for _ in range(2))
    assert one != other
    assert len({one, other}) == 2


def law_linked_objects_can_be_pickled(make: Make) -> None:
    patient, studies = make(Patient, patient_identifier="1"), _studies(make, 3)
    patient.studies = studies
    clone = pickle.loads(pickle.dumps(patient))
    assert clone is not patient
    assert [one.study_date for one in clone.studies] == [one.study_date for one in studies]
    assert all(one.patient is clone for one in clone.studies)


def law_a_copy_points_to_the_same_and_nothing_hangs_on_it(make: Make) -> None:
    patient, studies = make(Patient, patient_identifier="1"), _studies(make, 2)
    project = make(Project, project_name="P", external="N", patients=[patient])
    patient.studies = studies
    for copies in (copy.copy, copy.deepcopy):
        clone = copies(patient)
        assert (clone.patient_identifier, clone.project, clone.studies) == ("1", project, [])
        assert patient.studies == studies


ITEMS, OWNERS = 4, 3
_ITEM = st.integers(0, ITEMS - 1)
_SOME = st.lists(_ITEM, max_size=ITEMS + 1)
_PLACE = st.integers(-ITEMS, ITEMS)
_STEP = st.tuples(
    st.sampled_from(
        [
            *("point", "append", "insert", "remove", "pop", "clear", "assign", "extend"),
            *("add", "slice", "delete", "delete_slice", "replace"),
        ]
    ),
    st.integers(0, OWNERS - 1),
    _ITEM,
    _SOME,
    _PLACE,
    _PLACE,
)


def _take_step(owner: Any, name: str, link: str, step: tuple[Any, ...], items: list[Any]) -> None:
    """Do one thing to a list, or to the link of an item where the step says so."""
    how, _, item, some, start, stop = step
    listed, one, chosen = getattr(owner, name), items[item], [items[n] for n in some]
    start, stop = min(start, stop), max(start, stop)
    if how == "point":
        setattr(one, link, None if start == stop else owner)
    elif how == "remove" and one in listed:
        listed.remove(one)
    elif how == "pop" and listed:
        listed.pop()
    elif how == "delete" and -len(listed) <= start < len(listed):
        del listed[start]
    elif how == "replace" and -len(listed) <= start < len(listed):
        listed[start] = one
    elif how == "assign":
        setattr(owner, name, chosen)
    elif how == "slice":
        listed[start:stop] = chosen
    elif how == "delete_slice":
        del listed[start:stop]
    elif how == "extend":
        listed.extend(chosen)
    elif how == "add":
        listed += chosen
    elif how == "insert":
        listed.insert(start, one)
    elif how == "append":
        listed.append(one)
    elif how == "clear":
        listed.clear()


def law_both_sides_agree_after_anything(make: Make) -> None:
    @settings(max_examples=150, deadline=None, derandomize=True, database=None)
    @given(st.lists(_STEP, max_size=12))
    def check(steps: list[tuple[Any, ...]]) -> None:
        owners = [make(Patient, patient_identifier=str(n)) for n in range(OWNERS)]
        items = _studies(make, ITEMS)
        for step in steps:
            _take_step(owners[step[1]], "studies", "patient", step, items)
            for owner in owners:
                assert len({id(one) for one in owner.studies}) == len(owner.studies), step
                for item in items:
                    there = any(one is item for one in owner.studies)
                    assert there == (item.patient is owner), step

    check()


def law_both_lists_agree_after_anything(make: Make) -> None:
    @settings(max_examples=100, deadline=None, derandomize=True, database=None)
    @given(st.lists(_STEP.filter(lambda step: step[0] != "point"), max_size=10))
    def check(steps: list[tuple[Any, ...]]) -> None:
        owners = [make(AttributesModel, model_name=f"m{n}", version="1") for n in range(OWNERS)]
        items = [
            make(AttributeDefinition, attribute_name=str(n), attribute_data_type="Int")
            for n in range(ITEMS)
        ]
        for step in steps:
            _take_step(owners[step[1]], "output_attributes", "", step, items)
            for owner in owners:
                listed = owner.output_attributes
                assert len({id(one) for one in listed}) == len(listed), step
                for item in items:
                    back = [one for one in item.producing_models if one is owner]
                    assert len(back) == sum(one is item for one in listed), step

    check()


LAWS: dict[str, Callable[[Make], None]] = {
    name.removeprefix("law_"): law for name, law in globals().items() if name.startswith("law_")
}


def make_free(entity: type[Entity], **values: Any) -> Any:
    """Make an object that nothing holds."""
    return entity(**values)


def run_held(law: Callable[[Make], None]) -> None:
    """Run a law on objects that a unit of work in memory holds."""
    with MemoryUnitOfWork() as uow:

        def make(entity: type[Entity], **values: Any) -> Any:
            return uow.repository(entity).add(entity(**values))

        law(make)


def main() -> None:
    """Run all laws on classes that are not mapped, and print what they said."""
    said: dict[str, str] = {}
    for name, law in LAWS.items():
        for state, run in (("free", lambda law: law(make_free)), ("held", run_held)):
            try:
                run(law)
                said[f"{name}[{state}]"] = ""
            except Exception:  # noqa: BLE001 - whatever a law says
                said[f"{name}[{state}]"] = traceback.format_exc()
    said["sqlalchemy"] = str("sqlalchemy" in sys.modules)
    print(json.dumps(said))  # noqa: T201


if __name__ == "__main__":
    main()
