"""Cohorts: searches that are kept by name, and the images that they found once."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from eyened_domain.model.database_names.cohort import CohortMemberNames, CohortNames
from eyened_domain.model.entity import Entity, entity
from eyened_domain.model.fields import (
    Column,
    DateColumn,
    Many,
    One,
    column,
    foreign_key,
    key,
    key_part,
    many,
    one,
)
from eyened_domain.model.values import Flag, Integer, Json, Moment, Text

if TYPE_CHECKING:
    from eyened_domain.model.creator import Creator

DIGEST_LENGTH = 64
"""Characters of a digest: SHA-256 as hexadecimal digits."""


@entity(unique=(("cohort_name",),), name="cohort_name", repository="cohorts")
class Cohort(CohortNames, Entity):
    """A search for images that is kept by name; a table of ours, not the contract's.

    Once it is frozen it stands for the images that it found then, which are its members.
    """

    cohort_id: Column[int] = key("CohortID", default=None)
    cohort_name: Column[str] = column("CohortName", Text(255))
    description: Column[str | None] = column("Description", Text(), default=None, nullable=True)
    creator_id: Column[int] = foreign_key("CreatorID", "Creator", default=None)
    condition: Column[Any] = column("SearchCondition", Json())
    """As `services.conditions.to_data` gives it."""
    order_by: Column[Any] = column("OrderBy", Json(), default=None, nullable=True)
    include_inactive: Column[bool] = column("IncludeInactive", Flag(), default=False)
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)
    date_frozen: DateColumn[datetime | None] = column(
        "DateFrozen", Moment(), default=None, nullable=True
    )
    digest: Column[str | None] = column("Digest", Text(DIGEST_LENGTH), default=None, nullable=True)
    """Of the members' digests in their order: two cohorts that are alike have the same."""

    creator: One[Creator] = one("Creator", "Creator", via="creator_id", default=None)
    members: Many[CohortMember] = many("Members", "CohortMember", back="cohort", default=None)

    @property
    def is_frozen(self) -> bool:
        """Whether it stands for the images that it found once."""
        return self.date_frozen is not None


@entity(repository="cohort_members")
class CohortMember(CohortMemberNames, Entity):
    """An image of a frozen cohort; it stays one when the image is deleted."""

    cohort_id: Column[int] = foreign_key(
        "CohortID", "Cohort", default=None, primary_key=True, on_delete="CASCADE"
    )
    image_instance_id: Column[int] = key_part("ImageInstanceID", Integer())
    position: Column[int] = column("Position", Integer())
    """From 0, in the order of the search."""
    digest: Column[str] = column("Digest", Text(DIGEST_LENGTH))
    """Of what the image held; see `services.cohorts`."""
    part: Column[str | None] = column("Part", Text(45), default=None, nullable=True)
    """Of a split: ``train``, ``validation``, ``test``."""

    cohort: One[Cohort] = one("Cohort", "Cohort", via="cohort_id", back="members", default=None)
