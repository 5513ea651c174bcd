"""The order in which subtasks wait, in the table `SubTaskWork`.

Servers that know SKIP LOCKED lock the first row that waits; the index on which the claim
stands gives it, so that no other row is locked. Elsewhere, a row is taken by an UPDATE that
finds it waiting. SQLite has one writer, who looks and takes.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any

import attrs
from sqlalchemy import (
    DateTime,
    Select,
    Table,
    and_,
    bindparam,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
    type_coerce,
    union_all,
    update,
)
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.orm import Session

from eyened_domain.adapters.sql.changed_rows import begin_writing
from eyened_domain.adapters.sql.clock import utc_now
from eyened_domain.adapters.sql.ended import DATABASE, ending_on
from eyened_domain.adapters.sql.own_tables import execute_on
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.adapters.sql.schema.facts import CLAIM_INDEX
from eyened_domain.adapters.sql.server import knows_skip_locked
from eyened_domain.model.creator import Creator
from eyened_domain.model.enums import SubTaskState
from eyened_domain.model.task import SubTask, Task
from eyened_domain.model.task_work import SubTaskWork, TaskConfiguration
from eyened_domain.services.row_shapes import Row
from eyened_domain.services.task_queue import Held, ProgressCount, QueueSeen, Waiting

_LACKS = "no record yet of how tasks are shared"
_SPREAD = 16
"""Among how many rows of one priority crowds choose where no lock is passed over."""
_MOST_TRIED = 500

work: Table = table_of(SubTaskWork)
sub_task: Table = table_of(SubTask)
task: Table = table_of(Task)
configuration: Table = table_of(TaskConfiguration)
creator: Table = table_of(Creator)

_THE_TASK = work.c.task_id == bindparam("task_id")
_IN_ORDER = (work.c.priority, work.c.position)
_WAITS = work.c.held_back == false()
_HAS_EXPIRED = type_coerce(work.c.lease_expires, DateTime()) < utc_now()  # as it is stored


def _exists(*conditions: Any) -> Any:
    return exists(select(literal_column("1")).select_from(work).where(*conditions))


_IS_CREATOR = {
    True: creator.c.creator_id == bindparam("creator"),
    False: creator.c.creator_name == bindparam("creator"),
}
"""Who is meant, by id or by name."""


def _look(is_creator: Any) -> Select[Any]:
    creator_id, creator_name = (
        select(column).where(is_creator).scalar_subquery()
        for column in (creator.c.creator_id, creator.c.creator_name)
    )
    return (
        select(
            utc_now().label("now"),
            task.c.task_name.label("task_name"),
            task.c.task_state.label("task_state"),
            configuration.c.configuration.label("configuration"),
            creator_id.label("creator_id"),
            creator_name.label("creator_name"),
            _exists(_THE_TASK, _HAS_EXPIRED).label("has_expired"),
            _exists(_THE_TASK, _WAITS, work.c.reserved_for_id == creator_id).label("has_reserved"),
        )
        .select_from(task.outerjoin(configuration, configuration.c.task_id == task.c.task_id))
        .where(task.c.task_id == bindparam("task_id"))
    )


_LOOK = {by_id: _look(is_creator) for by_id, is_creator in _IS_CREATOR.items()}
_others: Any = work.alias("others")
_REPEAT = (
    select(_others.c.sub_task_id)
    .where(
        _others.c.task_id == work.c.task_id,
        _others.c.set_number == work.c.set_number,
        _others.c.is_repeat == true(),
        work.c.is_repeat == false(),
        _others.c.reading == work.c.reading,
        _others.c.reserved_for_id.is_(None),
    )
    .limit(1)
    .correlate(work)
    .scalar_subquery()
)
_HELD = (
    utc_now().label("now"),
    _REPEAT.label("repeat_id"),
    sub_task.c.task_state.label("state"),
    sub_task.c.creator_id.label("creator_id"),
    *(work.c[name].label(name) for name in attrs.fields_dict(Held) if name in work.c),
)
_BOTH = work.join(sub_task, sub_task.c.sub_task_id == work.c.sub_task_id)
_ONE = select(*_HELD).select_from(_BOTH).where(work.c.sub_task_id == bindparam("sub_task_id"))


def _by(index: str, table: Table, statement: Select[Any]) -> Select[Any]:
    """Let servers read a table by an index, whatever they reckon.

    Where there are few rows they would read, and lock, all of them.
    """
    for dialect in ("mysql", "mariadb"):
        statement = statement.with_hint(table, f"FORCE INDEX (`{index}`)", dialect)
    return statement


def _in_turn(statement: Select[Any]) -> Select[Any]:
    """Let servers read `SubTaskWork` in the order of the claim's index, before `SubTask`."""
    for dialect in ("mysql", "mariadb"):
        statement = statement.prefix_with("STRAIGHT_JOIN", dialect=dialect)
    return _by(CLAIM_INDEX, work, _by("PRIMARY", sub_task, statement))


def _first(for_whom: Any, *columns: Any) -> Select[Any]:
    return _in_turn(
        select(*columns)
        .where(_THE_TASK, _WAITS, for_whom)
        .order_by(*_IN_ORDER)
        .limit(bindparam("most"))
    )


_FOR_WHOM = {
    True: work.c.reserved_for_id == bindparam("creator_id"),
    False: work.c.reserved_for_id.is_(None),
}
"""What waits for one grader, and what waits for anybody."""
_FIRST = {
    is_one: _first(for_whom, *_HELD).select_from(_BOTH) for is_one, for_whom in _FOR_WHOM.items()
}
_FIRST_IDS = {
    is_one: _first(for_whom, work.c.sub_task_id, work.c.priority)
    for is_one, for_whom in _FOR_WHOM.items()
}

_HAS_READ = exists(
    select(literal_column("1"))
    .select_from(_others)
    .where(
        _others.c.task_id == work.c.task_id,
        _others.c.set_number == work.c.set_number,
        _others.c.is_repeat == work.c.is_repeat,
        _others.c.grader_id == bindparam("creator_id"),
    )
    .correlate(work)
)
_READ_LAST = (
    select(_others.c.set_number)
    .where(
        _others.c.task_id == bindparam("task_id"),
        _others.c.grader_id == bindparam("creator_id"),
        _others.c.finished_at.is_not(None),
    )
    .order_by(_others.c.finished_at.desc(), _others.c.position.desc())
    .limit(1)
    .scalar_subquery()
)
_ANY_READING: Any = bindparam("any_reading")


def _may_take(for_whom: Any) -> Select[Any]:
    """Return what waits for one grader, or for anybody, and what the grader may take of it."""
    of_readings = work.c.reading.in_(bindparam("readings", expanding=True))
    was_read_last = (work.c.set_number == _READ_LAST).label("was_read_last")
    return _first(for_whom, work.c.sub_task_id, *_IN_ORDER, was_read_last).where(
        or_(true() == _ANY_READING, of_readings), ~_HAS_READ
    )


_MAY_TAKE = union_all(*(select(_may_take(for_whom).subquery()) for for_whom in _FOR_WHOM.values()))
_TAKE = (
    update(work).where(work.c.sub_task_id == bindparam("taken_id"), _WAITS).values(held_back=true())
)
_EXPIRED = (
    select(work.c.sub_task_id, work.c.grader_id, work.c.reserved_for_id)
    .where(_THE_TASK, _HAS_EXPIRED)
    .order_by(type_coerce(work.c.lease_expires, DateTime()))
    .limit(bindparam("most"))
)
_STILL_EXPIRED = _by(
    "PRIMARY",
    work,
    select(work.c.sub_task_id, work.c.grader_id, work.c.reserved_for_id)
    .where(work.c.sub_task_id.in_(bindparam("ids", expanding=True)), _HAS_EXPIRED)
    .order_by(work.c.sub_task_id),
)
_INSERT = {
    True: sqlite.insert(work).on_conflict_do_nothing(index_elements=[work.c.sub_task_id]),
    False: mysql.insert(work).on_duplicate_key_update(sub_task_id=work.c.sub_task_id),
}
_IS_OPEN = sub_task.c.task_state == SubTaskState.NotStarted
_DRIFTED = (
    select(sub_task.c.sub_task_id, work.c.sub_task_id.is_not(None))
    .select_from(sub_task.outerjoin(work, work.c.sub_task_id == sub_task.c.sub_task_id))
    .where(
        sub_task.c.task_id == bindparam("task_id"),
        or_(
            work.c.sub_task_id.is_(None),
            and_(_WAITS, sub_task.c.task_state != SubTaskState.NotStarted),
            and_(
                _WAITS,
                sub_task.c.creator_id.is_not(None),
                or_(
                    work.c.reserved_for_id.is_(None),
                    work.c.reserved_for_id != sub_task.c.creator_id,
                ),
            ),
            and_(
                work.c.held_back == true(),
                _IS_OPEN,
                or_(work.c.is_repeat == false(), work.c.reserved_for_id.is_not(None)),
            ),
        ),
    )
    .order_by(sub_task.c.sub_task_id)
)
_PROGRESS = (
    select(
        sub_task.c.task_state,
        sub_task.c.creator_id,
        creator.c.creator_name,
        func.date(work.c.finished_at),
        func.count(),
    )
    .select_from(
        sub_task.outerjoin(work, work.c.sub_task_id == sub_task.c.sub_task_id).outerjoin(
            creator, creator.c.creator_id == sub_task.c.creator_id
        )
    )
    .where(sub_task.c.task_id == bindparam("task_id"))
    .group_by(
        sub_task.c.task_state,
        sub_task.c.creator_id,
        creator.c.creator_name,
        func.date(work.c.finished_at),
    )
)


class SqlTaskQueue:
    """The subtasks that wait, on a session; see `services.task_queue.TaskQueue`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._dialect = session.get_bind().dialect

    def now(self) -> datetime:
        """Return the time by the clock of the database, in UTC."""
        found: datetime = self._execute(select(utc_now())).scalar_one()
        return found

    def look(self, task_id: int, creator: int | str) -> QueueSeen | None:
        """Return what there is to know before a claim."""
        self._begin()
        asked = _LOOK[isinstance(creator, int)]
        row = self._execute(asked, {"task_id": task_id, "creator": creator}).first()
        if row is None:
            return None
        seen = {**row._mapping}
        flags = {name: bool(seen[name]) for name in ("has_expired", "has_reserved")}
        return QueueSeen(**seen | flags)

    def lock(self, sub_task_id: int) -> Held | None:
        """Lock a subtask and its row of work."""
        self._begin()
        return self._held(_ONE.with_for_update(), {"sub_task_id": sub_task_id})

    def take_first(self, task_id: int, reserved_for: int | None) -> Held | None:
        """Lock the first subtask that waits and that nobody else has locked."""
        self._begin()
        is_one = reserved_for is not None
        sought = {"task_id": task_id} | ({"creator_id": reserved_for} if is_one else {})
        if self._passes_over_locks or self._has_one_writer:
            statement = self._locking(_FIRST[is_one])
            return self._held(statement, {**sought, "most": 1})
        rows = self._execute(_FIRST_IDS[is_one], {**sought, "most": _MOST_TRIED}).all()
        return self.take_one(_spread(rows))

    def waiting(
        self, task_id: int, creator_id: int, readings: Collection[int] | None, *, most: int
    ) -> list[Waiting]:
        """Return the first subtasks that a grader may take, in their order."""
        self._begin()
        sought = {
            "task_id": task_id,
            "creator_id": creator_id,
            "any_reading": readings is None,
            "readings": sorted(readings or ()),
            "most": most,
        }
        rows = sorted(self._execute(_MAY_TAKE, sought).all(), key=lambda row: tuple(row[1:3]))
        return [Waiting(row[0], bool(row[3])) for row in rows[:most]]

    def take_one(self, sub_task_ids: Iterable[int]) -> Held | None:
        """Lock the first of these that waits and that nobody else has locked."""
        self._begin()
        for one in sub_task_ids:
            found = self._take(one)
            if found is not None:
                return found
        return None

    def _take(self, sub_task_id: int) -> Held | None:
        if self._passes_over_locks or self._has_one_writer:
            statement = self._locking(_ONE.where(_WAITS))
        elif self._execute(_TAKE, {"taken_id": sub_task_id}).rowcount == 1:
            statement = _ONE.with_for_update()
        else:
            return None
        return self._held(statement, {"sub_task_id": sub_task_id})

    def take_expired(self, task_id: int, *, most: int) -> list[tuple[int, int | None, int | None]]:
        """Lock subtasks whose leases have expired and that nobody else has locked."""
        self._begin()
        seen = self._execute(_EXPIRED, {"task_id": task_id, "most": most}).all()
        if not seen or self._has_one_writer:
            return [tuple(row) for row in seen]
        ids = [row[0] for row in seen]  # by the primary key, no gap is locked
        return [tuple(row) for row in self._execute(self._locking(_STILL_EXPIRED), {"ids": ids})]

    def drifted(self, task_id: int) -> list[tuple[int, bool]]:
        """Return the subtasks of which this queue says something else than they do themselves."""
        self._session.flush()
        rows = self._execute(_DRIFTED, {"task_id": task_id})
        return [(row[0], bool(row[1])) for row in rows]

    def add_missing(self, rows: Sequence[Row]) -> None:
        """Insert rows, but for those that somebody else has inserted."""
        self._execute(_INSERT[self._dialect.name == "sqlite"], list(rows))

    def progress(self, task_id: int) -> list[ProgressCount]:
        """Return how many subtasks are in which state."""
        self._session.flush()
        return [
            ProgressCount(state, creator_id, name, _as_day(day), count)
            for state, creator_id, name, day, count in self._execute(
                _PROGRESS, {"task_id": task_id}
            )
        ]

    def _begin(self) -> None:
        """Store what has changed; on SQLite, become the one who writes before anything is read."""
        self._session.flush()
        begin_writing(self._session)

    def _held(self, statement: Any, sought: dict[str, Any]) -> Held | None:
        row = self._execute(statement, sought).first()
        return None if row is None else Held(**row._mapping)

    @property
    def _has_one_writer(self) -> bool:
        return self._dialect.name == "sqlite"

    @property
    def _passes_over_locks(self) -> bool:
        return knows_skip_locked(self._dialect)

    def _locking(self, statement: Select[Any]) -> Select[Any]:
        return statement.with_for_update(skip_locked=self._passes_over_locks)

    def _execute(self, statement: Any, parameters: Any = None) -> Any:
        with ending_on(self._session, *DATABASE):
            return execute_on(work, _LACKS, self._session, statement, parameters)


def _spread(rows: Sequence[Any]) -> list[int]:
    """Return the ids of rows that wait; a crowd that sees the same ones tries different ones."""
    alike = [row[0] for row in rows[:_SPREAD] if row[1] == rows[0][1]]
    random.shuffle(alike)
    return alike + [row[0] for row in rows[len(alike) :]]


def _as_day(value: Any) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value
