"""The unit of work on a SQL database."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from eyened_domain.adapters.sql.commit_token import commit_with_token
from eyened_domain.adapters.sql.ended import close_for_good, refuse_if_ended
from eyened_domain.adapters.sql.session import DomainSession
from eyened_domain.errors import RuleBroken
from eyened_domain.model.entity import Entity
from eyened_domain.services.events import Subscribers
from eyened_domain.services.repository import Repository
from eyened_domain.services.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from eyened_domain.adapters.sql.bulk import SqlRows
    from eyened_domain.adapters.sql.conversion_record import SqlConversionRecord
    from eyened_domain.adapters.sql.import_journal import SqlImportJournal

E = TypeVar("E", bound=Entity)


class SqlUnitOfWork(UnitOfWork):
    """One transaction on a session of its own.

    Args:
        make_session: gives a fresh session.
        subscribers: called with each recorded event, after commit.
        log_commit: the unit is one that is run again when the database gives way. `commit`
            sends what has changed; `finish` commits, once, with a token by which a commit
            whose answer was lost is looked up.
    """

    def __init__(
        self,
        make_session: Callable[[], DomainSession],
        subscribers: Subscribers = (),
        *,
        log_commit: bool = False,
    ) -> None:
        super().__init__(subscribers)
        self._make_session = make_session
        self._log_commit = log_commit
        self._look_up_with = make_session
        self._promised = False
        self.token: str = uuid.uuid4().hex
        """What `UnitOfWorkLog` knows this unit by."""

    @property
    def session(self) -> DomainSession:
        """The SQLAlchemy session of this unit, for queries of one's own."""
        self._check_open()
        return self._session

    @property
    def rows(self) -> SqlRows:
        """Set-based reading and writing in this unit's transaction."""
        from eyened_domain.adapters.sql.bulk import SqlRows  # noqa: PLC0415 - only imports use it

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

    def commit(self) -> None:
        """Make everything permanent, then publish the events and call the callbacks.

        In a unit that may be run again, `Database.run` does so when the work has returned:
        a part that was permanent before then could be done twice.
        """
        if self._log_commit:
            self.flush()
            self._promised = True
        else:
            super().commit()

    def finish(self, make_session: Callable[[], DomainSession]) -> None:
        """Commit a unit that may be run again.

        Args:
            make_session: gives a fresh session, to look the commit up if its answer is lost.

        Raises:
            Conflict: it was not committed, and may be run again.
            StorageError: whether it was committed cannot be found out.
        """
        self._look_up_with = make_session
        super().commit()

    def rollback(self) -> None:
        """Take back everything since the last commit, and forget the events.

        Raises:
            RuleBroken: the unit may be run again, and has called `commit` already.
        """
        if self._promised:
            raise RuleBroken(
                "database.run commits once, when the work has returned; what was committed "
                "cannot stay while the rest is rolled back: make it two units of work"
            )
        super().rollback()

    def take_back(self) -> None:
        """Take everything back before the unit is run again; new objects are new once more."""
        self._forget()
        self._session.rollback()

    def _begin(self) -> None:
        self._session = self._make_session()

    def _commit(self) -> None:
        if self._log_commit:
            commit_with_token(self._session, self.token, self._look_up_with)
        else:
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
