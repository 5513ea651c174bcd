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

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from eyened_domain.adapters.sql import task_statements as statements
from eyened_domain.adapters.sql.changed_rows import begin_writing
from eyened_domain.adapters.sql.clock import utc_now
from eyened_domain.adapters.sql.ended import DATABASE, ending_on
from eyened_domain.adapters.sql.own_tables import execute_on
from eyened_domain.adapters.sql.server import knows_skip_locked
from eyened_domain.services.row_shapes import Row
from eyened_domain.services.task_queue import Held, ProgressCount, QueueSeen, Waiting

_LACKS = "no record yet of how tasks are shared"
_SPREAD = 16
"""Among how many rows of one priority crowds choose where no lock is passed over."""
_MOST_TRIED = 500


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
        asked = statements.LOOK[isinstance(creator, int)]
        row = self._execute(asked, {"task_id": task_id, "creator": creator}).first()
        if row is None:
            return None
        seen = {**row._mapping}
        flags = {name: bool(seen[name]) for name in ("has_expired", "has_reserved")}
        return QueueSeen(**seen | flags)

    def lock(self, sub_task_id: int) -> Held | None:
        """Lock a subtask and its row of work."""
        self._begin()
        return self._held(statements.ONE.with_for_update(), {"sub_task_id": sub_task_id})

    def take_first(self, task_id: int, reserved_for: int | None) -> Held | None:
        """Lock the first subtask that waits and that nobody else has locked."""
        self._begin()
        is_one = reserved_for is not None
        sought = {"task_id": task_id} | ({"creator_id": reserved_for} if is_one else {})
        if self._passes_over_locks or self._has_one_writer:
            statement = self._locking(statements.FIRST[is_one])
            return self._held(statement, {**sought, "most": 1})
        rows = self._execute(statements.FIRST_IDS[is_one], {**sought, "most": _MOST_TRIED}).all()
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
        found = self._execute(statements.MAY_TAKE, sought).all()
        rows = sorted(found, key=lambda row: tuple(row[1:3]))
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
            statement = self._locking(statements.ONE.where(statements.WAITS))
        elif self._execute(statements.TAKE, {"taken_id": sub_task_id}).rowcount == 1:
            statement = statements.ONE.with_for_update()
        else:
            return None
        return self._held(statement, {"sub_task_id": sub_task_id})

    def take_expired(self, task_id: int, *, most: int) -> list[tuple[int, int | None, int | None]]:
        """Lock subtasks whose leases have expired and that nobody else has locked."""
        self._begin()
        seen = self._execute(statements.EXPIRED, {"task_id": task_id, "most": most}).all()
        if not seen or self._has_one_writer:
            return [tuple(row) for row in seen]
        ids = [row[0] for row in seen]  # by the primary key, no gap is locked
        locked = self._execute(self._locking(statements.STILL_EXPIRED), {"ids": ids})
        return [tuple(row) for row in locked]

    def drifted(self, task_id: int) -> list[tuple[int, bool]]:
        """Return the subtasks of which this queue says something else than they do themselves."""
        self._session.flush()
        rows = self._execute(statements.DRIFTED, {"task_id": task_id})
        return [(row[0], bool(row[1])) for row in rows]

    def add_missing(self, rows: Sequence[Row]) -> None:
        """Insert rows, but for those that somebody else has inserted."""
        self._execute(statements.INSERT[self._dialect.name == "sqlite"], list(rows))

    def progress(self, task_id: int) -> list[ProgressCount]:
        """Return how many subtasks are in which state."""
        self._session.flush()
        return [
            ProgressCount(state, creator_id, name, _as_day(day), count)
            for state, creator_id, name, day, count in self._execute(
                statements.PROGRESS, {"task_id": task_id}
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
            return execute_on(statements.work, _LACKS, self._session, statement, parameters)


def _spread(rows: Sequence[Any]) -> list[int]:
    """Return the ids of rows that wait; a crowd that sees the same ones tries different ones."""
    alike = [row[0] for row in rows[:_SPREAD] if row[1] == rows[0][1]]
    random.shuffle(alike)
    return alike + [row[0] for row in rows[len(alike) :]]


def _as_day(value: Any) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value
