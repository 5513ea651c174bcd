"""A service on the storage: pages, order, counts and frames of searches."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from eyened_domain.errors import BadInput, UnknownName
from eyened_domain.model import (
    Creator,
    DataRepresentation,
    ImageInstance,
    ImageInstanceTagLink,
    Modality,
    Model,
    Patient,
    Project,
    Series,
    Study,
)
from eyened_domain.services.conditions import Condition, field
from eyened_domain.services.search import Page, Search
from eyened_domain.services.search.service import ALL
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork
from eyened_domain.testing.contracts.searching import stock

NAMES = ["Étude", "b", None, "A", "etude", "C"]
MODALITIES = ["OCT", None, "ColorFundus", "AdaptiveOptics", "OCT", "RedFreeFundus"]
REGIONS = [2, 1, None, 2, -1, None]
ORDERS: list[tuple[str | Sequence[str], str]] = [
    ("alt_dataset_identifier", "cdbfae"),
    ("-alt_dataset_identifier", "aefbdc"),
    ("modality", "bdcfae"),
    ("-modality", "aefcdb"),
    ("anatomic_region", "cfebad"),
    (["-anatomic_region", "-dataset_identifier"], "dabefc"),
    (["anatomic_region", "modality"], "cfebda"),
    (["inactive", "-resolution_axial"], "fbdcea"),
    (["-laterality", "AnatomicRegion"], "fbdcea"),
    (["project", "-patient.birth_date", "-dataset_identifier"], "fedcba"),
]
"""Orders, and the letters of the images in them; what is level comes by its id."""


def ordered_stock(uow: UnitOfWork, build: Builder) -> None:
    """Store the images a to f, whose ids are in this order, of one series."""
    series = build.build(Series)
    uow.repository(Series).add(series)
    for at, letter in enumerate("abcdef"):
        uow.images.add(
            build.build(
                ImageInstance,
                series=series,
                dataset_identifier=letter,
                laterality="LR"[at % 2],
                modality=MODALITIES[at],
                anatomic_region=REGIONS[at],
                alt_dataset_identifier=NAMES[at],
                resolution_axial=None if at == 0 else 0.1 * (at % 3) + (at % 2),
            )
        )
        uow.flush()


def letters_of(uow: UnitOfWork, ids: Sequence[int]) -> str:
    """Return what images are called, in order."""
    page: Page[ImageInstance] = Page(ids=tuple(ids), after=None, before=None)
    images = Search().objects(uow, page)
    return "".join(one.dataset_identifier for one in images)


class SearchPageContract(Contract):
    """That what is found is told in the same order, in pages, counts and frames."""

    @pytest.fixture
    def ordered(self, make_unit_of_work: MakeUnitOfWork, build: Builder) -> MakeUnitOfWork:
        """Stores images that are to be ordered."""
        with make_unit_of_work() as uow:
            ordered_stock(uow, build)
            uow.commit()
        return make_unit_of_work

    def test_nothing_comes_first_choices_in_their_order_and_texts_by_their_letters(
        self, ordered: MakeUnitOfWork
    ) -> None:
        with ordered() as uow:
            found = [letters_of(uow, Search().ids(uow, order_by=by)) for by, _ in ORDERS]
            assert found == [letters for _, letters in ORDERS]

    def test_pages_forwards_and_backwards_are_the_whole_in_order(
        self, ordered: MakeUnitOfWork
    ) -> None:
        with ordered() as uow:
            for order, letters in ORDERS:
                pages = [Search().page(uow, order_by=order, size=2)]
                while pages[-1].after:
                    pages.append(Search().page(uow, order_by=order, size=2, after=pages[-1].after))
                found = [letters_of(uow, page.ids) for page in pages]
                assert (order, found) == (order, [letters[:2], letters[2:4], letters[4:]])
                back = [pages[-1]]
                while back[-1].before:
                    back.append(Search().page(uow, order_by=order, size=2, before=back[-1].before))
                assert [page.ids for page in reversed(back)] == [page.ids for page in pages]
                assert pages[0].before is None
                assert back[-1].after == pages[0].after

    def test_rows_that_come_and_go_between_pages_are_neither_doubled_nor_do_they_hide_others(
        self, ordered: MakeUnitOfWork, build: Builder
    ) -> None:
        with ordered() as uow:
            first = Search().page(uow, order_by="-dataset_identifier", size=2)
            assert letters_of(uow, first.ids) == "fe"
        with ordered() as uow:
            of_cursor, follows, series = (
                uow.images.one(dataset_identifier="e"),
                uow.images.one(dataset_identifier="d"),
                uow.repository(Series).where()[0],
            )
            for letter in ("g", "c2"):
                uow.images.add(build.build(ImageInstance, series=series, dataset_identifier=letter))
            uow.images.delete(of_cursor)
            uow.images.delete(follows)
            uow.commit()
        with ordered() as uow:
            second = Search().page(uow, order_by="-dataset_identifier", size=2, after=first.after)
            assert letters_of(uow, second.ids) == "c2c"
            again = Search().page(uow, order_by="-dataset_identifier", size=9, before=second.before)
            assert letters_of(uow, again.ids) == "gf"

    def test_a_page_leaves_out_what_is_gone_when_its_objects_are_asked_for(
        self, ordered: MakeUnitOfWork
    ) -> None:
        with ordered() as uow:
            page = Search().page(uow, order_by="-dataset_identifier")
            uow.images.delete(uow.images.get(page.ids[0]))
            uow.flush()
            assert letters_of(uow, page.ids) == "edcba"

    def test_what_is_not_sent_yet_is_found(self, ordered: MakeUnitOfWork, build: Builder) -> None:
        ways: tuple[Callable[[UnitOfWork], int], ...] = (
            lambda uow: len(Search().ids(uow)),
            lambda uow: Search().count(uow).count,
            lambda uow: len(Search().page(uow).ids),
            lambda uow: len(Search().frame(uow, columns=["laterality"])),
        )
        with ordered() as uow:
            for number, count in enumerate(ways, 7):
                uow.images.add(build.an_image())
                assert count(uow) == number

    def test_a_cursor_of_another_search_is_refused(self, ordered: MakeUnitOfWork) -> None:
        left: Condition = field("laterality") == "L"
        others: list[dict[str, Any]] = [
            {"order_by": "-image_instance_id"},
            {"condition": field("laterality") == "R"},
            {"condition": ALL},
            {"include_inactive": True},
            {"entity": Patient, "condition": ALL},
        ]
        with ordered() as uow:
            cursor = Search().page(uow, left, size=1).after
            assert Search().page(uow, left, size=5, after=cursor).ids
            for other in others:
                with pytest.raises(BadInput, match="of another search"):
                    Search().page(uow, after=cursor, **{"condition": left, **other})

    def test_a_cursor_stays_one_where_a_set_is_asked_with(self, ordered: MakeUnitOfWork) -> None:
        with ordered() as uow:
            names = ["a", "b", "c", "e"]
            some, same = ({*names}, {*reversed(names)})
            page = Search().page(uow, field("dataset_identifier").in_(some), size=1)
            again = field("dataset_identifier").in_(same)
            assert letters_of(uow, Search().page(uow, again, after=page.after).ids) == "bce"

    def test_broken_cursors_and_sizes_are_refused(self, ordered: MakeUnitOfWork) -> None:
        with ordered() as uow:
            cursor = str(Search().page(uow, size=1).after)
            broken: list[Any] = [
                "",
                "x",
                "é",
                cursor[:-4],
                cursor[1:],
                5,
                b"x",
                "bnVsbA",
                "WzEsMl0",
            ]
            for one in broken:
                with pytest.raises(BadInput):
                    Search().page(uow, after=one)
                with pytest.raises(BadInput):
                    Search().page(uow, before=one)
            with pytest.raises(BadInput, match="`after` or `before`"):
                Search().page(uow, after=cursor, before=cursor)
            for size in (0, -1, True, 2.5, "3"):
                with pytest.raises(BadInput, match="at least 1 object"):
                    Search().page(uow, size=size)  # type: ignore[arg-type]

    def test_orders_that_are_none_are_refused(self, ordered: MakeUnitOfWork) -> None:
        refused: list[Any] = [
            "tag",
            "cf_roi",
            "data_hash",
            "series",
            ["laterality", "-laterality"],
            5,
            [5],
        ]
        with ordered() as uow:
            for order in refused:
                with pytest.raises(BadInput):
                    Search().ids(uow, order_by=order)
            with pytest.raises(UnknownName, match="did you mean laterality"):
                Search().ids(uow, order_by="-lateralty")

    def test_a_count_may_end_at_a_number(self, ordered: MakeUnitOfWork) -> None:
        with ordered() as uow:
            for most, count, is_exact in ((None, 3, True), (3, 3, True), (2, 2, False)):
                found = Search().count(uow, field("laterality") == "L", most=most)
                assert (found.count, found.is_exact) == (count, is_exact)
            assert Search().count(uow, most=0).count == 0
            with pytest.raises(BadInput, match="a number of objects"):
                Search().count(uow, most=-1)

    def test_ids_may_be_limited(self, ordered: MakeUnitOfWork) -> None:
        with ordered() as uow:
            ids = Search().ids(uow, order_by="-dataset_identifier", limit=2)
            assert letters_of(uow, ids) == "fe"
            assert Search().ids(uow, limit=0) == []

    @pytest.mark.parametrize("backend", ["pandas", "polars"])
    def test_a_frame_tells_fields_of_what_is_found_and_of_what_it_belongs_to(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, backend: str
    ) -> None:
        columns = ["project", "patient.birth_date", "modality", "anatomic_region", "cf_roi"]
        with make_unit_of_work() as uow:
            stock(uow, build)
            frame = Search().frame(
                uow,
                field("segmentation") == "drusen",
                columns=["dataset_identifier", *columns],
                order_by="-dataset_identifier",
                backend=backend,
            )
            assert list(frame.columns) == ["image_instance_id", "dataset_identifier", *columns]
            assert list(frame["dataset_identifier"]) == ["b", "a"]
            assert list(frame["project"]) == ["One", "One"]
            assert [str(one)[:10] for one in frame["patient.birth_date"]] == ["1940-01-01"] * 2
            empty = Search().frame(uow, field("tag") == "nothing", columns=columns, backend=backend)
            assert (len(empty), list(empty.columns)) == (0, ["image_instance_id", *columns])
            assert [empty[one].dtype for one in columns[1:3]] == [
                frame[one].dtype for one in columns[1:3]
            ]

    def test_columns_of_a_frame_that_are_none_are_refused(self, ordered: MakeUnitOfWork) -> None:
        refused: list[Any] = [["tag"], ["form.answer"], ["laterality", "laterality"], [5], 5, None]
        with ordered() as uow:
            for columns in refused:
                with pytest.raises(BadInput):
                    Search().frame(uow, columns=columns)
            with pytest.raises(UnknownName, match="did you mean laterality"):
                Search().frame(uow, columns=["lateralty"])
            with pytest.raises(UnknownName):
                Search().frame(uow, columns=["password_hash"], entity=Creator)

    def test_what_has_no_id_of_one_column_is_refused_as_a_page(
        self, ordered: MakeUnitOfWork
    ) -> None:
        with ordered() as uow:
            for work in (Search().page, Search().ids):
                with pytest.raises(BadInput, match="known by several columns"):
                    work(uow, entity=ImageInstanceTagLink)
            assert Search().count(uow, entity=ImageInstanceTagLink).count == 0
            for entity in ("image", None, int):
                with pytest.raises(BadInput, match="an entity class"):
                    Search().count(uow, entity=entity)  # type: ignore[arg-type]

    def test_every_field_that_is_listed_can_be_asked_for(self, ordered: MakeUnitOfWork) -> None:
        with ordered() as uow:
            for entity in (ImageInstance, Patient, Study, Project, Model):
                listed = Search().fields(entity)
                assert len({one.name for one in listed}) == len(listed)
                assert not [one.name for one in listed if "password" in one.name]
                for one in listed:
                    given = dict.fromkeys(one.given[:1], "x")
                    Search().count(uow, field(one.name, **given).is_not_null(), entity=entity)

    def test_fields_tell_their_type_unit_choices_and_operators(self) -> None:
        listed = {one.name: one for one in Search().fields()}
        assert listed["image.laterality"].choices == ("L", "R")
        assert listed["image.modality"].choices == tuple(Modality.__members__)
        assert listed["image.resolution_axial"].unit == "mm"
        assert listed["patient.birth_date"].type == "date"
        assert "like" in listed["image.dataset_identifier"].operators
        assert listed["segmentation"].may_be_many
        representations = listed["segmentation.data_representation"].choices
        assert representations == tuple(DataRepresentation.__members__)
        assert listed["form.answer"].given[0] == "path"
