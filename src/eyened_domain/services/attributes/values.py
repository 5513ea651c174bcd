"""Single values, as objects."""

from __future__ import annotations

from typing import Any

from eyened_domain.errors import BadInput
from eyened_domain.model.attribute import AttributeDefinition, AttributeValue
from eyened_domain.model.computation import Model
from eyened_domain.model.entity import Entity
from eyened_domain.model.enums import Laterality
from eyened_domain.model.values import kind_of
from eyened_domain.services.attributes.owners import owner_kind
from eyened_domain.services.unit_of_work import UnitOfWork


def find_value(
    uow: UnitOfWork,
    owner: Entity,
    attribute: AttributeDefinition | str,
    model: Model | None,
    laterality: Laterality | str | None,
) -> tuple[AttributeDefinition, AttributeValue | None]:
    """Return the definition, and the value that an owner has of it from a model, for an eye."""
    kind = owner_kind(type(owner))
    if model is not None and not isinstance(model, Model):
        raise BadInput(f"a model is a Model or None, not {kind_of(model)}", entity="Model")
    definition = attribute
    if not isinstance(definition, AttributeDefinition):
        definition = uow.attributes.by_name(definition)
    found = uow.attribute_values.one(
        default=None,
        include_inactive=True,
        attribute_definition=definition,
        producing_model=model,
        laterality=laterality,
        **{kind.link: owner},
    )
    return definition, found


def put_value(
    uow: UnitOfWork,
    owner: Entity,
    attribute: AttributeDefinition | str,
    value: Any,
    *,
    model: Model | None,
    laterality: Laterality | str | None,
) -> AttributeValue:
    """Store a value; see `Attributes.put`."""
    kind = owner_kind(type(owner))
    definition, found = find_value(uow, owner, attribute, model, laterality)
    if value is None:
        raise BadInput(
            f"there is no value to put for {definition.attribute_name!r}; clear() takes one away",
            entity="AttributeValue",
            field=definition.value_column,
        )
    if found is not None:
        found.value = value
        return found
    definition.refuse_flag(value)
    given: dict[str, Any] = {kind.link: owner, definition.value_column: value}
    if model is not None:
        given["producing_model"] = model
    made = AttributeValue(attribute_definition=definition, laterality=laterality, **given)
    return uow.attribute_values.add(made)
