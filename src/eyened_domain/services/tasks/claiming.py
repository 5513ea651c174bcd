"""Claims: the next subtask of a task for a grader, and no subtask for two."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from eyened_domain.errors import Duplicate, NotAllowed, NotFound, RuleBroken
from eyened_domain.model.creator import Creator
from eyened_domain.model.enums import SubTaskState, TaskState
from eyened_domain.model.task_work import SubTaskWork
from eyened_domain.model.values import shown
from eyened_domain.services.task_making.plan import ReadingPlan
from eyened_domain.services.task_queue import QueueSeen
from eyened_domain.services.tasks.claim import Claim
from eyened_domain.services.tasks.synchronising import give_back_expired, synchronise
from eyened_domain.services.unit_of_work import UnitOfWork

_MOST_SEEN = 50
"""How many subtasks that wait are looked at, where they are looked at before one is taken."""
_CLOSED = (TaskState.Finished, TaskState.Aborted, TaskState.Archived)


def claim_next(uow: UnitOfWork, task_id: int, grader: Creator) -> Claim | None:
    """Claim the next subtask; see `Tasks.claim_next`."""
    seen = uow.task_queue.look(task_id, grader.creator_id)
    if seen is None:
        raise NotFound(f"there is no Task with task_id {task_id}", entity="Task", field="task_id")
    check_open(seen)
    plan = ReadingPlan.of_json(seen.configuration)
    readings = readings_of(plan, grader, seen)
    if seen.has_expired:
        give_back_expired(uow, task_id)
    search = _Search(uow, task_id, grader, plan, readings)
    claim = search.next(seen, has_reserved=seen.has_reserved or seen.has_expired)
    if claim is None and synchronise(uow, task_id):
        claim = search.next(seen, has_reserved=True)
    if claim is not None and seen.task_state is TaskState.NotStarted:
        _start(uow, task_id)
    return claim


class _Search:
    """Looks for a subtask that a grader may take, and takes it."""

    def __init__(
        self,
        uow: UnitOfWork,
        task_id: int,
        grader: Creator,
        plan: ReadingPlan,
        readings: frozenset[int] | None,
    ) -> None:
        self._uow, self._task_id, self._grader = uow, task_id, grader
        self._plan, self._readings = plan, readings
        self._refused: set[int] = set()

    def next(self, seen: QueueSeen, *, has_reserved: bool) -> Claim | None:
        """Return the claim on the first subtask that can be taken."""
        while True:
            found = self._plainly(has_reserved) if self._plan.is_plain else self._blindly()
            if found is None or found in self._refused:
                return None
            claim = lease(self._uow, found, self._grader, now=seen.now, until=self._plan.lease)
            if claim is not None:
                return claim
            self._refused.add(found)
            synchronise(self._uow, self._task_id)

    def _plainly(self, has_reserved: bool) -> int | None:
        """Take what comes next: what is reserved for the grader before what anybody may take."""
        queue = self._uow.task_queue
        found = None
        if has_reserved:
            found = queue.take_first(self._task_id, self._grader.creator_id)
        return queue.take_first(self._task_id, None) if found is None else found

    def _blindly(self) -> int | None:
        """Take what comes next of what the grader has not read; not the same images in a row."""
        seen = self._uow.task_queue.waiting(
            self._task_id, self._grader.creator_id, self._readings, most=_MOST_SEEN
        )
        several = [one for one in seen if one.sub_task_id not in self._refused]
        several.sort(key=lambda one: one.was_read_last)
        return self._uow.task_queue.take_one(one.sub_task_id for one in several)


def lease(
    uow: UnitOfWork, sub_task_id: int, grader: Creator, *, now: datetime, until: timedelta
) -> Claim | None:
    """Let a subtask whose row of work is locked be a grader's; None where it is not to be had."""
    sub_task = uow.sub_tasks.get(sub_task_id, lock=True)
    mine = (None, grader.creator_id)
    if sub_task.task_state is not SubTaskState.NotStarted or sub_task.creator_id not in mine:
        return None
    claim = Claim(
        sub_task_id=sub_task_id,
        task_id=sub_task.task_id,
        creator_id=grader.creator_id,
        token=uuid.uuid4().hex,
        expires=now + until,
        sub_task=sub_task,
    )
    try:
        note_lease(uow, claim)
    except Duplicate:  # the same grader has taken another reading of the images meanwhile
        return None
    sub_task.start(grader)
    return claim


def note_lease(uow: UnitOfWork, claim: Claim) -> None:
    """Write down whose a subtask is, and until when."""
    row = {
        "sub_task_id": claim.sub_task_id,
        "held_back": True,
        "grader_id": claim.creator_id,
        "lease_token": claim.token,
        "lease_expires": claim.expires,
    }
    uow.rows.update(SubTaskWork, [row])


def check_open(seen: QueueSeen) -> None:
    """Raise `RuleBroken` where a task is closed."""
    if seen.task_state in _CLOSED:
        raise RuleBroken(
            f"Task {shown(seen.task_name)} is {seen.task_state.name}; reopen it first",
            entity="Task",
            field="task_state",
            value=seen.task_state,
        )


def readings_of(plan: ReadingPlan, grader: Creator, seen: QueueSeen) -> frozenset[int] | None:
    """Return which readings a grader may do, None for all; `NotAllowed` where it is none."""
    readings = plan.readings_of(grader.creator_name)
    if readings is not None and not readings:
        raise NotAllowed(
            f"Creator {shown(grader.creator_name)} is in none of the groups of Task "
            f"{shown(seen.task_name)}: {', '.join(plan.groups)}",
            entity="Creator",
            field="creator_name",
            value=grader.creator_name,
        )
    return readings


def _start(uow: UnitOfWork, task_id: int) -> None:
    """Let a task be busy from its first claim on."""
    task = uow.tasks.get(task_id, lock=True)
    if task.task_state is TaskState.NotStarted:
        task.start()
