"""What goes into and comes out of DataFrames."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from eyened_domain.errors import BadInput
from eyened_domain.model.enums import Laterality
from eyened_domain.model.values import Choice, Day, Integer, Kind, Real, Text
from eyened_domain.services.data_frames import make_frame, read_frame

ROWS = [{"n": 1, "name": "a"}, {"n": None, "name": "b"}]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(ROWS, id="rows"),
        pytest.param({"n": [1, None], "name": ["a", "b"]}, id="columns"),
        pytest.param({"n": pd.array([1, None], dtype="Int64"), "name": ("a", "b")}, id="arrays"),
        pytest.param(pd.DataFrame(ROWS), id="pandas"),
        pytest.param(pd.DataFrame(ROWS).convert_dtypes(), id="pandas' nullable types"),
        pytest.param(pl.DataFrame(ROWS), id="polars"),
    ],
)
def test_a_frame_gives_columns_of_python_values(source: Any) -> None:
    found = read_frame(source)
    assert found.columns == {"n": [1, None], "name": ["a", "b"]}
    assert all(
        type(value) in {int, float, str, type(None)}
        for some in found.columns.values()
        for value in some
    )
    assert (found.index, len(found)) == ({}, 2)


def test_values_of_numpy_and_pandas_become_pythons_own() -> None:
    frame = pd.DataFrame(
        {
            "moment": [pd.Timestamp("2024-01-31 12:00"), pd.NaT],
            "mixed": pd.Series([np.int64(7), "text"], dtype=object),
            "category": pd.Categorical(["x", None]),
        }
    )
    assert read_frame(frame).columns == {
        "moment": [datetime(2024, 1, 31, 12), None],
        "mixed": [7, "text"],
        "category": ["x", None],
    }
    assert {type(value) for value in read_frame(frame).columns["mixed"]} == {int, str}


def test_named_levels_of_a_pandas_index_stand_apart() -> None:
    frame = pd.DataFrame({"value": [1.5, 2.5]}, index=pd.Index([4, 9], name="image_id"))
    found = read_frame(frame)
    assert (found.columns, found.index) == ({"value": [1.5, 2.5]}, {"image_id": [4, 9]})


def test_an_index_without_a_name_is_given_unless_it_is_the_default_one() -> None:
    frame = pd.DataFrame({"value": [1.5, 2.5]})
    assert read_frame(frame.set_axis([4, 9])).unnamed == [4, 9]
    assert read_frame(frame.set_axis([4, None])).unnamed == [4, None]
    assert read_frame(frame).unnamed is None
    assert read_frame(frame.set_axis(pd.Index([4, 9], name="id"))).unnamed is None


def test_nan_is_missing_in_pandas_and_a_number_in_polars() -> None:
    assert read_frame(pd.DataFrame({"x": [1.0, float("nan")]})).columns == {"x": [1.0, None]}
    _, number = read_frame(pl.DataFrame({"x": [1.0, float("nan")]})).columns["x"]
    assert number != number


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ([{"a": 1}, {"b": 2}], "row 1 has the columns b"),
        ([1, 2], "row 0: a row is a dict of columns, not an int"),
        ({"a": [1], "b": [1, 2]}, "differ in length: a 1, b 2"),
        ({"a": "text"}, "column a: a list of values is needed, not a str"),
        ({1: [2]}, "the name of a column is a text, not 1"),
        (7, "a DataFrame, a dict of columns or a list of rows is needed, not an int"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "the DataFrame cannot be read"),
    ],
)
def test_what_is_no_table_is_refused(source: Any, what: str) -> None:
    with pytest.raises(BadInput, match=what):
        read_frame(source)


@pytest.mark.parametrize("backend", ["pandas", "polars"])
def test_a_frame_keeps_its_types_without_rows_and_beside_missing_values(backend: str) -> None:
    kinds: dict[str, Kind] = {
        "id": Integer(),
        "day": Day(),
        "share": Real(),
        "name": Text(),
        "eye": Choice(Laterality),
    }
    full = make_frame(
        {
            "id": [1, None],
            "day": [date(2024, 1, 31), None],
            "share": [0.5, None],
            "name": ["a", None],
            "eye": [Laterality.L, None],
        },
        kinds,
        backend=backend,
    )
    empty = make_frame({name: [] for name in kinds}, kinds, backend=backend)
    assert read_frame(full).columns["eye"] == ["L", None]
    assert read_frame(full).columns["id"] == [1, None]
    names = [str(dtype) for dtype in empty.dtypes]
    assert [name.lower() for name in names] == [str(dtype).lower() for dtype in full.dtypes]


def test_a_backend_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match="backend is one of pandas, polars, not 'spark'"):
        make_frame({}, {}, backend="spark")
