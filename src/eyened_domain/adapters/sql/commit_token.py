"""Commits that can be looked up, when the connection is lost before the answer is there."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from eyened_domain.adapters.sql.new_again import keep_stored
from eyened_domain.adapters.sql.schema.bookkeeping import unit_of_work_log
from eyened_domain.adapters.sql.translation import ConnectionLost
from eyened_domain.errors import EyenedError, StorageError

LOOKUPS = 8
"""How often a token is looked up before it is given up, with pauses of 0.1 s to 3.2 s."""
_NOTE = insert(unit_of_work_log)


def commit_with_token(session: Session, token: str, make_session: Callable[[], Session]) -> None:
    """Commit a session, and know for certain whether it happened.

    The token is written in the same transaction. When the connection breaks in the middle
    of the commit, it is there exactly if the commit went through.

    Args:
        session: what is committed.
        token: of this attempt, 32 hexadecimal digits; never used before.
        make_session: gives a fresh session, to look the token up.

    Raises:
        Conflict: it was not committed.
        StorageError: the token could not be looked up; it may have been committed.
    """
    now = datetime.now().replace(microsecond=0)
    session.flush()
    session.connection().execute(_NOTE, {"unit_of_work_id": token, "committed_at": now})
    try:
        session.commit()
    except ConnectionLost as lost:
        if not _went_through(token, make_session, lost):
            raise
        keep_stored(session)
        session.close()  # a rollback would take from the objects what has been stored


def _went_through(token: str, make_session: Callable[[], Session], lost: ConnectionLost) -> bool:
    # A locking read waits for a commit that the server has not done with yet.
    statement = (
        select(unit_of_work_log.c.unit_of_work_id)
        .where(unit_of_work_log.c.unit_of_work_id == token)
        .with_for_update()
    )
    for attempt in range(LOOKUPS):
        try:
            with make_session() as session:
                return session.execute(statement).first() is not None
        except EyenedError:
            time.sleep(min(3.2, 0.1 * 2**attempt))
    raise StorageError(
        f"the connection was lost while unit of work {token} was committed, and the database "
        "cannot be asked whether it was; look for that UnitOfWorkID in UnitOfWorkLog before "
        "running it again"
    ) from lost
