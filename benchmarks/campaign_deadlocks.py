"""Reliability R7: units that block each other all succeed, and each counts once.

Four threads run units that count up six rows, in opposite orders, so that they deadlock.
Then errors that MariaDB reports of such conflicts (1205 lock wait timeout, 1020 record has
changed, 1213 deadlock) are made up at random moments, in units that do not meet.

    python benchmarks/campaign_deadlocks.py [--full] [--seed N] [--url URL]

Prints the seed and the figures; exit code 1 when a counter is wrong or a unit failed.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pymysql
from sqlalchemy import event, select

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.databases import MARIADB_URL, fresh_database
from eyened_domain import Patient, Project, Study
from eyened_domain.adapters.sql.database import Database
from eyened_domain.errors import EyenedError

ROWS = 6
THREADS = 4
RETRIES = 40
INJECTED = (1205, 1020, 1213)


def run(url: str, *, units: int, seed: int) -> dict[str, Any]:
    """Run the campaign on a fresh database.

    Returns:
        figures; ``failed`` must be 0, and all counters equal to the units.
    """
    storm, injected = Counter[str](), Counter[str]()
    with fresh_database("mariadb", url) as database:
        _prepare(database)
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda n: _unit(database, n, storm), range(units)))
        counters = _counters(database)
        injector = Injector(random.Random(seed))
        event.listen(database.engine, "before_cursor_execute", injector)
        for number in range(units):
            _unit(database, number, injected)
        event.remove(database.engine, "before_cursor_execute", injector)
        after = _counters(database)
    return {
        "seed": seed,
        "units": units,
        "attempts": storm["attempts"],
        "failed": storm["failed"] + injected["failed"],
        "counters": counters,
        "injected": dict(injector.done),
        "attempts then": injected["attempts"],
        "counters then": [one - units for one in after],
    }


class Injector:
    """Raises what MariaDB would report, now and then, before a statement."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.done: Counter[int] = Counter()

    def __call__(self, _connection: Any, cursor: Any, *_rest: Any) -> None:
        """Make the statement that is about to be sent fail, now and then."""
        if self._rng.random() < 0.04:
            code = self._rng.choice(INJECTED)
            self.done[code] += 1
            cursor.execute = _raising(code)


def _raising(code: int) -> Callable[..., Any]:
    def execute(*_arguments: Any) -> Any:
        raise pymysql.err.OperationalError(code, "injected")

    return execute


def _prepare(database: Database) -> None:
    with database.get_session() as session:
        patient = Patient(patient_identifier="P", project=Project(project_name="all"))
        for day in range(1, ROWS + 1):
            session.add(Study(patient=patient, study_date=f"2024-01-{day:02}", study_round=0))
        session.commit()


def _unit(database: Database, number: int, figures: Counter[str]) -> None:
    order = range(1, ROWS + 1) if number % 2 else range(ROWS, 0, -1)

    def work(uow: Any) -> None:
        figures["attempts"] += 1
        for study_id in order:
            asked = select(Study).where(Study.study_id == study_id).with_for_update()
            study = uow.session.scalars(asked).one()
            study.study_round += 1
            uow.flush()

    try:
        database.run(work, retries=RETRIES)
    except EyenedError:
        figures["failed"] += 1


def _counters(database: Database) -> list[int]:
    with database.get_session() as session:
        return list(session.scalars(select(Study.study_round).order_by(Study.study_id)))


def main() -> int:
    """Run and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="200 units")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--url", default=MARIADB_URL.replace("benchmarks", "campaign_deadlocks"))
    options = parser.parse_args()
    figures = run(options.url, units=200 if options.full else 60, seed=options.seed)
    for name, value in figures.items():
        print(f"{name:>14}: {value}")
    return 0 if sound(figures) else 1


def sound(figures: dict[str, Any]) -> bool:
    """Tell whether each unit counted exactly once."""
    right = [figures["units"]] * ROWS
    counted = figures["counters"] == right and figures["counters then"] == right
    return counted and not figures["failed"]


if __name__ == "__main__":
    sys.exit(main())
