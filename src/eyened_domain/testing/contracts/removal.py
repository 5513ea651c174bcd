"""Deleting, and what goes along."""

# ruff: noqa: D102, PT012, S101 - the names of the tests say it all

from __future__ import annotations

import pytest

from eyened_domain.errors import Duplicate, RuleBroken
from eyened_domain.model import (
    Annotation,
    AttributeValue,
    Patient,
    Project,
    Segmentation,
    Series,
    StudyTagLink,
)
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork


class RemovalContract(Contract):
    """What every storage does when something is deleted."""

    def test_what_is_deleted_is_gone(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            uow.projects.add_all([Project(project_name="a"), Project(project_name="b")])
            uow.commit()
        with make_unit_of_work() as uow:
            project = uow.projects.by_name("a")
            uow.projects.delete(project)
            assert uow.projects.by_name("a", default=None) is None
            uow.commit()
            assert project.project_name == "a"
        with make_unit_of_work() as uow:
            assert [one.project_name for one in uow.projects.where()] == ["b"]
            assert uow.projects.get(project.project_id, default=None) is None

    def test_what_cascades_goes_along_to_any_depth(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            kept = uow.images.add(build.an_image())
            image = uow.images.add(build.an_image())
            uow.segmentations.add(build.a_segmentation(image_instance=image))
            uow.commit()
            project_id, kept_id = image.project.project_id, kept.image_instance_id
        with make_unit_of_work() as uow:
            uow.projects.delete(uow.projects.get(project_id))
            uow.commit()
        with make_unit_of_work() as uow:
            assert [one.image_instance_id for one in uow.images.where()] == [kept_id]
            assert (uow.patients.count(), uow.studies.count(), uow.series.count()) == (1, 1, 1)
            assert uow.segmentations.count() == 0
            assert uow.features.count() == 1

    def test_what_is_still_needed_cannot_be_deleted(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            uow.images.add(build.an_image())
            uow.commit()
        with make_unit_of_work() as uow:
            uow.devices.delete(uow.devices.where()[0])
            with pytest.raises(RuleBroken):
                uow.commit()
        with make_unit_of_work() as uow:
            assert (uow.devices.count(), uow.images.count()) == (1, 1)

    def test_restrict_forbids(self, make_unit_of_work: MakeUnitOfWork, build: Builder) -> None:
        with make_unit_of_work() as uow:
            build.add(uow, Segmentation)
            uow.commit()
        with pytest.raises(RuleBroken), make_unit_of_work() as uow:
            uow.features.delete(uow.features.where()[0])
            uow.flush()

    def test_a_patient_with_legacy_annotations_cannot_be_deleted(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            build.add(uow, Annotation)
            uow.commit()
        with pytest.raises(RuleBroken), make_unit_of_work() as uow:
            uow.patients.delete(uow.patients.where()[0])
            uow.flush()

    def test_what_points_there_and_may_stay_points_nowhere_then(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            sub_task = uow.sub_tasks.add(build.a_sub_task())
            uow.segmentations.add(build.a_segmentation(sub_task=sub_task))
            uow.commit()
        with make_unit_of_work() as uow:
            uow.sub_tasks.delete(uow.sub_tasks.where()[0])
            uow.commit()
        with make_unit_of_work() as uow:
            (found,) = uow.segmentations.where()
            assert (found.sub_task_id, found.sub_task) == (None, None)

    def test_child_and_parent_can_be_deleted_together(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            uow.tags.add(build.a_tag())
            uow.commit()
        with make_unit_of_work() as uow:
            tag = uow.tags.where()[0]
            creator = tag.creator
            uow.creators.delete(creator)
            uow.tags.delete(tag)
            uow.commit()
        with make_unit_of_work() as uow:
            assert (uow.tags.count(), uow.creators.count()) == (0, 0)

    def test_a_child_that_was_moved_away_stays(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = uow.studies.add(build.a_study())
            other = uow.patients.add(build.a_patient())
            uow.commit()
            ids = study.study_id, study.patient_id, other.patient_id
        with make_unit_of_work() as uow:
            study = uow.studies.get(ids[0])
            study.patient = uow.patients.get(ids[2])
            uow.flush()
            uow.patients.delete(uow.patients.get(ids[1]))
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.studies.get(ids[0]).patient_id == ids[2]
            assert uow.patients.count() == 1

    def test_what_links_two_goes_with_either(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            model = uow.attributes_models.add(build.an_attributes_model())
            model.output_attributes.append(build.an_attribute())
            uow.study_tags.add(build.a_study_tag_link())
            uow.commit()
            assert (uow.model_outputs.count(), uow.study_tags.count()) == (1, 1)
        with make_unit_of_work() as uow:
            uow.attributes.delete(uow.attributes.where()[0])
            uow.tags.delete(uow.tags.where()[0])
            uow.commit()
        with make_unit_of_work() as uow:
            assert (uow.model_outputs.count(), uow.study_tags.count()) == (0, 0)
            assert uow.attributes_models.where()[0].output_attributes == []

    def test_an_id_is_not_given_again_within_a_unit(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            kept = uow.projects.add(Project(project_name="a"))
            uow.projects.add(Project(project_name="b"))
            uow.commit()
            uow.projects.delete(kept)
            uow.commit()
            after = uow.projects.add(Project(project_name="c"))
            uow.commit()
            assert after.project_id != kept.project_id

    def test_a_deletion_after_a_rollback_reaches_what_hangs_on_it(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = uow.studies.add(build.a_study())
            patient = study.patient  # all three stay in hand
            project = patient.project
            uow.commit()
            uow.rollback()
            uow.projects.delete(project)
            with pytest.raises(RuleBroken):
                Series(study=study)

    def test_a_new_object_keeps_what_it_is_linked_to_from_being_deleted(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = uow.studies.add(build.a_study())
            uow.commit()
            uow.series.add(Series(study=study))
            uow.studies.delete(study)
            with pytest.raises(RuleBroken):
                uow.flush()

    def test_what_was_moved_to_what_is_deleted_goes_along(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            patient = a_patient_of_two_projects(uow)
            patient.project = uow.projects.by_name("b")
            uow.projects.delete(patient.project)
            uow.commit()
            assert uow.patients.count() == 0

    def test_what_an_id_has_moved_away_is_not_deleted_along(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            patient = a_patient_of_two_projects(uow)
            project = patient.project
            assert project.patients == [patient]
            other = uow.projects.by_name("b")
            patient.project_id = other.project_id
            uow.projects.delete(project)
            uow.commit()
            assert uow.patients.where() == [patient]
            assert patient.project is other

    @pytest.mark.parametrize("is_itself", [True, False])
    def test_what_was_linked_just_now_is_deleted_at_both_ends(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, is_itself: bool
    ) -> None:
        with make_unit_of_work() as uow:
            value = uow.attribute_values.add(build.build(AttributeValue))
            used = value if is_itself else uow.attribute_values.add(build.build(AttributeValue))
            uow.commit()
            value.input_values.append(used)
            for one in {value, used}:
                uow.attribute_values.delete(one)
            uow.commit()
            assert uow.attribute_values.count() == 0

    def test_a_key_is_free_after_the_flush_that_deletes(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            before = uow.projects.add(Project(project_name="a"))
            uow.commit()
            uow.projects.delete(before)
            uow.flush()
            before = uow.projects.add(Project(project_name="a"))
            uow.commit()
            uow.projects.delete(before)
            uow.projects.add(Project(project_name="a"))
            with pytest.raises(Duplicate):
                uow.flush()

    def test_what_takes_the_place_of_something_deleted_is_written_in_full(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            first = uow.study_tags.add(build.a_study_tag_link(comment="first"))
            uow.commit()
            key = {name: getattr(first, name) for name in ("tag_id", "study_id", "creator_id")}
            tag, study = first.tag, first.study
        for comment, new in (
            ("second", StudyTagLink(comment="second", **key)),
            (None, StudyTagLink(**key)),
        ):
            with make_unit_of_work() as uow:
                uow.study_tags.delete(uow.study_tags.one(tag_id=key["tag_id"]))
                uow.study_tags.add(new)
                uow.commit()
            with make_unit_of_work() as uow:
                (stored,) = uow.study_tags.where()
                assert stored.comment == comment
                assert stored.date_inserted
                assert (stored.tag.tag_name, stored.study_id) == (tag.tag_name, study.study_id)


def a_patient_of_two_projects(uow: UnitOfWork) -> Patient:
    """Return a stored patient of project a, beside a project b."""
    uow.projects.add(Project(project_name="b"))
    patient = Patient(patient_identifier="1", project=Project(project_name="a"))
    uow.patients.add(patient)
    uow.commit()
    return patient
