"""Reliability R10: a mask that is overwritten and rolled back is there as it was.

Overwrites are taken back by an exception, by Ctrl-C (a real SIGINT, at a random moment of
the unit), and by a savepoint. After each the old mask is read. In the end the collector
leaves the files of the old masks only.

    python -m campaigns.pixels.rollbacks [--full] [--database mariadb|sqlite] [--seed N]

Prints the seed and the figures; exit code 1 when one is missed.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from attrs import frozen

from campaigns.kit.crowd import PATIENCE_S, context
from campaigns.kit.figures import Figures, command
from campaigns.kit.masks import NEVER, SERVER, Stage, pixels_of, staged, told_by
from campaigns.kit.store_findings import read_all, tell_slots
from eyened_domain.adapters.database import Database

MASKS = 10
LONGEST_UNIT_S = 0.04
"""Within which time after its beginning a unit is interrupted."""


@frozen
class Size:
    """How large a campaign is: so many overwrites are rolled back."""

    units: int


SMALL, FULL = Size(30), Size(1000)


class Undone(Exception):
    """Raised to have a unit rolled back."""


def by_exception(database: Database, row: int, target: int, rng: random.Random) -> None:
    """Overwrite; an exception ends the unit, before or after others have been sent to."""
    try:
        with database.unit_of_work() as uow:
            one = uow.segmentations.get(row)
            if rng.random() < 0.5:
                one.inactive = True
                uow.flush()
            one.write_data(pixels_of(target, NEVER))
            raise Undone  # noqa: TRY301 - as a user's own code would
    except Undone:
        pass


def by_interrupt(database: Database, row: int, target: int, rng: random.Random) -> None:
    """Overwrite; Ctrl-C ends the unit at a random moment.

    Python drops an interrupt that comes while it cleans up an object: then there is another.
    """
    process = os.getpid()
    timer = threading.Timer(rng.uniform(0, LONGEST_UNIT_S), os.kill, args=(process, signal.SIGINT))
    try:
        with database.unit_of_work() as uow:
            timer.start()
            uow.segmentations.get(row).write_data(pixels_of(target, NEVER))
            timer.join()
            while True:
                time.sleep(0.05)
                os.kill(process, signal.SIGINT)
    except KeyboardInterrupt:
        pass


def by_savepoint(database: Database, row: int, target: int, _rng: random.Random) -> None:
    """Overwrite in a savepoint that is rolled back; the unit around it commits."""
    with database.get_session() as session:
        one = session.repository(_segmentation()).get(row)
        savepoint = session.begin_nested()
        one.write_data(pixels_of(target, NEVER))
        savepoint.rollback()
        if told_by(one.read_data()) != (target, 1):
            raise AssertionError("the object still has the new pixels")
        session.commit()


def _segmentation() -> Any:
    from eyened_domain import Segmentation

    return Segmentation


KINDS: tuple[Callable[..., None], ...] = (by_exception, by_interrupt, by_savepoint)


def attempt(stage: Stage, rows: dict[int, int], size: Size, seed: int, answer: Any) -> None:
    """Overwrite and roll back, and read after each; in a process of its own."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    rng, found = random.Random(seed), Counter[str]()
    errors: list[str] = []
    database, reader = Database(stage.settings), Database(stage.settings)
    for unit in range(size.units):
        kind = KINDS[unit % len(KINDS)]
        target, row = rng.choice(list(rows.items()))
        try:
            kind(database, row, target, rng)
        except Exception as error:  # noqa: BLE001 - each is counted
            errors.append(f"{kind.__name__}: {type(error).__name__}: {error}")
        with reader.get_session() as session:
            told = told_by(session.repository(_segmentation()).get(row).read_data())
        found[kind.__name__] += told == (target, 1)
    answer.send((dict(found), errors))
    reader.close()
    database.close()


def run(kind: str, size: Size, seed: int, server: str = SERVER) -> Figures:
    """Run the campaign on a database of its own."""
    figures = Figures()
    figures.tell("seed", seed)
    with staged(kind, server=server) as stage:
        database = Database(stage.settings)
        with database.unit_of_work() as uow:
            made = {target: uow.segmentations.add(stage.flat(target)) for target in range(1, MASKS)}
            for target, one in made.items():
                one.write_data(pixels_of(target, 1))
            uow.commit()
            rows = {target: one.segmentation_id for target, one in made.items()}
        mine, theirs = context().Pipe()
        process = context().Process(
            target=attempt, args=(stage, rows, size, seed, theirs), daemon=True
        )
        process.start()
        theirs.close()
        kept, errors = mine.recv()
        process.join(PATIENCE_S)
        for name, count in kept.items():
            figures.tell(f"old mask {name.replace('_', ' ')}", count)
        figures.at_least("old masks in all", sum(kept.values()), size.units)
        figures.zero("exceptions", len(errors))
        found = read_all(database)
        figures.zero("masks that changed", sum(found.versions[one] != 1 for one in rows))
        figures.zeros(found.faults)
        tell_slots(figures, database, found.positions)
        database.close()
    figures.quote(errors)
    return figures


if __name__ == "__main__":
    summary = "R10: overwrites that are rolled back"
    sys.exit(command(summary, run, small=SMALL, full=FULL))
