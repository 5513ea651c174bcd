"""Tasks for graders."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from eyened_domain.model.entity import Entity, entity
from eyened_domain.model.enums import SubTaskState, TaskState
from eyened_domain.model.fields import (
    Column,
    DateColumn,
    EnumColumn,
    Many,
    One,
    choice,
    column,
    foreign_key,
    key,
    many,
    one,
)
from eyened_domain.model.values import Json, Moment, Text

if TYPE_CHECKING:
    from eyened_domain.model.creator import Creator
    from eyened_domain.model.form import FormAnnotation
    from eyened_domain.model.image import ImageInstance
    from eyened_domain.model.project import Contact
    from eyened_domain.model.segmentation import Segmentation


@entity(name="task_definition_name")
class TaskDefinition(Entity):
    """A kind of task, with its configuration."""

    task_definition_id: Column[int] = key("TaskDefinitionID", default=None)
    task_definition_name: Column[str] = column("TaskDefinitionName", Text(256))
    task_config: Column[Any] = column("TaskConfig", Json(), default=None, nullable=True)
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)

    tasks: Many[Task] = many("Tasks", "Task", back="task_definition", default=None)


@entity(name="task_name")
class Task(Entity):
    """Work for graders, in subtasks."""

    task_id: Column[int] = key("TaskID", default=None)
    task_name: Column[str] = column("TaskName", Text(256))
    description: Column[str | None] = column("Description", Text(), default=None, nullable=True)
    creator_id: Column[int | None] = foreign_key(
        "CreatorID", "Creator", default=None, nullable=True
    )
    contact_id: Column[int | None] = foreign_key(
        "ContactID", "Contact", default=None, nullable=True
    )
    task_definition_id: Column[int] = foreign_key(
        "TaskDefinitionID", "TaskDefinition", default=None
    )
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)
    task_state: EnumColumn[TaskState] = choice("TaskState", TaskState, default=TaskState.NotStarted)

    contact: One[Contact | None] = one(
        "Contact", "Contact", via="contact_id", back="tasks", default=None
    )
    creator: One[Creator | None] = one(
        "Creator", "Creator", via="creator_id", back="tasks", default=None
    )
    task_definition: One[TaskDefinition] = one(
        "TaskDefinition", "TaskDefinition", via="task_definition_id", back="tasks", default=None
    )
    sub_tasks: Many[SubTask] = many("SubTasks", "SubTask", back="task", default=None)


@entity()
class SubTask(Entity):
    """A piece of a task that one grader takes: some images to be looked at."""

    sub_task_id: Column[int] = key("SubTaskID", default=None)
    task_id: Column[int] = foreign_key("TaskID", "Task", default=None, on_delete="CASCADE")
    creator_id: Column[int | None] = foreign_key(
        "CreatorID", "Creator", default=None, nullable=True
    )
    comments: Column[str | None] = column("Comments", Text(), default=None, nullable=True)
    task_state: EnumColumn[SubTaskState] = choice(
        "TaskState", SubTaskState, default=SubTaskState.NotStarted
    )

    task: One[Task] = one("Task", "Task", via="task_id", back="sub_tasks", default=None)
    creator: One[Creator | None] = one(
        "Creator", "Creator", via="creator_id", back="sub_tasks", default=None
    )
    sub_task_image_links: Many[SubTaskImageLink] = many(
        "SubTaskImageLinks", "SubTaskImageLink", back="sub_task", default=None
    )
    form_annotations: Many[FormAnnotation] = many(
        "FormAnnotations", "FormAnnotation", back="sub_task", default=None
    )
    segmentations: Many[Segmentation] = many(
        "Segmentations", "Segmentation", back="sub_task", default=None
    )


@entity()
class SubTaskImageLink(Entity):
    """That an image belongs to a subtask."""

    sub_task_id: Column[int] = foreign_key(
        "SubTaskID", "SubTask", default=None, primary_key=True, on_delete="CASCADE"
    )
    image_instance_id: Column[int] = foreign_key(
        "ImageInstanceID", "ImageInstance", default=None, primary_key=True, on_delete="CASCADE"
    )

    sub_task: One[SubTask] = one(
        "SubTask", "SubTask", via="sub_task_id", back="sub_task_image_links", default=None
    )
    image_instance: One[ImageInstance] = one(
        "ImageInstance",
        "ImageInstance",
        via="image_instance_id",
        back="sub_task_image_links",
        default=None,
    )
