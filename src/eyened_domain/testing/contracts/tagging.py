"""A service on the storage: tags."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

import pytest

from eyened_domain.errors import RuleBroken
from eyened_domain.model import Tag, TagType
from eyened_domain.services.ports import Event
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

    def test_what_takes_no_tags_says_so(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            patient = uow.patients.add(build.a_patient())
            creator = uow.creators.add(build.a_creator())
            with pytest.raises(RuleBroken, match="Patient takes no tags"):
                Tagging().tag(uow, patient, "check", by=creator)
            assert uow.repository(Tag).count() == 0
