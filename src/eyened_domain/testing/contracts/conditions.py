"""Conditions as data, and in repositories: `where`, `first`, `exists`, `iterate`."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from eyened_domain.errors import BadInput, UnknownName
from eyened_domain.model import (
    AttributesModel,
    ImageInstance,
    Laterality,
    SegmentationModel,
)
from eyened_domain.services.conditions import (
    All,
    AnyOf,
    Comparison,
    Condition,
    Not,
    field,
    from_data,
    some,
    to_data,
)
from eyened_domain.services.search import Search
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork
from eyened_domain.testing.contracts.searching import stock

STORED: list[tuple[Condition, str]] = [
    ((field("laterality") == Laterality.L) & (field("modality").in_(["OCT", None])), "ac"),
    ((field("tag") == "dark") | ~(field("anatomic_region") < 3), "ade"),
    (field("study.study_date").between(date(2021, 1, 1), "2022-12-31"), "cde"),
    (field("file_checksum") == b"\1" * 16, "b"),
    (some("segmentation", field("feature") == "vessel", field("creator") != "bob"), "b"),
    (field("form.answer", path=["grade"]) >= 3, "a"),
    (field("tag").is_null(), "be"),
    (field("anatomic_region").in_({1, 3}), "bd"),
    (All(()), "abcde"),
    (AnyOf(()), ""),
]
"""Conditions that are written as JSON and read again, and what they find."""
BROKEN: list[tuple[Any, str]] = [
    (None, "a dict with one of"),
    ([], "a dict with one of"),
    ({}, "a dict with one of"),
    ({"al": []}, "did you mean all"),
    ({"all": [], "any": []}, "not all and any"),
    ({"all": {}}, "a list of conditions is needed"),
    ({"all": [], "some": "tag"}, "not all and some"),
    ({"all": [5]}, "a dict with one of"),
    ({"any": [], "operator": "=="}, "has no meaning beside any"),
    ({"not": []}, "a dict with one of"),
    ({"some": 5}, "the name of a list"),
    ({"some": "tag", "were": {"all": []}}, "did you mean where"),
    ({"field": 5, "operator": "=="}, "a name is needed"),
    ({"field": "tag"}, "an operator is needed"),
    ({"field": "tag", "operator": "lik", "value": "x"}, "did you mean .*like"),
    ({"field": "tag", "operator": [], "value": "x"}, "is no operator"),
]
"""Data that is no condition, and what the message says."""


def nested(depth: int) -> Any:
    """Return the data of a condition within others."""
    data: Any = {"field": "laterality", "operator": "==", "value": "L"}
    for _ in range(depth):
        data = {"not": data}
    return data


def letters(found: Any) -> str:
    """Return what images are called, in order."""
    return "".join(one.dataset_identifier for one in found)


class ConditionContract(Contract):
    """That conditions are data, and that repositories take them."""

    @pytest.fixture
    def uow(self, make_unit_of_work: MakeUnitOfWork, build: Builder) -> Iterator[UnitOfWork]:
        """A unit of work on images with what is said of them, none of which it holds."""
        with make_unit_of_work() as uow:
            stock(uow, build)
            uow.commit()
        with make_unit_of_work() as uow:
            yield uow

    def test_a_condition_is_data_that_json_holds_and_back(self, uow: UnitOfWork) -> None:
        for condition, expected in STORED:
            again = from_data(json.loads(json.dumps(to_data(condition))))
            found = [Search().ids(uow, one) for one in (condition, again)]
            assert found[0] == found[1]
            assert "".join(sorted(letters(uow.images.by_ids(found[1])))) == expected
            assert to_data(again) == to_data(condition)

    def test_an_object_is_told_by_its_id(self, uow: UnitOfWork) -> None:
        two = uow.projects.by_name("Two")
        data = to_data(field("project") == two)
        assert data == {"field": "project", "operator": "==", "value": two.project_id}
        assert len(Search().ids(uow, from_data(data))) == 2

    def test_data_that_is_no_condition_is_refused(self) -> None:
        for data, message in BROKEN:
            with pytest.raises(BadInput, match=message):
                raise AssertionError(f"{data} is {from_data(data)}")

    def test_keys_that_have_no_meaning_are_refused_when_it_is_asked_with(
        self, uow: UnitOfWork
    ) -> None:
        data: dict[str, Any] = {"field": "laterality", "operator": "==", "vale": "L", "value": "R"}
        with pytest.raises(BadInput, match="'vale' has no meaning here"):
            Search().ids(uow, from_data(data))
        data = {"field": "form.answer", "pth": "grade", "operator": "==", "value": 1}
        with pytest.raises(BadInput, match="did you mean path"):
            Search().ids(uow, from_data(data))

    def test_conditions_may_not_be_too_deep_nor_too_many(self, uow: UnitOfWork) -> None:
        assert len(Search().ids(uow, from_data(nested(30)))) == 3
        with pytest.raises(BadInput, match="more than 30 deep"):
            from_data(nested(31))
        with pytest.raises(BadInput, match="more than 30 deep"):
            from_data(nested(100_000))
        deep: Condition = field("laterality") == "L"
        for _ in range(2_000):
            deep = Not(deep)
        with pytest.raises(BadInput, match="more than 30 deep"):
            Search().page(uow, deep)
        one: dict[str, Any] = {"field": "segmentation", "operator": "!=", "value": "drusen"}
        name: dict[str, Any] = {"field": "dataset_identifier", "operator": "!="}
        several = [{**name, "value": f"{number}"} for number in range(1_000)]
        assert len(Search().ids(uow, from_data({"all": several}))) == 5
        assert len(Search().ids(uow, ~from_data({"all": several}))) == 0
        with pytest.raises(BadInput, match="more than 1,000 comparisons"):
            from_data({"any": [*several, one]})
        with pytest.raises(BadInput, match="more than 1,000 comparisons"):
            uow.images.where(AnyOf([from_data({"any": several}), from_data(one)]))

    def test_conditions_are_combined_by_signs_not_by_words(self) -> None:
        left = field("laterality") == "L"
        slips: list[Callable[[], Any]] = [
            lambda: field("laterality") == "R" & field("modality") == "OCT",  # type: ignore[operator]
            lambda: field("laterality") & left,  # type: ignore[operator]
        ]
        for slip in slips:
            with pytest.raises(BadInput, match="put each comparison in parentheses"):
                slip()
        with pytest.raises(BadInput, match="not by and, or, not"):
            bool(left)
        for one in (field("laterality"), "laterality", None, True):
            with pytest.raises(BadInput, match="a condition is needed"):
                All([left, one])
        with pytest.raises(BadInput, match="compare the field first"):
            left & field("modality")  # type: ignore[operator]

    def test_a_repository_finds_what_meets_conditions_and_values(self, uow: UnitOfWork) -> None:
        left = field("laterality") == "L"
        assert letters(uow.images.where(left, order_by="-dataset_identifier")) == "eca"
        assert letters(uow.images.where(left, order_by="dataset_identifier", limit=2)) == "ac"
        assert letters(uow.images.where(left, modality="OCT")) == "c"
        assert letters(uow.images.where(left, modality=["OCT", None], order_by="modality")) == "ac"
        assert letters(uow.images.where(order_by="-dataset_identifier", limit=1)) == "e"
        everything: dict[str, Any] = {"include_inactive": True}
        assert (
            letters(uow.images.where(order_by="-dataset_identifier", limit=1, **everything)) == "f"
        )
        vessel = field("segmentation") == "vessel"
        assert sorted(letters(uow.images.where(vessel))) == ["b"]
        assert sorted(letters(uow.images.where(vessel, **everything))) == ["b", "c"]
        assert letters(uow.images.where(left, field("tag") == "dark")) == "a"
        assert uow.images.where(left, limit=0) == []
        assert len(uow.images.where(limit=4)) == 4
        by_key = [one.image_instance_id for one in uow.images.where(left)]
        assert by_key == sorted(by_key)

    def test_a_repository_finds_the_first_or_tells_whether_there_is_one(
        self, uow: UnitOfWork
    ) -> None:
        assert letters([uow.images.first(order_by="-dataset_identifier")]) == "e"
        last = uow.images.first(order_by="-dataset_identifier", include_inactive=True)
        assert letters([last]) == "f"
        first = uow.images.first(field("tag") == "sharp", order_by="-study.study_date")
        assert letters([first]) == "c"
        assert uow.images.first(field("tag") == "none") is None
        assert uow.images.exists(field("tag") == "sharp", laterality="L")
        assert not uow.images.exists(field("tag") == "sharp", laterality="R")
        assert uow.projects.exists()

    def test_what_a_repository_cannot_be_asked_is_refused(self, uow: UnitOfWork) -> None:
        with pytest.raises(UnknownName, match="did you mean laterality"):
            uow.images.where(field("lateralty") == "L")
        with pytest.raises(BadInput, match="a Field"):
            uow.images.where(field("laterality"))
        for limit in (-1, 2.5, "3", True):
            with pytest.raises(BadInput, match="limit"):
                uow.images.where(limit=limit)  # type: ignore[arg-type]
        for portion in (0, -1, True, None):
            with pytest.raises(BadInput, match=r"at least 1|a number of objects"):
                uow.images.iterate(portion=portion)  # type: ignore[arg-type]
        with pytest.raises(BadInput):
            uow.images.where(order_by=5)  # type: ignore[arg-type]

    def test_what_is_wrong_is_told_when_iterating_is_asked_for(self, uow: UnitOfWork) -> None:
        with pytest.raises(UnknownName, match="did you mean laterality"):
            uow.images.iterate(field("lateralty") == "L")

    def test_a_repository_gives_objects_that_a_unit_of_work_holds_already(
        self, uow: UnitOfWork
    ) -> None:
        image = uow.images.one(dataset_identifier="a")
        image.anatomic_region = 7
        assert uow.images.where(field("anatomic_region") == 7) == [image]
        assert next(iter(uow.images.iterate(field("anatomic_region") == 7))) is image

    def test_iterating_gives_all_in_portions_whatever_their_size(self, uow: UnitOfWork) -> None:
        every = [one.image_instance_id for one in uow.images.where()]
        for portion in (1, 2, 3, 5, 6):
            found = [one.image_instance_id for one in uow.images.iterate(portion=portion)]
            assert found == every
            assert len([*uow.images.iterate(portion=portion, include_inactive=True)]) == 6
        left = uow.images.iterate(field("laterality") == "L", portion=2, modality="OCT")
        assert letters(left) == "c"
        assert [*uow.images.iterate(field("tag") == "none")] == []

    def test_what_is_committed_meanwhile_counts_in_the_portions_that_come(
        self, uow: UnitOfWork, build: Builder
    ) -> None:
        found: list[ImageInstance] = []
        for image in uow.images.iterate(portion=2):
            if len(found) == 1:
                new = build.build(ImageInstance, series=image.series, dataset_identifier="new")
                uow.images.add(new)
                uow.commit()
            image.anatomic_region = 9
            found.append(image)
        assert len(found) == 6
        assert found[-1].dataset_identifier == "new"
        assert uow.images.count(anatomic_region=9) == 6

    def test_special_kinds_are_found_by_what_they_have_in_common_and_by_their_own(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            for number in range(3):
                for kind in (AttributesModel, SegmentationModel):
                    version = f"{3 - number}{kind.__name__[0]}"
                    uow.models.add(build.build(kind, model_name=f"m{number}", version=version))
            uow.commit()
        with make_unit_of_work() as uow:
            of_two = field("model_name") != "m1"
            found = uow.models.where(of_two, order_by=["model_name", "-version"])
            assert [one.version for one in found] == ["3S", "3A", "1S", "1A"]
            assert [type(one) for one in found] == 2 * [SegmentationModel, AttributesModel]
            versions = ["1S", "3S", "1A"]
            ours = uow.segmentation_models.where(of_two, order_by="version", version=versions)
            assert [one.model_name for one in ours] == ["m2", "m0"]
            assert {type(one) for one in ours} == {SegmentationModel}
            first = uow.segmentation_models.first(order_by="-model_name")
            assert first is not None
            assert first.model_name == "m2"
            assert uow.attributes_models.where(of_two, limit=1)[0].model_name == "m0"
            names = [one.model_name for one in uow.segmentation_models.iterate(of_two, portion=1)]
            assert names == ["m0", "m2"]
            assert len([*uow.models.iterate(portion=2)]) == 6
            count = Search().count(uow, field("feature").is_null(), entity=SegmentationModel)
            assert count.count == 3
            assert Search().count(uow, of_two, entity=SegmentationModel).count == 2

    def test_what_is_known_by_several_columns_is_found_and_iterated(self, uow: UnitOfWork) -> None:
        sharp = field("tag") == "sharp"
        images = [one.image_instance for one in uow.image_tags.where(sharp)]
        assert sorted(letters(images)) == ["a", "c"]
        order = ["tag", "-image_instance.dataset_identifier"]
        found = uow.image_tags.where(order_by=order)
        assert [(one.tag.tag_name, letters([one.image_instance])) for one in found] == [
            ("Dark", "d"),
            ("Dark", "a"),
            ("Sharp", "c"),
            ("Sharp", "a"),
        ]
        assert len([*uow.image_tags.iterate(portion=1)]) == 4
        assert len([*uow.image_tags.iterate(sharp, portion=1)]) == 2
        assert uow.image_tags.exists(field("creator") == "bob", comment=None)

    def test_ids_by_the_thousand_are_found_in_a_repository(self, uow: UnitOfWork) -> None:
        ids = [*range(2**31 - 100_000, 2**31), *Search().ids(uow)]
        assert len(uow.images.where(field("image_instance_id").in_(ids))) == 5
        assert len(uow.images.where(image_instance_id=ids)) == 5
        assert len(uow.segmentation_models.where(field("model_id").in_(ids))) == 0

    def test_comparisons_are_values(self) -> None:
        one, same = field("tag").in_(["a", "b"]), Comparison("tag", "in", ("a", "b"))
        assert one == same
