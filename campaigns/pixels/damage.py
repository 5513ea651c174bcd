"""Reliability R11: no damage to the file of a mask or a volume is read as pixels.

Files of masks (one frame), of volumes (a shard), of arrays that an older program made (one
frame a volume, and gzip), and an older program's own files whose checksum was taken, are
flipped, cut off, zeroed and swapped. All pixels and one B-scan are read then: they are what
was stored, or the damage is reported.

    python -m campaigns.pixels.damage [--full] [--seed N] [--database sqlite|mariadb]

Prints the seed and the figures; exit code 1 when changed pixels were read.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen
from sqlalchemy import insert, select

from campaigns.kit.databases import campaign_url, fresh_database
from campaigns.kit.segments import Drawer, Shape, pixels_of
from eyened_domain import Segmentation
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.pixels.zarr.adopted import token_of_adopted
from eyened_domain.adapters.pixels.zarr.manifest import digest_of
from eyened_domain.adapters.sql.schema.pixels import zarr_array, zarr_slot
from eyened_domain.errors import PixelsDamaged
from eyened_domain.testing import Builder

GROUP = "DataRepresentation.Binary"
KINDS: dict[str, Shape] = {
    "mask": (1, 256, 256),
    "volume": (6, 128, 160),
    "older array": (6, 128, 162),
    "gzip array": (3, 40, 50),
    "older file": (6, 128, 166),
}
EACH = 4
"""Segmentations of a kind."""
DAMAGES = ("flip", "truncate", "zero", "swap")
URL = campaign_url("damage")


@frozen
class Target:
    """A segmentation whose file is damaged."""

    kind: str
    identity: int
    number: int
    shape: Shape
    file: Path


def prepare(database: Database, seed: int) -> list[Target]:
    """Store segmentations of every kind."""
    _make_older_arrays(Path(database.settings.segmentations_zarr_store), seed)
    targets, build = [], Builder()
    for kind, shape in KINDS.items():
        drawer = Drawer(database, shape, build)
        for n in range(EACH):
            if kind == "older file":
                identity = _adopt(database, drawer, n)
            else:
                identity = drawer.store(database, seed + n)
            targets.append(_target(database, kind, identity, seed + n))
    return targets


def _make_older_arrays(store: Path, seed: int) -> None:
    import zarr
    from zarr.codecs import GzipCodec, ZstdCodec

    group = zarr.open_group(store, mode="w").create_group(GROUP)
    for kind, codec in (
        ("older array", ZstdCodec()),
        ("gzip array", GzipCodec(level=1)),
        ("older file", ZstdCodec()),
    ):
        shape = KINDS[kind]
        name = f"uint8_{'_'.join(map(str, shape))}.zarr"
        array = group.create_array(
            name=name, shape=(EACH, *shape), chunks=(1, *shape), dtype="uint8", compressors=codec
        )
        if kind == "older file":
            for n in range(EACH):
                array[n] = pixels_of(seed + n, shape)


def _adopt(database: Database, drawer: Drawer, position: int) -> int:
    """Let a row point to what an older program wrote, and take the checksum of the file."""
    with database.unit_of_work() as uow:
        one = uow.segmentations.add(drawer.new(zarr_array_index=position))
        uow.commit()
        identity = int(one.segmentation_id)
        file, array = _file(database, one), one.array_name
    with database.engine.begin() as connection:
        if position == 0:
            row = {"group_name": GROUP, "array_name": array, "next_index": EACH}
            connection.execute(insert(zarr_array), [row])
        asked = select(zarr_array.c.zarr_array_id).where(zarr_array.c.array_name == array)
        row = {
            "zarr_array_id": connection.scalar(asked),
            "slot_index": position,
            "state": "live",
            "token": token_of_adopted(file.stat().st_mtime_ns),
            "digest": digest_of(file.read_bytes()),
            "bytes": file.stat().st_size,
            "since": 0,
            "segmentation_id": identity,
        }
        connection.execute(insert(zarr_slot), [row])
    return identity


def _target(database: Database, kind: str, identity: int, number: int) -> Target:
    with database.get_session() as session:
        one = Segmentation.by_id(session, identity)
        return Target(kind, identity, number, one.shape, _file(database, one))


def _file(database: Database, one: Segmentation) -> Path:
    root = Path(database.settings.segmentations_zarr_store)
    return root / GROUP / one.array_name / "c" / str(one.zarr_array_index) / "0" / "0" / "0"


def damaged(how: str, content: bytes, other: bytes, rng: random.Random) -> bytes:
    """Return the content of a file after it was damaged."""
    if how == "swap":
        return other
    changed, at = bytearray(content), rng.randrange(len(content))
    if how == "flip":
        changed[at] ^= 1 << rng.randrange(8)
    elif how == "truncate":
        del changed[at:]
    else:
        end = min(len(content), at + rng.randint(1, 4096))
        changed[at:end] = bytes(end - at)
    return bytes(changed)


def run(kind: str, *, count: int, seed: int, url: str = URL) -> dict[str, Any]:
    """Damage files so many times, and read each; return what came of it."""
    rng, found = random.Random(seed), Counter[str]()
    with fresh_database(kind, url) as database:
        targets = prepare(database, seed)
        for n in range(count):
            target, how = rng.choice(targets), DAMAGES[n % len(DAMAGES)]
            others = [one for one in targets if one.kind == target.kind and one != target]
            content, status = target.file.read_bytes(), target.file.stat()
            changed = damaged(how, content, rng.choice(others).file.read_bytes(), rng)
            target.file.write_bytes(changed)
            _keep_time(target, status)
            if n % 2:  # every second time the checksums have to be asked for
                database.pixel_shelf.digests._kept.clear()
            scan = rng.randrange(target.shape[0])
            for place in ((), (0, scan)):
                outcome = "same bytes" if changed == content else read(database, target, place)
                found[f"{outcome} ({'B-scan' if place else 'whole'})"] += 1
                if outcome == "SILENT":
                    found[f"SILENT: {how} of {target.kind}"] += 1
            target.file.write_bytes(content)
            _keep_time(target, status)
        found["unharmed"] = sum(read(database, one, ()) == "harmless" for one in targets)
        found["files"] = len(targets)
    return {"seed": seed, "database": kind, "damaged": count, **found}


def _keep_time(target: Target, status: os.stat_result) -> None:
    """Leave the time of change as it was, as a disk does; a program that writes sets it anew."""
    os.utime(target.file, ns=(status.st_atime_ns, status.st_mtime_ns))


def read(database: Database, target: Target, place: tuple[int, ...]) -> str:
    """Read pixels of a damaged file; tell what came of it."""
    truth = pixels_of(target.number, target.shape)
    with database.get_session() as session:
        try:
            pixels = Segmentation.by_id(session, target.identity).read_data(*place)
        except PixelsDamaged:
            return "detected"
    return "harmless" if np.array_equal(pixels, truth[place[1]] if place else truth) else "SILENT"


def sound(figures: dict[str, Any]) -> bool:
    """Tell whether nothing wrong was read, and all was right again in the end."""
    silent = any(name.startswith("SILENT") for name in figures)
    enough = figures.get("detected (whole)", 0) > figures["damaged"] / 2
    return not silent and enough and figures["unharmed"] == figures["files"]


def main() -> int:
    """Run and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="2,000 times")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--database", choices=("sqlite", "mariadb"), default="sqlite")
    options = parser.parse_args()
    figures = run(options.database, count=2000 if options.full else 300, seed=options.seed)
    for name, value in figures.items():
        print(f"{name:>24}: {value}")
    return 0 if sound(figures) else 1


if __name__ == "__main__":
    sys.exit(main())
