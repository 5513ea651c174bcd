"""What becomes of a claimed subtask: finished, released, given to somebody else, read again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs

from eyened_domain.errors import NotFound, RuleBroken
from eyened_domain.model.creator import Creator
from eyened_domain.model.enums import SubTaskState
from eyened_domain.model.task import SubTask, check_step
from eyened_domain.model.task_work import SubTaskWork
from eyened_domain.model.values import shown
from eyened_domain.services.task_making import ReadingPlan
from eyened_domain.services.task_queue import Held
from eyened_domain.services.tasks.claim import (
    Asking,
    Claim,
    asking,
    check_open,
    held_by,
    leased,
    name_of,
    write_sub_task,
)
from eyened_domain.services.tasks.claiming import lease, start_task
from eyened_domain.services.tasks.synchronising import give_back_expired, synchronise
from eyened_domain.services.unit_of_work import UnitOfWork


def renew(uow: UnitOfWork, claim: Claim) -> Claim:
    """Let a lease last longer; see `Tasks.renew`."""
    held = held_by(uow, claim)
    expires = held.now + _length_of_leases(uow, claim.task_id)
    _write_work(uow, held, lease_expires=expires)
    return attrs.evolve(claim, expires=expires)


def _length_of_leases(uow: UnitOfWork, task_id: int) -> timedelta:
    said = uow.task_configurations.get(task_id, default=None)
    return ReadingPlan.of_json(None if said is None else said.configuration).lease


def _write_work(uow: UnitOfWork, held: Held, **values: Any) -> None:
    uow.rows.update(SubTaskWork, [{"sub_task_id": held.sub_task_id, **values}])


def _write(uow: UnitOfWork, held: Held, comment: str | None = None, **values: Any) -> None:
    said = {} if comment is None else {"comments": comment}
    write_sub_task(uow, held, **values, **said)


def finish(uow: UnitOfWork, claim: Claim, comment: str | None) -> None:
    """Make a subtask ready; see `Tasks.finish`."""
    held = held_by(uow, claim)
    check_step(held.sub_task_id, held.state, SubTaskState.Ready, "finish")
    _write(uow, held, comment, task_state=SubTaskState.Ready)
    _write_work(uow, held, lease_token=None, lease_expires=None, finished_at=held.now)
    if held.repeat_id is not None:  # the second reading waits for who has done the first
        offered = {"held_back": False, "reserved_for_id": held.creator_id}
        uow.rows.update(SubTaskWork, [{"sub_task_id": held.repeat_id, **offered}])


def release(uow: UnitOfWork, claim: Claim, comment: str | None) -> None:
    """Give a subtask back; see `Tasks.release`."""
    _give_back(uow, held_by(uow, claim), comment)


def _give_back(uow: UnitOfWork, held: Held, comment: str | None = None) -> None:
    """Let a subtask wait again: for who it is reserved for, or for anybody."""
    if held.state is not SubTaskState.NotStarted:
        check_step(held.sub_task_id, held.state, SubTaskState.NotStarted, "release")
    state = SubTaskState.NotStarted
    _write(uow, held, comment, task_state=state, creator_id=held.reserved_for_id)
    _write_work(
        uow,
        held,
        held_back=False,
        reserved_for_id=held.reserved_for_id,
        grader_id=None,
        lease_token=None,
        lease_expires=None,
    )


def claim_one(uow: UnitOfWork, sub_task_id: int, by: Creator | str) -> Claim:
    """Claim a certain subtask; see `Tasks.claim`."""
    task_id = _task_of(uow, sub_task_id)
    who = asking(uow, task_id, by)
    if who.has_expired:
        give_back_expired(uow, task_id)
    held = _locked(uow, sub_task_id, task_id)
    if held.state is SubTaskState.Busy and held.creator_id == who.creator_id:
        return leased(uow, held, who.creator_id, who.now + who.plan.lease)
    check_step(sub_task_id, held.state, SubTaskState.Busy, "start")
    _check_meant_for(uow, held, who)
    _refuse_second_reading(uow, held, who.creator_id, who.creator_name)
    claim = lease(uow, held, who)
    if claim is None:
        raise _not_for(held, who, "was assigned or taken meanwhile")
    start_task(uow, who)
    return claim


def _task_of(uow: UnitOfWork, sub_task_id: int) -> int:
    task_id: int
    for (task_id,) in uow.rows.find(SubTask, "sub_task_id", [sub_task_id], ("task_id",)):
        return task_id
    raise NotFound(
        f"there is no SubTask with sub_task_id {sub_task_id}",
        entity="SubTask",
        field="sub_task_id",
        value=sub_task_id,
    )


def _locked(uow: UnitOfWork, sub_task_id: int, task_id: int) -> Held:
    """Return a subtask, locked; its row of work is made where another program made the task."""
    held = uow.task_queue.lock(sub_task_id)
    if held is None:
        synchronise(uow, task_id)
        held = uow.task_queue.lock(sub_task_id)
    if held is None:
        raise NotFound(f"SubTask {sub_task_id} was deleted meanwhile", entity="SubTask")
    return held


def _check_meant_for(uow: UnitOfWork, held: Held, who: Asking) -> None:
    """Raise `RuleBroken` where a subtask waits for somebody else, or for something."""
    if who.readings is not None and held.reading not in who.readings:
        raise _not_for(held, who, f"reading {held.reading} is for another group")
    for one in (held.reserved_for_id, held.creator_id):
        if one not in (None, who.creator_id):
            raise _not_for(held, who, f"is for {shown(name_of(uow, one))}")
    if held.is_repeat and held.reserved_for_id is None:
        raise _not_for(held, who, "repeats a reading that is not ready")


def _refuse_second_reading(uow: UnitOfWork, held: Held, creator_id: int, name: str) -> None:
    """Raise `RuleBroken` where somebody reads the same images already."""
    readings = uow.rows.find(
        SubTaskWork,
        "set_number",
        [held.set_number],
        ("sub_task_id", "grader_id", "reserved_for_id"),
        task_id=held.task_id,
        is_repeat=held.is_repeat,
    )
    for sub_task_id, *whose in readings:
        if sub_task_id != held.sub_task_id and creator_id in whose:
            raise RuleBroken(
                f"Creator {shown(name)} reads the images of SubTask {held.sub_task_id} already, "
                f"in SubTask {sub_task_id}; graders are to be different",
                entity="SubTask",
                field="creator",
                value=name,
            )


def _not_for(held: Held, who: Asking, why: str) -> RuleBroken:
    return RuleBroken(
        f"SubTask {held.sub_task_id} cannot be taken by {shown(who.creator_name)}: {why}",
        entity="SubTask",
        field="creator",
        value=who.creator_name,
    )


def reopen(uow: UnitOfWork, sub_task_id: int) -> Claim:
    """Let the grader of a ready subtask take it up again; see `Tasks.reopen`."""
    task_id = _task_of(uow, sub_task_id)
    seen = uow.task_queue.look(task_id, 0)
    if seen is not None:
        check_open(seen)
    held = _locked(uow, sub_task_id, task_id)
    check_step(sub_task_id, held.state, SubTaskState.Busy, "reopen")
    if held.creator_id is None:
        raise RuleBroken(
            f"SubTask {sub_task_id} is ready, and nobody's; another program has made it so",
            entity="SubTask",
            field="creator",
        )
    _write_work(uow, held, reserved_for_id=held.creator_id, finished_at=None)
    return leased(uow, held, held.creator_id, held.now + _length_of_leases(uow, task_id))


def reassign(uow: UnitOfWork, sub_task_id: int, to: Creator | None) -> None:
    """Let another grader have a subtask; see `Tasks.reassign`."""
    held = _locked(uow, sub_task_id, _task_of(uow, sub_task_id))
    if held.state is SubTaskState.Ready:
        raise RuleBroken(
            f"SubTask {sub_task_id} is Ready; what was read stays with who has read it. Reopen it "
            "first",
            entity="SubTask",
            field="task_state",
            value=held.state,
        )
    if held.is_repeat:
        raise RuleBroken(
            f"SubTask {sub_task_id} repeats a reading; it stays with who has done the first",
            entity="SubTask",
            field="creator",
        )
    if to is not None:
        _refuse_second_reading(uow, held, to.creator_id, to.creator_name)
    _give_back(uow, attrs.evolve(held, reserved_for_id=None if to is None else to.creator_id))
