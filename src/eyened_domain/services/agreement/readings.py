"""Who has read what in a task: forms and segmentations, by case and grader.

A grader's reading of a case is the newest of each subtask; in order of the subtasks, the first
is the reading that is compared with others', and later ones are repeats.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from attrs import evolve, frozen

from eyened_domain.errors import BadInput, NotFound, RuleBroken
from eyened_domain.model.enums import Laterality
from eyened_domain.model.form import FormAnnotation, FormSchema
from eyened_domain.model.segmentation import Segmentation
from eyened_domain.model.task import SubTaskImageLink, Task
from eyened_domain.model.values import shown
from eyened_domain.services.unit_of_work import UnitOfWork


class Case(NamedTuple):
    """What graders have looked at."""

    patient_id: int
    study_id: int | None
    image_instance_id: int | None
    laterality: Laterality | None

    @property
    def place(self) -> tuple[Any, ...]:
        """What cases are sorted by."""
        side = "" if self.laterality is None else self.laterality.name
        return (self.patient_id, self.study_id or 0, self.image_instance_id or 0, side)


class Grader(NamedTuple):
    """Somebody's first reading of cases, or a repeat."""

    name: str
    creator_id: int
    number: int = 1
    """1, or from 2 on which repeat it is."""

    @property
    def label(self) -> str:
        """The name; of a repeat with its number."""
        return self.name if self.number == 1 else f"{self.name} ({self.number})"


@frozen
class Reading:
    """What one grader said, or drew, of one case in one subtask."""

    identity: int
    """Of the form, or the segmentation."""
    case: Case
    grader: Grader
    sub_task_id: int
    what: Any
    """The answers; of a segmentation its feature."""


Readings = dict[Case, dict[Grader, Reading]]


def graders_of(by_case: Mapping[Case, Mapping[Grader, Any]]) -> list[Grader]:
    """Return all who are there for any case, by name, repeats after first readings."""
    return sorted({grader for by_grader in by_case.values() for grader in by_grader})


def pairs_of(graders: Iterable[Grader]) -> list[tuple[Grader, Grader]]:
    """Return who is compared: different graders, and a grader's first reading with the repeats."""
    return [
        (one, other)
        for one, other in combinations(sorted(graders), 2)
        if one.number == 1 and (other.number == 1 or other.creator_id == one.creator_id)
    ]


_OF_FORMS = (
    *("form_annotation_id", "form_annotation_reference_id", "creator_id"),
    *("form_annotation_reference.creator_id", "creator.creator_name", "sub_task_id"),
    *("image_instance.inactive", "image_instance.series.study_id", "image_instance.laterality"),
    *("patient_id", "study_id", "image_instance_id", "laterality", "form_data"),
)


def form_readings(
    uow: UnitOfWork, task: Task, schema: FormSchema, graders: Sequence[str] | None
) -> Readings:
    """Return the answers to a form that a task has collected, in one statement.

    What was withdrawn, and what is about an image that is inactive, is left out. A revision of
    a grader's own form takes its place; what revises somebody else's is no reading.
    """
    rows = uow.rows.find(
        FormAnnotation,
        "sub_task.task_id",
        [stored(uow, task)],
        _OF_FORMS,
        form_schema_id=stored(uow, schema),
        inactive=False,
        **_only(uow, graders),
    )
    found, revised, borrowed = [], set(), set()
    for row in sorted(rows, key=lambda row: int(row[0])):
        identity, reference, creator_id, revises, name, sub_task_id, inactive, *about, said = row
        image_study_id, image_side, patient_id, study_id, image_id, side = about
        if reference is not None and (revises != creator_id or reference in borrowed):
            borrowed.add(identity)
        elif not inactive:
            revised.add(reference)
            case = Case(patient_id, study_id, image_id, side)
            if image_id is not None:  # whatever else a grader has said of it
                case = Case(patient_id, image_study_id, image_id, image_side)
            found.append(Reading(identity, case, Grader(name, creator_id), sub_task_id, said))
    return _numbered(one for one in found if one.identity not in revised)


_OF_MASKS = (
    *("segmentation_id", "creator_id", "creator.creator_name", "sub_task_id", "zarr_array_index"),
    *("image_instance.inactive", "feature.feature_name", "image_instance.series.study.patient_id"),
    *("image_instance.series.study_id", "image_instance_id", "image_instance.laterality"),
)


def mask_readings(
    uow: UnitOfWork, task: Task, features: Sequence[str] | None, graders: Sequence[str] | None
) -> dict[str, Readings]:
    """Return by feature which segmentations a task has collected, in one statement.

    What is inactive, or has no pixels yet, is left out.
    """
    wanted: dict[str, Any] = {} if features is None else {"feature.feature_name": list(features)}
    rows = uow.rows.find(
        Segmentation,
        "sub_task.task_id",
        [stored(uow, task)],
        _OF_MASKS,
        inactive=False,
        **wanted,
        **_only(uow, graders),
    )
    found: dict[str, list[Reading]] = {}
    for row in sorted(rows, key=lambda row: int(row[0])):
        identity, creator_id, name, sub_task_id, position, inactive, feature, *about = row
        if position is not None and not inactive:
            grader = Grader(name, creator_id)
            reading = Reading(identity, Case(*about), grader, sub_task_id, feature)
            found.setdefault(feature, []).append(reading)
    return {feature: _numbered(found[feature]) for feature in sorted(found)}


def images_of(uow: UnitOfWork, readings: Mapping[Case, Iterable[Reading]]) -> dict[Case, list[int]]:
    """Return the images of each case: its own, or those of its subtasks; one statement."""
    about = {case: {one.sub_task_id for one in some} for case, some in readings.items()}
    asked = {one for case, some in about.items() if case.image_instance_id is None for one in some}
    rows = (
        uow.rows.find(
            SubTaskImageLink, "sub_task_id", sorted(asked), ["sub_task_id", "image_instance_id"]
        )
        if asked
        else []
    )
    shown_in: dict[int, set[int]] = {}
    for sub_task_id, image_id in rows:
        shown_in.setdefault(sub_task_id, set()).add(image_id)
    return {
        case: [case.image_instance_id]
        if case.image_instance_id is not None
        else sorted(set().union(*(shown_in.get(one, set()) for one in some)))
        for case, some in about.items()
    }


def stored(uow: UnitOfWork, one: Task | FormSchema) -> int:
    """Return the id of a task, or of a form.

    Raises:
        BadInput: it is something else.
        RuleBroken: it is not stored, nor in this unit.
    """
    if not isinstance(one, Task | FormSchema):
        raise BadInput(f"a Task, or a FormSchema, is needed, not {shown(one)}", entity="Task")
    uow.flush()
    (key,) = one.__entity__.primary_key
    identity: int | None = getattr(one, key)
    if identity is None:
        entity = one.__entity__.name
        raise RuleBroken(f"this {entity} is not stored: add it first", entity=entity)
    return identity


def _only(uow: UnitOfWork, graders: Sequence[str] | None) -> dict[str, Any]:
    if graders is None:
        return {}
    found = uow.creators.by_names(graders)
    missing = [name for name in graders if name not in found]
    if missing:
        raise NotFound(
            f"there is no Creator {', '.join(map(shown, missing))}",
            entity="Creator",
            field="creator_name",
            value=missing[0],
        )
    return {"creator_id": [one.creator_id for one in found.values()]}


def _numbered(readings: Iterable[Reading]) -> Readings:
    """Return readings, each in order of its id, by case and by grader with its number."""
    newest: dict[tuple[Case, Grader], dict[int, Reading]] = {}
    for one in readings:
        newest.setdefault((one.case, one.grader), {})[one.sub_task_id] = one
    by_case: Readings = {}
    for case, grader in sorted(newest, key=lambda key: (key[0].place, key[1])):
        for number, (_, one) in enumerate(sorted(newest[case, grader].items()), 1):
            whose = grader._replace(number=number)
            by_case.setdefault(case, {})[whose] = evolve(one, grader=whose)
    return by_case
