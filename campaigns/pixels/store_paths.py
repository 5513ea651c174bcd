"""Reliability S1 for the store of pixels: nothing outside it is opened or written.

Names of models, which become names of zarr groups, try to lead out of the store. Then a
second process swaps folders and files of the store for links that lead out, while masks are
read, written and collected: once where the kernel has openat2, once where it has not. Beside
the store lies a copy of it, with other pixels: reading those, or changing anything there, is a
success of the attack.

    python -m campaigns.pixels.store_paths [--full] [--seed N]

Prints the seed and the figures; exit code 1 on any failure.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from eyened_domain.adapters.files import durable
from eyened_domain.adapters.files.openat2 import openat2_works
from eyened_domain.adapters.pixels.zarr import slices
from eyened_domain.adapters.pixels.zarr.files import SlotFiles, SlotGone
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.pixels.zarr.slot_file import Stamp, StoredSlot
from eyened_domain.errors import EyenedError
from eyened_domain.model import SegmentationModel

PARTS = (
    "..", ".", "", "/", "\\", "\0", "\n", "\x1b[2J", "\x85", "\u2028", "．．", "\u2024\u2024",
    "%2e%2e", "%2f", "~", "a", "zarr.json", "uint8_1_8_8.zarr", "c", "secret", "x" * 250, "é" * 130,
    "\u202e", "C:", "file:", "model_", "DataRepresentation.Binary", " ", ".partial", "\ud800",
)  # fmt: skip
PAYLOADS = (
    "../secret", "/etc", "..", ".", "a/../../secret", "a/b", "..\\secret", "\\", "a\0b", "\0",
    "%2e%2e/secret", "．．/secret", "zarr.json", "uint8_1_8_8.zarr", "c", "c/0/0/0/0", "\n", "a\tb",
    "x" * 256, "é" * 128, "", " ", "a ", "~/x", "a.", "\x7f", "\u2028", "con", ".partial", "\ud800",
)  # fmt: skip
GROUP = "DataRepresentation.Binary"
KEY = ArrayKey(GROUP, "uint8", (1, 8, 8))
INSIDE, OUTSIDE = np.ones(KEY.shape, np.uint8), np.full(KEY.shape, 7, np.uint8)
SWAPPED = (GROUP, KEY.name, "c", "0", "0", "0", "0")
"""The way from the store to the file of the slot at position 0: each of it is swapped."""
READ = 0
Tree = dict[str, tuple[bytes, int, int]]


def put(files: SlotFiles, key: ArrayKey, position: int, pixels: Any) -> None:
    """Write a slot of an array, which is made when it is not there."""
    files.prepare(key)
    stamp = Stamp(position, "0" * 32)
    files.put(key, position, slices.content(files, key, pixels, None, base=None, stamp=stamp))


def build(folder: Path) -> tuple[Path, Path]:
    """Make a store, and a copy of it outside with other pixels."""
    for name, pixels in (("store", INSIDE), ("secret", OUTSIDE)):
        files = SlotFiles(folder / name, durable=False)
        files.make_root()
        put(files, KEY, READ, pixels)
    return folder / "store", folder / "secret"


def tree(folder: Path) -> Tree:
    """Return all that is in a folder: content and identity of the files."""
    found: Tree = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[str(path.relative_to(folder))] = (content, status.st_ino, status.st_mtime_ns)
    return found


def name_a_group(files: SlotFiles, name: str, version: str, outcomes: Counter[str]) -> None:
    """Write and read pixels of a model of that name, if there can be one."""
    try:
        model = SegmentationModel(model_name=name, version=version)
        model.check_rules()
        key = ArrayKey(model.group_name, "uint8", KEY.shape)
    except EyenedError:
        outcomes["names refused"] += 1
        key = ArrayKey(f"model_{name}_{version}", "uint8", KEY.shape)  # the store itself is asked
        try:
            put(files, key, 0, INSIDE)
        except (EyenedError, SlotGone, UnicodeEncodeError):
            outcomes["refused by the store"] += 1
        except FileExistsError:
            outcomes["written inside"] += 1
        else:
            outcomes["written inside"] += 1
        return
    with contextlib.suppress(EyenedError):  # there is one of that name already
        put(files, key, 0, INSIDE)
    read = slices.read(files, key, StoredSlot(0, None), None)
    outcomes["names accepted" if np.array_equal(read, INSIDE) else "OUTSIDE"] += 1


def generated(rng: random.Random) -> str:
    """Make a name out of parts that lead up, out and nowhere."""
    return "".join(rng.choices(PARTS, k=rng.randint(1, 5)))


def names(folder: Path, count: int, rng: random.Random) -> Counter[str]:
    """Try names of models: the classic ones as name and as version, and generated ones."""
    store, _ = build(folder)
    files, outcomes = SlotFiles(store, durable=False), Counter[str]()
    outside = tree_of_all(folder, but=store)
    pairs = [(one, "1") for one in PAYLOADS] + [("m", one) for one in PAYLOADS]
    pairs += [(generated(rng), generated(rng)) for _ in range(count)]
    for number, (name, version) in enumerate(pairs):
        name_a_group(files, name, version, outcomes)
        files._codecs.clear()
        files._prepared.clear()
        if number % 200 == 0:
            outcomes["OUTSIDE"] += tree_of_all(folder, but=store) != outside
    outcomes["OUTSIDE"] += tree_of_all(folder, but=store) != outside
    outcomes["OUTSIDE"] += sum(path.is_symlink() for path in store.rglob("*"))
    return outcomes


def tree_of_all(folder: Path, *, but: Path) -> Tree:
    """Return all that is in a folder, except in one that is in it."""
    return {
        f"{one.name}/{path}": found
        for one in folder.iterdir()
        if one != but
        for path, found in tree(one).items()
    } | {one.name: (b"", one.lstat().st_ino, 0) for one in folder.iterdir()}


def swap(store: str, secret: str, stop: Synchronized[int], swaps: Synchronized[int]) -> None:
    """Swap what lies on the way to a slot for links that lead out, until told to stop."""
    ways = [os.path.join(*SWAPPED[: n + 1]) for n in range(len(SWAPPED))]  # noqa: PTH118
    os.chdir(store)
    while not stop.value:
        for way in ways:
            # the store takes things away meanwhile, and makes them anew
            with contextlib.suppress(OSError):
                os.rename(way, "away")  # noqa: PTH104
                try:
                    os.symlink(f"{secret}/{way}", way)  # noqa: PTH211
                    os.unlink(way)  # noqa: PTH108
                finally:
                    _put_back(way)
                swaps.value += 1


def _put_back(way: str) -> None:
    while True:
        try:
            os.rename("away", way)  # noqa: PTH104
        except OSError:  # the store has made it anew meanwhile
            shutil.rmtree(way, ignore_errors=True)
        else:
            return


def race(folder: Path, wanted: int) -> Counter[str]:
    """Read, write and remove slots while another process swaps what leads to them."""
    store, secret = build(folder)
    outside, outcomes = tree(secret), Counter[str]()
    fork = multiprocessing.get_context("fork")
    stop, swaps = fork.Value("i", 0), fork.Value("i", 0)
    other = fork.Process(target=swap, args=(str(store), str(secret), stop, swaps))
    other.start()
    deadline = time.monotonic() + 120
    files, position = SlotFiles(store, durable=False), 0
    try:
        while swaps.value < wanted and time.monotonic() < deadline:
            position += 1
            _attempt(files, position, outcomes)
            outcomes["naive leaks"] += _naive_leaks(store)
    finally:
        stop.value = 1
        other.join(10)
    outcomes["swaps"] = swaps.value
    outcomes["OUTSIDE"] += tree(secret) != outside
    return outcomes


def _attempt(files: SlotFiles, position: int, outcomes: Counter[str]) -> None:
    files._codecs.clear()
    files._prepared.clear()
    refusals = (EyenedError, SlotGone, FileExistsError)
    try:
        pixels = slices.read(files, KEY, StoredSlot(READ, None), None)
        outcomes["read inside" if np.array_equal(pixels, INSIDE) else "OUTSIDE"] += 1
    except refusals:
        outcomes["reading refused"] += 1
    try:
        put(files, KEY, position, INSIDE)
        outcomes["written inside"] += 1
        files.grow(KEY, position + 1)
        files.remove(KEY, position)
        outcomes["removed inside"] += 1
    except refusals:
        outcomes["writing refused"] += 1


def _naive_leaks(store: Path) -> int:
    """Read the slot as plain code would; return whether that led out of the store."""
    try:
        return int((store / Path(*SWAPPED)).resolve(strict=True).is_relative_to(store) is False)
    except OSError:
        return 0


def run(*, count: int, swaps: int, seed: int) -> dict[str, Any]:
    """Run both attacks."""
    with tempfile.TemporaryDirectory() as folder:
        named = Path(folder).resolve() / "names"
        named.mkdir()
        tried = names(named, count, random.Random(seed))
        shutil.rmtree(named)
        raced = Counter[str]()
        ways = (True, False) if openat2_works() else (False,)
        for way in ways:
            place = Path(folder).resolve() / f"race {way}"
            place.mkdir()
            with mock.patch(f"{durable.__name__}.openat2_works", lambda way=way: way):
                raced += race(place, -(-swaps // len(ways)))
        return {"seed": seed, "wanted": swaps, "names": tried, "race": raced}


def sound(figures: dict[str, Any]) -> bool:
    """Tell whether nothing outside was reached, and the attacks were real ones."""
    tried, raced = figures["names"], figures["race"]
    real = tried["names accepted"] and tried["names refused"] and tried["refused by the store"]
    real = real and raced["swaps"] >= figures["wanted"] and raced["naive leaks"]
    real = real and raced["read inside"] and raced["reading refused"] and raced["written inside"]
    return not (tried["OUTSIDE"] or raced["OUTSIDE"]) and bool(real)


def main() -> int:
    """Run and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="100,000 names and 10,000 swaps")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    options = parser.parse_args()
    count, swaps = (100_000, 10_000) if options.full else (300, 2_000)
    figures = run(count=count, swaps=swaps, seed=options.seed)
    print(f"seed {figures['seed']}")
    for name in ("names", "race"):
        print(f"{name}: {dict(figures[name])}")
    print(f"outside: {figures['names']['OUTSIDE'] + figures['race']['OUTSIDE']}")
    return 0 if sound(figures) else 1


if __name__ == "__main__":
    sys.exit(main())
