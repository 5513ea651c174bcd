"""Accounts: the passwords of people, set, checked and changed."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from functools import cached_property
from typing import TYPE_CHECKING

from eyened_domain.errors import BadInput, RuleBroken
from eyened_domain.model.creator import Creator
from eyened_domain.model.names import fold
from eyened_domain.services.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST = 12
"""How many characters a password has at least."""
LONGEST = 256
"""How many it has at most, so that nobody is kept busy with one."""
_FEWEST_DIFFERENT = 5
_LEGACY_SALT = b"6f4b661212"
_LEGACY_ROUNDS = 10_000


class Accounts:
    """Sets and checks passwords; what is stored of them is an Argon2id hash.

    Who logs in is told apart by nobody else: a wrong password, a name that there is not, and a
    creator without a password are the same answer, after the same work. The legacy hash of the
    older programs (PBKDF2) is taken once, and replaced.

    Args:
        hasher: of argon2-cffi; without one, with its own parameters (RFC 9106).
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._given = hasher

    def set_password(self, creator: Creator, password: str) -> None:
        """Give a person a password; one that was there is replaced.

        Args:
            creator: whose; the caller commits.
            password: 12 to 256 characters, at least 5 of them different, without the name.

        Raises:
            BadInput: the password is weak; the message says by which rule, and not what it is.
            RuleBroken: the creator is a model, which logs in nowhere.
        """
        if not creator.is_human:
            raise RuleBroken(
                f"Creator {creator.creator_name!r} is a model; only people have passwords",
                entity="Creator",
                field="is_human",
            )
        _refuse_weak(creator.creator_name, password)
        creator.password_hash = self._hasher.hash(_normal(password))
        creator.password = None

    def verify(self, uow: UnitOfWork, name: str, password: str) -> Creator | None:
        """Return the person with that name and password; None when they do not belong together.

        A hash of the older kind, or with fewer rounds than are usual by now, is replaced: the
        caller commits.
        """
        creator = uow.creators.by_name(name, default=None) if isinstance(name, str) else None
        if not isinstance(password, str) or len(password) > LONGEST:
            return None
        if creator is not None and not creator.is_human:
            creator = None
        stored = None if creator is None else creator.password_hash
        legacy = None if creator is None or stored else creator.password
        matches = self._matches(stored or self._of_nobody, password) and stored is not None
        # where it does not match, the older kind is looked at as well, whether there is one or not
        matches = matches or (_matches_legacy(legacy or bytes(32), password) and bool(legacy))
        if creator is None or not matches:
            return None
        if stored is None or self._hasher.check_needs_rehash(stored):
            creator.password_hash = self._hasher.hash(_normal(password))
            creator.password = None
        return creator

    def change_password(self, uow: UnitOfWork, name: str, old: str, new: str) -> bool:
        """Replace a person's password by another; the caller commits.

        Returns:
            whether the old one was right; otherwise nothing was changed.

        Raises:
            BadInput: the new one is weak.
        """
        creator = self.verify(uow, name, old)
        if creator is None:
            return False
        self.set_password(creator, new)
        return True

    @cached_property
    def _hasher(self) -> PasswordHasher:
        from argon2 import PasswordHasher  # noqa: PLC0415 - loaded when somebody logs in

        return self._given or PasswordHasher()

    @cached_property
    def _of_nobody(self) -> str:
        """A hash that no password is checked against in earnest: it takes as long."""
        return self._hasher.hash("nobody's password")

    def _matches(self, stored: str, password: str) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415

        try:
            return self._hasher.verify(stored, _normal(password))
        except (VerificationError, InvalidHashError):
            return False


def _normal(password: str) -> str:
    """Return a password in the form that every keyboard's accents come to."""
    return unicodedata.normalize("NFC", password)


def _matches_legacy(stored: bytes, password: str) -> bool:
    found = hashlib.pbkdf2_hmac("sha256", password.encode(), _LEGACY_SALT, _LEGACY_ROUNDS)
    return hmac.compare_digest(found, bytes(stored))


def _refuse_weak(name: str, password: object) -> None:
    reason = None
    if not isinstance(password, str):
        reason = "is a text"
    elif not SHORTEST <= len(_normal(password)) <= LONGEST:
        reason = f"has {SHORTEST} to {LONGEST} characters"
    elif len(set(_normal(password))) < _FEWEST_DIFFERENT:
        reason = f"has at least {_FEWEST_DIFFERENT} different characters"
    elif fold(name) and fold(name) in fold(password):
        reason = "does not hold the name of its person"
    if reason is not None:
        raise BadInput(f"Creator.password: a password {reason}", entity="Creator", field="password")
