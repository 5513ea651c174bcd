"""What the doctor finds: kinds of defects, single findings, and what was done about them."""

from __future__ import annotations

from enum import Enum, unique
from typing import Any

import attrs


@unique
class Kind(Enum):
    """What may be wrong."""

    # rows of segmentations and their pixels
    PIXELS_LOST = "pixels lost"
    POINTS_NOWHERE = "points nowhere"
    SHARED_POSITION = "two rows at one position"
    WRONG_STATE = "position is not noted as live"
    WRONG_OWNER = "position is noted for another row"
    PIXELS_DAMAGED = "pixels damaged"
    PIXELS_REPLACED = "pixels replaced by another program"
    PIXELS_ERASED = "pixels erased by another program, or file removed"
    IN_QUARANTINE = "pixels in quarantine"
    NOT_ADOPTED = "pixels without a checksum"
    # the store
    OWNER_GONE = "live position that no row points to"
    UNKNOWN_FILE = "file that nothing points to"
    GARBAGE = "garbage"
    METADATA_MISSING = "zarr.json missing"
    METADATA_DAMAGED = "zarr.json damaged"
    METADATA_SHORT = "zarr.json too short"
    FOREIGN_STORE = "store of another database"
    STORE_WITHOUT_OWNER = "store that does not say whose it is"
    # image files and thumbnails
    IMAGE_MISSING = "image file missing"
    IMAGE_UNREADABLE = "image cannot be read"
    CHECKSUM_DIFFERS = "file checksum differs"
    DATA_HASH_DIFFERS = "data hash differs"
    THUMBNAIL_MISSING = "thumbnail missing"
    THUMBNAIL_UNKNOWN = "thumbnail that nothing points to"
    # what the contract forbids in the database
    OWNERS_OF_VALUE = "attribute value without exactly one owner"
    VALUE_OF_ANOTHER_TYPE = "attribute value of another type"
    GRID = "segmentation that breaks a rule"
    REFERENCE = "reference segmentation that is none"
    MODALITY = "modality and modality id disagree"
    FEATURE_WITHIN_ITSELF = "feature within itself"
    LINEAGE = "patient, study and image that do not belong together"
    OLD_LOG = "log of units of work is long"
    HISTORY_ALTERED = "entry of the history that was altered or forged"
    HISTORY_MISSING = "entries of the history that are gone"
    # what older programs could write, and no column means
    NOT_A_DATE = "date that is none"
    NOT_JSON = "text that is no JSON"
    UNKNOWN_WORD = "word that its list does not have"
    EMPTY_WORD = "empty text for no word"
    NOT_A_FLAG = "flag that is neither 0 nor 1"
    NOT_OF_ITS_TYPE = "value that is not of its column's type"
    WITHOUT_TRANSACTIONS = "table without transactions"


NOTES = frozenset(
    {
        Kind.NOT_ADOPTED,
        Kind.PIXELS_REPLACED,
        Kind.GARBAGE,
        Kind.STORE_WITHOUT_OWNER,
        Kind.THUMBNAIL_UNKNOWN,
        Kind.OLD_LOG,
        Kind.EMPTY_WORD,
    }
)
"""What is no defect: it is told, and does not make the exit code 1."""


@attrs.frozen
class Finding:
    """One thing that is wrong, or worth telling.

    Attributes:
        kind: what it is.
        message: what was found, for people.
        entity: the entity or table concerned.
        identity: the primary key of its row.
        path: the file or array concerned, beneath its store.
        position: on axis 0 of the array.
        fix: what ``--fix`` does about it; None when it needs a person or a backup.
        detail: what the adapter needs to repair it; not shown.
    """

    kind: Kind
    message: str
    entity: str | None = None
    identity: int | None = None
    path: str | None = None
    position: int | None = None
    fix: str | None = None
    detail: Any = attrs.field(default=None, eq=False, repr=False)

    @property
    def is_note(self) -> bool:
        """Whether it is no defect."""
        return self.kind in NOTES

    @property
    def subject(self) -> tuple[Kind, str | None, int | None, str | None, int | None]:
        """What the finding is about, whatever its words."""
        return (self.kind, self.entity, self.identity, self.path, self.position)

    def as_dict(self) -> dict[str, Any]:
        """Return the finding for other programs."""
        return {
            "kind": self.kind.name.lower(),
            "severity": "note" if self.is_note else "defect",
            "message": self.message,
            "entity": self.entity,
            "id": self.identity,
            "path": self.path,
            "position": self.position,
            "fix": self.fix,
        }


@attrs.frozen
class Repair:
    """Something that was done.

    Attributes:
        finding: what it was done about.
        done: what was done, for people; None when it failed.
        error: why it failed.
    """

    finding: Finding
    done: str | None
    error: str | None = None
