"""Tests of attribute values, which are texts, whole numbers or fractions, each in its column."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

from eyened_domain.errors import BadInput
from eyened_domain.model.attribute import AttributeValue
from eyened_domain.model.values import shown
from eyened_domain.services.conditions.meaning import (
    EVERYTHING,
    NOTHING,
    Both,
    Either,
    Meaning,
    Operator,
    Test,
)
from eyened_domain.services.sought_values import converted

_FIRST, _LAST = -(2**31), 2**31 - 1
_WHOLE = {"<": math.ceil, "<=": math.floor, ">": math.floor, ">=": math.ceil}
"""What a fraction becomes where whole numbers are compared with it."""


def attribute_tests(name: str, operator: str, values: Sequence[Any]) -> Meaning:
    """Return what holds of an attribute value that stands in a relation to values.

    Args:
        name: of the field, for messages.
        operator: none that says the contrary of another.
        values: numbers, which are sought in both columns of numbers, or texts; none for any.

    Raises:
        BadInput: a value is neither a number nor a text, or they are of both kinds.
    """
    if operator == "is not null":
        return EVERYTHING
    for value in values:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise BadInput(
                f"{name}: values of attributes are numbers and texts, not {shown(value)}",
                field=name,
                value=shown(value),
            )
    texts = [value for value in values if isinstance(value, str)]
    numbers = [value for value in values if not isinstance(value, str)]
    if operator == "in":
        found = (_texts("in", texts), _fractions("in", numbers), _wholes_in(numbers))
        return Either(tuple(one for one in found if one is not None))
    if operator == "between":
        if texts and numbers:
            raise BadInput(f"{name}: between takes two numbers or two texts", field=name)
        first, last = (
            attribute_tests(name, op, [v]) for op, v in zip((">=", "<="), values, strict=True)
        )
        return _pairwise(first, last)
    if operator == "like" and numbers:
        raise BadInput(f"{name}: a pattern is a text, not {shown(numbers[0])}", field=name)
    if texts:
        return cast("Test", _texts("in" if operator == "==" else operator, texts))
    if operator == "==":
        return attribute_tests(name, "in", values)
    return Either((cast("Test", _fractions(operator, numbers)), _whole(operator, numbers[0])))


def _pairwise(first: Meaning, last: Meaning) -> Meaning:
    """Return that a value is beyond the first and before the last, each in its column."""
    if isinstance(first, Either) and isinstance(last, Either):
        return Either(tuple(Both((a, b)) for a, b in zip(first.parts, last.parts, strict=True)))
    return Both((first, last))


def _texts(operator: str, values: Sequence[str]) -> Test | None:
    if not values:
        return None
    values = [converted(AttributeValue.__entity__, "value_text", value) for value in values]
    return Test("value_text", cast("Operator", operator), tuple(values))


def _fractions(operator: str, values: Sequence[float]) -> Test | None:
    if not values:
        return None
    held = [converted(AttributeValue.__entity__, "value_float", value) for value in values]
    return Test("value_float", cast("Operator", operator), tuple(held))


def _wholes_in(values: Sequence[float]) -> Test | None:
    whole = [int(value) for value in values if value == int(value) and _FIRST <= value <= _LAST]
    return Test("value_int", "in", tuple(whole)) if whole else None


def _whole(operator: str, value: float) -> Meaning:
    number = _WHOLE[operator](value)
    if _FIRST <= number <= _LAST:
        return Test("value_int", cast("Operator", operator), (number,))
    is_below = number < _FIRST
    return EVERYTHING if is_below == (operator in (">", ">=")) else NOTHING
