"""The creator that a session acts for, found when something is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.model.creator import Creator
from eyened_domain.services.changes.author import Author, unknown_actor

if TYPE_CHECKING:
    from eyened_domain.adapters.sql.history.keeper import HistoryKeeper


def id_of_actor(connection: Connection, author: Author, keeper: HistoryKeeper) -> int | None:
    """Return the id of who a session acts for; of an id, it is asked once whether it is there.

    Raises:
        NotFound: there is no such creator.
    """
    actor = author.actor
    if isinstance(actor, Creator):
        return actor.creator_id
    if actor is None or actor in keeper.actors:
        return actor
    creator = table_of(Creator).c
    meant = creator.creator_id if isinstance(actor, int) else creator.creator_name
    found: int | None = connection.scalar(select(creator.creator_id).where(meant == actor))
    if found is None:
        raise unknown_actor(actor)
    if isinstance(actor, int):
        keeper.actors.add(actor)
    return found
