"""A task of its own for what graders disagree on, and its results beside the readings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from eyened_domain.errors import BadInput, RuleBroken
from eyened_domain.model.creator import Creator
from eyened_domain.model.enums import Laterality
from eyened_domain.model.flat_answers import leaves, written
from eyened_domain.model.form import FormSchema
from eyened_domain.model.task import Task, TaskDefinition
from eyened_domain.model.values import Choice, Flag, Integer, Kind, Text, shown
from eyened_domain.services.agreement.disagreement import DisagreedCase
from eyened_domain.services.agreement.readings import Case, form_readings, stored
from eyened_domain.services.data_frames import make_frame
from eyened_domain.services.form_rows import path_order
from eyened_domain.services.task_making import NewTask, make_task
from eyened_domain.services.unit_of_work import UnitOfWork


def made_task(
    uow: UnitOfWork,
    task: Task,
    cases: Sequence[DisagreedCase],
    *,
    name: str,
    by: Creator,
    definition: TaskDefinition | None,
) -> Task:
    """Return a new task with a subtask for each case; see `Agreement.adjudicate`."""
    return make_task(
        uow,
        NewTask(
            name=name,
            definition=definition or task.task_definition,
            by=by,
            description=f"Adjudication of task {stored(uow, task)}, {shown(task.task_name)}",
        ),
        _imagesets(cases),
    )


def _imagesets(cases: Sequence[DisagreedCase]) -> list[tuple[int, ...]]:
    """Return the images of each case once, in order.

    Raises:
        BadInput: there are no cases.
        RuleBroken: one has no images.
    """
    if not cases:
        raise BadInput("there is nothing to adjudicate: no cases were given", entity="Task")
    for one in cases:
        if not one.image_ids:
            raise RuleBroken(
                f"nothing can be shown of patient {one.case.patient_id} (forms "
                f"{', '.join(map(str, one.readings))}): neither the forms nor their subtasks "
                "have an image",
                entity="SubTask",
                field="sub_task_image_links",
            )
    return list(dict.fromkeys(one.image_ids for one in cases))  # both eyes of a patient: once


_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("patient_id", "study_id", "image_instance_id"), Integer()),
    "laterality": Choice(Laterality),
    **dict.fromkeys(("question", "grader", "answer"), Text()),
    "reading": Integer(),
    "adjudicated": Flag(),
    "form_annotation_id": Integer(),
}


def readings_frame(
    uow: UnitOfWork, task: Task, schema: FormSchema, adjudication: Task | None, backend: str
) -> Any:
    """Return every answer, with those of the adjudication; see `Agreement.readings`."""
    found: list[tuple[Any, ...]] = []
    for is_result, one in ((False, task), (True, adjudication)):
        readings = {} if one is None else form_readings(uow, one, schema, None)
        for case, by_grader in readings.items():
            for grader, reading in by_grader.items():
                for path, answer in leaves(reading.what) if reading.what is not None else ():
                    about = (grader.name, grader.number, is_result, reading.identity)
                    text = json.dumps(answer, ensure_ascii=False)
                    found.append((case, path, *about, text))
    found.sort(key=lambda row: (row[0].place, path_order(row[1]), row[4], row[2], row[3]))
    columns: dict[str, list[Any]] = {
        name: [getattr(row[0], name) for row in found] for name in Case._fields
    }
    columns["question"] = [written(row[1]) for row in found]
    names = ("grader", "reading", "adjudicated", "form_annotation_id", "answer")
    for place, name in enumerate(names, 2):
        columns[name] = [row[place] for row in found]
    return make_frame(columns, _KINDS, backend=backend)
