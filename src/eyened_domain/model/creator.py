"""Those who make things: people and programs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from eyened_domain.model.database_names.creator import CreatorNames
from eyened_domain.model.entity import Entity, entity
from eyened_domain.model.fields import Column, DateColumn, Many, column, key, many
from eyened_domain.model.values import Blob, Flag, Integer, Moment, Text

if TYPE_CHECKING:
    from eyened_domain.model.annotation import Annotation
    from eyened_domain.model.form import FormAnnotation
    from eyened_domain.model.segmentation import Segmentation
    from eyened_domain.model.tag import CreatorTagLink, Tag
    from eyened_domain.model.task import SubTask, Task


@entity(unique=(("creator_name",),), name="creator_name", repository="creators")
class Creator(CreatorNames, Entity):
    """Who made something: a grader, or a program (table `Creator`)."""

    creator_id: Column[int] = key("CreatorID", default=None)
    creator_name: Column[str] = column("CreatorName", Text(45))
    employee_identifier: Column[str | None] = column(
        "EmployeeIdentifier", Text(255), default=None, nullable=True
    )
    is_human: Column[bool] = column("IsHuman", Flag(), default=True)
    path: Column[str | None] = column("Path", Text(80), default=None, nullable=True)
    version: Column[int | None] = column("Version", Integer(), default=None, nullable=True)
    description: Column[str | None] = column("Description", Text(1000), default=None, nullable=True)
    role: Column[int | None] = column("Role", Integer(), default=None, nullable=True)
    password: Column[bytes | None] = column(
        "Password", Blob(32), default=None, nullable=True, private=True
    )
    password_hash: Column[str | None] = column(
        "PasswordHash", Text(255), default=None, nullable=True, private=True
    )
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)

    annotations: Many[Annotation] = many("Annotations", "Annotation", back="creator", default=None)
    form_annotations: Many[FormAnnotation] = many(
        "FormAnnotations", "FormAnnotation", back="creator", default=None
    )
    sub_tasks: Many[SubTask] = many("SubTasks", "SubTask", back="creator", default=None)
    segmentations: Many[Segmentation] = many(
        "Segmentations", "Segmentation", back="creator", default=None
    )
    tags: Many[Tag] = many("Tags", "Tag", back="creator", default=None)
    tasks: Many[Task] = many("Tasks", "Task", back="creator", default=None)
    starred_tags: Many[CreatorTagLink] = many(
        "StarredTags", "CreatorTagLink", back="creator", default=None
    )
