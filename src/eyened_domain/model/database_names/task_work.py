"""The fields of `model.task_work` under their second names, for type checkers.

Written by `python -m tests.architecture.database_names`, from the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from eyened_domain import model
    from eyened_domain.model.fields import Column, DateColumn, One


class TaskConfigurationNames:
    """The fields of `TaskConfiguration` under their second names."""

    TaskID: Column[int]
    Configuration: Column[Any]
    Task: One[model.Task]


class SubTaskWorkNames:
    """The fields of `SubTaskWork` under their second names."""

    SubTaskID: Column[int]
    TaskID: Column[int]
    SetNumber: Column[int]
    Reading: Column[int]
    IsRepeat: Column[bool]
    Priority: Column[int]
    Position: Column[int]
    HeldBack: Column[bool]
    ReservedForID: Column[int | None]
    GraderID: Column[int | None]
    LeaseToken: Column[str | None]
    LeaseExpires: DateColumn[datetime | None]
    FinishedAt: DateColumn[datetime | None]
    SubTask: One[model.SubTask]
    Task: One[model.Task]
    ReservedFor: One[model.Creator | None]
    Grader: One[model.Creator | None]
