"""What sharing a task among graders needs of a storage: the order in which subtasks wait."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from attrs import frozen

from eyened_domain.model.enums import SubTaskState, TaskState
from eyened_domain.services.row_shapes import Row


@frozen(kw_only=True)
class QueueSeen:
    """What a claim looks at first."""

    now: datetime
    """By the clock of the storage, in UTC, in whole seconds."""
    task_name: str
    task_state: TaskState
    configuration: Any
    """Of the task; None for a task of another program."""
    creator_id: int | None
    """Who claims; None where there is nobody of that name or id."""
    creator_name: str | None
    has_expired: bool
    """Whether there are leases that have expired."""
    has_reserved: bool
    """Whether something waits for who claims alone."""


@frozen(kw_only=True)
class Held:
    """A subtask that is locked, and its row of work: nobody else can change them."""

    now: datetime
    """When it was locked, by the clock of the storage, in UTC."""
    sub_task_id: int
    task_id: int
    state: SubTaskState
    creator_id: int | None
    set_number: int
    reading: int
    is_repeat: bool
    held_back: bool
    reserved_for_id: int | None
    grader_id: int | None
    lease_token: str | None
    repeat_id: int | None
    """The subtask that repeats this reading, and waits until it is ready."""


@frozen
class Waiting:
    """A subtask that waits."""

    sub_task_id: int
    was_read_last: bool
    """Whether its images are those that the grader has read last."""


@frozen
class ProgressCount:
    """How many subtasks of a task are in the same state, of the same creator and day."""

    state: SubTaskState
    creator_id: int | None
    creator_name: str | None
    day: date | None
    """When they became ready (UTC), where that is known."""
    count: int


class TaskQueue(Protocol):
    """The subtasks that wait, in the order of their priority and position.

    Rows of `SubTaskWork` stand in it. What is locked stays so until the transaction ends.
    All methods raise `ConfigurationError` where the storage has no such rows yet.
    """

    def now(self) -> datetime:
        """Return the time by the clock of the storage, in UTC, in whole seconds."""

    def look(self, task_id: int, creator: int | str) -> QueueSeen | None:
        """Return what there is to know before a claim; None where there is no such task.

        Nothing is locked, and it is one statement.

        Args:
            task_id: of which task.
            creator: who claims, by id or name.
        """

    def lock(self, sub_task_id: int) -> Held | None:
        """Lock a subtask and its row of work; None where either is not there."""

    def take_first(self, task_id: int, reserved_for: int | None) -> Held | None:
        """Lock the first subtask that waits and that nobody else has locked.

        Args:
            task_id: of which task.
            reserved_for: for whom it waits; None for what anybody may take.
        """

    def waiting(
        self, task_id: int, creator_id: int, readings: Collection[int] | None, *, most: int
    ) -> list[Waiting]:
        """Return the first subtasks that a grader may take, in their order.

        Those whose images the grader has read, but for repeats, are left out, and those that
        wait for others. Nothing is locked.

        Args:
            task_id: of which task.
            creator_id: the grader.
            readings: only these readings; None for all.
            most: how many to return at the most.
        """

    def take_one(self, sub_task_ids: Iterable[int]) -> Held | None:
        """Lock the first of these that waits and that nobody else has locked."""

    def take_expired(self, task_id: int, *, most: int) -> list[tuple[int, int | None, int | None]]:
        """Lock subtasks whose leases have expired and that nobody else has locked.

        Returns:
            of each, its id, who has had it, and for whom it is reserved.
        """

    def drifted(self, task_id: int) -> list[tuple[int, bool]]:
        """Return the subtasks of which this queue says something else than they do themselves.

        Other programs have made, taken, assigned or given back these. Nothing is locked.

        Returns:
            of each, its id, and whether it has a row here.
        """

    def add_missing(self, rows: Sequence[Row]) -> None:
        """Insert rows of `SubTaskWork`, but for those that somebody else has inserted."""

    def progress(self, task_id: int) -> list[ProgressCount]:
        """Return how many subtasks are in which state, in one statement."""
