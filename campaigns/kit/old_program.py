"""What deployments run beside us today: plain zarr-python and SQL, which ask nobody.

It appends by resizing the array by one, writes masks and B-scans over in place, erases them
(zarr then takes the file away), lets rows point elsewhere and deletes them.
"""

from __future__ import annotations

import contextlib
import fcntl
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from attrs import define, frozen
from sqlalchemy import create_engine, text

from campaigns.kit.crowd import Journal, Told, told
from campaigns.kit.masks import SCANS, VOLUME, Stage, pixels_of, told_by

EDITS = ("whole", "slice", "erase", "move", "delete")
SCAN = VOLUME[1:]


@frozen
class Target:
    """A mask, or a volume, that both programs draw on, one at a time as people do.

    Attributes:
        file: its journal: who holds its lock has the mask for himself.
        row: its SegmentationID.
        identity: of the mask; 0 of a volume, whose B-scans have identities of their own.
    """

    file: Path
    row: int
    identity: int

    @property
    def is_volume(self) -> bool:
        """Whether B-scans are drawn, not the whole."""
        return not self.identity

    def scan(self, number: int) -> int:
        """Return the identity of a B-scan."""
        return self.row * SCANS + number

    @contextlib.contextmanager
    def alone(self) -> Iterator[Turn]:
        """Give what is known of the mask, and keep everybody else from it meanwhile."""
        with self.file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # let go of when the process is killed, too
            yield Turn(self, told([self.file]), Journal(self.file))


@define
class Turn:
    """A target for as long as nobody else may touch it."""

    target: Target
    heard: Told
    journal: Journal

    def begin(self, identity: int) -> int:
        """Note that a new version is going to be written; return it."""
        version = max(self.heard.highest[identity], 1) + 1
        self.journal.begin(identity, version)
        self.heard.highest[identity] = version
        return version

    def begin_zeros(self, identity: int) -> None:
        """Note that zeros are going to be written: version 0."""
        self.journal.begin(identity, 0)

    def done(self, identity: int, version: int) -> None:
        """Note that it is written."""
        self.journal.done(identity, version, self.target.row)

    def fault(self, identity: int, pixels: Any) -> str | None:
        """Return what is wrong with pixels that were read; None when they are what was written."""
        found = told_by(pixels)
        allowed = self.heard.allowed(identity)
        if found == (0, 0) and 0 in allowed:
            return None
        if found is not None and found[0] == identity and found[1] in allowed:
            return None
        return f"{identity} holds {found}, and may hold the versions {sorted(allowed)}"


@frozen
class Share:
    """What the old program has to do.

    Attributes:
        seed: of what is drawn.
        rows: ids of rows without pixels, by the identity of the mask that is appended.
        targets: what both programs draw on.
        doomed: rows that it deletes.
        edits: how many edits it makes.
        path: of the array of the masks, in the store.
        deep_path: of the array of the volumes.
    """

    seed: int
    rows: dict[int, int]
    targets: list[Target]
    doomed: list[int]
    edits: int
    path: str
    deep_path: str

    @property
    def actions(self) -> list[tuple[str, int]]:
        """What is done in which order: appended identities, and edits by their number."""
        waiting = [("append", identity) for identity in self.rows]
        waiting += [("edit", number) for number in range(self.edits)]
        random.Random(f"{self.seed} order").shuffle(waiting)
        return waiting


class OldProgram:
    """The old program, in a process of its own.

    Args:
        stage: where.
        share: what it has to do.
    """

    def __init__(self, stage: Stage, share: Share) -> None:
        options = {"timeout": 60} if stage.settings["database_url"].startswith("sqlite") else {}
        self._engine = create_engine(stage.settings["database_url"], connect_args=options)
        self._stage = stage
        self._share = share

    def append(self, identity: int) -> None:
        """Store a mask at the end of the array, and let its row point there."""
        position = self._append(pixels_of(identity, 1))
        self._point(self._share.rows[identity], position)

    def edit(self, number: int) -> None:
        """Change something that is there."""
        rng = random.Random(f"{self._share.seed} {number}")
        kind = rng.choice(EDITS)
        if kind == "delete" and self._share.doomed:
            row = self._share.doomed[number % len(self._share.doomed)]
            self._sql("DELETE FROM Segmentation WHERE SegmentationID = :row", row=row)
            return
        target = rng.choice(self._share.targets)
        with target.alone() as turn:
            if target.is_volume:
                self._edit_scan(turn, rng.randrange(VOLUME[0]), erase=kind == "erase")
            else:
                self._edit_mask(turn, kind)

    def _edit_mask(self, turn: Turn, kind: str) -> None:
        target, identity = turn.target, turn.target.identity
        if kind == "erase":
            turn.begin_zeros(identity)
            self._array(self._share.path)[self._position(target.row)] = 0
            turn.done(identity, 0)
            return
        version = turn.begin(identity)
        pixels = pixels_of(identity, version)
        if kind == "move":
            self._point(target.row, self._append(pixels))
        elif kind == "slice":
            self._array(self._share.path)[self._position(target.row), 0] = pixels[0]
        else:
            self._array(self._share.path)[self._position(target.row)] = pixels
        turn.done(identity, version)

    def _edit_scan(self, turn: Turn, scan: int, *, erase: bool) -> None:
        identity = turn.target.scan(scan)
        if erase:
            version, pixels = 0, np.zeros(SCAN, np.uint8)
            turn.begin_zeros(identity)
        else:
            version = turn.begin(identity)
            pixels = pixels_of(identity, version, SCAN)
        self._array(self._share.deep_path)[self._position(turn.target.row), scan] = pixels
        turn.done(identity, version)

    def _append(self, pixels: Any) -> int:
        array = self._array(self._share.path)
        position: int = array.shape[0]
        array.resize((position + 1, *array.shape[1:]))
        array[position] = pixels
        return position

    def _array(self, path: str) -> Any:
        import zarr

        return zarr.open_group(self._stage.store, mode="a")[path]

    def _point(self, row: int, position: int) -> None:
        statement = "UPDATE Segmentation SET ZarrArrayIndex = :at WHERE SegmentationID = :row"
        self._sql(statement, at=position, row=row)

    def _position(self, row: int) -> int:
        statement = "SELECT ZarrArrayIndex FROM Segmentation WHERE SegmentationID = :row"
        with self._engine.connect() as connection:
            return int(connection.execute(text(statement), {"row": row}).scalar_one())

    def _sql(self, statement: str, **values: int) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(statement), values)


def work(_number: int, file: Path, stage: Stage, share: Share) -> None:
    """Do what is left of the share; killed, it is begun again."""
    done = told([file]).done if file.exists() else {}
    journal, old = Journal(file), OldProgram(stage, share)
    for number, (kind, which) in enumerate(share.actions, start=1):
        if number in done:
            continue
        journal.begin(number, 1)
        try:
            (old.append if kind == "append" else old.edit)(which)
        except Exception as error:  # noqa: BLE001 - the old program's own troubles
            journal.error(error)
        journal.done(number, 1, which)
