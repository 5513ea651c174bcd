"""Reliability R1: a crowd that stores new masks of one shape loses and swaps none.

Processes, and then threads of one process, store masks of one shape at once, each in a unit
of work of its own, durably. Each mask tells in its pixels which one it is.

    python -m campaigns.pixels.new_masks [--full] [--database mariadb|sqlite] [--seed N]

Prints the seed and the figures; exit code 1 when one is missed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import frozen

from campaigns.kit.crowd import Crowd, Journal, told
from campaigns.kit.figures import Figures, command
from campaigns.kit.masks import SERVER, Stage, pixels_of, staged
from campaigns.kit.store_findings import read_all, tell_slots
from eyened_domain.adapters.database import Database

PER_WORKER = 1_000_000
"""Identities of worker n begin at (n + 1) × this."""
FASTEST_GOAL = 150.0
"""Masks a second, by processes on two cores that have nothing else to do."""


@frozen
class Size:
    """How large a campaign is: so many processes, and threads, and masks of each."""

    workers: int
    each: int


SMALL, FULL = Size(4, 25), Size(8, 500)


def store_masks(stage: Stage, database: Database, journal: Journal, first: int, each: int) -> None:
    """Store masks one by one, each committed by itself."""
    for identity in range(first, first + each):
        journal.begin(identity, 1)
        try:
            with database.unit_of_work() as uow:
                one = uow.segmentations.add(stage.flat(identity))
                one.write_data(pixels_of(identity, 1))
                uow.commit()
                row = one.segmentation_id
        except Exception as error:  # noqa: BLE001 - each is counted
            journal.error(error)
        else:
            journal.done(identity, 1, row)


def work(number: int, file: Path, stage: Stage, each: int) -> None:
    """Store masks; in a process of its own."""
    database = Database(stage.settings)
    store_masks(stage, database, Journal(file), (number + 1) * PER_WORKER, each)
    database.close()


def by_processes(stage: Stage, size: Size, folder: Path) -> tuple[list[Path], float]:
    """Let processes store masks; return their journals, and how many masks a second."""
    crowd = Crowd(work, size.workers, folder, stage, size.each)
    while crowd.done() < size.workers and crowd.is_working():
        time.sleep(0.005)  # until they have all been begun, nearly
    before, started = crowd.done(), time.perf_counter()
    crowd.join()
    return crowd.files, (size.workers * size.each - before) / (time.perf_counter() - started)


def by_threads(stage: Stage, size: Size, folder: Path) -> tuple[list[Path], float]:
    """Let threads with one `Database` store masks; return as `by_processes`."""
    database = Database(stage.settings)
    files = [folder / f"journal of thread {number}" for number in range(size.workers)]

    def one(number: int) -> None:
        first = (size.workers + number + 1) * PER_WORKER
        store_masks(stage, database, Journal(files[number]), first, size.each)

    started = time.perf_counter()
    with ThreadPoolExecutor(size.workers) as pool:
        list(pool.map(one, range(size.workers)))
    rate = size.workers * size.each / (time.perf_counter() - started)
    database.close()
    return files, rate


def run(kind: str, size: Size, seed: int, server: str = SERVER) -> Figures:
    """Run the campaign on a database of its own."""
    figures = Figures()
    figures.tell("seed", seed)  # nothing is drawn here: the crowd itself is what is random
    with staged(kind, server=server) as stage, tempfile.TemporaryDirectory() as folder:
        for name, crowd in (("processes", by_processes), ("threads", by_threads)):
            files, rate = crowd(stage, size, Path(folder))
            heard = told(files)
            figures.tell(f"masks by {name}", heard.writes)
            figures.zero(f"exceptions in {name}", len(heard.errors))
            figures.zero(f"not stored by {name}", size.workers * size.each - heard.writes)
            if name == "processes" and size == FULL:
                figures.at_least("masks a second by processes", rate, FASTEST_GOAL)
            else:
                figures.tell(f"masks a second by {name}", f"{rate:.0f}")
        everything = told([*Path(folder).iterdir()])
        database = Database(stage.settings)
        found = read_all(database)
        lost = [
            one for one, version in everything.done.items() if found.versions.get(one) != version
        ]
        figures.zero("lost", len(lost))
        figures.zeros(found.faults)
        tell_slots(figures, database, found.positions)
        database.close()
    return figures


if __name__ == "__main__":
    summary = "R1: new masks of one shape, by processes and by threads"
    sys.exit(command(summary, run, small=SMALL, full=FULL))
