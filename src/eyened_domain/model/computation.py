"""Models: programs that compute segmentations and attributes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING
from unicodedata import category

from eyened_domain.errors import RuleBroken
from eyened_domain.model.database_names.computation import (
    AttributesModelNames,
    AttributesModelOutputNames,
    ModelInputNames,
    ModelNames,
    SegmentationModelNames,
)
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

_LONGEST_BYTES = 255
"""Bytes of the name of a folder that file systems bear."""
_UNPRINTED = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories: control characters, halves of characters, ends of lines."""


@entity(
    unique=(("model_name", "version"),),
    name="model_name",
    discriminator="model_type",
    repository="models",
)
class Model(ModelNames, Entity):
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


@entity(repository="segmentation_models")
class SegmentationModel(SegmentationModelNames, Model):
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
                raise self._unfit(name, "a slash cannot stand")
        return f"model_{self.model_name}_{self.version}"

    def check_rules(self) -> None:
        """Raise `RuleBroken` for a new model whose name cannot name a zarr group."""
        if self.__dict__.get("model_id") is None:
            self.check_group_name()

    def check_group_name(self) -> None:
        """Raise `RuleBroken` unless every file system bears a folder named after the model.

        Rows that older programs wrote may break this; their pixels are read all the same.
        """
        for name in ("model_name", "version"):
            text = getattr(self, name)
            if text != text.strip() or any(category(c) in _UNPRINTED for c in text):
                raise self._unfit(name, "spaces around it and control characters cannot stand")
        if self.version.endswith("."):
            raise self._unfit("version", "a dot at the end cannot stand")
        if len(self.group_name.encode()) > _LONGEST_BYTES:
            raise self._unfit("model_name", f"more than {_LONGEST_BYTES} bytes cannot stand")

    def check_renaming(self, fields: Collection[str], *, has_pixels: bool) -> None:
        """Raise `RuleBroken` where name or version must stay as they are.

        Args:
            fields: which of them are to change.
            has_pixels: whether a segmentation of the model has pixels, in the group that is
                named after the two.
        """
        self.check_group_name()
        for name in fields:
            if has_pixels:
                raise self._broken_group(
                    name,
                    "it has segmentations with pixels, which are in the zarr group of the old "
                    "name; add a new model",
                )

    def _unfit(self, name: str, reason: str) -> RuleBroken:
        return self._broken_group(name, f"{reason} in the name of a zarr group")

    def _broken_group(self, name: str, reason: str) -> RuleBroken:
        text = getattr(self, name)
        return RuleBroken(
            f"SegmentationModel.{name} = {shown(text)}: {reason}",
            entity="SegmentationModel",
            field=name,
            value=text,
        )


@entity(repository="attributes_models")
class AttributesModel(AttributesModelNames, Model):
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


@entity(unique=(("model_id", "input_attribute_id"),), repository="model_inputs")
class ModelInput(ModelInputNames, Entity):
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


@entity(repository="model_outputs")
class AttributesModelOutput(AttributesModelOutputNames, Entity):
    """That an attributes model computes an attribute."""

    model_id: Column[int] = foreign_key(
        "ModelID", "AttributesModel", default=None, primary_key=True, on_delete="CASCADE"
    )
    attribute_id: Column[int] = foreign_key(
        "AttributeID", "AttributeDefinition", default=None, primary_key=True, on_delete="CASCADE"
    )
