"""What a schema says of how the answers to a question compare, and what the caller says."""

from typing import Any

import pytest

from eyened_domain.errors import BadInput
from eyened_domain.model.flat_answers import path_of
from eyened_domain.services.agreement.questions import Question, questions_of
from eyened_domain.services.agreement.readings import Case, Grader, Reading, Readings
from eyened_domain.services.agreement.scales import Level, Scale, scale_of

SCHEMA: dict[str, Any] = {
    "allOf": [{"$ref": "#/definitions/common"}],
    "properties": {
        "few": {"type": "integer", "minimum": 0, "maximum": 20},
        "many": {"type": "integer", "minimum": 0, "maximum": 21},
        "open": {"type": "integer", "minimum": 0},
        "size": {"type": ["number", "null"]},
        "yes": {"type": "boolean"},
        "etdrs": {"enum": [20, 10, 35]},
        "titled": {"oneOf": [{"const": "a", "title": "A"}, {"const": "b", "title": "B"}]},
        "text": {"type": "string"},
        "either": {"type": ["string", "number"]},
        "layers": {"type": "array", "items": {"properties": {"mm": {"type": "number"}}}},
        "pair": {"prefixItems": [{"type": "boolean"}], "items": {"type": "number"}},
        "old_pair": {"items": [{"enum": ["a", "b"]}, {"type": "number"}]},
        "eye": {"$ref": "#/definitions/eye"},
        "endless": {"$ref": "#/properties/endless"},
    },
    "then": {"properties": {"later": {"enum": ["x", "y"]}}},
    "definitions": {
        "common": {"properties": {"sure": {"type": "boolean"}}},
        "eye": {"properties": {"eye": {"$ref": "#/definitions/eye"}, "cup": {"type": "number"}}},
    },
}
NUMBER, YES_OR_NO = Scale(Level.Number), Scale(Level.Nominal, (False, True))


@pytest.mark.parametrize(
    ("path", "scale"),
    [
        ("few", Scale(Level.Ordered, tuple(range(21)))),
        ("many", NUMBER),
        ("open", NUMBER),
        ("size", NUMBER),
        ("yes", YES_OR_NO),
        ("etdrs", Scale(Level.Ordered, (10, 20, 35))),
        ("titled", Scale(Level.Nominal, ("a", "b"))),
        ("text", None),
        ("either", None),
        ("layers[7].mm", NUMBER),
        ("pair[0]", YES_OR_NO),
        ("pair[3]", NUMBER),
        ("old_pair[0]", Scale(Level.Nominal, ("a", "b"))),
        ("old_pair[1]", NUMBER),
        ("eye.eye.eye.cup", NUMBER),
        ("sure", YES_OR_NO),
        ("later", Scale(Level.Nominal, ("x", "y"))),
    ],
)
def test_a_schema_says_on_which_scale_a_question_is_answered(
    path: str, scale: Scale | None
) -> None:
    assert scale_of(path_of(path), [], SCHEMA, None) == scale


@pytest.mark.parametrize("schema", [None, {}, SCHEMA])
def test_of_what_no_schema_speaks_the_answers_say_it(schema: Any) -> None:
    for answers, scale in (
        ([True, False], YES_OR_NO),
        ([1, 2.5], NUMBER),
        ([1, "two"], None),
        (["one", "two"], None),
        ([True, 1], None),
    ):
        assert scale_of(path_of("elsewhere"), answers, schema, None) == scale


def test_a_schema_that_refers_to_itself_comes_to_an_end() -> None:
    assert scale_of(path_of("endless"), [1, 2], SCHEMA, None) is None
    twice: dict[str, Any] = {"allOf": [{"$ref": "#"}, {"$ref": "#"}] * 20}
    assert scale_of(path_of("a.b.c"), [1, 2], twice, None) == NUMBER


def test_the_caller_says_what_the_schema_cannot() -> None:
    titled, text = path_of("titled"), path_of("text")
    assert scale_of(titled, ["a"], SCHEMA, "ordered") == Scale(Level.Ordered, ("a", "b"))
    assert scale_of(titled, ["a"], SCHEMA, ["b", "a"]) == Scale(Level.Ordered, ("b", "a"))
    assert scale_of(path_of("few"), [0], SCHEMA, "number").level is Level.Number  # type: ignore[union-attr]
    assert scale_of(path_of("open"), [7, 3, 7], SCHEMA, "ordered") == Scale(Level.Ordered, (3, 7))
    for told in ("ordered", "steps", ["a", "a"], ["a"], []):
        with pytest.raises(BadInput):
            scale_of(text, ["a"], SCHEMA, told)


def test_one_is_one_point_zero_and_not_true() -> None:
    scale = Scale(Level.Ordered, (0, 1, 2))
    assert scale.place(1.0, "grade") == scale.place(1, "grade") == 1
    with pytest.raises(ValueError, match="none of"):
        scale.place(True, "grade")
    names = Scale(Level.Nominal)
    assert names.place(1, "x") == names.place(1.0, "x") != names.place(True, "x")


def test_where_several_things_may_be_chosen_each_is_a_question_of_its_own() -> None:
    signs = {"type": "array", "uniqueItems": True, "items": {"$ref": "#/$defs/sign"}}
    schema = {
        "properties": {"left": {"properties": {"signs": signs}}, "list": {"type": "array"}},
        "$defs": {"sign": {"enum": ["drusen", "atrophy"]}},
    }
    said: dict[str, Any] = {
        "ann": {"left": {"signs": ["drusen", "atrophy"]}, "list": [True]},
        "bob": {"left": {"signs": ["atrophy"]}},
        "cas": {"left": {"signs": []}},
        "dan": {"left": {"signs": None}},
        "eve": {},
    }
    readings = readings_of(said)
    found = {one.name: one for one in questions_of(readings, schema, None, {})}
    assert list(found) == ["left.signs.atrophy", "left.signs.drusen", "list[0]"]
    told = {name: answers_to(one) for name, one in found.items()}
    assert told["left.signs.drusen"] == {"ann": True, "bob": False, "cas": False}
    assert told["left.signs.atrophy"] == {"ann": True, "bob": True, "cas": False}
    assert found["left.signs.drusen"].scale == Scale(Level.Nominal, (False, True))
    (one,) = questions_of(readings, schema, ["left.signs.atrophy"], {})
    assert one.name == "left.signs.atrophy"


def test_of_lists_of_choices_in_a_list_one_in_which_nothing_is_chosen_says_no_to_all() -> None:
    signs = {"type": "array", "uniqueItems": True, "items": {"enum": ["drusen", "atrophy"]}}
    readings = readings_of({"ann": [["drusen"], ["atrophy"]], "bob": [["drusen"], []]})
    found = [*questions_of(readings, {"type": "array", "items": signs}, None, {})]
    told = {one.name: answers_to(one) for one in found}
    assert told["[0].drusen"] == {"ann": True, "bob": True}
    assert told["[1].atrophy"] == {"ann": True, "bob": False}


@pytest.mark.parametrize(
    "inside",
    [
        {"prefixItems": [{"enum": ["a", "b"]}, {"enum": ["c", "d"]}]},
        {"prefixItems": [{"enum": ["a", "b"]}], "items": {"enum": ["c", "d"]}},
        {"items": [{"enum": ["a", "b"]}, {"enum": ["c", "d"]}]},
        {"items": {"enum": ["a", "c", 1]}},
    ],
)
def test_a_list_with_other_things_by_position_or_not_of_texts_is_no_list_of_choices(
    inside: dict[str, Any],
) -> None:
    schema = {"properties": {"pair": {"type": "array", "uniqueItems": True, **inside}}}
    readings = readings_of({"ann": {"pair": ["a", "c"]}})
    found = [*questions_of(readings, schema, None, {})]
    assert {one.name: answers_to(one) for one in found} == {
        "pair[0]": {"ann": "a"},
        "pair[1]": {"ann": "c"},
    }


def readings_of(said: dict[str, Any]) -> Readings:
    """Return readings of one case: by the names of graders, what they said."""
    case = Case(1, None, None, None)
    graders = {name: Grader(name, number) for number, name in enumerate(said)}
    return {
        case: {
            graders[name]: Reading(number, case, graders[name], number, what)
            for number, (name, what) in enumerate(said.items())
        }
    }


def answers_to(question: Question) -> dict[str, Any]:
    """Return what graders answered to a question about the one case, by their names."""
    (answers,) = question.answers.values()
    return {grader.name: answer for grader, answer in answers.items()}
