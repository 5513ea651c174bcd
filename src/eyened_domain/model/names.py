"""How names and texts compare: in one way on every database, in memory, and in imports.

Case, accents and blanks at the end make no difference: 'Étude', 'etude' and 'ETUDE ' are the
same name. That is what the default collations of MariaDB (``utf8mb4_general_ci``,
``utf8mb4_uca1400_ai_ci``) and of MySQL 5.7 and before mean, so it is what the natural keys of
existing deployments are held to; it cannot be relaxed there, and is therefore the meaning
everywhere. Where collations differ among each other this follows the Unicode ones (``ß`` is
``ss``, a full-width ``A`` is an ``a``).
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any


def fold(text: str) -> str:
    """Return what names are told apart by: no case, no accents, no blanks at the end."""
    if text.isascii():
        return text.lower().rstrip(" ")
    return folded_letters(text).rstrip(" ")


def folded_letters(text: str) -> str:
    """Return a text without case and accents; blanks stay."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(part for part in parts if not unicodedata.combining(part))
    return plain.casefold()


def folded(value: Any) -> Any:
    """Return what two values have in common that a database takes for equal: texts are folded."""
    return fold(value) if isinstance(value, str) else value


def compare(one: str, other: str) -> int:
    """Return -1, 0 or 1, as a text comes before another, is the same, or comes after it."""
    if one.isascii() and other.isascii():  # called for every step of a look-up
        one, other = one.lower().rstrip(" "), other.lower().rstrip(" ")
    else:
        one, other = fold(one), fold(other)
    return (one > other) - (one < other)


def is_like(pattern: object, text: object, escape: str = "\\") -> bool | None:
    """Whether a text matches a pattern of SQL's LIKE, without regard to case and accents.

    Args:
        pattern: ``%`` stands for any characters, ``_`` for one.
        text: is compared as a whole; blanks at its end count.
        escape: the character before a ``%`` or ``_`` that stands for itself; a backslash
            unless told, as on the servers.

    Returns:
        None where the pattern or the text is None.
    """
    if pattern is None or text is None:
        return None
    return _matcher(str(pattern), escape).fullmatch(folded_letters(str(text))) is not None


@lru_cache(maxsize=256)
def _matcher(pattern: str, escape: str) -> re.Pattern[str]:
    parts, letters = [], iter(pattern)
    for letter in letters:
        if letter == escape:
            parts.append(re.escape(folded_letters(next(letters, letter))))
        elif letter in "%_":
            parts.append(".*" if letter == "%" else ".")
        else:
            parts.append(re.escape(folded_letters(letter)))
    return re.compile("".join(parts), re.DOTALL)


def nearest(name: object, known: Iterable[str]) -> str:
    """Return a question after the names that come near one that is unknown; "" where none does."""
    near = difflib.get_close_matches(name, list(known), n=3) if isinstance(name, str) else []
    return f"; did you mean {' or '.join(near)}?" if near else ""
