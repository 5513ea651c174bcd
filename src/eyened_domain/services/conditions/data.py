"""Conditions as plain data, which JSON can hold, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from enum import Enum
from typing import Any

from eyened_domain.errors import BadInput
from eyened_domain.model.names import nearest
from eyened_domain.model.values import Refused, json_value, kind_of, members, plain, shown
from eyened_domain.services.conditions.language import (
    WITHOUT_VALUE,
    All,
    AnyOf,
    Comparison,
    Condition,
    Not,
    Some,
)
from eyened_domain.services.conditions.limits import DEEPEST, MOST, too_deep, too_many

_COMPARISON = ("field", "operator", "value")
_SHAPES = ("all", "any", "not", "some", "field")


def to_data(condition: Condition) -> dict[str, Any]:
    """Return a condition as plain data: texts, numbers, lists and dicts.

    Dates become ISO texts, members of enumerations their names, and bytes hexadecimal digits;
    a search takes them as what they are.

    Raises:
        BadInput: something in it has no such form.
    """
    if isinstance(condition, All):
        return {"all": [to_data(one) for one in condition.conditions]}
    if isinstance(condition, AnyOf):
        return {"any": [to_data(one) for one in condition.conditions]}
    if isinstance(condition, Not):
        return {"not": to_data(condition.condition)}
    if isinstance(condition, Some):
        return {"some": condition.name, "where": to_data(condition.condition)}
    if isinstance(condition, Comparison):
        return _comparison_data(condition)
    raise BadInput(f"a condition is needed, not {kind_of(condition)}")


def _comparison_data(one: Comparison) -> dict[str, Any]:
    data = {"field": one.name, **{name: _value(one, it) for name, it in one.given.items()}}
    data["operator"] = one.operator
    if one.operator not in WITHOUT_VALUE:
        data["value"] = _value(one, one.value)
    return data


def _value(one: Comparison, value: Any) -> Any:
    value = plain(value)
    several = members(value)
    if several is not None:
        return [_value(one, each) for each in several]
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, date):  # and datetime
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex()
    identity = getattr(value, "__entity__", None)
    if identity is not None:
        return getattr(value, identity.primary_key[0])
    try:
        return json_value(value)
    except Refused as refused:
        raise BadInput(f"{one.name}: {refused}", field=one.name, value=shown(value)) from None


def from_data(data: object) -> Condition:
    """Return the condition that plain data means; its fields are checked when it is asked with.

    Raises:
        BadInput: it is none, is nested more than 30 deep, or has more than 1,000 comparisons.
    """
    left = [MOST]
    return _condition(data, 0, left)


def _condition(data: object, depth: int, left: list[int]) -> Condition:
    if depth > DEEPEST:
        raise too_deep()
    shape = _shape(data)
    assert isinstance(data, Mapping)  # noqa: S101 - _shape has seen to it
    return _MADE[shape](data, depth + 1, left)


def _shape(data: object) -> str:
    if not isinstance(data, Mapping):
        raise BadInput(f"a condition is a dict with one of {', '.join(_SHAPES)}, not {shown(data)}")
    shapes = [shape for shape in _SHAPES if shape in data]
    if len(shapes) == 1:
        return shapes[0]
    if shapes:
        raise BadInput(f"a condition is one of {', '.join(_SHAPES)}, not {' and '.join(shapes)}")
    keys = [key for key in data if isinstance(key, str)]
    near = "".join(nearest(key, _SHAPES) for key in keys[:1])
    raise BadInput(
        f"a condition is a dict with one of {', '.join(_SHAPES)}, not {shown(data)}{near}"
    )


def _several(key: str) -> Callable[[Mapping[str, Any], int, list[int]], list[Condition]]:
    def read(data: Mapping[str, Any], depth: int, left: list[int]) -> list[Condition]:
        _refuse_others(data, (key,))
        if not isinstance(data[key], list | tuple):
            raise BadInput(f"{key}: a list of conditions is needed, not {shown(data[key])}")
        return [_condition(one, depth, left) for one in data[key]]

    return read


def _refuse_others(data: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in data:
        if key not in known:
            raise BadInput(f"{shown(key)} has no meaning beside {known[0]}{nearest(key, known)}")


def _not(data: Mapping[str, Any], depth: int, left: list[int]) -> Condition:
    _refuse_others(data, ("not",))
    return Not(_condition(data["not"], depth, left))


def _some(data: Mapping[str, Any], depth: int, left: list[int]) -> Condition:
    _refuse_others(data, ("some", "where"))
    if not isinstance(data["some"], str):
        raise BadInput(f"some: the name of a list is needed, not {shown(data['some'])}")
    where = data.get("where", {"all": []})
    return Some(data["some"], _condition(where, depth, left))


def _comparison(data: Mapping[str, Any], _depth: int, left: list[int]) -> Condition:
    left[0] -= 1
    if left[0] < 0:
        raise too_many()
    name, operator = data["field"], data.get("operator")
    if not isinstance(name, str):
        raise BadInput(f"field: a name is needed, not {shown(name)}")
    if operator is None:
        raise BadInput(f"{name}: an operator is needed", field=name)
    given = {key: value for key, value in data.items() if key not in _COMPARISON}
    return Comparison(name, operator, data.get("value"), given)


_MADE: Mapping[str, Callable[[Mapping[str, Any], int, list[int]], Condition]] = {
    "all": lambda data, depth, left: All(_several("all")(data, depth, left)),
    "any": lambda data, depth, left: AnyOf(_several("any")(data, depth, left)),
    "not": _not,
    "some": _some,
    "field": _comparison,
}
