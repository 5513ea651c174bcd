"""What is refused leaves everything as it was: the objects, their lists, and the unit."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from eyened_domain.errors import BadInput, RuleBroken
from eyened_domain.model import FormAnnotation, Patient, Project, Study, StudyTagLink, Tag
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import BackOut, Contract, MakeUnitOfWork


class RefusedWholeContract(Contract):
    """What a unit goes on with after it has refused an object."""

    def test_nothing_of_what_hangs_on_a_deleted_object_is_added(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            patient = _patient_of_a_deleted_project(uow)
            study = build.build(Study, patient=patient)
            with pytest.raises(RuleBroken, match="Project was deleted"):
                uow.studies.add(study)
            assert uow.tags.where() == []
            uow.commit()
            assert (uow.patients.where(), uow.studies.where()) == ([], [])

    def test_what_is_linked_to_something_of_another_kind_hangs_on_nothing(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            form = uow.forms.add(build.a_form_annotation())
            uow.commit()
            links = {"form_schema": form.form_schema, "patient": form.patient}
            wrong: list[dict[str, Any]] = [
                {**links, "creator": form.creator, "sub_task": 1},
                {**links, "creator": "eve"},
                {**links, "creator": form.creator, "form_annotation_tag_links": [form]},
            ]
            for values in wrong:
                with pytest.raises(BadInput, match="FormAnnotation"):
                    FormAnnotation(form_data={}, **values)
            assert form.patient.form_annotations == [form]
            assert uow.forms.where() == [form]
            uow.commit()
            assert uow.forms.count() == 1

    def test_none_of_several_is_added_when_one_is_refused(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            patient = _patient_of_a_deleted_project(uow)
            good = Patient(patient_identifier="2", project=Project(project_name="b"))
            with pytest.raises(RuleBroken, match="Project was deleted"):
                uow.patients.add_all([good, patient])
            uow.commit()
            assert uow.patients.where() == []
            uow.patients.add(good)
            uow.commit()
            assert uow.patients.where() == [good]

    def test_what_hangs_on_a_deleted_object_comes_into_no_list(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            tag, study = build.build(Tag, tag_type="Study"), build.build(Study)
            uow.tags.add(tag)
            uow.studies.add(study)
            uow.commit()
            with suppress(BackOut), uow.savepoint():
                link = StudyTagLink(tag=tag, study=study, creator=tag.creator)
                uow.study_tags.add(link)
                raise BackOut
            uow.studies.delete(study)
            uow.flush()
            with pytest.raises(RuleBroken, match="Study was deleted"):
                tag.study_tag_links.append(link)
            with pytest.raises(RuleBroken, match="Study was deleted"):
                tag.study_tag_links += [link]
            with pytest.raises(RuleBroken, match="Study was deleted"):
                tag.study_tag_links = [link]
            assert tag.study_tag_links == []
            uow.commit()
            assert uow.study_tags.where() == []

    def test_the_list_of_a_deleted_object_may_be_emptied(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            tag = uow.tags.add(build.build(Tag))
            uow.commit()
            uow.tags.delete(tag)
            uow.flush()
            tag.study_tag_links = []
            assert tag.study_tag_links == []

    def test_a_link_to_what_hangs_on_a_deleted_object_is_not_set(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            patient = _patient_of_a_deleted_project(uow)
            study = uow.studies.add(build.build(Study))
            uow.commit()
            before = study.patient
            with pytest.raises(RuleBroken, match="Project was deleted"):
                study.patient = patient
            assert study.patient is before
            uow.commit()
            assert patient.studies == []


def _patient_of_a_deleted_project(uow: UnitOfWork) -> Patient:
    """Return a patient that is new again after a savepoint; its project was deleted since."""
    project = uow.projects.add(Project(project_name="a"))
    uow.commit()
    with suppress(BackOut), uow.savepoint():
        patient = uow.patients.add(Patient(patient_identifier="1", project=project))
        raise BackOut
    uow.projects.delete(project)
    uow.flush()
    return patient
