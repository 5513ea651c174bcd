"""Tables of `eyened_domain.model.annotation`."""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    text,
)

from eyened_domain.adapters.sql.clock import moment_of_update
from eyened_domain.adapters.sql.tables.metadata import metadata
from eyened_domain.adapters.sql.tables.types import LongBlob, Moment, varchar

annotation_type = Table(
    "AnnotationType",
    metadata,
    Column("AnnotationTypeID", Integer, key="annotation_type_id", primary_key=True),
    Column("AnnotationTypeName", varchar(45), key="annotation_type_name", nullable=False),
    Column("Interpretation", varchar(45), key="interpretation", nullable=False),
    UniqueConstraint(
        "annotation_type_name", "interpretation", name="AnnotationTypeNameInterpretation_UNIQUE"
    ),
)

annotation = Table(
    "Annotation",
    metadata,
    Column("AnnotationID", Integer, key="annotation_id", primary_key=True),
    Column(
        "PatientID", Integer, ForeignKey("Patient.patient_id"), key="patient_id", nullable=False
    ),
    Column("StudyID", Integer, ForeignKey("Study.study_id"), key="study_id", nullable=True),
    Column("SeriesID", Integer, ForeignKey("Series.series_id"), key="series_id", nullable=True),
    Column(
        "ImageInstanceID",
        Integer,
        ForeignKey("ImageInstance.image_instance_id", ondelete="CASCADE"),
        key="image_instance_id",
        nullable=True,
    ),
    Column(
        "CreatorID", Integer, ForeignKey("Creator.creator_id"), key="creator_id", nullable=False
    ),
    Column(
        "FeatureID", Integer, ForeignKey("Feature.feature_id"), key="feature_id", nullable=False
    ),
    Column(
        "AnnotationTypeID",
        Integer,
        ForeignKey("AnnotationType.annotation_type_id"),
        key="annotation_type_id",
        nullable=False,
    ),
    Column(
        "AnnotationReferenceID",
        Integer,
        ForeignKey("Annotation.annotation_id", ondelete="CASCADE"),
        key="annotation_reference_id",
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
    Index("fk_Annotation_AnnotationType1_idx", "annotation_type_id"),
    Index("fk_Annotation_Creator1_idx", "creator_id"),
    Index("fk_Annotation_Feature1_idx", "feature_id"),
    Index("fk_Annotation_ImageInstance1_idx", "image_instance_id"),
    Index("fk_Annotation_Patient1_idx", "patient_id"),
    Index("fk_Annotation_Series1_idx", "series_id"),
    Index("fk_Annotation_Study1_idx", "study_id"),
)

annotation_data = Table(
    "AnnotationData",
    metadata,
    Column(
        "AnnotationID",
        Integer,
        ForeignKey("Annotation.annotation_id", ondelete="CASCADE"),
        key="annotation_id",
        primary_key=True,
        autoincrement=False,
    ),
    Column("ScanNr", Integer, key="scan_nr", primary_key=True, autoincrement=False),
    Column("ValueInt", Integer, key="value_int", nullable=True),
    Column("ValueFloat", Float, key="value_float", nullable=True),
    Column("ValueBlob", LongBlob, key="value_blob", nullable=True),
    Column("DatasetIdentifier", varchar(45), key="dataset_identifier", nullable=False),
    Column(
        "DateModified",
        Moment,
        key="date_modified",
        nullable=True,
        onupdate=moment_of_update,
    ),
    Column("MediaType", varchar(45), key="media_type", nullable=False),
    UniqueConstraint("dataset_identifier"),
    Index("fk_AnnotationData_Annotation1_idx", "annotation_id"),
)
