"""Processes that read masks all the time, while others write them."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from campaigns.kit.crowd import PATIENCE_S, context
from campaigns.kit.figures import Figures
from campaigns.kit.masks import NEVER, SCANS, VOLUME, Stage, identity_of, is_flat, told_by
from eyened_domain import Segmentation
from eyened_domain.adapters.database import Database

AT_A_TIME = 64


def read(stage: Stage, file: Path, stop: Any, wanted: Any) -> None:
    """Read until told to stop and enough was read; in a process of its own."""
    database = Database(stage.settings)
    found: Counter[str] = Counter()
    seen: dict[int, int] = {}
    errors: list[str] = []
    while not stop.is_set() or found["reads"] < wanted.value:
        try:
            _read_some(database, found, seen)
        except Exception as error:  # noqa: BLE001 - each is counted
            errors.append(f"{type(error).__name__}: {error}")
    file.write_text(json.dumps({"found": found, "errors": errors}))
    database.close()


def _read_some(database: Database, found: Counter[str], seen: dict[int, int]) -> None:
    with database.get_session() as session:
        last = session.scalar(select(func.max(Segmentation.segmentation_id))) or 1
        first = random.randint(1, last)
        asked = select(Segmentation).where(
            Segmentation.segmentation_id >= first,
            Segmentation.zarr_array_index.is_not(None),
        )
        for one in session.scalars(asked.limit(AT_A_TIME)):
            if is_flat(one):
                identity, pixels = identity_of(one), one.read_data()
            else:
                scan = random.randrange(VOLUME[0])
                identity = one.segmentation_id * SCANS + scan
                pixels = one.read_data(axis=0, slice_index=scan)
            _judge(identity, told_by(pixels), found, seen)


def _judge(
    identity: int, told: tuple[int, int] | None, found: Counter[str], seen: dict[int, int]
) -> None:
    """Judge one read: of one piece, its own, committed, and no older than what was read before."""
    found["reads"] += 1
    if told is None:
        found["torn"] += 1
        return
    owner, version = told
    found["not their own"] += owner not in (identity, 0)
    found["never committed"] += version >= NEVER
    found["older than before"] += version < seen.get(identity, 0)
    seen[identity] = version


class Readers:
    """Some processes that read; see `read`."""

    def __init__(self, stage: Stage, file: Path, count: int) -> None:
        self._files = [file.with_name(f"{file.name} {number}") for number in range(count)]
        made = context()
        self._stop = made.Event()
        self._wanted = made.Value("l", 0)
        self._processes = [
            made.Process(target=read, args=(stage, one, self._stop, self._wanted), daemon=True)
            for one in self._files
        ]
        for process in self._processes:
            process.start()

    def stop(self, wanted: int) -> None:
        """Let them end, when together they have read as often as is wanted."""
        if self._processes:
            self._wanted.value = -(-wanted // len(self._processes))
        self._stop.set()
        deadline = time.monotonic() + PATIENCE_S
        for process in self._processes:
            process.join(max(1.0, deadline - time.monotonic()))

    def tell(self, figures: Figures, wanted: int) -> None:
        """Tell what they found."""
        total: Counter[str] = Counter()
        errors: list[str] = []
        for file in self._files:
            result = json.loads(file.read_text())
            total.update(result["found"])
            errors += result["errors"]
        if self._processes:
            figures.at_least("reads", total["reads"], wanted)
        for name in ("torn", "not their own", "never committed", "older than before"):
            figures.zero(f"reads that were {name}", total[name])
        figures.zero("reads that failed", len(errors))
        figures.quote(errors)
