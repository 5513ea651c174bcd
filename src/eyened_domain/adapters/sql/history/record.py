"""The history as it is read: the table `History`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from attrs import evolve

from eyened_domain.adapters.sql.ended import DATABASE, ending_on
from eyened_domain.adapters.sql.history.log import log_of
from eyened_domain.adapters.sql.history.reading import change_at, changes_found
from eyened_domain.adapters.sql.own_tables import execute_on
from eyened_domain.adapters.sql.schema.bookkeeping import history
from eyened_domain.services.changes.entries import Change
from eyened_domain.services.changes.record import Wanted

if TYPE_CHECKING:
    from eyened_domain.adapters.sql.session import DomainSession

_LACKS = "no history yet"


class SqlChangeRecord:
    """The history on a session; see `services.changes.record.ChangeRecord`."""

    def __init__(self, session: DomainSession) -> None:
        self._session = session

    @property
    def is_kept(self) -> bool:
        """Whether changes are noted here."""
        return self._session.changes.is_kept

    def find(self, wanted: Wanted, most: int) -> list[Change]:
        """Return changes, the newest first."""
        return list(islice(changes_found(self._execute, wanted), most))

    def get(self, change_id: str) -> Change | None:
        """Return the change with that id."""
        return change_at(self._execute, change_id)

    @contextmanager
    def because(self, reason: str) -> Iterator[None]:
        """Note another reason for what the block changes."""
        self._session.flush()
        log = self._session.changes
        before = log.author
        log.author = evolve(before, reason=reason)
        try:
            yield
            self._session.flush()
        finally:
            log.author = before

    def _execute(self, statement: Any) -> Any:
        self._session.flush()
        log = log_of(self._session)
        with ending_on(self._session, *DATABASE):
            if log is not None:
                log.write()
            return execute_on(history, _LACKS, self._session, statement)
