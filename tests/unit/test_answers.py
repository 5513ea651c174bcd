"""Schemas and answers: what is refused, with what is said, and within which bounds."""

from typing import Any

import pytest

from eyened_domain.errors import BadInput
from eyened_domain.model.values import JSON_DEEPEST
from eyened_domain.services.forms import AnswerCheck, AnswerFault, PatternTooSlow
from eyened_domain.services.forms import answers as bounds

TREE = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "parts": {"type": "array", "items": {"$ref": "#"}}},
}


def nested(deep: int) -> Any:
    found: Any = {"name": 7}
    for _ in range(deep):
        found = {"parts": [found]}
    return found


def test_without_a_schema_everything_is_allowed() -> None:
    assert AnswerCheck(None).faults({"a": [1, None]}) == []


@pytest.mark.parametrize("draft", bounds.DRAFTS)
@pytest.mark.parametrize("end", ["", "#"])
def test_each_draft_is_known_with_and_without_its_fragment(draft: str, end: str) -> None:
    check = AnswerCheck({"$schema": draft + end, "type": "integer"})
    assert check.faults(1) == []
    assert check.faults("1") == [AnswerFault((), "'1' is not of type 'integer'")]


@pytest.mark.parametrize(
    ("schema", "value", "is_good"),
    [
        ({"multipleOf": 0.01}, 19.99, False),
        ({"pattern": r"^\d+$"}, "\u0661\u0662", True),
        ({"$schema": bounds.DRAFTS[2], "format": "date"}, "nonsense", True),
        ({"type": "integer"}, 1.0, True),
        ({"type": "integer"}, True, False),
        ({"enum": [1]}, 1.0, True),
    ],
)
def test_where_engines_differ_it_is_jsonschema_that_decides(
    schema: Any, value: Any, is_good: bool
) -> None:
    assert (AnswerCheck(schema).faults(value) == []) is is_good


def test_a_fault_is_told_with_its_path() -> None:
    (fault,) = AnswerCheck(TREE).faults({"parts": [{}, {"parts": [{"name": 7}]}]})
    assert fault.path == ("parts", 1, "parts", 0, "name")
    assert str(fault) == "parts[1].parts[0].name: 7 is not of type 'string'"


def test_a_schema_that_refers_to_itself_is_followed_as_deep_as_answers_go() -> None:
    deepest = (JSON_DEEPEST - 1) // 2
    (fault,) = AnswerCheck(TREE).faults(nested(deepest))
    assert fault.path == (*("parts", 0) * deepest, "name")


@pytest.mark.parametrize("deep", [16, 10_000])
def test_answers_that_are_nested_too_deep_are_refused(deep: int) -> None:
    with pytest.raises(BadInput, match="nested more than 31 deep"):
        AnswerCheck(TREE).faults(nested(deep))


def test_a_schema_that_never_ends_is_refused() -> None:
    with pytest.raises(BadInput, match="refers to itself without an end"):
        AnswerCheck({"$ref": "#"}).faults({})


def test_answers_that_are_too_long_are_refused() -> None:
    with pytest.raises(BadInput, match="4,000,000 is the most"):
        AnswerCheck(None).faults({"a": "x" * bounds.LONGEST_BYTES})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}])
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(BadInput, match="JSON cannot hold"):
        AnswerCheck(None).faults({"a": value})


def test_a_regular_expression_that_takes_long_is_stopped_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check = AnswerCheck({"type": "string", "pattern": "[ab][ab]c"})
    assert len(check.faults("a" * 1000)) == 1
    monkeypatch.setattr(bounds, "PATTERN_S", 1e-6)
    with pytest.raises(BadInput, match=r"'\[ab\]\[ab\]c' of the schema takes more than"):
        check.faults("a" * 3_000_000)


def test_many_expressions_that_take_long_together_are_stopped_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check = AnswerCheck({"items": {"pattern": "[ab][ab]c"}})
    assert len(check.faults(["a" * 1000] * 5)) == 5
    monkeypatch.setattr(bounds, "PATTERNS_S", 1e-4)
    with pytest.raises(PatternTooSlow, match=r"takes (with the others )?more than"):
        check.faults(["a" * 1000] * 1000)


def test_letters_of_every_script_can_be_asked_for() -> None:
    check = AnswerCheck({"pattern": r"^\p{Lu}"})
    assert (check.faults("Ödem"), len(check.faults("ödem"))) == ([], 1)


def test_names_that_no_pattern_allows_are_told() -> None:
    schema = {
        "properties": {"eye": {}},
        "patternProperties": {"^layer_": {"type": "number"}},
        "additionalProperties": False,
    }
    found = AnswerCheck(schema).faults({"eye": 1, "layer_1": "thick", "note": "", "date": ""})
    assert [str(one) for one in found] == [
        "answers: there is no answer 'note', 'date' in this form",
        "layer_1: 'thick' is not of type 'number'",
    ]


def test_further_names_are_held_to_the_schema_that_is_there_for_them() -> None:
    check = AnswerCheck({"properties": {"a": {}}, "additionalProperties": {"type": "number"}})
    assert [one.path for one in check.faults({"a": "x", "b": 1, "c": "x"})] == [("c",)]


def test_a_thousand_faults_are_told_at_the_most() -> None:
    check = AnswerCheck({"items": {"type": "string"}})
    assert len(check.faults(list(range(5000)))) == 1000


@pytest.mark.parametrize("schema", [[], "object", 7])
def test_what_is_no_object_is_no_schema(schema: Any) -> None:
    with pytest.raises(BadInput, match="is no object"):
        AnswerCheck(schema)


def test_a_reference_to_a_part_of_the_schema_under_its_own_name_is_followed() -> None:
    schema = {
        "$id": "https://example.org/grades",
        "$defs": {"grade": {"$anchor": "grade", "type": "integer"}},
        "properties": {"a": {"$ref": "#grade"}, "b": {"$ref": "#/$defs/grade"}},
    }
    assert [one.path for one in AnswerCheck(schema).faults({"a": "x", "b": "x"})] == [
        ("a",),
        ("b",),
    ]
