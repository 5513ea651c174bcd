"""What no column's type has converted: parameters of SQL text, limits, literals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eyened_domain.errors import BadInput
from eyened_domain.model.values import PLAIN, plain, shown


def with_plain_parameters(
    _connection: Any,
    _cursor: Any,
    statement: str,
    parameters: Any,
    _context: Any,
    _executemany: bool,
) -> tuple[str, Any]:
    """Give the driver Python's own numbers and dates in the place of those of numpy.

    SQLite's driver would store the eight bytes of a numpy integer.
    """
    rows = parameters if isinstance(parameters, list) else (parameters,)
    if all(type(value) in PLAIN for row in rows for value in _values(row)):
        return statement, parameters
    converted = [_converted(row) for row in rows]
    return statement, converted if isinstance(parameters, list) else converted[0]


def _values(row: Any) -> Any:
    return row.values() if isinstance(row, Mapping) else row or ()


def _converted(row: Any) -> Any:
    if isinstance(row, Mapping):
        return {name: _sent(value) for name, value in row.items()}
    return tuple(_sent(value) for value in row or ())


def _sent(value: Any) -> Any:
    value = plain(value)
    if hasattr(value, "dtype"):
        raise BadInput(f"one value is needed, not the array {shown(value)}")
    return value
