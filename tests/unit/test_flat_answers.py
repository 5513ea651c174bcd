"""Flat answers and nested ones are the same, told in two ways."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyened_domain.errors import BadInput
from eyened_domain.model import FormAnnotation
from eyened_domain.model.flat_answers import flat, leaves, nested, path_of, written
from eyened_domain.model.values import is_same_json
from eyened_domain.services.form_rows import flat_columns

VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False)
ANSWERS = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
PARTS = st.lists(st.text() | st.integers(min_value=0, max_value=10**9 - 1), min_size=1, max_size=5)


@given(ANSWERS)
def test_answers_that_are_taken_apart_are_put_together_again(answers: Any) -> None:
    assert is_same_json(nested(leaves(answers)), answers)
    assert is_same_json(nested((path_of(k), v) for k, v in flat(answers).items()), answers)


@given(PARTS)
def test_a_path_that_is_written_is_read_again(parts: list[str | int]) -> None:
    path = tuple(parts)
    assert path_of(written(path)) == path
    assert path_of(written(path, reserved=[str(path[0])])) == path


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), "answers"),
        (("answers",), '["answers"]'),
        (("left", "grades", 2), "left.grades[2]"),
        ((0, "a"), "[0].a"),
        (("a.b", "c"), '["a.b"].c'),
        (("left", "", "ö x"), 'left[""].ö x'),
        (('"', "2", "\n", "\ud800"), '["\\""].2["\\n"]["\\ud800"]'),
    ],
)
def test_paths_are_written_as_people_do_and_else_as_json_does(path: Any, text: str) -> None:
    assert written(path) == text
    assert path_of(text) == path


@pytest.mark.parametrize(
    "text",
    ["", ".a", "a.", "a..b", "a[", "a[x]", "a[01]", "a[-1]", '["a]', "a]b", '["\\x"]', "a[0]b"],
)
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=r"path|no name"):
        path_of(text)


def test_a_path_of_more_parts_than_json_is_deep_is_refused() -> None:
    with pytest.raises(BadInput, match="1 to 31 parts"):
        path_of(".".join("a" * 10_000))


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ({"a[1]": 1}, r"a\[0\] is missing"),
        ({"a": 1, "a.b": 2}, "a.b has a value, and"),
        ({"a.b": 1, "a": 2}, "a has a value, and"),
        ({"a.b": 1, "a[0]": 2}, "a has names and positions"),
        ({"answers": 1, "a": 2}, "a has a value, and"),
    ],
)
def test_values_that_do_not_go_together_are_refused(items: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        nested((path_of(text), value) for text, value in items.items())


def test_a_form_gives_its_answers_flat() -> None:
    form = FormAnnotation(form_data={"left": {"grades": [1, {}]}, "notes": []})
    assert form.flat_data == {"left.grades[0]": 1, "left.grades[1]": {}, "notes": []}
    form.flat_data["notes"].append("more")
    assert form.form_data["notes"] == []
    assert FormAnnotation().flat_data == {}
    assert FormAnnotation(form_data={}).flat_data == {"answers": {}}


def test_columns_are_in_the_order_of_letters_and_numbers_whoever_comes_first() -> None:
    forms = [{"b": list(range(11))}, {"a": {"z": 1, "B": 2}}, {"c": 1, "b": {}}, None]
    wanted = ["a.B", "a.z", "b", *(f"b[{n}]" for n in range(11)), "c"]
    assert list(flat_columns(forms)) == list(flat_columns(forms[::-1])) == wanted
    assert flat_columns(forms)["b[10]"] == [10, None, None, None]
