"""Forms as records: what goes out to files, and what comes back from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from enum import Enum
from typing import Any

from attrs import define

from eyened_domain.errors import BadInput
from eyened_domain.model.flat_answers import WHOLE
from eyened_domain.model.values import kind_of, shown
from eyened_domain.services.form_rows import RECORD_COLUMNS, column_infos, pages
from eyened_domain.services.rows import Rows
from eyened_domain.services.sought_values import converted

Record = dict[str, Any]
"""The columns of a form that it has, and its answers under `answers`."""


def records_of(rows: Rows, wanted: Mapping[str, Any]) -> Iterator[Record]:
    """Yield forms as records, in the order of their ids; see `Forms.records`."""
    for page in pages(rows, wanted, columns=RECORD_COLUMNS):
        for *told, answers in page:
            named = zip(RECORD_COLUMNS, told, strict=True)
            record = {name: _plain(value) for name, value in named if value is not None}
            yield {**record, WHOLE: answers}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.name
    return value.isoformat() if isinstance(value, date) else value


@define(eq=False)
class FormEntry:
    """What a record says of a form."""

    where: str
    """Which record it is."""
    values: dict[str, Any]
    """Its columns, as they are stored; those that it does not tell are None."""
    answers: Any

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


def entry_of(record: Any, where: str) -> FormEntry:
    """Return what a record says.

    Args:
        record: columns by either name, and the answers; what is None is not told.
        where: which record it is.

    Raises:
        BadInput: a column is none, or holds what it cannot.
    """
    if not isinstance(record, Mapping):
        raise BadInput(f"a record is an object of columns and answers, not {kind_of(record)}")
    infos = column_infos(RECORD_COLUMNS)
    known = {info.columns[name].database_name: name for name, info in infos.items()}
    known |= {name: name for name in infos}
    values: dict[str, Any] = dict.fromkeys(infos)
    for given, value in record.items():
        if given == WHOLE:
            continue
        name = known.get(given)
        if name is None:
            raise BadInput(
                f"{shown(given)} is no column of a record; it has {', '.join(infos)} and {WHOLE}",
                field=str(given),
            )
        if value is not None:
            values[name] = converted(infos[name], name, value)
    for name in ("schema_name", "creator_name"):
        if values[name] is None:
            raise BadInput(f"{name} is missing", field=name)
    return FormEntry(where, values, record.get(WHOLE))
