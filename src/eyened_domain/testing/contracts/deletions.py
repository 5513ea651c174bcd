"""A service on the storage: deletions with everything that hangs on an object, planned first."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from typing import Any

import pytest

from eyened_domain.errors import BadInput, NeededBy, RuleBroken, StillNeeded
from eyened_domain.model import (
    Annotation,
    AnnotationData,
    AttributeValue,
    FormAnnotation,
    FormAnnotationTagLink,
    ImageInstance,
    ImageInstanceTagLink,
    Laterality,
    Model,
    ModelSegmentation,
    Patient,
    Segmentation,
    SegmentationTagLink,
    Study,
    StudyTagLink,
    SubTask,
    SubTaskImageLink,
)
from eyened_domain.model.entity import entity_class
from eyened_domain.services.events import Event
from eyened_domain.services.trash import Deleted, Trash
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import BackOut, Contract, MakeUnitOfWork

PARTS = {
    "Patient": 1,
    "Study": 1,
    "StudyTagLink": 1,
    "Series": 1,
    "ImageInstance": 2,
    "ImageInstanceTagLink": 1,
    "SubTaskImageLink": 1,
    "Annotation": 2,
    "AnnotationData": 1,
    "FormAnnotation": 3,
    "FormAnnotationTagLink": 1,
    "Segmentation": 2,
    "SegmentationTagLink": 1,
    "ModelSegmentation": 1,
    "AttributeValue": 4,
}
"""What `_patient` makes."""


class DeletionContract(Contract):
    """A deletion takes along what is part of an object, or nothing at all."""

    def test_a_plan_counts_what_would_go_and_changes_nothing(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            patient = _patient(uow, build)
            _patient(uow, build)
            uow.commit()
            plan = Trash().plan_delete(uow, patient)
            assert dict(plan.counts) == PARTS
            assert (plan.entity, plan.ids) == ("Patient", (patient.patient_id,))
            assert (plan.pixels, dict(plan.loosened), plan.needed_by) == (0, {}, ())
            assert plan.is_free
            assert plan.as_dict()["counts"]["FormAnnotation"] == 3
            assert uow.patients.count() == 2

    def test_a_patient_goes_with_everything_and_others_stay(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        heard: list[Event] = []
        with make_unit_of_work(subscribers=[heard.append]) as uow:
            patient, other = _patient(uow, build), _patient(uow, build)
            uow.commit()
            plan = Trash().delete(uow, patient)
            uow.commit()
            assert heard[-1] == Deleted("Patient", plan.ids, PARTS)
        with make_unit_of_work(include_inactive=True) as uow:
            assert [one.patient_id for one in uow.patients.where()] == [other.patient_id]
            again = Trash().plan_delete(uow, uow.patients.get(other.patient_id))
            assert dict(again.counts) == PARTS
            assert {name: _count(uow, name) for name in PARTS} == PARTS

    def test_what_is_in_hand_is_gone_with_it(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            patient = _patient(uow, build)
            uow.commit()
            project, creators = patient.project, uow.creators.where()
            form, image = uow.forms.where()[0], uow.images.where()[0]
            filled_in = {one: list(one.form_annotations) for one in creators}
            assert form in filled_in[form.creator]
            assert patient in project.patients
            Trash().delete(uow, patient)
            assert project.patients == []
            assert all(one.form_annotations == [] for one in creators)
            for one in (patient, form, image):
                identity = one.__entity__.key(one.__dict__)[0]
                assert uow.repository(type(one)).get(identity, default=None) is None
                with pytest.raises(RuleBroken, match="deleted"):
                    uow.repository(type(one)).add(one)
            assert form.laterality is None
            uow.commit()
            assert uow.forms.count(include_inactive=True) == 0

    def test_a_rollback_brings_all_of_it_back(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            patient = _patient(uow, build)
            uow.commit()
            form = uow.forms.where()[0]
            Trash().delete(uow, patient)
            uow.rollback()
            assert {name: _count(uow, name) for name in PARTS} == PARTS
            assert uow.forms.get(form.form_annotation_id) is form
            assert form.patient is patient
            assert patient in patient.project.patients
            form.laterality = "L"
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.forms.get(form.form_annotation_id).laterality is Laterality.L

    def test_a_savepoint_brings_all_of_it_back(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            patient = _patient(uow, build)
            uow.commit()
            with pytest.raises(BackOut), uow.savepoint():
                _delete_and_back_out(uow, patient)
            assert {name: _count(uow, name) for name in PARTS} == PARTS
            assert uow.patients.get(patient.patient_id) is patient

    def test_what_needs_it_and_stays_is_told_and_nothing_is_deleted(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            segmentation = build.add(uow, Segmentation)
            uow.flush()
            first = segmentation.segmentation_id
            referring = [
                build.add(uow, Segmentation, reference_segmentation_id=first) for _ in range(12)
            ]
            model = build.add(uow, ModelSegmentation, reference_segmentation_id=first)
            uow.commit()
            image = segmentation.image_instance
            plan = Trash().plan_delete(uow, image)
            names = tuple(str(one.segmentation_id) for one in referring[:10])
            assert set(plan.needed_by) == {
                NeededBy("Segmentation", 12, names),
                NeededBy("ModelSegmentation", 1, (str(model.model_segmentation_id),)),
            }
            with pytest.raises(
                StillNeeded, match=r"ImageInstance .* cannot be deleted: still"
            ) as no:
                Trash().delete(uow, image)
            assert no.value.needed_by == plan.needed_by
            assert uow.images.count() == 14
            feature = segmentation.feature
            with pytest.raises(StillNeeded, match="1 Segmentation"):
                Trash().delete(uow, feature)
            assert uow.segmentations.count() == 13

    def test_references_between_what_goes_are_in_no_way(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = build.add(uow, ImageInstance)
            older: Any = None
            for _ in range(3):
                older = build.add(
                    uow,
                    Segmentation,
                    image_instance=image,
                    reference_segmentation_id=None if older is None else older.segmentation_id,
                )
                uow.flush()
            build.add(
                uow,
                ModelSegmentation,
                image_instance=image,
                reference_segmentation_id=older.segmentation_id,
            )
            uow.commit()
            assert Trash().delete(uow, image).counts["Segmentation"] == 3
            uow.commit()
            assert (uow.segmentations.count(), uow.model_segmentations.count()) == (0, 0)

    def test_links_that_may_be_empty_become_so(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            sub_task = build.add(uow, SubTask)
            form = build.add(uow, FormAnnotation, sub_task=sub_task)
            build.add(uow, SubTaskImageLink, sub_task=sub_task)
            uow.commit()
            plan = Trash().delete(uow, sub_task.task)
            assert dict(plan.counts) == {"Task": 1, "SubTask": 1, "SubTaskImageLink": 1}
            assert dict(plan.loosened) == {"FormAnnotation.sub_task_id": 1}
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.forms.get(form.form_annotation_id).sub_task_id is None

    def test_a_tagged_image_and_a_study_with_values_go(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            tagged = build.add(uow, ImageInstanceTagLink)
            value = build.add(uow, AttributeValue, image_instance=None, study=build.a_study())
            uow.commit()
            assert dict(Trash().delete(uow, tagged.image_instance).counts) == {
                "ImageInstance": 1,
                "ImageInstanceTagLink": 1,
            }
            study: Any = value.study
            assert dict(Trash().delete(uow, study).counts) == {"Study": 1, "AttributeValue": 1}
            uow.commit()
            assert uow.tags.count() == 1
            assert uow.attributes.count() == 1

    def test_revisions_of_a_form_go_with_it(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            form = first = build.add(uow, FormAnnotation)
            for _ in range(3):
                form = build.add(
                    uow,
                    FormAnnotation,
                    form_annotation_reference=form,
                    form_schema=form.form_schema,
                    patient=form.patient,
                )
            uow.commit()
            assert Trash().delete(uow, first).counts["FormAnnotation"] == 4
            uow.commit()
            assert uow.forms.count() == 0

    def test_a_model_goes_with_its_values_and_not_with_its_segmentations(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            value, made = build.add(uow, AttributeValue), build.add(uow, ModelSegmentation)
            uow.commit()
            model: Any = value.producing_model
            counts = Trash().delete(uow, model).counts
            assert dict(counts) == {"Model": 1, "AttributeValue": 1}
            with pytest.raises(StillNeeded, match="1 ModelSegmentation"):
                Trash().delete(uow, made.model)
            uow.commit()
            assert uow.repository(Model).count() == 1

    def test_what_cannot_be_meant_is_refused(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            with pytest.raises(RuleBroken, match="not stored"):
                Trash().plan_delete(uow, build.a_patient())
            with pytest.raises(BadInput, match="object of an entity"):
                Trash().delete(uow, "patient")  # type: ignore[arg-type]
            link = build.add(uow, StudyTagLink)
            uow.flush()
            with pytest.raises(BadInput, match="between two others"):
                Trash().delete(uow, link)


def _patient(uow: UnitOfWork, build: Builder) -> Patient:
    """Add a patient with one of everything that can hang on it, and two images."""
    image = build.add(uow, ImageInstance, inactive=True)
    other = build.add(uow, ImageInstance, series=image.series)
    study: Study = image.series.study
    patient = study.patient
    segmentation = build.add(uow, Segmentation, image_instance=image)
    uow.flush()
    build.add(
        uow,
        Segmentation,
        image_instance=other,
        reference_segmentation_id=segmentation.segmentation_id,
        inactive=True,
    )
    model = build.add(uow, ModelSegmentation, image_instance=image)
    creator = uow.creators.get(segmentation.creator_id)
    forms = [
        build.add(uow, FormAnnotation, creator=creator, **about)
        for about in _subjects(patient, study, image)
    ]
    annotation = build.add(uow, Annotation, patient=patient, creator=creator)
    build.add(uow, Annotation, image_instance=image, creator=creator)
    build.add(uow, AnnotationData, annotation=annotation)
    build.add(uow, StudyTagLink, study=study)
    build.add(uow, ImageInstanceTagLink, image_instance=image)
    build.add(uow, SegmentationTagLink, segmentation=segmentation)
    build.add(uow, FormAnnotationTagLink, form_annotation=forms[0])
    build.add(uow, SubTaskImageLink, image_instance=image)
    owners: dict[str, Any] = {"image_instance": image, "model_segmentation": model}
    owners |= {"patient": patient, "study": study}
    for link, owner in owners.items():
        values: dict[str, Any] = {"image_instance": None} | {link: owner}
        build.add(uow, AttributeValue, **values)
    return patient


def _subjects(patient: Patient, study: Study, image: ImageInstance) -> list[dict[str, Any]]:
    return [
        {"patient": patient},
        {"patient": patient, "study": study},
        {"patient": patient, "study": study, "image_instance": image},
    ]


def _delete_and_back_out(uow: UnitOfWork, patient: Patient) -> None:
    Trash().delete(uow, patient)
    raise BackOut


def _count(uow: UnitOfWork, name: str) -> int:

    return uow.repository(entity_class(name)).count(include_inactive=True)
