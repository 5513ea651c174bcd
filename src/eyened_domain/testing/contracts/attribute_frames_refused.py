"""What no frame of attributes may hold: it is refused as a whole."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from eyened_domain.errors import BadInput, NotFound, RuleBroken
from eyened_domain.model import SegmentationModel
from eyened_domain.services.attributes import Attributes
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.attribute_frames import NET, a_named_study, three_images
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork


class AttributeFrameRefusalContract(Contract):
    """That bad frames are refused with what is wrong with them, and nothing is written."""

    @pytest.mark.parametrize(
        ("cells", "said"),
        [
            ([1, "a", 2], "mixes int and str; row 0: 1, row 1: 'a'"),
            ([1, True, 2], "mixes bool and int"),
            ([True, None, False], "give 1 and 0"),
            ([None, None, None], "does not tell the type"),
            ([1, 2**31, 2], "row 1: 2147483648"),
            ([1.0, float("nan"), 2.0], "row 1: nan"),
            ([1.0, float("inf"), -1e400], "row 1: inf, row 2: -inf"),
            (["a", "x" * 256, "b"], "256 characters, at most 255"),
            (["a", "b\x00", "c"], "control character"),
            ([date(2024, 1, 1), None, None], "texts in ISO form"),
            ([datetime(2024, 1, 1, tzinfo=UTC), None, None], "texts in ISO form"),
            ([b"x", b"y", None], "numbers, texts or JSON"),
            ([{"x": float("nan")}, {}, None], "JSON has no nan"),
            ([1.5, 2**60, None], "more digits"),
        ],
    )
    def test_cells_that_no_attribute_holds_are_refused_and_nothing_is_written(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, cells: Any, said: str
    ) -> None:
        with make_unit_of_work() as uow:
            frame = {"image_instance_id": three_images(uow, build), "good": [1, 2, 3], "bad": cells}
            with pytest.raises(BadInput, match=said) as refused:
                Attributes().run(uow, frame, model=NET)
            assert refused.value.field == "bad"
            assert "column bad" in str(refused.value)
            uow.commit()
            counts = (uow.attributes.count(), uow.models.count(), uow.attribute_values.count())
            assert counts == (0, 0, 0)

    @pytest.mark.parametrize(
        ("data_type", "cells", "said"),
        [
            ("Int", [1, 1.5, 2], "type Int: a whole number is needed, not 1.5; row 1: 1.5"),
            ("Int", [1.0, float("nan"), 2.0], "row 1: nan"),
            ("Int", ["1", "2", "3"], "takes whole numbers; row 0: '1', row 1: '2', row 2: '3'"),
            ("Float", [0.5, True, "x"], "takes numbers; row 1: True, row 2: 'x'"),
            ("String", ["a", 1, None], "takes texts; row 1: 1"),
            ("JSON", [{"a": b""}, None, None], "JSON has no bytes"),
            ("JSON", [date(2024, 1, 1), None, None], "takes what JSON can say"),
        ],
    )
    def test_cells_of_another_type_than_the_attribute_are_refused(
        self,
        make_unit_of_work: MakeUnitOfWork,
        build: Builder,
        data_type: str,
        cells: Any,
        said: str,
    ) -> None:
        with make_unit_of_work() as uow:
            Attributes().define(uow, "a", data_type)
            frame = {"image_instance_id": three_images(uow, build), "a": cells}
            with pytest.raises(BadInput, match=said):
                Attributes().run(uow, frame, model=NET)
            uow.commit()
            assert uow.attribute_values.count() == 0

    def test_ids_that_are_not_there_are_all_listed_shortened(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            there = three_images(uow, build)
            ids = [*range(900_000, 900_030), *there]
            with pytest.raises(NotFound, match=r"30 rows .*900000, .*900019 and 10 more") as no:
                Attributes().run(uow, {"image_instance_id": ids, "a": ids}, model=NET)
            assert no.value.value == list(range(900_000, 900_030))
            named = {"project_name": ["none"] * 2, "patient_identifier": ["a", "b"], "a": [1, 2]}
            with pytest.raises(NotFound, match="'none / a', 'none / b'"):
                Attributes().run(uow, named, model=NET)
            with pytest.raises(NotFound, match=r"sop_instance_uid: '9\.9'"):
                Attributes().run(uow, {"sop_instance_uid": ["9.9"], "a": [1]}, model=NET)
            uow.commit()
            assert uow.attributes.count() == 0

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"image_instance_id": [1, None, 2]}, "an id is needed in each row; row 1: None"),
            ({"image_instance_id": [1, "x", 2]}, "row 1: 'x'"),
            ({"image_instance_id": [True, 2, 3]}, "row 0: True"),
            ({"image_instance_id": None, "b": [1, 2, 3]}, "nothing says whose values"),
            ({"ImageInstanceID": [1, 2, 3]}, "twice"),
            ({"laterality": ["L", "X", None]}, "L, R or empty; row 1: 'X'"),
            ({"patient_id": [1, 2, 3]}, "say with of="),
            ({"a": None}, "no column left"),
        ],
    )
    def test_what_names_owners_badly_is_refused(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, change: Any, said: str
    ) -> None:
        with make_unit_of_work() as uow:
            frame = {"image_instance_id": three_images(uow, build), "a": [1, 2, 3], **change}
            frame = {name: cells for name, cells in frame.items() if cells is not None}
            with pytest.raises(BadInput, match=said):
                Attributes().run(uow, frame, model=NET)

    @pytest.mark.parametrize("zoned", [datetime(2024, 1, 31, tzinfo=UTC), "2024-31-01"])
    def test_a_study_date_has_no_time_zone_and_is_a_date(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, zoned: Any
    ) -> None:
        with make_unit_of_work() as uow:
            a_named_study(uow, build)
            frame = {"project_name": ["Areds"], "patient_identifier": ["P1"], "a": [1]}
            with pytest.raises(BadInput, match="column study_date: a date without time zone"):
                Attributes().run(uow, {**frame, "study_date": [zoned]}, model=NET)

    def test_an_owner_has_one_row_or_one_for_each_eye(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            first, second, _ = three_images(uow, build)
            twice = {"image_instance_id": [first, second, first], "a": [1, 2, 3]}
            with pytest.raises(BadInput, match=f"1 rows .* earlier row is of; row 2: '{first}'"):
                Attributes().run(uow, twice, model=NET)
            with pytest.raises(BadInput, match=f"row 2: '{first} L'"):
                Attributes().run(uow, {**twice, "laterality": ["L", None, "L"]}, model=NET)

    def test_attributes_and_models_that_cannot_be_meant_are_refused(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            frame = {"image_instance_id": three_images(uow, build), "a": [1, 2, 3]}
            net: Any = {"model": NET}
            with pytest.raises(NotFound, match="no attribute 'a'"):
                Attributes().run(uow, frame, define_missing=False, **net)
            with pytest.raises(BadInput, match="given twice"):
                Attributes().run(uow, {**frame, "A": [1, 2, 3]}, **net)
            with pytest.raises(BadInput, match="255"):
                Attributes().run(uow, {**frame, "x" * 256: [1, 2, 3]}, **net)
            for model in ("net", ("net",), 5):
                with pytest.raises(BadInput, match="a model is a Model"):
                    Attributes().run(uow, frame, model=model)  # type: ignore[arg-type]
            with pytest.raises(BadInput, match="attributes are of"):
                Attributes().run(uow, frame, of=SegmentationModel, **net)
            build.add(uow, SegmentationModel, model_name="seg", version="1")
            with pytest.raises(RuleBroken, match="computes no attributes"):
                Attributes().run(uow, frame, model=("seg", "1"))
