"""The port of the history: what a storage gives to read it, and to note changes."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from attrs import frozen

from eyened_domain.services.changes.entries import Change


@frozen(kw_only=True)
class Wanted:
    """Which changes are asked for; None means all."""

    entities: frozenset[str] | None = None
    """The names of a class, and of its special kinds."""
    keys: frozenset[str] | None = None
    actor_ids: frozenset[int] | None = None
    since: datetime | None = None
    """In UTC, with its zone; it counts itself."""
    until: datetime | None = None
    """In UTC, with its zone; it does not count itself."""
    transaction_id: str | None = None
    before: str | None = None
    """A change; those that are older are asked for."""


class ChangeRecord(Protocol):
    """The history, as the transaction of a unit of work sees it: with what it changed itself."""

    @property
    def is_kept(self) -> bool:
        """Whether changes are noted here: not where it is switched off, or there is no table."""

    def find(self, wanted: Wanted, most: int) -> list[Change]:
        """Return changes, the newest first.

        Args:
            wanted: which.
            most: how many at the most.

        Raises:
            ConfigurationError: the storage keeps no history.
        """

    def get(self, change_id: str) -> Change | None:
        """Return the change with that id."""

    def because(self, reason: str) -> AbstractContextManager[None]:
        """Note another reason than the unit's for what the block changes, and is flushed in it."""
