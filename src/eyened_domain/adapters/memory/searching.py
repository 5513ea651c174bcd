"""Rows that meet a condition, in memory; see `services.conditions.meaning`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from functools import cmp_to_key
from itertools import islice
from typing import TYPE_CHECKING, Any

from eyened_domain.adapters.memory.paths import value_at
from eyened_domain.adapters.memory.tables import Row
from eyened_domain.model.entity import Entity
from eyened_domain.model.names import compare, folded, is_like
from eyened_domain.services.column_paths import path_of
from eyened_domain.services.conditions.meaning import (
    AnswerTest,
    Both,
    Either,
    Exists,
    Meaning,
    Negated,
    Order,
    Query,
    Test,
)

if TYPE_CHECKING:
    from eyened_domain.adapters.memory.objects import Objects

Holds = Callable[[Row], bool]
_AS_COMPARED: dict[str, Callable[[int], bool]] = {
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
}


def searched_rows(objects: Objects, entity: type[Entity], query: Query) -> list[Row]:
    """Return the rows that a query asks for, in its order.

    Args:
        objects: of the unit of work.
        entity: whose rows.
        query: what is asked.
    """
    holds = _test_of(objects, entity, query.meaning)
    found = [row for row in objects.rows(entity) if holds(row)]
    if not query.order:
        return found[: query.most]
    comparison = _Comparison(objects, entity, query.order)
    values = {row.key: comparison.values(row) for row in found}
    found.sort(key=cmp_to_key(lambda a, b: comparison.sign(values[a.key], values[b.key])))
    after = query.after
    rows = (row for row in found if after is None or comparison.sign(values[row.key], after) > 0)
    return list(islice(rows, query.most))


class _Comparison:
    """Compares rows by the columns of an order."""

    def __init__(self, objects: Objects, entity: type[Entity], order: Sequence[Order]) -> None:
        self._objects = objects
        self._paths = [(path_of(entity, one.path), one.descending) for one in order]

    def values(self, row: Row) -> tuple[Any, ...]:
        """Return what the columns hold."""
        return tuple(value_at(self._objects, row, path) for path, _ in self._paths)

    def sign(self, one: Sequence[Any], other: Sequence[Any]) -> int:
        """Return -1, 0 or 1: whether a row comes before another, beside it, or after it."""
        for mine, theirs, (_, descending) in zip(one, other, self._paths, strict=True):
            sign = _sign(mine, theirs)
            if sign:
                return -sign if descending else sign
        return 0


def _sign(one: Any, other: Any) -> int:
    """Compare two values; nothing comes first, and members of an enumeration in their order."""
    if one is None or other is None:
        return (one is not None) - (other is not None)
    if isinstance(one, str) and isinstance(other, str):
        return compare(one, other)
    if isinstance(one, Enum):
        members = [*type(one)]
        one, other = members.index(one), members.index(other)
    return int(one > other) - int(one < other)


def _test_of(objects: Objects, entity: type[Entity], meaning: Meaning) -> Holds:
    """Return what tells whether a row meets a condition."""
    if isinstance(meaning, Both):
        every = [_test_of(objects, entity, part) for part in meaning.parts]
        return lambda row: all(holds(row) for holds in every)
    if isinstance(meaning, Either):
        several = [_test_of(objects, entity, part) for part in meaning.parts]
        return lambda row: any(holds(row) for holds in several)
    if isinstance(meaning, Negated):
        negated = _test_of(objects, entity, meaning.part)
        return lambda row: not negated(row)
    if isinstance(meaning, Exists):
        return _exists(objects, entity, meaning)
    path = path_of(entity, meaning.path)
    if isinstance(meaning, Test):
        passes = _passes(meaning)
        return lambda row: passes(value_at(objects, row, path))
    test = meaning
    return lambda row: _answers(test, value_at(objects, row, path))


def _exists(objects: Objects, entity: type[Entity], meaning: Exists) -> Holds:
    owner = path_of(entity, meaning.owner_key)
    via = str(meaning.target.__entity__.links[str(meaning.link.back)].via)
    table = objects.view.table(meaning.target.__entity__.root)
    holds = _test_of(objects, meaning.target, meaning.part)

    def exists(row: Row) -> bool:
        key = value_at(objects, row, owner)
        return key is not None and any(
            issubclass(one.entity, meaning.target) and holds(one)
            for one in table.holding(**{via: key})
        )

    return exists


def _passes(test: Test) -> Callable[[Any], bool]:
    if test.values == (None,):  # also of a column whose values no set holds
        return lambda value: value is None
    if test.operator == "in":
        accepted = {folded(value) for value in test.values}
        return lambda value: folded(value) in accepted
    (wanted,) = test.values
    if test.operator == "like":
        return lambda value: value is not None and bool(is_like(wanted, value))
    decides = _AS_COMPARED[test.operator]
    return lambda value: value is not None and decides(_sign(value, wanted))


def _answers(test: AnswerTest, value: Any) -> bool:
    """Whether an answer passes; one that is not there passes nothing."""
    for key in test.keys:
        if isinstance(key, int) and isinstance(value, list) and key < len(value):
            value = value[key]
        elif isinstance(key, str) and isinstance(value, dict):
            value = value.get(key)
        else:
            return False
    if test.operator == "is not null":
        return value is not None
    if test.operator == "in":
        return any(_is_same(value, one) for one in test.values)
    (wanted,) = test.values
    if test.operator == "like":
        return isinstance(value, str) and bool(is_like(wanted, value))
    alike = isinstance(value, str) == isinstance(wanted, str)
    is_plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    return alike and is_plain and _AS_COMPARED[test.operator](_sign(value, wanted))


def _is_same(value: Any, wanted: Any) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, str) or isinstance(wanted, str):
        return type(value) is type(wanted) and bool(folded(value) == folded(wanted))
    return isinstance(value, int | float) and bool(value == wanted)
