"""Reliability R13: beside an old program, which asks nobody, nothing of either is lost.

The old program is what deployments run today (`campaigns.kit.old_program`): it appends masks,
writes masks and B-scans over in place, erases them, lets rows point elsewhere, deletes rows,
and is killed in the middle of it. Our processes store masks of the same shape, and draw on
the same masks and volumes in turns with it, at the same time; a doctor takes over what it
finds.

    python -m campaigns.pixels.old_writer [--full] [--database …] [--server URL] [--seed N]

None of our masks is damaged, none is called damaged, and of each mask what was written last
is what is read, whoever wrote it; of a write in which the old program was killed, all or
nothing. Prints the seed and the figures; exit code 1 when one is missed.
"""

from __future__ import annotations

import random
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy.typing as npt
from attrs import frozen
from sqlalchemy import select

from campaigns.kit import old_program
from campaigns.kit.crowd import Crowd, Journal, told
from campaigns.kit.figures import Figures, command
from campaigns.kit.masks import SERVER, VOLUME, Stage, identity_of, pixels_of, staged, told_by
from campaigns.kit.old_program import SCAN, Share, Target
from campaigns.pixels.killed_writers import add_volumes
from campaigns.pixels.new_masks import PER_WORKER
from eyened_domain import Segmentation
from eyened_domain.adapters.checkup import checkup_on
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.sql.unit_of_work import SqlUnitOfWork
from eyened_domain.errors import EyenedError
from eyened_domain.services.doctor import Kind

RETRIES = 100
YOUNG_S = 2
_TAKEN_OVER = {
    Kind.NOT_ADOPTED,
    Kind.PIXELS_REPLACED,
    Kind.PIXELS_ERASED,
    Kind.OWNER_GONE,
    Kind.WRONG_OWNER,
    Kind.WRONG_STATE,
    Kind.UNKNOWN_FILE,
    Kind.METADATA_SHORT,
    Kind.GARBAGE,
}
"""What the old program leaves, and the doctor mends without losing anything."""


@frozen
class Size:
    """How large a campaign is.

    Attributes:
        workers: processes of ours.
        each: new masks of each of them, and as many edits and looks.
        theirs: masks that the old program appends.
        edits: what it changes in place or by SQL.
        shared: masks, and volumes, that both draw on.
        kills: how often the old program is killed.
    """

    workers: int
    each: int
    theirs: int
    edits: int
    shared: tuple[int, int]
    kills: int


SMALL, FULL = Size(3, 25, 30, 60, (6, 2), 5), Size(4, 500, 500, 1000, (24, 6), 60)


def work(number: int, file: Path, stage: Stage, each: int, share: Share) -> None:
    """Store masks, draw on those of both, and look at them; in a process of its own."""
    database, journal = Database(stage.settings), Journal(file)
    rng = random.Random(f"{share.seed} worker {number}")
    first = (number + 1) * PER_WORKER
    for identity in range(first, first + each):
        _try(journal, partial(_store, database, journal, stage, identity))
        target = rng.choice(share.targets)
        _try(journal, partial(_draw, database, target, rng))
        target = rng.choice(share.targets)
        _try(journal, partial(_look, database, target, is_alone=rng.random() < 0.5))
    database.close()


def _try(journal: Journal, step: Callable[[], None]) -> None:
    try:
        step()
    except Exception as error:  # noqa: BLE001 - each is counted
        journal.error(error)


def _store(database: Database, journal: Journal, stage: Stage, identity: int) -> None:
    def store(uow: SqlUnitOfWork) -> int:
        one = uow.segmentations.add(stage.flat(identity))
        one.write_data(pixels_of(identity, 1))
        uow.flush()
        return int(one.segmentation_id)

    journal.begin(identity, 1)
    journal.done(identity, 1, database.run(store, retries=RETRIES))


def _draw(database: Database, target: Target, rng: random.Random) -> None:
    """Draw on a mask or a B-scan, upon what is there."""
    scan = rng.randrange(VOLUME[0])
    with target.alone() as turn:
        identity = target.scan(scan) if target.is_volume else target.identity
        version = turn.begin(identity)

        def draw(uow: SqlUnitOfWork) -> None:
            one = uow.segmentations.get(target.row)
            if target.is_volume:
                pixels = pixels_of(identity, version, SCAN)
                one.write_data(pixels, axis=0, slice_index=scan)
            else:
                one.write_data(pixels_of(identity, version))

        database.run(draw, retries=RETRIES)
        turn.done(identity, version)


def _look(database: Database, target: Target, *, is_alone: bool) -> None:
    """Read a mask: it is what was written last; when somebody may be writing, it is whole."""
    if not is_alone:
        if any(told_by(pixels) is None for pixels in _read(database, target).values()):
            raise AssertionError(f"row {target.row} was read in pieces")
        return
    with target.alone() as turn:
        found = _read(database, target)
        faults = [turn.fault(identity, pixels) for identity, pixels in found.items()]
    if any(faults):
        raise AssertionError("; ".join(fault for fault in faults if fault))


def _read(database: Database, target: Target) -> dict[int, npt.NDArray[Any]]:
    """Return the pixels by identity: of the mask, or of each B-scan."""
    with database.get_session() as session:
        found = Segmentation.by_id(session, target.row).read_data()
    if target.is_volume:
        return {target.scan(number): scan for number, scan in enumerate(found)}
    return {target.identity: found}


def _mend(stage: Stage, stop: threading.Event, told_kinds: Counter[str], errors: list[str]) -> None:
    """Look for what the old program has done and take it over, again and again."""
    database = Database(stage.settings)
    while not stop.wait(0.5):
        try:
            report = checkup_on(database, adopt=True, young_s=YOUNG_S).run(2, fix=True)
        except EyenedError as error:
            errors.append(f"the doctor: {error}")
            continue
        told_kinds.update(one.kind.name for one in report.findings)
        errors += [one.message for one in report.findings if one.kind not in _TAKEN_OVER]
        errors += [f"{what}: {why}" for what, why in report.unchecked.items()]
        errors += [f"{one.finding.message}: {one.error}" for one in report.repairs if one.error]
    database.close()


def run(kind: str, size: Size, seed: int, server: str = SERVER) -> Figures:
    """Run the campaign on a database of its own."""
    figures = Figures()
    figures.tell("seed", seed)
    with staged(kind, server=server) as stage, tempfile.TemporaryDirectory() as folder:
        database = Database(stage.settings)
        share = _prepared(stage, database, size, seed, Path(folder))
        for name in ("ours", "theirs"):
            Path(folder, name).mkdir()
        crowd = Crowd(work, size.workers, Path(folder, "ours"), stage, size.each, share)
        stop, kinds, errors = threading.Event(), Counter[str](), list[str]()
        doctor = threading.Thread(target=_mend, args=(stage, stop, kinds, errors))
        doctor.start()
        # Begun last: on a slow machine it would have ended before anybody came to kill it.
        old = Crowd(old_program.work, 1, Path(folder, "theirs"), stage, share)
        old.kill_some(size.kills, size.theirs + size.edits, random.Random(f"{seed} kills"))
        crowd.join()
        old.join()
        stop.set()
        doctor.join()
        ours, theirs = told(crowd.files), told(old.files)
        figures.tell("masks of ours", ours.writes)
        figures.tell("steps of the old program", len(theirs.done))
        figures.tell("kills of the old program", old.killed)
        figures.tell("errors of the old program", len(theirs.errors))
        figures.tell("found by the doctor meanwhile", dict(kinds))
        figures.zero("exceptions and wrong reads", len(ours.errors))
        figures.zero("called damaged by the doctor meanwhile", len(errors))
        figures.zero("processes that failed", crowd.failed + old.failed)
        figures.zero("masks of ours that were not stored", size.workers * size.each - ours.writes)
        _judge(figures, database, share, ours.rows)
        _judge_by_the_doctor(figures, database)
        database.close()
    figures.quote(ours.errors + errors + theirs.errors)
    return figures


def _prepared(stage: Stage, database: Database, size: Size, seed: int, folder: Path) -> Share:
    masks, volumes = size.shared
    with database.unit_of_work() as uow:
        empty = [uow.segmentations.add(stage.flat(1000 + n)) for n in range(size.theirs)]
        both = [uow.segmentations.add(stage.flat(1 + n)) for n in range(masks)]
        doomed = [uow.segmentations.add(stage.flat(500 + n)) for n in range(max(1, masks // 2))]
        for one in (*both, *doomed):
            one.write_data(pixels_of(identity_of(one), 1))
        uow.commit()
        rows = {identity_of(one): one.segmentation_id for one in empty}
        flats = {one.segmentation_id: identity_of(one) for one in both}
        gone = [one.segmentation_id for one in doomed]
        path = f"{both[0].group_name}/{both[0].array_name}"
    deep = add_volumes(stage, database, volumes, VOLUME)
    with database.unit_of_work() as uow:
        for volume in uow.segmentations.by_ids(deep):
            volume.write_empty()
        for image in uow.images.where():  # which the doctor looks for
            file = database.settings.images_basepath / image.dataset_identifier
            file.parent.mkdir(exist_ok=True)
            file.touch()
        uow.commit()
    targets = [Target(folder / f"mask {row}", row, name) for row, name in flats.items()]
    targets += [Target(folder / f"volume {row}", row, 0) for row in deep]
    for target in targets:
        with target.alone() as turn:
            if not target.is_volume:
                turn.done(target.identity, 1)
    with database.get_session() as session:
        one = Segmentation.by_id(session, deep[0])
        deep_path = f"{one.group_name}/{one.array_name}"
    return Share(seed, rows, targets, gone, size.edits, path, deep_path)


def _judge(figures: Figures, database: Database, share: Share, ours: dict[int, int]) -> None:
    """Read all masks once more."""
    counts: Counter[str] = Counter()
    faults: list[str] = []
    for target in share.targets:
        try:
            _look(database, target, is_alone=True)
        except (EyenedError, AssertionError) as error:
            counts["masks of both"] += 1
            faults.append(str(error))
    asked = select(Segmentation).where(Segmentation.zarr_array_index.is_not(None))
    with database.get_session() as session:
        stored = {one.segmentation_id: one for one in session.scalars(asked)}
        for whose, rows in (("ours", ours), ("theirs", share.rows)):
            for identity, row in rows.items():
                counts[f"masks of {whose}"] += not _is_whole(stored.get(row), identity, faults)
        counts["deleted rows"] = sum(row in stored for row in share.doomed)
    figures.tell("masks of theirs", len(share.rows))
    for what in ("masks of ours", "masks of theirs", "masks of both"):
        figures.zero(f"{what} that are lost", counts[what])
    figures.tell("rows that it was to delete, and did not", counts["deleted rows"])
    figures.quote(faults)


def _is_whole(one: Segmentation | None, identity: int, faults: list[str]) -> bool:
    try:
        found = None if one is None else told_by(one.read_data())
    except EyenedError as error:
        faults.append(str(error))
        return False
    if found != (identity, 1):
        faults.append(f"{identity} holds {found}")
    return found == (identity, 1)


def _judge_by_the_doctor(figures: Figures, database: Database) -> None:
    """Take over what is left, and find nothing any more."""
    before = checkup_on(database, young_s=0).run(3)
    wrong = [one for one in before.findings if one.kind not in _TAKEN_OVER]
    figures.tell("found by the doctor", dict(Counter(one.kind.name for one in before.findings)))
    figures.zero("called damaged by the doctor", len(wrong))
    checkup_on(database, young_s=0, adopt=True).run(3, fix=True)
    after = checkup_on(database, young_s=0).run(3)
    figures.zero("left after it was adopted", len(after.findings) + len(after.unchecked))
    figures.quote([one.message for one in (*wrong, *after.findings)] + [*after.unchecked.values()])


if __name__ == "__main__":
    summary = "R13: beside an old program that appends, edits in place, deletes and is killed"
    sys.exit(command(summary, run, small=SMALL, full=FULL))
