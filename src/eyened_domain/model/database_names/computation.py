"""The fields of `model.computation` under their second names, for type checkers.

Written by `python -m tests.architecture.database_names`, from the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from eyened_domain import model
    from eyened_domain.model.fields import Column, DateColumn, EnumColumn, Many, One


class ModelNames:
    """The fields of `Model` under their second names."""

    ModelID: Column[int]
    ModelName: Column[str]
    Version: Column[str]
    ModelType: EnumColumn[model.ModelKind]
    Description: Column[str | None]
    DateInserted: DateColumn[datetime]
    ProducedAttributeValues: Many[model.AttributeValue]


class SegmentationModelNames:
    """The fields of `SegmentationModel` under their second names."""

    ModelType: EnumColumn[model.ModelKind]
    FeatureID: Column[int | None]
    Feature: One[model.Feature | None]
    Segmentations: Many[model.ModelSegmentation]


class AttributesModelNames:
    """The fields of `AttributesModel` under their second names."""

    ModelType: EnumColumn[model.ModelKind]
    ModelInputs: Many[model.ModelInput]
    OutputAttributes: Many[model.AttributeDefinition]


class ModelInputNames:
    """The fields of `ModelInput` under their second names."""

    ModelInputID: Column[int]
    ModelID: Column[int]
    InputAttributeID: Column[int]
    InputName: Column[str]
    Model: One[model.AttributesModel]
    InputAttribute: One[model.AttributeDefinition]


class AttributesModelOutputNames:
    """The fields of `AttributesModelOutput` under their second names."""

    ModelID: Column[int]
    AttributeID: Column[int]
