"""Legacy annotations, forms and tasks."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
)

from eyened_domain.adapters.sql.migrations.contract.words import (
    LONG_BLOB,
    NOW,
    TEXT,
    choice,
    contract,
    varchar,
)

Table(
    "AnnotationType",
    contract,
    Column("AnnotationTypeID", Integer, primary_key=True),
    Column("AnnotationTypeName", varchar(45), nullable=False),
    Column("Interpretation", varchar(45), nullable=False),
    UniqueConstraint(
        "AnnotationTypeName", "Interpretation", name="AnnotationTypeNameInterpretation_UNIQUE"
    ),
)

Table(
    "Annotation",
    contract,
    Column("AnnotationID", Integer, primary_key=True),
    Column("PatientID", Integer, ForeignKey("Patient.PatientID"), nullable=False),
    Column("StudyID", Integer, ForeignKey("Study.StudyID"), nullable=True),
    Column("SeriesID", Integer, ForeignKey("Series.SeriesID"), nullable=True),
    Column(
        "ImageInstanceID",
        Integer,
        ForeignKey("ImageInstance.ImageInstanceID", ondelete="CASCADE"),
        nullable=True,
    ),
    Column("CreatorID", Integer, ForeignKey("Creator.CreatorID"), nullable=False),
    Column("FeatureID", Integer, ForeignKey("Feature.FeatureID"), nullable=False),
    Column(
        "AnnotationTypeID", Integer, ForeignKey("AnnotationType.AnnotationTypeID"), nullable=False
    ),
    Column(
        "AnnotationReferenceID",
        Integer,
        ForeignKey("Annotation.AnnotationID", ondelete="CASCADE"),
        nullable=True,
    ),
    Column("Inactive", Boolean, nullable=False),
    Column("DateInserted", DateTime, nullable=False, server_default=NOW),
    Index("fk_Annotation_AnnotationType1_idx", "AnnotationTypeID"),
    Index("fk_Annotation_Creator1_idx", "CreatorID"),
    Index("fk_Annotation_Feature1_idx", "FeatureID"),
    Index("fk_Annotation_ImageInstance1_idx", "ImageInstanceID"),
    Index("fk_Annotation_Patient1_idx", "PatientID"),
    Index("fk_Annotation_Series1_idx", "SeriesID"),
    Index("fk_Annotation_Study1_idx", "StudyID"),
)

Table(
    "AnnotationData",
    contract,
    Column(
        "AnnotationID",
        Integer,
        ForeignKey("Annotation.AnnotationID", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("ScanNr", Integer, primary_key=True, autoincrement=False),
    Column("ValueInt", Integer, nullable=True),
    Column("ValueFloat", Float, nullable=True),
    Column("ValueBlob", LONG_BLOB, nullable=True),
    Column("DatasetIdentifier", varchar(45), nullable=False),
    Column("DateModified", DateTime, nullable=True),
    Column("MediaType", varchar(45), nullable=False),
    UniqueConstraint("DatasetIdentifier"),
    Index("fk_AnnotationData_Annotation1_idx", "AnnotationID"),
)

Table(
    "FormSchema",
    contract,
    Column("FormSchemaID", Integer, primary_key=True),
    Column("SchemaName", varchar(255), nullable=False),
    Column("Schema", JSON, nullable=True),
    Column(
        "EntityType", choice("Patient", "Study", "Eye", "StudyEye", "ImageInstance"), nullable=True
    ),
    UniqueConstraint("SchemaName"),
)

Table(
    "FormAnnotation",
    contract,
    Column("FormAnnotationID", Integer, primary_key=True),
    Column("FormSchemaID", Integer, ForeignKey("FormSchema.FormSchemaID"), nullable=False),
    Column("PatientID", Integer, ForeignKey("Patient.PatientID"), nullable=False),
    Column("StudyID", Integer, ForeignKey("Study.StudyID"), nullable=True),
    Column(
        "ImageInstanceID",
        Integer,
        ForeignKey("ImageInstance.ImageInstanceID", ondelete="CASCADE"),
        nullable=True,
    ),
    Column("Laterality", choice("L", "R"), nullable=True),
    Column("CreatorID", Integer, ForeignKey("Creator.CreatorID"), nullable=False),
    Column(
        "SubTaskID", Integer, ForeignKey("SubTask.SubTaskID", ondelete="SET NULL"), nullable=True
    ),
    Column("FormData", JSON, nullable=True),
    Column(
        "FormAnnotationReferenceID",
        Integer,
        ForeignKey("FormAnnotation.FormAnnotationID", ondelete="CASCADE"),
        nullable=True,
    ),
    Column("Inactive", Boolean, nullable=False),
    Column("DateInserted", DateTime, nullable=False, server_default=NOW),
    Column("DateModified", DateTime, nullable=True, server_default=NOW),
    Index("ix_FormAnnotation_FormAnnotationReferenceID", "FormAnnotationReferenceID"),
)

Table(
    "TaskDefinition",
    contract,
    Column("TaskDefinitionID", Integer, primary_key=True),
    Column("TaskDefinitionName", varchar(256), nullable=False),
    Column("TaskConfig", JSON, nullable=True),
    Column("DateInserted", DateTime, nullable=False, server_default=NOW),
)

Table(
    "Task",
    contract,
    Column("TaskID", Integer, primary_key=True),
    Column("TaskName", varchar(256), nullable=False),
    Column("Description", TEXT, nullable=True),
    Column("CreatorID", Integer, ForeignKey("Creator.CreatorID"), nullable=True),
    Column("ContactID", Integer, ForeignKey("Contact.ContactID"), nullable=True),
    Column(
        "TaskDefinitionID", Integer, ForeignKey("TaskDefinition.TaskDefinitionID"), nullable=False
    ),
    Column("DateInserted", DateTime, nullable=False, server_default=NOW),
    Column(
        "TaskState", choice("NotStarted", "Busy", "Finished", "Aborted", "Archived"), nullable=False
    ),
    Index("fk_Task_TaskDefinition1_idx", "TaskDefinitionID"),
)

Table(
    "SubTask",
    contract,
    Column("SubTaskID", Integer, primary_key=True),
    Column("TaskID", Integer, ForeignKey("Task.TaskID", ondelete="CASCADE"), nullable=False),
    Column("CreatorID", Integer, ForeignKey("Creator.CreatorID"), nullable=True),
    Column("Comments", TEXT, nullable=True),
    Column("TaskState", choice("NotStarted", "Busy", "Ready"), nullable=False),
    Index("fk_SubTask_Creator1_idx", "CreatorID"),
    Index("fk_SubTask_Task1_idx", "TaskID"),
)

Table(
    "SubTaskImageLink",
    contract,
    Column(
        "SubTaskID",
        Integer,
        ForeignKey("SubTask.SubTaskID", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "ImageInstanceID",
        Integer,
        ForeignKey("ImageInstance.ImageInstanceID", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Index("fk_SubTaskImageLink_ImageInstance1_idx", "ImageInstanceID"),
    Index("fk_SubTaskImageLink_SubTask1_idx", "SubTaskID"),
)
