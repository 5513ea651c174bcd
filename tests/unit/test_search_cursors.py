"""Cursors come from outside: whatever stands in one, a search goes on or refuses it."""

import base64
import json
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from eyened_domain import ImageInstance, MemoryDatabase, Search
from eyened_domain.errors import BadInput
from eyened_domain.services.conditions.ordering import order_of
from eyened_domain.services.search.paging import digest_of
from eyened_domain.services.search.service import ALL
from eyened_domain.testing.builders import Builder

ORDER = ("laterality", "-anatomic_region", "dataset_identifier", "-patient.birth_date", "inactive")
DIGEST = digest_of(ImageInstance, ALL, order_of(ImageInstance, ORDER), include_inactive=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("2020-01-01"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)


@cache
def stocked() -> MemoryDatabase:
    """Return a database with two images."""
    database = MemoryDatabase()
    with database.unit_of_work() as uow:
        for letter in "ab":
            uow.images.add(Builder().an_image(dataset_identifier=letter))
        uow.commit()
    return database


def is_answered(cursor: Any) -> bool:
    """Whether a page can be asked for; anything but a refusal is an error of ours."""
    with stocked().unit_of_work() as uow:
        try:
            Search().page(uow, order_by=ORDER, after=cursor)
            Search().page(uow, order_by=ORDER, before=cursor)
        except BadInput:
            return False
    return True


def written(data: object) -> str:
    """Return data in the form of a cursor."""
    return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text() | st.binary().map(lambda some: base64.urlsafe_b64encode(some).decode()))
def test_any_text_but_a_cursor_is_refused(cursor):
    assert not is_answered(cursor)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(PLAIN)
def test_a_cursor_of_other_data_is_refused(data):
    assert not is_answered(written(data))
    assert not is_answered(written([DIGEST, data])) or isinstance(data, list)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(PLAIN, min_size=6, max_size=6))
def test_forged_values_are_taken_as_values_of_the_columns_or_refused(values):
    laterality, _, name, day, *_ = values
    might_be_held = laterality in (None, "L", "R") and all(
        one is None or isinstance(one, str) for one in (name, day)
    )
    assert might_be_held or not is_answered(written([DIGEST, values]))


def test_true_values_are_taken():
    assert is_answered(written([DIGEST, ["L", None, "a.png", "2020-01-01", False, 1]]))
    assert not is_answered(written([DIGEST, ["X", None, "a.png", "2020-01-01", False, 1]]))
    assert not is_answered("[" * 100_000)
    assert not is_answered(base64.urlsafe_b64encode(b"[" * 100_000).decode())
