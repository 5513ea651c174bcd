"""What objects and rules go by after a rollback, a savepoint or a flush that has failed."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

import pytest

from eyened_domain.errors import BadInput, Duplicate, RuleBroken
from eyened_domain.model import (
    Feature,
    FeatureFeatureLink,
    FormAnnotation,
    FormSchema,
    Patient,
    Project,
    Study,
    StudyTagLink,
    TagType,
)
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import BackOut, Contract, MakeUnitOfWork


class AfterFailureContract(Contract):
    """What a unit is held to that goes on after something was taken back."""

    def test_a_stored_form_is_none_that_is_new_after_a_rollback(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            form = uow.forms.add(build.build(FormAnnotation, laterality=None))
            uow.commit()
            uow.rollback()
            schema = uow.form_schemas.add(FormSchema(schema_name="new", entity_type="Eye"))
            schema.form_annotations.append(form)
            uow.commit()
            assert form.form_schema is schema

    def test_a_link_by_id_of_a_flush_that_failed_is_not_followed_by_the_next(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            feature = uow.features.add(Feature(feature_name="a"))
            uow.flush()
            with suppress(RuleBroken), uow.savepoint():
                link = FeatureFeatureLink(
                    parent_feature_id=feature.feature_id, child=feature, feature_index=0
                )
                uow.feature_links.add(link)
                uow.flush()
            feature.feature_name = "b"
            uow.flush()
            assert link.feature is None

    def test_what_was_read_anew_in_a_savepoint_stays_so(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            project = uow.projects.add(Project(project_name="a"))
            uow.commit()
            with make_unit_of_work() as other:
                other.projects.by_name("a").description = "theirs"
                other.commit()
            with suppress(ZeroDivisionError), uow.savepoint():
                assert uow.projects.by_name("a").description == "theirs"
                raise ZeroDivisionError
            assert project.description == "theirs"
            project.description += ", and ours"
            uow.commit()

    def test_a_link_by_id_that_leads_nowhere_is_not_cleared_by_following_it(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            link = FeatureFeatureLink(child_feature_id=987654, feature_index=0)
            uow.feature_links.add(link)
            assert link.child is None
            with pytest.raises(BadInput, match="parent_feature_id"):
                uow.flush()

    @pytest.mark.parametrize("looks", ["at the list", "at the link", "at nothing"])
    def test_a_stored_tag_stays_good_when_its_tag_is_for_other_things_now(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, looks: str
    ) -> None:
        with make_unit_of_work() as uow:
            uow.study_tags.add(build.build(StudyTagLink))
            uow.commit()
        with make_unit_of_work() as uow:
            (tag,), (link,) = uow.tags.where(), uow.study_tags.where()
            if looks == "at the list":
                assert tag.study_tag_links == [link]
            elif looks == "at the link":
                assert link.tag is tag
            tag.tag_type = TagType.ImageInstance
            link.comment = "still there"
            uow.commit()
            link.creator = link.creator
            uow.commit()

    def test_a_link_that_is_set_to_what_its_id_says_stands_in_the_list(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            project = uow.projects.add(Project(project_name="a"))
            first = uow.patients.add(Patient(patient_identifier="1", project=project))
            uow.commit()
            assert project.patients == [first]
            second = Patient(patient_identifier="2", project_id=project.project_id)
            second.project = project
            uow.flush()
            assert project.patients == [first, second]

    def test_an_id_set_to_what_it_was_brings_nothing_back_that_others_have_deleted(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            project = uow.projects.add(Project(project_name="a"))
            patient = uow.patients.add(Patient(patient_identifier="1", project=project))
            uow.commit()
            with make_unit_of_work() as other:
                other.patients.delete(other.patients.where()[0])
                other.commit()
            uow.rollback()
            assert project.patients == []
            patient.project_id = project.project_id
            uow.flush()
            assert project.patients == []

    @pytest.mark.parametrize("change", ["deleted", "moved by id"])
    def test_lists_are_as_before_when_a_savepoint_was_rolled_back(
        self, make_unit_of_work: MakeUnitOfWork, change: str
    ) -> None:
        with make_unit_of_work() as uow:
            project, other = (uow.projects.add(Project(project_name=name)) for name in "ab")
            patient = uow.patients.add(Patient(patient_identifier="1", project=project))
            uow.commit()
            assert [project.patients, other.patients] == [[patient], []]
            with suppress(ZeroDivisionError), uow.savepoint():
                if change == "deleted":
                    uow.patients.delete(patient)
                else:
                    patient.project_id = other.project_id
                uow.flush()
                assert project.patients == []
                raise ZeroDivisionError
            assert [project.patients, other.patients] == [[patient], []]

    @pytest.mark.parametrize("is_moved", [False, True])
    def test_what_is_deleted_and_taken_off_its_list_is_deleted(
        self, make_unit_of_work: MakeUnitOfWork, is_moved: bool
    ) -> None:
        with make_unit_of_work() as uow:
            project, other = (uow.projects.add(Project(project_name=name)) for name in "ab")
            patient = uow.patients.add(Patient(patient_identifier="1", project=project))
            uow.commit()
            assert [project.patients, other.patients] == [[patient], []]
            if is_moved:
                other.patients.append(patient)
            uow.patients.delete(patient)
            patient.project.patients.remove(patient)
            uow.commit()
            assert uow.patients.count() == 0

    def test_what_others_have_changed_and_changed_back_is_no_conflict(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            project = uow.projects.add(Project(project_name="a"))
            uow.commit()
            for description in ("theirs", None):
                with make_unit_of_work() as other:
                    other.projects.by_name("a").description = description
                    other.commit()
            project.description = "mine"
            uow.commit()
            assert project.description == "mine"

    def test_a_new_object_does_not_keep_what_was_looked_up_for_its_rules(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            link = uow.study_tags.add(build.build(StudyTagLink))
            uow.commit()
            ids = {name: getattr(link, name) for name in ("tag_id", "study_id", "creator_id")}
            again: Any = uow.study_tags.add(StudyTagLink(**ids))
            with pytest.raises(Duplicate):
                uow.flush()
            uow.rollback()
            assert (again.tag, again.study, again.creator) == (None, None, None)

    def test_the_id_of_a_new_object_leads_also_when_its_link_was_looked_up(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            first, second = (uow.projects.add(Project(project_name=name)) for name in "ab")
            uow.flush()
            patients = [
                uow.patients.add(Patient(patient_identifier=str(n), project_id=first.project_id))
                for n in range(20)
            ]
            for one in patients:
                assert one.project is first
                one.project_id = second.project_id
            uow.commit()
            assert all(one.project is second for one in patients)
            assert (first.patients, len(second.patients)) == ([], 20)
            last: Any = uow.patients.add(
                Patient(patient_identifier="x", project_id=first.project_id)
            )
            assert last.project is first
            last.project_id = None
            with pytest.raises(BadInput):
                uow.flush()

    def test_rules_see_what_a_rollback_has_emptied(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            whole, part = Feature(feature_name="whole"), Feature(feature_name="part")
            uow.feature_links.add(FeatureFeatureLink(feature=whole, child=part, feature_index=0))
            uow.commit()
            uow.rollback()
            uow.feature_links.add(FeatureFeatureLink(feature=part, child=whole, feature_index=0))
            with pytest.raises(RuleBroken):
                uow.flush()

    def test_what_was_known_by_an_id_is_not_kept_by_what_is_new_again(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            project = uow.projects.add(Project(project_name="a"))
            uow.commit()
            new = Patient(patient_identifier="1", project_id=project.project_id)
            uow.patients.add(new)
            uow.flush()
            assert new.project is project
            uow.rollback()
            assert new.project is None
            assert new.project_id == project.project_id

    def test_a_part_that_an_id_moves_away_is_in_no_circle(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            whole, part, other = (uow.features.add(Feature(feature_name=n)) for n in "abc")
            link = FeatureFeatureLink(feature=whole, child=part, feature_index=0)
            uow.feature_links.add(link)
            uow.commit()
            assert whole.feature_associations == [link]
            link.parent_feature_id = other.feature_id
            uow.feature_links.add(FeatureFeatureLink(feature=part, child=whole, feature_index=0))
            uow.commit()
            assert (whole.feature_associations, other.feature_associations) == ([], [link])

    def test_json_that_was_edited_after_a_deletion_comes_back_as_it_was(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            uow.forms.add(build.a_form_annotation(form_data={"a": [1]}))
            uow.commit()
        with make_unit_of_work() as uow:
            (form,) = uow.forms.where()
            assert form.form_data == {"a": [1]}
            with pytest.raises(ZeroDivisionError), uow.savepoint():  # noqa: PT012
                uow.forms.delete(form)
                uow.flush()
                form.form_data["a"].append(2)
                raise ZeroDivisionError
            assert form.form_data == {"a": [1]}

    def test_rules_see_what_a_rollback_has_emptied_and_an_id_leads_to(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = build.build(Study)
            form = build.build(FormAnnotation, study=study, patient=study.patient)
            strange = uow.patients.add(build.build(Patient))
            uow.forms.add(form)
            uow.commit()
            uow.rollback()
            form.patient_id = strange.patient_id
            with pytest.raises(RuleBroken, match="study belongs to patient"):
                uow.flush()

    def test_a_list_loaded_after_a_move_in_a_savepoint_is_read_anew_when_that_is_rolled_back(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = uow.studies.add(build.build(Study))
            other = uow.patients.add(build.build(Patient))
            uow.commit()
            patient_id = study.patient_id
        with make_unit_of_work() as uow:
            study, patient = uow.studies.get(study.study_id), uow.patients.get(patient_id)
            with suppress(BackOut), uow.savepoint():
                study.patient_id = other.patient_id
                uow.flush()
                assert patient.studies == []
                raise BackOut
            assert patient.studies == [study]

    @pytest.mark.parametrize("flushes", [True, False])
    @pytest.mark.parametrize("sets", ["patient_identifier", "project"])
    def test_a_list_is_not_read_anew_for_a_value_that_was_set_to_itself_in_a_savepoint(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, *, flushes: bool, sets: str
    ) -> None:
        with make_unit_of_work() as uow:
            patient = uow.patients.add(build.a_patient(patient_identifier="a"))
            uow.flush()
            assert patient.studies == []
            uow.commit()
            with make_unit_of_work() as other:
                other.studies.add(Study(study_date="2024-01-01", patient_id=patient.patient_id))
                other.commit()
            with suppress(BackOut), uow.savepoint():
                setattr(patient, sets, {"project": patient.project}.get(sets, "a"))
                if flushes:
                    uow.flush()
                raise BackOut
            assert patient.studies == []

    def test_a_list_is_loaded_though_what_was_taken_off_it_is_gone(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            series = uow.series.add(build.a_series())
            uow.commit()
            study, patient = series.study, series.study.patient
            uow.rollback()
            uow.patients.delete(patient)
            uow.flush()
            series.study = None
            assert study.series == []

    def test_a_form_is_moved_to_an_image_whose_patient_a_rollback_has_emptied(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = uow.images.add(build.an_image())
            study, patient = image.series.study, image.series.study.patient
            form = uow.forms.add(
                build.build(FormAnnotation, patient=patient, image_instance=image, laterality=None)
            )
            uow.commit()
            uow.rollback()
            before = image.series.study
            twin = uow.studies.add(copy.copy(before))
            twin.study_date = "2024-01-02"
            uow.flush()
            image.series.study_id = twin.study_id
            uow.flush()
            assert before is study
            photo = uow.images.add(copy.copy(image))
            photo.dataset_identifier = "another"
            uow.flush()
            form.image_instance_id = photo.image_instance_id
            uow.flush()
            assert form.image_instance is photo
