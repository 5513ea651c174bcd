"""The fields of `model.creator` under their second names, for type checkers.

Written by `python -m tests.architecture.database_names`, from the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from eyened_domain import model
    from eyened_domain.model.fields import Column, DateColumn, Many


class CreatorNames:
    """The fields of `Creator` under their second names."""

    CreatorID: Column[int]
    CreatorName: Column[str]
    EmployeeIdentifier: Column[str | None]
    IsHuman: Column[bool]
    Path: Column[str | None]
    Version: Column[int | None]
    Description: Column[str | None]
    Role: Column[int | None]
    Password: Column[bytes | None]
    PasswordHash: Column[str | None]
    DateInserted: DateColumn[datetime]
    Annotations: Many[model.Annotation]
    FormAnnotations: Many[model.FormAnnotation]
    SubTasks: Many[model.SubTask]
    Segmentations: Many[model.Segmentation]
    Tags: Many[model.Tag]
    Tasks: Many[model.Task]
    StarredTags: Many[model.CreatorTagLink]
