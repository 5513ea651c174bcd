"""Keys that change in one flush: rows are changed one after the other, then new ones come.

Changed rows come in the order of their ids, new ones after them, and deletions last.
"""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from typing import Any

import pytest

from eyened_domain.errors import Conflict, Duplicate, RuleBroken
from eyened_domain.model import Feature, FeatureFeatureLink, Project, StudyTagLink
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork


class KeyChangeContract(Contract):
    """What every storage makes of keys that are passed on."""

    @pytest.fixture
    def two(self, make_unit_of_work: MakeUnitOfWork) -> MakeUnitOfWork:
        """Gives units on a storage with the projects a and b, in this order."""
        for name in "ab":
            with make_unit_of_work() as uow:
                uow.projects.add(Project(project_name=name))
                uow.commit()
        return make_unit_of_work

    def test_a_natural_key_that_was_given_up_before_may_be_taken(self, two: MakeUnitOfWork) -> None:
        with two() as uow:
            one, other = (uow.projects.by_name(name) for name in "ab")
            one.project_name, other.project_name = "c", "a"
            uow.projects.add(Project(project_name="b"))
            uow.commit()
            assert [one.project_name for one in uow.projects.where()] == ["c", "a", "b"]

    @pytest.mark.parametrize("names", [("b", "a"), ("b", "c")], ids=["exchanged", "passed on"])
    def test_a_natural_key_that_is_given_up_after_it_is_taken(
        self, two: MakeUnitOfWork, names: tuple[str, str]
    ) -> None:
        with two() as uow:
            one, other = (uow.projects.by_name(name) for name in "ab")
            one.project_name, other.project_name = names
            with pytest.raises(Duplicate):
                uow.flush()

    def test_a_composite_key_is_free_after_the_flush_that_leaves_it(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            whole, part = (uow.features.add(Feature(feature_name=name)) for name in "ab")
            link = FeatureFeatureLink(feature=whole, child=part, feature_index=0)
            uow.feature_links.add(link)
            uow.commit()
            link.feature_index = 1
            new = FeatureFeatureLink(feature=whole, child=part, feature_index=0)
            uow.feature_links.add(new)
            with pytest.raises(Duplicate):
                uow.flush()
            uow.rollback()
            link.feature_index = 1
            uow.flush()
            uow.feature_links.add(new)
            uow.commit()
            assert {one.feature_index for one in uow.feature_links.where()} == {0, 1}

    @pytest.mark.parametrize("is_rolled_back", [False, True])
    def test_one_of_two_takes_the_place_of_what_is_deleted(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, is_rolled_back: bool
    ) -> None:
        with make_unit_of_work() as uow:
            link = uow.study_tags.add(build.build(StudyTagLink))
            uow.commit()
            ids: dict[str, Any] = {"creator": link.creator, "tag": link.tag, "study": link.study}
            if is_rolled_back:
                uow.rollback()
            uow.study_tags.delete(link)
            uow.study_tags.add(StudyTagLink(**ids, comment="new"))
            uow.commit()
            with pytest.raises(RuleBroken):
                link.study = ids["study"]
            (link,) = uow.study_tags.where()
            assert link.comment == "new"
            assert link.date_inserted is not None
            uow.study_tags.delete(link)
            uow.study_tags.add(StudyTagLink(**ids))
            uow.study_tags.add(StudyTagLink(**ids))
            with pytest.raises(Duplicate):
                uow.flush()

    def test_what_stands_in_the_place_is_there_after_a_rollback_too(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            link = uow.study_tags.add(build.build(StudyTagLink, comment="old"))
            uow.commit()
            ids: dict[str, Any] = {"creator": link.creator, "tag": link.tag, "study": link.study}
            uow.rollback()
            uow.study_tags.add(StudyTagLink(**ids))
            with pytest.raises(Duplicate):
                uow.flush()
            assert link.comment == "old"
            uow.rollback()
            assert uow.study_tags.where() == [link]

    def test_what_was_changed_and_is_gone_is_a_conflict_whoever_takes_its_place(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            link = uow.study_tags.add(build.build(StudyTagLink))
            uow.commit()
            ids: dict[str, Any] = {"creator": link.creator, "tag": link.tag, "study": link.study}
            with make_unit_of_work() as other:
                (theirs,) = other.study_tags.where()
                other.study_tags.delete(theirs)
                other.commit()
            link.comment = "mine"
            uow.study_tags.add(StudyTagLink(**ids))
            with pytest.raises(Conflict):
                uow.flush()
            uow.rollback()
            uow.study_tags.add(StudyTagLink(**ids, comment="new"))
            uow.commit()
            assert [one.comment for one in uow.study_tags.where()] == ["new"]

    def test_what_takes_the_key_of_what_others_have_deleted_goes_with_its_parent(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            link = uow.study_tags.add(build.build(StudyTagLink))
            uow.commit()
            study = link.study
            ids: dict[str, Any] = {"creator": link.creator, "tag": link.tag}
            assert study.study_tag_links == [link]
            with make_unit_of_work() as other:
                (theirs,) = other.study_tags.where()
                other.study_tags.delete(theirs)
                other.commit()
            new = uow.study_tags.add(StudyTagLink(study=study, **ids))
            uow.flush()
            assert study.study_tag_links == [new]
            uow.patients.delete(study.patient)
            uow.commit()
            assert uow.study_tags.where() == []
