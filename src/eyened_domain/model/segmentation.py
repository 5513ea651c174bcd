"""Segmentations drawn by people and computed by models."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from eyened_domain.model.database_names.segmentation import (
    ModelSegmentationNames,
    SegmentationNames,
)
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
from eyened_domain.model.pixels.pictured import PicturedPixels
from eyened_domain.model.pixels.store import PixelStore
from eyened_domain.model.values import Flag, Integer, Json, Moment, Real

if TYPE_CHECKING:
    from eyened_domain.model.attribute import AttributeValue
    from eyened_domain.model.computation import SegmentationModel
    from eyened_domain.model.creator import Creator
    from eyened_domain.model.feature import Feature
    from eyened_domain.model.image import ImageInstance
    from eyened_domain.model.tag import SegmentationTagLink
    from eyened_domain.model.task import SubTask


@entity(repository="segmentations")
class Segmentation(PicturedPixels, SegmentationNames, Entity):
    """A mask that a creator drew on an image; its pixels are in the zarr store.

    Shape (depth, height, width); `zarr_array_index` None means no pixels yet.
    """

    segmentation_id: Column[int] = key("SegmentationID", default=None)
    creator_id: Column[int] = foreign_key("CreatorID", "Creator", default=None)
    feature_id: Column[int] = foreign_key(
        "FeatureID", "Feature", default=None, on_delete="RESTRICT"
    )
    sub_task_id: Column[int | None] = foreign_key(
        "SubTaskID", "SubTask", default=None, nullable=True, on_delete="SET NULL"
    )
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)
    date_modified: DateColumn[datetime | None] = column(
        "DateModified", Moment(), default=None, nullable=True, copied=False
    )
    inactive: Column[bool] = column("Inactive", Flag(), default=False)
    zarr_array_index: Column[int | None] = column(
        "ZarrArrayIndex", Integer(), default=None, nullable=True, copied=False
    )
    image_instance_id: Column[int] = foreign_key(
        "ImageInstanceID", "ImageInstance", default=None, on_delete="CASCADE"
    )
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

    @property
    def group_name(self) -> str:
        """Name of the zarr group with its array: `DataRepresentation.<name>`."""
        return f"DataRepresentation.{self.data_representation.name}"

    def check_rules(self) -> None:
        """Raise `RuleBroken` where it is not valid; see `PixelGrid.check_rules`."""
        super().check_rules()
        reference = self.__dict__.get("reference_segmentation_id")
        if reference is not None and reference == self.__dict__.get("segmentation_id"):
            raise self._broken("is the segmentation itself", "reference_segmentation_id", reference)
        feature: Feature | None = self.__dict__.get("feature")
        if feature is not None and self.__dict__.get("segmentation_id") is None:
            feature.check_labels(self.data_representation, self.data_type)

    def _shown_feature(self) -> Feature | None:
        return self.feature

    def _shown_feature_in(self, store: PixelStore) -> Feature | None:
        from eyened_domain.model.feature import Feature  # noqa: PLC0415 - a cycle

        if self.feature is None and self.feature_id is not None:
            return store.find(Feature, self.feature_id)
        return self.feature


@entity(repository="model_segmentations")
class ModelSegmentation(PicturedPixels, ModelSegmentationNames, Entity):
    """A mask that a model computed on an image; its pixels are in the zarr store."""

    model_segmentation_id: Column[int] = key("ModelSegmentationID", default=None)
    model_id: Column[int] = foreign_key("ModelID", "Model", default=None)
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)
    zarr_array_index: Column[int | None] = column(
        "ZarrArrayIndex", Integer(), default=None, nullable=True, copied=False
    )
    image_instance_id: Column[int] = foreign_key(
        "ImageInstanceID", "ImageInstance", default=None, on_delete="CASCADE"
    )
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

    if not TYPE_CHECKING:  # as in `Entity`

        def __setattr__(self, name: str, value: Any) -> None:
            if name == "model" and value is not None and self.model_id is not None:
                self._check_model(value)
            super().__setattr__(name, value)

    def _check_model(self, model: SegmentationModel) -> None:
        """Raise `RuleBroken` where another model would lead to pixels of another one."""
        if self.__dict__.get("zarr_array_index") is not None:
            self._check_unchanged("model_id", model.__dict__.get("model_id") or 0)

    @property
    def group_name(self) -> str:
        """Name of the zarr group with its array: `model_<ModelName>_<Version>`.

        Raises:
            RuleBroken: no model is linked, or its name cannot name a group.
        """
        if self.model is None:
            raise self._broken("is needed for the name of the zarr group", "model")
        return self.model.group_name

    @property
    def shown_name(self) -> str | None:
        """Name of the feature that the model finds, or of the model where it names none."""
        name = super().shown_name
        return self.model.model_name if name is None and self.model is not None else name

    def _shown_feature(self) -> Feature | None:
        return self.model.feature if self.model is not None else None

    def _shown_feature_in(self, store: PixelStore) -> Feature | None:
        self._complete(store)
        return self._shown_feature()

    def _complete(self, store: PixelStore) -> None:
        from eyened_domain.model.computation import SegmentationModel  # noqa: PLC0415 - a cycle

        if self.model is None and self.model_id is not None:
            self.model = store.find(SegmentationModel, self.model_id)
