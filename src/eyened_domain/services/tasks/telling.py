"""How far a task is, and what its graders have said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date

from attrs import frozen

from eyened_domain.model.enums import SubTaskState
from eyened_domain.model.task import SubTask, SubTaskImageLink
from eyened_domain.model.task_work import SubTaskWork
from eyened_domain.services.unit_of_work import UnitOfWork

States = Mapping[SubTaskState, int]


@frozen(kw_only=True)
class Progress:
    """How many subtasks of a task are in which state."""

    states: States
    """Every state is there."""
    graders: Mapping[str, States]
    """By the name of who has them, or they are meant for; in the order of the names."""
    days: Mapping[date, int]
    """How many became ready on which day (UTC), where it is known; the earliest first."""

    @property
    def total(self) -> int:
        """How many subtasks there are."""
        return sum(self.states.values())


def progress_of(uow: UnitOfWork, task_id: int) -> Progress:
    """Return how far a task is, in one statement."""
    states = dict.fromkeys(SubTaskState, 0)
    graders: defaultdict[str, dict[SubTaskState, int]] = defaultdict(
        lambda: dict.fromkeys(SubTaskState, 0)
    )
    days: defaultdict[date, int] = defaultdict(int)
    for one in uow.task_queue.progress(task_id):
        states[one.state] += one.count
        if one.creator_name is not None:
            graders[one.creator_name][one.state] += one.count
        if one.day is not None and one.state is SubTaskState.Ready:
            days[one.day] += one.count
    return Progress(
        states=states, graders=dict(sorted(graders.items())), days=dict(sorted(days.items()))
    )


@frozen(kw_only=True)
class TaskReading:
    """One reading of one image set of a task."""

    set_number: int
    """The same for all readings of the same images; unique within the task."""
    reading: int
    """Which of the readings of the set it is, from 1."""
    is_repeat: bool
    """Whether its grader reads the set for the second time."""
    sub_task_id: int
    creator_id: int | None
    """Who reads it, has read it, or is to read it."""
    state: SubTaskState
    image_ids: tuple[int, ...]
    """In the order of the ids."""


def readings_in(uow: UnitOfWork, task_id: int) -> list[TaskReading]:
    """Return all readings of a task, those of one image set after each other; three statements."""
    columns = ("sub_task_id", "creator_id", "task_state")
    sub_tasks = uow.rows.find(SubTask, "task_id", [task_id], columns)
    names = ("sub_task_id", "set_number", "reading", "is_repeat")
    known = {one: rest for one, *rest in uow.rows.find(SubTaskWork, "task_id", [task_id], names)}
    images: defaultdict[int, list[int]] = defaultdict(list)
    for sub_task_id, image in uow.rows.find(
        SubTaskImageLink, "sub_task.task_id", [task_id], ("sub_task_id", "image_instance_id")
    ):
        images[sub_task_id].append(image)
    found = []
    for sub_task_id, creator_id, state in sub_tasks:
        # a subtask of another program is a set of its own, as it is when it is claimed
        number, reading, is_repeat = known.get(sub_task_id, (sub_task_id, 1, False))
        found.append(
            TaskReading(
                set_number=number,
                reading=reading,
                is_repeat=is_repeat,
                sub_task_id=sub_task_id,
                creator_id=creator_id,
                state=state,
                image_ids=tuple(sorted(images[sub_task_id])),
            )
        )
    return sorted(found, key=lambda one: (one.set_number, one.reading, one.is_repeat))
