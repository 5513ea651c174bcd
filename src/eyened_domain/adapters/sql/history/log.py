"""The changes of one session, from the moment that they are noted until they are committed.

They are written once, in one statement before the commit, and so in the same transaction; what
is rolled back to a savepoint is forgotten. When there are many, they are written in between.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from eyened_domain.adapters.sql.history.actors import id_of_actor
from eyened_domain.adapters.sql.history.keeper import HistoryKeeper
from eyened_domain.adapters.sql.history.streams import Stream
from eyened_domain.adapters.sql.history.writing import (
    Noted,
    Position,
    insert_changes,
    open_stream,
)
from eyened_domain.services.changes.author import NOBODY, Author
from eyened_domain.services.changes.entries import Entry

if TYPE_CHECKING:
    from eyened_domain.adapters.sql.session import DomainSession

MOST_WAITING = 16_000_000
"""Characters of the changes that wait for the commit; more are written before."""
_OF_EACH = 400
Waiting = list[Noted]


class ChangeLog:
    """What a session has changed; nothing where no history is kept.

    Args:
        session: whose changes.
        keeper: of its database; None where no history is kept.
        author: who the session acts for.
    """

    def __init__(
        self, session: DomainSession, keeper: HistoryKeeper | None, author: Author = NOBODY
    ) -> None:
        self._session, self._keeper = session, keeper
        self.author: Author = author
        self._actor: int | None = None
        self._forget()
        self._stream: Stream | None = None

    def _forget(self) -> None:
        self._waiting: Waiting = []
        self._length = 0
        self._marks: dict[SessionTransaction, tuple[Waiting, int, int]] = {}
        self._number = 0
        self._is_asked = self._is_committing = False

    @property
    def is_kept(self) -> bool:
        """Whether changes are to be noted."""
        return self._keeper is not None

    def note(self, entries: Sequence[Entry]) -> None:
        """Note changes, which have been sent to the database in this transaction."""
        now = time.time_ns() // 1000
        noted = [Noted(entry, now, self.author.reason) for entry in entries]
        self._waiting += noted
        self._length += sum(_OF_EACH + len(e.before or "") + len(e.after or "") for e in entries)
        if self._length >= MOST_WAITING and not self._session.in_nested_transaction():
            self.write()

    def write(self) -> None:
        """Write what waits, in the transaction of the session."""
        if not self._waiting or self._keeper is None:
            return
        connection = self._session.connection()
        if not self._is_asked:
            self._actor = id_of_actor(connection, self.author, self._keeper)
            self._is_asked = True
        if self._stream is None:
            self._stream = self._keeper.streams.take()
            self._number = self._stream.last_number
        stream, first = self._stream, self._stream.last_number + 1
        if self._number == 0:
            open_stream(connection, self._keeper.macs, stream.stream_id)
        at = Position(stream.stream_id, self._number + 1, first, stream.last_moment)
        insert_changes(connection, self._keeper.macs, at, self._waiting, self._actor)
        self._number += len(self._waiting)
        self._waiting, self._length = [], 0

    # --- what becomes of a transaction --------------------------------------------------------

    def mark(self, savepoint: SessionTransaction) -> None:
        """Note what waits at a savepoint, for the case that it is rolled back."""
        # the list is only added to, and what was written stays in it
        self._marks[savepoint] = (self._waiting, len(self._waiting), self._number)

    def return_to(self, savepoint: SessionTransaction) -> None:
        """Forget what was noted and written since a savepoint."""
        if savepoint in self._marks:
            waiting, count, number = self._marks.pop(savepoint)
            self._waiting = waiting[:count]
            there = 0 if self._stream is None else self._stream.last_number
            self._number = number or there  # there was no stream yet at the savepoint

    def forget_mark(self, savepoint: SessionTransaction) -> None:
        """Forget what waited at a savepoint that is kept."""
        self._marks.pop(savepoint, None)

    def prepare_commit(self) -> None:
        """Send what has changed, and write what waits."""
        self._session.flush()
        self.write()
        self._is_committing = True

    def committed(self) -> None:
        """Note that what was written is permanent."""
        if self._stream is not None:
            self._stream.last_number = self._number
            self._stream.last_moment = max(self._stream.last_moment, time.time_ns() // 1000)
        self._is_committing = False

    def end(self) -> None:
        """Let others have the stream, unless nobody knows whether the commit went through."""
        if self._stream is not None and self._keeper is not None and not self._is_committing:
            self._keeper.streams.give_back(self._stream)
        self._stream = None
        self._forget()


def log_of(session: Session) -> ChangeLog | None:
    """Return what notes the changes of a session, where a history is kept."""
    log: ChangeLog | None = getattr(session, "changes", None)
    return log if log is not None and log.is_kept else None


def watch_transactions_for_history(session_class: type[DomainSession]) -> None:
    """Let the sessions of a class write their changes when they commit."""
    event.listen(session_class, "after_transaction_create", _begun)
    event.listen(session_class, "before_commit", _before_commit)
    event.listen(session_class, "after_commit", _after_commit)
    event.listen(session_class, "after_soft_rollback", _rolled_back)
    event.listen(session_class, "after_transaction_end", _ended)


def _begun(session: Session, transaction: SessionTransaction) -> None:
    log = log_of(session)
    if log is not None and transaction.nested:
        log.mark(transaction)


def _before_commit(session: Session) -> None:
    log = log_of(session)
    if log is not None and not session.in_nested_transaction():
        log.prepare_commit()


def _after_commit(session: Session) -> None:
    log = log_of(session)
    savepoint = session.get_nested_transaction()
    if log is not None and savepoint is not None:
        log.forget_mark(savepoint)
    elif log is not None:
        log.committed()


def _rolled_back(session: Session, transaction: SessionTransaction) -> None:
    log = log_of(session)
    if log is not None and transaction.nested:
        log.return_to(transaction)


def _ended(session: Session, transaction: SessionTransaction) -> None:
    log = log_of(session)
    if log is not None and transaction.parent is None:
        log.end()
