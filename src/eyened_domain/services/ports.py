"""The ports: what the services need of a storage, and every adapter provides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar, overload

from eyened_domain.model.entity import Entity
from eyened_domain.model.patient import Patient
from eyened_domain.model.queries import RAISE

E = TypeVar("E", bound=Entity)
D = TypeVar("D")


class Repository(Protocol, Generic[E]):
    """All objects of one entity class, as if they were in memory."""

    entity: type[E]

    def add(self, one: E) -> E:
        """Put an object in, with everything that hangs on it; return it."""

    def add_all(self, many: Iterable[E]) -> list[E]:
        """Put objects in; return them."""

    @overload
    def get(self, identity: Any, *, lock: bool = False) -> E: ...
    @overload
    def get(self, identity: Any, *, default: D, lock: bool = False) -> E | D: ...
    def get(self, identity: Any, *, default: Any = RAISE, lock: bool = False) -> Any:
        """Return the one with that primary key.

        Args:
            identity: the id; a tuple where the key has several columns.
            default: what to return when there is none.
            lock: keep others from changing it until this unit ends, as `UnitOfWork.lock`
                does: for rows that many change at the same time.

        Raises:
            NotFound: there is none, and no default was given.
            Conflict: it is to be locked, and was changed since it was read before.
        """

    def by_ids(self, identities: Iterable[Any]) -> list[E]:
        """Return those with these primary keys, in their order.

        Raises:
            NotFound: one of them is not there; the message names the missing ones.
        """

    @overload
    def by_name(self, name: str) -> E: ...
    @overload
    def by_name(self, name: str, *, default: D) -> E | D: ...
    def by_name(self, name: str, *, default: Any = RAISE) -> Any:
        """Return the one of that name.

        Raises:
            NotFound: there is none, and no default was given.
            Duplicate: there is more than one.
            RuleBroken: entities of this class have no name.
        """

    def where(self, *conditions: Any, **values: Any) -> list[E]:
        """Return those that meet all conditions, in the order of their primary keys.

        Args:
            conditions: SQL expressions (SQL), or predicates on the object (memory).
            values: columns, named in either style, and what they must hold; a list or
                tuple means "one of these", None means "not set".
        """

    @overload
    def one(self, *, default: D, **values: Any) -> E | D: ...
    @overload
    def one(self, **values: Any) -> E: ...
    def one(self, *, default: Any = RAISE, **values: Any) -> Any:
        """Return the one whose columns hold these values.

        Raises:
            NotFound: there is none, and no default was given.
            Duplicate: there is more than one.
        """

    def count(self, **values: Any) -> int:
        """Return how many there are whose columns hold these values."""

    def name_to_id(self) -> dict[str, int]:
        """Return the id of each name.

        Raises:
            Duplicate: two have the same name.
        """

    def delete(self, one: E) -> None:
        """Take an object out, with what the database deletes along with it.

        Raises:
            RuleBroken: something that may not go along still refers to it.
        """


class PatientRepository(Repository[Patient], Protocol):
    """All patients."""

    @overload
    def by_identifier(self, project_id: int, identifier: str) -> Patient: ...
    @overload
    def by_identifier(self, project_id: int, identifier: str, *, default: D) -> Patient | D: ...
    def by_identifier(self, project_id: int, identifier: str, *, default: Any = RAISE) -> Any:
        """Return the patient known by that identifier in a project.

        Raises:
            NotFound: there is none, and no default was given.
        """


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
