"""Which values are stale is decided without a storage."""

import pytest

from eyened_domain.services.computation_record import digest
from eyened_domain.services.provenance.graph import ValueNode
from eyened_domain.services.provenance.reading import Known, Value
from eyened_domain.services.provenance.staleness import (
    Judgement,
    StaleCause,
    StaleReason,
    replaced_in,
)
from eyened_domain.services.provenance.versions import newest


@pytest.mark.parametrize(
    ("versions", "last"),
    [
        (["1.9", "1.10"], 1),
        (["1.10", "1.9"], 0),
        (["v2", "1.10", "2.0.0"], 2),
        (["2.0.1", "2"], 0),
        (["1.0", "9f3c2ab"], 1),
        (["9f3c2ab", "1.0"], 1),
        (["2024-01-02", "2023-05-06"], 1),
        ([" V3 ", "2"], 0),
    ],
)
def test_the_newest_version_is_told_by_its_numbers_or_was_registered_last(versions, last):
    assert newest(dict(enumerate(versions))) == last


def test_what_older_versions_have_computed_is_replaced_by_the_newest_only():
    made = {"place": {1: (10, "1.0"), 2: (20, "3.0"), 3: (30, "2.0")}, "alone": {1: (11, "1.0")}}
    assert replaced_in(made) == {10: 20, 30: 20}


def value(key, *, owner=1, model="net", version="1.0", model_id=1, attribute=1, **given):
    node = ValueNode(
        attribute_value_id=key,
        attribute_name=f"attribute {attribute}",
        value=0.5,
        entity="ImageInstance",
        entity_id=owner,
        laterality=given.get("laterality"),
        model_name=model,
        model_version=version,
    )
    return Value(
        node,
        attribute_id=attribute,
        model_id=model_id,
        is_inactive=False,
        position=None,
    )


def judged(*values, sources):
    known = Known({one.key: one for one in values}, sources)
    return Judgement(known, {}, {}).stale()


def test_what_was_computed_from_an_older_version_is_stale_and_what_from_that_too():
    old, new = value(1), value(2, version="2.0", model_id=2)
    results = [value(key, attribute=key, model="other", model_id=9) for key in (3, 4, 5)]
    stale = judged(old, new, *results, sources={3: [1], 4: [3], 5: [2]})
    replaced = StaleReason(
        cause=StaleCause.REPLACED, entity="AttributeValue", entity_id=1, replaced_by=2
    )
    of_stale = StaleReason(cause=StaleCause.STALE, entity="AttributeValue", entity_id=3)
    assert stale == {3: (replaced,), 4: (of_stale,)}
    assert str(replaced) == "AttributeValue 1 was replaced by a newer version of its model: 2"


@pytest.mark.parametrize(
    "other",
    [
        {"owner": 2},
        {"model": "another"},
        {"attribute": 2},
        {"laterality": "L"},
        {"model": None, "version": None, "model_id": None},
    ],
)
def test_a_value_is_replaced_at_its_own_place_only(other):
    new = value(2, **{"version": "2.0", "model_id": 2} | other)
    result = value(3, attribute=3, model="other", model_id=9)
    assert judged(value(1), new, result, sources={3: [1]}) == {}
    assert 3 in judged(value(1), value(2, version="2.0", model_id=2), result, sources={3: [1]})


def test_values_are_told_apart_by_all_that_they_hold():
    assert digest(0.1) != digest(0.10000000000000002)
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    different = [None, 1, 1.5, "1", "1.5", [1], {"1": 1}, True]
    assert len({digest(one) for one in different}) == len(different)
