"""DataFrames of attributes on databases: of pandas and polars, and in few statements."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from eyened_domain import Attributes, BadInput, Database, ImageInstance, Laterality, Study
from eyened_domain.adapters.sql import set_based_update
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing import Builder, count_queries

NET: Any = {"model": ("net", "1")}


def images(uow: UnitOfWork, count: int) -> list[int]:
    build = Builder()
    series = build.a_series()
    made = uow.images.add_all([build.an_image(series=series) for _ in range(count)])
    uow.commit()
    return [one.image_instance_id for one in made]


def kinds(uow: UnitOfWork) -> dict[str, str]:
    return {one.attribute_name: one.attribute_data_type.name for one in uow.attributes.where()}


FRAMES: dict[str, Any] = {
    "pandas": pd.DataFrame,
    "pandas' nullable types": lambda data: pd.DataFrame(data).convert_dtypes(),
    "polars": pl.DataFrame,
    "arrays": lambda data: {name: np.array(cells, object) for name, cells in data.items()},
}


@pytest.mark.parametrize("make", FRAMES)
def test_frames_of_every_library_give_the_same_types(database: Database, make: str) -> None:
    cells = {"whole": [1, 2, 3], "real": [0.5, None, 2.0], "text": ["a", None, "é"]}
    with database.unit_of_work() as uow:
        frame = FRAMES[make]({"image_instance_id": images(uow, 3), **cells})
        assert Attributes().run(uow, frame, **NET).written.new == 7
        uow.commit()
        assert kinds(uow) == {"whole": "Int", "real": "Float", "text": "String"}
        again = Attributes().run(uow, frame, **NET)
        assert (again.written.same, again.written.empty) == (7, 2)


@pytest.mark.parametrize("missing", [pd.NA, None, np.nan])
def test_whole_numbers_beside_missing_ones_keep_their_type(
    database: Database, missing: Any
) -> None:
    with database.unit_of_work() as uow:
        index = pd.Index(images(uow, 3), name="ImageInstanceID")
        column = pd.Series([1, missing, 3], index=index, dtype="Int64")
        Attributes().run(uow, pd.DataFrame({"count": column}), **NET)
        assert kinds(uow) == {"count": "Int"}
        # numpy's own type makes floats of them: whole ones are taken for an attribute of type Int
        floats = pd.DataFrame({"count": [1.0, np.nan, 3.0]}, index=index)
        assert Attributes().run(uow, floats, **NET).written.same == 2


def test_an_index_without_a_name_needs_the_kind_of_owner(database: Database) -> None:
    with database.unit_of_work() as uow:
        frame = pd.DataFrame({"a": [1, 2]}, index=images(uow, 2))
        with pytest.raises(BadInput, match="the index of the frame has no name"):
            Attributes().run(uow, frame, **NET)
        assert Attributes().run(uow, frame, of=ImageInstance, **NET).written.new == 2
        with pytest.raises(BadInput, match="nothing says which ImageInstance"):
            Attributes().run(uow, frame.reset_index(drop=True), of=ImageInstance, **NET)
        empty = frame.set_axis([float("nan"), 1.0])
        with pytest.raises(BadInput, match="an id is needed in each row; row 0: None"):
            Attributes().run(uow, empty, of=ImageInstance, **NET)


def test_an_index_of_several_levels_names_studies_and_eyes(database: Database) -> None:
    build = Builder()
    with database.unit_of_work() as uow:
        study = build.add(uow, Study, study_date="2024-01-31")
        uow.commit()
        patient = study.patient
        names = ["project_name", "patient_identifier", "StudyDate", "Laterality"]
        index = pd.MultiIndex.from_tuples(
            [
                (
                    patient.project.project_name,
                    patient.patient_identifier,
                    pd.Timestamp("2024-01-31"),
                    "L",
                )
            ],
            names=names,
        )
        Attributes().run(uow, pd.DataFrame({"a": [1.5]}, index=index), **NET)
        (value,) = uow.attribute_values.where(study=study)
        assert (value.value, value.laterality) == (1.5, Laterality.L)


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param(pd.Series(["x", 1], dtype=object), id="mixed"),
        pytest.param(pd.Categorical(["x", 1]), id="a categorical of mixed values"),
        pytest.param(pd.Series([datetime(2024, 1, 1, tzinfo=UTC)] * 2), id="time zones"),
        pytest.param(pd.Series([True, False]), id="booleans"),
        pytest.param(pd.array([True, None], dtype="boolean"), id="nullable booleans"),
        pytest.param(pd.Series([np.array([1, 2]), None]), id="arrays"),
        pytest.param(pd.Series([2**40, 1]), id="more than 32 bits"),
        pytest.param(pd.Series([1.0, np.inf]), id="infinity"),
        pytest.param(pd.to_timedelta([1, 2], unit="s"), id="durations"),
    ],
)
def test_columns_that_hold_no_attribute_are_refused_whole(database: Database, cells: Any) -> None:
    with database.unit_of_work() as uow:
        frame = pd.DataFrame({"image_instance_id": images(uow, 2), "good": [1, 2], "bad": cells})
        with pytest.raises(BadInput, match="column bad"):
            Attributes().run(uow, frame, **NET)
        uow.commit()
        assert (uow.attributes.count(), uow.models.count()) == (0, 0)


def test_nan_of_polars_is_a_number_and_refused(database: Database) -> None:
    with database.unit_of_work() as uow:
        frame = pl.DataFrame({"image_instance_id": images(uow, 2), "a": [1.5, float("nan")]})
        with pytest.raises(BadInput, match=r"column a: .*row 1: nan"):
            Attributes().run(uow, frame, **NET)


def statements(database: Database, count: int) -> dict[str, int]:
    """Count what is sent to write a frame, to write it again, and to read it."""
    service, sent = Attributes(), {}
    with database.unit_of_work() as uow:
        frame: dict[str, Any] = {"image_instance_id": images(uow, count)}
        frame |= {f"real {n}": [n + i / 8 for i in range(count)] for n in range(3)}
        frame |= {"text": ["a"] * count, "whole": list(range(count))}
    others = {**frame, "real 0": [0.0] * count, "text": ["b"] * count}
    some = {**others, "real 1": [None] * count}
    for name, given in (("new", frame), ("same", frame), ("changed", others), ("cleared", some)):
        with database.unit_of_work() as uow, count_queries(database) as counted:
            service.run(uow, given, clear=True, **NET)
            uow.commit()
        sent[name] = counted.total
    with database.unit_of_work() as uow, count_queries(database) as counted:
        hierarchy = ["project_name", "patient_identifier", "study_date"]
        found = service.frame(uow, ImageInstance, models=[("net", "1")], hierarchy=hierarchy)
        assert len(found) >= count
    sent["read"] = counted.total
    return sent


def test_the_number_of_statements_does_not_grow_with_the_rows(database: Database) -> None:
    statements(database, 2)  # what is made with the first
    few, many = statements(database, 20), statements(database, 400)
    assert few == many
    assert many["same"] <= 10
    assert max(many.values()) <= 20


def test_servers_without_json_table_are_sent_what_each_row_becomes(
    mariadb_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database({"database_url": mariadb_url, "secret_key": "x"})
    monkeypatch.setattr(set_based_update, "_knows_json_table", lambda _dialect: False)
    with database.unit_of_work() as uow:
        frame: dict[str, Any] = {"image_instance_id": images(uow, 300), "a": list(range(300))}
        Attributes().run(uow, frame, **NET)
        with count_queries(database) as counted:
            Attributes().run(uow, {**frame, "a": [n * 2 for n in range(300)]}, **NET)
        assert sum("CASE" in one for one in counted.statements) == 2
        found = Attributes().frame(uow, ImageInstance)
        assert list(found["a"]) == [n * 2 for n in range(300)]
    database.close()
