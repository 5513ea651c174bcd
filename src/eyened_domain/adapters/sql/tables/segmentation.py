"""Tables of `eyened_domain.model.segmentation`."""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Integer, Table, text

from eyened_domain.adapters.sql.tables.metadata import metadata
from eyened_domain.adapters.sql.tables.types import Json, Moment, names_of
from eyened_domain.model.enums import DataRepresentation, Datatype

segmentation = Table(
    "Segmentation",
    metadata,
    Column("SegmentationID", Integer, key="segmentation_id", primary_key=True),
    Column(
        "CreatorID", Integer, ForeignKey("Creator.creator_id"), key="creator_id", nullable=False
    ),
    Column(
        "FeatureID",
        Integer,
        ForeignKey("Feature.feature_id", ondelete="RESTRICT"),
        key="feature_id",
        nullable=False,
    ),
    Column(
        "SubTaskID",
        Integer,
        ForeignKey("SubTask.sub_task_id", ondelete="SET NULL"),
        key="sub_task_id",
        nullable=True,
    ),
    Column(
        "DateInserted",
        Moment,
        key="date_inserted",
        nullable=False,
        server_default=text("CURRENT_TIMESTAMP"),
    ),
    Column("DateModified", Moment, key="date_modified", nullable=True),
    Column("Inactive", Boolean, key="inactive", nullable=False),
    Column("ZarrArrayIndex", Integer, key="zarr_array_index", nullable=True),
    Column(
        "ImageInstanceID",
        Integer,
        ForeignKey("ImageInstance.image_instance_id", ondelete="CASCADE"),
        key="image_instance_id",
        nullable=False,
    ),
    Column(
        "DataRepresentation",
        names_of(DataRepresentation),
        key="data_representation",
        nullable=False,
    ),
    Column("Depth", Integer, key="depth", nullable=False),
    Column("Height", Integer, key="height", nullable=False),
    Column("Width", Integer, key="width", nullable=False),
    Column("SparseAxis", Integer, key="sparse_axis", nullable=True),
    Column("ImageProjectionMatrix", Json, key="image_projection_matrix", nullable=True),
    Column("ScanIndices", Json, key="scan_indices", nullable=True),
    Column("DataType", names_of(Datatype), key="data_type", nullable=False),
    Column("Threshold", Float, key="threshold", nullable=True),
    Column(
        "ReferenceSegmentationID",
        Integer,
        ForeignKey("Segmentation.segmentation_id"),
        key="reference_segmentation_id",
        nullable=True,
    ),
)

model_segmentation = Table(
    "ModelSegmentation",
    metadata,
    Column("ModelSegmentationID", Integer, key="model_segmentation_id", primary_key=True),
    Column("ModelID", Integer, ForeignKey("Model.model_id"), key="model_id", nullable=False),
    Column(
        "DateInserted",
        Moment,
        key="date_inserted",
        nullable=False,
        server_default=text("CURRENT_TIMESTAMP"),
    ),
    Column("ZarrArrayIndex", Integer, key="zarr_array_index", nullable=True),
    Column(
        "ImageInstanceID",
        Integer,
        ForeignKey("ImageInstance.image_instance_id", ondelete="CASCADE"),
        key="image_instance_id",
        nullable=False,
    ),
    Column(
        "DataRepresentation",
        names_of(DataRepresentation),
        key="data_representation",
        nullable=False,
    ),
    Column("Depth", Integer, key="depth", nullable=False),
    Column("Height", Integer, key="height", nullable=False),
    Column("Width", Integer, key="width", nullable=False),
    Column("SparseAxis", Integer, key="sparse_axis", nullable=True),
    Column("ImageProjectionMatrix", Json, key="image_projection_matrix", nullable=True),
    Column("ScanIndices", Json, key="scan_indices", nullable=True),
    Column("DataType", names_of(Datatype), key="data_type", nullable=False),
    Column("Threshold", Float, key="threshold", nullable=True),
    Column(
        "ReferenceSegmentationID",
        Integer,
        ForeignKey("Segmentation.segmentation_id"),
        key="reference_segmentation_id",
        nullable=True,
    ),
)
