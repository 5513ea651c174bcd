"""What is published when something was put away, restored or deleted."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from eyened_domain.services.events import Event


@frozen
class PutAway(Event):
    """An object was put away, with what hung on it."""

    entity: str
    entity_id: int
    counts: Mapping[str, int]
    """How many became inactive, by the names of their entities."""


@frozen
class Restored(Event):
    """An object was restored, with what had been put away with it."""

    entity: str
    entity_id: int
    counts: Mapping[str, int]
    """How many became active, by the names of their entities."""


@frozen
class Deleted(Event):
    """An object was deleted for good, with what hung on it."""

    entity: str
    ids: tuple[int, ...]
    counts: Mapping[str, int]
    """How many are gone, by the names of their entities."""
