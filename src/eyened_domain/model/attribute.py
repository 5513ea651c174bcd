"""Attributes: quantities that models compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from eyened_domain.errors import BadInput, RuleBroken
from eyened_domain.model.database_names.attribute import (
    AttributeDefinitionNames,
    AttributeValueInputNames,
    AttributeValueNames,
)
from eyened_domain.model.entity import Entity, entity, entity_class
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
from eyened_domain.model.known_links import Certainty, is_set, loaded
from eyened_domain.model.values import Integer, Json, Real, Text, shown

if TYPE_CHECKING:
    from eyened_domain.model.computation import AttributesModel, Model
    from eyened_domain.model.image import ImageInstance
    from eyened_domain.model.patient import Patient
    from eyened_domain.model.segmentation import ModelSegmentation, Segmentation
    from eyened_domain.model.study import Study


OWNERS = ("image_instance", "segmentation", "model_segmentation", "patient", "study")
"""The links of an attribute value of which exactly one is set."""

VALUE_COLUMNS = {
    AttributeDataType.String: "value_text",
    AttributeDataType.Float: "value_float",
    AttributeDataType.Int: "value_int",
    AttributeDataType.JSON: "value_json",
}
"""The column of an attribute value that holds what is of a type."""


@entity(unique=(("attribute_name",),), name="attribute_name", repository="attributes")
class AttributeDefinition(AttributeDefinitionNames, Entity):
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

    @property
    def value_column(self) -> str:
        """Name of the column of `AttributeValue` that holds its values."""
        return VALUE_COLUMNS[self.attribute_data_type]

    def refuse_flag(self, value: Any) -> None:
        """Raise `BadInput` for True and False where the attribute holds numbers."""
        numeric = self.attribute_data_type in (AttributeDataType.Float, AttributeDataType.Int)
        if numeric and type(value).__name__ in ("bool", "bool_"):
            raise BadInput(
                f"AttributeValue.value: {self.attribute_name!r} holds numbers, not {value}",
                entity="AttributeValue",
                field=self.value_column,
                value=value,
            )


@entity(
    unique=(
        ("image_instance_id", "attribute_id", "model_id", "laterality"),
        ("model_segmentation_id", "attribute_id", "model_id", "laterality"),
        ("patient_id", "attribute_id", "model_id", "laterality"),
        ("segmentation_id", "attribute_id", "model_id", "laterality"),
        ("study_id", "attribute_id", "model_id", "laterality"),
    ),
    counted_empty=("model_id", "laterality"),
    repository="attribute_values",
)
class AttributeValue(AttributeValueNames, Entity):
    """The value of an attribute for exactly one owner, computed by a model, or by none.

    The owner is an image, a segmentation, a model segmentation, a patient or a study
    (check constraint `ck_AttributeValue_exactly_one_entity`). Each eye has a value of its own. A
    database at the contract, before revision 0004, has one of both eyes, and needs a model.
    """

    attribute_value_id: Column[int] = key("AttributeValueID", default=None)
    attribute_id: Column[int] = foreign_key(
        "AttributeID", "AttributeDefinition", default=None, on_delete="CASCADE"
    )
    model_id: Column[int | None] = foreign_key(
        "ModelID", "Model", default=None, nullable=True, on_delete="CASCADE"
    )
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
    value_float: Column[float | None] = column(
        "ValueFloat", Real(double=True), default=None, nullable=True
    )
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
    producing_model: One[Model | None] = one(
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

    @property
    def owner(self) -> Entity | None:
        """What the value is of: an image, a segmentation of either kind, a patient or a study.

        None when no owner was given, or only its id and no storage was asked. Setting it
        takes away the owner before.

        Raises:
            RuleBroken: there is more than one.
        """
        found = [owner for link in self._owners() if (owner := getattr(self, link)) is not None]
        if len(found) > 1:
            raise self._several_owners()
        return found[0] if found else None

    @owner.setter
    def owner(self, owner: Entity) -> None:
        links = self.__entity__.links
        new = [name for name in OWNERS if isinstance(owner, entity_class(links[name].target))]
        if not new:
            kinds = ", ".join(links[name].target for name in OWNERS)
            raise BadInput(
                f"AttributeValue.owner = {shown(owner)}: it is one of {kinds}",
                entity="AttributeValue",
                field="owner",
            )
        for name in OWNERS:
            if name not in new:
                setattr(self, name, None)
                setattr(self, str(links[name].via), None)
        setattr(self, str(links[new[0]].via), getattr(owner, owner.__entity__.primary_key[0]))
        setattr(self, new[0], owner)

    @property
    def value(self) -> Any:
        """The value, from the column that goes with the type of its attribute.

        Setting it puts it into that column and empties the others; None empties all.

        Raises:
            RuleBroken: there is no attribute definition to tell the type.
            BadInput: on setting, a value of another type.
        """
        return getattr(self, self._definition().value_column)

    @value.setter
    def value(self, value: Any) -> None:
        definition = self._definition()
        definition.refuse_flag(value)
        setattr(self, definition.value_column, value)
        for other in set(VALUE_COLUMNS.values()) - {definition.value_column}:
            setattr(self, other, None)

    rules_read: ClassVar[tuple[str, ...]] = ("attribute_definition",)

    def check_rules(self) -> None:
        """Raise `RuleBroken` unless it has one owner, and its value is of the right type.

        The type is checked where the definition is in view; see `rules_read`.
        """
        new = self.__dict__.get("attribute_value_id") is None
        sure = {name: is_set(self, name, new=new) for name in OWNERS}
        if list(sure.values()).count(Certainty.YES) > 1:
            raise self._several_owners()
        if all(one is Certainty.NO for one in sure.values()):
            raise RuleBroken(
                f"AttributeValue needs an owner: one of {', '.join(OWNERS)}",
                entity="AttributeValue",
                field="owner",
            )
        definition: AttributeDefinition | None = loaded(self, "attribute_definition")
        if new and definition is not None:
            self._check_column(definition)

    def _check_column(self, definition: AttributeDefinition) -> None:
        for name in VALUE_COLUMNS.values():
            value = self.__dict__.get(name)
            if value is not None and name != definition.value_column:
                raise RuleBroken(
                    f"AttributeValue.{name} = {shown(value)}: {definition.attribute_name!r} is of "
                    f"type {definition.attribute_data_type.name}, its values go into "
                    f"{definition.value_column}",
                    entity="AttributeValue",
                    field=name,
                    value=value,
                )

    def _owners(self) -> list[str]:
        return [name for name in OWNERS if is_set(self, name, new=True) is not Certainty.NO]

    def _several_owners(self) -> RuleBroken:
        return RuleBroken(
            f"AttributeValue has more than one owner: {', '.join(self._owners())}; "
            "set value.owner to the one",
            entity="AttributeValue",
            field="owner",
        )

    def _definition(self) -> AttributeDefinition:
        if self.attribute_definition is None:
            raise RuleBroken(
                "AttributeValue.value needs the attribute_definition, which tells its type; "
                "set it first",
                entity="AttributeValue",
                field="attribute_definition",
            )
        return self.attribute_definition


@entity(repository="attribute_value_inputs")
class AttributeValueInput(AttributeValueInputNames, Entity):
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
