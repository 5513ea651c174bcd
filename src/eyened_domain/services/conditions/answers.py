"""Tests of answers in forms: elements of a JSON column, by their path."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

from eyened_domain.errors import BadInput
from eyened_domain.model.values import shown
from eyened_domain.services.conditions.comparing import checked_text
from eyened_domain.services.conditions.meaning import AnswerTest, Both, Meaning, Operator

_POSITION = re.compile("0|[1-9][0-9]{0,8}", re.ASCII)
_LONGEST = 500


def keys_of(name: str, path: Any) -> tuple[str | int, ...]:
    """Return the keys of a path such as ``lesions.0.size``, or of a list of keys.

    Args:
        name: of the field, for messages.
        path: a text with dots, of which digits are positions in lists; or the keys themselves,
            where a key has a dot or is made of digits.

    Raises:
        BadInput: it is neither, or a key is empty, or it is too long.
    """
    if isinstance(path, str) and len(path) <= _LONGEST:
        keys = [int(key) if _POSITION.fullmatch(key) else key for key in path.split(".")]
    elif isinstance(path, list | tuple):
        keys = list(path)
    else:
        keys = []
    for key in keys:
        if isinstance(key, bool) or not isinstance(key, str | int) or key == "":
            keys = []
            break
    if not keys or not all(_is_plain(key) for key in keys):
        raise BadInput(
            f"{name}: path is the keys of an answer with dots between, such as 'lesions.0.size', "
            f"or a list of keys; not {shown(path)}",
            field=name,
            value=shown(path),
        )
    return tuple(keys)


def _is_plain(key: str | int) -> bool:
    if isinstance(key, int):
        return 0 <= key < 2**31
    return len(key) <= _LONGEST and key.isprintable() and not set(key) & {'"', "\\"}


def _answer(name: str, value: Any) -> str | float | bool:
    if isinstance(value, str):
        return checked_text(name, value)
    if isinstance(value, bool):
        return value
    with suppress(OverflowError):
        if isinstance(value, int | float) and math.isfinite(number := float(value)):
            return number
    raise BadInput(
        f"{name}: answers are texts, finite numbers, True and False, not {shown(value)}",
        field=name,
        value=shown(value),
    )


def answer_test(
    name: str, path: str, keys: tuple[str | int, ...], operator: str, values: Sequence[Any]
) -> Meaning:
    """Return the test of an answer.

    Args:
        name: of the field, for messages.
        path: of the column with the answers.
        keys: of the answer.
        operator: none that says the contrary of another.
        values: texts, numbers, True and False; none for any.

    Raises:
        BadInput: a value is nothing of these, or does not go with the operator.
    """
    values = [_answer(name, value) for value in values]
    if operator == "is not null":
        return AnswerTest(path, keys, "is not null", ())
    if operator in ("==", "in"):
        return AnswerTest(path, keys, "in", tuple(values))
    if any(isinstance(value, bool) for value in values) or (
        operator == "like" and not isinstance(values[0], str)
    ):
        raise BadInput(f"{name}: {operator} does not go with {shown(values[0])}", field=name)
    if operator == "between":
        first, last = values
        return Both((AnswerTest(path, keys, ">=", (first,)), AnswerTest(path, keys, "<=", (last,))))
    return AnswerTest(path, keys, cast("Operator", operator), tuple(values))
