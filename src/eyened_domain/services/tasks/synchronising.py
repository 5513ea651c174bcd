"""Lets the queue of a task say what the subtasks say: other programs write these as well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from eyened_domain.model.enums import SubTaskState
from eyened_domain.model.task import SubTask
from eyened_domain.model.task_work import NORMAL_PRIORITY, SubTaskWork
from eyened_domain.services.row_shapes import Row
from eyened_domain.services.unit_of_work import UnitOfWork

_MOST_EXPIRED = 100
_NO_LEASE: Row = {"lease_token": None, "lease_expires": None}
_SEEN = ("sub_task_id", "set_number", "is_repeat", "held_back", "reserved_for_id", "grader_id")


def give_back_expired(uow: UnitOfWork, task_id: int) -> None:
    """Let subtasks wait again whose leases have expired."""
    expired = {row[0]: row[1:] for row in uow.task_queue.take_expired(task_id, most=_MOST_EXPIRED)}
    sub_tasks, work = [], []
    for sub_task_id, state, creator_id in _states(uow, expired):
        grader, reserved = expired[sub_task_id]
        is_dead = state is SubTaskState.Busy and creator_id == grader
        if is_dead:
            given = {"task_state": SubTaskState.NotStarted, "creator_id": reserved}
            sub_tasks.append({"sub_task_id": sub_task_id, **given})
        waits = is_dead or state is SubTaskState.NotStarted
        work.append(
            {
                "sub_task_id": sub_task_id,
                "held_back": not waits,
                "grader_id": None if waits else grader,
                **_NO_LEASE,
            }
        )
    uow.rows.update(SubTask, sub_tasks)
    uow.rows.update(SubTaskWork, work)


def synchronise(uow: UnitOfWork, task_id: int) -> bool:
    """Let the queue hold what the subtasks of a task say, whoever has written it.

    Returns:
        whether anything was different.
    """
    drifted = uow.task_queue.drifted(task_id)
    missing = [one for one, has_row in drifted if not has_row]
    others = [one for one, has_row in drifted if has_row]
    if missing:
        uow.task_queue.add_missing([*_new_rows(task_id, _states(uow, missing, lock=False))])
    if others:
        _correct(uow, task_id, others)
    return bool(drifted)


def _states(
    uow: UnitOfWork, ids: Iterable[int], *, lock: bool = True
) -> list[tuple[int, SubTaskState, int | None]]:
    """Return the states and creators of subtasks, as they are now."""
    columns = ("sub_task_id", "task_state", "creator_id")
    return sorted(uow.rows.find(SubTask, "sub_task_id", sorted(ids), columns, lock=lock))


def _new_rows(
    task_id: int, states: Sequence[tuple[int, SubTaskState, int | None]]
) -> Iterable[Row]:
    """Return rows of work for subtasks that other programs have made: each reads its own set."""
    for sub_task_id, state, creator_id in states:
        is_open = state is SubTaskState.NotStarted
        yield {
            "sub_task_id": sub_task_id,
            "task_id": task_id,
            "set_number": sub_task_id,  # is more than the numbers that we have given
            "reading": 1,
            "is_repeat": False,
            "priority": NORMAL_PRIORITY,
            "position": sub_task_id,
            "held_back": not is_open,
            "reserved_for_id": creator_id if is_open else None,
            "grader_id": None if is_open else creator_id,
        }


def _correct(uow: UnitOfWork, task_id: int, ids: Sequence[int]) -> None:
    """Write rows of work anew by what their subtasks say."""
    rows = uow.rows.find(SubTaskWork, "sub_task_id", sorted(ids), _SEEN, lock=True)
    work = {row[0]: dict(zip(_SEEN, row, strict=True)) for row in rows}
    readers = _readers(uow, task_id, {one["set_number"] for one in work.values()})
    written = []
    for sub_task_id, state, creator_id in _states(uow, work):
        known = work[sub_task_id]
        is_open = state is SubTaskState.NotStarted
        if known["held_back"] != is_open and (
            not is_open or creator_id in (None, known["reserved_for_id"])
        ):
            continue  # somebody has claimed it since
        reads = (known["set_number"], known["is_repeat"], creator_id)
        is_free = known["grader_id"] == creator_id or reads not in readers
        readers.add(reads)
        reserved = creator_id if is_open and creator_id is not None else known["reserved_for_id"]
        written.append(
            {
                "sub_task_id": sub_task_id,
                "held_back": not is_open,
                "reserved_for_id": reserved,
                "grader_id": None if is_open or not is_free else creator_id,
                **_NO_LEASE,
            }
        )
    uow.rows.update(SubTaskWork, written)


def _readers(uow: UnitOfWork, task_id: int, sets: Iterable[int]) -> set[tuple[Any, ...]]:
    columns = ("set_number", "is_repeat", "grader_id")
    found = uow.rows.find(SubTaskWork, "set_number", sorted(sets), columns, task_id=task_id)
    return {row for row in found if row[2] is not None}
