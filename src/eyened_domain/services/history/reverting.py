"""Taking back one change, where nothing stands in the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eyened_domain.errors import Conflict, NeededBy, RuleBroken, StillNeeded
from eyened_domain.model.entity import Entity, entity_class, entity_classes, root_of
from eyened_domain.model.fields import ColumnInfo
from eyened_domain.model.values import is_same, shown
from eyened_domain.services.changes.entries import Change, ChangeKind
from eyened_domain.services.changes.recorded import recorded_columns
from eyened_domain.services.changes.values import Digest, text_of, values_of
from eyened_domain.services.unit_of_work import UnitOfWork

_PIXELS = "zarr_array_index"


def revert(uow: UnitOfWork, change: Change, reason: str | None) -> None:
    """Take back a change; see `History.revert`."""
    given = reason or uow.reason
    why = f"reverts {change.change_id}"
    with uow.history.because(f"{why}: {given}" if given else why):
        _WAYS[change.kind](uow, change)


def _put_back(uow: UnitOfWork, change: Change) -> None:
    """Let the columns hold again what they held."""
    one = _stored(uow, change)
    _refuse_lost(change)
    _refuse_changed(one, change)
    for name, value in change.before.items():
        setattr(one, name, value)


def _take_out(uow: UnitOfWork, change: Change) -> None:
    """Delete what was inserted, if it is as it was then, and nothing hangs on it."""
    one = _stored(uow, change)
    _refuse_changed(one, change)
    needed = list(_hanging_on(uow, type(one), change.key))
    if needed:
        error = StillNeeded(
            f"{_named(change)} cannot be taken out: {', '.join(map(str, needed))} hang on it; "
            "delete these first",
            entity=change.entity,
        )
        error.needed_by = tuple(needed)
        raise error
    uow.repository(type(one)).delete(one)


def _bring_back(uow: UnitOfWork, change: Change) -> None:
    """Insert what was deleted, with the id that it had."""
    entity = entity_class(change.entity)
    if uow.repository(entity).get(_identity(change), default=None) is not None:
        raise Conflict(
            f"{_named(change)} is there again, and cannot be brought back",
            entity=change.entity,
        )
    _refuse_lost(change)
    if any(column.private for column in entity.__entity__.columns.values()):
        raise RuleBroken(
            f"{_named(change)} cannot be brought back: it has columns that the history never "
            "holds; add a new one",
            entity=change.entity,
        )
    uow.repository(entity).add(entity(**change.before))


_WAYS = {
    ChangeKind.UPDATE: _put_back,
    ChangeKind.INSERT: _take_out,
    ChangeKind.DELETE: _bring_back,
}


def _stored(uow: UnitOfWork, change: Change) -> Entity:
    found: Entity | None = uow.repository(entity_class(change.entity)).get(
        _identity(change), default=None
    )
    if found is None:
        raise Conflict(
            f"{_named(change)} was deleted since; take that back first", entity=change.entity
        )
    return found


def _identity(change: Change) -> Any:
    return change.key if len(change.key) > 1 else change.key[0]


def _named(change: Change) -> str:
    return f"{change.entity} {', '.join(map(str, change.key))}"


def _refuse_lost(change: Change) -> None:
    """Raise where the history does not hold what the columns held."""
    for name, value in change.before.items():
        if isinstance(value, Digest):
            raise RuleBroken(
                f"{_named(change)}: of {name}, the history keeps a digest only (it had "
                f"{value.length:,} characters); bring it back from a backup",
                entity=change.entity,
                field=name,
            )
    if _PIXELS in change.before:
        position = change.before[_PIXELS]
        were = "there were none" if position is None else f"they were at position {position}"
        raise RuleBroken(
            f"{_named(change)}: pixels are not brought back; {were}",
            entity=change.entity,
            field=_PIXELS,
        )


def _refuse_changed(one: Entity, change: Change) -> None:
    """Raise `Conflict` where a column does not hold what the change wrote."""
    for name, written in change.after.items():
        column = one.__entity__.columns.get(name)
        if column is None:
            raise RuleBroken(f"{change.entity} has no column {name} any more", field=name)
        if not _is_as_written(column, getattr(one, name), written):
            raise _changed(change, name)
    for column in recorded_columns(type(one)) if change.kind is ChangeKind.INSERT else ():
        was_empty = column.name not in change.after and not column.set_on_insert
        if was_empty and getattr(one, column.name) is not None:
            raise _changed(change, column.name)


def _is_as_written(column: ColumnInfo, now: Any, written: Any) -> bool:
    if not isinstance(written, Digest):
        return is_same(column.kind, now, written)
    held = values_of("", text_of([column], {column.name: now}))[column.name]
    return bool(held == written)


def _changed(change: Change, name: str) -> Conflict:
    return Conflict(
        f"{_named(change)}: {name} was changed since ({change.change_id} wrote "
        f"{shown(change.after.get(name))}); take that back first",
        entity=change.entity,
        field=name,
    )


def _hanging_on(uow: UnitOfWork, entity: type[Entity], key: tuple[int, ...]) -> Iterator[NeededBy]:
    """Yield what refers to a row; one statement for each column that may."""
    if len(key) > 1:
        return
    for other in entity_classes():
        info = other.__entity__
        for column in () if info.parent else info.foreign_keys:
            if root_of(str(column.references)) != entity.__entity__.root:
                continue
            rows = uow.rows.find(other, column.name, key, info.primary_key)
            if rows:
                names = tuple(", ".join(map(str, row)) for row in rows[:3])
                yield NeededBy(other.__name__, len(rows), names)
