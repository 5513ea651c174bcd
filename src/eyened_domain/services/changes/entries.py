"""Changes of rows: as they are noted, and as they are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum, unique
from functools import cache
from typing import Any, NamedTuple

from attrs import field, frozen

from eyened_domain.model.entity import Entity, EntityInfo, entity_classes
from eyened_domain.model.fields import ColumnInfo
from eyened_domain.model.values import is_same
from eyened_domain.services.changes.recorded import recorded_columns
from eyened_domain.services.changes.values import key_text, text_of


@unique
class ChangeKind(Enum):
    """What was done to a row."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


@frozen(kw_only=True)
class Change:
    """One row that was changed: what, by whom, when, from what to what."""

    change_id: str
    """What it is known by."""
    transaction_id: str
    """What all changes of one transaction have in common."""
    entity: str
    """The name of its class: ``"FormAnnotation"``."""
    key: tuple[int, ...]
    """Its primary key."""
    kind: ChangeKind
    before: Mapping[str, Any] = field(repr=False)
    """The columns that were changed, or deleted, and what they held; `Digest` for long values."""
    after: Mapping[str, Any] = field(repr=False)
    """The columns that were changed, or inserted, and what they hold since."""
    actor_id: int | None
    """CreatorID of who did it; None where the unit of work did not say."""
    reason: str | None
    made_at: datetime
    """In UTC."""


class Entry(NamedTuple):
    """A change that is to be written."""

    entity: str
    key: str
    kind: ChangeKind
    before: str | None
    after: str | None


def inserted(entity: type[Entity], values: Mapping[str, Any]) -> Entry:
    """Return the entry of a new row.

    Args:
        entity: its class.
        values: of its columns, by field name; empty ones, and moments that the storage fills in,
            are left out.
    """
    columns = [
        one
        for one in recorded_columns(entity)
        if not one.set_on_insert and values.get(one.name) is not None
    ]
    text = text_of(columns, values)
    return Entry(entity.__name__, key_text(entity, values), ChangeKind.INSERT, None, text)


def deleted(entity: type[Entity], values: Mapping[str, Any]) -> Entry:
    """Return the entry of a row that is gone; empty columns are left out."""
    columns = [one for one in recorded_columns(entity) if values.get(one.name) is not None]
    text = text_of(columns, values)
    return Entry(entity.__name__, key_text(entity, values), ChangeKind.DELETE, text, None)


def updated(
    entity: type[Entity], key: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Entry | None:
    """Return the entry of a row that was changed; None where it holds what it held.

    Args:
        entity: its class.
        key: its primary key; see `key_text`.
        before: columns, and what they held.
        after: the same columns, and what they hold now.
    """
    columns = differing(entity, before, after)
    if not columns:
        return None
    texts = text_of(columns, before), text_of(columns, after)
    return Entry(entity.__name__, key, ChangeKind.UPDATE, *texts)


def differing(
    entity: type[Entity], before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[ColumnInfo]:
    """Return the recorded columns that both have, and that do not hold the same."""
    return [
        column
        for column in recorded_columns(entity)
        if (name := column.name) in before
        and name in after
        and before[name] is not after[name]
        and not is_same(column.kind, before[name], after[name])
    ]


def replaced(
    entity: type[Entity], before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[Entry]:
    """Return the entries of a row that was changed; with another key, it is another row."""
    primary_key = entity.__entity__.primary_key
    if any(before[name] != after.get(name, before[name]) for name in primary_key):
        return [deleted(entity, before), inserted(entity, after)]
    entry = updated(entity, key_text(entity, before), before, after)
    return [] if entry is None else [entry]


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Return entries in the order in which they can be carried out: what is new comes first.

    Rows come behind those that they hang on, and go before them.
    """
    return sorted(entries, key=_turn)


def _turn(entry: Entry) -> tuple[int, int]:
    place = _places()[entry.entity]
    is_gone = entry.kind is ChangeKind.DELETE
    return _RANK[entry.kind], -place if is_gone else place


_RANK = {kind: rank for rank, kind in enumerate(ChangeKind)}


@cache
def _places() -> dict[str, int]:
    """Return where each class stands behind those that its columns refer to."""
    places: dict[str, int] = {}
    waiting = [entity.__entity__ for entity in entity_classes()]
    while waiting:
        names = {info.name for info in waiting}
        free = [one for one in waiting if not _parents(one) & names - {one.name}] or waiting
        places |= {info.name: len(places) + at for at, info in enumerate(free)}
        waiting = [one for one in waiting if one.name not in places]
    return places


def _parents(info: EntityInfo) -> set[str]:
    return {str(column.references) for column in info.foreign_keys}
