"""The order in which subtasks wait, in memory; see `services.task_queue.TaskQueue`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs

from eyened_domain.adapters.memory.bulk import MemoryRows
from eyened_domain.model.creator import Creator
from eyened_domain.model.enums import SubTaskState
from eyened_domain.model.names import folded
from eyened_domain.model.task import SubTask, Task
from eyened_domain.model.task_work import SubTaskWork, TaskConfiguration
from eyened_domain.services.row_shapes import Row as Columns
from eyened_domain.services.task_queue import Held, ProgressCount, QueueSeen, Waiting

if TYPE_CHECKING:
    from eyened_domain.adapters.memory.objects import Objects
    from eyened_domain.adapters.memory.tables import Row


class MemoryTaskQueue:
    """The subtasks that wait, as the transaction of a unit of work sees them.

    Nobody waits here: of two who take the same, the commit of the second is a `Conflict`.
    """

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.now(UTC).replace(tzinfo=None, microsecond=0)

    def look(self, task_id: int, creator: int | str) -> QueueSeen | None:
        """Return what there is to know before a claim."""
        self._objects.flush()
        task = self._row(Task, task_id)
        if task is None:
            return None
        said = self._row(TaskConfiguration, task_id)
        column = "creator_id" if isinstance(creator, int) else "creator_name"
        who = next(self._objects.rows(Creator, [(column, [folded(creator)])]), None)
        creator_id = None if who is None else who.values["creator_id"]
        return QueueSeen(
            now=self.now(),
            task_name=task.values["task_name"],
            task_state=task.values["task_state"],
            configuration=None if said is None else said.values["configuration"],
            creator_id=creator_id,
            creator_name=None if who is None else who.values["creator_name"],
            has_expired=any(self._expired(task_id)),
            has_reserved=creator_id is not None and any(self._first(task_id, creator_id)),
        )

    def lock(self, sub_task_id: int) -> Held | None:
        """Rely on a subtask and its row of work."""
        self._objects.flush()
        return self._held(self._row(SubTaskWork, sub_task_id))

    def take_first(self, task_id: int, reserved_for: int | None) -> Held | None:
        """Rely on the first subtask that waits."""
        return self._held(next(iter(self._first(task_id, reserved_for)), None))

    def waiting(
        self, task_id: int, creator_id: int, readings: Collection[int] | None, *, most: int
    ) -> list[Waiting]:
        """Return the first subtasks that a grader may take, in their order."""
        mine = [row for row in self._rows(task_id) if row.values["grader_id"] == creator_id]
        has_read = {(row.values["set_number"], row.values["is_repeat"]) for row in mine}
        finished = [row.values for row in mine if row.values["finished_at"] is not None]
        last = max(finished, key=lambda one: (one["finished_at"], one["position"]), default={})
        found = [
            row
            for whom in (creator_id, None)
            for row in self._first(task_id, whom)
            if (readings is None or row.values["reading"] in readings)
            and (row.values["set_number"], row.values["is_repeat"]) not in has_read
        ]
        found.sort(key=_in_order)
        return [
            Waiting(row.key[0], row.values["set_number"] == last.get("set_number"))
            for row in found[:most]
        ]

    def take_one(self, sub_task_ids: Iterable[int]) -> Held | None:
        """Rely on the first of these that waits."""
        self._objects.flush()
        for one in sub_task_ids:
            row = self._row(SubTaskWork, one)
            if row is not None and not row.values["held_back"]:
                return self._held(row)
        return None

    def take_expired(self, task_id: int, *, most: int) -> list[tuple[int, int | None, int | None]]:
        """Rely on subtasks whose leases have expired."""
        found = sorted(self._expired(task_id), key=lambda row: row.values["lease_expires"])[:most]
        for row in found:
            self._objects.view.rely_on(row)
        return [
            (row.key[0], row.values["grader_id"], row.values["reserved_for_id"]) for row in found
        ]

    def drifted(self, task_id: int) -> list[tuple[int, bool]]:
        """Return the subtasks of which this queue says something else than they do themselves."""
        known = {row.key[0]: row.values for row in self._rows(task_id)}
        found = []
        for row in self._objects.rows(SubTask, [("task_id", [task_id])]):
            work = known.get(row.key[0])
            if work is None or _differs(row.values, work):
                found.append((row.key[0], work is not None))
        return sorted(found)

    def add_missing(self, rows: Sequence[Columns]) -> None:
        """Insert rows."""
        MemoryRows(self._objects).insert(SubTaskWork, rows, key=["sub_task_id"])

    def progress(self, task_id: int) -> list[ProgressCount]:
        """Return how many subtasks are in which state."""
        known = {row.key[0]: row.values["finished_at"] for row in self._rows(task_id)}
        counts: Counter[tuple[Any, ...]] = Counter()
        for row in self._objects.rows(SubTask, [("task_id", [task_id])]):
            moment = known.get(row.key[0])
            creator = self._row(Creator, row.values["creator_id"])
            name = None if creator is None else creator.values["creator_name"]
            day = None if moment is None else moment.date()
            counts[row.values["task_state"], row.values["creator_id"], name, day] += 1
        return [
            ProgressCount(state, creator_id, name, day, count)
            for (state, creator_id, name, day), count in counts.items()
        ]

    def _rows(self, task_id: int) -> Iterator[Row]:
        return self._objects.rows(SubTaskWork, [("task_id", [task_id])])

    def _first(self, task_id: int, reserved_for: int | None) -> list[Row]:
        found = [
            row
            for row in self._rows(task_id)
            if not row.values["held_back"] and row.values["reserved_for_id"] == reserved_for
        ]
        return sorted(found, key=_in_order)

    def _expired(self, task_id: int) -> Iterator[Row]:
        now = self.now()
        for row in self._rows(task_id):
            expires = row.values["lease_expires"]
            if expires is not None and expires < now:
                yield row

    def _row(self, entity: type[Any], identity: int | None) -> Row | None:
        return self._objects.view.row(entity.__entity__.root, (identity,))

    def _held(self, row: Row | None) -> Held | None:
        """Rely on a row of work and its subtask; return what they hold."""
        if row is None:
            return None
        sub_task = self._objects.view.row(SubTask.__entity__.root, row.key)
        if sub_task is None:  # it goes with its subtask
            return None
        for one in (row, sub_task):
            self._objects.view.rely_on(one)
        names = {name: row.values[name] for name in _HELD}
        whose = sub_task.values["creator_id"]
        repeats = [] if row.values["is_repeat"] else [*self._repeats(row)]
        return Held(
            now=self.now(),
            state=sub_task.values["task_state"],
            creator_id=whose,
            repeat_id=repeats[0] if repeats else None,
            **names,
        )

    def _repeats(self, row: Row) -> Iterator[int]:
        for one in self._rows(row.values["task_id"]):
            told = one.values
            is_same = all(told[name] == row.values[name] for name in ("set_number", "reading"))
            if is_same and told["is_repeat"] and told["reserved_for_id"] is None:
                yield one.key[0]


_HELD = frozenset(attrs.fields_dict(Held)) - {"now", "state", "creator_id", "repeat_id"}


def _in_order(row: Row) -> tuple[int, int]:
    return row.values["priority"], row.values["position"]


def _differs(sub_task: dict[str, Any], work: dict[str, Any]) -> bool:
    is_open = sub_task["task_state"] is SubTaskState.NotStarted
    if work["held_back"]:
        return is_open and not (work["is_repeat"] and work["reserved_for_id"] is None)
    assigned = sub_task["creator_id"]
    return not is_open or (assigned is not None and assigned != work["reserved_for_id"])
