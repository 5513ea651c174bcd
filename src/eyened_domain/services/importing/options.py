"""What an import may make, and what it does with what is there already."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import attrs
from attrs import field, frozen

from eyened_domain.errors import BadInput

C = TypeVar("C", bound=Enum)


class OnConflict(Enum):
    """What happens to a record whose image is there already (same file, same source)."""

    skip = "skip"
    """It is left out, without a look at anything else that the record says."""
    match = "match"
    """It counts as found; where the record disagrees with the database, nothing changes."""
    update = "update"
    """What the record says is written into the rows that exist."""


class OnError(Enum):
    """What happens when a record is bad."""

    stop = "stop"
    """All or nothing: with one bad record, nothing is written."""
    skip = "skip"
    """The bad records are reported, the others are written."""


def _member(enum: type[C], value: C | str) -> C:
    if isinstance(value, enum):
        return value
    try:
        return enum(value)
    except ValueError:
        known = ", ".join(str(member.value) for member in enum)
        raise BadInput(f"{enum.__name__}: {value!r} is not one of {known}") from None


def _on_conflict(value: OnConflict | str) -> OnConflict:
    return _member(OnConflict, value)


def on_error_of(value: OnError | str) -> OnError:
    """Return a member or the one that a word stands for; raise `BadInput` when there is none."""
    return _member(OnError, value)


@frozen(kw_only=True)
class ImportOptions:
    """How an import is done.

    Raises:
        BadInput: `conflict` or `on_error` is not one of its words.
    """

    create_projects: bool = False
    """Make projects that are not there."""
    create_patients: bool = False
    """Make patients that are not there."""
    create_studies: bool = False
    """Make studies that are not there."""
    create_series: bool = True
    """Make series for images that name none."""
    conflict: OnConflict = field(default=OnConflict.match, converter=_on_conflict)
    on_error: OnError = field(default=OnError.stop, converter=on_error_of)
    read_files: bool = True
    """Open every new image's file, to check it and to fill what the record does not say.

    Without it the record has to say all that is to be stored, and is believed.
    """
    source_name: str | None = None
    """Name of the `SourceInfo` of images that name none; by default the one whose
    `source_path` is IMAGES_BASEPATH."""

    def writes(self, exists: bool) -> bool:
        """Whether what records say of an image is written, new or there already."""
        return not exists or self.conflict is OnConflict.update

    def as_dict(self) -> dict[str, Any]:
        """Return the options as JSON can hold them."""
        return {
            name: value.value if isinstance(value, Enum) else value
            for name, value in attrs.asdict(self).items()
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ImportOptions:
        """Return the options that `as_dict` wrote."""
        return cls(**values)


@frozen(kw_only=True)
class ImportDefaults:
    """What the configuration says to imports."""

    study_date: date = date(1970, 1, 1)
    """DEFAULT_STUDY_DATE, for studies without a date."""
    images_basepath: Path = Path("/images")
    thumbnails_path: Path = Path("/storage/thumbnails")
