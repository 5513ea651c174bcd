"""What piles up in the database: the log of units of work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, func, select

from eyened_domain.adapters.sql.schema.bookkeeping import unit_of_work_log
from eyened_domain.services.doctor import Finding, Kind, Repair, Watch

LOG_DAYS = 30
"""How long a token of a unit of work is kept: it is looked up within seconds of a commit."""
_CHUNK = 1000


class UnitLog:
    """Tokens of units of work that nobody will look up any more; an `Examination`."""

    title = "Log of units of work"
    level = 1

    def __init__(self, engine: Engine, *, days: int = LOG_DAYS) -> None:
        self._engine = engine
        self._days = days
        self.looked_at: int = 0

    def look(self, watch: Watch) -> Iterator[Finding]:
        """See `Examination`."""
        watch.tick(0)
        old = unit_of_work_log.c.committed_at < self._before()
        with self._engine.connect() as connection:
            count = connection.scalar(select(func.count()).where(old)) or 0
        self.looked_at = int(count)
        if count:
            yield Finding(
                Kind.OLD_LOG,
                f"{count} rows of UnitOfWorkLog are older than {self._days} days",
                entity="UnitOfWorkLog",
                fix="is pruned",
            )

    def look_again(self, found: Sequence[Finding]) -> Iterable[Finding]:
        """See `Examination`."""
        return found

    def fix(self, found: Sequence[Finding]) -> Iterator[Repair]:
        """Prune the log, some rows at a time."""
        key = unit_of_work_log.c.unit_of_work_id
        for one in found:
            removed = 0
            while True:
                with self._engine.begin() as connection:
                    asked = select(key).where(unit_of_work_log.c.committed_at < self._before())
                    some = list(connection.scalars(asked.limit(_CHUNK)))
                    if not some:
                        break
                    connection.execute(delete(unit_of_work_log).where(key.in_(some)))
                removed += len(some)
            yield Repair(one, f"{removed} rows were removed")

    def _before(self) -> datetime:
        return datetime.now().replace(microsecond=0) - timedelta(days=self._days)
