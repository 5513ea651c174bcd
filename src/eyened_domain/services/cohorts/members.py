"""The images of a frozen cohort, and what they held when it was frozen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import Enum
from typing import Any

from attrs import frozen

from eyened_domain.model.cohort import Cohort, CohortMember
from eyened_domain.model.image import ImageInstance
from eyened_domain.services.conditions import Order, Query
from eyened_domain.services.conditions.meaning import Test
from eyened_domain.services.unit_of_work import UnitOfWork

HELD: tuple[str, ...] = (
    "image_instance_id",
    "dataset_identifier",
    "file_checksum",
    "data_hash",
    "laterality",
    "modality",
    "series.study.patient_id",
    "series.study.study_date",
    "inactive",
)
"""What a digest is made of: which file it is, its pixels, whose eye, and when."""
PORTION = 10_000
_MEMBER = ("image_instance_id", "position", "digest", "part")


@frozen(kw_only=True)
class CohortDrift:
    """How the images of a frozen cohort differ from what they were.

    Attributes:
        missing: ids of images that are gone.
        changed: ids of images of which a digest is another one: their pixels, file, eye,
            patient or date have changed, or they were put away.
        new: ids of images that the search finds today, and did not then.
        no_longer: ids of members that the search does not find today.
    """

    missing: tuple[int, ...]
    changed: tuple[int, ...]
    new: tuple[int, ...]
    no_longer: tuple[int, ...]

    @property
    def is_none(self) -> bool:
        """Whether the members are what they were; what the search finds today may differ."""
        return not (self.missing or self.changed)


@frozen
class Member:
    """A row of `CohortMember`."""

    image_instance_id: int
    position: int
    digest: str
    part: str | None


def members_of(uow: UnitOfWork, cohort: Cohort) -> list[Member]:
    """Return the members of a cohort in their order; one statement."""
    query = Query(
        columns=_MEMBER,
        meaning=Test("cohort_id", "in", (cohort.cohort_id,)),
        order=(Order("position"), Order("image_instance_id")),
    )
    return [Member(*row) for row in uow.rows.search(CohortMember, query)]


def digests_of(uow: UnitOfWork, ids: Sequence[int]) -> dict[int, str]:
    """Return a digest of what each of these images holds; a statement for ten thousand."""
    found: dict[int, str] = {}
    for start in range(0, len(ids), PORTION):
        portion = ids[start : start + PORTION]
        for row in uow.rows.find(ImageInstance, "image_instance_id", portion, HELD):
            text = json.dumps([_plain(value) for value in row])
            found[row[0]] = hashlib.sha256(text.encode()).hexdigest()
    return found


def whole_digest(digests: Iterable[str]) -> str:
    """Return the digest of digests, in their order."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def write_members(
    uow: UnitOfWork, cohort: Cohort, digests: Mapping[int, str], parts: Mapping[int, str]
) -> None:
    """Write the members of a cohort, in place of those that it had; in their order.

    Args:
        uow: a unit of work.
        cohort: stored.
        digests: of the images, by id.
        parts: of a split, by the id of the image.
    """
    uow.rows.delete_links(CohortMember, "cohort_id", [cohort.cohort_id])
    rows = [
        {
            "cohort_id": cohort.cohort_id,
            "image_instance_id": identity,
            "position": position,
            "digest": digest,
            "part": parts.get(identity),
        }
        for position, (identity, digest) in enumerate(digests.items())
    ]
    for start in range(0, len(rows), PORTION):
        uow.rows.insert_links(CohortMember, rows[start : start + PORTION])


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, date) else value
