"""Pixels of volumes and of many masks, against plain zarr with one chunk a volume.

    python -m benchmarks.volumes [--database mariadb|sqlite|both] [--runs N] [--masks N]
                                 [--full] [--seed N] [--json]

Ours goes the way that users go: `write_data` and `read_data` in units of work, with rules,
checksums, commits, and everything on the disk before the commit. Plain zarr writes the same
chunk, and waits for the disk as well. Exit code 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import drawings
from benchmarks.plain_zarr import PlainZarr
from benchmarks.run import KINDS, as_json, as_table
from benchmarks.timing import Figure, ratio
from campaigns.kit.databases import fresh_database
from eyened_domain import Segmentation
from eyened_domain.adapters.database import Database
from eyened_domain.testing import Builder

Shape = tuple[int, int, int]
STATES: dict[str, Callable[..., Any]] = {
    "layers": drawings.layers,
    "intensities": drawings.intensities,
    "noise": drawings.noise,
}
MASK = (1, 1024, 1024)
ONE_CHUNK = "zarr, one chunk a volume"


def drawn(build: Builder, shape: Shape, representation: str = "Binary", **values: Any) -> Any:
    """Return a new segmentation of that shape on an image of that shape."""
    depth, height, width = shape
    feature = build.a_feature()
    if representation == "MultiClass":
        for _ in range(drawings.LAYERS):
            feature.add_subfeature(build.a_feature())
    given: dict[str, Any] = {
        "image_instance": build.an_image(nr_of_frames=depth, rows_y=height, columns_x=width),
        "creator": build.a_creator(),
        "feature": feature,
        "data_representation": representation,
        "data_type": "R8" if representation == "Probability" else "R8UI",
        "depth": depth,
        "height": height,
        "width": width,
        "sparse_axis": 0,
    }
    return Segmentation(**given | values)


def stored(database: Database, build: Builder, pixels: Any, representation: str) -> int:
    """Store a segmentation with pixels; return its id."""
    with database.unit_of_work() as uow:
        one = uow.segmentations.add(drawn(build, pixels.shape, representation))
        one.write_data(pixels)
        uow.commit()
        return int(one.segmentation_id)


def volume_figures(
    database: Database, build: Builder, state: str, pixels: Any, *, runs: int, folder: Path
) -> list[Figure]:
    """Read and write a volume and its B-scans."""
    representation = "MultiClass" if state == "layers" else "Probability"
    identity = stored(database, build, pixels, representation)
    plain = PlainZarr(folder / state, pixels.shape, "uint8", 1, checksum=False)
    plain.write(0, pixels)
    size = _size_figures(database, state, identity, plain)
    scans = [int(scan) for scan in np.linspace(0, len(pixels) - 1, 64)]
    turn = iter(range(10**9))

    def write(place: tuple[int, int] | None) -> Callable[[], None]:
        def work() -> None:
            scan = scans[next(turn) % len(scans)] if place else 0
            with database.unit_of_work() as uow:
                one = uow.segmentations.get(identity)
                if place:
                    one.write_data(pixels[scan], axis=0, slice_index=scan)
                else:
                    one.write_data(pixels)
                uow.commit()

        return work

    def plain_scan() -> None:
        scan = scans[next(turn) % len(scans)]
        plain.write_scan(0, scan, pixels[scan])

    with database.get_session() as session:
        one = Segmentation.by_id(session, identity)
        session.commit()

        def versus(name: str, ours: Any, limit: Any, goal: float | None, n: int) -> Figure:
            title = f"{state}: {name}"
            return ratio(title, ours, limit, limit_name=ONE_CHUNK, goal=goal, runs=n)

        return [
            versus(
                "read a B-scan",
                lambda: one.read_data(0, scans[next(turn) % len(scans)]),
                lambda: plain.read_scan(0, scans[next(turn) % len(scans)]),
                1 / 6,
                3 * runs,
            ),
            versus("read the volume", one.read_data, lambda: plain.read(0), 1.5, 2 * runs),
            versus("write a B-scan", write((0, 0)), plain_scan, 1 / 8, runs),
            versus("write the volume", write(None), lambda: plain.write(0, pixels), 1.5, runs),
            *size,
        ]


def mask_figures(
    database: Database, build: Builder, count: int, seed: int, folder: Path
) -> list[Figure]:
    """Write and read many masks: in a unit of work each, and in one for all."""
    rng = np.random.default_rng(seed)
    masks = [drawings.mask(rng, MASK) for _ in range(8)]
    plain = PlainZarr(folder / "masks", MASK, "uint8", 8 * count, checksum=True)
    turn = iter(range(8 * count))

    def plainly() -> None:
        for number in range(count):
            plain.write(next(turn), masks[number % 8])

    def prepared() -> list[int]:
        with database.unit_of_work() as uow:
            image = build.an_image(nr_of_frames=1, rows_y=MASK[1], columns_x=MASK[2])
            common: dict[str, Any] = {
                "image_instance": image,
                "creator": build.a_creator(),
                "feature": build.a_feature(),
            }
            made = [uow.segmentations.add(drawn(build, MASK, **common)) for _ in range(count)]
            uow.commit()
            return [one.segmentation_id for one in made]

    identities = prepared()

    def each() -> None:
        for number, identity in enumerate(identities):
            with database.unit_of_work() as uow:
                uow.segmentations.get(identity).write_data(masks[number % 8])
                uow.commit()

    def together() -> None:
        with database.unit_of_work() as uow:
            for number, one in enumerate(uow.segmentations.by_ids(identities)):
                one.write_data(masks[number % 8])
            uow.commit()

    def read() -> None:
        with database.get_session() as session:
            for number, one in enumerate(Segmentation.by_ids(session, identities)):
                if number == 0:
                    database.pixel_shelf.digests._kept.clear()
                one.read_data()

    limit: dict[str, Any] = {"limit_name": "plain zarr, same chunks, codecs and fsyncs"}
    name = f"{count} masks (1, 1024, 1024)"
    return [
        ratio(f"{name}: write, one unit", together, plainly, goal=1.5, runs=2, **limit),
        ratio(f"{name}: write, a unit each", each, plainly, goal=1.5, runs=2, **limit),
        ratio(
            f"{name}: read", read, lambda: [plain.read(n) for n in range(count)], goal=1.5,
            runs=3, **limit,
        ),
    ]  # fmt: skip


def _size_figures(database: Database, state: str, identity: int, plain: PlainZarr) -> list[Figure]:
    """Compare the bytes of the files: as long as they are, and as the disk counts them."""
    with database.get_session() as session:
        one = Segmentation.by_id(session, identity)
        root = Path(database.settings.segmentations_zarr_store)
        slot = root / one.group_name / one.array_name / "c" / str(one.zarr_array_index)
        ours, theirs = (slot / "0/0/0").stat(), plain.file(0).stat()
    # what cannot be compressed has nothing that could make room for the checksums
    return [
        Figure(
            name=f"{state}: {what}",
            value=mine / limit,
            goal=1.0,
            limit_name=f"{mine:,} / {limit:,} bytes",
        )
        for what, mine, limit in (
            ("length of the file", ours.st_size, theirs.st_size),
            ("blocks on the disk", ours.st_blocks * 512, theirs.st_blocks * 512),
        )
    ]


def measure(
    kind: str, *, shape: Shape = drawings.VOLUME, runs: int, masks: int, seed: int
) -> list[Figure]:
    """Measure all on one kind of database."""
    found: list[Figure] = []
    build = Builder()
    with tempfile.TemporaryDirectory() as folder, fresh_database(kind) as database:
        for state, draw in STATES.items():
            pixels = draw(np.random.default_rng(seed), shape)
            found += volume_figures(database, build, state, pixels, runs=runs, folder=Path(folder))
        if masks:
            found += mask_figures(database, build, masks, seed, Path(folder))
    return found


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", choices=(*KINDS, "both"), default="both")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--masks", type=int, default=50)
    parser.add_argument("--full", action="store_true", help="200 masks, 15 runs")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    runs, masks = (15, 200) if options.full else (options.runs, options.masks)
    print(f"seed {options.seed}", file=sys.stderr)
    kinds = KINDS if options.database == "both" else (options.database,)
    found = {kind: measure(kind, runs=runs, masks=masks, seed=options.seed) for kind in kinds}
    print(as_json(found) if options.json else as_table(found))
    return 0 if all(one.reached for some in found.values() for one in some) else 1


if __name__ == "__main__":
    sys.exit(main())
