"""Running a whole unit of work again when the database gave way."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import select

from eyened_domain.adapters.sql.session import DomainSession
from eyened_domain.adapters.sql.tables.bookkeeping import unit_of_work_log
from eyened_domain.adapters.sql.translation import ConnectionLost
from eyened_domain.adapters.sql.unit_of_work import SqlUnitOfWork
from eyened_domain.errors import Conflict

T = TypeVar("T")
LONGEST_PAUSE_S = 1.0


def run_unit(
    make_unit: Callable[[], SqlUnitOfWork],
    make_session: Callable[[], DomainSession],
    work: Callable[[SqlUnitOfWork], T],
    *,
    retries: int,
) -> T:
    """Run work in a unit of work and commit it; run all of it again on a conflict.

    A connection that is lost while the commit is under way leaves open whether it went
    through: the token that was written along with it is looked up before anything is run
    again, so that each unit happens once.

    Args:
        make_unit: gives a fresh unit of work that logs its commit.
        make_session: gives a fresh session, to look the token up.
        work: is called with the open unit of work; it need not commit.
        retries: how often the work is run again at the most.

    Returns:
        what the work returned.

    Raises:
        Conflict: it did not succeed after all retries.
    """
    for attempt in range(retries + 1):
        unit = make_unit()
        result: T | None = None
        finished = False
        try:
            with unit:
                result = work(unit)
                finished = True
                token = unit.token
                unit.commit()
                return result
        except Conflict as conflict:
            lost = isinstance(conflict, ConnectionLost)
            if lost and finished and _went_through(make_session, token):
                return result  # type: ignore[return-value]
            if attempt == retries:
                raise
        time.sleep(random.uniform(0, min(LONGEST_PAUSE_S, 0.01 * 2**attempt)))  # noqa: S311
    raise AssertionError("the last attempt returns or raises")


def _went_through(make_session: Callable[[], DomainSession], token: str) -> bool:
    statement = select(unit_of_work_log.c.unit_of_work_id).where(
        unit_of_work_log.c.unit_of_work_id == token
    )
    with make_session() as session:
        return session.execute(statement).first() is not None
