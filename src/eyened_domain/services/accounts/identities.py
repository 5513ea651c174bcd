"""Who people are at outside providers: found by issuer and subject, letter by letter."""

from __future__ import annotations

from eyened_domain.errors import BadInput, Duplicate
from eyened_domain.model.creator import Creator
from eyened_domain.model.identity import (
    ISSUER_LENGTH,
    SUBJECT_LENGTH,
    CreatorIdentity,
    fingerprint_of,
)
from eyened_domain.model.values import Refused, Text, shown
from eyened_domain.services.accounts.making import check_is_person
from eyened_domain.services.unit_of_work import UnitOfWork

_LENGTHS = {"issuer": ISSUER_LENGTH, "subject": SUBJECT_LENGTH}


def find_identity(uow: UnitOfWork, issuer: str, subject: str) -> CreatorIdentity | None:
    """Return what is known of an identity, if it is somebody's here.

    Raises:
        BadInput: issuer or subject is empty, too long, or no text.
    """
    for name, value in (("issuer", issuer), ("subject", subject)):
        _check(name, value)
    wanted = fingerprint_of(issuer, subject)
    found = uow.identities.one(fingerprint=wanted, default=None)
    # another program may have written a row of which the fingerprint says something else
    is_it = found is not None and (found.issuer, found.subject) == (issuer, subject)
    return found if is_it else None


def link_identity(uow: UnitOfWork, creator: Creator, issuer: str, subject: str) -> CreatorIdentity:
    """Note that a person is somebody at a provider; a second time changes nothing.

    Raises:
        Duplicate: the identity is another creator's.
        RuleBroken: the creator is a model, which logs in nowhere.
        BadInput: issuer or subject is empty, too long, or no text.
    """
    check_is_person(creator, "log in")
    found = find_identity(uow, issuer, subject)
    if found is None:
        return uow.identities.add(
            CreatorIdentity(
                creator=creator,
                issuer=issuer,
                subject=subject,
                fingerprint=fingerprint_of(issuer, subject),
            )
        )
    if found.creator is not creator:
        raise Duplicate(
            f"{shown(subject)} of {shown(issuer)} is Creator {found.creator.creator_name!r} here; "
            "unlink it first",
            entity="CreatorIdentity",
            field="subject",
            value=subject,
        )
    return found


def _check(name: str, value: object) -> None:
    try:
        if Text(_LENGTHS[name]).convert(value) != "":
            return
        reason = "is empty"
    except Refused as refused:
        reason = str(refused)
    raise BadInput(
        f"CreatorIdentity.{name}: {reason}",
        entity="CreatorIdentity",
        field=name,
        value=shown(value),
    )
