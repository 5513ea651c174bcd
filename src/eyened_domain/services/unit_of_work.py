"""The unit of work: one transaction, the same on every adapter."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from eyened_domain.errors import BadInput, RuleBroken, not_open
from eyened_domain.model.entity import Entity
from eyened_domain.model.values import kind_of
from eyened_domain.services.changes.author import Actor, Author, author_of
from eyened_domain.services.changes.record import ChangeRecord
from eyened_domain.services.computation_record import ComputationRecord
from eyened_domain.services.conversion_record import ConversionRecord
from eyened_domain.services.events import Event, Segmented, Subscribers
from eyened_domain.services.import_journal import ImportJournal
from eyened_domain.services.named_repositories import NamedRepositories
from eyened_domain.services.repository import Repository
from eyened_domain.services.rows import Rows
from eyened_domain.services.sought_values import check_entity
from eyened_domain.services.task_queue import TaskQueue

if TYPE_CHECKING:
    from eyened_domain.model.creator import Creator
    from eyened_domain.model.segmentation import ModelSegmentation, Segmentation

E = TypeVar("E", bound=Entity)
_log = logging.getLogger("eyened_domain")


class UnitOfWork(NamedRepositories):
    """One transaction with a repository for every entity; rolled back unless committed.

    Args:
        subscribers: called with each recorded event, after commit.
        include_inactive: let finders, lists and frames be with what is inactive, where a call
            does not say.
        actor: who it acts for, as the history says: a stored creator, or the name or the id
            of one.
        reason: why, as the history says.
    """

    def __init__(
        self,
        subscribers: Subscribers = (),
        *,
        include_inactive: bool = False,
        actor: Actor = None,
        reason: str | None = None,
    ) -> None:
        self._include_inactive = include_inactive
        self._author: Author = author_of(actor, reason)
        self._subscribers = tuple(subscribers)
        self._events: list[Event] = []
        self._callbacks: list[Callable[[], object]] = []
        self._open = False

    def __enter__(self) -> Self:
        if self._open:
            raise RuleBroken("this unit of work is open already; units are not nested")
        self._open = True
        self._begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open = False
        self._forget()
        self._close()

    @property
    def include_inactive(self) -> bool:
        """Whether finders, lists and frames are with what is inactive."""
        return self._include_inactive

    def record(self, event: Event) -> None:
        """Remember an event, to be published after commit."""
        self._check_open()
        if not isinstance(event, Event):
            raise BadInput(f"an Event is recorded, not {kind_of(event)}; inherit from Event")
        self._events.append(event)

    def _note_pixels(self, segmentation: Segmentation | ModelSegmentation) -> None:
        """Record that pixels were stored; the adapter's store of pixels says so."""
        self.record(Segmented(segmentation))

    def on_commit(self, callback: Callable[[], object]) -> None:
        """Call a function of the host after commit; what it raises is logged, not raised."""
        self._check_open()
        if not callable(callback):
            raise BadInput(f"a function is called after commit, not {kind_of(callback)}")
        self._callbacks.append(callback)

    def commit(self) -> None:
        """Make everything permanent, then publish the events and call the callbacks."""
        self._check_open()
        self._commit()
        events, callbacks = self._events, self._callbacks
        self._forget()
        for event in events:
            for subscriber in self._subscribers:
                _call(subscriber, event)
        for callback in callbacks:
            _call(callback)

    def rollback(self) -> None:
        """Take back everything since the last commit, and forget the events."""
        self._check_open()
        self._forget()
        self._rollback()

    def flush(self) -> None:
        """Send what has changed to the storage, so that new objects have ids."""
        self._check_open()
        self._flush()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Take back what happens in the block, and its events, when an error leaves the block.

        The error is raised again; who catches it outside the block can go on with the unit.
        """
        self._check_open()
        events, callbacks = len(self._events), len(self._callbacks)
        try:
            with self._savepoint():
                yield
        except BaseException:
            del self._events[events:], self._callbacks[callbacks:]
            raise

    def lock(self, one: Entity) -> None:
        """Keep others from changing an object until this unit ends, as when it was changed.

        For what a unit only reads, and relies on.

        Args:
            one: a stored object of this unit.

        Raises:
            BadInput: it is no object of an entity.
            Conflict: it was changed by somebody else since it was read. In memory, where
                nobody waits, the commit of the one who comes second raises it.
            RuleBroken: it is not stored, or not in this unit.
        """
        self._check_open()
        if not isinstance(one, Entity):
            raise BadInput(f"a stored object is locked, not {kind_of(one)}")
        self._lock(one)

    @property
    def actor(self) -> Creator | None:
        """Who this unit acts for; None where that was not said.

        Raises:
            NotFound: there is no such creator.
        """
        self._check_open()
        actor = self._author.actor
        if actor is None:
            return None
        if isinstance(actor, str):
            return self.creators.by_name(actor)
        return self.creators.get(actor if isinstance(actor, int) else actor.creator_id)

    @property
    def reason(self) -> str | None:
        """Why this unit changes what it changes; None where that was not said."""
        return self._author.reason

    @property
    @abstractmethod
    def history(self) -> ChangeRecord:
        """The record of who changed what; `services.history` asks it."""

    @property
    @abstractmethod
    def rows(self) -> Rows:
        """Set-based reading and writing."""

    @property
    @abstractmethod
    def imports(self) -> ImportJournal:
        """The record of imports."""

    @property
    @abstractmethod
    def conversions(self) -> ConversionRecord:
        """The record of annotations that were converted."""

    @property
    @abstractmethod
    def computations(self) -> ComputationRecord:
        """The record of what attribute values were computed from."""

    @property
    @abstractmethod
    def task_queue(self) -> TaskQueue:
        """The order in which subtasks wait for graders."""

    def repository(self, entity: type[E], /) -> Repository[E]:
        """Return the repository of an entity class.

        Raises:
            BadInput: it is no entity class.
        """
        self._check_open()
        check_entity(entity)
        return self._repository(entity)

    def _check_open(self) -> None:
        if not self._open:
            raise not_open()

    def _forget(self) -> None:
        self._events, self._callbacks = [], []

    @abstractmethod
    def _begin(self) -> None: ...
    @abstractmethod
    def _commit(self) -> None: ...
    @abstractmethod
    def _rollback(self) -> None: ...
    @abstractmethod
    def _flush(self) -> None: ...
    @abstractmethod
    def _savepoint(self) -> AbstractContextManager[Any]: ...
    @abstractmethod
    def _lock(self, one: Entity) -> None: ...
    @abstractmethod
    def _close(self) -> None: ...


def _call(function: Callable[..., Any], *arguments: Any) -> None:
    """Call what must not undo a commit that has happened: log what it raises."""
    try:
        function(*arguments)
    except Exception:  # noqa: BLE001 - a stranger's code, after the fact
        _log.exception("a callback after commit failed")
