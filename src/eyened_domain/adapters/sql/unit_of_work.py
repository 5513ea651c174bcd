"""The unit of work on a SQL database."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sqlalchemy import insert

from eyened_domain.adapters.sql.bulk import SqlRows
from eyened_domain.adapters.sql.import_journal import SqlImportJournal
from eyened_domain.adapters.sql.repositories import SqlRepository
from eyened_domain.adapters.sql.session import DomainSession
from eyened_domain.adapters.sql.tables.bookkeeping import unit_of_work_log
from eyened_domain.model.entity import Entity
from eyened_domain.services.ports import Subscribers
from eyened_domain.services.unit_of_work import BaseUnitOfWork

E = TypeVar("E", bound=Entity)


class SqlUnitOfWork(BaseUnitOfWork):
    """One transaction on a session of its own.

    Args:
        make_session: gives a fresh session.
        subscribers: called with each recorded event, after commit.
        log_commit: write a token along with the commit, so that a commit whose answer
            was lost can be looked up.
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
        self.token = uuid.uuid4().hex
        """What `UnitOfWorkLog` knows this unit by."""
        self.committed = False
        """Whether `commit` was called and returned."""

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
        self._check_open()
        return SqlImportJournal(self._session)

    def _begin(self) -> None:
        self._session = self._make_session()

    def _commit(self) -> None:
        if self._log_commit:
            self._session.flush()
            self._session.execute(
                insert(unit_of_work_log).values(
                    unit_of_work_id=self.token, committed_at=datetime.now().replace(microsecond=0)
                )
            )
        self._session.commit()
        self.committed = True
        if self._log_commit:
            self.token, self._log_commit = uuid.uuid4().hex, True

    def _rollback(self) -> None:
        self._session.rollback()

    def _flush(self) -> None:
        self._session.flush()

    def _close(self) -> None:
        self._session.close()

    def _repository(self, entity: type[E]) -> SqlRepository[E]:
        return self._session.repository(entity)
