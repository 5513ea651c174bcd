"""Tasks for graders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from eyened_domain.errors import RuleBroken
from eyened_domain.model.database_names.task import (
    SubTaskImageLinkNames,
    SubTaskNames,
    TaskDefinitionNames,
    TaskNames,
)
from eyened_domain.model.entity import Entity, entity
from eyened_domain.model.enums import SubTaskState, TaskState
from eyened_domain.model.fields import (
    Column,
    DateColumn,
    EnumColumn,
    Many,
    One,
    choice,
    column,
    foreign_key,
    key,
    many,
    one,
)
from eyened_domain.model.known_links import Target, loaded, target_of
from eyened_domain.model.values import Json, Moment, Text, shown

if TYPE_CHECKING:
    from eyened_domain.model.creator import Creator
    from eyened_domain.model.form import FormAnnotation
    from eyened_domain.model.image import ImageInstance
    from eyened_domain.model.project import Contact
    from eyened_domain.model.queries import GivesRepositories
    from eyened_domain.model.segmentation import Segmentation


@entity(name="task_definition_name", repository="task_definitions")
class TaskDefinition(TaskDefinitionNames, Entity):
    """A kind of task, with its configuration."""

    task_definition_id: Column[int] = key("TaskDefinitionID", default=None)
    task_definition_name: Column[str] = column("TaskDefinitionName", Text(256))
    task_config: Column[Any] = column("TaskConfig", Json(), default=None, nullable=True)
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)

    tasks: Many[Task] = many("Tasks", "Task", back="task_definition", default=None)


@entity(name="task_name", repository="tasks")
class Task(TaskNames, Entity):
    """Work for graders, in subtasks.

    Its state is changed by `start`, `finish`, `abort`, `archive` and `reopen`, which keep to
    the order of work. Assigning `task_state` sets any state, for imports and repairs.
    """

    task_id: Column[int] = key("TaskID", default=None)
    task_name: Column[str] = column("TaskName", Text(256))
    description: Column[str | None] = column("Description", Text(), default=None, nullable=True)
    creator_id: Column[int | None] = foreign_key(
        "CreatorID", "Creator", default=None, nullable=True
    )
    contact_id: Column[int | None] = foreign_key(
        "ContactID", "Contact", default=None, nullable=True
    )
    task_definition_id: Column[int] = foreign_key(
        "TaskDefinitionID", "TaskDefinition", default=None
    )
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)
    task_state: EnumColumn[TaskState] = choice("TaskState", TaskState, default=TaskState.NotStarted)

    contact: One[Contact | None] = one(
        "Contact", "Contact", via="contact_id", back="tasks", default=None
    )
    creator: One[Creator | None] = one(
        "Creator", "Creator", via="creator_id", back="tasks", default=None
    )
    task_definition: One[TaskDefinition] = one(
        "TaskDefinition", "TaskDefinition", via="task_definition_id", back="tasks", default=None
    )
    sub_tasks: Many[SubTask] = many("SubTasks", "SubTask", back="task", default=None)

    @classmethod
    def create_from_imagesets(
        cls,
        source: GivesRepositories,
        *,
        taskdef_name: str,
        task_name: str,
        imagesets: Iterable[Iterable[int | ImageInstance]],
        creator_name: str | None = None,
        description: str | None = None,
        make_definition: bool = False,
        include_inactive: bool = False,
    ) -> Task:
        """Make a task with a subtask for each image set, in order, and return it.

        Thousands take as many statements as one does. `services.tasks.Tasks` makes tasks that
        several graders read, and of other things than ids.

        Args:
            source: an open session or unit of work; the caller commits.
            taskdef_name: the name of the `TaskDefinition`.
            task_name: of the new task.
            imagesets: ids of images, or images, that are looked at together: ``[[1, 2], [3]]``.
            creator_name: who makes it.
            description: what it is for.
            make_definition: make the definition where there is none of that name.
            include_inactive: take images that are inactive as well.

        Raises:
            NotFound: there is no definition or creator of that name, or images are not there.
            RuleBroken: images are inactive.
            BadInput: a set is empty, or has an image twice.
            ConfigurationError: the database has no tables for it yet.
        """
        made: Task = source.repository(cls).made_of(
            source,
            imagesets,
            name=task_name,
            definition=taskdef_name,
            by=creator_name,
            description=description,
            make_definition=make_definition,
            include_inactive=include_inactive,
        )
        return made

    @property
    def progress(self) -> dict[SubTaskState, int]:
        """How many subtasks are in each state; every state is there."""
        counts = Counter(one.task_state for one in self.sub_tasks)
        return {state: counts[state] for state in SubTaskState}

    def start(self) -> None:
        """NotStarted > Busy.

        Raises:
            RuleBroken: it is in another state.
        """
        self._move(TaskState.Busy, "start")

    def finish(self) -> None:
        """Busy > Finished, when all subtasks are ready.

        Raises:
            RuleBroken: it is in another state, or there is work left.
        """
        self._check_move(TaskState.Finished, "finish")
        left = len(self.sub_tasks) - self.progress[SubTaskState.Ready]
        if left:
            raise RuleBroken(
                f"Task {shown(self.task_name)}: {left} of {len(self.sub_tasks)} subtasks are not "
                "ready; finish or delete them, or abort the task",
                entity="Task",
                field="task_state",
            )
        self.task_state = TaskState.Finished

    def abort(self) -> None:
        """NotStarted or Busy > Aborted.

        Raises:
            RuleBroken: it is in another state.
        """
        self._move(TaskState.Aborted, "abort")

    def archive(self) -> None:
        """Finished or Aborted > Archived.

        Raises:
            RuleBroken: it is in another state.
        """
        self._move(TaskState.Archived, "archive")

    def reopen(self) -> None:
        """Finished, Aborted or Archived > Busy.

        Raises:
            RuleBroken: it is in another state.
        """
        self._move(TaskState.Busy, "reopen")

    def _move(self, to: TaskState, step: str) -> None:
        self._check_move(to, step)
        self.task_state = to

    def _check_move(self, to: TaskState, step: str) -> None:
        steps = _TASK_STEPS[self.task_state]
        if step not in steps:
            raise _wrong_step(f"Task {shown(self.task_name)}", self.task_state, to, step, steps)


@entity(repository="sub_tasks")
class SubTask(SubTaskNames, Entity):
    """A piece of a task that one grader takes: some images to be looked at.

    Its state is changed by `start`, `finish`, `release` and `reopen`; while it is Busy it
    belongs to its creator. Assigning `task_state` sets any state, for imports and repairs.
    """

    sub_task_id: Column[int] = key("SubTaskID", default=None)
    task_id: Column[int] = foreign_key("TaskID", "Task", default=None, on_delete="CASCADE")
    creator_id: Column[int | None] = foreign_key(
        "CreatorID", "Creator", default=None, nullable=True
    )
    comments: Column[str | None] = column("Comments", Text(), default=None, nullable=True)
    task_state: EnumColumn[SubTaskState] = choice(
        "TaskState", SubTaskState, default=SubTaskState.NotStarted
    )

    task: One[Task] = one("Task", "Task", via="task_id", back="sub_tasks", default=None)
    creator: One[Creator | None] = one(
        "Creator", "Creator", via="creator_id", back="sub_tasks", default=None
    )
    sub_task_image_links: Many[SubTaskImageLink] = many(
        "SubTaskImageLinks", "SubTaskImageLink", back="sub_task", default=None
    )
    form_annotations: Many[FormAnnotation] = many(
        "FormAnnotations", "FormAnnotation", back="sub_task", default=None
    )
    segmentations: Many[Segmentation] = many(
        "Segmentations", "Segmentation", back="sub_task", default=None
    )

    def start(self, by: Creator) -> None:
        """NotStarted > Busy; from then on it belongs to that creator.

        Raises:
            RuleBroken: it is in another state, is meant for somebody else, or its task (when
                loaded) is closed.
        """
        self._check_step(SubTaskState.Busy, "start")
        self._check_mine(by)
        self._check_task_open()
        self.creator = by
        self.task_state = SubTaskState.Busy

    def finish(self, comment: str | None = None, *, by: Creator | None = None) -> None:
        """Busy > Ready.

        Args:
            comment: replaces the comments, if given.
            by: who finishes it; only its creator may.

        Raises:
            RuleBroken: it is in another state, or belongs to another creator.
        """
        self._check_step(SubTaskState.Ready, "finish")
        self._check_mine(by)
        if comment is not None:
            self.comments = comment
        self.task_state = SubTaskState.Ready

    def release(self, *, by: Creator | None = None) -> None:
        """Busy > NotStarted; it belongs to nobody then.

        Args:
            by: who gives it back; only its creator may.

        Raises:
            RuleBroken: it is in another state, or belongs to another creator.
        """
        self._check_step(SubTaskState.NotStarted, "release")
        self._check_mine(by)
        self.creator = None
        self.creator_id = None
        self.task_state = SubTaskState.NotStarted

    def reopen(self, *, by: Creator | None = None) -> None:
        """Ready > Busy, with the creator it had.

        Args:
            by: who takes it up again; only its creator may.

        Raises:
            RuleBroken: it is in another state, belongs to another creator, or its task (when
                loaded) is closed.
        """
        self._check_step(SubTaskState.Busy, "reopen")
        self._check_mine(by)
        self._check_task_open()
        self.task_state = SubTaskState.Busy

    def _check_step(self, to: SubTaskState, step: str) -> None:
        check_step(self.sub_task_id, self.task_state, to, step)

    def _check_mine(self, by: Creator | None) -> None:
        mine = target_of(self, "creator")
        if by is not None and mine.differs_from(Target(by, by.creator_id)):
            name = mine.target.__dict__.get("creator_name") if mine.target is not None else None
            raise RuleBroken(
                f"SubTask {self.sub_task_id} belongs to creator {shown(name) if name else mine}, "
                f"not to {shown(by.creator_name)}; it has to be released first",
                entity="SubTask",
                field="creator",
                value=mine.identity,
            )

    def _check_task_open(self) -> None:
        task: Task | None = loaded(self, "task")
        state = None if task is None else task.__dict__.get("task_state")
        if state in (TaskState.Finished, TaskState.Aborted, TaskState.Archived):
            raise RuleBroken(
                f"SubTask {self.sub_task_id}: its task is {state.name}; reopen the task first",
                entity="SubTask",
                field="task",
                value=state,
            )


@entity(repository="sub_task_images")
class SubTaskImageLink(SubTaskImageLinkNames, Entity):
    """That an image belongs to a subtask."""

    sub_task_id: Column[int] = foreign_key(
        "SubTaskID", "SubTask", default=None, primary_key=True, on_delete="CASCADE"
    )
    image_instance_id: Column[int] = foreign_key(
        "ImageInstanceID", "ImageInstance", default=None, primary_key=True, on_delete="CASCADE"
    )

    sub_task: One[SubTask] = one(
        "SubTask", "SubTask", via="sub_task_id", back="sub_task_image_links", default=None
    )
    image_instance: One[ImageInstance] = one(
        "ImageInstance",
        "ImageInstance",
        via="image_instance_id",
        back="sub_task_image_links",
        default=None,
    )


_TASK_STEPS = {
    TaskState.NotStarted: ("start", "abort"),
    TaskState.Busy: ("finish", "abort"),
    TaskState.Finished: ("archive", "reopen"),
    TaskState.Aborted: ("archive", "reopen"),
    TaskState.Archived: ("reopen",),
}
_SUB_TASK_STEPS = {
    SubTaskState.NotStarted: ("start",),
    SubTaskState.Busy: ("finish", "release"),
    SubTaskState.Ready: ("reopen",),
}
"""Which steps can be taken from each state."""


def check_step(sub_task_id: int | None, now: SubTaskState, to: SubTaskState, step: str) -> None:
    """Raise `RuleBroken` unless a step can be taken.

    Args:
        sub_task_id: of which subtask.
        now: the state that it is in.
        to: the state that the step leads to.
        step: ``start``, ``finish``, ``release`` or ``reopen``.
    """
    steps = _SUB_TASK_STEPS[now]
    if step not in steps:
        raise _wrong_step(f"SubTask {sub_task_id}", now, to, step, steps)


def _wrong_step(what: str, now: Enum, to: Enum, step: str, steps: tuple[str, ...]) -> RuleBroken:
    return RuleBroken(
        f"{what} is {now.name}: {step} (to {to.name}) is not possible; {' or '.join(steps)} is",
        entity=what.split(maxsplit=1)[0],
        field="task_state",
        value=now,
    )
