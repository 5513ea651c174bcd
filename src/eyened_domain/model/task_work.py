"""How a task is shared among graders: tables of ours, which other programs do not see."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from eyened_domain.model.database_names.task_work import (
    SubTaskWorkNames,
    TaskConfigurationNames,
)
from eyened_domain.model.entity import Entity, entity
from eyened_domain.model.fields import (
    Column,
    DateColumn,
    One,
    column,
    foreign_key,
    one,
)
from eyened_domain.model.values import Flag, Integer, Json, Moment, Text

if TYPE_CHECKING:
    from eyened_domain.model.creator import Creator
    from eyened_domain.model.task import SubTask, Task

TOKEN_LENGTH = 32
"""Characters of the token of a lease."""
NORMAL_PRIORITY = 5
"""From 1, the most urgent, to 9, as in calendars (RFC 5545)."""


@entity(repository="task_configurations")
class TaskConfiguration(TaskConfigurationNames, Entity):
    """What a task says of itself: readings, groups, due date, leases; see `services.tasks`."""

    task_id: Column[int] = foreign_key(
        "TaskID", "Task", default=None, primary_key=True, on_delete="CASCADE"
    )
    configuration: Column[Any] = column("Configuration", Json())

    task: One[Task] = one("Task", "Task", via="task_id", default=None)


@entity(
    unique=(("task_id", "set_number", "is_repeat", "grader_id"),),
    repository="sub_task_work",
)
class SubTaskWork(SubTaskWorkNames, Entity):
    """What is known of a subtask beyond the contract: whose turn it is, and the lease on it.

    Whether somebody works on it is said by the subtask itself (`task_state`, `creator_id`),
    which other programs write as well. `held_back` keeps it out of what is waiting.
    """

    sub_task_id: Column[int] = foreign_key(
        "SubTaskID", "SubTask", default=None, primary_key=True, on_delete="CASCADE"
    )
    task_id: Column[int] = foreign_key("TaskID", "Task", default=None, on_delete="CASCADE")
    set_number: Column[int] = column("SetNumber", Integer())
    """Readings of the same images have the same number; it is unique within the task."""
    reading: Column[int] = column("Reading", Integer(), default=1)
    """Which of the readings of its images it is, from 1."""
    is_repeat: Column[bool] = column("IsRepeat", Flag(), default=False)
    """Whether it is the second reading by the same grader."""
    priority: Column[int] = column("Priority", Integer(), default=NORMAL_PRIORITY)
    position: Column[int] = column("Position", Integer())
    """Its place in the order of the task, among those of the same priority."""
    held_back: Column[bool] = column("HeldBack", Flag(), default=False)
    """Whether it is not waiting: it is somebody's, or ready, or repeats what is not ready."""
    reserved_for_id: Column[int | None] = foreign_key(
        "ReservedForID", "Creator", default=None, nullable=True
    )
    """The only one who may take it; anybody, where it is empty."""
    grader_id: Column[int | None] = foreign_key("GraderID", "Creator", default=None, nullable=True)
    """Who has taken it."""
    lease_token: Column[str | None] = column(
        "LeaseToken", Text(TOKEN_LENGTH), default=None, nullable=True
    )
    """Known to the program that has taken it."""
    lease_expires: DateColumn[datetime | None] = column(
        "LeaseExpires", Moment(), default=None, nullable=True
    )
    """Until when nobody else may take it, in UTC."""
    finished_at: DateColumn[datetime | None] = column(
        "FinishedAt", Moment(), default=None, nullable=True
    )
    """When it became ready, in UTC."""

    sub_task: One[SubTask] = one("SubTask", "SubTask", via="sub_task_id", default=None)
    task: One[Task] = one("Task", "Task", via="task_id", default=None)
    reserved_for: One[Creator | None] = one(
        "ReservedFor", "Creator", via="reserved_for_id", default=None
    )
    grader: One[Creator | None] = one("Grader", "Creator", via="grader_id", default=None)
