"""The history as it is read: the table `History`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from attrs import evolve
from sqlalchemy import ColumnElement, and_, or_, select

from eyened_domain.adapters.sql.ended import DATABASE, ending_on
from eyened_domain.adapters.sql.history.log import log_of
from eyened_domain.adapters.sql.own_tables import execute_on
from eyened_domain.adapters.sql.schema.bookkeeping import HISTORY_HEAD, history
from eyened_domain.services.changes.entries import Change, ChangeKind
from eyened_domain.services.changes.record import Wanted
from eyened_domain.services.changes.values import key_of_text, values_of

if TYPE_CHECKING:
    from eyened_domain.adapters.sql.session import DomainSession

_LACKS = "no history yet"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ORDER = (history.c.made_at, history.c.stream_id, history.c.number)


class SqlChangeRecord:
    """The history on a session; see `services.changes.record.ChangeRecord`."""

    def __init__(self, session: DomainSession) -> None:
        self._session = session

    @property
    def is_kept(self) -> bool:
        """Whether changes are noted here."""
        return self._session.changes.is_kept

    def find(self, wanted: Wanted, most: int) -> list[Change]:
        """Return changes, the newest first."""
        conditions = list(_conditions(wanted))
        if wanted.before is not None:
            place = self._place(wanted.before)
            if place is None:
                return []
            conditions.append(_older(place))
        statement = select(history).where(history.c.number < HISTORY_HEAD, *conditions)
        statement = statement.order_by(*(column.desc() for column in _ORDER)).limit(most)
        return [_change(row) for row in self._execute(statement)]

    def get(self, change_id: str) -> Change | None:
        """Return the change with that id."""
        place = _parts(change_id)
        if place is None:
            return None
        row = self._execute(select(history).where(*_at(place))).first()
        return None if row is None else _change(row)

    @contextmanager
    def because(self, reason: str) -> Iterator[None]:
        """Note another reason for what the block changes."""
        self._session.flush()
        log = self._session.changes
        before = log.author
        log.author = evolve(before, reason=reason)
        try:
            yield
            self._session.flush()
        finally:
            log.author = before

    def _place(self, change_id: str) -> tuple[Any, ...] | None:
        place = _parts(change_id)
        row = None if place is None else self._execute(select(*_ORDER).where(*_at(place))).first()
        return None if row is None else tuple(row)

    def _execute(self, statement: Any) -> Any:
        self._session.flush()
        log = log_of(self._session)
        with ending_on(self._session, *DATABASE):
            if log is not None:
                log.write()
            return execute_on(history, _LACKS, self._session, statement)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    columns = history.c
    found: list[ColumnElement[bool]] = []
    if wanted.entities is not None:
        found.append(columns.entity.in_(sorted(wanted.entities)))
    if wanted.keys is not None:
        found.append(columns.entity_key.in_(sorted(wanted.keys)))
    if wanted.actor_ids is not None:
        found.append(columns.actor_id.in_(sorted(wanted.actor_ids)))
    if wanted.since is not None:
        found.append(columns.made_at >= _microseconds(wanted.since))
    if wanted.until is not None:
        found.append(columns.made_at < _microseconds(wanted.until))
    if wanted.transaction_id is not None:
        place = _parts(wanted.transaction_id) or ("", 0)
        found += [columns.stream_id == place[0], columns.transaction_number == place[1]]
    return found


def _older(place: tuple[Any, ...]) -> ColumnElement[bool]:
    (moment, stream, number), (m, s, n) = place, _ORDER
    same = and_(m == moment, or_(s < stream, and_(s == stream, n < number)))
    return and_(m <= moment, or_(m < moment, same))


def _parts(identity: str) -> tuple[str, int] | None:
    """Return the stream and the number that an id says; None where it is none."""
    stream, _, number = identity.partition("-")
    return (stream, int(number)) if number.isdecimal() else None


def _at(place: tuple[str, int]) -> tuple[ColumnElement[bool], ...]:
    return (
        history.c.stream_id == place[0],
        history.c.number == place[1],
        history.c.number < HISTORY_HEAD,
    )


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _change(row: Any) -> Change:
    return Change(
        change_id=f"{row.stream_id}-{row.number}",
        transaction_id=f"{row.stream_id}-{row.transaction_number}",
        entity=row.entity,
        key=key_of_text(row.entity_key),
        kind=ChangeKind(row.kind),
        before=values_of(row.entity, row.old_values),
        after=values_of(row.entity, row.new_values),
        actor_id=row.actor_id,
        reason=row.reason,
        made_at=_EPOCH + timedelta(microseconds=row.made_at),
    )
