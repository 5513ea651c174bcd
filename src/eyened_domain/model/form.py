"""Forms and what was filled in."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from eyened_domain.model.entity import Entity, entity
from eyened_domain.model.enums import EntityType, Laterality
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
from eyened_domain.model.values import Flag, Json, Moment, Text

if TYPE_CHECKING:
    from eyened_domain.model.creator import Creator
    from eyened_domain.model.image import ImageInstance
    from eyened_domain.model.patient import Patient
    from eyened_domain.model.study import Study
    from eyened_domain.model.tag import FormAnnotationTagLink
    from eyened_domain.model.task import SubTask


@entity(unique=(("schema_name",),), name="schema_name")
class FormSchema(Entity):
    """The JSON schema of a form, and what it is filled in about."""

    form_schema_id: Column[int] = key("FormSchemaID", default=None)
    schema_name: Column[str] = column("SchemaName", Text(255))
    schema: Column[Any] = column("Schema", Json(), default=None, nullable=True)
    entity_type: EnumColumn[EntityType | None] = choice(
        "EntityType", EntityType, default=None, nullable=True
    )

    form_annotations: Many[FormAnnotation] = many(
        "FormAnnotations", "FormAnnotation", back="form_schema", default=None
    )


@entity()
class FormAnnotation(Entity):
    """A form that a creator filled in about a patient, study, eye or image."""

    form_annotation_id: Column[int] = key("FormAnnotationID", default=None)
    form_schema_id: Column[int] = foreign_key("FormSchemaID", "FormSchema", default=None)
    patient_id: Column[int] = foreign_key("PatientID", "Patient", default=None)
    study_id: Column[int | None] = foreign_key("StudyID", "Study", default=None, nullable=True)
    image_instance_id: Column[int | None] = foreign_key(
        "ImageInstanceID", "ImageInstance", default=None, nullable=True, on_delete="CASCADE"
    )
    laterality: EnumColumn[Laterality | None] = choice(
        "Laterality", Laterality, default=None, nullable=True
    )
    creator_id: Column[int] = foreign_key("CreatorID", "Creator", default=None)
    sub_task_id: Column[int | None] = foreign_key(
        "SubTaskID", "SubTask", default=None, nullable=True, on_delete="SET NULL"
    )
    form_data: Column[Any] = column("FormData", Json(), default=None, nullable=True)
    form_annotation_reference_id: Column[int | None] = foreign_key(
        "FormAnnotationReferenceID",
        "FormAnnotation",
        default=None,
        nullable=True,
        on_delete="CASCADE",
    )
    inactive: Column[bool] = column("Inactive", Flag(), default=False)
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)
    date_modified: DateColumn[datetime | None] = column(
        "DateModified", Moment(), default=None, nullable=True
    )

    form_schema: One[FormSchema] = one(
        "FormSchema", "FormSchema", via="form_schema_id", back="form_annotations", default=None
    )
    patient: One[Patient] = one(
        "Patient", "Patient", via="patient_id", back="form_annotations", default=None
    )
    study: One[Study | None] = one(
        "Study", "Study", via="study_id", back="form_annotations", default=None
    )
    image_instance: One[ImageInstance | None] = one(
        "ImageInstance",
        "ImageInstance",
        via="image_instance_id",
        back="form_annotations",
        default=None,
    )
    creator: One[Creator] = one(
        "Creator", "Creator", via="creator_id", back="form_annotations", default=None
    )
    sub_task: One[SubTask | None] = one(
        "SubTask", "SubTask", via="sub_task_id", back="form_annotations", default=None
    )
    form_annotation_tag_links: Many[FormAnnotationTagLink] = many(
        "FormAnnotationTagLinks", "FormAnnotationTagLink", back="form_annotation", default=None
    )
