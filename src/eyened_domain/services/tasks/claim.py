"""What a grader has who has claimed a subtask."""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen

from eyened_domain.errors import LeaseLost, RuleBroken
from eyened_domain.model.creator import Creator
from eyened_domain.model.enums import SubTaskState
from eyened_domain.model.task import SubTask
from eyened_domain.model.task_work import SubTaskWork
from eyened_domain.model.values import shown
from eyened_domain.services.unit_of_work import UnitOfWork


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
    sub_task: SubTask | None = field(default=None, eq=False, repr=False)
    """The subtask, in the unit of work that has claimed it."""


def held(uow: UnitOfWork, claim: Claim) -> tuple[SubTaskWork, SubTask]:
    """Return what a claim is about, locked: nobody can take it until the unit ends.

    Raises:
        LeaseLost: somebody else has it, or has changed it.
    """
    work = uow.sub_task_work.get(claim.sub_task_id, default=None, lock=True)
    if work is None:
        raise _lost(claim, "it was deleted")
    sub_task = uow.sub_tasks.get(claim.sub_task_id, lock=True)
    if work.lease_token != claim.token:
        raise _lost(claim, _whose(uow, sub_task))
    if sub_task.task_state is not SubTaskState.Busy or sub_task.creator_id != claim.creator_id:
        raise _lost(claim, f"another program has changed it: {_whose(uow, sub_task)}")
    return work, sub_task


def _whose(uow: UnitOfWork, sub_task: SubTask) -> str:
    state = sub_task.task_state.name
    if sub_task.creator_id is None:
        return f"it is {state}"
    return f"it is {state}, of {shown(name_of(uow, sub_task.creator_id))}"


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


def grader_of(uow: UnitOfWork, by: Creator | str) -> Creator:
    """Return who is meant, in this unit of work. Nobody is made.

    Raises:
        NotFound: there is nobody of that name, or with that id; a name says who comes near.
        RuleBroken: it is an object that is not stored.
    """
    if isinstance(by, str):
        return uow.creators.by_name(by)
    if by.creator_id is None:
        raise RuleBroken(
            f"Creator {shown(by.creator_name)} is not stored; add it and flush first",
            entity="Creator",
            field="creator_name",
            value=by.creator_name,
        )
    return uow.creators.get(by.creator_id)
