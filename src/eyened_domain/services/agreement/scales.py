"""On which scale a question is answered: in names, in grades, or in numbers.

A schema says it: numbers by their type; grades by whole numbers with both bounds, or listed;
names by texts that are listed, and by yes or no, also whether each of several choices was made
(a list without doubles, of listed texts). That listed texts have an order no schema can
say, so it is the caller who does. Free text has no scale.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from attrs import frozen

from eyened_domain.errors import BadInput, RuleBroken
from eyened_domain.model.flat_answers import Path, written
from eyened_domain.model.values import shown

MOST_GRADES = 20
"""Between two bounds; more whole numbers than that are a measurement."""


class Level(Enum):
    """What the answers to a question can be asked for."""

    Nominal = "nominal"
    """Whether they are the same."""
    Ordered = "ordered"
    """How many steps they are apart."""
    Number = "number"
    """How far they are apart."""


@frozen
class Scale:
    """How answers to a question compare."""

    level: Level
    values: tuple[Any, ...] = ()
    """All that can be answered, of grades in their order; empty where nothing says so."""

    def place(self, answer: Any, question: str) -> Any:
        """Return what stands for an answer on the scale.

        Raises:
            RuleBroken: it is no number, or none of the grades.
        """
        if self.level is Level.Nominal:
            return token(answer)
        if self.level is Level.Number:
            if isinstance(answer, int | float) and not isinstance(answer, bool):
                return float(answer)
            raise _off(question, answer, "no number", "number")
        places = {token(value): place for place, value in enumerate(self.values)}
        if token(answer) not in places:
            raise _off(question, answer, f"none of {shown(list(self.values))}", "ordered")
        return places[token(answer)]


def token(answer: Any) -> str:
    """Return what answers that are the same have in common: 1 is 1.0, and not true."""
    if isinstance(answer, float) and answer.is_integer():
        answer = int(answer)
    return json.dumps(answer, ensure_ascii=False, sort_keys=True)


Told = Mapping[str, str | Sequence[Any]]
"""By question ``"nominal"``, ``"ordered"``, ``"number"``, or the grades in their order."""


def scale_of(
    path: Path, answers: Sequence[Any], schema: Any, told: str | Sequence[Any] | None
) -> Scale | None:
    """Return the scale of a question; None where it has none.

    Args:
        path: of its answers.
        answers: all that there are, of one or more.
        schema: the JSON schema of the form, or None.
        told: what the caller says of it; None for nothing.

    Raises:
        BadInput: what is told means nothing, or the order of its grades is not known.
    """
    question = written(path)
    node = _node(schema, path, schema, set())
    listed = _listed(node)
    if told is None:
        return _by_schema(node, listed) or _by_answers(answers, known=bool(node))
    if not isinstance(told, str):
        return _graded(question, told)
    if told not in {level.value for level in Level}:
        raise BadInput(
            f"the scale of {shown(question)} is nominal, ordered or number, or a list of its "
            f"grades in their order, not {shown(told)}",
            field="scales",
            value=told,
        )
    if told != Level.Ordered.value:
        return Scale(Level(told), tuple(listed))
    if listed:
        return Scale(Level.Ordered, tuple(listed))
    if answers and all(_is_number(one) for one in answers):
        return Scale(Level.Ordered, tuple(sorted(set(answers))))
    raise BadInput(
        f"the order of the answers to {shown(question)} is not known: the schema lists none; "
        "give the list of them instead of 'ordered'",
        field="scales",
        value=question,
    )


def choices_of(schema: Any, path: Path) -> list[str]:
    """Return what can be chosen where several things may be: in a list without doubles.

    Args:
        schema: the JSON schema of the form, or None.
        path: of the list. Empty where it is none, or the schema does not list the texts that
            may be in it, wherever they stand.
    """
    node = _node(schema, path, schema, set())
    if _kinds(node) != {"array"} or node.get("uniqueItems") is not True:
        return []
    if "prefixItems" in node or isinstance(node.get("items"), list):
        return []
    listed = _listed(_node(schema, (*path, 0), schema, set()))
    return listed if all(isinstance(one, str) for one in listed) else []


def _graded(question: str, told: Sequence[Any]) -> Scale:
    values = tuple(told)
    if len({token(value) for value in values}) < max(len(values), 2):
        raise BadInput(
            f"the grades of {shown(question)} are two or more different ones in their order, "
            f"not {shown(list(values))}",
            field="scales",
            value=question,
        )
    return Scale(Level.Ordered, values)


def _by_schema(node: Mapping[str, Any], listed: list[Any]) -> Scale | None:
    if listed:
        ordered = all(_is_number(one) for one in listed)
        return Scale(Level.Ordered if ordered else Level.Nominal, tuple(listed))
    kinds = _kinds(node)
    if kinds and kinds <= {"integer", "number"}:
        return Scale(Level.Number)
    return Scale(Level.Nominal, (False, True)) if kinds == {"boolean"} else None


def _kinds(node: Mapping[str, Any]) -> set[str]:
    """Return the types that a schema allows beside null."""
    kinds = node.get("type", ())
    return ({kinds} if isinstance(kinds, str) else set(kinds)) - {"null"}


def _by_answers(answers: Sequence[Any], *, known: bool) -> Scale | None:
    if known or not answers:
        return None
    if all(isinstance(one, bool) for one in answers):
        return Scale(Level.Nominal, (False, True))
    return Scale(Level.Number) if all(_is_number(one) for one in answers) else None


def _listed(node: Mapping[str, Any]) -> list[Any]:
    """Return all values that a schema allows, where it lists them; numbers by their size."""
    values = node.get("enum")
    if values is None:
        choices = node.get("oneOf") or node.get("anyOf") or ()
        values = [one.get("const") for one in choices if isinstance(one, dict)]
        if not all(isinstance(one, dict) and "const" in one for one in choices):
            values = []
    if not values and _kinds(node) == {"integer"}:
        low, high = node.get("minimum"), node.get("maximum")
        if isinstance(low, int) and isinstance(high, int) and 0 < high - low <= MOST_GRADES:
            values = range(low, high + 1)
    some = [one for one in values if one is not None]
    return sorted(some) if all(_is_number(one) for one in some) else some


def _node(schema: Any, path: Path, root: Any, seen: set[tuple[int, int]]) -> Mapping[str, Any]:
    """Return what a schema says of an answer; nothing where it does not say.

    Args:
        schema: where to look.
        path: from there to the answer.
        root: what ``$ref`` begins at.
        seen: where it was looked in vain, or is being looked.
    """
    if not isinstance(schema, dict) or (id(schema), len(path)) in seen:
        return {}
    seen.add((id(schema), len(path)))
    reference = schema.get("$ref")
    if isinstance(reference, str):
        found = _node(_referred(root, reference), path, root, seen)
        if found:
            return found
    if not path:
        return schema
    inner = [(one, path[1:]) for one in _steps(schema, path[0])]
    for word in ("allOf", "anyOf", "oneOf", "then", "else"):
        branches = schema.get(word, ())
        inner += [(one, path) for one in (branches if isinstance(branches, list) else [branches])]
    return next((found for one in inner if (found := _node(*one, root, seen))), {})


def _steps(schema: Mapping[str, Any], part: str | int) -> list[Any]:
    """Return the schemas of what stands under a name, or at a position."""
    if isinstance(part, str):
        named = schema.get("properties")
        return [named[part]] if isinstance(named, dict) and part in named else []
    items, first = schema.get("items"), schema.get("prefixItems", ())
    places = items if isinstance(items, list) else first
    if part < len(places):
        return [places[part]]
    return [items] if isinstance(items, dict) else []


def _referred(root: Any, reference: str) -> Any:
    """Return what ``#/$defs/grade`` refers to; None for what is not there, or elsewhere."""
    if not reference.startswith("#"):
        return None
    found = root
    for part in reference.lstrip("#").strip("/").split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if part:
            found = found.get(name) if isinstance(found, dict) else None
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _off(question: str, answer: Any, why: str, level: str) -> RuleBroken:
    return RuleBroken(
        f"{question}: the answer {shown(answer)} is {why}, and the question is {level}; say in "
        "scales how it is answered, or leave it out of questions",
        entity="FormAnnotation",
        field=question,
        value=answer,
    )
