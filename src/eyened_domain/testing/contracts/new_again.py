"""Objects that were new before a rollback are new again, and can be stored once more."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

import pytest

from eyened_domain.errors import BadInput, Duplicate
from eyened_domain.model import Creator, Patient, Project, Study, Tag
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import BackOut, Contract, MakeUnitOfWork


def _rolled_back(uow: UnitOfWork) -> None:
    uow.rollback()


def _failed(uow: UnitOfWork) -> None:
    for _ in range(2):
        uow.creators.add(Creator(creator_name="twice"))
    with pytest.raises(Duplicate):
        uow.flush()
    uow.rollback()


ENDS = {"a rollback": _rolled_back, "a failed flush": _failed}
"""How what was stored is taken back."""


class NewAgainContract(Contract):
    """What is held of objects whose storing was taken back."""

    @pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
    def test_ids_that_were_taken_back_may_go_to_others(
        self, make_unit_of_work: MakeUnitOfWork, end: Any
    ) -> None:
        with make_unit_of_work() as uow:
            first = uow.projects.add(Project(project_name="first"))
            uow.flush()
            end(uow)
            assert first.project_id is None
            uow.projects.add(Project(project_name="second"))
            uow.flush()
            uow.projects.add(first)
            uow.commit()
            assert uow.projects.name_to_id()["first"] == first.project_id
            assert uow.projects.count() == 2

    @pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
    def test_links_are_stored_with_the_next_ids(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, end: Any
    ) -> None:
        with make_unit_of_work() as uow:
            study = uow.studies.add(build.a_study())
            uow.flush()
            end(uow)
            assert [study.study_id, study.patient_id] == [None, None]
            uow.studies.add(build.a_study())
            uow.flush()
            uow.studies.add(study)
            uow.commit()
            identity = study.study_id
        with make_unit_of_work() as uow:
            found = uow.studies.get(identity)
            assert found.patient.patient_identifier == study.patient.patient_identifier
            assert found.patient.patient_id == study.patient.patient_id

    def test_a_link_that_was_given_by_id_stays(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            patient = uow.patients.add(build.a_patient())
            uow.commit()
            study = build.a_study(patient=None, patient_id=patient.patient_id)
            uow.studies.add(study)
            uow.flush()
            uow.rollback()
            assert [study.study_id, study.patient_id] == [None, patient.patient_id]
            uow.studies.add(study)
            uow.commit()
            assert [one.patient_id for one in uow.studies.where()] == [patient.patient_id]

    def test_an_id_that_was_given_by_hand_stays(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            project = uow.projects.add(Project(project_name="by hand", project_id=77))
            uow.flush()
            uow.rollback()
            assert project.project_id == 77

    def test_what_was_stored_and_deleted_is_new_again(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            project = uow.projects.add(Project(project_name="a"))
            uow.flush()
            uow.projects.delete(project)
            uow.flush()
            uow.rollback()
            uow.projects.add(project)
            uow.commit()
            assert uow.projects.where() == [project]

    def test_what_a_savepoint_has_stored_is_new_after_it(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            with suppress(ZeroDivisionError), uow.savepoint():
                patient = uow.patients.add(build.a_patient())
                with uow.savepoint():
                    uow.projects.add(Project(project_name="inner"))
                    uow.flush()
                raise ZeroDivisionError
            assert [patient.patient_id, patient.project.project_id] == [None, None]
            uow.projects.add(Project(project_name="in between"))
            uow.flush()
            uow.patients.add(patient)
            uow.commit()
            assert uow.patients.count(project=patient.project) == 1
            assert uow.projects.name_to_id().keys() == {
                "in between",
                patient.project.project_name,
            }

    def test_what_a_unit_has_not_committed_can_be_stored_by_the_next(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            patient = uow.patients.add(build.a_patient())
            uow.flush()
        assert [patient.patient_id, patient.project.project_id] == [None, None]
        with make_unit_of_work() as uow:
            uow.projects.add(Project(project_name="in between"))
            uow.flush()
            uow.patients.add(patient)
            uow.commit()
        with make_unit_of_work() as uow:
            (found,) = uow.patients.where()
            assert found.project.project_name == patient.project.project_name

    @pytest.mark.parametrize("is_sent", [True, False])
    def test_links_to_many_are_stored_again(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, is_sent: bool
    ) -> None:
        with make_unit_of_work() as uow:
            study = build.a_study()
            other = uow.studies.add(build.a_study())
            uow.commit()
            study.patient.studies.append(other)
            uow.studies.add(study)
            if is_sent:
                uow.flush()
            uow.rollback()
            assert list(study.patient.studies) == [study]
            assert other.patient is not study.patient
            uow.studies.add(study)
            uow.commit()
            assert list(study.patient.studies) == [study]
            assert list(other.patient.studies) == [other]

    def test_an_id_of_what_was_deleted_is_not_given_again(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            tag = uow.tags.add(
                Tag(tag_name="a", tag_type="Study", creator=Creator(creator_name="c"))
            )
            uow.commit()
        with make_unit_of_work() as uow:
            uow.tags.delete(uow.tags.get(tag.tag_id))
            uow.commit()
        with make_unit_of_work() as uow:
            another = uow.tags.add(Tag(tag_name="a", tag_type="Study", creator_id=tag.creator_id))
            uow.commit()
        assert another.tag_id > tag.tag_id

    def test_a_link_to_what_the_id_says_already_is_heard_of_at_the_other_end(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            project = uow.projects.add(build.a_project())
            uow.commit()
            assert project.patients == []
            new = Patient(patient_identifier="1", project_id=project.project_id)
            uow.patients.add(new)
            new.project = project
            assert project.patients == [new]
            uow.flush()
            assert project.patients == [new]

    def test_links_that_a_query_has_read_anew_are_kept(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            other = uow.projects.add(Project(project_name="other"))
            uow.patients.add(Patient(patient_identifier="0", project=other))
            uow.commit()
            new = Project(project_name="new")
            patient = uow.patients.add(Patient(patient_identifier="1", project=new))
            assert {one.patient_identifier for one in uow.patients.where()} == {"0", "1"}
            uow.rollback()
            assert patient.project is new
            uow.patients.add(patient)
            uow.commit()
            assert patient.project_id == new.project_id is not None

    def test_a_copy_that_is_rolled_back_still_leads_where_its_original_does(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            project = uow.projects.add(Project(project_name="a"))
            patient = uow.patients.add(Patient(patient_identifier="1", project=project))
            uow.commit()
            made = copy.copy(patient)
            made.patient_identifier = "2"
            uow.patients.add(made)
            uow.flush()
            uow.rollback()
            assert made.project is project
            uow.patients.add(made)
            uow.commit()
            assert {one.patient_identifier for one in project.patients} == {"1", "2"}

    @pytest.mark.parametrize("project_id", [2_000_000_000, None])
    @pytest.mark.parametrize("is_loaded", [False, True])
    def test_a_link_that_is_set_last_leads_also_back_to_where_it_led(
        self, make_unit_of_work: MakeUnitOfWork, is_loaded: bool, project_id: int | None
    ) -> None:
        with make_unit_of_work() as uow:
            project = uow.projects.add(Project(project_name="a"))
            uow.patients.add(Patient(patient_identifier="1", project=project))
            uow.commit()
        with make_unit_of_work() as uow:
            (patient,), (project,) = uow.patients.where(), uow.projects.where()
            assert not is_loaded or patient.project is project
            patient.project_id = project_id  # type: ignore[assignment]
            patient.project = project
            uow.commit()
            assert patient.project_id == project.project_id

    def test_what_was_stored_and_deleted_is_new_again_with_its_links(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            project = uow.projects.add(Project(project_name="a"))
            uow.commit()
            patient = uow.patients.add(Patient(patient_identifier="1", project=project))
            uow.flush()
            uow.patients.delete(patient)
            uow.flush()
            uow.rollback()
            uow.patients.add(patient)
            uow.commit()
            assert (patient.project_id, uow.patients.count()) == (project.project_id, 1)

    def test_what_was_stored_and_deleted_in_a_savepoint_has_no_id_when_that_is_rolled_back(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            with suppress(BackOut), uow.savepoint():
                project = uow.projects.add(Project(project_name="a"))
                uow.flush()
                uow.projects.delete(project)
                uow.flush()
                raise BackOut
            assert project.project_id is None
            uow.projects.add(project)
            uow.commit()
            assert uow.projects.where() == [project]

    def test_a_link_that_was_taken_away_last_stays_so_after_a_flush_that_failed(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            study = Study(study_date="2024-01-01", patient_id=2_000_000_000)
            study.patient = None
            for _ in range(2):
                with pytest.raises(BadInput, match="patient_id"), uow.savepoint():
                    uow.studies.add(study)
