"""Reading what old rows hold: values that are none read as None, so that one row spoils no other.

Older programs wrote without a strict SQL mode, or past the database's types: a date of zeros,
an enum column with no word or one that nobody knows, a JSON column with a text that is no
JSON. `eorm doctor` lists such rows. What is not assigned anew stays in its row as it is.

Each reader is called for every value that is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from enum import Enum as PythonEnum
from typing import Any

from sqlalchemy import Dialect, LargeBinary

Reader = Callable[[Any], Any]


def reader(parse: Reader) -> Reader:
    """Return a function that reads a text; None when it is none that can be parsed."""

    def read(value: Any) -> Any:
        if value is None:
            return None
        try:
            return parse(value)
        except (ValueError, TypeError):
            return None

    return read


read_date = reader(date.fromisoformat)
read_moment = reader(datetime.fromisoformat)


def read_json(text: str | bytes) -> Any:
    """Return what a JSON text says; None when it is no JSON."""
    try:
        return json.loads(text)
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


def word_reader(words: dict[str, PythonEnum]) -> Reader:
    """Return the reader of an enum column: a word that is not known, or none, is None."""
    return words.get


def on_sqlite(read: Reader) -> Callable[[Any, Dialect, Any], Reader | None]:
    """Return the `result_processor` of a type that a server's driver gives ready made."""

    def result_processor(_type: Any, dialect: Dialect, _coltype: Any) -> Reader | None:
        return read if dialect.name == "sqlite" else None

    return result_processor


class Bytes(LargeBinary):
    """BLOB, in which SQLite may hold a text."""

    result_processor = on_sqlite(read_bytes)  # type: ignore[assignment]
