"""What an error leaves behind in a session: one rule, the same as in memory.

An error that a flush, a commit or the database raises ends what was under way: the savepoint
in which it happened, otherwise the whole transaction. Until that is rolled back, every
further call raises the same kind of error. Errors that are raised before anything is sent (a
value that is refused, an object that is not found) leave everything as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from attrs import frozen
from sqlalchemy.exc import InvalidRequestError, PendingRollbackError
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction
from sqlalchemy.orm.exc import StaleDataError

from eyened_domain.adapters.sql.restoring import fill_unread
from eyened_domain.adapters.sql.sqlalchemy_internals import (
    delete_nothing,
)
from eyened_domain.errors import (
    Conflict,
    EyenedError,
    RowChanged,
    RuleBroken,
    StorageError,
    ended_by,
    not_open,
)

_ENDED = "eyened_domain.ended"


@frozen
class _Ended:
    """What has ended, and by what.

    Attributes:
        error: the first error; None where the unit of work is over.
        savepoint: that it has ended; None for the whole transaction.
    """

    error: BaseException | None
    savepoint: SessionTransaction | None


def refuse_if_ended(session: Session) -> None:
    """Raise what an earlier error says of every further call, and what the end says."""
    ended: _Ended | None = session.info.get(_ENDED)
    if ended is None:
        return
    if ended.error is None:
        raise not_open()
    raise ended_by(ended.error) from ended.error


def refuse_statement(execution: ORMExecuteState) -> None:
    """Refuse to send a statement after an error (a `do_orm_execute` listener)."""
    refuse_if_ended(execution.session)


@contextmanager
def ending_on(session: Session, *errors: type[BaseException]) -> Iterator[None]:
    """Let errors of these kinds end the transaction, or the savepoint, of a session."""
    try:
        yield
    except PendingRollbackError as error:
        refuse_if_ended(session)
        raise Conflict("an earlier error has ended this transaction; run it again") from error
    except StaleDataError as error:
        conflict = Conflict("a row was changed or deleted by somebody else; run it again")
        _end(session, conflict)
        raise conflict from error
    except AssertionError as error:  # SQLAlchemy's, of a primary key that would be emptied
        broken = RuleBroken(f"something that is deleted or unlinked is still referred to: {error}")
        _end(session, broken)
        raise broken from error
    except errors as error:
        _end(session, error)
        raise


FLUSH = (EyenedError, InvalidRequestError)
"""Errors that end it when a flush or a commit raises them."""
DATABASE = (StorageError,)
"""Errors that end it when a statement raises them: the server may have rolled back."""


def _end(session: Session, error: BaseException) -> None:
    """Note what an error has ended.

    After a deadlock or a lost connection the server has taken back the whole transaction, and
    the savepoints with it; what was stored before the savepoint is lost as well.
    """
    fill_unread(session)
    delete_nothing(session)  # what was to be deleted is not, whichever way the flush has failed
    if isinstance(error, StorageError) and not isinstance(error, RowChanged):
        end_whole(session, error)
    else:
        session.info.setdefault(_ENDED, _Ended(error, session.get_nested_transaction()))


def end_whole(session: Session, error: BaseException) -> None:
    """Note that an error has ended the whole transaction."""
    ended: _Ended | None = session.info.get(_ENDED)
    session.info[_ENDED] = _Ended(error if ended is None else ended.error, None)


def close_for_good(session: Session) -> None:
    """Close a session that nobody is to begin anew: one that is kept would lock a database."""
    session.close()
    session.info[_ENDED] = _Ended(None, None)


def go_on(session: Session) -> None:
    """Forget the error: what it has ended was rolled back."""
    session.info.pop(_ENDED, None)


def go_on_after_rollback(session: Session, transaction: SessionTransaction) -> None:
    """Forget the error when the whole transaction is rolled back (`after_soft_rollback`)."""
    if transaction.parent is None:
        go_on(session)


def go_on_after_savepoint(session: Session, transaction: SessionTransaction) -> None:
    """Forget an error that has ended a savepoint, when that is over (`after_transaction_end`)."""
    ended: _Ended | None = session.info.get(_ENDED)
    if ended is not None and ended.savepoint is transaction:
        go_on(session)
