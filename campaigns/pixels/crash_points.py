"""Reliability R3: a process that dies at any point leaves the old pixels or the new ones.

A process stores a new mask, overwrites one, draws on a B-scan, deletes a mask, or collects.
The points that it passes are counted first: every call to the operating system by the store,
every statement and every commit. Then it is done over, once for every point, in a process
that kills itself (SIGKILL) there. It is the first that the process does (and for a new mask,
the first in its array), or one that comes after others.

    python -m campaigns.pixels.crash_points [--full] [--database mariadb|sqlite] [--seed N]

After each death, pixels are the old or the new ones, nobody is kept from writing, and the
database knows of every file. Prints the seed and the figures; exit code 1 when one is missed.
"""

from __future__ import annotations

import random
import signal
import sys
import time
from collections import Counter
from typing import Any

from attrs import frozen
from sqlalchemy import select

from campaigns.kit.crowd import context
from campaigns.kit.dying import Points, watch
from campaigns.kit.figures import Figures, command
from campaigns.kit.masks import (
    FLAT,
    SCANS,
    SERVER,
    VOLUME,
    Stage,
    identity_of,
    is_flat,
    pixels_of,
    staged,
    told_by,
)
from campaigns.kit.store_findings import collected, read_all, tell_slots
from eyened_domain import Segmentation
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.sql.unit_of_work import SqlUnitOfWork
from eyened_domain.errors import EyenedError

DEEDS = ("new", "new, flushed", "overwrite", "slice", "delete", "collect")
PASSAGES = ("first", "later")
SCAN = 2
RETRIES = 10
LONGEST_WAIT_S = 10.0
"""How long another writer may be kept waiting by one that has died."""


@frozen
class Size:
    """How large a campaign is: how many points of each deed and passage, None for all."""

    points: int | None


SMALL, FULL = Size(4), Size(None)


@frozen
class Deed:
    """What a process does, and dies of.

    Attributes:
        kind: one of `DEEDS`.
        passage: one of `PASSAGES`.
        target: identity of the mask or of the B-scan.
        row: id of the segmentation; 0 for a new one.
        version: that is written; with passage `later`, the one before is written first.
        shape: of the mask.
    """

    kind: str
    passage: str
    target: int
    row: int
    version: int
    shape: tuple[int, int, int] = FLAT


def do(deed: Deed, stage: Stage, database: Database, version: int) -> None:
    """Do it once, in a unit of work of its own."""
    if deed.kind == "collect":
        collected(database)
        return
    with database.unit_of_work() as uow:
        if deed.kind.startswith("new"):
            one = uow.segmentations.add(stage.flat(deed.target + version, deed.shape))
            if deed.kind == "new, flushed":
                uow.flush()
            one.write_data(pixels_of(deed.target + version, 1, deed.shape))
        elif deed.kind == "overwrite":
            uow.segmentations.get(deed.row).write_data(pixels_of(deed.target, version))
        elif deed.kind == "slice":
            pixels = pixels_of(deed.target, version, VOLUME[1:])
            uow.segmentations.get(deed.row).write_data(pixels, axis=0, slice_index=SCAN)
        else:
            uow.segmentations.delete(uow.segmentations.get(deed.row))
        uow.commit()


def die(deed: Deed, stage: Stage, fatal: int | None, answer: Any) -> None:
    """Do it, and die at a point; in a process of its own."""
    points = Points(fatal)
    database = Database(stage.settings)
    watch(database.engine, points)
    if deed.passage == "later" and deed.kind != "delete":
        do(deed, stage, database, deed.version - 1)
    points.is_armed = True
    do(deed, stage, database, deed.version)
    points.is_armed = False
    answer.send(points.names)
    database.close()


class Campaign:
    """Deeds on one stage, and what is found after each."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._database = Database(stage.settings)
        self._context = context()
        self._next = 1_000_000
        self.faults: Counter[str] = Counter()
        self.names: set[str] = set()
        self.missed = 0
        self.slowest = 0.0
        self.notes: list[str] = []
        self._bystander = self._stored(5)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def count(self, kind: str, passage: str) -> int:
        """Return how many points a deed passes."""
        deed = self._prepared(kind, passage)
        names = self._done(deed, None)
        self.names.update(names)
        return len(names)

    def kill(self, kind: str, passage: str, fatal: int) -> None:
        """Do a deed in a process that dies at a point, and look at what is left."""
        deed = self._prepared(kind, passage)
        self._done(deed, fatal)
        before = self.faults.total()
        self._judge(deed)
        if self.faults.total() > before:
            self.notes.append(f"{kind}, {passage}, point {fatal}")

    def _done(self, deed: Deed, fatal: int | None) -> list[str]:
        mine, theirs = self._context.Pipe()
        process = self._context.Process(target=die, args=(deed, self._stage, fatal, theirs))
        process.start()
        theirs.close()
        process.join()
        names: list[str] = mine.recv() if process.exitcode == 0 else []
        expected = {0} if fatal is None else {0, -signal.SIGKILL}
        self.faults["runs that ended otherwise"] += process.exitcode not in expected
        self.missed += fatal is not None and process.exitcode == 0
        return names

    def _prepared(self, kind: str, passage: str) -> Deed:
        """Return a deed on a mask of its own, which has version 1 where it is not new."""
        self._next += 10
        target = self._next
        if kind.startswith("new"):
            width = FLAT[2] + (target // 10) % 20_000
            return Deed(kind, passage, target, 0, 2, (1, FLAT[1], width))
        if kind == "slice":
            row = self._database.run(self._with_volume, retries=RETRIES)
            return Deed(kind, passage, row * SCANS + SCAN, row, 3)
        if kind == "collect":
            collected(self._database)  # so that there is the same to collect each time
        row = self._stored(target)
        if kind == "collect":
            self._overwritten(row, target, 1)
        return Deed(kind, passage, target, row, 3)

    def _with_volume(self, uow: SqlUnitOfWork) -> int:
        one = uow.segmentations.add(self._stage.volume())
        uow.flush()
        row = int(one.segmentation_id)
        for scan in range(VOLUME[0]):
            pixels = pixels_of(row * SCANS + scan, 1, VOLUME[1:])
            one.write_data(pixels, axis=0, slice_index=scan)
        return row

    def _stored(self, target: int) -> int:
        """Store a mask; run again where the collector has taken what this process reserved."""

        def store(uow: SqlUnitOfWork) -> int:
            one = uow.segmentations.add(self._stage.flat(target))
            one.write_data(pixels_of(target, 1))
            uow.flush()
            return int(one.segmentation_id)

        return self._database.run(store, retries=RETRIES)

    def _overwritten(self, row: int, target: int, version: int) -> float:
        """Overwrite a mask; return how many seconds that took."""
        started = time.monotonic()
        try:
            self._database.run(
                lambda uow: uow.segmentations.get(row).write_data(pixels_of(target, version)),
                retries=RETRIES,
            )
        except EyenedError as error:
            self.faults["others that could not write"] += 1
            self.notes.append(f"{type(error).__name__}: {error}")
        return time.monotonic() - started

    def _judge(self, deed: Deed) -> None:
        versions = self._versions(deed)
        later = deed.passage == "later"
        if deed.kind.startswith("new"):
            allowed = [{0, 1}, {1} if later else {0}]
        elif deed.kind == "delete":
            allowed = [{0, 1}]
        elif deed.kind == "collect":
            allowed = [{1}]
        else:
            allowed = [{deed.version, deed.version - 1 if later else 1}]
        wrong = any(one not in these for one, these in zip(versions, allowed, strict=True))
        self.faults["neither old nor new"] += wrong
        waited = self._overwritten(self._bystander, 5, 1)
        if deed.kind == "overwrite":
            waited += self._overwritten(deed.row, deed.target, 9)
        self.slowest = max(self.slowest, waited)
        self.faults["others that were kept waiting"] += waited > LONGEST_WAIT_S

    def _versions(self, deed: Deed) -> list[int]:
        """Return what is stored of the targets of a deed: 0 for nothing, -1 for what is wrong."""
        with self._database.get_session() as session:
            if deed.kind.startswith("new"):
                last = select(Segmentation).order_by(Segmentation.segmentation_id.desc()).limit(2)
                rows = {identity_of(one): one for one in session.scalars(last) if is_flat(one)}
                targets = [deed.target + deed.version, deed.target + deed.version - 1]
                return [self._version(rows.get(target), target) for target in targets]
            one = session.get(Segmentation, deed.row)
            return [self._version(one, deed.target)]

    def _version(self, one: Segmentation | None, target: int) -> int:
        if one is None:
            return 0
        try:
            pixels = one.read_data()
        except EyenedError as error:
            self.notes.append(str(error))
            return -1
        if pixels.shape[0] == 1:
            told = told_by(pixels)
            return told[1] if told is not None and told[0] == target else -1
        scans = [told_by(scan) for scan in pixels]
        others = [one.segmentation_id * SCANS + n for n in range(len(scans))]
        whole = all(
            told is not None and told[0] == owner and (told[1] == 1 or n == SCAN)
            for n, (told, owner) in enumerate(zip(scans, others, strict=True))
        )
        drawn = scans[SCAN]
        return drawn[1] if whole and drawn is not None else -1

    def finish(self, figures: Figures) -> None:
        """Look at all rows and all files once more."""
        found = read_all(self._database)
        figures.zeros(found.faults)
        tell_slots(figures, self._database, found.positions)


def run(kind: str, size: Size, seed: int, server: str = SERVER) -> Figures:
    """Run the campaign on a database of its own."""
    rng = random.Random(seed)
    figures = Figures()
    figures.tell("seed", seed)
    kills = 0
    with staged(kind, server=server) as stage:
        campaign = Campaign(stage)
        for deed in DEEDS:
            for passage in PASSAGES:
                count = campaign.count(deed, passage)
                points = list(range(1, count + 1))
                chosen = points if size.points is None else rng.sample(points, size.points)
                for fatal in chosen:
                    campaign.kill(deed, passage, fatal)
                kills += len(chosen)
                figures.tell(f"points of {deed}, {passage}", f"{count}, killed at {len(chosen)}")
        campaign.finish(figures)
        campaign.close()
    figures.tell("kinds of points", len(campaign.names))
    figures.tell("kills", kills - campaign.missed)
    figures.tell("points that were not reached again", campaign.missed)
    figures.tell("longest wait of another writer, s", f"{campaign.slowest:.2f}")
    figures.zeros(campaign.faults)
    figures.quote(campaign.notes, most=8)
    return figures


if __name__ == "__main__":
    summary = "R3: death at every point"
    sys.exit(command(summary, run, small=SMALL, full=FULL))
