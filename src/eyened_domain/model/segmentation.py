"""Segmentations drawn by people and computed by models."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from eyened_domain.model.entity import Entity, entity
from eyened_domain.model.enums import DataRepresentation, Datatype
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
from eyened_domain.model.values import Flag, Integer, Json, Moment, Real

if TYPE_CHECKING:
    from eyened_domain.model.attribute import AttributeValue
    from eyened_domain.model.computation import SegmentationModel
    from eyened_domain.model.creator import Creator
    from eyened_domain.model.feature import Feature
    from eyened_domain.model.image import ImageInstance
    from eyened_domain.model.tag import SegmentationTagLink
    from eyened_domain.model.task import SubTask


@entity()
class Segmentation(Entity):
    """A mask that a creator drew on an image; its pixels are in the zarr store.

    Shape (depth, height, width); `zarr_array_index` None means no pixels yet.
    """

    segmentation_id: Column[int] = key("SegmentationID")
    creator_id: Column[int] = foreign_key("CreatorID", "Creator", default=None)
    feature_id: Column[int] = foreign_key("FeatureID", "Feature", default=None)
    sub_task_id: Column[int | None] = foreign_key(
        "SubTaskID", "SubTask", default=None, nullable=True
    )
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)
    date_modified: DateColumn[datetime | None] = column(
        "DateModified", Moment(), default=None, nullable=True
    )
    inactive: Column[bool] = column("Inactive", Flag(), default=False)
    zarr_array_index: Column[int | None] = column(
        "ZarrArrayIndex", Integer(), default=None, nullable=True
    )
    image_instance_id: Column[int] = foreign_key("ImageInstanceID", "ImageInstance", default=None)
    data_representation: EnumColumn[DataRepresentation] = choice(
        "DataRepresentation", DataRepresentation
    )
    depth: Column[int] = column("Depth", Integer())
    height: Column[int] = column("Height", Integer())
    width: Column[int] = column("Width", Integer())
    sparse_axis: Column[int | None] = column("SparseAxis", Integer(), default=None, nullable=True)
    image_projection_matrix: Column[Any] = column(
        "ImageProjectionMatrix", Json(), default=None, nullable=True
    )
    scan_indices: Column[Any] = column("ScanIndices", Json(), default=None, nullable=True)
    data_type: EnumColumn[Datatype] = choice("DataType", Datatype)
    threshold: Column[float | None] = column("Threshold", Real(), default=None, nullable=True)
    reference_segmentation_id: Column[int | None] = foreign_key(
        "ReferenceSegmentationID", "Segmentation", default=None, nullable=True
    )

    image_instance: One[ImageInstance] = one(
        "ImageInstance",
        "ImageInstance",
        via="image_instance_id",
        back="segmentations",
        default=None,
    )
    creator: One[Creator] = one(
        "Creator", "Creator", via="creator_id", back="segmentations", default=None
    )
    feature: One[Feature] = one(
        "Feature", "Feature", via="feature_id", back="segmentations", default=None
    )
    sub_task: One[SubTask | None] = one(
        "SubTask", "SubTask", via="sub_task_id", back="segmentations", default=None
    )
    segmentation_tag_links: Many[SegmentationTagLink] = many(
        "SegmentationTagLinks", "SegmentationTagLink", back="segmentation", default=None
    )
    attribute_values: Many[AttributeValue] = many(
        "AttributeValues", "AttributeValue", back="segmentation", default=None
    )


@entity()
class ModelSegmentation(Entity):
    """A mask that a model computed on an image; its pixels are in the zarr store."""

    model_segmentation_id: Column[int] = key("ModelSegmentationID")
    model_id: Column[int] = foreign_key("ModelID", "Model", default=None)
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)
    zarr_array_index: Column[int | None] = column(
        "ZarrArrayIndex", Integer(), default=None, nullable=True
    )
    image_instance_id: Column[int] = foreign_key("ImageInstanceID", "ImageInstance", default=None)
    data_representation: EnumColumn[DataRepresentation] = choice(
        "DataRepresentation", DataRepresentation
    )
    depth: Column[int] = column("Depth", Integer())
    height: Column[int] = column("Height", Integer())
    width: Column[int] = column("Width", Integer())
    sparse_axis: Column[int | None] = column("SparseAxis", Integer(), default=None, nullable=True)
    image_projection_matrix: Column[Any] = column(
        "ImageProjectionMatrix", Json(), default=None, nullable=True
    )
    scan_indices: Column[Any] = column("ScanIndices", Json(), default=None, nullable=True)
    data_type: EnumColumn[Datatype] = choice("DataType", Datatype)
    threshold: Column[float | None] = column("Threshold", Real(), default=None, nullable=True)
    reference_segmentation_id: Column[int | None] = foreign_key(
        "ReferenceSegmentationID", "Segmentation", default=None, nullable=True
    )

    model: One[SegmentationModel] = one(
        "Model", "SegmentationModel", via="model_id", back="segmentations", default=None
    )
    image_instance: One[ImageInstance] = one(
        "ImageInstance",
        "ImageInstance",
        via="image_instance_id",
        back="model_segmentations",
        default=None,
    )
    attribute_values: Many[AttributeValue] = many(
        "AttributeValues", "AttributeValue", back="model_segmentation", default=None
    )
