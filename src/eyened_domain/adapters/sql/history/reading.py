"""Rows of the history as changes: one of a row, or as many as a block has members."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, or_, select, tuple_

from eyened_domain.adapters.sql.schema.bookkeeping import HISTORY_HEAD, history
from eyened_domain.services.changes.blocks import MARK, Member, is_block, may_hold, members_of
from eyened_domain.services.changes.entries import Change, ChangeKind
from eyened_domain.services.changes.record import Wanted
from eyened_domain.services.changes.values import key_of_text, text_of_key, values_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ORDER = (history.c.made_at, history.c.stream_id, history.c.number)
_MOST_ROWS, _MOST_BLOCKS = 1000, 20
"""How many rows are read at a time; blocks are longer."""
Execute = Callable[[Select[Any]], Any]


class ChangeId(NamedTuple):
    """What an id of a change says."""

    stream_id: str
    number: int
    member: int | None = None
    """Which of a block's changes, from 1; None for the change of one row."""


def changes_of(row: Any) -> list[Change]:
    """Return the changes that a row of the history holds, in their order."""
    if not is_block(row.entity):
        key = key_of_text(row.entity_key)
        before, after = (values_of(row.entity, one) for one in (row.old_values, row.new_values))
        return [_change(row, row.entity, "", Member(key, before, after))]
    entity = row.entity.removesuffix(MARK)
    members = members_of(entity, row.old_values, row.new_values)
    return [_change(row, entity, f"-{at}", one) for at, one in enumerate(members, 1)]


def change_at(execute: Execute, change_id: str) -> Change | None:
    """Return the change with an id."""
    place = _parts(change_id)
    row = None if place is None else execute(select(history).where(*_at(place))).first()
    found = [] if row is None else changes_of(row)
    return next((one for one in found if one.change_id == change_id), None)


def changes_found(execute: Execute, wanted: Wanted) -> Iterator[Change]:
    """Yield changes, the newest first.

    Args:
        execute: sends a statement in the unit's transaction.
        wanted: which.
    """
    conditions = list(_conditions(wanted))
    place = None
    if wanted.before is not None:
        change = _parts(wanted.before)
        row = None if change is None else execute(select(*_ORDER).where(*_at(change))).first()
        if change is None or row is None:
            return
        place = tuple(row)
        if change.member:  # the older ones of its own block
            for row in execute(select(history).where(*_at(change), *conditions)).all():
                yield from _meant(changes_of(row)[: change.member - 1], wanted)
    rows: Iterator[Any] = _paged(execute, [*conditions, *_named(wanted)], place)
    if wanted.keys is not None:
        blocks = _blocks(execute, wanted, conditions, place)
        rows = heapq.merge(rows, blocks, key=_in_order, reverse=True)
    for row in rows:
        yield from _meant(changes_of(row), wanted)


def _meant(changes: Sequence[Change], wanted: Wanted) -> Iterator[Change]:
    """Yield the changes of a row that are asked for, the newest first."""
    for one in reversed(changes):
        if (wanted.entities is None or one.entity in wanted.entities) and (
            wanted.keys is None or text_of_key(one.key) in wanted.keys
        ):
            yield one


def _paged(
    execute: Execute, conditions: Sequence[ColumnElement[bool]], place: tuple[Any, ...] | None
) -> Iterator[Any]:
    """Yield rows, the newest first, a few at the beginning and more then."""
    most = _MOST_BLOCKS
    statement = select(history).where(history.c.number < HISTORY_HEAD, *conditions)
    statement = statement.order_by(*(column.desc() for column in _ORDER))
    while True:
        older = [] if place is None else [_older(place)]
        rows = execute(statement.where(*older).limit(most)).all()
        yield from rows
        if len(rows) < most:
            return
        place, most = _in_order(rows[-1]), min(2 * most, _MOST_ROWS)


def _blocks(
    execute: Execute,
    wanted: Wanted,
    conditions: Sequence[ColumnElement[bool]],
    place: tuple[Any, ...] | None,
) -> Iterator[Any]:
    """Yield the blocks that may hold what is wanted, the newest first: by their keys' span."""
    names = [name + MARK for name in sorted(wanted.entities or ())]
    statement = select(*_ORDER, history.c.entity_key).where(history.c.entity.in_(names))
    keys = [key_of_text(one) for one in wanted.keys or ()]
    found = sorted(
        (
            tuple(row[:3])
            for row in execute(statement.where(*conditions)).all()
            if may_hold(row.entity_key, keys) and (place is None or tuple(row[:3]) < place)
        ),
        reverse=True,
    )
    for start in range(0, len(found), _MOST_BLOCKS):
        some = [one[1:] for one in found[start : start + _MOST_BLOCKS]]
        chosen = tuple_(history.c.stream_id, history.c.number).in_(some)
        yield from sorted(execute(select(history).where(chosen)).all(), key=_in_order, reverse=True)


def _in_order(row: Any) -> tuple[Any, ...]:
    return row.made_at, row.stream_id, row.number


def _named(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions on what was changed: single rows, and blocks where no key is asked."""
    columns, names = history.c, sorted(wanted.entities or ())
    if wanted.keys is not None:
        yield columns.entity_key.in_(sorted(wanted.keys))
    elif names:
        names += [name + MARK for name in names]
    if wanted.entities is not None:
        yield columns.entity.in_(names)


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions on who made a change, when, and in which transaction."""
    columns = history.c
    if wanted.actor_ids is not None:
        yield columns.actor_id.in_(sorted(wanted.actor_ids))
    if wanted.since is not None:
        yield columns.made_at >= _microseconds(wanted.since)
    if wanted.until is not None:
        yield columns.made_at < _microseconds(wanted.until)
    if wanted.transaction_id is not None:
        place = _parts(wanted.transaction_id) or ChangeId("", 0)
        yield columns.stream_id == place.stream_id
        yield columns.transaction_number == place.number


def _older(place: tuple[Any, ...]) -> ColumnElement[bool]:
    (moment, stream, number), (m, s, n) = place, _ORDER
    same = and_(m == moment, or_(s < stream, and_(s == stream, n < number)))
    return and_(m <= moment, or_(m < moment, same))


def _parts(identity: str) -> ChangeId | None:
    """Return what an id says; None where it is none."""
    stream, *numbers = identity.split("-")
    if len(numbers) not in {1, 2} or not all(one.isdecimal() for one in numbers):
        return None
    return ChangeId(stream, *map(int, numbers))


def _at(place: ChangeId) -> tuple[ColumnElement[bool], ...]:
    return (
        history.c.stream_id == place.stream_id,
        history.c.number == place.number,
        history.c.number < HISTORY_HEAD,
    )


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _change(row: Any, entity: str, behind: str, of: Member) -> Change:
    return Change(
        change_id=f"{row.stream_id}-{row.number}{behind}",
        transaction_id=f"{row.stream_id}-{row.transaction_number}",
        entity=entity,
        key=of.key,
        kind=ChangeKind(row.kind),
        before=of.before,
        after=of.after,
        actor_id=row.actor_id,
        reason=row.reason,
        made_at=_EPOCH + timedelta(microseconds=row.made_at),
    )
