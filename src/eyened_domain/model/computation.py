"""Models: programs that compute segmentations and attributes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from eyened_domain.errors import RuleBroken
from eyened_domain.model.entity import Entity, entity
from eyened_domain.model.enums import ModelKind
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
from eyened_domain.model.values import Moment, Text, shown

if TYPE_CHECKING:
    from eyened_domain.model.attribute import AttributeDefinition, AttributeValue
    from eyened_domain.model.feature import Feature
    from eyened_domain.model.segmentation import ModelSegmentation


@entity(unique=(("model_name", "version"), ("model_name",)), name="model_name")
class Model(Entity):
    """A program that computes segmentations or attributes from images, in one version."""

    model_id: Column[int] = key("ModelID", default=None)
    model_name: Column[str] = column("ModelName", Text(255))
    version: Column[str] = column("Version", Text(255))
    model_type: EnumColumn[ModelKind] = choice("ModelType", ModelKind)
    description: Column[str | None] = column("Description", Text(255), default=None, nullable=True)
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)

    produced_attribute_values: Many[AttributeValue] = many(
        "ProducedAttributeValues", "AttributeValue", back="producing_model", default=None
    )


@entity()
class SegmentationModel(Model):
    """A model that makes segmentations of a feature."""

    model_type: EnumColumn[ModelKind] = choice(
        "ModelType", ModelKind, default=ModelKind.Segmentation
    )

    feature_id: Column[int | None] = foreign_key(
        "FeatureID", "Feature", default=None, nullable=True
    )

    feature: One[Feature | None] = one(
        "Feature", "Feature", via="feature_id", back="segmentation_models", default=None
    )
    segmentations: Many[ModelSegmentation] = many(
        "Segmentations", "ModelSegmentation", back="model", default=None
    )

    @property
    def group_name(self) -> str:
        """Name of the zarr group with its segmentations: `model_<ModelName>_<Version>`.

        Raises:
            RuleBroken: name or version has a slash, which would lead to another group.
        """
        for name in ("model_name", "version"):
            text = getattr(self, name)
            if "/" in text or "\\" in text:
                raise RuleBroken(
                    f"SegmentationModel.{name} = {shown(text)}: a slash cannot stand in the name "
                    "of a zarr group",
                    entity="SegmentationModel",
                    field=name,
                    value=text,
                )
        return f"model_{self.model_name}_{self.version}"

    def check_rules(self) -> None:
        """Raise `RuleBroken` for a new model whose name cannot name a zarr group."""
        if self.__dict__.get("model_id") is None:
            _ = self.group_name


@entity()
class AttributesModel(Model):
    """A model that computes attributes, from other attributes or from images."""

    model_type: EnumColumn[ModelKind] = choice("ModelType", ModelKind, default=ModelKind.Attributes)

    model_inputs: Many[ModelInput] = many("ModelInputs", "ModelInput", back="model", default=None)
    output_attributes: Many[AttributeDefinition] = many(
        "OutputAttributes",
        "AttributeDefinition",
        back="producing_models",
        through=("AttributesModelOutput", "model_id", "attribute_id"),
        default=None,
    )


@entity(unique=(("model_id", "input_attribute_id"),))
class ModelInput(Entity):
    """An attribute that an attributes model takes as an input, under a name."""

    model_input_id: Column[int] = key("ModelInputID", default=None)
    model_id: Column[int] = foreign_key(
        "ModelID", "AttributesModel", default=None, on_delete="CASCADE"
    )
    input_attribute_id: Column[int] = foreign_key(
        "InputAttributeID", "AttributeDefinition", default=None, on_delete="CASCADE"
    )
    input_name: Column[str] = column("InputName", Text(255))

    model: One[AttributesModel] = one(
        "Model", "AttributesModel", via="model_id", back="model_inputs", default=None
    )
    input_attribute: One[AttributeDefinition] = one(
        "InputAttribute", "AttributeDefinition", via="input_attribute_id", default=None
    )


@entity()
class AttributesModelOutput(Entity):
    """That an attributes model computes an attribute."""

    model_id: Column[int] = foreign_key(
        "ModelID", "AttributesModel", default=None, primary_key=True, on_delete="CASCADE"
    )
    attribute_id: Column[int] = foreign_key(
        "AttributeID", "AttributeDefinition", default=None, primary_key=True, on_delete="CASCADE"
    )
