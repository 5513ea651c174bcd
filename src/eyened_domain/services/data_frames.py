"""DataFrames in and out: columns of Python values on this side, pandas or polars on the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

from attrs import frozen

from eyened_domain.errors import BadInput, ConfigurationError
from eyened_domain.model.values import (
    PLAIN,
    Blob,
    Choice,
    Day,
    Flag,
    Integer,
    Kind,
    Moment,
    Real,
    Text,
    kind_of,
    plain,
    shown,
)

Columns = dict[str, list[Any]]
"""Values by the name of their column; all columns have the same length, None is no value."""


@frozen
class FrameInput:
    """What a frame holds, as Python's own values."""

    columns: Columns
    index: Columns
    """The levels of a pandas index that have a name; empty for anything else."""
    unnamed: list[Any] | None = None
    """A pandas index that was given and has no name; the default one, 0, 1, 2 …, is none."""

    def __len__(self) -> int:
        return len(next(iter((self.columns | self.index).values()), ()))


def read_frame(source: Any) -> FrameInput:
    """Return the columns of a DataFrame, or of rows or columns in plain Python.

    Values of numpy, pandas and polars become Python's own. What a frame has as missing (NaN of
    pandas, NaT, NA, null) becomes None; NaN of polars is a number there, and stays.

    Args:
        source: a DataFrame of pandas, polars or another library that narwhals knows, a mapping
            of columns to their values, or a list of rows (mappings with the same keys).

    Raises:
        BadInput: it is nothing of these, rows have other columns than the first one, columns
            differ in length, or a column stands there twice or has no text as its name.
        ConfigurationError: it is a DataFrame, and narwhals is not installed.
    """
    if isinstance(source, Mapping):
        return FrameInput(
            _checked({name: _listed(name, some) for name, some in source.items()}), {}
        )
    if isinstance(source, Iterable) and not hasattr(source, "columns"):
        return FrameInput(_checked(_columns_of_rows(source)), {})
    return _read_data_frame(source)


def _columns_of_rows(source: Iterable[Any]) -> Columns:
    rows = list(source)
    for position, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise BadInput(f"row {position}: a row is a dict of columns, not {kind_of(row)}")
        if row.keys() != rows[0].keys():
            raise BadInput(
                f"row {position} has the columns {', '.join(map(str, row))}; the first one has "
                f"{', '.join(map(str, rows[0]))}"
            )
    names = rows[0] if rows else ()
    return {name: [plain(row[name]) for row in rows] for name in names}


def _listed(name: str, values: Any) -> list[Any]:
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise BadInput(f"column {name}: a list of values is needed, not {kind_of(values)}")
    return [plain(value) for value in values]


def _read_data_frame(source: Any) -> FrameInput:
    narwhals = _narwhals()
    try:
        frame = narwhals.from_native(source, eager_only=True)
    except TypeError:
        raise BadInput(
            f"a DataFrame, a dict of columns or a list of rows is needed, not {kind_of(source)}"
        ) from None
    except ValueError as error:  # a column that stands there twice
        raise BadInput(f"the DataFrame cannot be read: {error}") from None
    columns = {name: _values_of(frame[name]) for name in frame.columns}
    return FrameInput(_checked(columns), _index_of(source), _unnamed_index(source))


def _values_of(series: Any) -> list[Any]:
    values: list[Any] = series.to_list()
    if not PLAIN.issuperset(map(type, values)):
        values = [plain(value) for value in values]
    if not series.is_null().any():
        return values
    missing = series.is_null().to_list()
    return [None if gone else value for value, gone in zip(values, missing, strict=True)]


def _index_of(source: Any) -> Columns:
    """Return the named levels of a pandas index."""
    names = getattr(getattr(source, "index", None), "names", None) or ()
    levels = {
        name: _level(source.index.get_level_values(position))
        for position, name in enumerate(names)
        if name is not None
    }
    return _checked(levels)


def _unnamed_index(source: Any) -> list[Any] | None:
    index = getattr(source, "index", None)
    is_given = type(index).__name__ not in {"RangeIndex", "MultiIndex"}
    is_unnamed = is_given and list(getattr(index, "names", ())) == [None]
    return _level(index) if is_unnamed else None


def _level(values: Any) -> list[Any]:
    gone = values.isna()
    return [None if none else plain(value) for value, none in zip(values, gone, strict=True)]


def _checked(columns: Columns) -> Columns:
    for name in columns:
        if not isinstance(name, str):
            raise BadInput(f"the name of a column is a text, not {shown(name)}")
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise BadInput(f"the columns differ in length: {told}")
    return columns


def make_frame(
    columns: Mapping[str, Sequence[Any]], kinds: Mapping[str, Kind], *, backend: str = "pandas"
) -> Any:
    """Return columns as a DataFrame with the types that their kinds have, also without rows.

    Args:
        columns: Python's own values by the name of their column; members of an enumeration are
            shown by name.
        kinds: what the columns hold; a column that is not named here holds anything.
        backend: ``pandas`` or ``polars``.

    Returns:
        a DataFrame of shape (rows, columns): dates as datetimes (pandas, ``datetime64[s]``) or
        dates (polars), whole numbers as whole numbers, also beside missing ones.

    Raises:
        BadInput: there is no such backend.
        ConfigurationError: it is not installed.
    """
    make = backend_of(backend)
    return make({name: _named(some, kinds.get(name)) for name, some in columns.items()}, kinds)


def _named(values: Sequence[Any], kind: Kind | None) -> list[Any]:
    if isinstance(kind, Choice):
        return [value.name if isinstance(value, Enum) else value for value in values]
    return list(values)


def backend_of(name: str) -> Callable[[Mapping[str, list[Any]], Mapping[str, Kind]], Any]:
    """Return what makes the frames of a backend; raise `BadInput` when there is none."""
    if name not in _BACKENDS:
        raise BadInput(f"backend is one of {', '.join(_BACKENDS)}, not {name!r}")
    return _BACKENDS[name]


def _pandas(data: Mapping[str, list[Any]], kinds: Mapping[str, Kind]) -> Any:
    try:
        import numpy as np  # noqa: PLC0415 - loaded when used
        import pandas as pd  # noqa: PLC0415
    except ImportError as error:
        raise _not_installed("pandas") from error
    texts = pd.Series(["a text"]).dtype  # what pandas makes of texts depends on its version
    columns: dict[str, Any] = {}
    for label, values in data.items():
        kind = kinds.get(label)
        if isinstance(kind, Day | Moment):
            columns[label] = np.array(values, dtype="datetime64[s]")
        elif isinstance(kind, Integer):
            columns[label] = pd.array(values, dtype="Int64" if None in values else "int64")
        elif isinstance(kind, Real):
            columns[label] = np.array(values, dtype="float64")
        elif isinstance(kind, Flag) and None not in values:
            columns[label] = np.array(values, dtype="bool")
        elif isinstance(kind, Text | Choice):
            columns[label] = pd.Series(values, dtype=texts)
        else:
            columns[label] = pd.Series(values, dtype="object")
    return pd.DataFrame(columns)


def _polars(data: Mapping[str, list[Any]], kinds: Mapping[str, Kind]) -> Any:
    try:
        import polars as pl  # noqa: PLC0415 - loaded when used
    except ImportError as error:
        raise _not_installed("polars") from error
    known: dict[type[Kind], Any] = {
        Text: pl.String,
        Choice: pl.String,
        Day: pl.Date,
        Moment: pl.Datetime,
        Integer: pl.Int64,
        Real: pl.Float64,
        Flag: pl.Boolean,
        Blob: pl.Binary,
    }
    overrides = {
        label: known[type(kinds[label])] for label in data if type(kinds.get(label)) in known
    }
    return pl.DataFrame(dict(data), schema_overrides=overrides, infer_schema_length=None)


def _narwhals() -> Any:
    try:
        import narwhals.stable.v2 as narwhals  # noqa: PLC0415 - loaded when used
    except ImportError as error:
        raise ConfigurationError(
            "narwhals is not installed: pip install 'eyened-domain[frames]'"
        ) from error
    return narwhals


def _not_installed(backend: str) -> ConfigurationError:
    extra = "eyened-domain[frames]" if backend == "pandas" else backend
    return ConfigurationError(f"{backend} is not installed: pip install '{extra}'")


_BACKENDS: Mapping[str, Callable[[Mapping[str, list[Any]], Mapping[str, Kind]], Any]] = {
    "pandas": _pandas,
    "polars": _polars,
}
