"""Reliability R19: what safety costs when one mask is saved, and read.

    python -m benchmarks.saving [--database mariadb|sqlite|both] [--runs N] [--full] [--seed N]

A save is a unit of work with a new segmentation and its pixels, on the disk at its end. The
goals are the times (ms) of the library that deployments use today, from reliability.md: no
longer than it for a save, a fifth of it for reading. Beside them: plain zarr in the same run,
same chunks, with fsyncs. Exit code 1 when a goal of a save, or of reading a mask, is missed;
to read a volume of 12 MB in 0.8 ms, a fifth, is more than a processor can copy.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import drawings
from benchmarks.plain_zarr import PlainZarr
from benchmarks.run import KINDS, as_table
from benchmarks.timing import Figure
from campaigns.kit.databases import fresh_database
from campaigns.kit.segments import Drawer, Shape
from eyened_domain import Segmentation
from eyened_domain.adapters.database import Database
from eyened_domain.testing import Builder

CASES: tuple[tuple[Shape, str, float, float | None], ...] = (
    ((1, 64, 64), "uint8", 13.6, 1.3 / 5),
    ((1, 1024, 1024), "uint8", 17.3, 1.7 / 5),
    ((49, 496, 512), "uint8", 38.0, None),
    ((49, 496, 512), "uint16", 38.0, None),
)
"""Shape, number type, and the most that a save and reading may take, in ms."""
NAMES = {"uint8": "R8UI", "uint16": "R16UI"}


def in_turns(works: dict[str, Callable[[], Any]], runs: int) -> dict[str, float]:
    """Return the median time of each, in ms; they are run in turns, once uncounted.

    What reads is run ten times in a row: it takes less than what wakes a processor up.
    """
    times: dict[str, list[float]] = {name: [] for name in works}
    for run in range(runs + 1):
        for name, work in works.items():
            repeated = 10 if "read" in name else 1
            start = time.perf_counter()
            for _ in range(repeated):
                work()
            if run:
                times[name].append(1000 * (time.perf_counter() - start) / repeated)
    return {name: statistics.median(some) for name, some in times.items()}


def case_figures(
    database: Database, drawer: Drawer, plain: PlainZarr, pixels: Any, runs: int
) -> dict[str, float]:
    """Measure one shape; return the time of each way, in ms."""
    slots = iter(range(plain.array.shape[0]))
    data_type = NAMES[pixels.dtype.name]

    def save() -> int:
        with database.unit_of_work() as uow:
            one = uow.segmentations.add(drawer.new(data_type=data_type))
            one.write_data(pixels)
            uow.commit()
            return int(one.segmentation_id)

    def unknown() -> Any:
        database.pixel_shelf.digests._kept.clear()
        one._pixel_store._asked.clear()
        return one.read_data()

    plain.write(0, pixels)
    identity = save()
    with database.get_session() as session:
        one: Any = Segmentation.by_id(session, identity)
        return in_turns(
            {
                "save": save,
                "zarr save": lambda: plain.write(next(slots), pixels),
                "read": one.read_data,
                "read, checksum not known": unknown,
                "zarr read": lambda: plain.read(0),
            },
            runs,
        )


def figures(kind: str, *, runs: int, seed: int) -> list[Figure]:
    """Measure all shapes on one kind of database."""
    found: list[Figure] = []
    rng, build = np.random.default_rng(seed), Builder()
    with tempfile.TemporaryDirectory() as folder, fresh_database(kind) as database:
        for shape, dtype, most_save, most_read in CASES:
            drawer = Drawer(database, shape, build)
            pixels = drawings.layers(rng, shape) if shape[0] > 1 else drawings.mask(rng, shape)
            pixels = (pixels > 0).astype(dtype)
            name = f"{'x'.join(map(str, shape))} {dtype}"
            plain = PlainZarr(Path(folder, name), shape, dtype, 5000, checksum=True)
            times = case_figures(database, drawer, plain, pixels, runs)
            for what, ms in times.items():
                if what.startswith("zarr"):
                    continue
                limit = times["zarr save" if what == "save" else "zarr read"]
                found.append(
                    Figure(
                        name=f"{name}: {what}",
                        ours=ms / 1000,
                        limit=limit / 1000,
                        value=ms,
                        unit="ms",
                        goal=most_save if what == "save" else most_read if what == "read" else None,
                        limit_name="plain zarr",
                    )
                )
    return found


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", choices=(*KINDS, "both"), default="both")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--full", action="store_true", help="200 runs")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    options = parser.parse_args(arguments)
    kinds = KINDS if options.database == "both" else (options.database,)
    runs = 200 if options.full else options.runs
    print(f"seed {options.seed}")
    found = {kind: figures(kind, runs=runs, seed=options.seed) for kind in kinds}
    print(as_table(found))
    return 0 if all(one.reached for some in found.values() for one in some) else 1


if __name__ == "__main__":
    sys.exit(main())
