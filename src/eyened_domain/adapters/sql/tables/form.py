"""Tables of `eyened_domain.model.form`."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    text,
)

from eyened_domain.adapters.sql.clock import moment_of_update
from eyened_domain.adapters.sql.tables.metadata import metadata
from eyened_domain.adapters.sql.tables.types import Json, Moment, names_of, varchar
from eyened_domain.model.enums import EntityType, Laterality

form_schema = Table(
    "FormSchema",
    metadata,
    Column("FormSchemaID", Integer, key="form_schema_id", primary_key=True),
    Column("SchemaName", varchar(255), key="schema_name", nullable=False),
    Column("Schema", Json, key="schema", nullable=True),
    Column("EntityType", names_of(EntityType), key="entity_type", nullable=True),
    UniqueConstraint("schema_name"),
)

form_annotation = Table(
    "FormAnnotation",
    metadata,
    Column("FormAnnotationID", Integer, key="form_annotation_id", primary_key=True),
    Column(
        "FormSchemaID",
        Integer,
        ForeignKey("FormSchema.form_schema_id"),
        key="form_schema_id",
        nullable=False,
    ),
    Column(
        "PatientID", Integer, ForeignKey("Patient.patient_id"), key="patient_id", nullable=False
    ),
    Column("StudyID", Integer, ForeignKey("Study.study_id"), key="study_id", nullable=True),
    Column(
        "ImageInstanceID",
        Integer,
        ForeignKey("ImageInstance.image_instance_id", ondelete="CASCADE"),
        key="image_instance_id",
        nullable=True,
    ),
    Column("Laterality", names_of(Laterality), key="laterality", nullable=True),
    Column(
        "CreatorID", Integer, ForeignKey("Creator.creator_id"), key="creator_id", nullable=False
    ),
    Column(
        "SubTaskID",
        Integer,
        ForeignKey("SubTask.sub_task_id", ondelete="SET NULL"),
        key="sub_task_id",
        nullable=True,
    ),
    Column("FormData", Json, key="form_data", nullable=True),
    Column(
        "FormAnnotationReferenceID",
        Integer,
        ForeignKey("FormAnnotation.form_annotation_id", ondelete="CASCADE"),
        key="form_annotation_reference_id",
        nullable=True,
    ),
    Column("Inactive", Boolean, key="inactive", nullable=False),
    Column(
        "DateInserted",
        Moment,
        key="date_inserted",
        nullable=False,
        server_default=text("CURRENT_TIMESTAMP"),
    ),
    Column(
        "DateModified",
        Moment,
        key="date_modified",
        nullable=True,
        onupdate=moment_of_update,
        server_default=text("CURRENT_TIMESTAMP"),
    ),
    Index("ix_FormAnnotation_FormAnnotationReferenceID", "form_annotation_reference_id"),
)
