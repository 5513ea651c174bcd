"""The service: tasks that many graders share, each subtask by one of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from eyened_domain.errors import BadInput, RuleBroken
from eyened_domain.model.creator import Creator
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.task import SubTask, Task, TaskDefinition
from eyened_domain.model.task_work import SubTaskWork, TaskConfiguration
from eyened_domain.model.values import shown
from eyened_domain.services.task_making.image_sets import (
    GivenSets,
    ImageSet,
    check_priority,
    framed_sets,
    grouped_sets,
)
from eyened_domain.services.task_making.making import NewTask, make_task
from eyened_domain.services.task_making.plan import ReadingPlan
from eyened_domain.services.tasks import frames, leases, telling
from eyened_domain.services.tasks.claim import Claim
from eyened_domain.services.tasks.claiming import claim_next
from eyened_domain.services.unit_of_work import UnitOfWork

_USUAL = ReadingPlan()


class Tasks:
    """Makes tasks, gives their subtasks to graders, and tells how far they are.

    Whoever is meant is given as a creator, or the name of one. Nobody is made: a name that is
    not there is `NotFound`. All methods raise `ConfigurationError` where the database has no
    tables for it yet; the caller commits.
    """

    # --- making ---------------------------------------------------------------------------------

    def create(
        self,
        uow: UnitOfWork,
        name: str,
        definition: TaskDefinition | str,
        image_sets: GivenSets,
        *,
        by: Creator | str | None = None,
        plan: ReadingPlan = _USUAL,
        description: str | None = None,
        make_definition: bool = False,
        include_inactive: bool = False,
    ) -> Task:
        """Make a task with a subtask for each reading of each image set, in order.

        Args:
            uow: an open unit of work.
            name: of the task.
            definition: the kind of task, or its name.
            image_sets: lists of images or their ids that are looked at together; or what
                `sets_of` and `sets_in` return.
            by: who makes it.
            plan: by how many each set is read, and by whom.
            description: what it is for.
            make_definition: make the definition where there is none of that name.
            include_inactive: take images that are inactive as well.

        Raises:
            NotFound: images, the definition, or people are not there; nothing was written.
            RuleBroken: images are inactive.
            BadInput: something given cannot be meant.
        """
        _check_plan(plan)
        new = NewTask(
            name=name,
            definition=definition,
            by=by,
            description=description,
            plan=plan,
            make_definition=make_definition,
            include_inactive=include_inactive,
        )
        return make_task(uow, new, image_sets)

    def sets_of(
        self, uow: UnitOfWork, images: Iterable[int | ImageInstance], *, by: str = "image"
    ) -> list[ImageSet]:
        """Return images as image sets, in their order.

        Args:
            uow: an open unit of work.
            images: what a query has found, or ids.
            by: ``image`` (each one is a set), ``series``, ``study`` or ``patient``.

        Raises:
            BadInput: images are not grouped by that.
            NotFound: an image is not there.
        """
        return grouped_sets(uow.rows, images, by)

    def sets_in(self, uow: UnitOfWork, frame: Any) -> list[ImageSet]:
        """Return the image sets of a DataFrame, in the order of its rows.

        Args:
            uow: an open unit of work.
            frame: a DataFrame of pandas or polars, columns or rows: ``image_instance_id``,
                ``sop_instance_uid``, or ``dataset_identifier`` with or without
                ``source_name``; ``image_set`` (rows with the same value belong together;
                without it, each row is a set), and ``priority``, 1 (the most urgent) to 9.

        Raises:
            BadInput: a column is none of these, or a row does not tell its image or its set.
            NotFound: an image is not there.
            Duplicate: a dataset identifier is that of several images.
        """
        return framed_sets(uow.rows, frame)

    # --- its own configuration ------------------------------------------------------------------

    def plan(self, uow: UnitOfWork, task: Task | int) -> ReadingPlan:
        """Return how a task is to be read."""
        said = uow.task_configurations.get(_task_id(task), default=None)
        return ReadingPlan.of_json(None if said is None else said.configuration)

    def change_plan(self, uow: UnitOfWork, task: Task | int, plan: ReadingPlan) -> None:
        """Change the due date, the members of groups, or the length of leases.

        Raises:
            RuleBroken: something else is changed, which the subtasks were made by.
        """
        _check_plan(plan)
        now, task = self.plan(uow, task), _task(uow, task)
        for field in ("readings", "repeats", "seed", "graders"):
            if getattr(plan, field) != getattr(now, field):
                raise RuleBroken(
                    f"Task {shown(task.task_name)}: its subtasks were made with {field} "
                    f"{shown(getattr(now, field))}; make another task, or reassign them",
                    entity="Task",
                    field=field,
                    value=shown(getattr(plan, field)),
                )
        said = uow.task_configurations.get(task.task_id, default=None, lock=True)
        if said is None:
            said = uow.task_configurations.add(TaskConfiguration(task=task, configuration={}))
        said.configuration = plan.to_json()

    def prioritise(
        self, uow: UnitOfWork, sub_tasks: SubTask | int | Iterable[SubTask | int], priority: int
    ) -> int:
        """Let subtasks come sooner or later; return how many there are.

        Args:
            uow: an open unit of work.
            sub_tasks: one or several, of any tasks, or their ids.
            priority: 1 (the most urgent) to 9; 5 is the usual one.

        Raises:
            BadInput: it is no priority.
        """
        check_priority(priority)
        several = sub_tasks if isinstance(sub_tasks, Iterable) else [sub_tasks]
        ids = [_id(one) for one in several]
        found = uow.rows.find(SubTaskWork, "sub_task_id", ids, ("sub_task_id",), lock=True)
        uow.rows.update(
            SubTaskWork, [{"sub_task_id": one, "priority": priority} for (one,) in found]
        )
        return len(found)

    # --- grading --------------------------------------------------------------------------------

    def claim_next(self, uow: UnitOfWork, task: Task | int, by: Creator | str) -> Claim | None:
        """Claim the next subtask of a task for a grader: from the commit on it is theirs.

        First comes what is most urgent, in the order of the task; where anybody may read
        anything, what is reserved for the grader comes first. Nobody gets a second reading of
        the same images, but for repeats. What others are just claiming is passed over. Leases
        that have expired are given back before; the first claim lets the task be busy.

        Args:
            uow: an open unit of work.
            task: the task, or its id.
            by: the grader.

        Returns:
            None where nothing waits for the grader at the moment.

        Raises:
            RuleBroken: the task is closed.
            NotAllowed: the grader is in none of the task's groups.
            NotFound: there is no such task, or grader.
            Conflict: where nobody waits for others (SQLite, in memory): run it again.
        """
        return claim_next(uow, _task_id(task), by)

    def claim(self, uow: UnitOfWork, sub_task: SubTask | int, by: Creator | str) -> Claim:
        """Claim a certain subtask; of one that is the grader's already, get a new lease.

        Raises:
            RuleBroken: it is ready, somebody else's, or meant for somebody else; or the task
                is closed.
            NotAllowed: the grader is in none of the task's groups.
        """
        return leases.claim_one(uow, _id(sub_task), by)

    def renew(self, uow: UnitOfWork, claim: Claim) -> Claim:
        """Let the lease last longer, from now on; return the claim with its new end.

        A lease that has expired is renewed as long as nobody else has claimed the subtask.

        Raises:
            LeaseLost: somebody else has it, or has changed it.
        """
        return leases.renew(uow, claim)

    def finish(self, uow: UnitOfWork, claim: Claim, comment: str | None = None) -> None:
        """Make a claimed subtask ready; from then on its repeat, if it has one, waits.

        Args:
            uow: an open unit of work.
            claim: on the subtask.
            comment: replaces its comments, if given.

        Raises:
            LeaseLost: somebody else has it, or has changed it.
        """
        leases.finish(uow, claim, comment)

    def release(self, uow: UnitOfWork, claim: Claim, comment: str | None = None) -> None:
        """Give a claimed subtask back, for the next one, or for who it is reserved for.

        Args:
            uow: an open unit of work.
            claim: on the subtask.
            comment: replaces its comments, if given.

        Raises:
            LeaseLost: somebody else has it, or has changed it.
        """
        leases.release(uow, claim, comment)

    def reopen(self, uow: UnitOfWork, sub_task: SubTask | int) -> Claim:
        """Let the grader of a ready subtask take it up again; return the grader's claim.

        Raises:
            RuleBroken: it is not ready, or its task is closed.
        """
        return leases.reopen(uow, _id(sub_task))

    def reassign(self, uow: UnitOfWork, sub_task: SubTask | int, to: Creator | str | None) -> None:
        """Reserve a subtask that is not ready for somebody; who works on it loses the lease.

        Args:
            uow: an open unit of work.
            sub_task: the subtask, or its id.
            to: for whom; None for whoever comes.

        Raises:
            RuleBroken: it is ready, or the grader reads the same images already.
        """
        who = uow.creators.by_name(to) if isinstance(to, str) else to
        leases.reassign(uow, _id(sub_task), who)

    def close(self, uow: UnitOfWork, task: Task | int, *, abort: bool = False) -> None:
        """Finish a task all of whose subtasks are ready; nothing of it is claimed then.

        Args:
            uow: an open unit of work.
            task: the task, or its id.
            abort: end it though there is work left.

        Raises:
            RuleBroken: there is work left, or it is in a state that is not closed so.
        """
        held = uow.tasks.get(_task_id(task), lock=True)
        held.abort() if abort else held.finish()

    # --- telling --------------------------------------------------------------------------------

    def progress(self, uow: UnitOfWork, task: Task | int) -> telling.Progress:
        """Return how many subtasks are in which state: all, by grader, and ready by day."""
        return telling.progress_of(uow, _task_id(task))

    def readings(
        self, uow: UnitOfWork, task: Task | int, *, by: Creator | str | None = None
    ) -> list[telling.TaskReading]:
        """Return the readings of a task, those of the same images after each other.

        Three statements, however many there are. Readings with the same set number are of the
        same images: what their graders say of them is compared.

        Args:
            uow: an open unit of work.
            task: the task, or its id.
            by: only those of this grader, or meant for this grader: all that a grader may see.

        Raises:
            NotFound: there is no such grader.
        """
        who = uow.creators.by_name(by) if isinstance(by, str) else by
        if who is not None and not isinstance(who, Creator):
            raise BadInput(f"a Creator, or the name of one, is needed, not {shown(by)}", field="by")
        uow.flush()
        found = telling.readings_in(uow, _task_id(task))
        return [one for one in found if who is None or one.creator_id == who.creator_id]

    def forms(
        self,
        uow: UnitOfWork,
        task: Task | int,
        *,
        include_inactive: bool = False,
        backend: str = "pandas",
    ) -> Any:
        """Return the forms that were filled in for a task as a DataFrame, a row each.

        First come ``task_name``, ``set_number``, ``reading``, ``is_repeat`` and ``image_ids``
        (those of the subtask), then the columns of
        `FormAnnotation.export_formannotations_by_schema`: the answers come last.

        Args:
            uow: an open unit of work.
            task: the task, or its id.
            include_inactive: with what was withdrawn.
            backend: ``pandas`` or ``polars``.
        """
        held = _task(uow, task)
        return frames.forms_frame(uow, held, include_inactive=include_inactive, backend=backend)

    def segmentations(
        self,
        uow: UnitOfWork,
        task: Task | int,
        *,
        include_inactive: bool = False,
        backend: str = "pandas",
    ) -> Any:
        """Return the segmentations that were drawn for a task as a DataFrame, a row each.

        First come the columns of the subtask as in `forms`, then ids, feature, patient, image,
        grader and date.
        """
        return frames.segmentations_frame(
            uow, _task(uow, task), include_inactive=include_inactive, backend=backend
        )


def _task(uow: UnitOfWork, task: Task | int) -> Task:
    """Return a task that is given by itself or by its id."""
    return task if isinstance(task, Task) else uow.tasks.get(_task_id(task))


def _check_plan(plan: object) -> None:
    if not isinstance(plan, ReadingPlan):
        raise BadInput(f"a ReadingPlan is needed, not {shown(plan)}", entity="Task", field="plan")


def _task_id(task: Task | int) -> int:
    return _identity(task, task.task_id if isinstance(task, Task) else task, "Task")


def _id(sub_task: SubTask | int) -> int:
    given = sub_task.sub_task_id if isinstance(sub_task, SubTask) else sub_task
    return _identity(sub_task, given, "SubTask")


def _identity(given: object, identity: Any, name: str) -> int:
    if type(identity) is int:
        return identity
    if identity is None and given is not None:
        raise RuleBroken(f"this {name} is not stored; add it and flush first", entity=name)
    raise BadInput(f"a {name}, or its id, is needed, not {shown(given)}", entity=name)
