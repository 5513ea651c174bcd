"""How names compare: as the keys of the databases do."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """Return what names are told apart by: no case, no accents, no trailing blanks.

    MySQL's default collations take 'José' and 'JOSE' for the same key. SQLite tells them
    apart; there a look-up does not find the one under the name of the other, and an import
    that names both is refused (see `spelling`).
    """
    if text.isascii():
        return text.lower().rstrip()
    parts = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(part for part in parts if not unicodedata.combining(part))
    return plain.casefold().rstrip()


def spelling(text: str) -> str:
    """Return what every database takes for the same name: ASCII letters in either case."""
    return text.lower() if text.isascii() else text
