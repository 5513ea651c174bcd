"""Who a creator is at an outside provider: single sign-on of a clinic, or of a platform."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import TYPE_CHECKING

from eyened_domain.model.database_names.identity import CreatorIdentityNames
from eyened_domain.model.entity import Entity, entity
from eyened_domain.model.fields import Column, DateColumn, One, column, foreign_key, key, one
from eyened_domain.model.values import Moment, Text

if TYPE_CHECKING:
    from eyened_domain.model.creator import Creator

ISSUER_LENGTH = 255
"""Characters of an issuer, at most."""
SUBJECT_LENGTH = 255
"""Characters of a subject, at most: OpenID Connect allows no more."""


@entity(unique=(("fingerprint",),), repository="identities")
class CreatorIdentity(CreatorIdentityNames, Entity):
    """A person at an outside provider, who is a creator here; a table of ours, not the contract's.

    Providers tell people apart by issuer and subject, letter by letter, as names here are not
    told apart. So they are found by `fingerprint`, which `fingerprint_of` makes of the two.
    """

    creator_identity_id: Column[int] = key("CreatorIdentityID", default=None)
    creator_id: Column[int] = foreign_key("CreatorID", "Creator", default=None, on_delete="CASCADE")
    issuer: Column[str] = column("Issuer", Text(ISSUER_LENGTH))
    subject: Column[str] = column("Subject", Text(SUBJECT_LENGTH))
    fingerprint: Column[str] = column("Fingerprint", Text(64))
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)

    creator: One[Creator] = one("Creator", "Creator", via="creator_id", default=None)


def fingerprint_of(issuer: str, subject: str) -> str:
    """Return what tells an identity apart: the SHA-256 of the two texts, as hex digits."""
    return hashlib.sha256(json.dumps([issuer, subject]).encode()).hexdigest()
