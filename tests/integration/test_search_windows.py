"""A page that is looked for in windows is the page that all at once would give."""

from datetime import date, timedelta
from itertools import product

import pytest

from eyened_domain import ImageInstanceTagLink, Search
from eyened_domain.adapters.sql import windows
from eyened_domain.services.conditions import field
from eyened_domain.testing.queries import assert_queries

ORDERS = [
    (),
    ("-image_instance_id",),
    ("study.study_date",),
    ("-study.study_date",),
    ("study.study_date", "-image_instance_id"),
    ("-series_id", "laterality"),
    ("patient.patient_identifier",),
]
SEARCHES = {
    "none": field("patient.patient_identifier") == "nobody",
    "one": field("dataset_identifier") == "image 37.png",
    "few": field("patient.patient_identifier").in_(["patient 3", "patient 11"]),
    "late": field("patient.patient_identifier") == "patient 11",
    "many": field("study.study_date") >= "2020-01-03",
    "tagged": field("tag") == "dark",
    "untagged": ~(field("tag") == "dark") & (field("patient.patient_identifier") != "patient 5"),
}


@pytest.fixture
def images(database, builder, monkeypatch):
    """Fifty images with gaps between their ids, of visits on few days; small windows."""
    monkeypatch.setattr(windows, "_OWN", 3)
    monkeypatch.setattr(windows, "_TIMES", 1)
    monkeypatch.setattr(windows, "_MOST", 25)
    with database.unit_of_work() as uow:
        tag = uow.tags.add(builder.a_tag(tag_name="dark", tag_type="ImageInstance"))
        for n in range(12):
            patient = builder.a_patient(patient_identifier=f"patient {n}")
            day = date(2020, 1, 1) + timedelta(days=n % 5)
            study = builder.a_study(patient=patient, study_date=day)
            series = builder.a_series(study=study)
            for m in range(4):
                number = 1000 + 11 * n + m * m
                image = builder.an_image(
                    image_instance_id=number,
                    series=series,
                    dataset_identifier=f"image {4 * n + m}.png",
                    inactive=(n, m) == (7, 1),
                )
                uow.images.add(image)
                if m == 2:
                    builder.add(uow, ImageInstanceTagLink, image_instance=image, tag=tag)
        uow.commit()


@pytest.mark.parametrize("name", SEARCHES)
def test_pages_both_ways_are_what_is_found_at_once(database, images, name):
    condition = SEARCHES[name]
    with database.unit_of_work() as uow:
        for order, size, forgets in product(ORDERS, (1, 4, 100), (False, True)):
            wanted = Search().ids(uow, condition, order_by=order)
            assert (len(wanted) > 1) is (name not in {"none", "one"})
            found, before = pages(uow, condition, order, size, forgets=forgets)
            assert found == wanted
            assert before == wanted[: len(before)]
            assert len(wanted) - len(before) <= size
            limited = uow.images.where(condition, order_by=order, limit=size)
            assert [one.image_instance_id for one in limited] == wanted[:size]
        iterated = [one.image_instance_id for one in uow.images.iterate(condition, portion=3)]
        assert iterated == sorted(wanted)


def pages(uow, condition, order, size, *, forgets):
    """Return the ids on all pages, and those on the way back from the last one.

    Args:
        forgets: on each page it is found out anew how wide windows are to be.
    """

    class Searching(Search):
        def page(self, *arguments, **given):
            if forgets:
                windows._known.clear()
            return super().page(*arguments, **given)

    search = Searching()
    found: list[int] = []
    before: list[int] = []
    page = None
    while page is None or page.after:
        after = page and page.after
        page = search.page(uow, condition, order_by=order, size=size, after=after)
        found += page.ids
    while page.before:
        page = search.page(uow, condition, order_by=order, size=size, before=page.before)
        before = [*page.ids, *before]
    return found, before


def test_of_what_is_rare_is_known_that_no_window_helps(database, images):
    search, rare = Search(), SEARCHES["none"]
    with database.unit_of_work() as uow:
        with assert_queries(database, at_most=3):
            assert not search.page(uow, rare, size=2).ids
        with assert_queries(database, at_most=1):
            assert not search.page(uow, rare, size=2).ids


def test_what_is_known_of_a_search_is_known_in_the_next_unit_of_work(database, images):
    search, rare = Search(), SEARCHES["none"]
    with database.unit_of_work() as uow:
        search.page(uow, rare, size=2)
        uow.images.where(rare, limit=3)
    with database.unit_of_work() as uow:
        uow.flush()
        with assert_queries(database, at_most=1):
            search.page(uow, rare, size=2)
        with assert_queries(database, at_most=1):
            uow.images.where(rare, limit=3)


def test_searches_with_many_values_are_not_remembered(database, images):
    windows._known.clear()
    with database.unit_of_work() as uow:
        Search().page(uow, field("patient.patient_id").in_(range(1_000)), size=2)
        assert not any(windows._known.values())
        Search().page(uow, field("patient.patient_id").in_(range(10)), size=2)
        assert any(windows._known.values())


def test_how_wide_a_window_is_needed_is_found_out_anew_now_and_then(database, images, monkeypatch):
    monkeypatch.setattr(windows, "_TRUSTED", 2)
    search, rare = Search(), SEARCHES["none"]
    with database.unit_of_work() as uow:
        search.page(uow, rare, size=2)
        for _ in range(2):
            with assert_queries(database, at_most=1):
                search.page(uow, rare, size=2)
        with assert_queries(database, at_most=3) as counted:
            search.page(uow, rare, size=2)
        assert counted.total > 1


def test_a_condition_that_differs_by_true_and_1_is_another_statement(database, builder):
    with database.unit_of_work() as uow:
        for answer in (True, 1):
            image = builder.an_image(dataset_identifier=f"{answer}.png")
            about = {"image_instance": image, "patient": image.series.study.patient}
            uow.forms.add(builder.a_form_annotation(form_data={"grade": answer}, **about))
        uow.commit()
        for answer in (True, 1, True):
            (found,) = uow.images.where(field("form.answer", path="grade") == answer, limit=9)
            assert found.dataset_identifier == f"{answer}.png"
