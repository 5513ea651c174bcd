"""What is told of what was put away, restored or deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from attrs import asdict, frozen


@frozen(kw_only=True)
class TrashResult:
    """What became inactive, or active again."""

    entry_id: int | None
    """The entry in the trash; None where nothing was changed, or no entry told of it."""
    counts: Mapping[str, int]
    """How many, by the names of their entities; nothing in it where nothing was changed."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"entry": self.entry_id, "counts": dict(self.counts)}


@frozen(kw_only=True)
class TrashRow:
    """An entry in the trash."""

    entry_id: int
    entity: str
    entity_id: int
    creator_name: str | None
    """Who put it away, if that was told."""
    reason: str | None
    date_inserted: datetime
    counts: Mapping[str, int]
    """How many became inactive, by the names of their entities."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def counted(contents: Mapping[str, Iterable[Iterable[int]]]) -> dict[str, int]:
    """Return how many ids there are in runs, by the names of entities."""
    return {name: sum(last - first + 1 for first, last in runs) for name, runs in contents.items()}
