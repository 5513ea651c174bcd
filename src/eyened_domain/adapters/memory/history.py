"""The history in memory: noted in the view of a transaction, and committed with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from attrs import evolve

from eyened_domain.adapters.memory.references import Key
from eyened_domain.adapters.memory.tables import Row
from eyened_domain.model.creator import Creator
from eyened_domain.model.entity import entity_classes
from eyened_domain.services.changes.author import Author, unknown_actor
from eyened_domain.services.changes.entries import (
    Change,
    Entry,
    deleted,
    in_order,
    inserted,
    replaced,
)
from eyened_domain.services.changes.record import Wanted
from eyened_domain.services.changes.recorded import is_recorded
from eyened_domain.services.changes.values import key_of_text, text_of_key, values_of

if TYPE_CHECKING:
    from eyened_domain.adapters.memory.objects import Objects
    from eyened_domain.adapters.memory.tables import View

_HISTORY, _TRANSACTIONS = "history", "transactions of the history"


class _Noted(NamedTuple):
    """An entry as it is kept."""

    entry: Entry
    transaction: int
    actor_id: int | None
    reason: str | None
    made_at: datetime


def note_since(objects: Objects, mark: int) -> None:
    """Note what the transaction has changed since a mark."""
    if objects.store.keeps_history:
        note(objects, in_order(_entries(objects.view, mark)))


def note_new(objects: Objects, rows: Iterable[Row]) -> None:
    """Note rows that were put in without objects."""
    if objects.store.keeps_history:
        note(objects, [inserted(r.entity, r.values) for r in rows if is_recorded(r.entity)])


def note(objects: Objects, entries: list[Entry]) -> None:
    """Note changes of the transaction, in their order."""
    if not entries:
        return
    view, store = objects.view, objects.store
    if view.transaction is None:
        view.transaction = store.next_id(_TRANSACTIONS)
    actor, reason, now = _actor_of(view, objects.author), objects.author.reason, datetime.now(UTC)
    for entry in entries:
        noted = _Noted(entry, view.transaction, actor, reason, now)
        view.note(_HISTORY, (store.next_id(_HISTORY),), noted)


def _entries(view: View, mark: int) -> Iterator[Entry]:
    roots = _roots()
    for (root, key), before in view.before(mark).items():
        if root not in roots:
            continue
        now = view.row(root, key)
        one = now or before
        if one is None or not is_recorded(one.entity):
            continue
        if before is None:
            yield inserted(one.entity, one.values)
        elif now is None:
            yield deleted(one.entity, before.values)
        else:
            yield from replaced(one.entity, before.values, now.values)


def _roots() -> frozenset[str]:
    return frozenset(entity.__entity__.root for entity in entity_classes())


def _actor_of(view: View, author: Author) -> int | None:
    actor = author.actor
    if actor is None or isinstance(actor, Creator):
        return None if actor is None else actor.creator_id
    creators = view.table("Creator")
    if isinstance(actor, int):
        if (actor,) in creators.rows:
            return actor
    else:
        for row in creators.holding(creator_name=actor):
            return int(row.values["creator_id"])
    raise unknown_actor(actor)


class MemoryChangeRecord:
    """The history, as the transaction of a unit of work sees it."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    @property
    def is_kept(self) -> bool:
        """Whether changes are noted here."""
        return self._objects.store.keeps_history

    def find(self, wanted: Wanted, most: int) -> list[Change]:
        """Return changes, the newest first."""
        self._objects.flush()
        found = (_change(key, one) for key, one in self._newest_first(wanted.before))
        return [one for one in found if _is_meant(one, wanted)][:most]

    def get(self, change_id: str) -> Change | None:
        """Return the change with that id."""
        self._objects.flush()
        key = _key_of(change_id)
        noted = None if key is None else self._objects.view.notes(_HISTORY).get(key)
        return None if key is None or noted is None else _change(key, noted)

    @contextmanager
    def because(self, reason: str) -> Iterator[None]:
        """Note another reason for what the block changes."""
        self._objects.flush()
        before = self._objects.author
        self._objects.author = evolve(before, reason=reason)
        try:
            yield
            self._objects.flush()
        finally:
            self._objects.author = before

    def _newest_first(self, before: str | None) -> Iterator[tuple[Key, _Noted]]:
        notes = self._objects.view.notes(_HISTORY)
        end = None if before is None else _key_of(before)
        if before is not None and end not in notes:
            return
        for key in sorted(notes, reverse=True):
            if end is None or key < end:
                yield key, notes[key]


def _key_of(change_id: str) -> Key | None:
    return (int(change_id),) if change_id.isdecimal() else None


def _change(key: Key, noted: _Noted) -> Change:
    entry = noted.entry
    return Change(
        change_id=str(key[0]),
        transaction_id=str(noted.transaction),
        entity=entry.entity,
        key=key_of_text(entry.key),
        kind=entry.kind,
        before=values_of(entry.entity, entry.before),
        after=values_of(entry.entity, entry.after),
        actor_id=noted.actor_id,
        reason=noted.reason,
        made_at=noted.made_at,
    )


def _is_meant(one: Change, wanted: Wanted) -> bool:
    return (
        (wanted.entities is None or one.entity in wanted.entities)
        and (wanted.keys is None or text_of_key(one.key) in wanted.keys)
        and (wanted.actor_ids is None or one.actor_id in wanted.actor_ids)
        and (wanted.since is None or one.made_at >= wanted.since)
        and (wanted.until is None or one.made_at < wanted.until)
        and wanted.transaction_id in {None, one.transaction_id}
    )
