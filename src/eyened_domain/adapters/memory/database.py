"""A database in memory: gives units of work on one store, as `Database` does on a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from eyened_domain.adapters.memory.store import MemoryStore
from eyened_domain.adapters.memory.unit_of_work import MemoryUnitOfWork
from eyened_domain.errors import Conflict
from eyened_domain.model.annotation import AnnotationFiles
from eyened_domain.services.changes.author import Actor, Author, author_of
from eyened_domain.services.events import Subscribers

T = TypeVar("T")


class MemoryDatabase:
    """Units of work on one store in memory; takes the place of `Database` in tests.

    Args:
        store: what is committed; one of its own when none is given.
        subscribers: called with each recorded event, after commit.
        annotation_files: what reads the files of legacy annotations.
    """

    def __init__(
        self,
        store: MemoryStore | None = None,
        subscribers: Subscribers = (),
        *,
        annotation_files: AnnotationFiles | None = None,
    ) -> None:
        self.store: MemoryStore = MemoryStore() if store is None else store
        self._subscribers = subscribers
        self._annotation_files = annotation_files

    def unit_of_work(
        self,
        *,
        include_inactive: bool = False,
        actor: Actor = None,
        reason: str | None = None,
    ) -> MemoryUnitOfWork:
        """Return a unit of work, to be used in a `with` block.

        Args:
            include_inactive: let finders, lists and frames be with what is inactive.
            actor: see `UnitOfWork`, and so of the reason.
            reason: as well.
        """
        return MemoryUnitOfWork(
            self.store,
            self._subscribers,
            annotation_files=self._annotation_files,
            include_inactive=include_inactive,
            actor=actor,
            reason=reason,
        )

    def run(
        self,
        work: Callable[[MemoryUnitOfWork], T],
        *,
        retries: int = 3,
        include_inactive: bool = False,
        actor: Actor = None,
        reason: str | None = None,
    ) -> T:
        """Run work in a unit of work and commit it; all of it again on a conflict.

        Args:
            work: called with the open unit of work.
            retries: how often it is run again at the most.
            include_inactive: let finders, lists and frames be with what is inactive.
            actor: see `UnitOfWork`, and so of the reason.
            reason: as well.

        Raises:
            Conflict: it did not succeed after all retries.
        """
        author = author_of(actor, reason)
        for _ in range(retries):
            try:
                return self._run(work, author, include_inactive=include_inactive)
            except Conflict:
                continue
        return self._run(work, author, include_inactive=include_inactive)

    def _run(
        self, work: Callable[[MemoryUnitOfWork], T], author: Author, *, include_inactive: bool
    ) -> T:
        with self.unit_of_work(
            include_inactive=include_inactive, actor=author.actor, reason=author.reason
        ) as uow:
            result = work(uow)
            uow.commit()
            return result
