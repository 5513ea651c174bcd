"""The service: passwords that are set, checked and changed, roles, and identities elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from attrs import frozen

from eyened_domain.errors import BadInput
from eyened_domain.model.creator import Creator
from eyened_domain.model.enums import Role
from eyened_domain.model.identity import CreatorIdentity
from eyened_domain.model.names import fold
from eyened_domain.services.accounts.identities import find_identity, link_identity
from eyened_domain.services.accounts.making import check_is_person, made_model, refuse_taken, there
from eyened_domain.services.accounts.passwords import (
    can_be_password,
    matches_legacy,
    normal,
    refuse_weak,
)
from eyened_domain.services.accounts.roles import ROLES, Roles
from eyened_domain.services.accounts.throttle import Throttle, Tries
from eyened_domain.services.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from argon2 import PasswordHasher

_KEY_LENGTH = 64


@frozen(kw_only=True)
class Login:
    """What came of a try to log in."""

    creator: Creator | None
    """The person, or None."""
    tries: Tries
    """To be kept by the host, for the next try under that name."""
    wait: timedelta
    """How long the next try has to wait: sooner, it is refused without a look at the password."""


class Accounts:
    """Sets and checks passwords; what is stored of them is an Argon2id hash.

    Who logs in is told apart by nobody else: a wrong password, a name that there is not, and a
    creator without a password are the same answer, after the same work. The legacy hash of the
    older programs (PBKDF2) is taken once, and replaced.

    Args:
        hasher: of argon2-cffi; without one, with its own parameters (RFC 9106).
        roles: which role each number in `Creator.Role` stands for.
        throttle: how long who has tried wrong passwords waits.
    """

    def __init__(
        self,
        hasher: PasswordHasher | None = None,
        *,
        roles: Mapping[int, Role] = ROLES,
        throttle: Throttle | None = None,
    ) -> None:
        self._given = hasher
        self._roles = Roles(roles)
        self._throttle = throttle or Throttle()

    def add_person(
        self,
        uow: UnitOfWork,
        name: str,
        *,
        role: Role | None = None,
        password: str | None = None,
        employee_identifier: str | None = None,
    ) -> Creator:
        """Make a person; the caller commits.

        Args:
            uow: an open unit of work.
            name: that nobody has, and no model.
            role: what the person may do; nothing without one.
            password: to log in with; without one, by an identity elsewhere only.
            employee_identifier: as the clinic knows the person.

        Raises:
            Duplicate: the name is somebody's.
            BadInput: the name can be nobody's, the password is weak, or the role is none.
        """
        refuse_taken(there(uow, name))
        person = Creator(creator_name=name, is_human=True, employee_identifier=employee_identifier)
        self.set_role(person, role)
        if password is not None:
            self.set_password(person, password)
        return uow.creators.add(person)

    def add_model(
        self,
        uow: UnitOfWork,
        name: str,
        *,
        version: int | None = None,
        path: str | None = None,
        description: str | None = None,
    ) -> Creator:
        """Return the creator of a model, which is made if it is not there; the caller commits.

        So a program that runs again finds what it was. What is given must be as it is there: of
        another version, a model has another name.

        Raises:
            Duplicate: the name is a person's, or a model's of which something else is said.
            BadInput: the name can be nobody's.
        """
        return made_model(uow, name, version=version, path=path, description=description)

    def role_of(self, creator: Creator) -> Role | None:
        """Return the role of a person; None for a model, and for a number that means nothing."""
        return self._roles.of(creator)

    def set_role(self, creator: Creator, role: Role | None) -> None:
        """Give a person a role, or take it away with None; the caller commits.

        Raises:
            BadInput: it is no role, or one that this deployment has no number for.
            RuleBroken: the creator is a model.
        """
        self._roles.give(creator, role)

    def require(self, creator: Creator | None, role: Role) -> Creator:
        """Return the person, who has that role or a higher one: the check of a host.

        Args:
            creator: who is logged in; None for nobody.
            role: the lowest that will do.

        Raises:
            NotAllowed: it is nobody, a model, or a person with a lower role or none.
        """
        return self._roles.require(creator, role)

    def set_password(self, creator: Creator, password: str) -> None:
        """Give a person a password; one that was there is replaced.

        Args:
            creator: whose; the caller commits.
            password: 12 to 256 characters, at least 5 of them different, without the name.

        Raises:
            BadInput: the password is weak; the message says by which rule, and not what it is.
            RuleBroken: the creator is a model, which logs in nowhere.
        """
        check_is_person(creator, "have passwords")
        refuse_weak(creator.creator_name, password)
        creator.password_hash = self._hasher.hash(normal(password))
        creator.password = None

    def verify(self, uow: UnitOfWork, name: str, password: str) -> Creator | None:
        """Return the person with that name and password; None when they do not belong together.

        A hash of the older kind, or with fewer rounds than are usual by now, is replaced: the
        caller commits.
        """
        creator = _named(uow, name)
        if not can_be_password(password):
            return None
        if creator is not None and not creator.is_human:
            creator = None
        stored = None if creator is None else creator.password_hash
        legacy = None if creator is None or stored else creator.password
        matches = self._matches(stored or self._of_nobody, password) and stored is not None
        # where it does not match, the older kind is looked at as well, whether there is one or not
        matches = matches or (matches_legacy(legacy or bytes(32), password) and bool(legacy))
        if creator is None or not matches:
            return None
        if stored is None or self._hasher.check_needs_rehash(stored):
            creator.password_hash = self._hasher.hash(normal(password))
            creator.password = None
        return creator

    def login(self, uow: UnitOfWork, name: str, password: str, tries: Tries | None = None) -> Login:
        """Let somebody try to log in, who may have tried before.

        While there is to be waited, the password is not looked at, and a right one is refused
        as well. The host keeps the tries, by `key_of(name)`, and does so before it answers; the
        caller commits.

        Args:
            uow: an open unit of work.
            name: whose account.
            password: what is tried.
            tries: those before under that name, as the last `Login` gave them.
        """
        before = tries or Tries()
        wait = self._throttle.wait(before)
        if wait:
            return Login(creator=None, tries=before, wait=wait)
        creator = self.verify(uow, name, password)
        after = Tries() if creator is not None else self._throttle.after_wrong(before)
        return Login(creator=creator, tries=after, wait=self._throttle.wait(after))

    def key_of(self, name: object) -> str:
        """Return what tries under a name are kept by: the same for a name in another case."""
        return fold(name)[:_KEY_LENGTH] if isinstance(name, str) else ""

    def link_identity(
        self, uow: UnitOfWork, creator: Creator, issuer: str, subject: str
    ) -> CreatorIdentity:
        """Note that a person is somebody at an outside provider; the caller commits.

        A second time changes nothing; a person may be somebody at several.

        Args:
            uow: an open unit of work.
            creator: the person here.
            issuer: the provider, as it names itself (``iss`` of OpenID Connect).
            subject: the person there (``sub``); both count letter by letter.

        Raises:
            Duplicate: the identity is another creator's.
            RuleBroken: the creator is a model, which logs in nowhere.
            BadInput: issuer or subject is empty, too long, or no text.
        """
        return link_identity(uow, creator, issuer, subject)

    def by_identity(self, uow: UnitOfWork, issuer: str, subject: str) -> Creator | None:
        """Return who somebody at an outside provider is here; None for a stranger.

        The provider has checked who it is: the host verifies what it says.

        Raises:
            BadInput: issuer or subject is empty, too long, or no text.
        """
        found = find_identity(uow, issuer, subject)
        return None if found is None or not found.creator.is_human else found.creator

    def identities_of(self, uow: UnitOfWork, creator: Creator) -> list[CreatorIdentity]:
        """Return who a person is at outside providers, the oldest first."""
        return uow.identities.where(creator=creator)

    def unlink_identity(self, uow: UnitOfWork, issuer: str, subject: str) -> bool:
        """Forget who somebody at an outside provider is; the caller commits.

        Returns:
            whether it was known.
        """
        found = find_identity(uow, issuer, subject)
        if found is not None:
            uow.identities.delete(found)
        return found is not None

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
            return self._hasher.verify(stored, normal(password))
        except (VerificationError, InvalidHashError):
            return False


def _named(uow: UnitOfWork, name: object) -> Creator | None:
    """Return the creator of a name; what can be nobody's name is nobody's."""
    try:
        return uow.creators.by_name(name, default=None) if isinstance(name, str) else None
    except BadInput:
        return None
