"""Reliability R4: whatever call to the disk fails, the old pixels are there, or the new ones.

Each call that the store makes fails once (EIO, EMFILE), from then on (ENOSPC), or does less
than it was asked (short reads and writes), for a first mask of an array, a new one, an
overwrite, a slice, reading and a deletion. After each: pixels and row agree, the error is one
of ours, no descriptor is open, and another connection writes at once. Then the store is put
on a small disk of its own, which is filled up (needs root, to mount it).

    python -m campaigns.pixels.disk_errors [--full] [--seed N] [--database sqlite|mariadb|both]

Prints the seed and the figures; exit code 1 when anything was wrong. Without --full, every
seventh call fails.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from attrs import evolve, frozen

from campaigns.kit.databases import campaign_url, fresh_database
from campaigns.kit.faulty_os import FAULTS, FaultyOs, faulty
from campaigns.kit.segments import Drawer, pixels_of
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.errors import EyenedError, NotFound
from eyened_domain.testing import Builder

SHAPE = (3, 96, 200)
OPERATIONS = ("first", "new", "overwrite", "slice", "read", "delete")
AT_ONCE_S = 2.0
"""A writer that waits longer has met a lock; one that was left open would hold for ever."""
URL = campaign_url("disk_errors")


class Bench:
    """A database with a store, and the operations that are made to fail."""

    def __init__(self, database: Database, seed: int) -> None:
        self.database = database
        self.other = Database(database.settings)
        self.build = Builder()
        self.drawer = Drawer(database, SHAPE, self.build)
        self.number = seed
        self.figures: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.write_elsewhere()

    def operate(self, name: str, at: int, fault: str) -> FaultyOs:
        """Run an operation of which one call fails, and judge what it leaves."""
        drawer = self._drawer(name)
        self.number += 2
        old, new = (pixels_of(self.number + n, drawer.shape) for n in (0, 1))
        identity = self._stored(name, drawer)
        work = getattr(self, name)
        self._forget()
        before, error = descriptors(), None
        with faulty(at, fault) as broken:
            try:
                identity = work(drawer, identity, new)
            except Exception as raised:  # noqa: BLE001 - judged below
                error = raised
        where = f"{fault} at call {at} of {name} ({', '.join(broken.failed[:1])})"
        if error is not None and not isinstance(error, EyenedError):
            self.wrong.append(f"{where}: {type(error).__name__}: {error}")
        if error is not None and fault == "short":
            self.wrong.append(f"{where}: was not healed: {error}")
        del error
        if descriptors() != before:
            self.wrong.append(f"{where}: {descriptors() - before} descriptors leaked")
        self._judge(where, name, identity, old, new)
        self.write_elsewhere(where)
        self.figures["failed calls"] += len(broken.failed) > 0
        return broken

    def first(self, drawer: Drawer, _identity: int | None, new: Any) -> int:
        """Store the first pixels of an array."""
        return self.new(drawer, None, new)

    def new(self, drawer: Drawer, _identity: int | None, new: Any) -> int:
        """Store a new segmentation."""
        with self.database.unit_of_work() as uow:
            one = uow.segmentations.add(drawer.new())
            one.write_data(new)
            uow.commit()
            return int(one.segmentation_id)

    def overwrite(self, _drawer: Drawer, identity: int, new: Any) -> int:
        """Store other pixels of a segmentation."""
        with self.database.unit_of_work() as uow:
            uow.segmentations.get(identity).write_data(new)
            uow.commit()
        return identity

    def slice(self, _drawer: Drawer, identity: int, new: Any) -> int:
        """Store another B-scan of a segmentation."""
        with self.database.unit_of_work() as uow:
            uow.segmentations.get(identity).write_data(new[1], axis=0, slice_index=1)
            uow.commit()
        return identity

    def read(self, _drawer: Drawer, identity: int, _new: Any) -> int:
        """Read a segmentation, and one B-scan of it."""
        with self.database.unit_of_work() as uow:
            one = uow.segmentations.get(identity)
            if not np.array_equal(one.read_data()[1], one.read_data(0, 1)):
                self.wrong.append("a volume and its B-scan differ")
        return identity

    def delete(self, _drawer: Drawer, identity: int, _new: Any) -> int:
        """Delete a segmentation, and then its file."""
        with self.database.unit_of_work() as uow:
            one = uow.segmentations.get(identity)
            key, position = ArrayKey.of(one), one.zarr_array_index or 0
            uow.segmentations.delete(one)
            uow.commit()
        self.database.pixel_shelf.files.remove(key, position)
        return identity

    def write_elsewhere(self, where: str = "at the start") -> None:
        """Let another connection store a segmentation in the same array, at once."""
        start = time.monotonic()
        try:
            self.drawer.store(self.other, self.number)
        except Exception as error:  # noqa: BLE001 - reported
            self.wrong.append(f"{where}: another writer failed: {error}")
        if time.monotonic() - start > AT_ONCE_S:
            self.wrong.append(f"{where}: another writer waited")

    def _drawer(self, name: str) -> Drawer:
        if name != "first":
            return self.drawer
        depth, height, width = SHAPE
        self.figures["arrays"] += 1
        return Drawer(self.database, (depth, height, width + self.figures["arrays"]), self.build)

    def _stored(self, name: str, drawer: Drawer) -> int | None:
        return None if name in {"first", "new"} else drawer.store(self.database, self.number)

    def _forget(self) -> None:
        """Let the next operation reserve anew, and look at the metadata as a new process does."""
        shelf = self.database.pixel_shelf
        for key in list(shelf.files._codecs):
            shelf.reservations.forget(key)
        shelf.files._codecs.clear()
        shelf.files._prepared.clear()

    def _judge(self, where: str, name: str, identity: int | None, old: Any, new: Any) -> None:
        """Note what is neither as before nor as wished."""
        if name == "slice":
            changed = old.copy()
            changed[1] = new[1]
            new = changed
        if identity is None:  # the row that was not made
            self.figures["old"] += 1
            return
        try:
            with self.database.unit_of_work() as uow:
                found = uow.segmentations.get(identity).read_data()
        except NotFound:
            self.figures["new" if name == "delete" else "old"] += 1
            if name != "delete":
                self.wrong.append(f"{where}: the row is gone")
            return
        except EyenedError as error:
            self.wrong.append(f"{where}: cannot be read: {error}")
            return
        if np.array_equal(found, old):
            self.figures["old"] += 1
        elif np.array_equal(found, new):
            self.figures["new"] += 1
        else:
            self.wrong.append(f"{where}: neither the old pixels nor the new ones")


def descriptors() -> int:
    """Return how many files this process has open, connections left out."""
    names = list(Path("/proc/self/fd").iterdir())
    return sum(1 for name in names if name.is_dir() or "segmentations" in str(_target(name)))


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def run(kind: str, *, seed: int, step: int, url: str = URL) -> tuple[dict[str, Any], list[str]]:
    """Let every step-th call fail, in each operation and in each way."""
    rng = random.Random(seed)
    with fresh_database(kind, url) as database:
        bench = Bench(database, seed)
        for name in OPERATIONS:
            for fault in FAULTS:
                at = rng.randint(1, step)
                while bench.operate(name, at, fault).failed:
                    at += step
        bench.other.close()
    return {"seed": seed, "database": kind, **bench.figures}, bench.wrong


@frozen
class NotHere:
    """Why a small disk cannot be mounted."""

    reason: str


def small_disk(folder: Path, megabytes: int) -> NotHere | None:
    """Mount a disk in memory of that size; tell why that cannot be done."""
    if os.geteuid():
        return NotHere("only root may mount a disk")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    return NotHere(f"mount: {done.stderr.strip()}") if done.returncode else None


@contextmanager
def _filled(folder: Path, leave: int) -> Iterator[None]:
    filler = folder / "filler"
    with filler.open("wb") as file:
        left = os.statvfs(folder)
        file.write(bytes(max(0, left.f_bavail * left.f_frsize - leave)))
    try:
        yield
    finally:
        filler.unlink()


def full_disk(kind: str, *, seed: int, url: str = URL) -> NotHere | tuple[Counter[str], list[str]]:
    """Fill up a real disk, to various degrees, and store pixels on it."""
    with tempfile.TemporaryDirectory() as folder:
        missing = small_disk(Path(folder), 16)
        if missing:
            return missing
        try:
            return _on_full_disk(kind, Path(folder), seed, url)
        finally:
            subprocess.run(["umount", folder], check=True)


def _on_full_disk(kind: str, folder: Path, seed: int, url: str) -> tuple[Counter[str], list[str]]:
    with fresh_database(kind, url) as made:
        store = folder / "segmentations.zarr"
        database = Database(evolve(made.settings, segmentations_zarr_store=store))
        bench = Bench(database, seed)
        identity = bench.drawer.store(database, seed)
        works: dict[str, Callable[..., int]] = {"new": bench.new, "overwrite": bench.overwrite}
        for leave in (0, 4096, 8192, 16384, 2**20):
            for name, work in works.items():
                bench._forget()
                with _filled(folder, leave):
                    try:
                        work(bench.drawer, identity, pixels_of(seed, SHAPE))
                        bench.figures["fitted"] += 1
                    except EyenedError as error:
                        bench.figures["refused"] += 1
                        if "free some space" not in str(error):
                            bench.wrong.append(f"{name}: unclear: {error}")
                bench.write_elsewhere(f"disk with {leave} bytes left, {name}")
        with database.unit_of_work() as uow:
            if not np.array_equal(
                uow.segmentations.get(identity).read_data(), pixels_of(seed, SHAPE)
            ):
                bench.wrong.append("a full disk: the old pixels are gone")
        bench.other.close()
        database.close()
    return bench.figures, bench.wrong


def main() -> int:
    """Run and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="every call fails once")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--database", choices=("sqlite", "mariadb", "both"), default="both")
    options = parser.parse_args()
    kinds = ("sqlite", "mariadb") if options.database == "both" else (options.database,)
    wrong: list[str] = []
    for kind in kinds:
        figures, found = run(kind, seed=options.seed, step=1 if options.full else 7)
        print(figures)
        wrong += found
        full = full_disk(kind, seed=options.seed)
        if isinstance(full, NotHere):
            print(f"a full disk: not tried: {full.reason}")
        else:
            print(f"a full disk ({kind}): {dict(full[0])}")
            wrong += full[1]
    print(f"wrong: {len(wrong)}", *wrong[:20], sep="\n  ")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
