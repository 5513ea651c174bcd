"""Thumbnails and hashes of 200 photographs: two worker processes against one.

    python -m benchmarks.workers                      200 images, limit 1.7
    python -m benchmarks.workers --images 40 --runs 2

The files are copies of the real photographs of EYENED_SHARED (default ../shared), in turn,
or drawn ones where there are none. What is timed is the command itself, `eorm
update-thumbnails --workers N`, from its start to its end. On a machine that others use as
well the clock tells little: the seconds of CPU tell what two processors of one's own would
give, which is the last column.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen
from sqlalchemy import text

from eyened_domain import Database
from eyened_domain.adapters.phantoms import draw_fundus
from eyened_domain.testing import Builder

GOAL = 1.7
SHARED = Path(os.environ.get("EYENED_SHARED", Path(__file__).parents[2] / "shared"))
COMMANDS = ("update-thumbnails", "update-hashes")


@frozen
class Cost:
    """Seconds on the clock, and of CPU, of a command and its workers."""

    clock: float
    cpu: float


def main() -> int:
    """Print both times and how many times as fast two are; 1 when that is below the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--runs", type=int, default=1)
    given = parser.parse_args()
    print(f"{given.images} images, {os.cpu_count()} processors, load {os.getloadavg()[0]:.2f}")
    print(f"{'':<18}{'1 worker':>16}{'2 workers':>16}{'faster':>9}{'by CPU':>9}")
    slow = []
    with photographs(given.images) as database:
        for name in COMMANDS:
            one, two = measured(database, name, given.images, given.runs)
            ratio = one.clock / two.clock
            print(
                f"{name:<18}{_shown(one):>16}{_shown(two):>16}{ratio:>8.2f}x"
                f"{2 * one.cpu / two.cpu:>8.2f}x"
            )
            slow.extend([name] if ratio < GOAL else [])
    print(f"load {os.getloadavg()[0]:.2f}; goal {GOAL}x; not reached: {', '.join(slow) or 'none'}")
    return 1 if slow else 0


def measured(database: Database, command: str, images: int, runs: int) -> tuple[Cost, Cost]:
    """Run a command with one worker and with two, in turn; return the medians."""
    costs: dict[int, list[Cost]] = {1: [], 2: []}
    for run in range(runs):
        for workers in (1, 2) if run % 2 else (2, 1):
            _forget(database)
            costs[workers].append(_cost(database, command, workers, images))
    one, two = (
        Cost(
            statistics.median(cost.clock for cost in costs[workers]),
            statistics.median(cost.cpu for cost in costs[workers]),
        )
        for workers in (1, 2)
    )
    return one, two


@contextmanager
def photographs(count: int) -> Iterator[Database]:
    """Give a database of that many photographs, each a file of its own."""
    folder = Path(tempfile.mkdtemp(prefix="eyened-benchmark-"))
    database = Database({"EYENED_HOME": str(folder)})
    try:
        database.init()
        names = _copy(database.settings.images_basepath, count)
        builder = Builder()
        series = builder.a_series()
        with database.unit_of_work() as uow:
            uow.images.add_all(
                builder.an_image(
                    dataset_identifier=name, series=series, rows_y=None, columns_x=None
                )
                for name in names
            )
            uow.commit()
        yield database
    finally:
        database.close()
        shutil.rmtree(folder)


def _copy(folder: Path, count: int) -> list[str]:
    found = sorted((SHARED / "data" / "fundus").glob("*.*"))
    if not found:
        from PIL import Image

        found = [folder / f"drawn_{side}.jpg" for side in "LR"]
        for path in found:
            Image.fromarray(draw_fundus(1, laterality=path.stem[-1], size_px=2048)).save(path)
    names = [f"{n:04}{found[n % len(found)].suffix}" for n in range(count)]
    for n, name in enumerate(names):
        shutil.copyfile(found[n % len(found)], folder / name)
    return names


def _cost(database: Database, command: str, workers: int, images: int) -> Cost:
    program = [sys.executable, "-m", "eyened_domain.adapters.cli", command, "--json"]
    home = {"EYENED_HOME": str(database.settings.home)}
    clock, cpu = time.perf_counter(), _cpu()
    done = subprocess.run(
        [*program, "--workers", str(workers)],
        env=os.environ | home,
        stdout=subprocess.PIPE,
        check=True,
    )
    cost = Cost(time.perf_counter() - clock, _cpu() - cpu)
    report = json.loads(done.stdout)
    if report["made"] != images:
        raise SystemExit(f"only {report['made']} of {images} were made: {report['failures'][:1]}")
    return cost


def _cpu() -> float:
    """Return the seconds of CPU of the processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _forget(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(
            text("UPDATE ImageInstance SET ThumbnailPath=NULL, FileChecksum=NULL, DataHash=NULL")
        )


def _shown(cost: Cost) -> str:
    return f"{cost.clock:.1f} s ({cost.cpu:.1f})"


if __name__ == "__main__":
    sys.exit(main())
