"""Many new objects in one flush are stored as each would be alone."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from datetime import date, datetime

import pytest

from eyened_domain.errors import Duplicate
from eyened_domain.model import (
    FormAnnotation,
    ImageInstance,
    ImageInstanceTagLink,
    Patient,
    Project,
    Series,
    Study,
)
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

MANY = 40
"""Enough for every adapter to handle them together."""
_LONG_AGO = datetime(2001, 2, 3, 4, 5, 6)


class ManyNewContract(Contract):
    """That storing many at once is a matter of speed alone."""

    @pytest.fixture
    def project_id(self, make_unit_of_work: MakeUnitOfWork, build: Builder) -> int:
        """The id of a stored project without patients."""
        with make_unit_of_work() as uow:
            project: Project = uow.projects.add(build.a_project())
            uow.commit()
            return project.project_id

    def _patients(self, project_id: int, count: int = MANY) -> list[Patient]:
        return [Patient(patient_identifier=f"p{n}", project_id=project_id) for n in range(count)]

    def test_a_tree_that_hangs_on_its_root_is_stored_whole(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        project = build.a_project(project_name="tree")
        like = build.an_image()
        for n in range(MANY):
            patient = Patient(patient_identifier=f"p{n}")
            project.patients.append(patient)
            study = Study(study_date=date(2020, 1, 1), patient=patient)
            series = Series()
            study.series.append(series)
            series.image_instances.append(
                ImageInstance(
                    dataset_identifier=f"{n}.png",
                    laterality="R",
                    source_info=like.source_info,
                    device_instance=like.device_instance,
                    modality_entry=like.modality_entry,
                )
            )
        with make_unit_of_work() as uow:
            uow.projects.add(project)
            uow.commit()
        with make_unit_of_work() as uow:
            patients = uow.projects.by_name("tree").patients
            names = {
                one.patient_identifier: one.studies[0].series[0].image_instances[0]
                for one in patients
            }
            assert {name: one.dataset_identifier for name, one in names.items()} == {
                f"p{n}": f"{n}.png" for n in range(MANY)
            }
            assert {one.device_instance.serial_number for one in names.values()} == {
                like.device_instance.serial_number
            }

    def test_lists_in_hand_hold_what_was_linked_by_id_or_appended(
        self, make_unit_of_work: MakeUnitOfWork, project_id: int
    ) -> None:
        with make_unit_of_work() as uow:
            project = uow.projects.get(project_id)
            assert project.patients == []
            by_id = uow.patients.add_all(self._patients(project_id))
            appended = [Patient(patient_identifier=f"a{n}") for n in range(MANY)]
            project.patients.extend(appended)
            uow.flush()
            assert set(project.patients) == {*by_id, *appended}
            assert len(project.patients) == 2 * MANY
            assert {one.project_id for one in appended} == {project_id}
            assert all(one.project is project for one in by_id)
            uow.commit()
        with make_unit_of_work() as uow:
            assert len(uow.projects.get(project_id).patients) == 2 * MANY

    def test_what_the_storage_fills_in_is_there_and_what_is_given_is_kept(
        self, make_unit_of_work: MakeUnitOfWork, project_id: int
    ) -> None:
        patients = self._patients(project_id)
        for one in patients[::2]:
            one.date_inserted = _LONG_AGO
        patients[7].patient_id = 1_000_000
        with make_unit_of_work() as uow:
            uow.patients.add_all(patients)
            uow.commit()
        assert all(one.date_inserted == _LONG_AGO for one in patients[::2])
        assert all(one.date_inserted > _LONG_AGO for one in patients[1::2])
        assert patients[7].patient_id == 1_000_000
        with make_unit_of_work() as uow:
            stored = {one.patient_identifier: one for one in uow.patients.where()}
            for one in patients:
                found = stored[one.patient_identifier]
                assert found.patient_id == one.patient_id
                assert found.date_inserted == one.date_inserted

    def test_a_value_that_some_have_is_missing_where_it_was_not_given(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            form = uow.forms.add(build.a_form_annotation(form_data={"n": -1}))
            uow.flush()
            uow.forms.add_all(
                FormAnnotation(
                    form_schema_id=form.form_schema_id,
                    patient_id=form.patient_id,
                    creator_id=form.creator_id,
                    form_data={"n": n} if n % 2 else None,
                    date_modified=_LONG_AGO if n % 3 else None,
                )
                for n in range(MANY)
            )
            uow.commit()
        with make_unit_of_work() as uow:
            stored = [one.form_data for one in uow.forms.where(form_data=None)]
            assert stored == [None] * (MANY // 2)
            assert {one.form_data["n"] for one in uow.forms.where() if one.form_data} == {
                -1,
                *range(1, MANY, 2),
            }

    def test_links_between_two_new_things_get_the_ids_of_both(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        image = build.an_image()
        creator = build.a_creator()
        links = [
            ImageInstanceTagLink(
                image_instance=image,
                tag=build.a_tag(tag_type="ImageInstance", creator=creator),
                creator=creator,
            )
            for _ in range(MANY)
        ]
        with make_unit_of_work() as uow:
            uow.image_tags.add_all(links)
            uow.commit()
            assert len({one.tag_id for one in links}) == MANY
            assert {one.image_instance_id for one in links} == {image.image_instance_id}
        with make_unit_of_work() as uow:
            found = uow.images.get(image.image_instance_id)
            assert len(found.image_instance_tag_links) == MANY

    def test_a_link_that_is_emptied_empties_its_id(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = uow.images.add(build.an_image())
            form = uow.forms.add(build.a_form_annotation(patient=image.series.study.patient))
            uow.flush()
            study_id = image.series.study_id
            forms = [
                FormAnnotation(
                    form_schema_id=form.form_schema_id,
                    patient_id=form.patient_id,
                    creator_id=form.creator_id,
                    study_id=study_id,
                )
                for _ in range(MANY)
            ]
            for one in forms[::2]:
                one.study = None
            uow.forms.add_all(forms)
            uow.commit()
        with make_unit_of_work() as uow:
            assert len(uow.forms.where(study_id=study_id)) == MANY // 2

    def test_they_are_new_again_after_a_rollback(
        self, make_unit_of_work: MakeUnitOfWork, project_id: int
    ) -> None:
        patients = self._patients(project_id)
        with make_unit_of_work() as uow:
            uow.patients.add_all(patients)
            uow.flush()
            uow.rollback()
            assert uow.patients.where() == []
            uow.patients.add_all(patients)
            uow.commit()
        with make_unit_of_work() as uow:
            assert len(uow.patients.where()) == MANY

    def test_a_savepoint_takes_back_its_own(
        self, make_unit_of_work: MakeUnitOfWork, project_id: int
    ) -> None:
        with make_unit_of_work() as uow:
            uow.patients.add_all(self._patients(project_id))
            with pytest.raises(ZeroDivisionError), uow.savepoint():  # noqa: PT012
                uow.patients.add_all(
                    Patient(patient_identifier=f"s{n}", project_id=project_id) for n in range(MANY)
                )
                uow.flush()
                raise ZeroDivisionError
            uow.commit()
        with make_unit_of_work() as uow:
            names = {one.patient_identifier for one in uow.patients.where()}
            assert names == {f"p{n}" for n in range(MANY)}

    def test_one_duplicate_among_them_refuses_all_and_ends_the_unit(
        self, make_unit_of_work: MakeUnitOfWork, project_id: int
    ) -> None:
        patients = self._patients(project_id)
        patients[-3].patient_identifier = "P1"
        with make_unit_of_work() as uow:
            uow.patients.add_all(patients)
            with pytest.raises(Duplicate):
                uow.flush()
            with pytest.raises(Duplicate):
                uow.patients.where()
            uow.rollback()
            assert uow.patients.where() == []
            uow.patients.add_all(self._patients(project_id))
            uow.commit()
        with make_unit_of_work() as uow:
            assert len(uow.patients.where()) == MANY

    def test_they_can_be_changed_and_deleted_in_the_same_unit(
        self, make_unit_of_work: MakeUnitOfWork, project_id: int
    ) -> None:
        patients = self._patients(project_id)
        with make_unit_of_work() as uow:
            uow.patients.add_all(patients)
            uow.flush()
            for one in patients:
                one.birth_date = date(1950, 1, 1)
            uow.patients.delete(patients[0])
            uow.commit()
        with make_unit_of_work() as uow:
            stored = uow.patients.where()
            assert len(stored) == MANY - 1
            assert {one.birth_date for one in stored} == {date(1950, 1, 1)}

    def test_new_ones_take_the_keys_that_others_give_up_in_the_same_flush(
        self, make_unit_of_work: MakeUnitOfWork, project_id: int
    ) -> None:
        with make_unit_of_work() as uow:
            uow.patients.add_all(self._patients(project_id))
            uow.commit()
        with make_unit_of_work() as uow:
            for one in uow.patients.where():
                one.patient_identifier = f"old {one.patient_identifier}"
            uow.patients.add_all(self._patients(project_id))
            uow.commit()
        with make_unit_of_work() as uow:
            assert len(uow.patients.where()) == 2 * MANY
