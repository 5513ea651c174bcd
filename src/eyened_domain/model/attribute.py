"""Attributes: quantities that models compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eyened_domain.model.entity import Entity, entity
from eyened_domain.model.enums import AttributeDataType, Laterality
from eyened_domain.model.fields import (
    Column,
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
from eyened_domain.model.values import Integer, Json, Real, Text

if TYPE_CHECKING:
    from eyened_domain.model.computation import AttributesModel, Model
    from eyened_domain.model.image import ImageInstance
    from eyened_domain.model.patient import Patient
    from eyened_domain.model.segmentation import ModelSegmentation, Segmentation
    from eyened_domain.model.study import Study


@entity(unique=(("attribute_name",),), name="attribute_name")
class AttributeDefinition(Entity):
    """A quantity that models compute: its name and the type of its values."""

    attribute_id: Column[int] = key("AttributeID", default=None)
    attribute_name: Column[str] = column("AttributeName", Text(255))
    attribute_data_type: EnumColumn[AttributeDataType] = choice(
        "AttributeDataType", AttributeDataType
    )

    attribute_values: Many[AttributeValue] = many(
        "AttributeValues", "AttributeValue", back="attribute_definition", default=None
    )
    producing_models: Many[AttributesModel] = many(
        "ProducingModels",
        "AttributesModel",
        back="output_attributes",
        through=("AttributesModelOutput", "attribute_id", "model_id"),
        default=None,
    )


@entity(
    unique=(
        ("image_instance_id", "attribute_id", "model_id"),
        ("model_segmentation_id", "attribute_id", "model_id"),
        ("patient_id", "attribute_id", "model_id"),
        ("segmentation_id", "attribute_id", "model_id"),
        ("study_id", "attribute_id", "model_id"),
    ),
)
class AttributeValue(Entity):
    """The value of an attribute for exactly one owner, computed by a model.

    The owner is an image, a segmentation, a model segmentation, a patient or a study
    (check constraint `ck_AttributeValue_exactly_one_entity`).
    """

    attribute_value_id: Column[int] = key("AttributeValueID", default=None)
    attribute_id: Column[int] = foreign_key(
        "AttributeID", "AttributeDefinition", default=None, on_delete="CASCADE"
    )
    model_id: Column[int] = foreign_key("ModelID", "Model", default=None, on_delete="CASCADE")
    image_instance_id: Column[int | None] = foreign_key(
        "ImageInstanceID", "ImageInstance", default=None, nullable=True, on_delete="CASCADE"
    )
    segmentation_id: Column[int | None] = foreign_key(
        "SegmentationID", "Segmentation", default=None, nullable=True, on_delete="CASCADE"
    )
    model_segmentation_id: Column[int | None] = foreign_key(
        "ModelSegmentationID", "ModelSegmentation", default=None, nullable=True, on_delete="CASCADE"
    )
    patient_id: Column[int | None] = foreign_key(
        "PatientID", "Patient", default=None, nullable=True
    )
    study_id: Column[int | None] = foreign_key("StudyID", "Study", default=None, nullable=True)
    laterality: EnumColumn[Laterality | None] = choice(
        "Laterality", Laterality, default=None, nullable=True
    )
    value_float: Column[float | None] = column("ValueFloat", Real(), default=None, nullable=True)
    value_int: Column[int | None] = column("ValueInt", Integer(), default=None, nullable=True)
    value_text: Column[str | None] = column("ValueText", Text(255), default=None, nullable=True)
    value_json: Column[Any] = column("ValueJSON", Json(), default=None, nullable=True)

    attribute_definition: One[AttributeDefinition] = one(
        "AttributeDefinition",
        "AttributeDefinition",
        via="attribute_id",
        back="attribute_values",
        default=None,
    )
    producing_model: One[Model] = one(
        "ProducingModel", "Model", via="model_id", back="produced_attribute_values", default=None
    )
    image_instance: One[ImageInstance | None] = one(
        "ImageInstance",
        "ImageInstance",
        via="image_instance_id",
        back="attribute_values",
        default=None,
    )
    segmentation: One[Segmentation | None] = one(
        "Segmentation", "Segmentation", via="segmentation_id", back="attribute_values", default=None
    )
    model_segmentation: One[ModelSegmentation | None] = one(
        "ModelSegmentation",
        "ModelSegmentation",
        via="model_segmentation_id",
        back="attribute_values",
        default=None,
    )
    patient: One[Patient | None] = one(
        "Patient", "Patient", via="patient_id", back="attribute_values", default=None
    )
    study: One[Study | None] = one(
        "Study", "Study", via="study_id", back="attribute_values", default=None
    )
    input_values: Many[AttributeValue] = many(
        "InputValues",
        "AttributeValue",
        back="used_by_values",
        through=("AttributeValueInput", "output_attribute_value_id", "input_attribute_value_id"),
        default=None,
    )
    used_by_values: Many[AttributeValue] = many(
        "UsedByValues",
        "AttributeValue",
        back="input_values",
        through=("AttributeValueInput", "input_attribute_value_id", "output_attribute_value_id"),
        default=None,
    )


@entity()
class AttributeValueInput(Entity):
    """That one attribute value was computed from another."""

    output_attribute_value_id: Column[int] = foreign_key(
        "OutputAttributeValueID",
        "AttributeValue",
        default=None,
        primary_key=True,
        on_delete="CASCADE",
    )
    input_attribute_value_id: Column[int] = foreign_key(
        "InputAttributeValueID",
        "AttributeValue",
        default=None,
        primary_key=True,
        on_delete="CASCADE",
    )

    output_value: One[AttributeValue] = one(
        "OutputValue", "AttributeValue", via="output_attribute_value_id", default=None
    )
    input_value: One[AttributeValue] = one(
        "InputValue", "AttributeValue", via="input_attribute_value_id", default=None
    )
