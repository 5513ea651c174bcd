"""The fields of `model.task` under their second names, for type checkers.

Written by `python -m tests.architecture.database_names`, from the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from eyened_domain import model
    from eyened_domain.model.fields import Column, DateColumn, EnumColumn, Many, One


class TaskDefinitionNames:
    """The fields of `TaskDefinition` under their second names."""

    TaskDefinitionID: Column[int]
    TaskDefinitionName: Column[str]
    TaskConfig: Column[Any]
    DateInserted: DateColumn[datetime]
    Tasks: Many[model.Task]


class TaskNames:
    """The fields of `Task` under their second names."""

    TaskID: Column[int]
    TaskName: Column[str]
    Description: Column[str | None]
    CreatorID: Column[int | None]
    ContactID: Column[int | None]
    TaskDefinitionID: Column[int]
    DateInserted: DateColumn[datetime]
    TaskState: EnumColumn[model.TaskState]
    Contact: One[model.Contact | None]
    Creator: One[model.Creator | None]
    TaskDefinition: One[model.TaskDefinition]
    SubTasks: Many[model.SubTask]


class SubTaskNames:
    """The fields of `SubTask` under their second names."""

    SubTaskID: Column[int]
    TaskID: Column[int]
    CreatorID: Column[int | None]
    Comments: Column[str | None]
    TaskState: EnumColumn[model.SubTaskState]
    Task: One[model.Task]
    Creator: One[model.Creator | None]
    SubTaskImageLinks: Many[model.SubTaskImageLink]
    FormAnnotations: Many[model.FormAnnotation]
    Segmentations: Many[model.Segmentation]


class SubTaskImageLinkNames:
    """The fields of `SubTaskImageLink` under their second names."""

    SubTaskID: Column[int]
    ImageInstanceID: Column[int]
    SubTask: One[model.SubTask]
    ImageInstance: One[model.ImageInstance]
