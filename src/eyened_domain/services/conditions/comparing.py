"""Comparisons of columns, and of what links lead to, with values that they can hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from eyened_domain.errors import BadInput
from eyened_domain.model.entity import Entity
from eyened_domain.model.values import (
    Blob,
    Day,
    Integer,
    Json,
    Kind,
    Moment,
    Real,
    Refused,
    Text,
    members,
    plain,
    shown,
)
from eyened_domain.services.conditions.language import Comparison
from eyened_domain.services.conditions.meaning import (
    Both,
    Either,
    Meaning,
    Negated,
    Operator,
    Test,
    holds_nothing,
)
from eyened_domain.services.conditions.naming import Place
from eyened_domain.services.sought_values import converted

_ORDERED: tuple[type[Any], ...] = (Text, Integer, Real, Day, Moment)
_OF_NULL = ("is null", "is not null")


def operators_of(kind: Kind) -> tuple[str, ...]:
    """Return the operators that a column of a kind takes."""
    if isinstance(kind, Json):
        return _OF_NULL
    found: tuple[str, ...] = ("==", "!=", "in", "not in", *_OF_NULL)
    if isinstance(kind, _ORDERED):
        found = (*found, "<", "<=", ">", ">=", "between")
    return (*found, "like", "not like") if isinstance(kind, Text) else found


def values_of(one: Comparison, operator: str, value: Any) -> list[Any]:
    """Return what is compared with: one value, two of ``between``, the members of a list.

    Args:
        one: the comparison, for messages.
        operator: none that says the contrary of another.
        value: as it was given.

    Raises:
        BadInput: there are more or fewer values than the operator takes.
    """
    if operator == "is not null":
        return []
    several = members(value)
    if operator == "in":
        if several is None:
            raise wrong(one, f"{one.operator} takes a list of values")
        return [plain(each) for each in several]
    if operator == "between":
        several = [plain(each) for each in several or ()]
        if len(several) != 2 or None in several:
            raise wrong(one, "between takes two values, the first and the last")
        return several
    if several is not None:
        raise wrong(one, f"{one.operator} takes one value, not several; say in")
    if value is None:
        raise wrong(one, f"{one.operator} takes a value, not None")
    return [value]


def column_test(
    owner: type[Entity], path: str, one: Comparison, operator: str, values: Sequence[Any]
) -> Meaning:
    """Return the test of a column.

    Args:
        owner: whose column it is.
        path: of the column, from the entity that is tested.
        one: the comparison, for messages.
        operator: none that says the contrary of another.
        values: what it is compared with.

    Raises:
        BadInput: the column does not take the operator, or cannot hold a value.
    """
    column = path.rpartition(".")[2]
    kind = owner.__entity__.columns[column].kind
    known = operators_of(kind)
    if operator not in known:
        raise BadInput(
            f"{one.name}: {owner.__name__}.{column} does not take {one.operator!r}, but "
            f"{', '.join(known)}",
            entity=owner.__name__,
            field=column,
        )
    if operator == "is not null":
        return Negated(holds_nothing(path))
    held = [None if each is None else _held(owner, column, operator, each) for each in values]
    if operator == "between":
        return Both((Test(path, ">=", (held[0],)), Test(path, "<=", (held[1],))))
    return Test(path, cast("Operator", "in" if operator == "==" else operator), tuple(held))


def _held(owner: type[Entity], column: str, operator: str, value: Any) -> Any:
    """Return a value as the column holds it; a pattern, and the digits of bytes, as told."""
    info = owner.__entity__
    if operator == "like":
        if not isinstance(value, str):
            raise _refused(owner, column, "a pattern is a text", value)
        return checked_text(f"{owner.__name__}.{column}", value)
    if isinstance(info.columns[column].kind, Blob) and isinstance(value, str):
        try:
            return converted(info, column, bytes.fromhex(value))
        except ValueError:
            needed = "bytes or their hexadecimal digits are needed"
            raise _refused(owner, column, needed, value) from None
    return converted(info, column, value)


def checked_text(name: str, text: str) -> str:
    """Return a text that is compared with no column of its own; see `Text` for what is refused.

    Args:
        name: of the field, for messages.
        text: a pattern, or an answer.

    Raises:
        BadInput: no database could hold it.
    """
    try:
        return Text().convert(text)
    except Refused as refused:
        raise BadInput(f"{name}: {refused}", field=name, value=shown(text)) from None


def _refused(owner: type[Entity], column: str, why: str, value: Any) -> BadInput:
    return BadInput(
        f"{owner.__name__}.{column}: {why}, not {shown(value)}",
        entity=owner.__name__,
        field=column,
        value=shown(value),
    )


def link_test(place: Place, one: Comparison, operator: str, values: Sequence[Any]) -> Meaning:
    """Return the test of a link to one: by the name of what it leads to, its id, or itself.

    Args:
        place: where the link leads.
        one: the comparison, for messages.
        operator: none that says the contrary of another.
        values: texts are names; anything else is an id, or an object.

    Raises:
        BadInput: what is linked has no name or no order, or a value is none of these.
    """
    via = ".".join(place.via)
    if operator == "is not null":
        return Negated(holds_nothing(via))
    names = [each for each in values if isinstance(each, str)]
    if names and len(names) == len(values):
        path = ".".join((*place.path, name_column(place.owner)))
        return column_test(place.owner, path, one, operator, names)
    if operator not in ("==", "in"):
        raise wrong(one, f"{place.owner.__name__} has no order; compare one of its columns")
    by_id = Test(via, "in", tuple(_identity(place, one, v) for v in values if v not in names))
    if not names:
        return by_id
    path = ".".join((*place.path, name_column(place.owner)))
    return Either((by_id, column_test(place.owner, path, one, "in", names)))


def _identity(place: Place, one: Comparison, value: Any) -> Any:
    entity = place.owner
    (key,) = entity.__entity__.primary_key
    if value is None:
        return None
    if isinstance(value, Entity):
        if not isinstance(value, entity):
            raise wrong(one, f"it leads to a {entity.__name__}, not to {shown(value)}")
        value = value.__dict__.get(key)
        if value is None:
            raise wrong(one, f"this {entity.__name__} is not stored, so nothing leads to it")
    return converted(entity.__entity__, key, value)


def name_column(entity: type[Entity]) -> str:
    """Return the column with the name of an entity; raise `BadInput` where there is none."""
    name = entity.__entity__.name_column
    if name is None:
        raise BadInput(
            f"{entity.__name__} has no name to compare; name one of its columns",
            entity=entity.__name__,
        )
    return name


def wrong(one: Comparison, why: str) -> BadInput:
    """Return the error about a comparison."""
    return BadInput(f"{one.name}: {why}", field=one.name, value=shown(one.value))
