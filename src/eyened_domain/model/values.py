"""The kinds of values that a column holds: what is accepted, and what it becomes.

Each kind turns what people write (an enum's name, an ISO date, a numpy number) into
the value that the entity holds, at once, and refuses what no storage could keep:
texts that are too long, NaN, dates that MySQL has no room for.
"""

from __future__ import annotations

import math
import re
import struct
from contextlib import suppress
from datetime import date, datetime
from enum import Enum
from typing import Any, Protocol

from attrs import frozen

_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_DIGITS = re.compile("0|-?[1-9][0-9]{0,9}", re.ASCII)
_INT32 = 2**31
_FLOAT32_MAX = 3.4028234663852886e38
_FLOAT32_NORMAL = 1e-37  # below, single precision has fewer digits
_COARSEST = 1e-5  # of a number is more than six digits, or single precision, lose of it
_FIRST_YEAR = 1000  # the range of MySQL's DATE


class Refused(ValueError):
    """A kind does not accept a value; `Entity` turns it into `BadInput` with its field."""


class Kind(Protocol):
    """What a column holds."""

    def convert(self, value: Any) -> Any:
        """Return the value to hold, or raise `Refused` saying what is accepted."""


PLAIN = frozenset(
    (str, int, float, bool, bytes, memoryview, date, datetime, type(None), list, dict, tuple)
)
"""The types of values that `plain` returns as they are."""
_MISSING = frozenset(("NaTType", "NAType"))


def plain(value: Any) -> Any:
    """Return a value of numpy or pandas as Python's own; NaT and NA become None.

    Anything else is returned as it is. Neither library is imported for it.
    """
    kind = type(value)
    if kind in PLAIN:
        return value
    origin = kind.__module__.partition(".")[0]
    if origin == "pandas" and kind.__name__ in _MISSING:
        return None
    if origin == "pandas" and isinstance(value, datetime):
        return datetime.combine(value.date(), value.time(), value.tzinfo)
    if origin == "numpy" and getattr(value, "shape", None) == ():
        if kind.__name__ == "datetime64":
            return value.astype("datetime64[us]").item()
        return value.item()
    return value


def members(value: Any) -> list[Any] | None:
    """Return the members of a list, set, array or column of a frame; None for anything else."""
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    origin = type(value).__module__.partition(".")[0]
    if origin in {"numpy", "pandas", "polars"} and getattr(value, "shape", ()) != ():
        return list(value)
    return None


def shown(value: object) -> str:
    """A value as it may stand in a message: its repr, cut to 80 characters."""
    try:
        text = repr(value[:80]) if isinstance(value, str | bytes) else repr(value)
    except Exception:  # noqa: BLE001 - a stranger's repr, within an error of ours
        return kind_of(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def kind_of(value: object) -> str:
    """What a value is, where it may not stand in a message itself: "a dict"."""
    if value is None:
        return "None"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


@frozen
class Text:
    """A text of at most `length` characters (VARCHAR), or of 65,535 bytes (TEXT)."""

    length: int | None = None

    def convert(self, value: Any) -> str:
        """Accept a str that fits and has no control characters but tab and line ends."""
        if not isinstance(value, str):
            raise Refused(f"a text is needed, not {shown(value)}")
        if self.length is not None and len(value) > self.length:
            raise Refused(f"{len(value):,} characters, at most {self.length} fit: {shown(value)}")
        if self.length is None and len(value) > 65_535 // 4 and len(value.encode()) > 65_535:
            raise Refused(f"{len(value):,} characters, at most 65,535 bytes fit: {shown(value)}")
        found = _NOT_TEXT.search(value)
        if found:
            raise Refused(f"control character {found.group()!r} in {shown(value)}")
        return str(value)


@frozen
class Integer:
    """A whole number of 32 bits, signed (INTEGER)."""

    def convert(self, value: Any) -> int:
        """Accept an int or a numpy integer, and a float that is whole."""
        number = value if type(value) is int else _whole(value)
        if not -_INT32 <= number < _INT32:
            raise Refused(f"{shown(value)} does not fit in 32 bits")
        return number


def _whole(value: Any) -> int:
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if hasattr(value, "__index__"):
        with suppress(TypeError):  # an array has it, and is none
            return int(value.__index__())
    raise Refused(f"a whole number is needed, not {shown(value)}")


def sought(kind: Kind, value: Any) -> Any:
    """Return what a value that is looked for in a column is, as the column holds it.

    It is what the kind makes of it; a number may come as its digits, as ids do that were read
    from a text: "12", not "012" or "12abc".

    Raises:
        Refused: the column cannot hold it.
    """
    if isinstance(kind, Integer) and isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    return kind.convert(value)


@frozen
class Real:
    """A finite number, of single precision (FLOAT) or double.

    One of single precision is held as the shortest decimal number that is the same in it: 0.1
    stays 0.1, and 1/3 becomes 0.33333334, which is what every database gives back.
    """

    double: bool = False
    """Whether it is of double precision; where a database has not, it is single there."""

    def convert(self, value: Any) -> float:
        """Accept a number that is finite and within the precision."""
        if isinstance(value, str | bytes) or not hasattr(value, "__float__"):
            raise Refused(f"a number is needed, not {shown(value)}")
        try:
            number = float(value)
        except TypeError:  # an array
            raise Refused(f"a number is needed, not {shown(value)}") from None
        except OverflowError:
            number = math.inf
        if self.double:
            if not math.isfinite(number):
                raise Refused(f"a finite number is needed, not {shown(value)}")
            return number
        if not math.isfinite(number) or abs(number) > _FLOAT32_MAX:
            raise Refused(f"a finite number of single precision is needed, not {shown(value)}")
        return shortest(number)


_FLOAT32 = struct.Struct("f")


def single(number: float) -> float:
    """Return a number as single precision holds it, exactly; raise `Refused` beyond its range."""
    try:
        (held,) = _FLOAT32.unpack(_FLOAT32.pack(number))
    except OverflowError:
        raise Refused(f"{shown(number)} is beyond single precision") from None
    return float(held)


def shortest(number: float) -> float:
    """Return the shortest decimal number that is the same in single precision."""
    held = single(number)
    for digits in (6, 7, 8):
        short = float(f"{held:.{digits}g}")
        if abs(short) <= _FLOAT32_MAX and single(short) == held:
            return short
    return float(f"{held:.9g}")


@frozen
class Flag:
    """Yes or no (BOOL)."""

    def convert(self, value: Any) -> bool:
        """Accept True and False, and 1 and 0 of any number type."""
        try:
            if value in (0, 1):
                return bool(value)
        except (TypeError, ValueError):
            pass
        raise Refused(f"True or False is needed, not {shown(value)}")


@frozen
class Day:
    """A calendar date from the year 1000 on (DATE)."""

    def convert(self, value: Any) -> date:
        """Accept a date, a datetime at midnight, or an ISO string such as 2024-01-31."""
        if isinstance(value, str):
            value = _parsed(date, value)
        if isinstance(value, datetime):
            if value.time() != value.time().min:
                raise Refused(f"a date is needed, not the time {shown(value)}")
            value = value.date()
        if not isinstance(value, date):
            raise Refused(f"a date or an ISO string is needed, not {shown(value)}")
        if value.year < _FIRST_YEAR:
            raise Refused(f"the date {value.isoformat()} is before the year {_FIRST_YEAR}")
        return value


@frozen
class Moment:
    """A date and time without zone, in whole seconds (DATETIME)."""

    def convert(self, value: Any) -> datetime:
        """Accept a naive datetime, a date, or an ISO string; fractions of a second are cut."""
        if isinstance(value, str):
            value = _parsed(datetime, value)
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day)
        if not isinstance(value, datetime):
            raise Refused(f"a datetime or an ISO string is needed, not {shown(value)}")
        if value.tzinfo is not None:
            raise Refused(f"{shown(value)} has a time zone, the column has none: convert it first")
        if value.year < _FIRST_YEAR:
            raise Refused(f"the time {value.isoformat()} is before the year {_FIRST_YEAR}")
        return value.replace(microsecond=0) if value.microsecond else value


def _parsed(kind: type[date], text: str) -> date:
    try:
        return kind.fromisoformat(text)
    except ValueError as error:
        raise Refused(f"{shown(text)} is no {kind.__name__} in ISO form ({error})") from None


@frozen
class Choice:
    """A member of an enumeration (ENUM)."""

    enum: type[Enum]

    def convert(self, value: Any) -> Enum:
        """Accept a member or the name of one."""
        if isinstance(value, self.enum):
            return value
        if isinstance(value, str) and value in self.enum.__members__:
            return self.enum[value]
        names = ", ".join(self.enum.__members__)
        raise Refused(f"{shown(value)} is no {self.enum.__name__}; it is one of {names}")


@frozen
class Json:
    """Anything that JSON can say (JSON): dict, list, text, numbers, bool, None."""

    def convert(self, value: Any) -> Any:
        """Accept nested dicts with text keys, lists and plain values; tuples become lists.

        What is held is a copy: two objects never share a value that can be edited in place.
        """
        return json_value(value)


JSON_DEEPEST = 31
"""How many lists and objects may be within each other: MariaDB takes no more for JSON."""


def json_value(value: Any, *, within: int = 0) -> Any:
    """Return the value as JSON holds it; raise `Refused` where JSON has no word for it.

    Args:
        value: anything.
        within: how many lists and objects it is in.
    """
    if value is None or type(value) in (bool, int, str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Refused(f"JSON has no {value!r}")
        return float(value)
    if isinstance(value, dict):
        return _json_object(value, within + 1)
    if isinstance(value, list | tuple):
        return _json_array(value, within + 1)
    if isinstance(value, str | int):
        return value
    raise Refused(f"JSON has no {type(value).__name__}: {shown(value)}")


def _json_object(value: dict[Any, Any], within: int) -> dict[str, Any]:
    _check_depth(within)
    for key in value:
        if not isinstance(key, str):
            raise Refused(f"a JSON object has texts as keys, not {shown(key)}")
    return {key: json_value(item, within=within) for key, item in value.items()}


def _json_array(value: list[Any] | tuple[Any, ...], within: int) -> list[Any]:
    _check_depth(within)
    return [json_value(item, within=within) for item in value]


def _check_depth(within: int) -> None:
    if within > JSON_DEEPEST:
        raise Refused(f"JSON nested more than {JSON_DEEPEST} deep, which not every database takes")


def is_same_json(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON; 1, 1.0 and True are not."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same_json(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same_json, one, other))
    return type(one) is type(other) and bool(one == other)


@frozen
class Blob:
    """Raw bytes, at most `length` of them (BINARY, TINYBLOB, LONGBLOB)."""

    length: int

    def convert(self, value: Any) -> bytes:
        """Accept bytes that fit."""
        if not isinstance(value, bytes | bytearray | memoryview):
            raise Refused(f"bytes are needed, not {type(value).__name__}")
        data = bytes(value)
        if len(data) > self.length:
            raise Refused(f"{len(data):,} bytes, at most {self.length:,} fit")
        return data


def is_same(kind: Kind, one: Any, other: Any) -> bool:
    """Whether two values of a column are the same to the database.

    Single precision, and zero bytes that fill a BINARY column up, make no difference; nor does
    a FLOAT of which MySQL has shown six digits.
    """
    if one is None or other is None:
        return one is other
    if isinstance(kind, Json):
        return is_same_json(one, other)
    if isinstance(kind, Real):
        return _is_same_real(kind, one, other)
    if isinstance(kind, Blob):
        return bool(one.rstrip(b"\0") == other.rstrip(b"\0"))
    return bool(one == other)


def _is_same_real(kind: Real, one: float, other: float) -> bool:
    if one == other:
        return True
    larger = max(abs(one), abs(other))
    if larger > _FLOAT32_NORMAL and abs(one - other) > _COARSEST * larger:
        return False  # what follows takes long, and most values that differ are far apart
    if one == float(f"{other:.6g}"):
        return True
    try:
        held = single(one)
        # one of double precision may have been written to a database that holds it in single
        return shortest(held) == other if kind.double else held == single(other)
    except Refused:
        return False
