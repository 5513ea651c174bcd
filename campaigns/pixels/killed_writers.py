"""Reliability R2 and R14: writers that are killed at random moments lose and tear nothing.

Processes store new masks, overwrite them, overwrite them in units that are rolled back, and
draw on B-scans of volumes that they share, while others read all the time. Writers are killed
(SIGKILL) at random moments and begun anew. What was acknowledged is there in the end; what
was under way when its writer was killed is there, or is not.

    python -m campaigns.pixels.killed_writers [--full] [--database mariadb|sqlite] [--seed N]

R14 is the same on SQLite. Prints the seed and the figures; exit code 1 when one is missed.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

from attrs import frozen

from campaigns.kit.crowd import Crowd, Journal, Told, told
from campaigns.kit.figures import Figures, command
from campaigns.kit.mask_readers import Readers
from campaigns.kit.masks import NEVER, SCANS, SERVER, VOLUME, Stage, pixels_of, staged
from campaigns.kit.store_findings import read_all, tell_slots
from campaigns.pixels.new_masks import PER_WORKER
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.sql.unit_of_work import SqlUnitOfWork

RETRIES = 40
VOLUMES = 6
KINDS = ("new", "overwrite", "roll back", "slice")
ODDS = (4, 3, 1, 2)
MOST_READS = 400_000


@frozen
class Size:
    """How large a campaign is.

    Attributes:
        workers: writing processes.
        each: units of each.
        kills: how often one of them is killed.
        reads: by two reading processes together, at least.
        rate: units a second, at least; None for no bar.
    """

    workers: int
    each: int
    kills: int
    reads: int
    rate: float | None = None


SMALL = {"mariadb": Size(4, 40, 8, 1000), "sqlite": Size(4, 40, 8, 1000)}
FULL = {
    "mariadb": Size(8, 500, 200, 400_000),
    "sqlite": Size(8, 1200, 200, 0, 200.0),
}


@frozen
class Share:
    """What all workers know of their task.

    Attributes:
        each: units of work of each.
        workers: how many they are.
        volumes: ids of the volumes on which they draw.
        seed: of the campaign.
    """

    each: int
    workers: int
    volumes: list[int]
    seed: int


class Undone(Exception):
    """Raised to have a unit rolled back."""


class Writer:
    """One of the crowd: does units of work until it has done its share.

    Args:
        stage: where.
        number: which of the workers.
        file: its journal; what it has done before it was killed is in there.
        share: the task.
    """

    def __init__(self, stage: Stage, number: int, file: Path, share: Share) -> None:
        self._stage = stage
        self._number = number
        self._before = Told()
        self._before.read(file)
        self._journal = Journal(file)
        self._database = Database(stage.settings)
        self._versions = self._before.highest
        self._rows = {
            target: row for target, row in self._before.rows.items() if target >= PER_WORKER
        }
        self._scans = [
            (volume, scan)
            for n, volume in enumerate(share.volumes)
            for scan in range(VOLUME[0])
            if (n * VOLUME[0] + scan) % share.workers == number
        ]
        self.units = self._before.writes + self._before.rollbacks
        self._random = random.Random(f"{share.seed} {number} {self.units}")

    def unit(self) -> None:
        """Do one unit of work."""
        kind = self._random.choices(KINDS, ODDS)[0] if self._rows else "new"
        try:
            if kind == "new":
                self._new()
            elif kind == "slice" and self._scans:
                self._slice(*self._random.choice(self._scans))
            elif kind == "roll back":
                self._roll_back(self._random.choice(list(self._rows)))
            else:
                self._overwrite(self._random.choice(list(self._rows)))
        except Exception as error:  # noqa: BLE001 - each is counted
            self._journal.error(error)
        self.units += 1

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _next_version(self, target: int) -> int:
        self._versions[target] += 1
        self._journal.begin(target, self._versions[target])
        return self._versions[target]

    def _new(self) -> None:
        first = (self._number + 1) * PER_WORKER
        target = max([first, *(one + 1 for one in self._versions if one >= first)])
        version = self._next_version(target)

        def store(uow: SqlUnitOfWork) -> int:
            one = uow.segmentations.add(self._stage.flat(target))
            if target % 2:
                uow.flush()
            one.write_data(pixels_of(target, version))
            uow.flush()
            return int(one.segmentation_id)

        self._rows[target] = self._database.run(store, retries=RETRIES)
        self._journal.done(target, version, self._rows[target])

    def _overwrite(self, target: int) -> None:
        version, row = self._next_version(target), self._rows[target]

        def store(uow: SqlUnitOfWork) -> None:
            uow.segmentations.get(row).write_data(pixels_of(target, version))

        self._database.run(store, retries=RETRIES)
        self._journal.done(target, version, row)

    def _slice(self, volume: int, scan: int) -> None:
        target = volume * SCANS + scan
        version = self._next_version(target)

        def store(uow: SqlUnitOfWork) -> None:
            pixels = pixels_of(target, version, VOLUME[1:])
            uow.segmentations.get(volume).write_data(pixels, axis=0, slice_index=scan)

        self._database.run(store, retries=RETRIES)
        self._journal.done(target, version, volume)

    def _roll_back(self, target: int) -> None:
        def store(uow: SqlUnitOfWork) -> None:
            uow.segmentations.get(self._rows[target]).write_data(pixels_of(target, NEVER))
            raise Undone

        try:
            self._database.run(store, retries=RETRIES)
        except Undone:
            self._journal.rolled_back()


def work(number: int, file: Path, stage: Stage, share: Share) -> None:
    """Do units of work; in a process of its own, which may be killed."""
    writer = Writer(stage, number, file, share)
    while writer.units < share.each:
        writer.unit()
    writer.close()


def run(kind: str, size: dict[str, Size] | Size, seed: int, server: str = SERVER) -> Figures:
    """Run the campaign on a database of its own."""
    size = size[kind] if isinstance(size, dict) else size
    rng = random.Random(seed)
    figures = Figures()
    figures.tell("seed", seed)
    with staged(kind, server=server) as stage, tempfile.TemporaryDirectory() as folder:
        database = Database(stage.settings)
        volumes = add_volumes(stage, database, VOLUMES)
        share = Share(size.each, size.workers, volumes, seed)
        started = time.perf_counter()
        crowd = Crowd(work, size.workers, Path(folder), stage, share)
        readers = Readers(stage, Path(folder, "reads"), 2 if size.reads else 0)
        crowd.kill_some(size.kills, size.workers * size.each, rng)
        crowd.join()
        seconds = time.perf_counter() - started
        readers.stop(size.reads)
        heard = told(crowd.files)
        figures.tell("committed", heard.writes)
        figures.tell("rolled back", heard.rollbacks)
        figures.at_least("kills", crowd.killed, size.kills)
        _tell_rate(figures, (heard.writes + heard.rollbacks) / seconds, size.rate)
        figures.zero("workers that failed", crowd.failed)
        figures.zero("exceptions", len(heard.errors))
        readers.tell(figures, size.reads)
        judge(figures, database, heard)
        if kind == "sqlite":
            figures.zero("integrity_check", integrity_faults(database))
        database.close()
    figures.quote(heard.errors)
    return figures


def _tell_rate(figures: Figures, rate: float, bar: float | None) -> None:
    if bar is None:
        figures.tell("units a second", f"{rate:.0f}")
    else:
        figures.at_least("units a second", rate, bar)


def add_volumes(
    stage: Stage, database: Database, count: int, shape: tuple[int, int, int] = VOLUME
) -> list[int]:
    """Store empty segmentations of volumes; return their ids."""
    with database.unit_of_work() as uow:
        made = [uow.segmentations.add(stage.volume(shape)) for _ in range(count)]
        uow.commit()
        return [one.segmentation_id for one in made]


def judge(figures: Figures, database: Database, heard: Told) -> None:
    """Compare what is stored with what the journals tell, and collect what is left over."""
    found = read_all(database)
    wanted = heard.highest.keys()
    lost = [one for one in wanted if found.versions.get(one, 0) not in heard.allowed(one)]
    figures.zero("acknowledged and lost", len(lost))
    strangers = [one for one in found.versions if found.versions[one] and one not in wanted]
    figures.zero("values that nobody wrote", len(strangers))
    figures.zero("B-scans not in ScanIndices", _scans_missing(found.versions, found.scans))
    figures.zeros(found.faults)
    tell_slots(figures, database, found.positions)
    again = read_all(database)
    figures.zero("changed by the collector", int(again.versions != found.versions))


def _scans_missing(versions: dict[int, int], scans: dict[int, list[int]]) -> int:
    return sum(
        versions[volume * SCANS + scan] > 0 and scan not in listed
        for volume, listed in scans.items()
        for scan in range(VOLUME[0])
    )


def integrity_faults(database: Database) -> int:
    """Return how many lines of complaint SQLite's own check gives."""
    with database.engine.connect() as connection:
        lines = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
    return sum(line != "ok" for line in lines)


if __name__ == "__main__":
    summary = "R2, R14: writers that are killed"
    sys.exit(command(summary, run, small=SMALL, full=FULL))
