"""Claims: the next subtask of a task for a grader, and no subtask for two."""

from __future__ import annotations

from eyened_domain.errors import Duplicate
from eyened_domain.model.creator import Creator
from eyened_domain.model.enums import SubTaskState, TaskState
from eyened_domain.services.task_queue import Held
from eyened_domain.services.tasks.claim import Asking, Claim, asking, leased
from eyened_domain.services.tasks.synchronising import give_back_expired, synchronise
from eyened_domain.services.unit_of_work import UnitOfWork

_MOST_SEEN = 50
"""How many subtasks that wait are looked at, where they are looked at before one is taken."""


def claim_next(uow: UnitOfWork, task_id: int, by: Creator | str) -> Claim | None:
    """Claim the next subtask; see `Tasks.claim_next`."""
    who = asking(uow, task_id, by)
    if who.has_expired:
        give_back_expired(uow, task_id)
    search = _Search(uow, who)
    claim = search.next(has_reserved=who.has_reserved or who.has_expired)
    if claim is None and synchronise(uow, task_id):
        claim = search.next(has_reserved=True)
    if claim is not None:
        start_task(uow, who)
    return claim


class _Search:
    """Looks for a subtask that a grader may take, and takes it."""

    def __init__(self, uow: UnitOfWork, who: Asking) -> None:
        self._uow, self._who = uow, who
        self._refused: set[int] = set()

    def next(self, *, has_reserved: bool) -> Claim | None:
        """Return the claim on the first subtask that can be taken."""
        while True:
            is_plain = self._who.plan.is_plain
            found = self._plainly(has_reserved) if is_plain else self._blindly()
            if found is None or found.sub_task_id in self._refused:
                return None
            claim = lease(self._uow, found, self._who)
            if claim is not None:
                return claim
            self._refused.add(found.sub_task_id)
            synchronise(self._uow, self._who.task_id)

    def _plainly(self, has_reserved: bool) -> Held | None:
        """Take what comes next: what is reserved for the grader before what anybody may take."""
        queue, who = self._uow.task_queue, self._who
        found = queue.take_first(who.task_id, who.creator_id) if has_reserved else None
        return found or queue.take_first(who.task_id, None)

    def _blindly(self) -> Held | None:
        """Take what comes next of what the grader has not read; not the same images in a row."""
        queue, who = self._uow.task_queue, self._who
        seen = queue.waiting(who.task_id, who.creator_id, who.readings, most=_MOST_SEEN)
        several = [one for one in seen if one.sub_task_id not in self._refused]
        several.sort(key=lambda one: one.was_read_last)
        return queue.take_one(one.sub_task_id for one in several)


def lease(uow: UnitOfWork, held: Held, who: Asking) -> Claim | None:
    """Let a locked subtask that waits be a grader's; None where it is not to be had."""
    is_open = held.state is SubTaskState.NotStarted
    if not is_open or held.creator_id not in (None, who.creator_id):
        return None  # another program has taken or assigned it
    try:
        return leased(uow, held, who.creator_id, who.now + who.plan.lease)
    except Duplicate:  # the same grader has taken another reading of the images meanwhile
        return None


def start_task(uow: UnitOfWork, who: Asking) -> None:
    """Let a task be busy from its first claim on."""
    if who.task_state is TaskState.NotStarted:
        task = uow.tasks.get(who.task_id, lock=True)
        if task.task_state is TaskState.NotStarted:
            task.start()
