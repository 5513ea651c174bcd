"""The fields of `model.attribute` under their second names, for type checkers.

Written by `python -m tests.architecture.database_names`, from the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from eyened_domain import model
    from eyened_domain.model.fields import Column, EnumColumn, Many, One


class AttributeDefinitionNames:
    """The fields of `AttributeDefinition` under their second names."""

    AttributeID: Column[int]
    AttributeName: Column[str]
    AttributeDataType: EnumColumn[model.AttributeDataType]
    AttributeValues: Many[model.AttributeValue]
    ProducingModels: Many[model.AttributesModel]


class AttributeValueNames:
    """The fields of `AttributeValue` under their second names."""

    AttributeValueID: Column[int]
    AttributeID: Column[int]
    ModelID: Column[int | None]
    ImageInstanceID: Column[int | None]
    SegmentationID: Column[int | None]
    ModelSegmentationID: Column[int | None]
    PatientID: Column[int | None]
    StudyID: Column[int | None]
    Laterality: EnumColumn[model.Laterality | None]
    ValueFloat: Column[float | None]
    ValueInt: Column[int | None]
    ValueText: Column[str | None]
    ValueJSON: Column[Any]
    AttributeDefinition: One[model.AttributeDefinition]
    ProducingModel: One[model.Model | None]
    ImageInstance: One[model.ImageInstance | None]
    Segmentation: One[model.Segmentation | None]
    ModelSegmentation: One[model.ModelSegmentation | None]
    Patient: One[model.Patient | None]
    Study: One[model.Study | None]
    InputValues: Many[model.AttributeValue]
    UsedByValues: Many[model.AttributeValue]


class AttributeValueInputNames:
    """The fields of `AttributeValueInput` under their second names."""

    OutputAttributeValueID: Column[int]
    InputAttributeValueID: Column[int]
    OutputValue: One[model.AttributeValue]
    InputValue: One[model.AttributeValue]
