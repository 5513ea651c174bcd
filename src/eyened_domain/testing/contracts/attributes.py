"""Attributes: definitions, models and single values."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from typing import Any

import pytest

from eyened_domain.errors import BadInput, Duplicate, NotFound, RuleBroken
from eyened_domain.model import (
    AttributeDataType,
    AttributesModel,
    AttributeValue,
    ImageInstance,
    Laterality,
    ModelSegmentation,
    Patient,
    Segmentation,
    SegmentationModel,
    Study,
)
from eyened_domain.services.attributes import Attributes
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

OWNING = (ImageInstance, Segmentation, ModelSegmentation, Patient, Study)
VALUES = {"Float": 1 / 4, "Int": 7, "String": "good", "JSON": {"x": [1, True, None]}}


class AttributeContract(Contract):
    """That attributes keep their type, and owners their values."""

    def test_an_attribute_is_defined_once_whatever_its_case(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            first = Attributes().define(uow, "CRAE", "Float")
            assert Attributes().define(uow, "crae", AttributeDataType.Float) is first
            uow.commit()
        with make_unit_of_work() as uow:
            again = Attributes().define_all(uow, {"Crae": "Float", "tortuosity": "Float"})
            assert again["Crae"].attribute_id == first.attribute_id
            uow.commit()
            assert uow.attributes.count() == 2

    def test_an_attribute_of_another_type_is_refused_and_nothing_is_made(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            Attributes().define(uow, "CRAE", "Float")
            uow.commit()
            with pytest.raises(RuleBroken, match="'CRAE' is of type Float, not Int"):
                Attributes().define_all(uow, {"other": "Float", "crae": "Int"})
            uow.commit()
            assert uow.attributes.count() == 1

    @pytest.mark.parametrize(
        ("types", "said"),
        [
            ({"CRAE": "Double"}, "one of String, Float, Int, JSON, not 'Double'"),
            ({"CRAE": float}, "one of String"),
            ({"x" * 256: "Int"}, "255"),
            ({" ": "Int"}, "a text is needed"),
            ({7: "Int"}, "a text is needed"),
            ({"a": "Int", "A": "Int"}, "twice"),
            (["a"], "a dict"),
        ],
    )
    def test_what_defines_no_attribute_is_refused_and_nothing_is_made(
        self, make_unit_of_work: MakeUnitOfWork, types: Any, said: str
    ) -> None:
        with make_unit_of_work() as uow:
            with pytest.raises(BadInput, match=said):
                Attributes().define_all(uow, types)
            uow.commit()
            assert uow.attributes.count() == 0

    def test_a_model_is_declared_once_with_what_it_takes_and_gives(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        service = Attributes()
        with make_unit_of_work() as uow:
            service.define_all(uow, {"CRAE": "Float", "AVR": "Float", "CRVE": "Float"})
            declared: dict[str, Any] = {"inputs": {"arteries": "CRAE"}, "outputs": ["AVR"]}
            first = service.model(uow, "ratio", "1", description="of widths", **declared)
            assert service.model(uow, "Ratio", "1", **declared) is first
            uow.commit()
            assert service.model(uow, "ratio", "1", **declared) is first
            service.model(uow, "ratio", "1", inputs={"veins": "crve"}, outputs=["AVR", "CRVE"])
            uow.commit()
            assert (uow.attributes_models.count(), uow.model_inputs.count()) == (1, 2)
        with make_unit_of_work() as uow:
            model = uow.attributes_models.by_name("ratio")
            taken = {i.input_name: i.input_attribute.attribute_name for i in model.model_inputs}
            assert taken == {"arteries": "CRAE", "veins": "CRVE"}
            given = {one.attribute_name for one in model.output_attributes}
            assert (given, model.description) == ({"AVR", "CRVE"}, "of widths")

    def test_what_a_version_takes_stays(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            Attributes().define_all(uow, {"CRAE": "Float", "CRVE": "Float"})
            Attributes().model(uow, "ratio", "1", inputs={"vessels": "CRAE"})
            with pytest.raises(RuleBroken, match="another version"):
                Attributes().model(uow, "ratio", "1", inputs={"vessels": "CRVE"})

    def test_a_model_of_another_kind_computes_no_attributes(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            build.add(uow, SegmentationModel, model_name="net", version="1")
            with pytest.raises(RuleBroken, match="SegmentationModel"):
                Attributes().model(uow, "net", "1")

    @pytest.mark.parametrize(
        ("given", "error"),
        [
            ({"inputs": {"vessels": "CRAE"}}, NotFound),
            ({"outputs": ["CRAE"]}, NotFound),
            ({"outputs": [7]}, BadInput),
            ({"inputs": ["CRAE"]}, BadInput),
            ({"version": None}, BadInput),
            ({"name": " "}, BadInput),
        ],
    )
    def test_what_declares_no_model_is_refused_and_nothing_is_made(
        self, make_unit_of_work: MakeUnitOfWork, given: Any, error: type[Exception]
    ) -> None:
        with make_unit_of_work() as uow:
            with pytest.raises(error):
                Attributes().model(uow, **{"name": "ratio", "version": "1", **given})
            uow.commit()
            assert uow.models.count() == 0

    @pytest.mark.parametrize("entity", OWNING)
    @pytest.mark.parametrize("data_type", VALUES)
    def test_a_value_is_put_changed_and_cleared(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, entity: Any, data_type: str
    ) -> None:
        service = Attributes()
        value: Any = VALUES[data_type]
        with make_unit_of_work() as uow:
            owner: Any = build.add(uow, entity)
            model: Any = service.model(uow, "net", "1")
            service.define(uow, "of it", data_type)
            uow.flush()
            first = service.put(uow, owner, "of it", value, model=model)
            assert [first.owner] == [owner]
            assert service.put(uow, owner, "OF IT", value, model=model) is first
            uow.commit()
            key = owner.__entity__.primary_key[0]
            identity = getattr(owner, key)
        with make_unit_of_work() as uow:
            owner, model = uow.repository(entity).get(identity), uow.models.by_name("net")
            assert service.value_of(uow, owner, "of it", model=model) == value
            other: Any = {"x": 2} if data_type == "JSON" else type(value)(3)
            service.put(uow, owner, "of it", other, model=model)
            uow.commit()
            assert service.value_of(uow, owner, "of it", model=model) == other
            assert service.clear(uow, owner, "of it", model=model)
            assert not service.clear(uow, owner, "of it", model=model)
            with pytest.raises(NotFound, match="no value of 'of it' from net 1"):
                service.value_of(uow, owner, "of it", model=model)
            assert service.value_of(uow, owner, "of it", model=model, default=None) is None

    @pytest.mark.parametrize(
        ("data_type", "value"),
        [
            ("Float", True),
            ("Float", "1.5"),
            ("Float", float("nan")),
            ("Float", float("inf")),
            ("Int", False),
            ("Int", 1.5),
            ("Int", 2**31),
            ("String", 5),
            ("String", "x" * 256),
            ("JSON", {"x": float("nan")}),
            ("JSON", None),
        ],
    )
    def test_a_value_of_another_type_is_refused_and_nothing_is_stored(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, data_type: str, value: Any
    ) -> None:
        with make_unit_of_work() as uow:
            owner = build.add(uow, ImageInstance)
            model = Attributes().model(uow, "net", "1")
            Attributes().define(uow, "of it", data_type)
            uow.flush()
            with pytest.raises(BadInput):
                Attributes().put(uow, owner, "of it", value, model=model)
            uow.commit()
            assert uow.attribute_values.count() == 0

    def test_what_has_no_attributes_is_refused(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            Attributes().define(uow, "of it", "Int")
            with pytest.raises(BadInput, match="attributes are of ImageInstance, Segmentation"):
                Attributes().put(uow, build.add(uow, AttributesModel), "of it", 1)

    def test_a_model_has_several_versions(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            service, image = Attributes(), build.add(uow, ImageInstance)
            service.define(uow, "a", "Int")
            first, second = (service.model(uow, "net", version) for version in ("1", "2"))
            uow.flush()
            for number, model in enumerate((first, second)):
                service.put(uow, image, "a", number, model=model)
            uow.commit()
            assert [service.value_of(uow, image, "a", model=one) for one in (first, second)] == [
                0,
                1,
            ]
            uow.attributes_models.add(AttributesModel(model_name="NET", version="1"))
            with pytest.raises(Duplicate, match="version"):
                uow.flush()

    def test_each_eye_has_a_value_of_its_own(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        service = Attributes()
        with make_unit_of_work() as uow:
            patient = build.add(uow, Patient)
            service.define(uow, "axial length", "Float")
            model: dict[str, Any] = {"model": service.model(uow, "biometer", "1")}
            uow.flush()
            for eye, length in ((None, 1.0), ("L", 23.5), (Laterality.R, 24.25)):
                service.put(uow, patient, "axial length", length, laterality=eye, **model)
            service.put(uow, patient, "axial length", 23.75, laterality="L", **model)
            uow.commit()
            assert uow.attribute_values.count() == 3
            found = [
                service.value_of(uow, patient, "axial length", laterality=eye, **model)
                for eye in (None, Laterality.L, "R")
            ]
            assert found == [1.0, 23.75, 24.25]

    @pytest.mark.parametrize("has_model", [True, False])
    @pytest.mark.parametrize("laterality", [None, "R"])
    @pytest.mark.parametrize("entity", OWNING)
    def test_the_same_value_is_not_there_twice(
        self,
        make_unit_of_work: MakeUnitOfWork,
        build: Builder,
        entity: Any,
        laterality: Any,
        has_model: bool,
    ) -> None:
        with make_unit_of_work() as uow:
            owner = build.add(uow, entity)
            model = Attributes().model(uow, "net", "1") if has_model else None
            given: dict[str, Any] = {"model": model, "laterality": laterality}
            Attributes().define(uow, "a", "Float")
            value = Attributes().put(uow, owner, "a", 1.5, **given)
            uow.commit()
            columns = {name: getattr(value, name) for name in value.__entity__.columns}
            del columns["attribute_value_id"]
            uow.attribute_values.add(AttributeValue(**columns))
            with pytest.raises(Duplicate, match="model_id, laterality") as refused:
                uow.flush()
            assert refused.value.entity == "AttributeValue"

    def test_a_value_that_was_entered_by_hand_has_no_model(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = build.add(uow, ImageInstance)
            model = Attributes().model(uow, "net", "1")
            Attributes().define(uow, "grade", "String")
            Attributes().put(uow, image, "grade", "bad", model=model)
            by_hand = Attributes().put(uow, image, "grade", "good")
            uow.commit()
            assert (by_hand.model_id, by_hand.producing_model) == (None, None)
        with make_unit_of_work() as uow:
            image = uow.images.get(image.image_instance_id)
            assert Attributes().value_of(uow, image, "grade") == "good"
            assert Attributes().clear(uow, image, "grade")
            assert uow.attribute_values.count() == 1

    @pytest.mark.parametrize("number", [1 / 3, 1e-300, -1.7976931348623157e308, 0.1 + 0.2, 2.0**53])
    def test_a_number_keeps_all_of_its_digits(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, number: float
    ) -> None:
        with make_unit_of_work() as uow:
            image = build.add(uow, ImageInstance)
            model = Attributes().model(uow, "net", "1")
            Attributes().define(uow, "a", "Float")
            value = Attributes().put(uow, image, "a", number, model=model)
            assert value.value == number
            uow.commit()
        with make_unit_of_work() as uow:
            (value,) = uow.attribute_values.where(value_float=number)
            assert value.value == number
            value.value = number / 2  # compared with what was read: it is the same
            uow.commit()
            value.value = number / 4
            uow.commit()
