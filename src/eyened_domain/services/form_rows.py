"""What was filled in of a form, flat: as rows, and as a DataFrame."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from eyened_domain.model.entity import EntityInfo
from eyened_domain.model.flat_answers import WHOLE, Path, leaves, written
from eyened_domain.model.form import FormAnnotation
from eyened_domain.model.values import Flag, Integer, Kind, Real, Text
from eyened_domain.services.column_paths import path_of
from eyened_domain.services.data_frames import make_frame
from eyened_domain.services.rows import Rows

METADATA: Mapping[str, str] = {
    "form_annotation_id": "form_annotation_id",
    "form_annotation_reference_id": "form_annotation_reference_id",
    "schema_name": "form_schema.schema_name",
    "project_name": "patient.project.project_name",
    "patient_id": "patient_id",
    "patient_identifier": "patient.patient_identifier",
    "study_id": "study_id",
    "study_date": "study.study_date",
    "image_instance_id": "image_instance_id",
    "dataset_identifier": "image_instance.dataset_identifier",
    "laterality": "laterality",
    "creator_name": "creator.creator_name",
    "sub_task_id": "sub_task_id",
    "inactive": "inactive",
    "date_inserted": "date_inserted",
}
"""What is told of each form beside its answers: the name of the column, and what it is."""
RECORD_COLUMNS: Mapping[str, str] = {
    "form_annotation_id": "form_annotation_id",
    "form_annotation_reference_id": "form_annotation_reference_id",
    "schema_name": "form_schema.schema_name",
    "project_name": "patient.project.project_name",
    "patient_identifier": "patient.patient_identifier",
    "study_date": "study.study_date",
    "dataset_identifier": "image_instance.dataset_identifier",
    "source_name": "image_instance.source_info.source_name",
    "laterality": "laterality",
    "creator_name": "creator.creator_name",
    "inactive": "inactive",
    "date_inserted": "date_inserted",
}
"""The same in files: what is known in every database, and the ids that revisions refer to."""
_WHOLE_NUMBERS = 2**63
_EXACT = 2**53
PAGE = 200
"""Forms that are read at a time: one has 4 MB at the most."""


def column_infos(columns: Mapping[str, str]) -> dict[str, EntityInfo]:
    """Return for each of these columns the entity whose column it is."""
    paths = {label: path_of(FormAnnotation, name) for label, name in columns.items()}
    return {label: path.owner.__entity__ for label, path in paths.items()}


def _database_names(columns: Mapping[str, str]) -> dict[str, str]:
    infos = column_infos(columns)
    return {label: info.columns[label].database_name for label, info in infos.items()}


def reserved_names() -> frozenset[str]:
    """Return the names of the columns that tell of a form, in both styles."""
    names = _database_names({**METADATA, **RECORD_COLUMNS})
    return frozenset(names) | frozenset(names.values()) | {WHOLE}


def form_rows(
    rows: Rows,
    wanted: Mapping[str, Any],
    *,
    columns: Mapping[str, str] = METADATA,
    after: int = 0,
    most: int | None = None,
) -> list[tuple[Any, ...]]:
    """Return columns and the answers of forms, in the order of their ids, in one statement.

    Args:
        rows: of an open unit of work.
        wanted: columns of FormAnnotation and what they hold.
        columns: what is told of each form beside its answers, the id first.
        after: the id beyond which they begin.
        most: how many to return at the most; None for all.
    """
    asked = [*columns.values(), "form_data"]
    return rows.page(FormAnnotation, asked, any_of=[wanted], after=after, most=most)


def form_frame(rows: Rows, wanted: Mapping[str, Any], *, backend: str, database_names: bool) -> Any:
    """Return forms as a DataFrame; see `FormAnnotation.export_formannotations_by_schema`."""
    found = form_rows(rows, wanted)
    return frame_of_forms(found, backend=backend, database_names=database_names)


def frame_of_forms(
    found: Sequence[tuple[Any, ...]],
    *,
    backend: str,
    database_names: bool = False,
    before: Mapping[str, tuple[Kind, Sequence[Any]]] | None = None,
) -> Any:
    """Return forms that were read as a DataFrame.

    Args:
        found: the columns of `METADATA`, and the answers, of each form.
        backend: ``pandas`` or ``polars``.
        database_names: label the columns of `METADATA` as the database does.
        before: columns that come first: what they hold, and their values.
    """
    several = zip(*found, strict=True) if found else iter([()] * (len(METADATA) + 1))
    *told, answers = several
    infos = column_infos(METADATA)
    first = before or {}
    kinds = {name: kind for name, (kind, _) in first.items()}
    columns: dict[str, Sequence[Any]] = {name: some for name, (_, some) in first.items()}
    names = _database_names(METADATA) if database_names else dict.fromkeys(METADATA)
    for (label, info), values in zip(infos.items(), told, strict=True):
        name = names[label] or label
        columns[name], kinds[name] = values, info.columns[label].kind
    for name, some in flat_columns(answers).items():
        kind = _kind_of(some)
        label = f'["{name}"]' if name in first else name
        if kind is not None:
            columns[label], kinds[label] = some, kind
        else:  # polars has one type in a column
            columns[label] = some if backend == "pandas" else [_as_text(one) for one in some]
    return make_frame(columns, kinds, backend=backend)


def flat_columns(answers: Sequence[Any]) -> dict[str, list[Any]]:
    """Return answers as columns: one for each path, in the order of the paths.

    The order depends on the paths alone: names by their letters, positions by their number.
    None stands for what is absent, and for null; empty lists and objects stand for themselves.

    Args:
        answers: of each form, None for none.
    """
    columns: dict[Path, list[Any]] = {}
    for place, one in enumerate(answers):
        if one is None:
            continue
        for path, value in leaves(one):
            column = columns.get(path)
            if column is None:
                column = columns[path] = [None] * len(answers)
            column[place] = value
    reserved = reserved_names()
    return {written(path, reserved): columns[path] for path in sorted(columns, key=path_order)}


def path_order(path: Path) -> list[tuple[bool, int, str]]:
    """Return what paths are sorted by."""
    return [(False, part, "") if isinstance(part, int) else (True, 0, part) for part in path]


def _kind_of(values: Sequence[Any]) -> Kind | None:
    """Return what all values of a column are; None where they are not of one kind."""
    types = {type(value) for value in values} - {type(None)}
    if types == {str}:
        return Text()
    if types == {bool}:
        return Flag()
    if types and types <= {int, float}:
        whole = [value for value in values if type(value) is int]
        if types == {int}:
            fits = all(-_WHOLE_NUMBERS <= value < _WHOLE_NUMBERS for value in whole)
            return Integer() if fits else None
        return Real() if all(abs(value) <= _EXACT for value in whole) else None
    return None


def _as_text(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def pages(
    rows: Rows, wanted: Mapping[str, Any], *, columns: Mapping[str, str]
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield forms, `PAGE` at a time; see `form_rows`."""
    after = 0
    while page := form_rows(rows, wanted, columns=columns, after=after, most=PAGE):
        yield page
        after = page[-1][0]
