"""Definitions of attributes, and the models that compute them: made, or found as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from eyened_domain.errors import BadInput, RuleBroken
from eyened_domain.model.attribute import AttributeDefinition
from eyened_domain.model.computation import AttributesModel, ModelInput
from eyened_domain.model.enums import AttributeDataType
from eyened_domain.model.names import fold
from eyened_domain.model.values import kind_of, shown
from eyened_domain.services.unit_of_work import UnitOfWork

Named = AttributeDefinition | str
"""An attribute, or its name."""


def define_all(
    uow: UnitOfWork, types: Mapping[str, AttributeDataType | str]
) -> dict[str, AttributeDefinition]:
    """Return the definitions of these names; those that are not there are made. See `define`."""
    if not isinstance(types, Mapping):
        raise BadInput(f"a dict of names and their types is needed, not {kind_of(types)}")
    wanted = {name: _data_type(name, one) for name, one in types.items()}
    found = uow.attributes.by_names(wanted) if wanted else {}
    for name, data_type in wanted.items():
        there = found.get(name)
        if there is not None and there.attribute_data_type is not data_type:
            raise other_type(there, data_type)
    made = {
        name: AttributeDefinition(attribute_name=name, attribute_data_type=data_type)
        for name, data_type in wanted.items()
        if name not in found
    }
    uow.attributes.add_all(made.values())
    return {name: found.get(name) or made[name] for name in wanted}


def other_type(there: AttributeDefinition, wanted: AttributeDataType) -> RuleBroken:
    """Return what is raised where an attribute is of another type than it is asked for."""
    return RuleBroken(
        f"AttributeDefinition {shown(there.attribute_name)} is of type "
        f"{there.attribute_data_type.name}, not {wanted.name}; its values keep their type, so "
        "take another name",
        entity="AttributeDefinition",
        field="attribute_data_type",
        value=wanted.name,
    )


def _data_type(name: object, given: object) -> AttributeDataType:
    if not isinstance(name, str) or not name.strip():
        raise BadInput(
            f"AttributeDefinition.attribute_name: a text is needed, not {shown(name)}",
            entity="AttributeDefinition",
            field="attribute_name",
            value=shown(name),
        )
    if isinstance(given, AttributeDataType):
        return given
    if isinstance(given, str) and given in AttributeDataType.__members__:
        return AttributeDataType[given]
    raise BadInput(
        f"AttributeDefinition {shown(name)}: its type is one of "
        f"{', '.join(AttributeDataType.__members__)}, not {shown(given)}",
        entity="AttributeDefinition",
        field="attribute_data_type",
        value=shown(given),
    )


def declare_model(
    uow: UnitOfWork,
    name: str,
    version: str,
    *,
    description: str | None,
    inputs: Mapping[str, Named],
    outputs: Iterable[Named],
) -> AttributesModel:
    """Return the model of that name and version, made if need be, with what it takes and gives."""
    model = find_model(uow, name, version)
    if not isinstance(inputs, Mapping):
        raise BadInput(
            f"inputs of a model are a dict: the name of the input and the attribute, not "
            f"{kind_of(inputs)}",
            entity="ModelInput",
        )
    if isinstance(outputs, str | AttributeDefinition):
        outputs = [outputs]
    wanted_outputs = list(outputs)
    known = _definitions(uow, [*inputs.values(), *wanted_outputs])
    taken = {} if model is None else {one.input_name: one for one in model.model_inputs}
    for input_name, attribute in inputs.items():
        there = taken.get(input_name)
        if there is not None and there.input_attribute is not known[_key(attribute)]:
            raise RuleBroken(
                f"the input {shown(input_name)} of the model {name} {version} is "
                f"{shown(there.input_attribute.attribute_name)} already; what a version takes "
                "stays, so declare another version",
                entity="ModelInput",
                field="input_attribute",
            )
    if model is None:
        model = AttributesModel(model_name=name, version=version, description=description)
        uow.attributes_models.add(model)
    for input_name, attribute in inputs.items():
        if input_name not in taken:
            made = ModelInput(
                model=model, input_attribute=known[_key(attribute)], input_name=input_name
            )
            uow.model_inputs.add(made)
    for one in wanted_outputs:
        model.output_attributes.append(known[_key(one)])  # which is there once, however often
    return model


def find_model(uow: UnitOfWork, name: str, version: str) -> AttributesModel | None:
    """Return the attributes model of that name and version; None when there is none.

    Raises:
        BadInput: name or version is no text.
        RuleBroken: it is a model of another kind.
    """
    for field, text in (("model_name", name), ("version", version)):
        if not isinstance(text, str) or not text.strip():
            raise BadInput(
                f"Model.{field}: a text is needed, not {shown(text)}",
                entity="Model",
                field=field,
                value=shown(text),
            )
    found = uow.models.one(model_name=name, version=version, default=None)
    if found is not None and not isinstance(found, AttributesModel):
        raise RuleBroken(
            f"the model {name} {version} is a {type(found).__name__}, and computes no attributes",
            entity="Model",
            field="model_type",
        )
    return found


def _key(one: Named) -> Any:
    return fold(one) if isinstance(one, str) else id(one)


def _definitions(uow: UnitOfWork, wanted: Iterable[Named]) -> dict[Any, AttributeDefinition]:
    """Return the definitions by `_key` of how they were given; raise `NotFound` for an unknown."""
    known: dict[Any, AttributeDefinition] = {}
    names: dict[str, str] = {}
    for one in wanted:
        if isinstance(one, AttributeDefinition):
            known[id(one)] = one
        elif isinstance(one, str):
            names.setdefault(fold(one), one)
        else:
            raise BadInput(
                f"an attribute is given as an AttributeDefinition or by its name, not as "
                f"{kind_of(one)}",
                entity="AttributeDefinition",
            )
    found = uow.attributes.by_names(names.values()) if names else {}
    for folded, name in names.items():
        known[folded] = found.get(name) or uow.attributes.by_name(name)  # which names near ones
    return known
