"""What a grader has who has claimed a subtask."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, NoReturn

from attrs import frozen

from eyened_domain.errors import BadInput, LeaseLost, NotAllowed, NotFound, RuleBroken
from eyened_domain.model.creator import Creator
from eyened_domain.model.enums import SubTaskState, TaskState
from eyened_domain.model.task import SubTask
from eyened_domain.model.task_work import SubTaskWork
from eyened_domain.model.values import shown
from eyened_domain.services.task_making import ReadingPlan
from eyened_domain.services.task_queue import Held, QueueSeen
from eyened_domain.services.unit_of_work import UnitOfWork

_CLOSED = (TaskState.Finished, TaskState.Aborted, TaskState.Archived)


@frozen(kw_only=True)
class Claim:
    """That a subtask is somebody's for a time: the lease. It may go to another process."""

    sub_task_id: int
    task_id: int
    creator_id: int
    token: str
    """Tells the lease from those before and after it."""
    expires: datetime
    """Until when nobody else can take it, in UTC, by the clock of the storage."""


@frozen(kw_only=True)
class Asking:
    """A grader who asks for work on a task that is open."""

    now: datetime
    task_id: int
    task_state: TaskState
    creator_id: int
    creator_name: str
    plan: ReadingPlan
    readings: frozenset[int] | None
    """Which readings the grader may do; None for all."""
    has_expired: bool
    has_reserved: bool


def asking(uow: UnitOfWork, task_id: int, by: Creator | str) -> Asking:
    """Return who asks for work, and what there is to know before; one statement.

    Raises:
        NotFound: there is no such task, or grader; a name says who comes near.
        RuleBroken: the task is closed, or the grader is not stored.
        NotAllowed: the grader is in none of the task's groups.
    """
    seen = uow.task_queue.look(task_id, _name_or_id(by))
    if seen is None:
        raise NotFound(f"there is no Task with task_id {task_id}", entity="Task", field="task_id")
    if seen.creator_id is None or seen.creator_name is None:
        _nobody(uow, by)
    check_open(seen)
    plan = ReadingPlan.of_json(seen.configuration)
    readings = plan.readings_of(seen.creator_name)
    if readings is not None and not readings:
        raise NotAllowed(
            f"Creator {shown(seen.creator_name)} is in none of the groups of Task "
            f"{shown(seen.task_name)}: {', '.join(plan.groups)}",
            entity="Creator",
            field="creator_name",
            value=seen.creator_name,
        )
    return Asking(
        now=seen.now,
        task_id=task_id,
        task_state=seen.task_state,
        creator_id=seen.creator_id,
        creator_name=seen.creator_name,
        plan=plan,
        readings=readings,
        has_expired=seen.has_expired,
        has_reserved=seen.has_reserved,
    )


def check_open(seen: QueueSeen) -> None:
    """Raise `RuleBroken` where a task is closed."""
    if seen.task_state in _CLOSED:
        raise RuleBroken(
            f"Task {shown(seen.task_name)} is {seen.task_state.name}; reopen it first",
            entity="Task",
            field="task_state",
            value=seen.task_state,
        )


def _name_or_id(by: Creator | str) -> int | str:
    if isinstance(by, str):
        return by
    if not isinstance(by, Creator):
        raise BadInput(f"a Creator, or the name of one, is needed, not {shown(by)}", entity="Task")
    if by.creator_id is None:
        raise RuleBroken(
            f"Creator {shown(by.creator_name)} is not stored; add it and flush first",
            entity="Creator",
            field="creator_name",
            value=by.creator_name,
        )
    return by.creator_id


def _nobody(uow: UnitOfWork, by: Creator | str) -> NoReturn:
    """Say that there is no such creator."""
    if isinstance(by, str):
        uow.creators.by_name(by)
    else:
        uow.creators.get(by.creator_id)
    raise NotFound(f"there is no Creator {shown(by)} by now", entity="Creator")


def leased(uow: UnitOfWork, held: Held, creator_id: int, expires: datetime) -> Claim:
    """Return a new lease on a subtask that is locked, and write it down.

    Raises:
        Duplicate: the same grader has taken another reading of the images meanwhile.
    """
    claim = Claim(
        sub_task_id=held.sub_task_id,
        task_id=held.task_id,
        creator_id=creator_id,
        token=uuid.uuid4().hex,
        expires=expires,
    )
    row = {
        "sub_task_id": held.sub_task_id,
        "held_back": True,
        "grader_id": creator_id,
        "lease_token": claim.token,
        "lease_expires": expires,
    }
    uow.rows.update(SubTaskWork, [row])
    if (held.state, held.creator_id) != (SubTaskState.Busy, creator_id):
        write_sub_task(uow, held, task_state=SubTaskState.Busy, creator_id=creator_id)
    return claim


def write_sub_task(uow: UnitOfWork, held: Held, **values: Any) -> None:
    """Write to a subtask that is locked."""
    key = {"sub_task_id": held.sub_task_id}
    before = {**key, "task_state": held.state, "creator_id": held.creator_id}
    uow.rows.update(SubTask, [{**key, **values}], before=[before])


def held_by(uow: UnitOfWork, claim: Claim) -> Held:
    """Return what a claim is about, locked: nobody can take it until the unit ends.

    Raises:
        LeaseLost: somebody else has it, or has changed it.
    """
    if not isinstance(claim, Claim):
        raise BadInput(
            f"a Claim is needed, as `claim_next` and `claim` return it, not {shown(claim)}",
            entity="SubTask",
        )
    held = uow.task_queue.lock(claim.sub_task_id)
    if held is None:
        raise _lost(claim, "it was deleted")
    if held.lease_token != claim.token:
        raise _lost(claim, _whose(uow, held))
    if held.state is not SubTaskState.Busy or held.creator_id != claim.creator_id:
        raise _lost(claim, f"another program has changed it: {_whose(uow, held)}")
    return held


def _whose(uow: UnitOfWork, held: Held) -> str:
    if held.creator_id is None:
        return f"it is {held.state.name}"
    return f"it is {held.state.name}, of {shown(name_of(uow, held.creator_id))}"


def _lost(claim: Claim, why: str) -> LeaseLost:
    return LeaseLost(
        f"SubTask {claim.sub_task_id}: the lease that ended {claim.expires:%Y-%m-%d %H:%M:%S} UTC "
        f"was lost, {why}; claim another one",
        entity="SubTask",
        field="creator",
        value=claim.creator_id,
    )


def name_of(uow: UnitOfWork, creator_id: int) -> str:
    """Return the name of a creator."""
    return uow.creators.get(creator_id).creator_name
