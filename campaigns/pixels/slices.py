"""Reliability R9: people who draw on different B-scans of one volume lose none.

Processes draw on the same volumes at once, each on B-scans of its own. In the end every
B-scan is there, and in ScanIndices.

    python -m campaigns.pixels.slices [--full] [--database mariadb|sqlite] [--seed N]

Prints the seed and the figures; exit code 1 when one is missed.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

from attrs import frozen

from campaigns.kit.crowd import Crowd, Journal, told
from campaigns.kit.figures import Figures, command
from campaigns.kit.masks import SCANS, SERVER, Stage, pixels_of, staged
from campaigns.kit.store_findings import read_all, tell_slots
from campaigns.pixels.killed_writers import add_volumes
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.sql.unit_of_work import SqlUnitOfWork

ROWS, COLUMNS = 128, 160
RETRIES = 400


@frozen
class Size:
    """How large a campaign is: processes, B-scans of each on each volume, volumes."""

    workers: int
    each: int
    volumes: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of a volume: each process has B-scans of its own."""
        return (self.workers * self.each, ROWS, COLUMNS)


SMALL, FULL = Size(4, 4, 2), Size(8, 60, 20)


def work(
    number: int, file: Path, stage: Stage, share: tuple[Size, int], volumes: list[int]
) -> None:
    """Draw on B-scans; in a process of its own."""
    size, seed = share
    database, journal = Database(stage.settings), Journal(file)
    scans = list(range(number, size.workers * size.each, size.workers))
    random.Random(f"{seed} {number}").shuffle(scans)
    for volume in volumes:
        for scan in scans:
            _draw(database, journal, volume, scan)
    database.close()


def _draw(database: Database, journal: Journal, volume: int, scan: int) -> None:
    target = volume * SCANS + scan

    def store(uow: SqlUnitOfWork) -> None:
        pixels = pixels_of(target, 1, (ROWS, COLUMNS))
        uow.segmentations.get(volume).write_data(pixels, axis=0, slice_index=scan)

    journal.begin(target, 1)
    try:
        database.run(store, retries=RETRIES)
    except Exception as error:  # noqa: BLE001 - each is counted
        journal.error(error)
    else:
        journal.done(target, 1, volume)


def run(kind: str, size: Size, seed: int, server: str = SERVER) -> Figures:
    """Run the campaign on a database of its own."""
    figures = Figures()
    figures.tell("seed", seed)
    with (
        staged(kind, server=server, volume=size.shape) as stage,
        tempfile.TemporaryDirectory() as folder,
    ):
        database = Database(stage.settings)
        volumes = add_volumes(stage, database, size.volumes, size.shape)
        started = time.perf_counter()
        crowd = Crowd(work, size.workers, Path(folder), stage, (size, seed), volumes)
        crowd.join()
        heard = told(crowd.files)
        figures.tell("slices committed", heard.writes)
        figures.tell("slices a second", f"{heard.writes / (time.perf_counter() - started):.0f}")
        figures.zero("exceptions", len(heard.errors))
        found = read_all(database)
        wanted = {volume * SCANS + scan for volume in volumes for scan in range(size.shape[0])}
        figures.zero("slices lost", sum(found.versions.get(one) != 1 for one in wanted))
        listed = {volume * SCANS + scan for volume in volumes for scan in found.scans[volume]}
        figures.zero("ScanIndices lost", len(wanted - listed))
        figures.zeros(found.faults)
        tell_slots(figures, database, found.positions)
        database.close()
    figures.quote(heard.errors)
    return figures


if __name__ == "__main__":
    summary = "R9: slices of one volume by a crowd"
    sys.exit(command(summary, run, small=SMALL, full=FULL))
