"""Every entity, with every column filled, comes back as it was."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from typing import Any

import pytest

from eyened_domain.model import AttributeValue, Segmentation
from eyened_domain.model.entity import Entity, entity_class, entity_classes
from eyened_domain.model.values import Real
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

NAMES = [entity.__name__ for entity in entity_classes()]
OWNERS = ["image_instance", "segmentation", "model_segmentation", "patient", "study"]
VALUES: dict[str, dict[str, Any]] = {
    "String": {"value_text": "a text"},
    "Float": {"value_float": 0.25},
    "Int": {"value_int": -7},
    "JSON": {"value_json": {"a": [1, None]}},
}


def _columns(one: Entity) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, column in one.__entity__.columns.items():
        value = getattr(one, name)
        is_real = isinstance(column.kind, Real) and value is not None
        found[name] = pytest.approx(value, rel=1e-6) if is_real else value
    return found


def _key(one: Entity) -> tuple[Any, ...]:
    return tuple(getattr(one, name) for name in one.__entity__.primary_key)


class RoundTripContract(Contract):
    """That nothing is lost on the way to the storage and back."""

    @pytest.mark.parametrize("full", [False, True], ids=["needed", "full"])
    @pytest.mark.parametrize("name", NAMES)
    def test_every_column_comes_back(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, name: str, full: bool
    ) -> None:
        entity = entity_class(name)
        with make_unit_of_work() as uow:
            one = build.add(uow, entity, full=full)
            uow.commit()
            stored, key = _columns(one), _key(one)
        with make_unit_of_work() as uow:
            found = uow.repository(entity).get(key)
            assert type(found) is type(one)
            assert _columns(found) == stored
            if full and entity not in {AttributeValue, Segmentation}:
                empty = {column for column, value in stored.items() if value is None}
                assert empty <= {"scan_indices"}

    @pytest.mark.parametrize("owner", OWNERS)
    @pytest.mark.parametrize("data_type", VALUES)
    def test_a_value_of_every_type_and_owner_comes_back(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, data_type: str, owner: str
    ) -> None:
        with make_unit_of_work() as uow:
            target = entity_class(AttributeValue.__entity__.links[owner].target)
            value = build.an_attribute_value(
                attribute_definition=build.an_attribute(attribute_data_type=data_type),
                **{owner: build.build(target), "value_float": None, **VALUES[data_type]},
            )
            uow.attribute_values.add(value)
            uow.commit()
            stored, key = _columns(value), _key(value)
        with make_unit_of_work() as uow:
            found = uow.attribute_values.get(key)
            assert _columns(found) == stored
            assert _key(getattr(found, owner)) == _key(getattr(value, owner))

    def test_the_scans_of_a_segmentation_come_back(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            volume = build.an_image(nr_of_frames=19, rows_y=480, columns_x=640)
            one = build.a_segmentation(image_instance=volume, depth=19, scan_indices=[0, 7])
            uow.segmentations.add(one)
            uow.commit()
        with make_unit_of_work() as uow:
            found = uow.segmentations.where()[0]
            assert (found.shape, found.scan_indices) == ((19, 480, 640), [0, 7])
