"""Features, models and segmentations."""

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

from eyened_domain.adapters.sql.migrations.contract.words import NOW, choice, contract, varchar

Table(
    "Feature",
    contract,
    Column("FeatureID", Integer, primary_key=True),
    Column("FeatureName", varchar(60), nullable=False),
    Column("DateInserted", DateTime, nullable=False, server_default=NOW),
    UniqueConstraint("FeatureName"),
)

Table(
    "CompositeFeature",
    contract,
    Column(
        "ParentFeatureID",
        Integer,
        ForeignKey("Feature.FeatureID", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "ChildFeatureID",
        Integer,
        ForeignKey("Feature.FeatureID", ondelete="RESTRICT"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("FeatureIndex", Integer, primary_key=True, autoincrement=False),
    Index("fk_CompositeFeature_ChildFeature1_idx", "ChildFeatureID"),
    Index("fk_CompositeFeature_ParentFeature1_idx", "ParentFeatureID"),
)

Table(
    "Model",
    contract,
    Column("ModelID", Integer, primary_key=True),
    Column("ModelName", varchar(255), nullable=False),
    Column("Version", varchar(255), nullable=False),
    Column("ModelType", choice("segmentation", "attributes"), nullable=False),
    Column("Description", varchar(255), nullable=True),
    Column("DateInserted", DateTime, nullable=False, server_default=NOW),
    UniqueConstraint("ModelName", "Version"),
    UniqueConstraint("ModelName"),
)

Table(
    "SegmentationModel",
    contract,
    Column("ModelID", Integer, ForeignKey("Model.ModelID", ondelete="CASCADE"), primary_key=True),
    Column("FeatureID", Integer, ForeignKey("Feature.FeatureID"), nullable=True),
)

Table(
    "AttributesModel",
    contract,
    Column("ModelID", Integer, ForeignKey("Model.ModelID", ondelete="CASCADE"), primary_key=True),
)

Table(
    "Segmentation",
    contract,
    Column("SegmentationID", Integer, primary_key=True),
    Column("CreatorID", Integer, ForeignKey("Creator.CreatorID"), nullable=False),
    Column(
        "FeatureID", Integer, ForeignKey("Feature.FeatureID", ondelete="RESTRICT"), nullable=False
    ),
    Column(
        "SubTaskID", Integer, ForeignKey("SubTask.SubTaskID", ondelete="SET NULL"), nullable=True
    ),
    Column("DateInserted", DateTime, nullable=False, server_default=NOW),
    Column("DateModified", DateTime, nullable=True),
    Column("Inactive", Boolean, nullable=False),
    Column("ZarrArrayIndex", Integer, nullable=True),
    Column(
        "ImageInstanceID",
        Integer,
        ForeignKey("ImageInstance.ImageInstanceID", ondelete="CASCADE"),
        nullable=False,
    ),
    Column(
        "DataRepresentation",
        choice("Binary", "DualBitMask", "Probability", "MultiLabel", "MultiClass"),
        nullable=False,
    ),
    Column("Depth", Integer, nullable=False),
    Column("Height", Integer, nullable=False),
    Column("Width", Integer, nullable=False),
    Column("SparseAxis", Integer, nullable=True),
    Column("ImageProjectionMatrix", JSON, nullable=True),
    Column("ScanIndices", JSON, nullable=True),
    Column("DataType", choice("R8", "R8UI", "R16UI", "R32UI", "R32F"), nullable=False),
    Column("Threshold", Float, nullable=True),
    Column(
        "ReferenceSegmentationID", Integer, ForeignKey("Segmentation.SegmentationID"), nullable=True
    ),
)

Table(
    "ModelSegmentation",
    contract,
    Column("ModelSegmentationID", Integer, primary_key=True),
    Column("ModelID", Integer, ForeignKey("Model.ModelID"), nullable=False),
    Column("DateInserted", DateTime, nullable=False, server_default=NOW),
    Column("ZarrArrayIndex", Integer, nullable=True),
    Column(
        "ImageInstanceID",
        Integer,
        ForeignKey("ImageInstance.ImageInstanceID", ondelete="CASCADE"),
        nullable=False,
    ),
    Column(
        "DataRepresentation",
        choice("Binary", "DualBitMask", "Probability", "MultiLabel", "MultiClass"),
        nullable=False,
    ),
    Column("Depth", Integer, nullable=False),
    Column("Height", Integer, nullable=False),
    Column("Width", Integer, nullable=False),
    Column("SparseAxis", Integer, nullable=True),
    Column("ImageProjectionMatrix", JSON, nullable=True),
    Column("ScanIndices", JSON, nullable=True),
    Column("DataType", choice("R8", "R8UI", "R16UI", "R32UI", "R32F"), nullable=False),
    Column("Threshold", Float, nullable=True),
    Column(
        "ReferenceSegmentationID", Integer, ForeignKey("Segmentation.SegmentationID"), nullable=True
    ),
)
