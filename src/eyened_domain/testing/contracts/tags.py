"""A service on the storage: tags themselves, and thousands of them at a time."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from typing import Any

import pytest

from eyened_domain.errors import BadInput, Duplicate, NotFound, RuleBroken
from eyened_domain.model import (
    Annotation,
    Creator,
    FormAnnotation,
    ImageInstance,
    Segmentation,
    Study,
    TagType,
)
from eyened_domain.services.events import Event
from eyened_domain.services.tagging import (
    ManyTagged,
    ManyUntagged,
    Tagging,
    TagUse,
    Untagged,
)
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

FIVE = (Study, ImageInstance, Annotation, Segmentation, FormAnnotation)


def _smith(uow: UnitOfWork, build: Builder) -> Creator:
    return uow.creators.add(build.a_creator(creator_name="dr_smith"))


def _images(uow: UnitOfWork, build: Builder, count: int = 3) -> list[int]:
    """Store images and somebody to tag them; return the ids of the images."""
    _smith(uow, build)
    images = uow.images.add_all(build.an_image() for _ in range(count))
    uow.flush()
    return [image.image_instance_id for image in images]


class TagContract(Contract):
    """That tags are made, described, starred, counted and told, and put on many things at once."""

    def test_a_tag_is_made_once_for_each_kind_of_thing(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            smith = _smith(uow, build)
            made = Tagging().create(uow, "sharp", ImageInstance, by=smith, description="in focus")
            for again in ("SHARP", "sharp"):  # blanks at the end: see the contract of values
                assert Tagging().create(uow, again, "ImageInstance", by="dr_smith") is made
            other = Tagging().create(uow, "sharp", TagType.Study, by="dr_smith")
            assert (other.tag_type, other.tag_description) == (TagType.Study, "")
            with pytest.raises(Duplicate, match="'in focus'; change that with describe"):
                Tagging().create(uow, "sharp", ImageInstance, by=smith, description="bright")
            Tagging().describe(uow, made, "bright")
            uow.commit()
        with make_unit_of_work() as uow:
            told = [(one.tag_type, one.tag_description, one.creator) for one in uow.tags.where()]
            smith = uow.creators.by_name("dr_smith")
            assert told == [(TagType.ImageInstance, "bright", smith), (TagType.Study, "", smith)]

    @pytest.mark.parametrize("name", ["", " ", None, 5, "x" * 257])
    def test_what_is_no_name_makes_no_tag(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, name: Any
    ) -> None:
        with make_unit_of_work() as uow:
            (one, *_) = _images(uow, build)
            with pytest.raises(BadInput):
                Tagging().create(uow, name, ImageInstance, by="dr_smith")
            with pytest.raises(BadInput):
                Tagging().tag_ids(uow, ImageInstance, [one], [name], by="dr_smith")
            uow.commit()
            assert uow.tags.count() == 0

    @pytest.mark.parametrize("kind", ["Patient", "image", None, 3, TagType])
    def test_what_takes_no_tags_is_refused_by_name(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, kind: Any
    ) -> None:
        with make_unit_of_work() as uow:
            _smith(uow, build)
            with pytest.raises(BadInput, match="takes no tags; these do: Study, ImageInstance"):
                Tagging().create(uow, "sharp", kind, by="dr_smith")

    @pytest.mark.parametrize("entity", FIVE)
    def test_all_five_kinds_are_tagged_and_untagged_as_objects_and_by_ids(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, entity: Any
    ) -> None:
        with make_unit_of_work() as uow:
            smith = _smith(uow, build)
            one, two = (build.add(uow, entity) for _ in "ab")
            uow.flush()
            ids = [getattr(each, entity.__entity__.primary_key[0]) for each in (one, two)]
            Tagging().tag(uow, one, "check", by=smith)
            assert Tagging().tag_ids(uow, entity, ids, ["check", "left"], by=smith) == 3
            assert Tagging().tag_ids(uow, entity, ids, ["check", "left"], by=smith) == 0
            uow.commit()
        with make_unit_of_work() as uow:
            (check, left) = Tagging().list_tags(uow, entity)
            assert (check.tag_name, check.count, left.count) == ("check", 2, 2)
            one, two = uow.repository(entity).by_ids(ids)
            assert Tagging().untag(uow, one, "check")
            assert Tagging().untag_all(uow, [one, two], ["check", "left", "none"]) == 3
            uow.commit()
        with make_unit_of_work() as uow:
            assert [use.count for use in Tagging().list_tags(uow, entity)] == [0, 0]
            assert Tagging().untag_ids(uow, entity, ids, ["check", "left"]) == 0

    def test_a_tag_goes_on_things_of_its_kind_only(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            ids = _images(uow, build)
            of_studies = Tagging().create(uow, "sharp", Study, by="dr_smith")
            image = uow.images.get(ids[0])
            for call in (
                lambda: Tagging().tag(uow, image, of_studies, by="dr_smith"),
                lambda: Tagging().untag(uow, image, of_studies),
                lambda: Tagging().tag_ids(uow, ImageInstance, ids, of_studies, by="dr_smith"),
                lambda: Tagging().frame(uow, ImageInstance, of_studies),
            ):
                with pytest.raises(RuleBroken, match="'sharp' is for Study, it cannot be put on"):
                    call()
            of_images = Tagging().create(uow, "sharp", ImageInstance, by="dr_smith")
            link = Tagging().tag(uow, image, of_images, by="dr_smith")
            assert link.tag is of_images
            uow.commit()
            assert (uow.image_tags.count(), uow.study_tags.count()) == (1, 0)

    def test_tags_are_starred_once_by_each_person(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            _smith(uow, build)
            jones = uow.creators.add(build.a_creator(creator_name="dr_jones"))
            one, two = (Tagging().create(uow, name, Study, by=jones) for name in ("one", "two"))
            first = Tagging().star(uow, one, by="dr_smith")
            assert Tagging().star(uow, one, by="dr_smith") is first
            Tagging().star(uow, one, by=jones)
            Tagging().star(uow, two, by=jones)
            uow.commit()
            assert Tagging().starred(uow, by=jones) == [one, two]
            assert [use.stars for use in Tagging().list_tags(uow)] == [2, 1]
            assert Tagging().unstar(uow, one, by=jones)
            assert not Tagging().unstar(uow, one, by="dr_jones")
            uow.commit()
        with make_unit_of_work() as uow:
            assert [tag.tag_name for tag in Tagging().starred(uow, by="dr_jones")] == ["two"]
            assert [tag.tag_name for tag in Tagging().starred(uow, by="dr_smith")] == ["one"]

    def test_a_creator_who_is_not_there_is_an_error_and_no_new_person(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            ids = _images(uow, build)
            image = uow.images.get(ids[0])
            tag = Tagging().create(uow, "there", ImageInstance, by="dr_smith")
            uow.commit()
            stored = uow.creators.by_name("dr_smith").creator_id
            nobody: list[tuple[Any, type[Exception], str]] = [
                ("dr_smiht", NotFound, "did you mean 'dr_smith'"),
                (build.a_creator(creator_name="dr_smiht"), RuleBroken, "'dr_smiht' is not stored"),
                (Creator(creator_id=stored, creator_name="dr_smiht"), NotFound, "is 'dr_smith'"),
                (Creator(creator_id=stored + 1000, creator_name="dr_smiht"), NotFound, "there is"),
                (stored, BadInput, "the name of one"),
                (None, BadInput, "the name of one"),
            ]
            for by, error, message in nobody:
                for call in (
                    lambda by=by: Tagging().create(uow, "new", ImageInstance, by=by),
                    lambda by=by: Tagging().tag(uow, image, "new", by=by),
                    lambda by=by: Tagging().tag_all(uow, [], "new", by=by),
                    lambda by=by: Tagging().tag_ids(uow, ImageInstance, ids, "new", by=by),
                    lambda by=by: Tagging().star(uow, tag, by=by),
                ):
                    with pytest.raises(error, match=message):
                        call()
            uow.commit()
            assert (uow.creators.count(), uow.tags.count()) == (1, 1)
            assert (uow.image_tags.count(), uow.starred_tags.count()) == (0, 0)

    def test_a_creator_of_an_earlier_unit_is_the_one_who_is_stored(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            ids = _images(uow, build)
            smith = uow.creators.by_name("dr_smith")
            uow.commit()
        with make_unit_of_work() as uow:
            link = Tagging().tag(uow, uow.images.get(ids[0]), "sharp", by=smith)
            Tagging().tag_ids(uow, ImageInstance, ids, "sharp", by=smith)
            uow.commit()
            assert link.creator is uow.creators.by_name("dr_smith")
            assert uow.creators.count() == 1

    def test_ids_that_are_not_there_are_named_and_nothing_is_tagged(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            ids = _images(uow, build)
            beyond = range(max(ids) + 1, max(ids) + 16)
            named = ", ".join(map(str, beyond[:10]))
            with pytest.raises(NotFound, match=rf"image_instance_id {named}, … \(15 of 18\)"):
                Tagging().tag_ids(uow, ImageInstance, [*ids, *beyond], "new", by="dr_smith")
            strange: list[Any] = ["five", "12", 1.5, True, None, 2**40]
            for wrong in strange:
                with pytest.raises(BadInput):
                    Tagging().tag_ids(uow, ImageInstance, [*ids, wrong], "new", by="dr_smith")
            no_lists: list[Any] = [ids[0], "12"]
            for wrong in no_lists:
                with pytest.raises(BadInput, match="a list of ids"):
                    Tagging().tag_ids(uow, ImageInstance, wrong, "new", by="dr_smith")
            uow.commit()
            assert (uow.tags.count(), uow.image_tags.count()) == (0, 0)

    def test_an_id_that_is_given_twice_is_tagged_once_and_none_makes_no_tag(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            ids = _images(uow, build)
            twice: list[Any] = [ids[0], float(ids[0]), ids[0]]
            assert Tagging().tag_ids(uow, ImageInstance, twice, ["a", "A"], by="dr_smith") == 1
            assert Tagging().tag_ids(uow, ImageInstance, [], "b", by="dr_smith") == 0
            assert Tagging().tag_ids(uow, ImageInstance, ids, [], by="dr_smith") == 0
            uow.commit()
            assert (uow.tags.count(), uow.image_tags.count()) == (1, 1)

    def test_remarks_are_kept_changed_and_taken_away(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            ids = _images(uow, build)
            one, two, three = uow.images.by_ids(ids)
            Tagging().tag(uow, one, "sharp", by="dr_smith", comment="first")
            Tagging().tag_ids(uow, ImageInstance, ids, "sharp", by="dr_smith", comment="all")
            Tagging().comment(uow, two, "sharp", "second")
            Tagging().comment(uow, three, "SHARP", None)
            with pytest.raises(NotFound, match="ImageInstance has no tag 'blurred'"):
                Tagging().comment(uow, one, "blurred", "x")
            with pytest.raises(BadInput, match="comment"):
                Tagging().tag_ids(uow, ImageInstance, ids, "new", by="dr_smith", comment="x" * 257)
            uow.commit()
        with make_unit_of_work() as uow:
            assert [link.comment for link in uow.image_tags.where()] == ["first", "second", None]
            assert uow.tags.count() == 1

    def test_a_tag_on_a_legacy_annotation_takes_no_remark(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            smith = _smith(uow, build)
            annotation = build.add(uow, Annotation)
            link = Tagging().tag(uow, annotation, "old", by=smith)
            assert link.annotation_id == annotation.annotation_id
            ids = [annotation.annotation_id]
            for call in (
                lambda: Tagging().tag(uow, annotation, "new", by=smith, comment="x"),
                lambda: Tagging().tag_ids(uow, Annotation, ids, "new", by=smith, comment="x"),
                lambda: Tagging().comment(uow, annotation, "old", "x"),
                lambda: Tagging().comment(uow, annotation, "old", None),
            ):
                with pytest.raises(RuleBroken, match="Annotation takes no comment"):
                    call()
            uow.commit()
            assert uow.tags.count() == 1

    def test_tags_are_listed_with_the_active_things_that_have_them(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            ids = _images(uow, build)
            study = uow.studies.add(build.a_study())
            Tagging().tag_ids(uow, ImageInstance, ids, "sharp", by="dr_smith")
            Tagging().tag(uow, study, "check", by="dr_smith")
            Tagging().create(uow, "free", Study, by="dr_smith", description="on nothing")
            uow.images.get(ids[0]).inactive = True
            listed = Tagging().list_tags(uow)
            assert [(use.tag_name, use.tag_type, use.count) for use in listed] == [
                ("sharp", TagType.ImageInstance, 2),
                ("check", TagType.Study, 1),
                ("free", TagType.Study, 0),
            ]
            free = uow.tags.by_name("free")
            assert listed[2] == TagUse(
                free.tag_id, "free", TagType.Study, "on nothing", "dr_smith", 0, 0
            )
            assert Tagging().list_tags(uow, "Study") == listed[1:]
            (all_of_them,) = Tagging().list_tags(uow, ImageInstance, include_inactive=True)
            assert all_of_them.count == 3

    @pytest.mark.parametrize("backend", ["pandas", "polars"])
    def test_who_tagged_what_when_is_a_frame(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, backend: str
    ) -> None:
        with make_unit_of_work() as uow:
            ids = _images(uow, build)
            jones = uow.creators.add(build.a_creator(creator_name="dr_jones"))
            Tagging().tag_ids(uow, ImageInstance, ids, "sharp", by="dr_smith", comment="yes")
            Tagging().tag_ids(uow, ImageInstance, ids[:2], "left", by=jones)
            uow.images.get(ids[0]).inactive = True
            for link in uow.image_tags.where():
                link.date_inserted = f"2026-01-0{4 - ids.index(link.image_instance_id)}"
            frame = Tagging().frame(uow, ImageInstance, backend=backend)
            names = ["tag_name", "image_instance_id", "creator_name", "date_inserted", "comment"]
            assert list(frame.columns) == names
            assert [*zip(*(list(frame[name]) for name in names[:3]), strict=True)] == [
                ("sharp", ids[2], "dr_smith"),
                ("left", ids[1], "dr_jones"),
                ("sharp", ids[1], "dr_smith"),
            ]
            assert [str(day)[:10] for day in frame["date_inserted"]] == [
                "2026-01-02",
                "2026-01-03",
                "2026-01-03",
            ]
            assert next(iter(frame["comment"])) == "yes"
            only = Tagging().frame(
                uow, ImageInstance, ["LEFT"], include_inactive=True, backend=backend
            )
            assert list(only["image_instance_id"]) == [ids[1], ids[0]]
            with pytest.raises(NotFound, match="no Tag for ImageInstance with tag_name 'lefft'"):
                Tagging().frame(uow, ImageInstance, ["left", "lefft"], backend=backend)

    def test_a_frame_of_no_tags_has_its_columns(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            frame = Tagging().frame(uow, Annotation)
            assert len(frame) == 0
            assert list(frame.columns)[1] == "annotation_id"
            assert str(frame["annotation_id"].dtype) == "int64"
            with pytest.raises(BadInput, match="backend"):
                Tagging().frame(uow, Annotation, backend="excel")

    def test_what_was_tagged_by_ids_is_told_after_the_commit(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        heard: list[Event] = []
        with make_unit_of_work(subscribers=[heard.append]) as uow:
            ids = _images(uow, build)
            smith = uow.creators.by_name("dr_smith")
            Tagging().tag_ids(uow, ImageInstance, ids[:1], "sharp", by=smith)
            Tagging().tag_ids(uow, ImageInstance, ids, "sharp", by=smith)
            Tagging().untag_ids(uow, ImageInstance, ids[1:], ["sharp", "none"])
            one, two = uow.images.by_ids(ids[:2])
            assert Tagging().untag_all(uow, [one, two], "sharp") == 1
            assert heard == []
            uow.commit()
        assert heard == [
            ManyTagged(ImageInstance, tuple(ids[:1]), "sharp", smith),
            ManyTagged(ImageInstance, tuple(ids[1:]), "sharp", smith),
            ManyUntagged(ImageInstance, tuple(ids[1:]), "sharp"),
            Untagged(one, "sharp"),
        ]

    def test_lists_in_hand_know_what_was_tagged_and_untagged_by_ids(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            ids = _images(uow, build)
            one, two, three = uow.images.by_ids(ids)
            Tagging().tag(uow, one, "sharp", by="dr_smith")
            lists = [image.image_instance_tag_links for image in (one, two, three)]
            assert [len(some) for some in lists] == [1, 0, 0]
            Tagging().tag_ids(uow, ImageInstance, ids, "sharp", by="dr_smith")
            assert [len(image.image_instance_tag_links) for image in (one, two, three)] == [1, 1, 1]
            Tagging().untag_ids(uow, ImageInstance, ids[:2], "sharp")
            assert [len(image.image_instance_tag_links) for image in (one, two, three)] == [0, 0, 1]
            Tagging().tag(uow, one, "sharp", by="dr_smith")
            uow.commit()
            assert [len(image.image_instance_tag_links) for image in (one, two, three)] == [1, 0, 1]
        with make_unit_of_work() as uow:
            (tag,) = uow.tags.where()
            assert sorted(link.image_instance_id for link in tag.image_instance_tag_links) == [
                ids[0],
                ids[2],
            ]

    def test_what_was_tagged_by_ids_is_rolled_back_with_the_rest(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            ids = _images(uow, build)
            Tagging().tag_ids(uow, ImageInstance, ids, "old", by="dr_smith")
            uow.commit()
            (image, *_) = uow.images.by_ids(ids)
            assert len(image.image_instance_tag_links) == 1
            Tagging().tag_ids(uow, ImageInstance, ids, "new", by="dr_smith")
            Tagging().untag_ids(uow, ImageInstance, ids, "old")
            uow.rollback()
            assert [link.tag.tag_name for link in image.image_instance_tag_links] == ["old"]
        with make_unit_of_work() as uow:
            assert (uow.tags.count(), uow.image_tags.count()) == (1, 3)
