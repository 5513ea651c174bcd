"""What conditions mean, in plain Python on objects; it shares nothing with the library's way."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Any

from eyened_domain.model import Laterality, Segmentation
from eyened_domain.services.conditions import All, AnyOf, Comparison, Not, Some


def fold(text: str) -> str:
    """Return a text as names are compared."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in parts if not unicodedata.combining(one)).rstrip(" ")


def meets(one: Any, condition: Any) -> bool:
    """Whether an object meets a condition."""
    match condition:
        case All(parts):
            return all(meets(one, part) for part in parts)
        case AnyOf(parts):
            return any(meets(one, part) for part in parts)
        case Not(part):
            return not meets(one, part)
        case Some(_, part):
            return any(meets(each, part) for each in one.segmentations if not each.inactive)
        case Comparison(name, operator, value, told):
            values = values_of(one, name, told)
            contrary = {"!=": "==", "not in": "in", "not like": "like", "is null": "is not null"}
            if operator in contrary:
                return not any(passes(each, contrary[operator], value) for each in values)
            return any(passes(each, operator, value) for each in values)
    raise AssertionError(condition)


def values_of(one: Any, name: str, told: Any) -> list[Any]:
    """Return what an object has of a field."""
    match name:
        case "project":
            return [one.series.study.patient.project.project_name]
        case "patient.patient_identifier" | "patient.birth_date":
            return [getattr(one.series.study.patient, name.partition(".")[2])]
        case "study.study_date":
            return [one.series.study.study_date]
        case "tag":
            return [link.tag.tag_name for link in one.image_instance_tag_links]
        case "tag.creator":
            return [link.creator.creator_name for link in one.image_instance_tag_links]
        case "tag.comment":
            return [link.comment for link in one.image_instance_tag_links]
        case "segmentation":
            return [each.feature.feature_name for each in one.segmentations if not each.inactive]
        case "segmentation.creator":
            return [each.creator.creator_name for each in one.segmentations if not each.inactive]
        case "feature":
            return [one.feature.feature_name]
        case "creator":
            return [one.creator.creator_name]
        case "form.answer":
            return [
                answer(form.form_data, told["path"])
                for form in one.form_annotations
                if not form.inactive
                and same(form.form_schema.schema_name, told.get("schema"))
                and same(form.creator.creator_name, told.get("creator"))
            ]
        case "attribute":
            return [
                each.value
                for each in one.attribute_values
                if same(each.attribute_definition.attribute_name, told["name"])
                and same(each.producing_model.model_name, told.get("model"))
                and same(each.producing_model.version, told.get("version"))
            ]
    holder = one.image_instance if isinstance(one, Segmentation) else one
    return [getattr(holder, name.rpartition(".")[2])]


def same(name: str, wanted: str | None) -> bool:
    """Whether a name is the one that is wanted, if one is."""
    return wanted is None or fold(name) == fold(wanted)


def answer(value: Any, path: str) -> Any:
    """Return what stands at a path of an answer."""
    for key in path.split("."):
        if isinstance(value, list) and key.isdigit():
            value = value[int(key)] if int(key) < len(value) else None
        elif isinstance(value, dict) and not key.isdigit():
            value = value.get(key)
        else:
            return None
    return value


def passes(found: Any, operator: str, value: Any) -> bool:
    """Whether one value stands in a relation to another."""
    if found is None:
        return False
    if operator == "is not null":
        return True
    if isinstance(found, date):
        return bool(compared(found.isoformat(), operator, value))
    if isinstance(found, Laterality) or hasattr(found, "name"):
        return bool(compared(found.name, operator, value))
    return bool(compared(found, operator, value))


def compared(found: Any, operator: str, value: Any) -> Any:
    """Whether two plain values stand in a relation."""
    if operator == "in":
        return any(compared(found, "==", one) for one in value)
    if operator == "between":
        return compared(found, ">=", value[0]) and compared(found, "<=", value[1])
    if operator == "like":
        return isinstance(found, str) and like(value, found)
    if isinstance(found, bool) or isinstance(value, bool):
        return found is value and operator == "=="
    if isinstance(found, dict | list) or isinstance(found, str) != isinstance(value, str):
        return False
    one, other = (fold(found), fold(value)) if isinstance(found, str) else (found, value)
    return {
        "==": one == other,
        "<": one < other,
        "<=": one <= other,
        ">": one > other,
        ">=": one >= other,
    }.get(operator)


def like(pattern: str, text: str) -> bool:
    """Whether a text matches a pattern; written without regular expressions."""
    letters = fold(text) + " " * (len(text) - len(text.rstrip(" ")))
    return _matches(pattern, letters)


def _matches(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(_matches(pattern[1:], text[at:]) for at in range(len(text) + 1))
    if not text:
        return False
    if pattern[0] == "\\" and len(pattern) > 1:
        return text[0] == pattern[1] and _matches(pattern[2:], text[1:])
    wanted = pattern[0].lower()
    return wanted in ("_", text[0]) and _matches(pattern[1:], text[1:])
