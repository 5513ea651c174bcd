"""Random conditions find the same on every adapter as plain Python does on the objects."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eyened_domain import Database, MemoryDatabase, Search
from eyened_domain.model import ImageInstance
from eyened_domain.services.conditions import (
    All,
    AnyOf,
    Comparison,
    Condition,
    Not,
    Some,
    from_data,
    to_data,
)
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from tests.integration.search_in_plain_python import meets
from tests.integration.search_stock import DATES, NAMES, stock

TEXTS = st.sampled_from([*NAMES, "x", "ETUDE", "straat"])
PATTERNS = st.sampled_from(["%", "%u%", "E%", "_tude", r"100\%", r"a\_b", "%E ", "dru%n"])
NUMBERS = st.sampled_from([0, 1, 2, 3, 100, 101.5, 103, 0.1, 0.25, 0.7, -(2**40), 2**40])
MEMBERS = {"laterality": ["L", "R"], "etdrs_field": ["F1", "F2", "F3"]}
NULLS = st.sampled_from(["is null", "is not null"]).map(lambda op: (op, None))


def operations(values: st.SearchStrategy[Any], *ordered: str) -> st.SearchStrategy[Any]:
    """Return operators with what they are given."""
    return st.one_of(
        NULLS,
        st.tuples(st.sampled_from(["==", "!=", *ordered]), values),
        st.tuples(st.sampled_from(["in", "not in"]), st.lists(values, max_size=3)),
        *([st.tuples(st.just("between"), st.tuples(values, values))] if ordered else []),
    )


ORDERED = ("<", "<=", ">", ">=")
LIKE = st.tuples(st.sampled_from(["like", "not like"]), PATTERNS)
OF_TEXT = st.one_of(operations(TEXTS), LIKE)
WHOLE = st.sampled_from([0, 100, 101, 103, 104])
OF_ANY = st.one_of(
    st.one_of(NULLS, LIKE),
    st.tuples(st.sampled_from(["==", "!=", *ORDERED]), st.one_of(NUMBERS, TEXTS)),
    st.tuples(st.just("=="), st.booleans()),
    st.tuples(st.just("not in"), st.lists(st.one_of(NUMBERS, TEXTS, st.booleans()), max_size=3)),
)
OF_VALUE = st.one_of(
    NULLS,
    st.tuples(st.sampled_from(["==", "!=", *ORDERED]), NUMBERS),
    st.tuples(st.sampled_from(["in", "not in"]), st.lists(st.one_of(NUMBERS, TEXTS), max_size=3)),
    st.tuples(st.just("between"), st.tuples(NUMBERS, NUMBERS)),
    LIKE,
)
PATHS = ["grade", "eye.side", "eye.sure", "sizes.0", "sizes.0.a", "nothing", "eye", "grade.0"]
COMPARISONS: st.SearchStrategy[Condition] = st.one_of(
    st.builds(
        lambda name, op: Comparison(name, *op),
        st.sampled_from(["alt_dataset_identifier", "patient.patient_identifier", "project"]),
        OF_TEXT,
    ),
    st.builds(lambda op: Comparison("image.anatomic_region", *op), operations(WHOLE, *ORDERED)),
    st.builds(
        lambda op: Comparison("cf_quality", *op),
        operations(st.sampled_from([0.1, 0.5, 0.7, 1]), *ORDERED),
    ),
    st.builds(
        lambda name, op: Comparison(name, *op),
        st.sampled_from(["patient.birth_date", "study.study_date"]),
        operations(st.sampled_from(DATES), *ORDERED),
    ),
    *(
        st.builds(lambda op, name=name: Comparison(name, *op), operations(st.sampled_from(members)))
        for name, members in MEMBERS.items()
    ),
    st.builds(
        lambda name, op: Comparison(name, *op),
        st.sampled_from(
            ["tag", "tag.creator", "tag.comment", "segmentation", "segmentation.creator"]
        ),
        st.one_of(OF_TEXT, operations(st.sampled_from(["Drusen", "ann", "sure"]))),
    ),
    st.builds(
        lambda given, op: Comparison("form.answer", op[0], op[1], given),
        st.fixed_dictionaries(
            {"path": st.sampled_from(PATHS)},
            optional={"schema": st.just("amd"), "creator": st.just("bob")},
        ),
        OF_ANY,
    ),
    st.builds(
        lambda given, op: Comparison("attribute", op[0], op[1], given),
        st.fixed_dictionaries(
            {"name": st.sampled_from(["quality", "Count"])},
            optional={"model": st.just("net"), "version": st.sampled_from(["1", "2"])},
        ),
        OF_VALUE,
    ),
)
IN_LIST = st.builds(
    lambda name, conditions: Some(name, All(tuple(conditions))),
    st.just("segmentation"),
    st.lists(
        st.one_of(
            st.builds(lambda v: Comparison("feature", "==", v), st.sampled_from(["drusen", "x"])),
            st.builds(lambda v: Comparison("creator", "!=", v), st.sampled_from(["Ann", "BOB"])),
            st.builds(lambda v: Comparison("image.anatomic_region", ">", v), WHOLE),
        ),
        max_size=2,
    ),
)
CONDITIONS = st.recursive(
    st.one_of(COMPARISONS, IN_LIST),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda some: All(tuple(some)), st.lists(inner, max_size=3)),
        st.builds(lambda some: AnyOf(tuple(some)), st.lists(inner, max_size=3)),
    ),
    max_leaves=6,
)


@pytest.fixture
def memory() -> MemoryDatabase:
    made = MemoryDatabase()
    with made.unit_of_work() as uow:
        stock(uow, Builder())
    return made


@pytest.fixture
def stored(database: Database) -> Database:
    with database.unit_of_work() as uow:
        stock(uow, Builder())
    return database


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_condition_finds_what_plain_python_finds(
    memory: MemoryDatabase, stored: Database, data: st.DataObject
) -> None:
    condition = data.draw(CONDITIONS)
    search, again = Search(), from_data(to_data(condition))
    with memory.unit_of_work() as plain, stored.unit_of_work() as uow:
        expected = [
            one.dataset_identifier
            for one in plain.images.where()
            if not one.inactive and meets(one, condition)
        ]
        assert named(plain, search.ids(plain, condition)) == expected
        assert named(uow, search.ids(uow, again)) == expected
        assert search.count(uow, condition).count == len(expected)


def named(uow: UnitOfWork, ids: list[int]) -> list[str]:
    """Return what images are told by on every adapter, in order."""
    rows = uow.rows.find(ImageInstance, "image_instance_id", ids, ["dataset_identifier"])
    return sorted(name for (name,) in rows)
