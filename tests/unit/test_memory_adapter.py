"""What the memory adapter does beyond the contract of all storages."""

import copy
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import true

from eyened_domain.adapters.memory import MemoryStore, MemoryUnitOfWork
from eyened_domain.errors import BadInput, NotLoaded, RuleBroken
from eyened_domain.model import (
    AttributeDefinition,
    Patient,
    Project,
    Segmentation,
    Study,
    Tag,
    TaskDefinition,
)
from eyened_domain.testing import Builder


@pytest.fixture
def store(builder: Builder) -> MemoryStore:
    """A store with three patients of one project, each with a study."""
    made = MemoryStore()
    with MemoryUnitOfWork(made) as uow:
        project = Project(project_name="Cohort")
        for name in "abc":
            patient = builder.a_patient(project=project, patient_identifier=name)
            uow.studies.add(builder.a_study(patient=patient))
        uow.commit()
    return made


def patient_of(uow: MemoryUnitOfWork, name: str) -> Patient:
    return uow.patients.one(patient_identifier=name)


def test_units_hand_out_separate_objects(store: MemoryStore) -> None:
    with MemoryUnitOfWork(store) as one, MemoryUnitOfWork(store) as other:
        mine, theirs = patient_of(one, "a"), patient_of(other, "a")
        mine.sex = "F"
        one.flush()
        assert mine is not theirs
        assert theirs.sex is None
        assert mine.project is not theirs.project


def test_an_object_of_an_open_unit_is_refused_by_another(store: MemoryStore) -> None:
    with MemoryUnitOfWork(store) as one, MemoryUnitOfWork(store) as other:
        patient = patient_of(one, "a")
        with pytest.raises(RuleBroken, match="another unit of work"):
            other.patients.add(patient)
        with pytest.raises(RuleBroken, match="another unit of work"):
            patient_of(other, "b").project = patient.project


def test_a_second_object_for_the_same_row_is_refused(store: MemoryStore) -> None:
    with MemoryUnitOfWork(store) as one:
        patient = patient_of(one, "a")
    with MemoryUnitOfWork(store) as other:
        patient_of(other, "a")
        with pytest.raises(RuleBroken, match="another object stands for Patient"):
            other.patients.add(patient)


def test_what_was_changed_while_no_unit_held_it_is_stored_by_the_next(store: MemoryStore) -> None:
    with MemoryUnitOfWork(store) as uow:
        patient = patient_of(uow, "a")
    patient.sex = "F"
    with MemoryUnitOfWork(store) as uow:
        uow.patients.add(patient)
        uow.commit()
    with MemoryUnitOfWork(store) as uow:
        assert uow.patients.count(sex="F") == 1


def test_where_takes_functions(store: MemoryStore) -> None:
    with MemoryUnitOfWork(store) as uow:
        late = uow.patients.where(lambda patient: patient.patient_identifier > "a")
        assert [one.patient_identifier for one in late] == ["b", "c"]
        assert Patient.where(uow, lambda p: p.studies == [], sex=None) == []
        assert uow.patients.where(lambda p: p in late, patient_identifier=["a", "b"]) == late[:1]


def test_an_sql_expression_is_refused(store: MemoryStore) -> None:
    from eyened_domain import Patient as Mapped

    with MemoryUnitOfWork(store) as uow:
        for expression in (Mapped.patient_id == 1, Mapped.PatientID, true(), 5):
            with pytest.raises(BadInput, match="functions that take a Patient"):
                uow.patients.where(expression)


def test_a_failed_flush_changes_nothing_and_can_be_put_right(store: MemoryStore) -> None:
    with MemoryUnitOfWork(store) as uow:
        good = uow.projects.add(Project(project_name="Good"))
        broken = uow.studies.add(Study(study_date="2024-01-01"))
        with pytest.raises(BadInput, match="patient_id"):
            uow.flush()
        assert broken.study_id is None
        uow.rollback()
        broken.patient = patient_of(uow, "a")
        uow.projects.add(good)
        uow.commit()
    with MemoryUnitOfWork(store) as uow:
        assert (uow.projects.count(), uow.studies.count()) == (2, 4)


def test_rollback_takes_back_links_and_deletions(store: MemoryStore) -> None:
    with MemoryUnitOfWork(store) as uow:
        first, second = patient_of(uow, "a"), patient_of(uow, "b")
        study = first.studies[0]
        study.patient = second
        uow.patients.delete(patient_of(uow, "c"))
        uow.flush()
        assert (len(second.studies), uow.studies.count()) == (2, 2)
        uow.rollback()
        assert (study.patient, study.patient_id) == (first, first.patient_id)
        assert (first.studies, len(second.studies)) == ([study], 1)
        assert uow.studies.count() == 3


def test_a_deleted_object_leaves_the_lists_that_were_loaded(store: MemoryStore) -> None:
    with MemoryUnitOfWork(store) as uow:
        project = uow.projects.by_name("Cohort")
        first, *rest = project.patients
        uow.patients.delete(first)
        uow.flush()
        assert project.patients == rest


def test_what_is_linked_by_id_comes_into_the_list_that_was_loaded(store: MemoryStore) -> None:
    with MemoryUnitOfWork(store) as uow:
        first, second = patient_of(uow, "a"), patient_of(uow, "b")
        moved = first.studies[0]
        kept = second.studies[0]
        moved.patient_id = second.patient_id
        new = uow.studies.add(Study(patient_id=first.patient_id, study_date="2024-09-09"))
        uow.flush()
        assert (first.studies, second.studies) == ([new], [kept, moved])
        assert (new.patient, moved.patient) == (first, second)


def test_what_is_not_stored_cannot_be_deleted(store: MemoryStore) -> None:
    with MemoryUnitOfWork(store) as uow:
        new = uow.projects.add(Project(project_name="New"))
        for one in (new, Project(project_name="Other")):
            with pytest.raises(RuleBroken, match="not stored"):
                uow.projects.delete(one)


def test_the_store_shares_no_json_with_anybody() -> None:
    store, given = MemoryStore(), {"a": [1]}
    with MemoryUnitOfWork(store) as uow:
        task = uow.task_definitions.add(TaskDefinition(task_definition_name="x", task_config=given))
        uow.commit()
    given["a"].append(2)
    task.task_config["a"].append(3)
    with MemoryUnitOfWork(store) as uow:
        assert uow.task_definitions.where()[0].task_config == {"a": [1]}


def test_json_that_became_impossible_by_an_edit_is_refused() -> None:
    with MemoryUnitOfWork() as uow:
        task = TaskDefinition(task_definition_name="x", task_config={"a": 1})
        uow.task_definitions.add(task)
        task.task_config["a"] = object()
        with pytest.raises(BadInput, match=r"TaskDefinition\.task_config: JSON has no object"):
            uow.flush()


def test_a_changed_part_of_a_composite_key_moves_the_row(builder: Builder) -> None:
    store = MemoryStore()
    with MemoryUnitOfWork(store) as uow:
        link = uow.study_tags.add(builder.a_study_tag_link())
        other = uow.tags.add(builder.a_tag(tag_type="Study"))
        uow.commit()
        before = link.tag
        link.tag = other
        uow.commit()
        assert (before.study_tag_links, other.study_tag_links) == ([], [link])
    with MemoryUnitOfWork(store) as uow:
        (found,) = uow.study_tags.where()
        assert found.tag_id == other.tag_id
        assert uow.study_tags.get((before.tag_id, found.study_id), default=None) is None


def test_a_delete_rule_reaches_the_objects_that_are_loaded(builder: Builder) -> None:
    with MemoryUnitOfWork() as uow:
        sub_task = uow.sub_tasks.add(builder.a_sub_task())
        mask = builder.add(uow, Segmentation, sub_task=sub_task)
        uow.commit()
        uow.sub_tasks.delete(sub_task)
        uow.flush()
        assert (mask.sub_task_id, mask.sub_task) == (None, None)
        mask.threshold = None
        uow.commit()


def test_a_pickled_object_is_held_by_nobody(store: MemoryStore) -> None:
    with MemoryUnitOfWork(store) as uow:
        project = uow.projects.by_name("Cohort")
        assert len(project.patients) == 3
        clone = pickle.loads(pickle.dumps(project))
    assert [one.patient_identifier for one in clone.patients] == ["a", "b", "c"]
    assert clone.patients[0].project is clone
    other = Patient(patient_identifier="z", project=clone)
    assert clone.patients[3] is other
    with pytest.raises(NotLoaded, match=r"Project\.contact"):
        _ = clone.contact


def test_a_copied_new_object_is_new(store: MemoryStore, builder: Builder) -> None:
    with MemoryUnitOfWork(store) as uow:
        before = uow.studies.count()
        study = uow.studies.add(builder.a_study(study_round=1))
        clone = copy.deepcopy(study)
        clone.study_date = "2031-01-01"
    with MemoryUnitOfWork(store) as uow:
        uow.studies.add(clone)
        uow.commit()
        assert clone.patient.studies == [study, clone]
        assert uow.studies.count() == before + 2


def test_images_are_told_that_they_lie_beneath_images(builder: Builder) -> None:
    with MemoryUnitOfWork() as uow:
        image = uow.images.add(builder.an_image(dataset_identifier="a/b c.png"))
        assert image.path == Path("/images/a/b c.png")
        assert image.url == "https://images.example/a/b%20c.png"


def test_ten_thousand_objects_are_stored_found_and_walked() -> None:
    store = MemoryStore()
    with MemoryUnitOfWork(store) as uow:
        project = uow.projects.add(Project(project_name="Cohort"))
        for number in range(10_000):
            Patient(patient_identifier=f"p{number}", project=project)
        uow.commit()
    with MemoryUnitOfWork(store) as uow:
        found = uow.patients.by_identifier(project.project_id, "P9999")
        assert len(found.project.patients) == 10_000
        found.sex = "F"
        uow.commit()
        assert uow.patients.where(sex="F") == [found]


def test_a_service_test_needs_no_sqlalchemy() -> None:
    program = """
import sys
from eyened_domain.model import Project
from eyened_domain.services.tagging import Tagging
from eyened_domain.testing import Builder, MemoryUnitOfWork
with MemoryUnitOfWork() as uow:
    image = uow.images.add(Builder().an_image())
    creator = uow.creators.add(Builder().a_creator())
    Tagging().tag(uow, image, "good quality", by=creator)
    uow.commit()
    assert image.image_instance_tag_links[0].tag.tag_id == 1
assert "sqlalchemy" not in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_an_array_that_was_kept_on_an_object_disturbs_nothing(store: MemoryStore) -> None:
    import numpy as np

    with MemoryUnitOfWork(store) as uow:
        patient: Any = patient_of(uow, "a")
        patient._pixels = np.zeros(3)
        uow.flush()
        patient._pixels = np.ones(3)
        patient.sex = "F"
        uow.commit()
    with MemoryUnitOfWork(store) as uow:
        assert uow.patients.count(sex="F") == 1


def test_a_many_to_many_link_that_both_sides_set_is_stored_once(builder: Builder) -> None:
    store = MemoryStore()
    with MemoryUnitOfWork(store) as uow:
        model = uow.attributes_models.add(builder.an_attributes_model())
        uow.attributes.add(builder.an_attribute())
        uow.commit()
    with MemoryUnitOfWork(store) as uow:
        (model,), (area,) = uow.attributes_models.where(), uow.attributes.where()
        model.output_attributes.append(area)
        area.producing_models.append(model)
        model.output_attributes.append(
            AttributeDefinition(attribute_name="new", attribute_data_type="Int")
        )
        uow.commit()
        assert uow.model_outputs.count() == 2
        assert area.producing_models == [model]


def test_tags_of_the_same_name_and_another_type_do_not_collide(builder: Builder) -> None:
    with MemoryUnitOfWork() as uow:
        creator = uow.creators.add(builder.a_creator())
        for kind in ("Study", "ImageInstance"):
            uow.tags.add(Tag(tag_name="same", tag_type=kind, creator=creator))
        uow.commit()
        assert uow.tags.count(tag_name="SAME") == 2
