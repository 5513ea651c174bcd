"""The fields of `model.segmentation` under their second names, for type checkers.

Written by `python -m tests.architecture.database_names`, from the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from eyened_domain import model
    from eyened_domain.model.fields import Column, DateColumn, EnumColumn, Many, One


class SegmentationNames:
    """The fields of `Segmentation` under their second names."""

    SegmentationID: Column[int]
    CreatorID: Column[int]
    FeatureID: Column[int]
    SubTaskID: Column[int | None]
    DateInserted: DateColumn[datetime]
    DateModified: DateColumn[datetime | None]
    Inactive: Column[bool]
    ZarrArrayIndex: Column[int | None]
    ImageInstanceID: Column[int]
    DataRepresentation: EnumColumn[model.DataRepresentation]
    Depth: Column[int]
    Height: Column[int]
    Width: Column[int]
    SparseAxis: Column[int | None]
    ImageProjectionMatrix: Column[Any]
    ScanIndices: Column[Any]
    DataType: EnumColumn[model.Datatype]
    Threshold: Column[float | None]
    ReferenceSegmentationID: Column[int | None]
    ImageInstance: One[model.ImageInstance]
    Creator: One[model.Creator]
    Feature: One[model.Feature]
    SubTask: One[model.SubTask | None]
    SegmentationTagLinks: Many[model.SegmentationTagLink]
    AttributeValues: Many[model.AttributeValue]


class ModelSegmentationNames:
    """The fields of `ModelSegmentation` under their second names."""

    ModelSegmentationID: Column[int]
    ModelID: Column[int]
    DateInserted: DateColumn[datetime]
    ZarrArrayIndex: Column[int | None]
    ImageInstanceID: Column[int]
    DataRepresentation: EnumColumn[model.DataRepresentation]
    Depth: Column[int]
    Height: Column[int]
    Width: Column[int]
    SparseAxis: Column[int | None]
    ImageProjectionMatrix: Column[Any]
    ScanIndices: Column[Any]
    DataType: EnumColumn[model.Datatype]
    Threshold: Column[float | None]
    ReferenceSegmentationID: Column[int | None]
    Model: One[model.SegmentationModel]
    ImageInstance: One[model.ImageInstance]
    AttributeValues: Many[model.AttributeValue]
