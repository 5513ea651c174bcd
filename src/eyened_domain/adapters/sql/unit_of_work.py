"""The unit of work on a SQL database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from eyened_domain.adapters.sql.bulk import SqlRows
from eyened_domain.adapters.sql.ended import close_for_good, refuse_if_ended
from eyened_domain.adapters.sql.session import DomainSession
from eyened_domain.model.entity import Entity
from eyened_domain.services.changes.author import Actor
from eyened_domain.services.events import Subscribers
from eyened_domain.services.repository import Repository
from eyened_domain.services.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from eyened_domain.adapters.sql.computation_record import SqlComputationRecord
    from eyened_domain.adapters.sql.conversion_record import SqlConversionRecord
    from eyened_domain.adapters.sql.history.record import SqlChangeRecord
    from eyened_domain.adapters.sql.import_journal import SqlImportJournal
    from eyened_domain.adapters.sql.task_queue import SqlTaskQueue

E = TypeVar("E", bound=Entity)


class SqlUnitOfWork(UnitOfWork):
    """One transaction on a session of its own.

    Args:
        make_session: gives a fresh session.
        subscribers: called with each recorded event, after commit.
        include_inactive: let finders and lists be with what is inactive.
        actor: see `UnitOfWork`, and so of the reason.
        reason: as well.
    """

    def __init__(
        self,
        make_session: Callable[[], DomainSession],
        subscribers: Subscribers = (),
        *,
        include_inactive: bool = False,
        actor: Actor = None,
        reason: str | None = None,
    ) -> None:
        super().__init__(subscribers, include_inactive=include_inactive, actor=actor, reason=reason)
        self._make_session = make_session

    @property
    def session(self) -> DomainSession:
        """The SQLAlchemy session of this unit, for queries of one's own."""
        self._check_open()
        return self._session

    @property
    def rows(self) -> SqlRows:
        """Set-based reading and writing in this unit's transaction."""
        self._check_open()
        return SqlRows(self._session)

    @property
    def imports(self) -> SqlImportJournal:
        """The record of imports."""
        from eyened_domain.adapters.sql.import_journal import (  # noqa: PLC0415
            SqlImportJournal,
        )

        self._check_open()
        return SqlImportJournal(self._session)

    @property
    def conversions(self) -> SqlConversionRecord:
        """The record of legacy annotations that were converted to segmentations."""
        from eyened_domain.adapters.sql.conversion_record import (  # noqa: PLC0415
            SqlConversionRecord,
        )

        self._check_open()
        return SqlConversionRecord(self._session)

    @property
    def computations(self) -> SqlComputationRecord:
        """The record of what attribute values were computed from."""
        from eyened_domain.adapters.sql.computation_record import (  # noqa: PLC0415
            SqlComputationRecord,
        )

        self._check_open()
        return SqlComputationRecord(self._session)

    @property
    def history(self) -> SqlChangeRecord:
        """The record of who changed what."""
        from eyened_domain.adapters.sql.history.record import SqlChangeRecord  # noqa: PLC0415

        self._check_open()
        return SqlChangeRecord(self._session)

    @property
    def task_queue(self) -> SqlTaskQueue:
        """The order in which subtasks wait for graders."""
        from eyened_domain.adapters.sql.task_queue import SqlTaskQueue  # noqa: PLC0415

        self._check_open()
        return SqlTaskQueue(self._session)

    def _begin(self) -> None:
        self._session = self._make_session()
        self._session.include_inactive = self.include_inactive
        self._session.changes.author = self._author
        if self._session.pixels is not None:
            self._session.pixels.note = self._note_pixels

    def _commit(self) -> None:
        self._session.commit()

    def _rollback(self) -> None:
        self._session.rollback()

    def _flush(self) -> None:
        self._session.flush()

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        with self._session.begin_nested():
            yield
            refuse_if_ended(self._session)  # SQLAlchemy would roll back, and say nothing

    def _lock(self, one: Entity) -> None:
        self._session.lock(one)

    def _close(self) -> None:
        close_for_good(self._session)

    def _repository(self, entity: type[E]) -> Repository[E]:
        refuse_if_ended(self._session)
        return self._session.repository(entity)
