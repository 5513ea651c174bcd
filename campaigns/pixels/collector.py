"""Reliability R8: a collector without any patience takes nothing that somebody needs.

Writers store, overwrite, roll back and draw on B-scans, while a collector with a grace of 0
comes round again and again, at random moments: it takes reservations away
from under the writers' hands, which then reserve again. One that comes round without any
pause takes each reservation before its file is written, once the machine is quick enough:
nothing is lost by that, but nobody gets to an end.

    python -m campaigns.pixels.collector [--full] [--database mariadb|sqlite] [--seed N]

Prints the seed and the figures; exit code 1 when one is missed.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from attrs import frozen

from campaigns.kit.crowd import PATIENCE_S, Crowd, context, told
from campaigns.kit.figures import Figures, command
from campaigns.kit.masks import SERVER, Stage, staged
from campaigns.kit.store_findings import collected
from campaigns.pixels.killed_writers import VOLUMES, Share, add_volumes, judge, work
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey


@frozen
class Size:
    """How large a campaign is: so many writing processes, and units of each."""

    workers: int
    each: int


SMALL, FULL = Size(3, 15), Size(4, 300)


LONGEST_PAUSE_S = 0.05
"""Of the collector; a mask takes 0.01 s to 0.02 s."""


def collect(stage: Stage, file: Path, stop: Any, seed: int) -> None:
    """Collect until told to stop; in a process of its own."""
    database = Database(stage.settings)
    found: Counter[str] = Counter()
    errors: list[str] = []
    rng = random.Random(seed)
    while not stop.wait(rng.uniform(0, LONGEST_PAUSE_S)):
        try:
            done = collected(database)
        except Exception as error:  # noqa: BLE001 - each is counted
            errors.append(f"{type(error).__name__}: {error}")
        else:
            found.update(runs=1, positions=done.positions, files=done.files, halves=done.leftovers)
    file.write_text(json.dumps({"found": found, "errors": errors}))
    database.close()


def run(kind: str, size: Size, seed: int, server: str = SERVER) -> Figures:
    """Run the campaign on a database of its own."""
    figures = Figures()
    figures.tell("seed", seed)
    with staged(kind, server=server) as stage, tempfile.TemporaryDirectory() as folder:
        database = Database(stage.settings)
        volumes = add_volumes(stage, database, VOLUMES)
        with database.unit_of_work() as uow:  # from then on the store says whose it is
            uow.segmentations.add(stage.flat(0)).write_empty()
            uow.commit()
        database.pixel_shelf.files.prepare(ArrayKey.of(stage.volume()))
        made, file = context(), Path(folder, "collector")
        stop = made.Event()
        collector = made.Process(target=collect, args=(stage, file, stop, seed), daemon=True)
        collector.start()
        share = Share(size.each, size.workers, volumes, seed)
        crowd = Crowd(work, size.workers, Path(folder), stage, share)
        crowd.join()
        stop.set()
        collector.join(PATIENCE_S)
        heard, result = told(crowd.files), json.loads(file.read_text())
        figures.tell("committed", heard.writes)
        figures.tell("rolled back", heard.rollbacks)
        figures.tell("collector", result["found"])
        figures.zero("workers that failed", crowd.failed)
        figures.zero("exceptions of writers", len(heard.errors))
        figures.zero("exceptions of the collector", len(result["errors"]))
        judge(figures, database, heard)
        database.close()
    figures.quote(heard.errors + result["errors"])
    return figures


if __name__ == "__main__":
    summary = "R8: a collector with a grace of 0"
    sys.exit(command(summary, run, small=SMALL, full=FULL))
