"""A service on the storage: what is put away, and restored as it was."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import pytest

from eyened_domain.errors import BadInput, NotFound, StillNeeded
from eyened_domain.model import (
    Annotation,
    FormAnnotation,
    ImageInstance,
    ImageInstanceTagLink,
    Segmentation,
    TrashEntry,
)
from eyened_domain.services.events import Event
from eyened_domain.services.trash import PutAway, Restored, Trash
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

COUNTS = {"ImageInstance": 3, "Annotation": 1, "FormAnnotation": 1, "Segmentation": 3}
"""What is active and hangs on the patient of `_patient`."""
NOTHING = dict.fromkeys(("images", "annotations", "forms", "segmentations"), 0)
LONG_AGO = datetime(2020, 1, 1)


class TrashContract(Contract):
    """What is put away is inactive, and restored as it was."""

    def test_a_patient_is_put_away_with_everything_and_restored_as_it_was(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        heard: list[Event] = []
        with make_unit_of_work(subscribers=[heard.append]) as uow:
            image = _patient(uow, build)
            uow.creators.add(build.a_creator(creator_name="dr_smith"))
            uow.commit()
            patient, before = image.series.study.patient, _inactive(uow)
            put = Trash().put_away(uow, patient, by="dr_smith", reason="consent withdrawn")
            assert dict(put.counts) == COUNTS
            uow.commit()
            assert heard == [PutAway("Patient", patient.patient_id, COUNTS)]
        with make_unit_of_work() as uow:
            assert {name: getattr(uow, name).count() for name in NOTHING} == NOTHING
            patient = uow.patients.get(patient.patient_id)
            assert patient.images == []
            assert patient.form_annotations == []
            assert dict(Trash().restore(uow, patient).counts) == COUNTS
            uow.commit()
            assert uow.trash_entries.count() == 0
            assert _inactive(uow) == before

    def test_what_is_put_away_is_told(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = _patient(uow, build)
            uow.creators.add(build.a_creator(creator_name="dr_smith"))
            first = Trash().put_away(uow, image)
            Trash().put_away(uow, image.series, by="dr_smith", reason="blurred")
            one, two = Trash().entries(uow)
            assert (one.entry_id, one.entity, one.entity_id) == (
                first.entry_id,
                "ImageInstance",
                image.image_instance_id,
            )
            assert (one.creator_name, one.reason) == (None, None)
            assert (two.creator_name, two.reason) == ("dr_smith", "blurred")
            assert two.as_dict()["counts"] == {"ImageInstance": 2, "Segmentation": 1}
            assert [row.entry_id for row in Trash().entries(uow, after=one.entry_id)] == [
                two.entry_id
            ]
            assert len(Trash().entries(uow, most=1)) == 1
            assert Trash().inactive(uow)["ImageInstance"] == 4
            assert dict(Trash().restore(uow, two).counts) == two.counts
            went: Counter[str] = Counter()
            while Trash().entries(uow):  # a kind of objects at a time
                went.update(Trash().empty(uow, one))
            assert went["ImageInstance"] == 1

    def test_doing_it_again_changes_nothing(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        heard: list[Event] = []
        with make_unit_of_work(subscribers=[heard.append]) as uow:
            image = _patient(uow, build)
            Trash().put_away(uow, image)
            again = Trash().put_away(uow, image)
            assert (again.entry_id, dict(again.counts)) == (None, {})
            assert uow.trash_entries.count() == 1
            Trash().restore(uow, image)
            assert dict(Trash().restore(uow, image).counts) == {}
            uow.commit()
            assert [type(event) for event in heard] == [PutAway, Restored]

    def test_objects_and_lists_in_hand_know_of_it(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = _patient(uow, build)
            build.add(uow, ImageInstanceTagLink, image_instance=image)
            uow.commit()
        with make_unit_of_work() as uow:
            image = uow.images.get(image.image_instance_id)
            series, (tag,) = image.series, uow.tags.where()
            (form,), shown = image.form_annotations, list(series.image_instances)
            assert image in shown
            assert len(tag.image_instance_tag_links) == 1
            Trash().put_away(uow, image)
            assert image.inactive
            assert form.inactive
            assert series.image_instances == [one for one in shown if one is not image]
            assert image.segmentations == []
            assert tag.image_instance_tag_links == []
            Trash().restore(uow, image)
            assert not image.inactive
            assert series.image_instances == shown
            assert len(tag.image_instance_tag_links) == 1
            uow.rollback()
            assert not image.inactive

    def test_the_moment_of_the_change_is_kept_as_for_any_other(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = _patient(uow, build)
            image.date_modified = LONG_AGO
            uow.commit()
            Trash().put_away(uow, image)
            uow.commit()
            assert image.date_modified is not None
            assert image.date_modified > LONG_AGO

    def test_an_entry_restores_what_no_later_one_has_put_away(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = _patient(uow, build)
            uow.commit()
            first = uow.trash_entries.get(Trash().put_away(uow, image).entry_id)
            image.inactive = False  # by hand
            uow.flush()
            Trash().put_away(uow, image.series)
            assert dict(Trash().restore(uow, first).counts) == {
                "Annotation": 1,
                "FormAnnotation": 1,
                "Segmentation": 2,
            }
            assert image.inactive
            assert dict(Trash().restore(uow, image.series).counts) == {
                "ImageInstance": 3,
                "Segmentation": 1,
            }
            assert not image.inactive

    def test_a_part_of_what_was_put_away_is_restored_alone(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = _patient(uow, build)
            uow.commit()
            patient = image.series.study.patient
            Trash().put_away(uow, patient)
            assert dict(Trash().restore(uow, image).counts) == {
                "ImageInstance": 1,
                "Annotation": 1,
                "FormAnnotation": 1,
                "Segmentation": 2,
            }
            (entry,) = Trash().entries(uow)
            assert dict(entry.counts) == {"ImageInstance": 2, "Segmentation": 1}
            assert dict(Trash().restore(uow, patient).counts) == dict(entry.counts)
            assert Trash().entries(uow) == []

    def test_what_was_made_inactive_by_hand_is_restored_alone(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = _patient(uow, build)
            image.inactive = True
            uow.flush()
            assert dict(Trash().restore(uow, image).counts) == {"ImageInstance": 1}
            assert not image.inactive

    def test_what_was_put_away_is_deleted_for_good_in_portions(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = _patient(uow, build)
            uow.commit()
            kept = _inactive(uow)
            patient = image.series.study.patient
            identity = Trash().put_away(uow, patient).entry_id
            uow.commit()
        counts: dict[str, int] = {}
        while True:
            with make_unit_of_work() as uow:
                entry = uow.trash_entries.get(identity, default=None)
                if entry is None:
                    break
                gone = Trash().empty(uow, entry, most=2)
                uow.commit()
                for name, count in gone.items():
                    counts[name] = counts.get(name, 0) + count
        assert counts == COUNTS | {"Segmentation": 4}  # one was inactive before, on such an image
        with make_unit_of_work(include_inactive=True) as uow:
            assert uow.patients.count() == 1
            assert uow.images.count() == 1
            assert _inactive(uow) == {one for one in kept if one[0] == "ImageInstance"}

    def test_what_was_restored_since_is_not_deleted(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = _patient(uow, build)
            uow.commit()
            form = image.form_annotations[0]
            entry = uow.trash_entries.get(Trash().put_away(uow, form).entry_id)
            form.inactive = False
            uow.flush()
            assert Trash().empty(uow, entry) == {}
            uow.commit()
            assert uow.trash_entries.count() == 0
            assert uow.forms.get(form.form_annotation_id) is form

    def test_nothing_active_is_deleted_with_what_was_put_away(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = build.add(uow, ImageInstance)
            uow.flush()
            entry = uow.trash_entries.get(Trash().put_away(uow, image).entry_id)
            build.add(uow, Segmentation, image_instance=image)
            uow.commit()
            with pytest.raises(StillNeeded, match="active things hang on it: 1 Segmentation"):
                Trash().empty(uow, entry)
            assert uow.images.count(include_inactive=True) == 1

    def test_what_cannot_be_put_away_is_refused(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            tag = uow.tags.add(build.a_tag())
            uow.flush()
            with pytest.raises(BadInput, match="nothing that hangs on a Tag can be put away"):
                Trash().put_away(uow, tag)
            image = build.add(uow, ImageInstance)
            with pytest.raises(NotFound, match="no Creator"):
                Trash().put_away(uow, image, by="nobody")
            assert not image.inactive
            with pytest.raises(BadInput, match="reason"):
                Trash().put_away(uow, image, reason="x" * 256)

    def test_an_entry_stays_when_who_made_it_is_deleted(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            smith = uow.creators.add(build.a_creator(creator_name="dr_smith"))
            Trash().put_away(uow, build.add(uow, ImageInstance), by=smith)
            uow.creators.delete(smith)
            uow.commit()
            (entry,) = TrashEntry.fetch_all(uow)
            assert entry.creator is None


def _patient(uow: UnitOfWork, build: Builder) -> ImageInstance:
    """Add a patient with three images, one of them with everything; one each is inactive."""
    image = build.add(uow, ImageInstance)
    others = [build.add(uow, ImageInstance, series=image.series) for _ in range(2)]
    build.add(uow, ImageInstance, series=image.series, inactive=True)
    for inactive in (False, False, True):
        build.add(uow, Segmentation, image_instance=image, inactive=inactive)
    build.add(uow, Segmentation, image_instance=others[0])
    build.add(uow, FormAnnotation, image_instance=image)
    build.add(uow, Annotation, image_instance=image)
    uow.flush()
    return image


def _inactive(uow: UnitOfWork) -> set[tuple[str, Any]]:
    """Return what is inactive: names of entities, and ids."""
    return {
        (entity.__name__, entity.__entity__.key(one.__dict__)[0])
        for entity in (ImageInstance, Segmentation, FormAnnotation, Annotation)
        for one in entity.where(uow, inactive=True)
    }
