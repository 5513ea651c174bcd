"""How far a deletion reaches among the objects in hand, and what takes it back."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

import gc

import pytest

from eyened_domain.errors import Conflict, RuleBroken
from eyened_domain.model import (
    Creator,
    Feature,
    FeatureFeatureLink,
    FormAnnotation,
    Patient,
    Project,
    Segmentation,
    Series,
    StudyTagLink,
)
from eyened_domain.model.entity import Entity
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork
from eyened_domain.testing.contracts.removal import a_patient_of_two_projects


class RemovalReachContract(Contract):
    """What becomes of objects in hand when something that they hang on is deleted."""

    @pytest.mark.parametrize("is_read_before", [True, False])
    def test_a_deletion_reaches_what_hangs_on_a_row_that_is_not_in_hand(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, is_read_before: bool
    ) -> None:
        project_id, series_id = _a_series_in_a_project(make_unit_of_work, build)
        with make_unit_of_work() as uow:
            if is_read_before:
                assert len(uow.patients.where() + uow.studies.where()) == 2
                gc.collect()
            series = uow.series.get(series_id)
            uow.projects.delete(uow.projects.get(project_id))
            uow.flush()
            with pytest.raises(RuleBroken):
                uow.series.add(series)
            uow.rollback()
            assert uow.series.get(series_id) is series

    def test_what_hangs_on_a_row_that_is_not_in_hand_and_was_changed_by_others_is_a_conflict(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        project_id, series_id = _a_series_in_a_project(make_unit_of_work, build)
        with make_unit_of_work() as uow:
            series = uow.series.get(series_id)
            project = uow.projects.get(project_id)
            uow.commit()
            with make_unit_of_work() as other:
                other.series.get(series_id).series_number = 7
                other.commit()
            uow.projects.delete(project)
            with pytest.raises(Conflict):
                uow.flush()
            assert series.series_id == series_id

    def test_adding_what_is_to_be_deleted_keeps_it_with_what_was_to_go_along(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            patient = a_patient_of_two_projects(uow)
            project = patient.project
            other = uow.projects.by_name("b")
            uow.projects.delete(project)
            uow.projects.delete(other)
            uow.projects.add(project)
            uow.commit()
            assert uow.patients.where() == [patient]
            assert uow.projects.where() == [project]

    def test_adding_what_hangs_on_it_does_not_keep_what_is_to_be_deleted(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            patient = a_patient_of_two_projects(uow)
            project = patient.project
            assert project.patients == [patient]
            uow.patients.delete(patient)
            uow.projects.add(project)
            uow.commit()
            assert uow.patients.count() == 0

    def test_an_object_in_hand_may_be_added_again_after_what_it_was_linked_to_was_deleted(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            link = uow.study_tags.add(build.build(StudyTagLink))
            uow.commit()
            tag, creator = link.tag, link.creator
            with make_unit_of_work() as other:
                other.tags.delete(other.tags.get(tag.tag_id))
                other.commit()
            uow.commit()
            assert link.creator is creator
            uow.creators.delete(creator)
            uow.flush()
            uow.study_tags.add(link)
            uow.commit()
            assert (uow.study_tags.count(), uow.creators.get(creator.creator_id, default=None)) == (
                0,
                None,
            )

    def test_a_link_to_what_was_deleted_is_told_after_that_others_have_deleted_the_row(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            form = uow.forms.add(_a_form_about_an_image(build))
            other_one = uow.creators.add(build.build(Creator))
            uow.commit()
            schema = form.form_schema
            with make_unit_of_work() as other:
                other.forms.delete(other.forms.where()[0])
                other.commit()
            uow.commit()
            assert form.form_schema is schema
            uow.form_schemas.delete(schema)
            uow.flush()
            form.creator_id = other_one.creator_id
            with pytest.raises(Conflict):
                uow.flush()

    def test_what_others_have_deleted_does_not_keep_an_object_from_being_deleted(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            link = uow.feature_links.add(build.build(FeatureFeatureLink))
            uow.commit()
            part = link.child
            assert part.child_feature_associations == [link]
            with make_unit_of_work() as other:
                for one in other.feature_links.where():
                    other.feature_links.delete(one)
                other.commit()
            uow.features.delete(part)
            uow.commit()
            assert uow.features.count() == 1

    def test_what_hangs_on_what_others_have_deleted_stays_readable_after_a_rollback(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            series = uow.series.add(build.a_series())
            study = series.study
            uow.commit()
            with make_unit_of_work() as other:
                other.studies.delete(other.studies.get(study.study_id))
                other.commit()
            uow.rollback()
            assert series.study is study
            assert study.study_date is not None

    def test_what_a_deleted_object_was_linked_to_is_found_while_the_unit_is_open(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            uow.studies.add(build.a_study())
            uow.commit()
        with make_unit_of_work() as uow:
            (study,) = uow.studies.where()
            uow.studies.delete(study)
            uow.commit()
            assert isinstance(study.patient, Patient)

    def test_what_was_not_put_on_a_list_is_not_on_it(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            patient = a_patient_of_two_projects(uow)
            other = uow.projects.by_name("b")
            assert other.patients == []
            uow.patients.delete(patient)
            for change in (other.patients.append, lambda one: other.patients.extend([one])):
                with pytest.raises(RuleBroken):
                    change(patient)
                assert other.patients == []
            assert isinstance(patient.project, Project)

    def test_what_was_taken_off_the_list_does_not_keep_an_object_from_being_deleted(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            form = uow.forms.add(build.build(FormAnnotation))
            form.study = build.a_study(patient=form.patient)
            uow.commit()
            study = form.study
            study.form_annotations.clear()
            uow.studies.delete(study)
            uow.commit()
            assert [one.study_id for one in uow.forms.where()] == [None]

    def test_what_hangs_on_an_object_that_an_id_has_moved_away_is_kept_with_it(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            series = uow.series.add(build.a_series())
            other = uow.patients.add(build.build(Patient))
            uow.commit()
            study, patient = series.study, series.study.patient
            assert (patient.studies, study.series) == ([study], [series])
            study.patient_id = other.patient_id
            uow.patients.delete(patient)
            series.series_number = 7
            uow.commit()
            assert [one.series_number for one in uow.series.where()] == [7]

    @pytest.mark.parametrize("part_is_older", [True, False])
    @pytest.mark.parametrize("part_comes_first", [True, False])
    def test_a_composite_and_its_part_are_deleted_together_in_any_order(
        self, make_unit_of_work: MakeUnitOfWork, part_is_older: bool, part_comes_first: bool
    ) -> None:
        names = ["part", "whole"] if part_is_older else ["whole", "part"]
        with make_unit_of_work() as uow:
            features = {name: uow.features.add(Feature(feature_name=name)) for name in names}
            uow.flush()
            features["whole"].add_subfeature(features["part"])
            uow.commit()
        with make_unit_of_work() as uow:
            deleted = [uow.features.by_name(name) for name in ("part", "whole")]
            for one in deleted if part_comes_first else reversed(deleted):
                uow.features.delete(one)
            uow.commit()
            assert (uow.features.count(), uow.feature_links.count()) == (0, 0)

    @pytest.mark.parametrize("schema_comes_first", [True, False])
    def test_what_forbids_one_deletion_goes_along_with_another_one(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, schema_comes_first: bool
    ) -> None:
        with make_unit_of_work() as uow:
            form = uow.forms.add(_a_form_about_an_image(build))
            uow.commit()
            assert form.image_instance is not None
            series_id, schema_id = form.image_instance.series_id, form.form_schema_id
        del form
        with make_unit_of_work() as uow:
            series, schema = uow.series.get(series_id), uow.form_schemas.get(schema_id)
            for one in (schema, series) if schema_comes_first else (series, schema):
                uow.repository(type(one)).delete(one)
            uow.commit()
            assert (uow.forms.count(), uow.form_schemas.count(), uow.series.count()) == (0, 0, 0)

    def test_what_goes_along_and_was_changed_by_others_is_a_conflict(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            form = uow.forms.add(_a_form_about_an_image(build))
            uow.commit()
            image, schema = form.image_instance, form.form_schema
            assert image is not None
            with make_unit_of_work() as other:
                other.forms.get(form.form_annotation_id).form_data = {"changed": True}
                other.commit()
            uow.form_schemas.delete(schema)
            uow.images.delete(image)
            with pytest.raises(Conflict):
                uow.flush()

    def test_what_forbids_a_deletion_and_goes_along_with_none_is_told(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            form = uow.forms.add(_a_form_about_an_image(build))
            other = uow.series.add(build.a_series())
            uow.commit()
            uow.form_schemas.delete(form.form_schema)
            uow.series.delete(other)
            with pytest.raises(RuleBroken, match="FormAnnotation"):
                uow.commit()

    @pytest.mark.parametrize("above", [Project, Patient, Series])
    def test_what_forbids_a_deletion_forbids_it_though_it_would_go_along_with_the_same(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, above: type[Entity]
    ) -> None:
        with make_unit_of_work() as uow:
            image = build.an_image()
            patient = image.series.study.patient
            uow.forms.add(build.build(FormAnnotation, patient=patient, image_instance=image))
            first = build.build(Segmentation, image_instance=image)
            uow.segmentations.add(first)
            uow.flush()
            second = build.build(Segmentation, image_instance=image)
            second.reference_segmentation_id = first.segmentation_id
            uow.segmentations.add(second)
            uow.commit()
        del image, patient, first, second
        with make_unit_of_work() as uow:
            (one,) = uow.repository(above).where()
            uow.repository(above).delete(one)
            with pytest.raises(RuleBroken, match="still refers to it through"):
                uow.flush()
        with make_unit_of_work() as uow, pytest.raises(RuleBroken, match="still refers to it"):
            uow.rows.delete(above, [(1, 10**6)])


def _a_form_about_an_image(build: Builder) -> FormAnnotation:
    image = build.an_image()
    patient = image.series.study.patient
    return build.build(FormAnnotation, patient=patient, image_instance=image)


def _a_series_in_a_project(make_unit_of_work: MakeUnitOfWork, build: Builder) -> tuple[int, int]:
    """Store a series; return the ids of its project and of itself, with nothing in hand."""
    with make_unit_of_work() as uow:
        series = uow.series.add(build.a_series())
        uow.commit()
        return series.study.patient.project.project_id, series.series_id
