"""Reliability R7: units that block each other all succeed, and each counts once.

Four threads run units that count up six rows, in opposite orders, so that they deadlock.
Then errors that MariaDB reports of such conflicts (1205 lock wait timeout, 1020 record has
changed, 1213 deadlock) are made up at random moments, in units that do not meet; each of them
also stores a new mask, and puts a B-scan into a volume that all of them share.

    python -m campaigns.units.deadlocks [--full] [--seed N] [--url URL]

Prints the seed and the figures; exit code 1 when a counter or pixels are wrong, or a unit failed.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pymysql
from sqlalchemy import event, select

from campaigns.kit.databases import campaign_url, fresh_database
from campaigns.kit.segments import Drawer, pixels_of
from eyened_domain import Patient, Project, Segmentation, Study
from eyened_domain.adapters.database import Database
from eyened_domain.errors import EyenedError

ROWS = 6
SHAPE = (4, 96, 180)
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
        canvas = Canvas(database)
        event.listen(database.engine, "before_cursor_execute", injector)
        for number in range(units):
            _unit(database, number, injected, canvas)
        event.remove(database.engine, "before_cursor_execute", injector)
        after = _counters(database)
        wrong = canvas.wrong(units)
    return {
        "seed": seed,
        "units": units,
        "attempts": storm["attempts"],
        "failed": storm["failed"] + injected["failed"],
        "counters": counters,
        "injected": dict(injector.done),
        "attempts then": injected["attempts"],
        "counters then": [one - units for one in after],
        "wrong pixels": wrong,
    }


class Canvas:
    """Where units draw: a mask of each unit's own, and a B-scan each of one volume."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._drawer = Drawer(database, SHAPE)
        self._volume = self._drawer.store(database, 0)

    def draw(self, uow: Any, number: int) -> None:
        """Store the pixels of a unit."""
        pixels = pixels_of(number + 1, SHAPE)
        uow.segmentations.add(self._drawer.new()).write_data(pixels)
        scan = number % SHAPE[0]
        uow.segmentations.get(self._volume).write_data(pixels[scan], axis=0, slice_index=scan)

    def wrong(self, units: int) -> int:
        """Return how many masks are missing, doubled or wrong, or B-scans of the volume."""
        with self._database.get_session() as session:
            found = Counter(one.read_data().tobytes() for one in Segmentation.fetch_all(session))
            volume = Segmentation.by_id(session, self._volume).read_data()
        found[volume.tobytes()] -= 1
        expected = [pixels_of(number + 1, SHAPE).tobytes() for number in range(units)]
        wrong = sum(found[one] != 1 for one in expected) + found.total() - units
        for scan in range(min(units, SHAPE[0])):
            last = max(range(scan, units, SHAPE[0]))
            wrong += not np.array_equal(volume[scan], pixels_of(last + 1, SHAPE)[scan])
        return wrong


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


def _unit(
    database: Database, number: int, figures: Counter[str], canvas: Canvas | None = None
) -> None:
    order = range(1, ROWS + 1) if number % 2 else range(ROWS, 0, -1)

    def work(uow: Any) -> None:
        figures["attempts"] += 1
        for study_id in order:
            asked = select(Study).where(Study.study_id == study_id).with_for_update()
            study = uow.session.scalars(asked).one()
            study.study_round += 1
            uow.flush()
        if canvas is not None:
            canvas.draw(uow, number)

    try:
        database.run(work, retries=RETRIES)
    except EyenedError:
        figures["failed"] += 1


def _counters(database: Database) -> list[int]:
    with database.get_session() as session:
        return list(session.scalars(select(Study.study_round).order_by(Study.study_id).limit(ROWS)))


def main() -> int:
    """Run and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="200 units")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--url", default=campaign_url("deadlocks"))
    options = parser.parse_args()
    figures = run(options.url, units=200 if options.full else 60, seed=options.seed)
    for name, value in figures.items():
        print(f"{name:>14}: {value}")
    return 0 if sound(figures) else 1


def sound(figures: dict[str, Any]) -> bool:
    """Tell whether each unit counted exactly once."""
    right = [figures["units"]] * ROWS
    counted = figures["counters"] == right and figures["counters then"] == right
    return counted and not figures["failed"] and not figures["wrong pixels"]


if __name__ == "__main__":
    sys.exit(main())
