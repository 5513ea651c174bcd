"""Reliability R6: connections are killed at random moments, and each unit of work happens once.

Each unit inserts a project of its own and counts up a patient's study round. A second
connection kills the unit's connection (KILL CONNECTION) at a random moment of the work or
in the middle of COMMIT, as often as is asked for.

    python -m campaigns.units.connections [--full] [--seed N] [--url URL]

Prints the seed and the figures; exit code 1 when a unit was lost or happened twice.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue
from typing import Any

import pymysql
from sqlalchemy import event, func, make_url, select

from campaigns.kit.databases import campaign_url, fresh_database
from eyened_domain import Patient, Project, Study
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.sql import commit_token
from eyened_domain.errors import EyenedError

RETRIES = 60
LONGEST_COMMIT_S = 0.0015
NO_SUCH_THREAD = 1094


class Killer:
    """Kills connections at moments drawn at random, from a thread and connection of its own."""

    def __init__(self, url: str, rng: random.Random, kills: int) -> None:
        parts = make_url(url)
        self._admin = pymysql.connect(
            host=parts.host or "127.0.0.1",
            port=parts.port or 3306,
            user=parts.username,
            password=parts.password or "",
            autocommit=True,
        )
        self._rng = rng
        self._orders: Queue[tuple[int, str, float] | None] = Queue()
        self._thread = threading.Thread(target=self._obey, daemon=True)
        self._thread.start()
        self.wanted = kills
        self.done: Counter[str] = Counter()

    def maybe(self, thread_id: int, moment: str, chance: float) -> None:
        """Kill at once, or, in a commit, some fraction of a millisecond after it began."""
        if self.done.total() - self.done["too late"] >= self.wanted or self._rng.random() >= chance:
            return
        delay = self._rng.uniform(0, LONGEST_COMMIT_S) if moment == "commit" else 0.0
        self._orders.put((thread_id, moment, delay))

    def stop(self) -> None:
        """End the thread, after what was ordered."""
        self._orders.put(None)
        self._thread.join()
        self._admin.close()

    def _obey(self) -> None:
        while (order := self._orders.get()) is not None:
            thread_id, moment, delay = order
            until = time.perf_counter() + delay
            while time.perf_counter() < until:  # sleep is too coarse here
                pass
            try:
                with self._admin.cursor() as cursor:
                    cursor.execute("KILL CONNECTION %s", (thread_id,))
                self.done[moment] += 1
            except pymysql.err.OperationalError as error:
                if error.args[0] != NO_SUCH_THREAD:
                    raise
                self.done["too late"] += 1


@contextmanager
def lookups_counted() -> Iterator[Counter[str]]:
    """Count the commits whose answer was lost, by what the look-up of their token found."""
    found: Counter[str] = Counter()
    module: Any = commit_token
    original = module._went_through

    def counting(*arguments: Any) -> bool:
        went_through: bool = original(*arguments)
        found["went through" if went_through else "did not"] += 1
        return went_through

    module._went_through = counting
    try:
        yield found
    finally:
        module._went_through = original


def attack(database: Database, killer: Killer) -> None:
    """Let the killer strike before statements, and during COMMIT."""

    def before(connection: Any, *_rest: Any) -> None:
        killer.maybe(connection.connection.dbapi_connection.thread_id(), "work", 0.05)

    def committing(connection: Any) -> None:
        killer.maybe(connection.connection.dbapi_connection.thread_id(), "commit", 0.4)

    event.listen(database.engine, "before_cursor_execute", before)
    event.listen(database.engine, "commit", committing)


def run(url: str, *, units: int, kills: int, seed: int) -> dict[str, Any]:
    """Run the campaign on a fresh database.

    Returns:
        figures; ``lost``, ``doubled``, ``failed`` and ``events_wrong`` must be 0.
    """
    rng = random.Random(seed)
    published: Counter[str] = Counter()
    with fresh_database("mariadb", url) as database, lookups_counted() as in_doubt:
        _prepare(database)
        killer = Killer(url, rng, kills)
        attack(database, killer)
        attempts: Counter[str] = Counter()
        failed = 0
        for number in range(units):
            name = f"unit {number}"

            def work(uow: Any, name: str = name) -> str:
                attempts[name] += 1
                uow.on_commit(lambda: published.update([name]))
                return _work(uow, name, commits=rng.random() < 0.3)

            try:
                database.run(work, retries=RETRIES)
            except EyenedError:
                failed += 1
        killer.stop()
        database.close()  # the last kill may still be on its way
        found = _found(database)
    wanted = {f"unit {number}" for number in range(units)}
    return {
        "seed": seed,
        "units": units,
        "kills": dict(killer.done),
        "attempts": attempts.total(),
        "commits in doubt": dict(in_doubt),
        "failed": failed,
        "lost": len(wanted - found["names"].keys()) + max(0, units - found["round"]),
        "doubled": sum(n - 1 for n in found["names"].values()) + max(0, found["round"] - units),
        "events_wrong": sum(published[name] != 1 for name in wanted),
    }


def _prepare(database: Database) -> None:
    with database.get_session() as session:
        patient = Patient(patient_identifier="P", project=Project(project_name="all"))
        session.add(Study(patient=patient, study_date="2024-01-01", study_round=0))
        session.commit()


def _work(uow: Any, name: str, *, commits: bool) -> str:
    uow.projects.add(Project(project_name=name, description="x" * 1000))
    uow.flush()
    study = uow.studies.get(1)
    study.study_round = (study.study_round or 0) + 1
    if commits:
        uow.commit()
    return name


def _found(database: Database) -> dict[str, Any]:
    with database.get_session() as session:
        names = session.execute(
            select(Project.project_name, func.count())
            .where(Project.project_name.startswith("unit "))
            .group_by(Project.project_name)
        )
        counted = {name: count for name, count in names}  # noqa: C416 - rows of two
        return {"names": counted, "round": Study.by_id(session, 1).study_round}


def main() -> int:
    """Run and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="500 units, at least 200 kills")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--url", default=campaign_url("connections"))
    options = parser.parse_args()
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)  # it tells of each kill
    units, kills = (500, 260) if options.full else (60, 30)
    figures = run(options.url, units=units, kills=kills, seed=options.seed)
    for name, value in figures.items():
        print(f"{name:>16}: {value}")
    return 0 if sound(figures) else 1


def sound(figures: dict[str, Any]) -> bool:
    """Tell whether each unit happened exactly once."""
    return not any(figures[name] for name in ("failed", "lost", "doubled", "events_wrong"))


if __name__ == "__main__":
    sys.exit(main())
