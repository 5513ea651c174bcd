"""What was put away: one entry for each time, so that it can be restored as it was."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from eyened_domain.model.database_names.trash import TrashEntryNames
from eyened_domain.model.entity import Entity, entity
from eyened_domain.model.fields import Column, DateColumn, One, column, foreign_key, key, one
from eyened_domain.model.values import Integer, Json, Moment, Text

if TYPE_CHECKING:
    from eyened_domain.model.creator import Creator

REASON_LENGTH = 255
"""Characters of a reason, at most."""


@entity(repository="trash_entries")
class TrashEntry(TrashEntryNames, Entity):
    """An object that was put away, with what hung on it; a table of ours, not the contract's.

    It holds what became inactive by that, and not what had been before. It is deleted when that is
    restored, or deleted for good.
    """

    trash_entry_id: Column[int] = key("TrashEntryID", default=None)
    entity_name: Column[str] = column("EntityName", Text(64))
    entity_id: Column[int] = column("EntityID", Integer())
    creator_id: Column[int | None] = foreign_key(
        "CreatorID", "Creator", default=None, nullable=True, on_delete="SET NULL"
    )
    reason: Column[str | None] = column("Reason", Text(REASON_LENGTH), default=None, nullable=True)
    contents: Column[dict[str, list[list[int]]]] = column("Contents", Json())
    """For the names of entities, runs of ids: first and last."""
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)

    creator: One[Creator | None] = one("Creator", "Creator", via="creator_id", default=None)
