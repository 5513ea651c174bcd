"""Long work on what a storage holds: due rows are read, worked on and stored in portions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from typing import Any, Generic, Protocol, TypeVar

from attrs import define, field, frozen

from eyened_domain.errors import FolderMissing
from eyened_domain.services.batches.engine import IN_FLIGHT, work_on
from eyened_domain.services.batches.outcomes import BatchReport, ItemFailure, Outcome
from eyened_domain.services.progress import Progress
from eyened_domain.services.storage import Storage
from eyened_domain.services.unit_of_work import UnitOfWork

T = TypeVar("T")
S = TypeVar("S")

PORTION = 100
"""Outcomes that are stored in one transaction."""
_PAGE = 500


@frozen
class Due(Generic[T]):
    """A page of rows that were looked at.

    Attributes:
        items: what there is to do.
        skipped: how many of the rows there is nothing to do with.
        last: the highest primary key that was looked at; None when there are no more rows.
    """

    items: Sequence[T]
    skipped: int = 0
    last: int | None = None


@frozen(kw_only=True)
class Saved:
    """What came of storing a portion; see `BatchReport`."""

    made: int = 0
    overtaken: int = 0
    failures: Sequence[ItemFailure] = ()


class Job(Protocol[T]):
    """A kind of long work: what is due, what is done with it, and what is stored of it."""

    @property
    def work(self) -> Callable[[T], Any]:
        """What is done with an item, maybe in another process: picklable, like the item."""

    def count(self, uow: UnitOfWork) -> int:
        """Return how many rows will be looked at."""

    def due(self, uow: UnitOfWork, after: int, most: int) -> Due[T]:
        """Return what is due of the next rows beyond a primary key.

        A constant number of statements; nothing is changed.
        """

    def save(self, uow: UnitOfWork, outcomes: Sequence[Outcome[T]]) -> Saved:
        """Store outcomes; may be called again for the same ones, after a rollback."""


def _nothing(done: int, total: int | None) -> None:
    """Show nothing."""


def _never() -> bool:
    return False


@frozen(kw_only=True)
class RunOptions:
    """How a job is run.

    Attributes:
        executor: any; without one the work is done in this thread. See `work_on`.
        in_flight: how many items are with the executor at the most.
        portion: how many outcomes are stored in one transaction; what a killed run loses.
        progress: called after each item with how many are done, and of how many.
        should_stop: asked between items whether to end early.
    """

    executor: Executor | None = None
    in_flight: int = IN_FLIGHT
    portion: int = PORTION
    progress: Progress = _nothing
    should_stop: Callable[[], bool] = _never


def run_job(storage: Storage, job: Job[T], options: RunOptions | None = None) -> BatchReport:
    """Do what is due, in portions, each in a transaction of its own.

    Rows are read ahead and outcomes stored while the executor works. Stopped, killed, or run
    by two at once, what is stored stays, and the next run does the rest.

    Raises:
        KeyboardInterrupt: what was finished before it is stored.
        FolderMissing: a folder that the files are in is not mounted (any more); as before.
        StorageError: the database or the workers are gone; as before.
    """
    return _JobRun(storage, job, options or RunOptions()).run()


@define
class _JobRun(Generic[T]):
    storage: Storage
    job: Job[T]
    options: RunOptions
    total: int = 0
    worked_on: int = 0
    skipped: int = 0
    made: int = 0
    overtaken: int = 0
    failures: list[ItemFailure] = field(factory=list)
    waiting: list[Outcome[T]] = field(factory=list)

    def run(self) -> BatchReport:
        how = self.options
        with self.storage.unit_of_work() as uow:
            self.total = self.job.count(uow)
        self._show()
        outcomes = work_on(
            self._items(),
            self.job.work,
            executor=how.executor,
            in_flight=how.in_flight,
            should_stop=how.should_stop,
        )
        try:
            with closing(outcomes):
                for outcome in outcomes:
                    self._take(outcome)
        finally:
            self._save()
        self._show()
        return BatchReport(
            made=self.made,
            overtaken=self.overtaken,
            skipped=self.skipped,
            failures=self.failures,
            stopped=how.should_stop(),
        )

    def _items(self) -> Iterator[T]:
        """Give what is due, page by page; each page is read when it is needed."""
        after = 0
        while True:
            with self.storage.unit_of_work() as uow:
                page = self.job.due(uow, after, _PAGE)
            self.skipped += page.skipped
            yield from page.items
            if page.last is None:
                return
            after = page.last

    def _take(self, outcome: Outcome[T]) -> None:
        failure = outcome.failure
        if failure is not None and failure.kind == FolderMissing.__name__:
            raise FolderMissing(failure.message)  # as it would be with all that follow
        self.waiting.append(outcome)
        self.worked_on += 1
        if len(self.waiting) >= self.options.portion:
            self._save()
        self._show()

    def _show(self) -> None:
        done = self.worked_on + self.skipped
        self.options.progress(done, max(done, self.total))

    def _save(self) -> None:
        portion, self.waiting = self.waiting, []
        if not portion:
            return
        saved = self.storage.run(lambda uow: self.job.save(uow, portion))
        self.made += saved.made
        self.overtaken += saved.overtaken
        self.failures.extend(saved.failures)
