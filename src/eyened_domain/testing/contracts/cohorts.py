"""Cohorts: searches that are kept, frozen, checked and split."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from typing import Any

import pytest

from eyened_domain.errors import BadInput, Duplicate, NotFound, RuleBroken, UnknownName
from eyened_domain.model import Creator, ImageInstance, Series, Study
from eyened_domain.services.cohorts import Cohorts
from eyened_domain.services.conditions import field
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

LEFT = field("laterality") == "L"
SHARED = b"the same pixels"


def stored(uow: UnitOfWork, build: Builder, patients: int = 6) -> list[ImageInstance]:
    """Store images of some patients, two each; patients 1 and 4 share a picture."""
    images = []
    for number in range(patients):
        series = build.build(Series, study=build.build(Study))
        for index, eye in enumerate("LR"):
            shared = number in {1, 4} and eye == "L"
            pixels = SHARED if shared else f"{number} {index}".encode()
            images.append(
                build.build(ImageInstance, series=series, laterality=eye, data_hash=pixels)
            )
    for image in images:  # one by one, so that ids are in this order
        uow.images.add(image)
        uow.flush()
    uow.creators.add(build.build(Creator, creator_name="ann"))
    uow.commit()
    return images


class CohortContract(Contract):
    """That a cohort finds what its search finds, and keeps what it found when it was frozen."""

    def test_a_search_is_kept_by_name_and_finds_what_is_there_now(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            images = stored(uow, build)
            Cohorts().save(uow, "Left eyes", LEFT, by="Ann", order_by="-image.image_instance_id")
            uow.commit()
        with make_unit_of_work() as uow:
            found = Cohorts().ids(uow, "left eyes")
            assert found == [one.image_instance_id for one in reversed(images[::2])]
            uow.images.get(found[0]).inactive = True
            assert Cohorts().ids(uow, "Left eyes") == found[1:]

    def test_a_name_is_one_cohort_s(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            stored(uow, build)
            Cohorts().save(uow, "Étude", LEFT, by="ann")
            with pytest.raises(Duplicate, match="another name"):
                Cohorts().save(uow, "etude", LEFT, by="ann")
            assert uow.cohorts.count() == 1

    @pytest.mark.parametrize(
        ("wrong", "error"),
        [
            ({"by": "nobody"}, NotFound),
            ({"condition": field("lateralty") == "L"}, UnknownName),
            ({"condition": field("laterality") == "X"}, BadInput),
            ({"order_by": "tag"}, BadInput),
        ],
    )
    def test_what_cannot_be_searched_is_not_kept(
        self,
        make_unit_of_work: MakeUnitOfWork,
        build: Builder,
        wrong: dict[str, Any],
        error: type[Exception],
    ) -> None:
        with make_unit_of_work() as uow:
            stored(uow, build, 1)
            usual: dict[str, Any] = {"condition": LEFT, "by": "ann"}
            with pytest.raises(error):
                Cohorts().save(uow, "Left", **(usual | wrong))
            assert uow.cohorts.count() == 0

    def test_a_frozen_cohort_keeps_its_images_and_tells_what_has_changed(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            images = stored(uow, build)
            cohort = Cohorts().freeze(uow, Cohorts().save(uow, "Left", LEFT, by="ann"))
            ids = [one.image_instance_id for one in images[::2]]
            uow.commit()
            assert Cohorts().check(uow, cohort).is_none
            images[0].laterality = "R"
            images[1].laterality = "L"
            images[2].data_hash = b"others"
            uow.images.delete(images[4])
            uow.commit()
            drift = Cohorts().check(uow, "Left")
            assert Cohorts().ids(uow, "Left") == ids
            assert (drift.missing, drift.changed, drift.new) == (
                (ids[2],),
                (ids[0], ids[1]),
                (images[1].image_instance_id,),
            )
            assert drift.no_longer == (ids[0], ids[2])

    def test_a_cohort_that_is_frozen_again_stays_as_it_is(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            images = stored(uow, build)
            cohort = Cohorts().freeze(uow, Cohorts().save(uow, "Left", LEFT, by="ann"))
            before = (cohort.digest, cohort.date_frozen, Cohorts().ids(uow, cohort))
            images[1].laterality = "L"
            Cohorts().freeze(uow, cohort)
            assert (cohort.digest, cohort.date_frozen, Cohorts().ids(uow, cohort)) == before
            same = Cohorts().freeze(uow, Cohorts().save(uow, "Again", LEFT, by="ann"))
            assert same.digest != cohort.digest

    def test_a_split_keeps_patients_and_pictures_together(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            images = stored(uow, build, 10)
            cohorts = Cohorts()
            cohort = cohorts.freeze(
                uow, cohorts.save(uow, "All", field("laterality").in_(["L", "R"]), by="ann")
            )
            counts = cohorts.split(uow, cohort, stratify_by="laterality", seed=3)
            uow.commit()
            assert sum(counts.values()) == 20
            assert min(counts.values()) >= 2
            assert cohorts.leaks(uow, cohort).are_none
            parts = {part: cohorts.ids(uow, "All", part=part) for part in counts}
            assert {part: len(ids) for part, ids in parts.items()} == counts
            sharing = {images[2].image_instance_id, images[8].image_instance_id}
            assert sum(bool(sharing & {*ids}) for ids in parts.values()) == 1
            again = cohorts.split(uow, cohort, stratify_by="laterality", seed=3)
            assert again == counts
            assert {part: cohorts.ids(uow, "All", part=part) for part in counts} == parts

    def test_leaks_are_told(self, make_unit_of_work: MakeUnitOfWork, build: Builder) -> None:
        with make_unit_of_work() as uow:
            images = stored(uow, build)
            cohort = Cohorts().freeze(uow, Cohorts().save(uow, "Left", LEFT, by="ann"))
            Cohorts().split(uow, cohort, {"a": 1, "b": 1})
            uow.flush()
            one, other = images[2], images[8]
            members = {each.image_instance_id: each for each in cohort.members}
            members[one.image_instance_id].part = "a"
            members[other.image_instance_id].part = "b"
            images[0].data_hash = None
            images[10].series.study.patient = one.series.study.patient
            members[images[10].image_instance_id].part = "b"
            uow.commit()
            leaks = Cohorts().leaks(uow, cohort)
            assert leaks.pictures == ((one.image_instance_id, other.image_instance_id),)
            assert leaks.patients == {one.series.study.patient_id: ("a", "b")}
            assert leaks.without_hash == (images[0].image_instance_id,)
            assert not leaks.are_none

    @pytest.mark.parametrize(
        "parts",
        [
            {},
            {"a": 1.0},
            {"a": 0.5, "b": 0.6},
            {"a": 1, "b": 0},
            {"a": 0.5, "": 0.5},
            {"a": 1, 2: 1},
        ],
    )
    def test_parts_that_are_none_are_refused(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, parts: Any
    ) -> None:
        with make_unit_of_work() as uow:
            stored(uow, build, 2)
            cohort = Cohorts().freeze(uow, Cohorts().save(uow, "Left", LEFT, by="ann"))
            with pytest.raises(BadInput, match="parts"):
                Cohorts().split(uow, cohort, parts)
            assert {one.part for one in cohort.members} == {None}

    def test_what_is_not_frozen_has_no_members(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            stored(uow, build, 1)
            cohort = Cohorts().save(uow, "Left", LEFT, by="ann")
            for ask in (Cohorts().check, Cohorts().leaks, Cohorts().split):
                with pytest.raises(RuleBroken, match="not frozen"):
                    ask(uow, cohort)
            with pytest.raises(NotFound):
                Cohorts().ids(uow, "Right")

    def test_images_that_are_gone_are_not_dealt_out(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            images = stored(uow, build)
            cohort = Cohorts().freeze(uow, Cohorts().save(uow, "Left", LEFT, by="ann"))
            uow.images.delete(images[0])
            uow.commit()
            with pytest.raises(RuleBroken, match="1 of its images are gone"):
                Cohorts().split(uow, cohort)

    @pytest.mark.parametrize("backend", ["pandas", "polars"])
    def test_a_cohort_is_a_frame_of_chosen_columns(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, backend: str
    ) -> None:
        with make_unit_of_work() as uow:
            images = stored(uow, build)
            cohort = Cohorts().save(
                uow, "Left", LEFT, by="ann", order_by="-image.image_instance_id"
            )
            wanted = ["laterality", "patient.patient_identifier", "project"]
            for _ in range(2):
                frame = Cohorts().frame(uow, cohort, wanted, backend=backend)
                assert list(frame.columns) == ["image_instance_id", "part", *wanted]
                told = frame["image_instance_id"].to_list()
                assert told == [one.image_instance_id for one in reversed(images[::2])]
                assert set(frame["laterality"].to_list()) == {"L"}
                Cohorts().freeze(uow, cohort)
            with pytest.raises(BadInput, match="many"):
                Cohorts().frame(uow, cohort, ["tag"])

    def test_a_cohort_that_is_deleted_takes_its_members_along(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            stored(uow, build)
            cohort = Cohorts().freeze(uow, Cohorts().save(uow, "Left", LEFT, by="ann"))
            uow.commit()
            uow.cohorts.delete(cohort)
            uow.commit()
            assert (uow.cohorts.count(), uow.cohort_members.count()) == (0, 0)
            assert uow.images.count() == 12
