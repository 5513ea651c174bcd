"""A service on the storage: tags."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from typing import Any

import pytest

from eyened_domain.errors import BadInput, RuleBroken
from eyened_domain.model import Tag, TagType
from eyened_domain.services.events import Event
from eyened_domain.services.tagging import Tagged, Tagging, Untagged
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork


class TaggingContract(Contract):
    """That the tagging service works on every storage."""

    def test_a_tag_is_put_on_an_image_and_found_there(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        heard: list[Event] = []
        with make_unit_of_work(subscribers=[heard.append]) as uow:
            image = uow.images.add(build.an_image())
            creator = uow.creators.add(build.a_creator(creator_name="dr_smith"))
            Tagging().tag(uow, image, "good quality", by=creator, comment="sharp")
            assert heard == []
            uow.commit()
        assert [(type(one), getattr(one, "tag_name", "")) for one in heard] == [
            (Tagged, "good quality")
        ]
        with make_unit_of_work() as uow:
            (link,) = uow.images.where()[0].image_instance_tag_links
            assert (link.tag.tag_name, link.comment) == ("good quality", "sharp")
            assert link.tag.tag_type is TagType.ImageInstance
            assert link.creator.creator_name == "dr_smith"

    def test_the_same_tag_again_changes_nothing(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = uow.studies.add(build.a_study())
            creator = uow.creators.add(build.a_creator())
            first = Tagging().tag(uow, study, "check", by=creator)
            assert Tagging().tag(uow, study, "check", by=creator) is first
            uow.commit()
        with make_unit_of_work() as uow:
            assert (uow.tags.count(), uow.study_tags.count()) == (1, 1)

    def test_a_tag_is_taken_off_and_put_on_again(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        heard: list[Event] = []
        with make_unit_of_work(subscribers=[heard.append]) as uow:
            study = uow.studies.add(build.a_study())
            creator = uow.creators.add(build.a_creator())
            Tagging().tag(uow, study, "check", by=creator)
            uow.commit()
            assert Tagging().untag(uow, study, "check")
            assert not Tagging().untag(uow, study, "check")
            Tagging().tag(uow, study, "check", by=creator)
            uow.commit()
        assert [type(one) for one in heard] == [Tagged, Untagged, Tagged]
        with make_unit_of_work() as uow:
            assert uow.study_tags.count() == 1

    def test_many_tags_are_put_on_many_things_of_several_kinds(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        heard: list[Event] = []
        with make_unit_of_work(subscribers=[heard.append]) as uow:
            images = uow.images.add_all(build.an_image() for _ in range(3))
            study = uow.studies.add(build.a_study())
            creator = uow.creators.add(build.a_creator())
            uow.commit()
            there = Tagging().tag(uow, images[1], "sharp", by=creator, comment="first")
            links = Tagging().tag_all(
                uow, [*images, study, images[0]], ["Sharp", "left", "LEFT "], by=creator
            )
            assert len(links) == 8
            assert links[2] is there
            assert there.comment == "first"
            uow.commit()
        assert [type(one) for one in heard] == [Tagged] * 8
        with make_unit_of_work() as uow:
            assert uow.tags.count() == 4
            assert uow.study_tags.count() == 2
            for image in uow.images.where():
                names = [link.tag.tag_name for link in image.image_instance_tag_links]
                assert sorted(name.lower().strip() for name in names) == ["left", "sharp"]

    def test_hundreds_of_things_new_ones_too_are_tagged_as_a_few_are(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        heard: list[Event] = []
        with make_unit_of_work(subscribers=[heard.append]) as uow:
            series = build.a_series()
            images = [build.an_image(series=series) for _ in range(60)]
            images += [build.an_image() for _ in range(60)]
            creator = uow.creators.add(build.a_creator())
            first = Tagging().tag(uow, images[7], "one", by=creator, comment="first")
            assert images[0].image_instance_tag_links == []
            links = Tagging().tag_all(uow, images, ["one", "two"], by=creator, comment="more")
            assert links[14] is first
            assert [link.image_instance for link in links] == [i for i in images for _ in "ab"]
            assert [link.tag.tag_name for link in links] == ["one", "two"] * 120
            assert {link.comment for link in links if link is not first} == {"more"}
            assert first.comment == "first"
            assert all(link.creator is creator and link.date_inserted for link in links)
            assert [len(image.image_instance_tag_links) for image in images] == [2] * 120
            assert Tagging().tag_all(uow, images, ["two", "one"], by=creator)[1] is links[0]
            uow.commit()
        assert [type(one) for one in heard] == [Tagged] * 240
        with make_unit_of_work() as uow:
            assert (uow.images.count(), uow.image_tags.count()) == (120, 240)

    def test_tags_that_are_there_are_put_on_again_without_a_change(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            images = uow.images.add_all(build.an_image() for _ in range(3))
            creator = uow.creators.add(build.a_creator())
            first = Tagging().tag_all(uow, images, ["one", "two"], by=creator)
            assert Tagging().tag_all(uow, images, ["one", "two"], by=creator) == first
            (third,) = Tagging().tag_all(uow, images[:1], "three", by=creator, comment="new")
            assert third.comment == "new"
            uow.commit()
        with make_unit_of_work() as uow:
            images = uow.images.where()
            creator = uow.creators.where()[0]
            again = Tagging().tag_all(uow, images, ["one", "two"], by=creator)
            assert [link.tag.tag_name for link in again] == ["one", "two"] * 3
            assert [link.image_instance for link in again[::2]] == images
            assert (uow.tags.count(), uow.image_tags.count()) == (3, 7)

    def test_nothing_is_made_where_nothing_is_tagged(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = uow.images.add(build.an_image())
            patient = uow.patients.add(build.a_patient())
            creator = uow.creators.add(build.a_creator())
            assert Tagging().tag_all(uow, [], "check", by=creator) == []
            assert Tagging().tag_all(uow, [image], [], by=creator) == []
            with pytest.raises(RuleBroken, match="Patient takes no tags"):
                Tagging().tag_all(uow, [image, patient], "check", by=creator)
            no_lists: list[Any] = [image, None, "check", 5]
            for wrong in no_lists:
                with pytest.raises(BadInput, match="a list of things is needed"):
                    Tagging().tag_all(uow, wrong, "check", by=creator)
                with pytest.raises(BadInput, match="a list of things is needed"):
                    Tagging().untag_all(uow, wrong, "check")
            for wrong in (image, None, b"check"):
                with pytest.raises(BadInput, match="a list of names is needed"):
                    Tagging().tag_all(uow, [image], wrong, by=creator)  # type: ignore[arg-type]
            assert (uow.tags.count(), uow.image_tags.count()) == (0, 0)

    def test_what_takes_no_tags_says_so(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            patient = uow.patients.add(build.a_patient())
            creator = uow.creators.add(build.a_creator())
            with pytest.raises(RuleBroken, match="Patient takes no tags"):
                Tagging().tag(uow, patient, "check", by=creator)
            assert uow.repository(Tag).count() == 0
