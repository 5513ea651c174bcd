"""What is in a database and its store at the end of a campaign, and what does not belong there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import Factory, define
from sqlalchemy import select

from campaigns.kit.figures import Figures
from campaigns.kit.masks import SCANS, identity_of, is_flat, told_by
from eyened_domain import Segmentation
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.files.durable import PARTIAL
from eyened_domain.adapters.pixels.collect import Collected, Collector
from eyened_domain.adapters.pixels.positions.rows import LIVE
from eyened_domain.adapters.sql.schema.pixels import zarr_array, zarr_slot
from eyened_domain.errors import EyenedError

Position = tuple[str, str, int]
"""Group, array and position."""


@define
class Read:
    """What was read of all rows.

    Attributes:
        versions: by target (a flat mask, or a B-scan of a volume), as it was read.
        scans: of each volume, by id: its ScanIndices.
        positions: where the rows point.
        faults: counts of what must not be.
        errors: texts of what could not be read.
    """

    versions: dict[int, int] = Factory(dict)
    scans: dict[int, list[int]] = Factory(dict)
    positions: list[Position] = Factory(list)
    faults: Counter[str] = Factory(Counter)
    errors: list[str] = Factory(list)


def read_all(database: Database) -> Read:
    """Read the pixels of all rows, by ourselves and by plain zarr-python."""
    import zarr

    result = Read()
    for name in ("rows without data", "torn", "not their own", "zarr reads otherwise"):
        result.faults[name] = 0
    root = zarr.open_group(database.settings.segmentations_zarr_store, mode="r")
    arrays: dict[tuple[str, str], Any] = {}
    with database.get_session() as session:
        for one in session.scalars(select(Segmentation)).all():
            if one.zarr_array_index is None:
                result.faults["rows without data"] += is_flat(one)  # a volume may be new
                continue
            names = (one.group_name, one.array_name)
            result.positions.append((*names, one.zarr_array_index))
            if names not in arrays:
                arrays[names] = root[f"{names[0]}/{names[1]}"]
            _read_one(one, arrays[names], result)
    twice = Counter(result.positions)
    result.faults["two rows at one position"] = sum(n - 1 for n in twice.values())
    return result


def _read_one(one: Segmentation, array: Any, result: Read) -> None:
    try:
        pixels = one.read_data()
    except EyenedError as error:
        result.faults["rows without data"] += 1
        result.errors.append(str(error))
        return
    result.faults["zarr reads otherwise"] += bool((array[one.zarr_array_index] != pixels).any())
    if is_flat(one):
        wanted = {identity_of(one): pixels}
    else:
        wanted = {one.segmentation_id * SCANS + n: scan for n, scan in enumerate(pixels)}
        result.scans[one.segmentation_id] = list(one.scan_indices or [])
    for identity, part in wanted.items():
        told = told_by(part)
        result.faults["torn"] += told is None
        result.faults["not their own"] += told is not None and told[0] not in (identity, 0)
        result.versions[identity] = 0 if told is None else told[1]


@define
class Slots:
    """Positions with files, positions that the database knows, and half-written files."""

    files: set[Position]
    known: dict[Position, str]
    partial: list[Path]

    @property
    def orphans(self) -> list[Path]:
        """Half-written files, but for those at positions of which the database knows nothing."""
        unknown = {(array, str(position)) for _, array, position in self.unknown}
        return [one for one in self.partial if not unknown & {(one.parts[-6], one.parts[-4])}]

    @property
    def unknown(self) -> set[Position]:
        """Positions with files, of which the database knows nothing."""
        return self.files - self.known.keys()


def collected(database: Database) -> Collected:
    """Collect all that nobody points to, however young: nobody may be writing half a file."""
    shelf = database.pixel_shelf
    collector = Collector(database.engine, shelf.files, grace_s=0, leftover_grace_s=0)
    return collector.collect(dry_run=False)


def slots_of(database: Database) -> Slots:
    """Look at all folders of slots, and at all rows of slots."""
    columns = (
        zarr_array.c.group_name,
        zarr_array.c.array_name,
        zarr_slot.c.slot_index,
        zarr_slot.c.state,
    )
    asked = select(*columns).join(
        zarr_slot, zarr_array.c.zarr_array_id == zarr_slot.c.zarr_array_id
    )
    with database.engine.connect() as connection:
        known = {(g, a, int(p)): state for g, a, p, state in connection.execute(asked)}
    root = Path(database.settings.segmentations_zarr_store)
    partial = [one for one in root.rglob(".*") if one.name.endswith(PARTIAL)]
    return Slots(set(_folders(root)), known, partial)


def _folders(root: Path) -> Iterator[Position]:
    for chunks in root.glob("*/*/c"):
        group, array = chunks.parts[-3:-1]
        for folder in chunks.iterdir():
            yield group, array, int(folder.name)


def tell_slots(figures: Figures, database: Database, pointed_to: list[Position]) -> None:
    """Compare files, positions and rows; collect, and compare again.

    On SQLite a unit that has written already reserves in its own transaction. When it is
    killed, the file that it leaves is one that only `eorm doctor` finds: told, but no fault.
    """
    slots, rows = slots_of(database), set(pointed_to)
    live = {position for position, state in slots.known.items() if state == LIVE}
    figures.tell("files in all", len(slots.files))
    figures.tell("files half written", len(slots.partial))
    if database.engine.dialect.name == "sqlite":
        figures.tell("files that only eorm doctor finds", len(slots.unknown))
    else:
        figures.zero("files that SQL does not know", len(slots.unknown))
    figures.zero("live positions without a row", len(live - rows))
    figures.zero("rows at positions that are not live", len(rows - live))
    figures.tell("files collected", collected(database).files)
    after = slots_of(database)
    figures.zero("files left by the collector", len(after.files - rows - slots.unknown))
    figures.zero("files of rows gone with the collector", len(rows - after.files))
    figures.zero("half-written files left by the collector", len(after.orphans))
