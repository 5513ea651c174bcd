"""Reliability R20: saving a mask takes as long in a large array as in a small one.

    python -m benchmarks.many_masks [--database mariadb|sqlite] [--saves N] [--full] [--seed N]

Databases with arrays of 1,000, 10,000 and 100,000 masks (--full: and 1,000,000): a row of the
segmentation and of the position for each, and its folder in the store. Masks are saved in each
of them in turn. Exit code 1 when a median differs from the smallest array's by more than 20 %.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from campaigns.kit.databases import MARIADB_URL, fresh_database
from campaigns.kit.segments import Drawer
from eyened_domain import Segmentation
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.adapters.sql.schema.pixels import zarr_array, zarr_slot

segmentation = table_of(Segmentation)

SHAPE = (1, 64, 64)
SIZES = (1_000, 10_000, 100_000)
FULL_SIZES = (*SIZES, 1_000_000)
_ROWS = 10_000
MOST_DIFFERENCE = 0.2


def fill(database: Database, drawer: Drawer, count: int) -> None:
    """Let the array look as if so many masks had been saved before."""
    first = drawer.store(database, 0)
    with database.get_session() as session:
        one = Segmentation.by_id(session, first)
        start, key = (one.zarr_array_index or 0) + 100, ArrayKey.of(one)
    chunks = Path(database.settings.segmentations_zarr_store) / key.path / "c"
    for begin in range(start, start + count, _ROWS):
        _fill_rows(database, first, key, range(begin, min(begin + _ROWS, start + count)))
    for position in range(start, start + count):
        os.mkdir(f"{chunks}/{position}")  # noqa: PTH102 - a million of them
    database.pixel_shelf.reservations.forget(key)


def _fill_rows(database: Database, like: int, key: ArrayKey, positions: range) -> None:
    with database.engine.begin() as connection:
        array_id = connection.scalar(
            select(zarr_array.c.zarr_array_id).where(zarr_array.c.array_name == key.name)
        )
        asked = select(segmentation).where(segmentation.c.segmentation_id == like)
        row = connection.execute(asked).one()
        named = zip(segmentation.c.keys(), row, strict=True)
        common = {name: value for name, value in named if name != "segmentation_id"}
        rows = [{**common, "zarr_array_index": position} for position in positions]
        connection.execute(insert(segmentation), rows)
        slot = {"zarr_array_id": array_id, "state": "live", "token": "0" * 32, "since": 0}
        slots = [
            {**slot, "slot_index": p, "digest": bytes(16), "segmentation_id": p + 10}
            for p in positions
        ]
        connection.execute(insert(zarr_slot), slots)
        connection.execute(update(zarr_array).values(next_index=positions.stop))


@contextlib.contextmanager
def filled(kind: str, sizes: tuple[int, ...], url: str) -> Iterator[dict[int, Any]]:
    """Give a database with its drawer for each size."""
    with contextlib.ExitStack() as opened:
        made = {}
        for size in sizes:
            database = opened.enter_context(fresh_database(kind, f"{url}_{size}"))
            made[size] = database, Drawer(database, SHAPE)
            fill(*made[size], size)
        yield made


def run(
    kind: str, *, sizes: tuple[int, ...], saves: int, seed: int, url: str = MARIADB_URL
) -> dict[int, list[float]]:
    """Return, for each size, how long each save took, in ms."""
    times: dict[int, list[float]] = {size: [] for size in sizes}
    rng = random.Random(seed)
    with filled(kind, sizes, url) as made:
        for number in range(saves + 1):
            for size in rng.sample(sizes, len(sizes)):
                database, drawer = made[size]
                start = time.perf_counter()
                drawer.store(database, number)
                if number:
                    times[size].append(1000 * (time.perf_counter() - start))
    return times


def main() -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", choices=("sqlite", "mariadb"), default="sqlite")
    parser.add_argument("--saves", type=int, default=200)
    parser.add_argument("--full", action="store_true", help="up to 1,000,000 masks")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    options = parser.parse_args()
    sizes = FULL_SIZES if options.full else SIZES
    print(f"seed {options.seed}")
    times = run(options.database, sizes=sizes, saves=options.saves, seed=options.seed)
    medians = {size: statistics.median(some) for size, some in times.items()}
    smallest = medians[min(medians)]
    for size, median in medians.items():
        print(f"{size:>9,} masks: p50 {median:6.2f} ms, {median / smallest:.2f} x")
    steady = all(abs(one / smallest - 1) <= MOST_DIFFERENCE for one in medians.values())
    print("constant within 20 %" if steady else "NOT constant within 20 %")
    return 0 if steady else 1


if __name__ == "__main__":
    sys.exit(main())
