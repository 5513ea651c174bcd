"""Makes tasks: thousands of subtasks in a constant number of statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from attrs import frozen

from eyened_domain.model.creator import Creator
from eyened_domain.model.enums import SubTaskState
from eyened_domain.model.queries import GivesRepositories
from eyened_domain.model.task import SubTask, SubTaskImageLink, Task, TaskDefinition
from eyened_domain.model.task_work import SubTaskWork, TaskConfiguration
from eyened_domain.services.repository import Repository
from eyened_domain.services.rows import Rows
from eyened_domain.services.task_making.allocation import Reading, allocate
from eyened_domain.services.task_making.image_sets import (
    GivenSets,
    ImageSet,
    check_images,
    given_sets,
)
from eyened_domain.services.task_making.plan import ReadingPlan


class Source(GivesRepositories, Protocol):
    """A session or a unit of work."""

    def flush(self) -> None:
        """Store what has changed."""


@frozen(kw_only=True)
class NewTask:
    """What a task is to be."""

    name: str
    definition: TaskDefinition | str
    by: Creator | str | None = None
    description: str | None = None
    plan: ReadingPlan = ReadingPlan()  # noqa: RUF009 - it is frozen
    make_definition: bool = False
    """Whether a definition of a name that is not there is made."""
    include_inactive: bool = False


def make_task(source: Source, new: NewTask, image_sets: GivenSets) -> Task:
    """Make a task with a subtask for each reading of each image set.

    Args:
        source: an open session or unit of work.
        new: what the task is to be.
        image_sets: the images that are looked at together, in order.

    Raises:
        NotFound: images, the definition, or people are not there.
        RuleBroken: images are inactive.
        BadInput: something given cannot be meant.
        ConfigurationError: the database has no tables for it yet.
    """
    sets = given_sets(image_sets)
    tasks = source.repository(Task)
    rows: Rows = tasks.rows
    by = None if new.by is None else _person(source, new.by)
    graders = _graders(source, new.plan)
    check_images(rows, sets, include_inactive=new.include_inactive)
    task = tasks.add(
        Task(
            task_name=new.name,
            description=new.description,
            creator=by,
            task_definition=_definition(source, new),
        )
    )
    source.repository(TaskConfiguration).add(
        TaskConfiguration(task=task, configuration=new.plan.to_json())
    )
    source.flush()
    _insert(rows, task.task_id, sets, allocate(len(sets), new.plan), graders)
    made: Task = task
    return made


def _definition(source: Source, new: NewTask) -> TaskDefinition:
    definitions: Repository[TaskDefinition] = source.repository(TaskDefinition)
    if isinstance(new.definition, TaskDefinition):
        return new.definition
    if new.make_definition:
        found: TaskDefinition | None = definitions.by_name(new.definition, default=None)
        return found or definitions.add(TaskDefinition(task_definition_name=new.definition))
    return definitions.by_name(new.definition)


def _person(source: Source, by: Creator | str) -> Creator:
    if isinstance(by, Creator):
        return by
    found: Creator = source.repository(Creator).by_name(by)
    return found


def _graders(source: Source, plan: ReadingPlan) -> dict[str, int]:
    """Return the ids of the graders by name; everybody who is named has to be there."""
    named = [*plan.graders, *(name for names in plan.groups.values() for name in names)]
    creators = source.repository(Creator)
    wanted = list(dict.fromkeys(named))
    found = creators.by_names(wanted) if wanted else {}
    for name in wanted:
        if name not in found:
            creators.by_name(name)  # says whose name comes near
    return {name: found[name].creator_id for name in plan.graders}


def _insert(
    rows: Rows,
    task_id: int,
    sets: Sequence[ImageSet],
    readings: Sequence[Reading],
    graders: Mapping[str, int],
) -> None:
    whom = [None if one.grader is None else graders[one.grader] for one in readings]
    ids = rows.insert(
        SubTask,
        [
            {"task_id": task_id, "creator_id": grader, "task_state": SubTaskState.NotStarted}
            for grader in whom
        ],
        key=["task_id", "creator_id"],
    )
    images = [
        {"sub_task_id": sub_task_id, "image_instance_id": image}
        for sub_task_id, one in zip(ids, readings, strict=True)
        for image in sets[one.set_number - 1].image_ids
    ]
    rows.insert_links(SubTaskImageLink, images)
    work = [
        {
            "sub_task_id": sub_task_id,
            "task_id": task_id,
            "set_number": one.set_number,
            "reading": one.reading,
            "is_repeat": one.is_repeat,
            "priority": sets[one.set_number - 1].priority,
            "position": position,
            "held_back": one.is_repeat,
            "reserved_for_id": None if one.is_repeat else grader,
        }
        for position, (sub_task_id, one, grader) in enumerate(
            zip(ids, readings, whom, strict=True), 1
        )
    ]
    rows.insert(SubTaskWork, work, key=["sub_task_id"])
