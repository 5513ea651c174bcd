"""What the history holds of a row's values: JSON texts, in which long values are digests.

A text is an object of columns; a value whose own JSON is longer than `LONGEST` stands under
the name ``""`` as a list of its SHA-256 and its length, since no column has that name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date
from enum import Enum
from typing import Any

from attrs import frozen

from eyened_domain.errors import UnknownName
from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.model.fields import ColumnInfo
from eyened_domain.model.values import Blob, Refused

LONGEST = 8192
"""Characters of JSON in which a value is kept whole; of a longer one, a digest."""

_PLAIN = frozenset((int, str, float, bool, dict, list))
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


@frozen
class Digest:
    """What is kept of a long value: enough to know it again, not to bring it back."""

    sha256: str
    """Of its JSON with sorted keys and no blanks; 64 hexadecimal digits."""
    length: int
    """Characters of that JSON."""


def text_of(columns: Iterable[ColumnInfo], values: Mapping[str, Any]) -> str:
    """Return the text that is kept of a row's values.

    Args:
        columns: which of them; those that the values lack are passed over.
        values: as the entity holds them, by field name.
    """
    whole, digests = [], {}
    for column in columns:
        name = column.name
        if name not in values:
            continue
        text = encoded(written(values[name]))
        if len(text) > LONGEST:
            digests[name] = [hashlib.sha256(text.encode()).hexdigest(), len(text)]
        else:
            whole.append(f'"{name}":{text}')
    if digests:
        whole.append(f'"":{encoded(digests)}')
    return "{" + ",".join(whole) + "}"


def values_of(entity: str, text: str | None) -> dict[str, Any]:
    """Return the values that a text holds, as the entity would; `Digest` for long ones.

    What the entity does not know (any more) stays as JSON has it.
    """
    held = json.loads(text or "{}")
    digests = {name: Digest(*parts) for name, parts in held.pop("", {}).items()}
    columns = columns_of(entity)
    return {name: read_value(columns.get(name), value) for name, value in held.items()} | digests


def key_text(entity: type[Entity], values: Mapping[str, Any]) -> str:
    """Return a primary key as the history keeps it: its numbers, with commas between."""
    return text_of_key([values[name] for name in entity.__entity__.primary_key])


def text_of_key(key: Iterable[Any]) -> str:
    """Return the text of a primary key's numbers."""
    return ",".join([str(one) for one in key])


def key_of_text(text: str) -> tuple[int, ...]:
    """Return the primary key that a text says."""
    return tuple(int(part) for part in text.split(","))


def encoded(value: Any) -> str:
    """Return the JSON of a value that JSON knows, with sorted keys and no blanks."""
    return _encode(value)


def is_long(value: Any) -> bool:
    """Whether only a digest of a value is kept."""
    if isinstance(value, str) and 6 * len(value) + 2 <= LONGEST:  # six for one, as \u0000
        return False
    return len(encoded(written(value))) > LONGEST


def written(value: Any) -> Any:
    """Return a value of a column as JSON knows it."""
    if value is None or type(value) in _PLAIN:
        return value
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, date):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else value


def columns_of(entity: str) -> Mapping[str, ColumnInfo]:
    """Return the columns of an entity by field name; none where it is there no more."""
    try:
        return entity_class(entity).__entity__.columns
    except UnknownName:
        return {}


def read_value(column: ColumnInfo | None, value: Any) -> Any:
    """Return a value of a column, as JSON has it, as the entity would hold it."""
    if value is None or column is None:
        return value
    if isinstance(column.kind, Blob):
        return bytes.fromhex(value)
    try:
        return column.kind.convert(value)
    except Refused:
        return value
