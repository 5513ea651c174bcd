"""Reliability R12: seeded defects are all found, nothing else is, and how long it takes.

Makes a store of masks (512, 512) uint16 as this library writes them, breaks it in more
than 12 ways at once, and lets the doctor look, repair, and look again. Times are of the
store before it was broken; level 2 with the caches of the disk emptied, where that may be
done (as root).

    python -m campaigns.pixels.doctor [--full] [--seed N] [--kind sqlite|mariadb]

Prints the seed and the figures; exit code 1 when a defect was missed, something was found
that is none, or a full run was too slow.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numcodecs.zstd import Zstd
from sqlalchemy import insert, text, update

from campaigns.kit.databases import campaign_url, fresh_database
from eyened_domain import Segmentation
from eyened_domain.adapters.checkup import checkup_on
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.pixels.positions import ownership
from eyened_domain.adapters.pixels.zarr.files import SlotFiles
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.pixels.zarr.manifest import Manifest, digest_of
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.adapters.sql.schema.pixels import zarr_array, zarr_slot
from eyened_domain.model.image import ImageInstance
from eyened_domain.services.doctor import Kind, Report
from eyened_domain.testing import Builder

image_instance = table_of(ImageInstance)
segmentation = table_of(Segmentation)

SIDE = 512
KEY = ArrayKey("DataRepresentation.MultiLabel", "uint16", (1, SIDE, SIDE))
TOKEN = "ca" * 16
BARS = {"level 1, s": 1.0, "level 2 cold, s": 20.0}
PIXELS_GB_S = 1.0


def build(database: Database, masks: int, rng: random.Random) -> list[int]:
    """Write masks as the library does, in bulk and without fsync; return their ids."""
    store = database.settings.segmentations_zarr_store
    files = SlotFiles(store, durable=False)
    files.make_root()
    files.prepare(KEY)
    ownership.note(database.engine, files)
    with database.unit_of_work() as uow:
        builder = Builder()
        image = builder.an_image(nr_of_frames=1, rows_y=SIDE, columns_x=SIDE)
        shape: dict[str, Any] = {"depth": 1, "height": SIDE, "width": SIDE, "sparse_axis": 0}
        first = Segmentation(
            image_instance=image,
            creator=builder.a_creator(),
            feature=builder.a_feature(),
            data_representation="MultiLabel",
            data_type="R16UI",
            **shape,
        )
        uow.segmentations.add(first)
        uow.commit()
        common = {
            "creator_id": first.creator_id,
            "feature_id": first.feature_id,
            "image_instance_id": first.image_instance_id,
            "data_representation": "MultiLabel",
            "data_type": "R16UI",
            "inactive": False,
            **shape,
        }
        uow.segmentations.delete(first)
        uow.commit()
    path = Path(database.settings.images_basepath, image.dataset_identifier)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"an image")
    frames = [_frame(rng.randrange(2**31)) for _ in range(16)]
    with database.engine.begin() as connection:
        array = {"zarr_array_id": 1, "group_name": KEY.group, "array_name": KEY.name}
        connection.execute(insert(zarr_array), [array | {"next_index": masks}])
    ids = list(range(10, 10 + masks))
    for start in range(0, masks, 2000):
        chunk = range(start, min(start + 2000, masks))
        slots = []
        for position in chunk:
            frame = frames[position % 16]
            manifest = Manifest(position, ids[position], TOKEN, (digest_of(frame),))
            size = _write(Path(store, KEY.path), position, frame + manifest.frame())
            slots.append(
                {
                    "zarr_array_id": 1,
                    "slot_index": position,
                    "state": "live",
                    "token": TOKEN,
                    "digest": manifest.digest(),
                    "bytes": size,
                    "since": int(time.time()),
                    "segmentation_id": ids[position],
                }
            )
        rows = [
            common | {"segmentation_id": ids[position], "zarr_array_index": position}
            for position in chunk
        ]
        with database.engine.begin() as connection:
            connection.execute(insert(segmentation), rows)
            connection.execute(insert(zarr_slot), slots)
    files.grow(KEY, masks)
    return ids


def _frame(seed: int) -> bytes:
    frame: bytes = Zstd(level=0, checksum=True).encode(_picture(seed))
    return frame


def _write(array: Path, position: int, content: bytes) -> int:
    """Write the file of a slot as it is in the end; the protocol is measured elsewhere."""
    folder = array / "c" / str(position) / "0" / "0"
    folder.mkdir(parents=True)
    return Path(folder, "0").write_bytes(content)


def _picture(seed: int) -> Any:
    """A mask as people draw them: a few regions, some of them ragged."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    mask = np.zeros((1, SIDE, SIDE), np.uint16)
    for bit in range(4):
        y, x, radius = [int(one) for one in rng.integers((80, 80, 20), (430, 430, 120))]
        ragged = radius + rng.normal(0, 3, (SIDE, SIDE)) * (bit == 3)
        mask[0] |= ((np.hypot(rows - y, columns - x) < ragged) * (1 << bit)).astype(np.uint16)
    return mask


class Breaker:
    """Breaks a store in one way after the other, and knows what must be found."""

    def __init__(self, database: Database, ids: list[int], rng: random.Random) -> None:
        self.database = database
        self.store = Path(database.settings.segmentations_zarr_store)
        self.array = self.store / KEY.path
        self._fresh = list(enumerate(ids))
        rng.shuffle(self._fresh)
        self._rng = rng
        self.wanted: set[tuple[str, int]] = set()
        self._next_unknown = 10**6

    def take(self) -> tuple[int, int]:
        """Return the position and the id of a mask that is whole."""
        return self._fresh.pop()

    def _slot(self, position: int) -> Path:
        return self.array / "c" / str(position) / "0" / "0" / "0"

    def _want(self, kind: Kind, what: int) -> None:
        self.wanted.add((kind.name, what))

    def _rows(self, identity: int, **values: Any) -> Any:
        return update(segmentation).where(segmentation.c.segmentation_id == identity).values(values)

    def _slots(self, position: int, **values: Any) -> Any:
        return update(zarr_slot).where(zarr_slot.c.slot_index == position).values(values)

    def ways(self) -> list[Callable[[Any], None]]:
        """Return the ways in which a mask can be broken."""
        return [
            self._lose,
            self._flip,
            self._cut,
            self._zero,
            self._swap,
            self._replace,
            self._wrong_state,
            self._wrong_owner,
            self._nowhere,
            self._shared,
            self._owner_gone,
            self._unknown,
            self._matrix,
            self._scans,
            self._erase,
            self._shape_of_reference,
        ]

    def _lose(self, _connection: Any) -> None:
        position, identity = self.take()
        shutil.rmtree(self._slot(position).parents[2])
        self._want(Kind.PIXELS_LOST, identity)

    def _flip(self, _connection: Any) -> None:
        position, identity = self.take()
        content = bytearray(self._slot(position).read_bytes())
        content[self._rng.randrange(8, len(content) - 80)] ^= 1 << self._rng.randrange(8)
        self._slot(position).write_bytes(content)
        self._want(Kind.PIXELS_DAMAGED, identity)

    def _cut(self, _connection: Any) -> None:
        position, identity = self.take()
        content = self._slot(position).read_bytes()
        self._slot(position).write_bytes(content[: self._rng.randrange(len(content) // 2)])
        self._want(Kind.PIXELS_DAMAGED, identity)

    def _zero(self, _connection: Any) -> None:
        position, identity = self.take()
        content = bytearray(self._slot(position).read_bytes())
        content[100:300] = bytes(200)
        self._slot(position).write_bytes(content)
        self._want(Kind.PIXELS_DAMAGED, identity)

    def _swap(self, _connection: Any) -> None:
        (position, identity), (other, other_identity) = self.take(), self.take()
        mine, theirs = self._slot(position).read_bytes(), self._slot(other).read_bytes()
        self._slot(position).write_bytes(theirs)
        self._slot(other).write_bytes(mine)
        self._want(Kind.PIXELS_DAMAGED, identity)
        self._want(Kind.PIXELS_DAMAGED, other_identity)

    def _replace(self, _connection: Any) -> None:
        position, identity = self.take()
        pixels = _picture(self._rng.randrange(2**31))
        self._slot(position).write_bytes(Zstd(level=0).encode(pixels))
        self._want(Kind.PIXELS_REPLACED, identity)

    def _wrong_state(self, connection: Any) -> None:
        position, identity = self.take()
        state = self._rng.choice(["garbage", "reserved"])
        connection.execute(self._slots(position, state=state, since=int(time.time())))
        self._want(Kind.WRONG_STATE, identity)

    def _wrong_owner(self, connection: Any) -> None:
        position, identity = self.take()
        connection.execute(self._slots(position, segmentation_id=1))
        self._want(Kind.WRONG_OWNER, identity)

    def _nowhere(self, connection: Any) -> None:
        position, identity = self.take()
        connection.execute(self._rows(identity, zarr_array_index=5 * 10**6 + position))
        self._want(Kind.POINTS_NOWHERE, identity)
        self._want(Kind.OWNER_GONE, -position)

    def _shared(self, connection: Any) -> None:
        (position, identity), (other, other_identity) = self.take(), self.take()
        connection.execute(self._rows(other_identity, zarr_array_index=position))
        self._want(Kind.SHARED_POSITION, identity)
        self._want(Kind.SHARED_POSITION, other_identity)
        self._want(Kind.OWNER_GONE, -other)

    def _owner_gone(self, connection: Any) -> None:
        position, identity = self.take()
        connection.execute(segmentation.delete().where(segmentation.c.segmentation_id == identity))
        self._want(Kind.OWNER_GONE, -position)

    def _unknown(self, _connection: Any) -> None:
        self._next_unknown += 1
        self._slot(self._next_unknown).parent.mkdir(parents=True)
        self._slot(self._next_unknown).write_bytes(b"whose")
        self._want(Kind.UNKNOWN_FILE, -self._next_unknown)

    def _matrix(self, connection: Any) -> None:
        _, identity = self.take()
        matrix = [[1, 2, 0], [2, 4, 0], [0, 0, 1]]
        connection.execute(self._rows(identity, image_projection_matrix=matrix))
        self._want(Kind.GRID, identity)

    def _scans(self, connection: Any) -> None:
        _, identity = self.take()
        connection.execute(self._rows(identity, scan_indices=[0, self._rng.randrange(1, 99)]))
        self._want(Kind.GRID, identity)

    def _erase(self, _connection: Any) -> None:
        position, identity = self.take()
        self._slot(position).unlink()  # as zarr does where zeros are stored
        self._want(Kind.PIXELS_ERASED, identity)

    def _shape_of_reference(self, connection: Any) -> None:
        (_, one), (_, other) = self.take(), self.take()
        connection.execute(self._rows(one, reference_segmentation_id=other))
        connection.execute(self._rows(other, reference_segmentation_id=one))
        self._want(Kind.REFERENCE, one)
        self._want(Kind.REFERENCE, other)

    def metadata(self) -> None:
        """Shorten zarr.json: once, for all masks."""
        file = self.array / "zarr.json"
        document = json.loads(file.read_text())
        document["shape"][0] = 3
        file.write_text(json.dumps(document))
        self.wanted.add((Kind.METADATA_SHORT.name, 0))

    def images(self) -> None:
        """Lose the image file, and let its modality disagree."""
        with self.database.engine.begin() as connection:
            tag = connection.scalar(text("SELECT ModalityTag FROM Modality"))
            other = "OCT" if tag != "OCT" else "ColorFundus"
            connection.execute(update(image_instance).values(modality=other))
        for file in (self.database.settings.images_basepath / "images").iterdir():
            file.unlink()
        self.wanted |= {(Kind.IMAGE_MISSING.name, 1), (Kind.MODALITY.name, 1)}


def found_in(report: Report) -> set[tuple[str, int]]:
    """Return kind, and id or position (negative), of defects and of what others have replaced."""
    return {
        (one.kind.name, one.identity if one.identity is not None else -(one.position or 0))
        for one in report.findings
        if not one.is_note or one.kind is Kind.PIXELS_REPLACED
    }


def timed(database: Database, level: int, *titles: str) -> tuple[float, Report]:
    """Run the examinations of one level only; return the seconds."""
    checkup: Any = checkup_on(database, young_s=0)
    checkup._examinations = [
        one
        for one in checkup._examinations
        if one.level == level and (not titles or one.title in titles)
    ]
    started = time.perf_counter()
    report = checkup.run(3)
    return time.perf_counter() - started, report


def emptied_caches() -> bool:
    """Empty the caches of the file system, where that may be done."""
    try:
        os.sync()
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        return False
    return True


def run(kind: str, *, masks: int, defects: int, seed: int) -> dict[str, Any]:
    """Run the campaign on a fresh database; return the figures."""
    rng = random.Random(seed)
    url = campaign_url("doctor")
    with fresh_database(kind, url) as made, tempfile.TemporaryDirectory() as folder:
        settings = {"database_url": url, "secret_key": "benchmark"}
        if kind == "sqlite":
            settings["database_url"] = f"sqlite:///{made.settings.database_file}"
        for name in ("images_basepath", "segmentations_zarr_store", "thumbnails_path"):
            settings[name] = str(Path(folder, name))
        database = Database(settings)
        started = time.perf_counter()
        ids = build(database, masks, rng)
        figures: dict[str, Any] = {"seed": seed, "kind": kind, "masks": masks}
        figures["making them, s"] = round(time.perf_counter() - started, 1)
        figures |= _times(database, masks)
        breaker = Breaker(database, ids, rng)
        figures |= _break_and_find(database, breaker, defects)
        database.close()
        return figures


def _times(database: Database, masks: int) -> dict[str, Any]:
    first, clean = timed(database, 1)
    is_cold = emptied_caches()
    second, clean_2 = timed(database, 2)
    warm, _ = timed(database, 2)
    third, clean_3 = timed(database, 3)
    gigabytes = masks * SIDE * SIDE * 2 / 1e9
    false = [one for report in (clean, clean_2, clean_3) for one in report.defects]
    return {
        "level 1, s": round(first, 2),
        f"level 2 {'cold' if is_cold else 'warm'}, s": round(second, 2),
        "level 2 again, s": round(warm, 2),
        "level 3, s": round(third, 2),
        "level 3, GB/s of pixels": round(gigabytes / third, 2),
        "found before anything was broken": len(false),
    }


def _break_and_find(database: Database, breaker: Breaker, defects: int) -> dict[str, Any]:
    breaker.metadata()
    breaker.images()
    ways = breaker.ways()
    with database.engine.begin() as connection:
        while len(breaker.wanted) < defects:
            ways[len(breaker.wanted) % len(ways)](connection)
            breaker._rng.choice(ways)(connection)
    found = found_in(checkup_on(database, young_s=0).run(3))
    report = checkup_on(database, young_s=0).run(3, fix=True)
    failed = [one for one in report.repairs if one.done is None]
    after = checkup_on(database, young_s=0).run(3)
    unrepairable = {f.kind.name for f in after.defects if f.fix is None}
    return {
        "kinds": len({kind for kind, _ in breaker.wanted}),
        "seeded": len(breaker.wanted),
        "found": len(found & breaker.wanted),
        "missed": sorted(breaker.wanted - found)[:20],
        "false": sorted(found - breaker.wanted)[:20],
        "repairs": len(report.repairs),
        "repairs that failed": len(failed),
        "after --fix, could be repaired": sum(f.fix is not None for f in after.defects),
        "after --fix, needs a person": len(after.defects),
        "kinds of these": ", ".join(sorted(unrepairable)),
    }


def missed_bars(figures: dict[str, Any], *, full: bool) -> list[str]:
    """Return which bars were not reached."""
    missed = [
        name
        for name in (
            "missed",
            "false",
            "repairs that failed",
            "after --fix, could be repaired",
            "found before anything was broken",
        )
        if figures[name]
    ]
    if full:
        missed += [name for name, bar in BARS.items() if figures.get(name, 0) > bar]
        if figures["level 3, GB/s of pixels"] < PIXELS_GB_S:
            missed.append("level 3, GB/s of pixels")
    return missed


def main() -> int:
    """Run and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="100,000 masks, 1,000 defects")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--kind", choices=["sqlite", "mariadb"], default="mariadb")
    options = parser.parse_args()
    masks, defects = (100_000, 1000) if options.full else (1500, 200)
    figures = run(options.kind, masks=masks, defects=defects, seed=options.seed)
    for name, value in figures.items():
        print(f"{name:>34}: {value}")
    missed = missed_bars(figures, full=options.full)
    if missed:
        print(f"missed: {', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
