"""Attributes as wide DataFrames."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from typing import Any

import pytest

from eyened_domain.errors import BadInput, NotFound
from eyened_domain.model import ImageInstance, Patient, Project, Study
from eyened_domain.services.attributes import Attributes
from eyened_domain.services.data_frames import read_frame
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

CELLS: dict[str, list[Any]] = {
    "width": [1.5, None, 2.25],
    "count": [1, 2, None],
    "grade": ["good", None, "bad"],
    "points": [None, [1, 2], {"x": 1}],
}


class AttributeTableContract(Contract):
    """That values are read as they were brought in, one row for each owner."""

    @pytest.mark.parametrize("backend", ["pandas", "polars"])
    def test_a_table_has_what_a_frame_has_brought_in(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, backend: str
    ) -> None:
        with make_unit_of_work() as uow:
            images = _images(uow, build)
            chosen: dict[str, Any] = {"attributes": ["grade", "width", "count", "points"]}
            cells = CELLS if backend == "pandas" else {**CELLS, "points": [None, [1], [2, 3]]}
            frame = {"image_instance_id": images, **cells}
            Attributes().run(uow, frame, model=("net", "1"))
            uow.commit()
            table = Attributes().frame(uow, ImageInstance, backend=backend, **chosen)
            assert list(table.columns) == ["image_instance_id", *chosen["attributes"]]
            assert read_frame(table).columns == frame
            again = Attributes().run(uow, table, model=("net", "1"))
            assert str(again) == "0 new, 0 changed, 8 the same"

    def test_columns_of_what_is_above_the_owners_stand_beside_the_values(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            images = _images(uow, build)
            Attributes().run(uow, {"image_instance_id": images, "a": [1, 2, 3]}, model=("net", "1"))
            table = _read(
                uow,
                hierarchy=["project_name", "PatientIdentifier", "Study.study_date", "study_id"],
            )
            loaded = uow.images.by_ids(images)
            studies = [one.series.study for one in loaded]
            assert table == {
                "image_instance_id": images,
                "project_name": [one.patient.project.project_name for one in studies],
                "PatientIdentifier": [one.patient.patient_identifier for one in studies],
                "Study.study_date": [one.study_date for one in studies],
                "study_id": [one.study_id for one in studies],
                "a": [1, 2, 3],
            }

    def test_owners_that_are_asked_for_each_have_a_row_in_their_order(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            first, second, third = _images(uow, build)
            frame = {"image_instance_id": [first, second], "a": [1, 2], "b": ["x", "y"]}
            Attributes().run(uow, frame, model=("net", "1"))
            found = _read(uow, attributes=["A"], owners=[third, first])
            assert found == {"image_instance_id": [third, first], "a": [None, 1]}
            with pytest.raises(NotFound, match="image_instance_id 987654"):
                _read(uow, owners=[first, 987654])

    def test_all_owners_in_a_project_have_a_row(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            images = _images(uow, build)
            image = uow.images.get(images[1])
            project: Project = image.series.study.patient.project
            Attributes().run(uow, {"image_instance_id": images, "a": [1, 2, 3]}, model=("net", "1"))
            for asked in (project, project.project_name):
                found = _read(uow, project=asked)
                assert found == {"image_instance_id": [images[1]], "a": [2]}
            patient = image.series.study.patient
            found = _read(uow, Patient, project=project, attributes=["a"])
            assert found == {"patient_id": [patient.patient_id], "a": [None]}
            with pytest.raises(BadInput, match="not by both"):
                _read(uow, project=project, owners=images)

    def test_values_of_several_models_stand_in_columns_of_their_own(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            images = {"image_instance_id": _images(uow, build)}
            Attributes().run(uow, {**images, "a": [1, 2, 3]}, model=("net", "1"))
            Attributes().run(uow, {**images, "a": [4, 5, None]}, model=("mesh", "1"))
            uow.flush()
            assert _read(uow) == {
                **images,
                "a (mesh 1)": [4, 5, None],
                "a (net 1)": [1, 2, 3],
            }
            mesh = uow.models.by_name("mesh")
            for models in (["mesh"], [("mesh", "1")], [mesh]):
                found = _read(uow, models=models)
                assert found == {"image_instance_id": images["image_instance_id"][:2], "a": [4, 5]}
            found = _read(uow, models=["net", mesh])
            assert list(found) == ["image_instance_id", "a (net 1)", "a (mesh 1)"]
            with pytest.raises(NotFound, match="no model net 2"):
                _read(uow, models=[("net", "2")])

    def test_an_owner_has_a_row_or_each_of_its_eyes_has(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            one, other = (build.add(uow, Study) for _ in "ab")
            uow.flush()
            ids = [one.study_id, other.study_id]
            frame = {"study_id": ids, "laterality": ["R", "L"], "a": [1, 2]}
            Attributes().run(uow, {**frame, "b": [3, None]}, model=("net", "1"))
            assert _read(uow, Study) == {
                "study_id": ids,
                "a L": [None, 2],
                "a R": [1, None],
                "b R": [3, None],
            }
            found = _read(uow, Study, per_eye=True, attributes=["a"])
            assert found == {"study_id": ids, "laterality": ["R", "L"], "a": [1, 2]}

    def test_inactive_images_are_left_out_unless_they_are_asked_for(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            images = _images(uow, build)
            frame = {"image_instance_id": images, "a": [1, 2, 3]}
            Attributes().run(uow, frame, model=("net", "1"))
            uow.images.get(images[0]).inactive = True
            uow.commit()
            assert _read(uow)["a"] == [2, 3]
            assert _read(uow, owners=images)["image_instance_id"] == images[1:]
            assert _read(uow, include_inactive=True) == frame

    def test_a_table_without_values_has_its_columns_all_the_same(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            Attributes().define_all(uow, {"a": "Int", "b": "Float"})
            table = Attributes().frame(uow, ImageInstance, attributes=["a", "b"])
            assert list(table.columns) == ["image_instance_id", "a", "b"]
            assert [str(one) for one in table.dtypes] == ["int64", "int64", "float64"]
            assert list(Attributes().frame(uow, ImageInstance).columns) == ["image_instance_id"]

    @pytest.mark.parametrize(
        ("asked", "error", "said"),
        [
            ({"attributes": ["a", "nope"]}, NotFound, "no attribute 'nope'"),
            ({"attributes": "a"}, BadInput, "a list is needed"),
            ({"hierarchy": ["nope"]}, BadInput, "no column nope in ImageInstance, Series, Study"),
            ({"hierarchy": ["date_inserted"]}, BadInput, "ImageInstance.date_inserted.*say which"),
            ({"hierarchy": ["image_instance_id"]}, BadInput, "two columns"),
            ({"models": ["nope"]}, NotFound, "no model nope"),
            ({"project": "nope"}, NotFound, "Project"),
            ({"backend": "spark"}, BadInput, "backend is one of"),
        ],
    )
    def test_what_cannot_be_read_is_refused(
        self, make_unit_of_work: MakeUnitOfWork, asked: Any, error: Any, said: str
    ) -> None:
        with make_unit_of_work() as uow:
            Attributes().define(uow, "a", "Int")
            with pytest.raises(error, match=said):
                Attributes().frame(uow, ImageInstance, **asked)


def _images(uow: UnitOfWork, build: Builder) -> list[int]:
    made = [uow.images.add(build.an_image()) for _ in "abc"]
    uow.flush()
    return [one.image_instance_id for one in made]


def _read(uow: UnitOfWork, of: Any = ImageInstance, **asked: Any) -> dict[str, list[Any]]:
    """Return a table in plain Python."""
    return read_frame(Attributes().frame(uow, of, backend="polars", **asked)).columns
