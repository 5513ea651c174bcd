"""What the graders of a task have said, as DataFrames: a row for each form or segmentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eyened_domain.model.form import FormAnnotation
from eyened_domain.model.segmentation import Segmentation
from eyened_domain.model.task import Task
from eyened_domain.model.values import Flag, Integer, Json, Kind, Text
from eyened_domain.services.column_paths import path_of
from eyened_domain.services.data_frames import backend_of, make_frame
from eyened_domain.services.form_rows import METADATA, frame_of_forms
from eyened_domain.services.tasks.telling import TaskReading, readings_in
from eyened_domain.services.unit_of_work import UnitOfWork

SEGMENTATIONS: Mapping[str, str] = {
    "segmentation_id": "segmentation_id",
    "sub_task_id": "sub_task_id",
    "feature_name": "feature.feature_name",
    "project_name": "image_instance.series.study.patient.project.project_name",
    "patient_identifier": "image_instance.series.study.patient.patient_identifier",
    "study_date": "image_instance.series.study.study_date",
    "image_instance_id": "image_instance_id",
    "dataset_identifier": "image_instance.dataset_identifier",
    "laterality": "image_instance.laterality",
    "creator_name": "creator.creator_name",
    "data_representation": "data_representation",
    "inactive": "inactive",
    "date_inserted": "date_inserted",
}
"""What is told of each segmentation: the name of the column, and what it is."""
_COLUMNS: Mapping[str, Kind] = {
    "task_name": Text(),
    "set_number": Integer(),
    "reading": Integer(),
    "is_repeat": Flag(),
    "image_ids": Json(),
}
"""What is told of the subtask that something was made in."""


def forms_frame(
    uow: UnitOfWork, task: Task, *, include_inactive: bool = False, backend: str = "pandas"
) -> Any:
    """Return the forms of a task; see `Tasks.forms`."""
    asked = [*METADATA.values(), "form_data"]
    found = _found(uow, FormAnnotation, task, asked, include_inactive=include_inactive)
    place = list(METADATA).index("sub_task_id")
    before = _before(uow, task, [row[place] for row in found])
    return frame_of_forms(found, backend=backend, before=before)


def segmentations_frame(
    uow: UnitOfWork, task: Task, *, include_inactive: bool = False, backend: str = "pandas"
) -> Any:
    """Return the segmentations of a task; see `Tasks.segmentations`."""
    backend_of(backend)
    asked = [*SEGMENTATIONS.values()]
    found = _found(uow, Segmentation, task, asked, include_inactive=include_inactive)
    place = list(SEGMENTATIONS).index("sub_task_id")
    before = _before(uow, task, [row[place] for row in found])
    kinds = {name: kind for name, (kind, _) in before.items()}
    columns: dict[str, Sequence[Any]] = {name: some for name, (_, some) in before.items()}
    values = zip(*found, strict=True) if found else iter([()] * len(asked))
    for (name, path), some in zip(SEGMENTATIONS.items(), values, strict=True):
        at = path_of(Segmentation, path)
        columns[name], kinds[name] = some, at.owner.__entity__.columns[at.column].kind
    return make_frame(columns, kinds, backend=backend)


def _found(
    uow: UnitOfWork, entity: type[Any], task: Task, asked: Sequence[str], *, include_inactive: bool
) -> list[tuple[Any, ...]]:
    uow.flush()
    wanted: dict[str, Any] = {} if include_inactive else {"inactive": False}
    found = uow.rows.find(entity, "sub_task.task_id", [task.task_id], asked, **wanted)
    return sorted(found, key=lambda row: int(row[0]))


def _before(
    uow: UnitOfWork, task: Task, sub_task_ids: Sequence[int]
) -> dict[str, tuple[Kind, Sequence[Any]]]:
    """Return the columns that tell of the subtasks."""
    known: dict[int, TaskReading] = {one.sub_task_id: one for one in readings_in(uow, task.task_id)}
    several = [known[one] for one in sub_task_ids]
    values: dict[str, Sequence[Any]] = {
        "task_name": [task.task_name] * len(several),
        "set_number": [one.set_number for one in several],
        "reading": [one.reading for one in several],
        "is_repeat": [one.is_repeat for one in several],
        "image_ids": [list(one.image_ids) for one in several],
    }
    return {name: (kind, values[name]) for name, kind in _COLUMNS.items()}
