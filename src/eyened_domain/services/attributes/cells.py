"""The cells of a frame as values of an attribute: their type told, each checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from eyened_domain.errors import BadInput
from eyened_domain.model.attribute import VALUE_COLUMNS, AttributeValue
from eyened_domain.model.enums import AttributeDataType
from eyened_domain.model.values import Refused
from eyened_domain.services.attributes.rows_told import bad_rows

_NUMBERS = (int, float, Decimal)
_NESTED = (dict, list, tuple)
_ACCEPTED: dict[AttributeDataType, tuple[type, ...]] = {
    AttributeDataType.Float: _NUMBERS,
    AttributeDataType.Int: _NUMBERS,
    AttributeDataType.String: (str,),
    AttributeDataType.JSON: (*_NESTED, str, int, float, bool),
}
_MEANS = {
    AttributeDataType.Float: "numbers",
    AttributeDataType.Int: "whole numbers",
    AttributeDataType.String: "texts",
    AttributeDataType.JSON: "what JSON can say",
}
_EXACT = 2**53
"""Whole numbers up to here are the same as floats."""


def infer_type(column: str, cells: Sequence[Any]) -> AttributeDataType:
    """Return the type of attribute that holds the cells of a column; None is no value.

    Raises:
        BadInput: they are of several types, of one that no attribute has, or all empty.
    """
    types = {type(cell) for cell in cells} - {type(None)}
    if not types:
        raise BadInput(
            f"column {column}: all its cells are empty, which does not tell the type of a new "
            "attribute; define it first, or leave the column out",
            entity="AttributeDefinition",
            field=column,
        )
    if types == {int}:
        return AttributeDataType.Int
    for data_type, some in (
        (AttributeDataType.Float, _NUMBERS),
        (AttributeDataType.String, (str,)),
        (AttributeDataType.JSON, _NESTED),
    ):
        if types <= set(some):
            return data_type
    first = {type(cell): (number, cell) for number, cell in reversed([*enumerate(cells)])}
    rows = sorted((first[kind] for kind in types), key=lambda one: one[0])
    if len(types) > 1:
        names = " and ".join(sorted(kind.__name__ for kind in types))
        raise bad_rows(column, f"mixes {names}", rows, entity="AttributeDefinition")
    raise bad_rows(
        column,
        "attributes hold numbers, texts or JSON",
        rows,
        entity="AttributeDefinition",
        advice=_advice(rows[0][1]),
    )


def _advice(cell: Any) -> str:
    if isinstance(cell, bool):
        return "give 1 and 0, or define the attribute as JSON"
    if isinstance(cell, date | time | timedelta):
        return "give texts in ISO form"
    return ""


def checked_cells(column: str, cells: Sequence[Any], data_type: AttributeDataType) -> list[Any]:
    """Return the cells of a column as an attribute of this type holds them; None is no value.

    Raises:
        BadInput: some are of another type, or cannot be held; the first rows are named.
    """
    accepted = _ACCEPTED[data_type]
    types = {type(cell) for cell in cells} - {type(None)}
    strange = types.difference(accepted)
    if strange:
        rows = [(n, cell) for n, cell in enumerate(cells) if type(cell) in strange]
        raise bad_rows(
            column,
            f"the attribute is of type {data_type.name} and takes {_MEANS[data_type]}",
            rows,
            entity="AttributeValue",
            advice=_advice(rows[0][1]) if isinstance(rows[0][1], date | time) else "",
        )
    convert = _converter(data_type)
    found, refused, why = [], [], ""
    for number, cell in enumerate(cells):
        try:
            found.append(None if cell is None else convert(cell))
        except Refused as error:
            refused.append((number, cell))
            why = why or str(error)
    if refused:
        raise bad_rows(
            column,
            f"the attribute is of type {data_type.name}: {why}",
            refused,
            entity="AttributeValue",
        )
    return found


def _converter(data_type: AttributeDataType) -> Callable[[Any], Any]:
    kind = AttributeValue.__entity__.columns[VALUE_COLUMNS[data_type]].kind
    if data_type is AttributeDataType.Float:
        return lambda cell: kind.convert(_exact(cell))
    if data_type is AttributeDataType.Int:
        return lambda cell: kind.convert(_whole(cell))
    convert: Callable[[Any], Any] = kind.convert
    return convert


def _exact(cell: Any) -> Any:
    if type(cell) is int and not -_EXACT <= cell <= _EXACT:
        raise Refused(f"{cell} has more digits than a number of type Float holds")
    return cell


def _whole(cell: Any) -> Any:
    if isinstance(cell, Decimal) and cell.is_finite() and cell == cell.to_integral_value():
        return int(cell)
    if isinstance(cell, float) and not math.isfinite(cell):
        raise Refused(f"a whole number is needed, not {cell}")
    return cell
