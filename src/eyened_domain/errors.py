"""The one tree of errors that the library raises.

Every error names what it is about: the entity, the field and the value are
attributes as well as text, so that a program can act on them. Catching
`EyenedError` catches all of them.

Which kind it is, by one rule:

- `BadInput`: what is given is refused for its own sake, whatever is stored: an argument, a
  value, a record or a file has the wrong type, form, range or name.
- `RuleBroken`: what is given would do by itself, but not with what it goes together with, or
  not as things stand: the rules of entities (`check_rules`), states, links and references.
- `FileMissing`: a file is not there; of a folder that is not mounted it is `FolderMissing`.
"""

from __future__ import annotations

from errno import ENOENT

from attrs import frozen


@frozen
class RowFault:
    """What is wrong with one of many rows that were given together."""

    row: int
    """Which one, counted from 0."""
    field: str | None
    """The field, or the column as it was given where it names something else."""
    reason: str
    value: object = None
    """What was given, when it may be shown."""


class EyenedError(Exception):
    """Anything that this library refuses or fails to do.

    Args:
        message: what happened, with what to do about it.
        entity: the name of the entity concerned, for example ``"Patient"``.
        field: the name of the field concerned, for example ``"birth_date"``.
        value: the value that was given, when it may be shown.
    """

    row_faults: tuple[RowFault, ...] = ()
    """What is wrong with which of many rows that were given together; the message shortens it."""

    def __init__(
        self,
        message: str,
        *,
        entity: str | None = None,
        field: str | None = None,
        value: object = None,
    ) -> None:
        super().__init__(message)
        self.entity = entity
        self.field = field
        self.value = value


class NotFound(EyenedError, LookupError):
    """What was asked for is not in the database."""


class Duplicate(EyenedError):
    """There is one already, or there is more than one where one was asked for."""


class RuleBroken(EyenedError, ValueError):
    """A rule of the domain forbids it: as things stand, or together with other things."""


class NotAllowed(RuleBroken):
    """Somebody may not do it: nobody is logged in, or the role is too low."""


class LeaseLost(RuleBroken):
    """What somebody has taken for a time is no longer theirs; what they did is not written."""


@frozen
class NeededBy:
    """What is in the way of a deletion or a change: things of one kind."""

    entity: str
    """The entity: ``"Segmentation"``."""
    count: int
    """How many of them there are."""
    names: tuple[str, ...]
    """The names of the first of them, or their ids where they have no name."""

    def __str__(self) -> str:
        more = ", …" if self.count > len(self.names) else ""
        return f"{self.count} {self.entity} ({', '.join(self.names)}{more})"


class StillNeeded(RuleBroken):
    """It cannot be deleted, or changed, while other things need it as it is."""

    needed_by: tuple[NeededBy, ...] = ()
    """What needs it, one for each kind."""


class BadInput(EyenedError, ValueError):
    """A value, a record or a file from outside is refused; nothing was written."""


class UnknownName(BadInput, AttributeError, TypeError):
    """An entity has no field or relation of that name."""


class FileMissing(EyenedError, FileNotFoundError):
    """A file is not there."""

    errno: int | None = ENOENT


class StorageError(EyenedError):
    """The database or a file store failed, or refused."""


class Conflict(StorageError):
    """Somebody else changed the same thing at the same time; running it again may succeed."""


class RowChanged(Conflict):
    """A row was changed or deleted by somebody else since it was read."""

    row: tuple[type, tuple[object, ...]] | None = None
    """The entity class, and the primary key."""


class PixelsLost(StorageError, FileMissing):
    """A row says that there are pixels, and their file is not there."""


class PixelsDamaged(StorageError):
    """The pixels in a file are not the ones that were stored: damaged, or somebody else's."""


class NotLoaded(StorageError):
    """A relation or a file was asked of an object that no unit of work holds any more."""


class ConfigurationError(EyenedError):
    """Something is not set, or set wrong; the message says which variable and how."""


class ConfiguredFileMissing(ConfigurationError, FileMissing):
    """A file is not there that the settings name, or that they should be in."""


class FolderMissing(ConfigurationError):
    """A folder that files belong to is not there, or empty while it should not be: not mounted."""


def deleted(one: object) -> RuleBroken:
    """Return what is raised for an object that is to be stored again after it was deleted."""
    name = type(one).__name__
    return RuleBroken(f"this {name} was deleted; make another one instead", entity=name)


def not_open() -> RuleBroken:
    """Return what is raised for a unit of work, and for what was had of it, when it is not open."""
    return RuleBroken("this unit of work is not open; use it in a `with` block")


def ended_by(error: BaseException) -> EyenedError:
    """Return what every call raises in a unit of work that an earlier error has ended.

    It is of the same kind as that error, so that a conflict stays one.
    """
    kind = type(error) if isinstance(error, EyenedError) else RuleBroken
    again = kind(
        f"an earlier error has ended this unit of work; roll it back before going on: {error}"
    )
    if isinstance(error, EyenedError):
        again.entity, again.field, again.value = error.entity, error.field, error.value
    return again
