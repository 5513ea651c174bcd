"""What a flush changes: what rows held is kept before it, and compared after it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from attrs import frozen
from sqlalchemy.orm import Session, UOWTransaction
from sqlalchemy.orm.attributes import instance_state

from eyened_domain.adapters.sql.history.going_along import entries_of_rows_along
from eyened_domain.adapters.sql.history.log import log_of
from eyened_domain.adapters.sql.own_values import as_read, read_if_emptied
from eyened_domain.model.entity import Entity
from eyened_domain.services.changes.entries import Entry, deleted, in_order, inserted, replaced
from eyened_domain.services.changes.recorded import is_recorded
from eyened_domain.services.changes.values import key_text

if TYPE_CHECKING:
    from eyened_domain.adapters.sql.session import DomainSession

_BEFORE = "eyened_domain.before_flush"
Values = dict[str, Any]


@frozen
class _Before:
    """What was there before a flush.

    Attributes:
        new: objects whose rows it inserts.
        altered: objects whose rows it changes, and what these held.
        gone: rows that it deletes, by class and key.
        along: entries of what the database deletes, or changes, along with them.
    """

    new: list[Entity]
    altered: list[tuple[Entity, Values]]
    gone: dict[tuple[type[Entity], str], Values]
    along: list[Entry]


def keep_before(session: DomainSession, new: Iterable[Entity], changed: Iterable[Entity]) -> None:
    """Keep what the rows of a flush hold, after every check and before anything is sent."""
    if log_of(session) is None:
        return
    altered = [(one, _held(one)) for one in changed if is_recorded(type(one))]
    gone: dict[tuple[type[Entity], str], Values] = {}
    along: list[Entry] = []
    objects = [one for one in session.deleted if isinstance(one, Entity)]
    if objects:
        for one in objects:
            if is_recorded(type(one)):
                read_if_emptied(one)
                values = _held(one)
                gone[type(one), key_text(type(one), values)] = values
        along = entries_of_rows_along(session, objects, [one for one, _ in altered])
    fresh = [one for one in new if is_recorded(type(one))]
    session.info[_BEFORE] = _Before(fresh, altered, gone, along)


def _held(one: Entity) -> Values:
    """Return what the row of an object held when it was read, always with its key."""
    state = instance_state(one)
    key: tuple[Any, ...] = state.key[1] if state.key else ()
    return {**as_read(state), **dict(zip(one.__entity__.primary_key, key, strict=True))}


def note_changes(session: Session, _context: UOWTransaction) -> None:
    """Note what a flush has changed (an `after_flush` listener)."""
    before: _Before | None = session.info.pop(_BEFORE, None)
    log = log_of(session)
    if before is None or log is None:
        return
    entries: list[Entry] = []
    for one in before.new:
        place = before.gone.pop((type(one), key_text(type(one), one.__dict__)), None)
        if place is None:
            entries.append(inserted(type(one), one.__dict__))
        else:  # it has taken the place of a row that was to be deleted
            entries += replaced(type(one), place, one.__dict__)
    for one, held in before.altered:
        entries += replaced(type(one), held, one.__dict__)
    entries += [deleted(entity, held) for (entity, _), held in before.gone.items()]
    log.note(in_order([*entries, *before.along]))
