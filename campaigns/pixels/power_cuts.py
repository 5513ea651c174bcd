"""Reliability R5: masks whose commit was acknowledged are there after a power cut.

Database (SQLite, or a MariaDB server of its own) and store are on a disk in a file. Processes
store masks, overwrite them and write B-scans; at a random moment nothing reaches the disk any
more. It is checked and mounted again, and every mask is read that was ever acknowledged. To
show that a loss would be seen, one more cut comes to writers that do not wait for the disk.

    python -m campaigns.pixels.power_cuts [--full] [--seed N] [--database sqlite|mariadb]

Needs root and loop devices. Prints the seed and the figures; exit code 1 when a mask was lost.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen

from campaigns.kit.loop_disk import LoopDisk, LoopMissing
from campaigns.kit.segments import Drawer, pixels_of
from eyened_domain import Segmentation
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.sql.translation import ConnectionLost
from eyened_domain.errors import Conflict, EyenedError
from eyened_domain.testing.mariadb import ServerMissing, server_in

SHAPE = (2, 128, 136)
WRITERS = 2
Written = dict[int, list[tuple[str, int]]]
"""Of each segmentation: what was begun, and what was acknowledged (``ok``), in order."""


@frozen
class Size:
    """How much is done."""

    cuts: int
    seconds: float
    """The longest that writers write before a cut."""


SMALL, FULL = Size(3, 1.0), Size(40, 14.0)


@contextlib.contextmanager
def opened(kind: str, disk: Path) -> Iterator[dict[str, Any]]:
    """Give the settings of a database on the disk; its server runs as long as the block."""
    settings = {"secret_key": "x", "segmentations_zarr_store": str(disk / "segmentations.zarr")}
    if kind == "sqlite":
        yield {**settings, "database_url": f"sqlite:///{disk / 'eyened.db'}"}
        return
    with server_in(disk) as server:
        server.execute("CREATE DATABASE IF NOT EXISTS test_cuts CHARACTER SET utf8mb4")
        yield {**settings, "database_url": server.url("test_cuts")}


def write(settings: dict[str, Any], seed: int, links: Drawer, log: str, durable: bool) -> None:
    """Store pixels until the disk fails; log what is begun and what was acknowledged."""
    rng = random.Random(seed)
    mine: list[int] = []
    database = Database(settings)
    database.pixel_shelf.files._durable = durable
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with contextlib.suppress(Exception):  # the disk is gone: anything may be said
        for number in range(seed, seed + 10**6):
            identity = rng.choice(mine) if mine and rng.random() < 0.5 else None
            if identity is not None:
                _say(file, "begun", identity, number)
            try:
                stored = _store(database, links, identity, number)
            except ConnectionLost:
                break
            except Conflict:  # with the other writer
                continue
            mine.append(stored)
            _say(file, "ok", stored, number)
    os._exit(0)  # as after a power cut: nothing is put in order


def _say(file: int, what: str, identity: int, number: int) -> None:
    os.write(file, f"{what} {identity} {number} {time.monotonic_ns()}\n".encode())


def _store(database: Database, links: Drawer, identity: int | None, number: int) -> int:
    with database.unit_of_work() as uow:
        if identity is None:
            one = uow.segmentations.add(links.new())
        else:
            one = uow.segmentations.get(identity)
        one.write_data(pixels_of(number, SHAPE))
        uow.commit()
        return int(one.segmentation_id)


def cut(
    disk: LoopDisk, kind: str, *, links: Drawer, rng: random.Random, size: Size, durable: bool
) -> tuple[list[str], int]:
    """Let writers write, cut the power, and mount the disk again.

    Returns:
        their logs, and the moment of the cut (`time.monotonic_ns`).
    """
    fork = multiprocessing.get_context("fork")
    logs = [f"{disk.mount_point}-{rng.randrange(2**62)}.log" for _ in range(WRITERS)]
    with opened(kind, disk.mount_point) as settings:
        writers = [
            fork.Process(target=write, args=(settings, rng.randrange(2**40), links, log, durable))
            for log in logs
        ]
        for one in writers:
            one.start()
        _wait_for_first(logs)
        time.sleep(rng.uniform(0, size.seconds))
        moment = time.monotonic_ns()
        disk.cut_power()
        for one in writers:
            one.join()
    disk.unmount()
    wrong = disk.check()
    if wrong:
        raise SystemExit(f"the file system is damaged:\n{wrong}")
    disk.mount()
    return [Path(log).read_text() for log in logs], moment


def _wait_for_first(logs: list[str]) -> None:
    until = time.monotonic() + 60
    while not all(Path(log).exists() and "ok" in Path(log).read_text() for log in logs):
        if time.monotonic() > until:
            raise SystemExit("the writers do not begin")
        time.sleep(0.01)


def note(written: Written, log: str, moment: int) -> Counter[str]:
    """Note what was written, in order; return how many were acknowledged.

    An fsync that is under way at the cut may succeed though its data is gone, since ext4 goes on
    for a moment when it is shut down. With the power, nobody would have been told: what is said
    after the cut counts as begun only.

    Args:
        written: where it is noted.
        log: what a writer said.
        moment: of the cut.
    """
    told: Counter[str] = Counter()
    for line in log.splitlines():
        what, identity, number, at = line.split()
        is_late = what == "ok" and int(at) > moment
        told["acknowledged"] += what == "ok" and not is_late
        told["said after the cut"] += is_late
        written.setdefault(int(identity), []).append(("begun" if is_late else what, int(number)))
    return told


def judge(database: Database, written: Written, figures: Counter[str]) -> None:
    """Read all that is there, and compare it with what was acknowledged."""
    with database.get_session() as session:
        found = {one.segmentation_id: one for one in Segmentation.fetch_all(session)}
        figures["lost rows"] += sum(
            identity not in found and any(what == "ok" for what, _ in story)
            for identity, story in written.items()
        )
        for identity, one in found.items():
            try:
                pixels = one.read_data()
            except EyenedError as error:
                figures["lost"] += 1
                figures[f"lost: {type(error).__name__}"] += 1
                continue
            figures["read"] += 1
            allowed = _allowed(written.get(identity))
            if allowed and not any(np.array_equal(pixels, pixels_of(n, SHAPE)) for n in allowed):
                figures["wrong"] += 1


def _allowed(story: list[tuple[str, int]] | None) -> list[int]:
    """Return the last that was acknowledged, and what was begun since."""
    if not story:
        return []
    last = max((n for n, (what, _) in enumerate(story) if what == "ok"), default=0)
    return [number for _, number in story[last:]]


def run(kind: str, size: Size, seed: int, *, durable: bool = True) -> dict[str, Any]:
    """Cut the power again and again.

    Raises:
        LoopMissing, ServerMissing: it cannot be done here.
    """
    rng, figures, written = random.Random(seed), Counter[str](), Written()
    with tempfile.TemporaryDirectory() as folder:
        # 20 MB a second is more than they write; what is not written takes no room
        disk = LoopDisk(Path(folder), megabytes=512 + int(20 * size.cuts * size.seconds))
        try:
            with _database(kind, disk) as database:
                database.init()
                links = Drawer(database, SHAPE)
            for _ in range(size.cuts):
                logs, moment = cut(disk, kind, links=links, rng=rng, size=size, durable=durable)
                for log in logs:
                    figures += note(written, log, moment)
                with _database(kind, disk) as database:
                    judge(database, written, figures)
                if kind == "sqlite":
                    figures["integrity"] += _is_whole(disk.mount_point / "eyened.db")
                if not durable:
                    break
        finally:
            disk.remove()
    return {"seed": seed, "database": kind, "cuts": size.cuts, "masks": len(written), **figures}


@contextlib.contextmanager
def _database(kind: str, disk: LoopDisk) -> Iterator[Database]:
    with opened(kind, disk.mount_point) as settings:
        database = Database(settings)
        try:
            yield database
        finally:
            database.close()


def _is_whole(file: Path) -> bool:
    connection = sqlite3.connect(file)
    whole = connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    return bool(whole)


def lost(figures: dict[str, Any]) -> int:
    """Return how many masks or rows were lost or wrong."""
    damaged = figures["database"] == "sqlite" and figures.get("integrity") != figures["cuts"]
    return int(sum(figures.get(name, 0) for name in ("lost", "lost rows", "wrong")) + damaged)


def main() -> int:
    """Run and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help=f"{FULL.cuts} cuts")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--database", choices=("sqlite", "mariadb"), default="sqlite")
    options = parser.parse_args()
    try:
        figures = run(options.database, FULL if options.full else SMALL, options.seed)
        control = run(options.database, Size(1, 1.0), options.seed, durable=False)
    except (LoopMissing, ServerMissing) as error:
        print(f"not tried: {error}")
        return 0
    for name, value in figures.items():
        print(f"{name:>14}: {value}")
    print(f"without waiting for the disk: {control.get('lost', 0)} of {control['masks']} lost")
    if not figures.get("acknowledged") or not control.get("lost"):
        print("the campaign was vacuous: nothing was written, or a loss is not seen")
        return 1
    return int(lost(figures) > 0)


if __name__ == "__main__":
    sys.exit(main())
