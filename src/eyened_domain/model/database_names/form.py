"""The fields of `model.form` under their second names, for type checkers.

Written by `python -m tests.architecture.database_names`, from the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from eyened_domain import model
    from eyened_domain.model.fields import Column, DateColumn, EnumColumn, Many, One


class FormSchemaNames:
    """The fields of `FormSchema` under their second names."""

    FormSchemaID: Column[int]
    SchemaName: Column[str]
    Schema: Column[Any]
    EntityType: EnumColumn[model.EntityType | None]
    FormAnnotations: Many[model.FormAnnotation]


class FormAnnotationNames:
    """The fields of `FormAnnotation` under their second names."""

    FormAnnotationID: Column[int]
    FormSchemaID: Column[int]
    PatientID: Column[int]
    StudyID: Column[int | None]
    ImageInstanceID: Column[int | None]
    Laterality: EnumColumn[model.Laterality | None]
    CreatorID: Column[int]
    SubTaskID: Column[int | None]
    FormData: Column[Any]
    FormAnnotationReferenceID: Column[int | None]
    Inactive: Column[bool]
    DateInserted: DateColumn[datetime]
    DateModified: DateColumn[datetime | None]
    FormSchema: One[model.FormSchema]
    Patient: One[model.Patient]
    Study: One[model.Study | None]
    ImageInstance: One[model.ImageInstance | None]
    Creator: One[model.Creator]
    SubTask: One[model.SubTask | None]
    FormAnnotationReference: One[model.FormAnnotation | None]
    Revisions: Many[model.FormAnnotation]
    FormAnnotationTagLinks: Many[model.FormAnnotationTagLink]
