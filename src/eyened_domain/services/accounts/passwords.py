"""Passwords: which are weak, and how they are compared with what is stored."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata

from eyened_domain.errors import BadInput
from eyened_domain.model.names import fold

SHORTEST = 12
"""How many characters a password has at least."""
LONGEST = 256
"""How many it has at most, so that nobody is kept busy with one."""
_FEWEST_DIFFERENT = 5
_LEGACY_SALT = b"6f4b661212"
_LEGACY_ROUNDS = 10_000


def normal(password: str) -> str:
    """Return a password in the form that every keyboard's accents come to."""
    return unicodedata.normalize("NFC", password)


def can_be_password(password: object) -> bool:
    """Whether something may be compared with a password: a text, not too long, of characters."""
    return isinstance(password, str) and len(password) <= LONGEST and _is_of_characters(password)


def _is_of_characters(text: str) -> bool:
    """Whether a text can be written; halves of characters cannot."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def matches_legacy(stored: bytes, password: str) -> bool:
    """Whether a password is the one of a hash of the older kind (PBKDF2)."""
    found = hashlib.pbkdf2_hmac("sha256", password.encode(), _LEGACY_SALT, _LEGACY_ROUNDS)
    return hmac.compare_digest(found, bytes(stored))


def refuse_weak(name: str, password: object) -> None:
    """Raise `BadInput` for a weak password: it says by which rule, and not what it is.

    Args:
        name: of its person.
        password: anything.
    """
    reason = None
    if not isinstance(password, str):
        reason = "is a text"
    elif not SHORTEST <= len(normal(password)) <= LONGEST:
        reason = f"has {SHORTEST} to {LONGEST} characters"
    elif not _is_of_characters(password):
        reason = "is made of whole characters"
    elif len(set(normal(password))) < _FEWEST_DIFFERENT:
        reason = f"has at least {_FEWEST_DIFFERENT} different characters"
    elif fold(name) and fold(name) in fold(password):
        reason = "does not hold the name of its person"
    if reason is not None:
        raise BadInput(f"Creator.password: a password {reason}", entity="Creator", field="password")
