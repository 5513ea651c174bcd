"""Running a whole unit of work again when the database gave way."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import PendingRollbackError

from eyened_domain.adapters.sql.changed_rows import Row, lock_rows
from eyened_domain.adapters.sql.repeatable_unit import RepeatableUnitOfWork
from eyened_domain.adapters.sql.session import DomainSession
from eyened_domain.adapters.sql.unit_of_work import SqlUnitOfWork
from eyened_domain.errors import BadInput, Conflict

T = TypeVar("T")
LONGEST_PAUSE_S = 1.0


def run_unit(
    make_unit: Callable[[bool], RepeatableUnitOfWork],
    make_session: Callable[[], DomainSession],
    work: Callable[[SqlUnitOfWork], T],
    *,
    retries: int,
) -> T:
    """Run work in a unit of work and commit it; run all of it again on a conflict.

    Rows that others had changed when it was run before are locked first. It happens once: also
    when the connection is lost while the commit is under way, and
    when the work itself calls `commit`.

    Args:
        make_unit: gives a fresh unit of work; called with whether it may give way to others,
            and be run again.
        make_session: gives a fresh session, to look a commit up whose answer was lost.
        work: is called with the open unit of work; it need not commit.
        retries: how often the work is run again at the most.

    Returns:
        what the work returned.

    Raises:
        Conflict: it did not succeed after all retries.
        StorageError: whether it was committed cannot be found out.
    """
    changed: set[Row] = set()
    for attempt in range(retries + 1):
        with make_unit(attempt == 0 < retries) as unit:
            try:
                lock_rows(unit.session, changed)
                result = work(unit)
                unit.finish(make_session)
            except (Conflict, PendingRollbackError) as error:
                unit.take_back()
                if attempt == retries:
                    raise _as_conflict(error) from error.__cause__
                row = getattr(error, "row", None)
            else:
                return result
        if row is not None and row not in changed:
            changed.add(row)  # it waits for its turn at this row; there is nothing to wait for now
            continue
        time.sleep(random.uniform(0, min(LONGEST_PAUSE_S, 0.01 * 2**attempt)))  # noqa: S311
    raise BadInput(f"retries is 0 or more, not {retries}")


def _as_conflict(error: Conflict | PendingRollbackError) -> Conflict:
    if isinstance(error, Conflict):
        return error
    return Conflict("an earlier error has ended this transaction; run it again")
