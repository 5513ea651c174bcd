"""A unit of work that is run again when the database gives way."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from eyened_domain.adapters.sql.commit_token import commit_with_token
from eyened_domain.adapters.sql.session import DomainSession
from eyened_domain.adapters.sql.unit_of_work import SqlUnitOfWork
from eyened_domain.errors import RuleBroken
from eyened_domain.services.changes.author import Actor
from eyened_domain.services.events import Subscribers


class RepeatableUnitOfWork(SqlUnitOfWork):
    """One attempt of `Database.run`: its work commits nothing by itself, `finish` does, once.

    A commit whose answer was lost is looked up by a token.

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
        super().__init__(
            make_session,
            subscribers,
            include_inactive=include_inactive,
            actor=actor,
            reason=reason,
        )
        self._look_up_with = make_session
        self._promised = False
        self.token: str = uuid.uuid4().hex
        """What `UnitOfWorkLog` knows this unit by."""

    def commit(self) -> None:
        """Send what has changed; `Database.run` commits when the work has returned.

        A part that was permanent before then could be done twice.
        """
        self.flush()
        self._promised = True

    def finish(self, make_session: Callable[[], DomainSession]) -> None:
        """Make everything permanent, then publish the events and call the callbacks.

        Args:
            make_session: gives a fresh session, to look the commit up if its answer is lost.

        Raises:
            Conflict: it was not committed, and may be run again.
            StorageError: whether it was committed cannot be found out.
        """
        self._look_up_with = make_session
        super().commit()

    def rollback(self) -> None:
        """Take back everything, and forget the events.

        Raises:
            RuleBroken: the work has called `commit` already.
        """
        if self._promised:
            raise RuleBroken(
                "database.run commits once, when the work has returned; what was committed "
                "cannot stay while the rest is rolled back: make it two units of work"
            )
        super().rollback()

    def take_back(self) -> None:
        """Take everything back before the work is run again; new objects are new once more."""
        self._forget()
        self._rollback()

    def _commit(self) -> None:
        commit_with_token(self._session, self.token, self._look_up_with)
