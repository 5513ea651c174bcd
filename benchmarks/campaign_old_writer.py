"""Reliability R13: beside a program of before, which appends without asking, nothing of ours breaks.

The old program is what deployments run today: for each mask it opens the array afresh,
resizes it by one, writes at the end, and lets its row point there. Four of our processes
store masks of the same shape at the same time.

    python benchmarks/campaign_old_writer.py [--full] [--seed N]

None of our masks is damaged. Whatever is damaged of theirs is found by reading, or by
looking for rows that share a position. Prints the seed and the figures; exit code 1 when one
is missed.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

import pymysql
from attrs import frozen
from sqlalchemy import make_url, select

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.campaign_new_masks import PER_WORKER
from benchmarks.crowd import Crowd, Journal, Told, context, told
from benchmarks.figures import Figures, command
from benchmarks.masks import SERVER, Stage, identity_of, pixels_of, staged, told_by
from eyened_domain import Segmentation
from eyened_domain.adapters.sql.database import Database
from eyened_domain.adapters.sql.unit_of_work import SqlUnitOfWork
from eyened_domain.errors import EyenedError

RETRIES = 100


@frozen
class Size:
    """How large a campaign is: so many processes of ours, masks of each, and of the old program."""

    workers: int
    each: int
    theirs: int


SMALL, FULL = Size(3, 25, 30), Size(4, 500, 500)


def append(file: Path, stage: Stage, rows: dict[int, int], group: str, array: str) -> None:
    """Store masks as the old program does; in a process of its own.

    Args:
        file: the journal.
        stage: where.
        rows: ids of rows without pixels, by the identity of the mask.
        group: name of the zarr group.
        array: name of the array.
    """
    import zarr

    url, journal = make_url(stage.settings["database_url"]), Journal(file)
    connection = pymysql.connect(
        host=url.host or "", port=url.port or 3306, user=url.username, database=url.database
    )
    for identity, row in rows.items():
        journal.begin(identity, 1)
        try:
            stored = zarr.open_group(stage.store, mode="a")[f"{group}/{array}"]
            position = stored.shape[0]
            stored.resize((position + 1, *stored.shape[1:]))  # type: ignore[union-attr]
            stored[position] = pixels_of(identity, 1)  # type: ignore[index]
        except Exception as error:  # noqa: BLE001 - the old program's own troubles
            journal.error(error)
            continue
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE Segmentation SET ZarrArrayIndex = %s WHERE SegmentationID = %s",
                (position, row),
            )
        connection.commit()
        journal.done(identity, 1, row)
    connection.close()


def work(number: int, file: Path, stage: Stage, each: int) -> None:
    """Store masks as we do; in a process of its own."""
    database, journal = Database(stage.settings), Journal(file)
    first = (number + 1) * PER_WORKER
    for identity in range(first, first + each):
        _store(database, journal, stage, identity)
    database.close()


def _store(database: Database, journal: Journal, stage: Stage, identity: int) -> None:
    def store(uow: SqlUnitOfWork) -> int:
        one = uow.segmentations.add(stage.flat(identity))
        one.write_data(pixels_of(identity, 1))
        uow.flush()
        return int(one.segmentation_id)

    journal.begin(identity, 1)
    try:
        journal.done(identity, 1, database.run(store, retries=RETRIES))
    except Exception as error:  # noqa: BLE001 - each is counted
        journal.error(error)


def run(kind: str, size: Size, seed: int, server: str = SERVER) -> Figures:
    """Run the campaign on a database of its own."""
    figures = Figures()
    figures.tell("seed", seed)  # nothing is drawn here: the crowd itself is what is random
    with staged(kind, server=server) as stage, tempfile.TemporaryDirectory() as folder:
        database = Database(stage.settings)
        with database.unit_of_work() as uow:
            one = uow.segmentations.add(stage.flat(1))
            one.write_data(pixels_of(1, 1))
            empty = [uow.segmentations.add(stage.flat(100 + n)) for n in range(size.theirs)]
            uow.commit()
            rows = {identity_of(new): new.segmentation_id for new in empty}
            names = one.group_name, one.array_name
        file = Path(folder, "the old program")
        old = context().Process(target=append, args=(file, stage, rows, *names), daemon=True)
        old.start()
        crowd = Crowd(work, size.workers, Path(folder), stage, size.each)
        crowd.join()
        old.join()
        ours, theirs = told(crowd.files), told([file])
        figures.tell("masks of ours", ours.writes)
        figures.tell("masks of the old program", theirs.writes)
        figures.tell("errors of the old program", len(theirs.errors))
        figures.zero("exceptions", len(ours.errors))
        figures.zero("masks of ours that were not stored", size.workers * size.each - ours.writes)
        _judge(figures, database, ours, theirs)
        database.close()
    figures.quote(ours.errors + theirs.errors)
    return figures


def _judge(figures: Figures, database: Database, ours: Told, theirs: Told) -> None:
    """Read all masks; tell what is damaged, and whether reading or a scan of positions found it."""
    counts: Counter[str] = Counter()
    with database.get_session() as session:
        asked = select(Segmentation).where(Segmentation.zarr_array_index.is_not(None))
        stored = session.scalars(asked).all()
        at = Counter(one.zarr_array_index for one in stored)
        key_length = max(at) + 1
        for one in stored:
            identity = identity_of(one)
            whose = "of ours" if identity >= PER_WORKER else "of the old program"
            try:
                is_whole, is_found = told_by(one.read_data()) == (identity, 1), False
            except EyenedError:
                is_whole, is_found = False, True
            is_found = is_found or at[one.zarr_array_index] > 1
            counts[f"damaged {whose}"] += not is_whole
            counts["found"] += is_found and not is_whole
            counts["not found"] += not is_whole and not is_found
    stored_targets = {identity_of(one) for one in stored}
    gone = [one for one in [*ours.done, *theirs.done] if one not in stored_targets]
    figures.zero("rows that point nowhere", len(gone))
    figures.zero("damaged of ours", counts["damaged of ours"])
    figures.tell("damaged of the old program", counts["damaged of the old program"])
    figures.zero("damaged and not found", counts["not found"])
    length = _length(database, stored[0])
    figures.tell("positions beyond the length of the array", max(0, key_length - length))


def _length(database: Database, one: Segmentation) -> int:
    import zarr

    root = zarr.open_group(database.settings.segmentations_zarr_store, mode="r")
    return int(root[f"{one.group_name}/{one.array_name}"].shape[0])  # type: ignore[union-attr]


if __name__ == "__main__":
    summary = "R13: beside an old program that appends"
    sys.exit(command(summary, run, small=SMALL, full=FULL, databases=("mariadb",)))
