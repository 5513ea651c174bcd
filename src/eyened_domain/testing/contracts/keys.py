"""Ids, natural keys, foreign keys and what may not be empty."""

# ruff: noqa: D102, PT012, S101 - the names of the tests say it all

from __future__ import annotations

from typing import Any

import pytest

from eyened_domain.errors import BadInput, Duplicate, RuleBroken
from eyened_domain.model import (
    AttributeValue,
    Contact,
    Creator,
    ModelInput,
    Patient,
    Project,
    Series,
    Study,
    StudyTagLink,
)
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork


class KeyContract(Contract):
    """What every storage demands of keys."""

    def test_ids_are_given_when_flushing_and_not_before(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            made = uow.projects.add_all([Project(project_name=name) for name in "abc"])
            assert [one.project_id for one in made] == [None] * 3
            uow.flush()
            ids = [one.project_id for one in made]
            assert ids == sorted(set(ids))
            assert all(isinstance(one, int) for one in ids)

    def test_an_id_may_be_given_and_is_not_given_again(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            uow.projects.add(Project(project_id=500, project_name="given"))
            uow.commit()
            after = uow.projects.add(Project(project_name="after"))
            uow.commit()
            assert after.project_id > 500
        with make_unit_of_work() as uow:
            assert uow.projects.get(500).project_name == "given"

    def test_the_same_id_twice_is_a_duplicate(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            uow.projects.add(Project(project_id=5, project_name="first"))
            uow.commit()
        with pytest.raises(Duplicate), make_unit_of_work() as uow:
            uow.projects.add(Project(project_id=5, project_name="second"))
            uow.flush()

    def test_a_natural_key_is_taken_once_without_regard_to_case(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            uow.projects.add(Project(project_name="Cohort"))
            uow.commit()
        with make_unit_of_work() as uow:
            uow.projects.add(Project(project_name="COHORT"))
            with pytest.raises(Duplicate, match=r"Project.*project_name") as caught:
                uow.commit()
        assert (caught.value.entity, caught.value.field) == ("Project", "project_name")

    def test_a_natural_key_of_several_columns_is_taken_once(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            first = uow.patients.add(build.a_patient(patient_identifier="1"))
            uow.patients.add(build.a_patient(patient_identifier="1"))
            uow.commit()
            project_id = first.project_id
        with pytest.raises(Duplicate, match="patient_identifier"), make_unit_of_work() as uow:
            uow.patients.add(Patient(patient_identifier="1", project_id=project_id))
            uow.commit()

    def test_a_change_into_a_taken_natural_key_is_a_duplicate(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            uow.projects.add_all([Project(project_name="a"), Project(project_name="b")])
            uow.commit()
        with pytest.raises(Duplicate, match="project_name"), make_unit_of_work() as uow:
            uow.projects.by_name("b").project_name = "A"
            uow.flush()

    def test_a_natural_key_that_was_given_up_is_free(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            project = uow.projects.add(Project(project_name="a"))
            uow.flush()
            project.project_name = "b"
            uow.flush()
            uow.projects.add(Project(project_name="a"))
            uow.commit()

    def test_empty_parts_of_natural_keys_do_not_collide(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = build.a_study()
            uow.series.add_all([Series(study=study), Series(study=study)])
            same: dict[str, Any] = {"name": "A", "email": "a@b.c"}
            uow.contacts.add_all([Contact(**same), Contact(**same)])
            uow.commit()
            assert (uow.series.count(), uow.contacts.count()) == (2, 2)

    def test_a_composite_key_is_taken_once(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            link = uow.study_tags.add(build.a_study_tag_link())
            uow.commit()
            names = ("tag_id", "study_id", "creator_id")
            ids: dict[str, Any] = {name: getattr(link, name) for name in names}
        with pytest.raises(Duplicate), make_unit_of_work() as uow:
            uow.study_tags.add(StudyTagLink(**ids))
            uow.flush()

    def test_an_id_that_points_nowhere_is_refused(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with pytest.raises(RuleBroken, match="exist"), make_unit_of_work() as uow:
            uow.studies.add(Study(patient_id=999, study_date="2024-01-31"))
            uow.flush()
        with make_unit_of_work() as uow:
            assert uow.studies.count() == 0

    def test_an_id_of_another_kind_of_model_is_refused(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            model = uow.models.add(build.a_segmentation_model())
            attribute = uow.attributes.add(build.an_attribute())
            uow.commit()
            ids: dict[str, Any] = {
                "model_id": model.model_id,
                "input_attribute_id": attribute.attribute_id,
            }
        with pytest.raises(RuleBroken), make_unit_of_work() as uow:
            uow.model_inputs.add(ModelInput(**ids, input_name="x"))
            uow.flush()

    def test_a_parent_that_is_missing_is_named(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            uow.studies.add(Study(study_date="2024-01-31"))
            with pytest.raises(BadInput, match="patient_id") as caught:
                uow.flush()
        assert caught.value.field == "patient_id"

    def test_an_emptied_link_that_is_needed_is_refused(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            uow.creators.add(Creator(creator_name="someone"))
            uow.tags.add(build.a_tag())
            uow.commit()
        with pytest.raises(BadInput, match="creator_id"), make_unit_of_work() as uow:
            uow.tags.where()[0].creator = None
            uow.flush()

    def test_the_rules_of_an_object_hold_when_it_is_stored(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            value = uow.attribute_values.add(build.an_attribute_value())
            uow.commit()
            ids: dict[str, Any] = {"attribute_id": value.attribute_id, "model_id": value.model_id}
        with pytest.raises(RuleBroken, match="owner"), make_unit_of_work() as uow:
            uow.attribute_values.add(AttributeValue(**ids, value_float=1.0))
            uow.flush()

    def test_the_time_of_insertion_is_given_by_the_storage_unless_told(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            given = uow.projects.add(Project(project_name="a"))
            told = uow.projects.add(Project(project_name="b", date_inserted="2001-02-03 04:05:06"))
            uow.flush()
            assert given.date_inserted.year > 2020
            assert given.date_inserted.microsecond == 0
            assert told.date_inserted.isoformat() == "2001-02-03T04:05:06"
