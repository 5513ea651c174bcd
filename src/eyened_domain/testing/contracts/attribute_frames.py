"""DataFrames of attributes, brought in."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from eyened_domain.errors import BadInput, RuleBroken
from eyened_domain.model import (
    AttributeDataType,
    AttributeValue,
    ImageInstance,
    Laterality,
    Patient,
    SegmentationModel,
    Study,
)
from eyened_domain.model.entity import entity_class
from eyened_domain.services.attributes import Attributes
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

NET = ("net", "1")
CELLS: dict[str, list[Any]] = {
    "width": [1.5, None, 2.25],
    "count": [1, 2, None],
    "grade": ["good", "bad", None],
    "points": [[1, 2], {"x": 1}, None],
}
TYPES = {"width": "Float", "count": "Int", "grade": "String", "points": "JSON"}


class AttributeFrameContract(Contract):
    """That a frame of attributes is brought in as a whole, or refused as a whole."""

    def test_a_frame_of_new_attributes_defines_them_with_the_type_of_their_cells(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            frame = {"image_instance_id": three_images(uow, build), **CELLS}
            result = Attributes().run(uow, frame, model=NET)
            uow.commit()
            assert str(result) == "8 new, 0 changed, 0 the same"
            assert result.written.empty == 4
        with make_unit_of_work() as uow:
            found = {one.attribute_name: one.attribute_data_type.name for one in _defined(uow)}
            assert found == TYPES
            assert _table(uow, frame) == CELLS
            model = uow.attributes_models.by_name("net")
            assert {one.attribute_name for one in model.output_attributes} == set(TYPES)

    def test_a_plan_tells_what_would_be_written_and_writes_nothing(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        service = Attributes()
        with make_unit_of_work() as uow:
            images = three_images(uow, build)
            service.run(uow, {"image_instance_id": images, "width": [1.5, 2.5, None]}, model=NET)
            uow.commit()
            cells = {"width": [1.5, 3.5, 4.5], "grade": ["a", None, "b"]}
            plan = service.plan(uow, {"ImageInstanceID": images, **cells}, model=NET)
            assert not uow.attributes.count(attribute_name="grade")
            assert uow.attribute_values.count() == 2
            assert plan.as_dict() == {
                "owners": "ImageInstance",
                "rows": 3,
                "model": ["net", "1"],
                "model_is_new": False,
                "clear": False,
                "attributes": [
                    {"name": "width", "type": "Float", "is_new": False}
                    | {"new": 1, "changed": 1, "same": 1, "cleared": 0, "empty": 0},
                    {"name": "grade", "type": "String", "is_new": True}
                    | {"new": 2, "changed": 0, "same": 0, "cleared": 0, "empty": 1},
                ],
            }
            assert "3 rows of ImageInstance, model net 1" in str(plan)
            assert "grade                   String*         2" in str(plan)
        with make_unit_of_work() as uow:
            result = service.apply(uow, plan)
            uow.commit()
            assert str(result) == "3 new, 1 changed, 1 the same"
            assert _table(uow, {"image_instance_id": images, **cells}) == cells

    def test_a_plan_is_applied_by_what_is_there_by_then(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        service = Attributes()
        with make_unit_of_work() as uow:
            frame = {"image_instance_id": three_images(uow, build), "width": [1.5, 2.5, 3.5]}
            uow.commit()
            plan = service.plan(uow, frame, model=NET)
            assert plan.model_is_new
        with make_unit_of_work() as uow:
            earlier = {**frame, "width": [1.5, 9.5, None]}
            service.run(uow, earlier, model=NET)
            uow.commit()
        with make_unit_of_work() as uow:
            assert str(service.apply(uow, plan)) == "1 new, 1 changed, 1 the same"
            uow.commit()

    def test_an_empty_cell_leaves_what_is_there_unless_it_is_told_to_clear(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        service = Attributes()
        with make_unit_of_work() as uow:
            images = {"image_instance_id": three_images(uow, build)}
            service.run(uow, {**images, "a": [1, 2, 3], "b": [1, 2, 3]}, model=NET)
            sparse = {**images, "a": [None, 2, None], "b": [7, None, None]}
            kept = service.run(uow, sparse, model=NET)
            assert str(kept) == "0 new, 1 changed, 1 the same"
            cleared = service.run(uow, sparse, model=NET, clear=True)
            assert str(cleared) == "0 new, 0 changed, 2 the same, 4 cleared"
            uow.commit()
        with make_unit_of_work() as uow:
            assert _table(uow, sparse) == {"a": [None, 2, None], "b": [7, None, None]}

    def test_values_of_another_model_or_none_are_left_alone(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            images = {"image_instance_id": three_images(uow, build)}
            other = build.add(uow, SegmentationModel, model_name="other")
            Attributes().run(uow, {**images, "a": [1, 2, 3]}, model=NET)
            result = Attributes().run(uow, {**images, "a": [4, 5, 6]}, model=other)
            assert result.written.new == 3
            assert _table(uow, {**images, "a": []}, model="net") == {"a": [1, 2, 3]}

    def test_owners_of_every_kind_are_given_by_their_id_in_either_style_of_names(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            for link in ("segmentation", "model_segmentation", "patient", "study"):
                target = AttributeValue.__entity__.links[link].target
                owner = build.add(uow, entity_class(target))
                uow.flush()
                identity = getattr(owner, f"{link}_id")
                for name in (f"{link}_id", f"{target}ID"):
                    Attributes().run(uow, {name: [identity], "a": [identity]}, model=NET)
                linked: dict[str, Any] = {link: owner}
                value: Any = uow.attribute_values.one(**linked)
                assert (value.value, value.owner) == (identity, owner)

    def test_owners_are_given_by_what_names_them(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study, image = a_named_study(uow, build)
            patient = {"project_name": ["areds"], "PatientIdentifier": ["p1"]}
            frames: list[tuple[Any, Any]] = [
                ({"SOPInstanceUid": ["1.2.3"]}, {"image_instance": image}),
                (patient, {"patient": study.patient}),
                ({**patient, "study_date": ["2024-01-31"]}, {"study": study}),
                ({**patient, "StudyDate": [datetime(2024, 1, 31)]}, {"study": study}),
            ]
            for naming, owner in frames:
                Attributes().run(uow, {**naming, "a": [1]}, model=NET)
                assert uow.attribute_values.one(**owner).value == 1

    def test_what_names_an_owner_besides_must_agree(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            _, image = a_named_study(uow, build)
            frame: dict[str, list[Any]] = {
                "image_instance_id": [image.image_instance_id],
                "sop_instance_uid": ["1.2.3"],
                "project_name": ["Areds"],
                "study_date": [date(2024, 1, 31)],
                "Patient.patient_identifier": ["P1"],
                "a": [1],
            }
            of: Any = {"of": ImageInstance, "model": NET}
            assert Attributes().run(uow, frame, **of).written.new == 1
            for name, other in (
                ("project_name", "Rotterdam"),
                ("study_date", date(2024, 2, 1)),
                ("sop_instance_uid", "1.2.4"),
                ("Patient.patient_identifier", "P2"),
            ):
                with pytest.raises(BadInput, match=r"of the row has another .*; row 0") as refused:
                    Attributes().run(uow, {**frame, name: [other]}, **of)
                assert refused.value.field == name.partition(".")[2] or name

    def test_only_the_columns_that_are_asked_for_are_attributes(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            frame = {
                "image_instance_id": three_images(uow, build),
                "a": [1, 2, 3],
                "note": [b"", 1, {}],
            }
            Attributes().run(uow, frame, model=NET, attributes=["a"])
            assert [one.attribute_name for one in _defined(uow)] == ["a"]
            with pytest.raises(BadInput, match="'b' are not in the frame, which has a, note"):
                Attributes().run(uow, frame, model=NET, attributes=["a", "b"])

    def test_the_eye_is_part_of_what_a_value_is_known_by(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = build.add(uow, Study)
            uow.flush()
            frame = {"study_id": [study.study_id], "a": [1]}
            Attributes().run(uow, frame, model=NET, laterality="L")
            again = Attributes().run(uow, {**frame, "Laterality": [Laterality.L]}, model=NET)
            assert str(again) == "0 new, 0 changed, 1 the same"
            assert uow.attribute_values.one(study=study).laterality is Laterality.L

    def test_whole_floats_are_taken_for_whole_numbers_and_numbers_for_floats(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            Attributes().define_all(uow, {"a": "Int", "b": "Float"})
            frame = {"image_instance_id": three_images(uow, build), "a": [1.0, None, -2.0]}
            Attributes().run(uow, {**frame, "b": [1, 2, None]}, model=NET)
            found = _table(uow, {**frame, "b": []})
            assert found == {"a": [1, None, -2], "b": [1.0, 2.0, None]}
            assert {type(one) for one in found["a"]} == {int, type(None)}

    def test_an_attribute_that_was_defined_otherwise_since_the_plan_is_refused(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            frame = {"image_instance_id": three_images(uow, build), "a": [1, 2, 3]}
            uow.commit()
            plan = Attributes().plan(uow, frame, model=NET)
            Attributes().define(uow, "a", AttributeDataType.String)
            with pytest.raises(RuleBroken, match="is of type String, not Int"):
                Attributes().apply(uow, plan)

    def test_objects_in_hand_hold_what_was_written(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            images = {"image_instance_id": three_images(uow, build)}
            Attributes().run(uow, {**images, "a": [1, 2, 3]}, model=NET)
            uow.commit()
            values = uow.attribute_values.where()
            Attributes().run(uow, {**images, "a": [4, 5, 6]}, model=NET)
            assert [one.value_int for one in values] == [4, 5, 6]
            uow.commit()


def three_images(uow: UnitOfWork, build: Builder) -> list[int]:
    """Store three images; return their ids."""
    made = [uow.images.add(build.an_image()) for _ in "abc"]
    uow.flush()
    return [one.image_instance_id for one in made]


def a_named_study(uow: UnitOfWork, build: Builder) -> tuple[Study, ImageInstance]:
    """Store a study that its project, patient and date name, with an image."""
    project = build.a_project(project_name="AREDS")
    patient = Patient(project=project, patient_identifier="P1")
    study = Study(patient=patient, study_date=date(2024, 1, 31))
    series = build.a_series(study=study)
    image = uow.images.add(build.an_image(series=series, sop_instance_uid="1.2.3"))
    other = uow.projects.add(build.a_project(project_name="Other"))
    uow.patients.add(Patient(project=other, patient_identifier="P1"))
    uow.flush()
    return study, image


def _defined(uow: UnitOfWork) -> list[Any]:
    return uow.attributes.where()


def _table(uow: UnitOfWork, frame: Any, model: str | None = None) -> dict[str, list[Any]]:
    """Return what the images of a frame have of its attributes."""
    wanted: dict[str, Any] = {} if model is None else {"producing_model": uow.models.by_name(model)}
    found = {
        (value.attribute_definition.attribute_name, value.image_instance_id): value.value
        for value in uow.attribute_values.where(**wanted)
    }
    images = frame["image_instance_id"]
    return {
        name: [found.get((name, image)) for image in images]
        for name in frame
        if name != "image_instance_id"
    }
