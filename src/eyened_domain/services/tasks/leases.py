"""What becomes of a claimed subtask: finished, released, given to somebody else, read again."""

from __future__ import annotations

import uuid
from datetime import timedelta

import attrs

from eyened_domain.errors import NotFound, RuleBroken
from eyened_domain.model.creator import Creator
from eyened_domain.model.enums import SubTaskState
from eyened_domain.model.task import SubTask
from eyened_domain.model.task_work import SubTaskWork
from eyened_domain.model.values import shown
from eyened_domain.services.task_making.plan import ReadingPlan
from eyened_domain.services.tasks.claim import Claim, held, name_of
from eyened_domain.services.tasks.claiming import check_open, lease, note_lease, readings_of
from eyened_domain.services.tasks.synchronising import give_back_expired, synchronise
from eyened_domain.services.unit_of_work import UnitOfWork


def renew(uow: UnitOfWork, claim: Claim) -> Claim:
    """Let a lease last longer; see `Tasks.renew`."""
    work, sub_task = held(uow, claim)
    expires = uow.task_queue.now() + _length_of_leases(uow, claim.task_id)
    work.lease_expires = expires
    return attrs.evolve(claim, expires=expires, sub_task=sub_task)


def _length_of_leases(uow: UnitOfWork, task_id: int) -> timedelta:
    said = uow.task_configurations.get(task_id, default=None)
    return ReadingPlan.of_json(None if said is None else said.configuration).lease


def finish(uow: UnitOfWork, claim: Claim, comment: str | None) -> SubTask:
    """Make a subtask ready; see `Tasks.finish`."""
    work, sub_task = held(uow, claim)
    sub_task.finish(comment)
    work.lease_token = None
    work.lease_expires = None
    work.finished_at = uow.task_queue.now()
    if not work.is_repeat:
        _offer_repeat(uow, work, claim.creator_id)
    return sub_task


def _offer_repeat(uow: UnitOfWork, work: SubTaskWork, creator_id: int) -> None:
    """Let the second reading of what a grader has read wait for that grader."""
    repeats = uow.rows.find(
        SubTaskWork,
        "set_number",
        [work.set_number],
        ("sub_task_id",),
        task_id=work.task_id,
        is_repeat=True,
        reading=work.reading,
        reserved_for_id=None,
    )
    if repeats:
        offered = {"held_back": False, "reserved_for_id": creator_id}
        uow.rows.update(SubTaskWork, [{"sub_task_id": one, **offered} for (one,) in repeats])


def release(uow: UnitOfWork, claim: Claim, comment: str | None) -> SubTask:
    """Give a subtask back; see `Tasks.release`."""
    work, sub_task = held(uow, claim)
    if comment is not None:
        sub_task.comments = comment
    _give_back(uow, work, sub_task)
    return sub_task


def _give_back(uow: UnitOfWork, work: SubTaskWork, sub_task: SubTask) -> None:
    """Let a subtask wait again: for who it is reserved for, or for anybody."""
    if sub_task.task_state is SubTaskState.Busy:
        sub_task.release()
    work.held_back = False
    work.grader_id = None
    work.lease_token = None
    work.lease_expires = None
    reserved = work.reserved_for_id
    sub_task.creator = None if reserved is None else uow.creators.get(reserved)


def claim_one(uow: UnitOfWork, sub_task_id: int, grader: Creator) -> Claim:
    """Claim a certain subtask; see `Tasks.claim`."""
    task_id = uow.sub_tasks.get(sub_task_id).task_id
    seen = uow.task_queue.look(task_id, grader.creator_id)
    if seen is None:  # pragma: no cover - it goes with its subtasks
        raise NotFound(f"there is no Task with task_id {task_id}", entity="Task")
    check_open(seen)
    plan = ReadingPlan.of_json(seen.configuration)
    readings = readings_of(plan, grader, seen)
    if seen.has_expired:
        give_back_expired(uow, task_id)
    work = _work_of(uow, sub_task_id, task_id)
    sub_task = uow.sub_tasks.get(sub_task_id, lock=True)
    if sub_task.task_state is SubTaskState.Busy and sub_task.creator_id == grader.creator_id:
        return _leased_anew(uow, work, sub_task, grader.creator_id)
    if readings is not None and work.reading not in readings:
        raise _not_for(sub_task, grader, f"reading {work.reading} is for another group")
    if work.reserved_for_id not in (None, grader.creator_id):
        raise _not_for(sub_task, grader, f"is for {shown(name_of(uow, work.reserved_for_id))}")
    if work.held_back and sub_task.task_state is SubTaskState.NotStarted:
        raise _not_for(sub_task, grader, "repeats a reading that is not ready")
    _refuse_second_reading(uow, work, grader)
    claim = lease(uow, sub_task_id, grader, now=seen.now, until=plan.lease)
    if claim is None:
        sub_task.start(grader)  # says why it cannot be
        raise _not_for(sub_task, grader, "was taken meanwhile")
    return claim


def _work_of(uow: UnitOfWork, sub_task_id: int, task_id: int) -> SubTaskWork:
    """Return the row of work of a subtask, locked; made where another program made the task."""
    if not uow.rows.find(SubTaskWork, "sub_task_id", [sub_task_id], ("sub_task_id",)):
        synchronise(uow, task_id)
    return uow.sub_task_work.get(sub_task_id, lock=True)


def _leased_anew(uow: UnitOfWork, work: SubTaskWork, sub_task: SubTask, creator_id: int) -> Claim:
    """Return a new lease on what is a grader's already; the one before it is lost."""
    claim = Claim(
        sub_task_id=work.sub_task_id,
        task_id=work.task_id,
        creator_id=creator_id,
        token=uuid.uuid4().hex,
        expires=uow.task_queue.now() + _length_of_leases(uow, work.task_id),
        sub_task=sub_task,
    )
    note_lease(uow, claim)
    return claim


def _refuse_second_reading(uow: UnitOfWork, work: SubTaskWork, grader: Creator) -> None:
    """Raise `RuleBroken` where somebody reads the same images already."""
    readings = uow.rows.find(
        SubTaskWork,
        "set_number",
        [work.set_number],
        ("sub_task_id", "grader_id", "reserved_for_id"),
        task_id=work.task_id,
        is_repeat=work.is_repeat,
    )
    for sub_task_id, *whose in readings:
        if sub_task_id != work.sub_task_id and grader.creator_id in whose:
            raise RuleBroken(
                f"Creator {shown(grader.creator_name)} reads the images of SubTask "
                f"{work.sub_task_id} already, in SubTask {sub_task_id}; graders are to be "
                "different",
                entity="SubTask",
                field="creator",
                value=grader.creator_name,
            )


def _not_for(sub_task: SubTask, grader: Creator, why: str) -> RuleBroken:
    return RuleBroken(
        f"SubTask {sub_task.sub_task_id} cannot be taken by {shown(grader.creator_name)}: {why}",
        entity="SubTask",
        field="creator",
        value=grader.creator_name,
    )


def reopen(uow: UnitOfWork, sub_task_id: int) -> Claim:
    """Let the grader of a ready subtask take it up again; see `Tasks.reopen`."""
    task_id = uow.sub_tasks.get(sub_task_id).task_id
    seen = uow.task_queue.look(task_id, 0)
    if seen is not None:
        check_open(seen)
    work = _work_of(uow, sub_task_id, task_id)
    sub_task = uow.sub_tasks.get(sub_task_id, lock=True)
    sub_task.reopen()
    if sub_task.creator_id is None:
        raise RuleBroken(
            f"SubTask {sub_task_id} is ready, and nobody's; another program has made it so",
            entity="SubTask",
            field="creator",
        )
    work.reserved_for_id = sub_task.creator_id
    work.finished_at = None
    return _leased_anew(uow, work, sub_task, sub_task.creator_id)


def reassign(uow: UnitOfWork, sub_task_id: int, to: Creator | None) -> SubTask:
    """Let another grader have a subtask; see `Tasks.reassign`."""
    task_id = uow.sub_tasks.get(sub_task_id).task_id
    work = _work_of(uow, sub_task_id, task_id)
    sub_task = uow.sub_tasks.get(sub_task_id, lock=True)
    if sub_task.task_state is SubTaskState.Ready:
        raise RuleBroken(
            f"SubTask {sub_task_id} is Ready; what was read stays with who has read it. Reopen it "
            "first",
            entity="SubTask",
            field="task_state",
            value=sub_task.task_state,
        )
    if to is not None:
        _refuse_second_reading(uow, work, to)
    is_withheld = work.is_repeat and work.reserved_for_id is None
    work.reserved_for_id = None if to is None else to.creator_id
    _give_back(uow, work, sub_task)
    work.held_back = is_withheld and to is None
    return sub_task
