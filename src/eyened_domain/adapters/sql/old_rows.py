"""Reading what old rows hold: values that are none read as None, so that one row spoils no other.

Older programs wrote without a strict SQL mode, or past the database's types: a date of zeros,
an enum column with no word or one that nobody knows, a JSON column with a text that is no
JSON. `eorm doctor` lists such rows. What is not assigned anew stays in its row as it is.

Each reader is called for every value that is read.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, DateTime, Dialect, Enum, LargeBinary
from sqlalchemy.types import TypeEngine

Reader = Callable[[Any], Any]


def reader(parse: Reader) -> Reader:
    """Return a function that reads a value; None when it is none that can be parsed."""

    def read(value: Any) -> Any:
        if value is None:
            return None
        try:
            return parse(value)
        except (ValueError, TypeError, struct.error):
            return None

    return read


read_date: Reader = reader(date.fromisoformat)
read_moment: Reader = reader(datetime.fromisoformat)


def read_json(text: Any) -> Any:
    """Return what a JSON text says; None when it is no JSON."""
    try:
        return json.loads(text)
    except TypeError:  # SQLite keeps a text that is a number as a number
        return text
    except (ValueError, RecursionError):
        return None


def is_json(text: str) -> bool:
    """Whether a text is JSON."""
    try:
        json.loads(text)
    except (ValueError, RecursionError, TypeError):
        return False
    return True


def read_bytes(value: bytes | str | None) -> bytes | None:
    """Return bytes, also of a text: SQLite lets a column hold either."""
    return value.encode() if isinstance(value, str) else value


_ON_SQLITE: tuple[tuple[type[TypeEngine[Any]], Reader], ...] = (
    (Date, read_date),
    (DateTime, read_moment),
    (LargeBinary, read_bytes),
)
"""What the drivers of servers give ready made (`streaming`)."""


def reader_of(kind: TypeEngine[Any], dialect: Dialect, coltype: object) -> Reader | None:
    """Return what reads the values of a type; None when the driver gives them as they are.

    Args:
        kind: a type of SQLAlchemy's own.
        dialect: of the database.
        coltype: what the driver says of the column.
    """
    if isinstance(kind, Enum):
        return _words_of(kind).get
    if dialect.name == "sqlite":
        for of, read in _ON_SQLITE:
            if isinstance(kind, of):
                return read
    return kind.result_processor(dialect, coltype)


def _words_of(kind: Enum) -> dict[str, Any]:
    """Return the members of an enum by what the database calls them."""
    return {word: kind._object_lookup[word] for word in kind.enums}
