"""Attributes, their values, and what computes them."""

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
)

from eyened_domain.adapters.sql.migrations.contract.words import choice, contract, varchar

Table(
    "AttributeDefinition",
    contract,
    Column("AttributeID", Integer, primary_key=True),
    Column("AttributeName", varchar(255), nullable=False),
    Column("AttributeDataType", choice("String", "Float", "Int", "JSON"), nullable=False),
    UniqueConstraint("AttributeName", name="uq_AttributeDefinition_AttributeName"),
)

Table(
    "ModelInput",
    contract,
    Column("ModelInputID", Integer, primary_key=True),
    Column(
        "ModelID",
        Integer,
        ForeignKey("AttributesModel.ModelID", ondelete="CASCADE"),
        nullable=False,
    ),
    Column(
        "InputAttributeID",
        Integer,
        ForeignKey("AttributeDefinition.AttributeID", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("InputName", varchar(255), nullable=False),
    UniqueConstraint("ModelID", "InputAttributeID", name="uq_ModelInput_ModelID_InputAttributeID"),
    Index("fk_ModelInput_Attribute1_idx", "InputAttributeID"),
    Index("fk_ModelInput_Model1_idx", "ModelID"),
)

Table(
    "AttributesModelOutput",
    contract,
    Column(
        "ModelID",
        Integer,
        ForeignKey("AttributesModel.ModelID", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "AttributeID",
        Integer,
        ForeignKey("AttributeDefinition.AttributeID", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
)

Table(
    "AttributeValue",
    contract,
    Column("AttributeValueID", Integer, primary_key=True),
    Column(
        "AttributeID",
        Integer,
        ForeignKey("AttributeDefinition.AttributeID", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("ModelID", Integer, ForeignKey("Model.ModelID", ondelete="CASCADE"), nullable=False),
    Column(
        "ImageInstanceID",
        Integer,
        ForeignKey("ImageInstance.ImageInstanceID", ondelete="CASCADE"),
        nullable=True,
    ),
    Column(
        "SegmentationID",
        Integer,
        ForeignKey("Segmentation.SegmentationID", ondelete="CASCADE"),
        nullable=True,
    ),
    Column(
        "ModelSegmentationID",
        Integer,
        ForeignKey("ModelSegmentation.ModelSegmentationID", ondelete="CASCADE"),
        nullable=True,
    ),
    Column("PatientID", Integer, ForeignKey("Patient.PatientID"), nullable=True),
    Column("StudyID", Integer, ForeignKey("Study.StudyID"), nullable=True),
    Column("Laterality", choice("L", "R"), nullable=True),
    Column("ValueFloat", Float, nullable=True),
    Column("ValueInt", Integer, nullable=True),
    Column("ValueText", varchar(255), nullable=True),
    Column("ValueJSON", JSON, nullable=True),
    UniqueConstraint(
        "ImageInstanceID", "AttributeID", "ModelID", name="uq_AttributeValue_image_attribute_model"
    ),
    UniqueConstraint(
        "ModelSegmentationID",
        "AttributeID",
        "ModelID",
        name="uq_AttributeValue_modelseg_attribute_model",
    ),
    UniqueConstraint(
        "PatientID", "AttributeID", "ModelID", name="uq_AttributeValue_patient_attribute_model"
    ),
    UniqueConstraint(
        "SegmentationID",
        "AttributeID",
        "ModelID",
        name="uq_AttributeValue_segmentation_attribute_model",
    ),
    UniqueConstraint(
        "StudyID", "AttributeID", "ModelID", name="uq_AttributeValue_study_attribute_model"
    ),
    CheckConstraint(
        "(ImageInstanceID IS NOT NULL) + (SegmentationID IS NOT NULL)"
        " + (ModelSegmentationID IS NOT NULL) + (PatientID IS NOT NULL)"
        " + (StudyID IS NOT NULL) = 1",
        name="ck_AttributeValue_exactly_one_entity",
    ),
    Index("fk_AttributeValue_Attribute1_idx", "AttributeID"),
    Index("fk_AttributeValue_ImageInstance1_idx", "ImageInstanceID"),
    Index("fk_AttributeValue_Model1_idx", "ModelID"),
    Index("fk_AttributeValue_ModelSegmentation1_idx", "ModelSegmentationID"),
    Index("fk_AttributeValue_Patient1_idx", "PatientID"),
    Index("fk_AttributeValue_Segmentation1_idx", "SegmentationID"),
    Index("fk_AttributeValue_Study1_idx", "StudyID"),
)

Table(
    "AttributeValueInput",
    contract,
    Column(
        "OutputAttributeValueID",
        Integer,
        ForeignKey("AttributeValue.AttributeValueID", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "InputAttributeValueID",
        Integer,
        ForeignKey("AttributeValue.AttributeValueID", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
)
