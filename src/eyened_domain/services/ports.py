"""The ports: what the services need of a storage, and every adapter provides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from eyened_domain.model.entity import Entity

E = TypeVar("E", bound=Entity)


class Event:
    """Something that happened; services record events, subscribers get them after commit."""


class UnitOfWork(Protocol):
    """One transaction: rolled back unless it is told to commit."""

    def repository(self, entity: type[E], /) -> Any:
        """Return the repository of an entity class."""

    def savepoint(self) -> AbstractContextManager[None]:
        """Take back what happens in a block when an error leaves it."""

    def lock(self, one: Entity) -> None:
        """Keep others from changing an object until this unit ends.

        Raises:
            Conflict: it was changed by somebody else since it was read.
        """

    def record(self, event: Event) -> None:
        """Remember an event, to be published after commit."""

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Call a function of the host after commit."""

    def flush(self) -> None:
        """Send what has changed to the storage, so that new objects have ids."""

    def commit(self) -> None:
        """Make everything permanent, then publish the events and call the callbacks."""

    def rollback(self) -> None:
        """Take back everything since the last commit."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


Subscriber = Callable[[Event], None]
Subscribers = Sequence[Subscriber]
