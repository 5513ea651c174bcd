"""Tables of `eyened_domain.model.attribute`."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
)

from eyened_domain.adapters.sql.tables.metadata import metadata
from eyened_domain.adapters.sql.tables.types import Json, names_of, varchar
from eyened_domain.model.enums import AttributeDataType, Laterality

OWNERS = ("ImageInstanceID", "SegmentationID", "ModelSegmentationID", "PatientID", "StudyID")
EXACTLY_ONE_OWNER = " + ".join(f"({owner} IS NOT NULL)" for owner in OWNERS) + " = 1"

attribute_definition = Table(
    "AttributeDefinition",
    metadata,
    Column("AttributeID", Integer, key="attribute_id", primary_key=True),
    Column("AttributeName", varchar(255), key="attribute_name", nullable=False),
    Column(
        "AttributeDataType",
        names_of(AttributeDataType),
        key="attribute_data_type",
        nullable=False,
    ),
    UniqueConstraint("attribute_name", name="uq_AttributeDefinition_AttributeName"),
)

attribute_value = Table(
    "AttributeValue",
    metadata,
    Column("AttributeValueID", Integer, key="attribute_value_id", primary_key=True),
    Column(
        "AttributeID",
        Integer,
        ForeignKey("AttributeDefinition.attribute_id", ondelete="CASCADE"),
        key="attribute_id",
        nullable=False,
    ),
    Column(
        "ModelID",
        Integer,
        ForeignKey("Model.model_id", ondelete="CASCADE"),
        key="model_id",
        nullable=False,
    ),
    Column(
        "ImageInstanceID",
        Integer,
        ForeignKey("ImageInstance.image_instance_id", ondelete="CASCADE"),
        key="image_instance_id",
        nullable=True,
    ),
    Column(
        "SegmentationID",
        Integer,
        ForeignKey("Segmentation.segmentation_id", ondelete="CASCADE"),
        key="segmentation_id",
        nullable=True,
    ),
    Column(
        "ModelSegmentationID",
        Integer,
        ForeignKey("ModelSegmentation.model_segmentation_id", ondelete="CASCADE"),
        key="model_segmentation_id",
        nullable=True,
    ),
    Column("PatientID", Integer, ForeignKey("Patient.patient_id"), key="patient_id", nullable=True),
    Column("StudyID", Integer, ForeignKey("Study.study_id"), key="study_id", nullable=True),
    Column("Laterality", names_of(Laterality), key="laterality", nullable=True),
    Column("ValueFloat", Float, key="value_float", nullable=True),
    Column("ValueInt", Integer, key="value_int", nullable=True),
    Column("ValueText", varchar(255), key="value_text", nullable=True),
    Column("ValueJSON", Json, key="value_json", nullable=True),
    UniqueConstraint(
        "image_instance_id",
        "attribute_id",
        "model_id",
        name="uq_AttributeValue_image_attribute_model",
    ),
    UniqueConstraint(
        "model_segmentation_id",
        "attribute_id",
        "model_id",
        name="uq_AttributeValue_modelseg_attribute_model",
    ),
    UniqueConstraint(
        "patient_id", "attribute_id", "model_id", name="uq_AttributeValue_patient_attribute_model"
    ),
    UniqueConstraint(
        "segmentation_id",
        "attribute_id",
        "model_id",
        name="uq_AttributeValue_segmentation_attribute_model",
    ),
    UniqueConstraint(
        "study_id", "attribute_id", "model_id", name="uq_AttributeValue_study_attribute_model"
    ),
    Index("fk_AttributeValue_Attribute1_idx", "attribute_id"),
    Index("fk_AttributeValue_ImageInstance1_idx", "image_instance_id"),
    Index("fk_AttributeValue_Model1_idx", "model_id"),
    Index("fk_AttributeValue_ModelSegmentation1_idx", "model_segmentation_id"),
    Index("fk_AttributeValue_Patient1_idx", "patient_id"),
    Index("fk_AttributeValue_Segmentation1_idx", "segmentation_id"),
    Index("fk_AttributeValue_Study1_idx", "study_id"),
    CheckConstraint(EXACTLY_ONE_OWNER, name="ck_AttributeValue_exactly_one_entity"),
)

attribute_value_input = Table(
    "AttributeValueInput",
    metadata,
    Column(
        "OutputAttributeValueID",
        Integer,
        ForeignKey("AttributeValue.attribute_value_id", ondelete="CASCADE"),
        key="output_attribute_value_id",
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "InputAttributeValueID",
        Integer,
        ForeignKey("AttributeValue.attribute_value_id", ondelete="CASCADE"),
        key="input_attribute_value_id",
        primary_key=True,
        autoincrement=False,
    ),
)
