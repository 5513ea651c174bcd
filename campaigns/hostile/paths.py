"""Reliability S1: no path, and no swap of a path, opens a file outside IMAGES_BASEPATH.

Three attacks on a folder with a secret beside it: classic payloads, generated paths,
and a second process that swaps folders and files for symbolic links while they are
opened. An attack has succeeded when an open file is not one of those inside.

    python -m campaigns.hostile.paths [--full] [--seed N]

Prints the seed and the figures; exit code 1 on any failure.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections import Counter
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from eyened_domain.adapters.files.image_files import FileSystemImageFiles
from eyened_domain.adapters.files.openat2 import openat2_works
from eyened_domain.adapters.files.paths import RootFolder
from eyened_domain.errors import BadInput, FileMissing

INSIDE, OUTSIDE = 10, 13  # the sizes in pixels of the images inside and outside
PARTS = (
    "..", ".", "", "a", "b", "in.png", "link.png", "folder", "up", "loop", "secret", "x.png",
    "proc", "self", "root", "etc", "passwd", "~", "%2e%2e", "..%2f", "..\\", "\0", "\n", "．．",
    "..;", "....", "[png_series_1]", "[png_series_1]..", "x", "in", "C:", "file:",
)  # fmt: skip


def payloads(base: Path, secret: Path) -> list[str]:
    """Give the 30 classic payloads."""
    outside = f"{secret}/x_0.png"
    return [
        "../secret/x_0.png", "a/../../secret/x_0.png", outside, f"/{outside}", "/etc/passwd",
        "..\\secret\\x_0.png", "%2e%2e/secret/x_0.png", "..%2fsecret/x_0.png",
        "....//secret/x_0.png",
        "..;/secret/x_0.png", "in.png\0/../../secret/x_0.png", "../secret/x_0.png\0.png",
        "．．/secret/x_0.png", "\u2024\u2024/secret/x_0.png", "link.png", "folder/x_0.png",
        "up/secret/x_0.png", "a/proc/root/etc/passwd", "loop", "~/x_0.png", "~root/.profile",
        f"{base}/../secret/x_0.png", f"{base}x/../secret/x_0.png", f"file://{outside}",
        "[png_series_1]../secret/x.png", f"[png_series_1]{secret}/x.png",
        "[png_series_1]folder/x.png",
        "a/./.././../secret/x_0.png", "C:\\secret\\x_0.png", "/proc/self/root" + outside,
    ]  # fmt: skip


def build(folder: Path) -> tuple[Path, Path]:
    """Make the base folder, with links that lead out of it, and the secret one."""
    from PIL import Image

    base, secret = folder / "base", folder / "secret"
    (base / "a" / "b").mkdir(parents=True)
    (base / "swapped").mkdir()
    secret.mkdir()
    for path in ("in.png", "a/in.png", "a/b/in.png", "swapped/x_0.png", "a/in_0.png"):
        Image.new("L", (INSIDE, INSIDE)).save(base / path)
    for name in ("x.png", "x_0.png", "in.png"):
        Image.new("L", (OUTSIDE, OUTSIDE)).save(secret / name)
    (base / "link.png").symlink_to(secret / "x.png")
    (base / "folder").symlink_to(secret)
    (base / "up").symlink_to("..")
    (base / "loop").symlink_to("loop")
    (base / "a" / "proc").symlink_to("/proc/self")
    return base, secret


def identities(folder: Path) -> set[tuple[int, int]]:
    found = (path.lstat() for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {(status.st_dev, status.st_ino) for status in found}


class Attack:
    """Opens paths in every way there is, and counts what comes of it."""

    def __init__(self, base: Path, *, use_openat2: bool) -> None:
        self.root = RootFolder(base, use_openat2=use_openat2)
        self.files = FileSystemImageFiles(base)
        self.inside = identities(base)
        self.outcomes: Counter[str] = Counter()

    def open(self, path: str) -> None:
        """Open through the folder, then through the image files."""
        try:
            descriptor = self.root.open(path)
        except (BadInput, FileMissing):
            self.outcomes["refused"] += 1
        else:
            status = os.fstat(descriptor)
            os.close(descriptor)
            inside = (status.st_dev, status.st_ino) in self.inside
            self.outcomes["inside" if inside else "OUTSIDE"] += 1
        try:
            rows = self.files.read_header(path).rows_y
        except (BadInput, FileMissing):
            self.outcomes["header refused"] += 1
        else:
            self.outcomes["header inside" if rows == INSIDE else "OUTSIDE"] += 1
        try:
            rows = len(self.files.read_pixels(path, frame=0))
        except (BadInput, FileMissing):
            self.outcomes["pixels refused"] += 1
        else:
            self.outcomes["pixels inside" if rows == INSIDE else "OUTSIDE"] += 1


def generated(random_: random.Random) -> str:
    """Make a path out of parts that lead up, out, round and nowhere."""
    if random_.random() < 0.3:  # a good path with a bad part in it
        parts = random_.choice(("in.png", "a/in.png", "a/b/in.png")).split("/")
        parts.insert(random_.randint(0, len(parts)), random_.choice(PARTS))
    else:
        parts = random_.choices(PARTS, k=random_.randint(1, 9))
    return random_.choice(("", "", "", "/", "//", "./")) + "/".join(parts)


def swap(base: str, secret: str, stop: Synchronized[int], swaps: Synchronized[int]) -> None:
    """Swap a folder, and a file, for links that lead out, until told to stop."""
    os.chdir(base)
    # os functions, not pathlib: every microsecond counts in a race.
    while not stop.value:
        os.rename("swapped", "away")  # noqa: PTH104
        os.symlink(secret, "swapped")  # noqa: PTH211
        os.unlink("swapped")  # noqa: PTH108
        os.rename("away", "swapped")  # noqa: PTH104
        os.symlink(f"{secret}/in.png", "new")  # noqa: PTH211
        os.rename("new", "in.png")  # noqa: PTH104
        os.link("a/in.png", "new")
        os.rename("new", "in.png")  # noqa: PTH104
        swaps.value += 2


def naive_leaks(base: Path, path: str) -> int:
    """Check, then open: what this campaign must be able to catch."""
    try:
        if not os.path.realpath(base / path).startswith(f"{base}/"):
            return 0
        return int((base / path).read_bytes()[19] == OUTSIDE)
    except OSError:
        return 0


def race(base: Path, secret: Path, wanted: int, *, use_openat2: bool) -> tuple[Counter[str], int]:
    """Open while another process swaps; gives the outcomes, and the leaks of a naive check."""
    attack = Attack(base, use_openat2=use_openat2)
    context = multiprocessing.get_context("spawn")
    stop, swaps = context.Value("i", 0), context.Value("i", 0)
    other = context.Process(target=swap, args=(str(base), str(secret), stop, swaps))
    other.start()
    leaks = 0
    deadline = time.monotonic() + 120
    try:
        while swaps.value < wanted and time.monotonic() < deadline:
            for path in ("swapped/x_0.png", "in.png", "[png_series_1]swapped/x.png"):
                attack.open(path)
                leaks += naive_leaks(base, path)
    finally:
        stop.value = 1
        other.join(10)
    attack.outcomes["swaps"] = swaps.value
    return attack.outcomes, leaks


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="100,000 paths and 10,000 swaps")
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    paths, swaps = (100_000, 10_000) if options.full else (2_000, 500)
    print(f"S1 paths: seed {seed}")
    ways = [True, False] if openat2_works() else [False]
    outside, vacuous = 0, False
    with tempfile.TemporaryDirectory() as folder:
        base, secret = build(Path(folder).resolve())
        for use_openat2 in ways:
            name = "openat2" if use_openat2 else "by component"
            attack = Attack(base, use_openat2=use_openat2)
            for path in payloads(base, secret):
                attack.open(path)
            random_ = random.Random(seed)
            for _ in range(paths):
                attack.open(generated(random_))
            print(f"  {name}: 30 payloads, {paths:,} generated: {dict(attack.outcomes)}")
            raced, leaks = race(base, secret, swaps, use_openat2=use_openat2)
            print(f"  {name}: swaps: {dict(raced)}; check-then-open leaks {leaks} times")
            outside += attack.outcomes["OUTSIDE"] + raced["OUTSIDE"]
            vacuous |= not (raced["inside"] and raced["refused"] and raced["swaps"] >= swaps)
            vacuous |= not attack.outcomes["inside"]
    print(f"result: {outside} opens outside")
    if vacuous:
        print("the campaign was vacuous: nothing opened, nothing refused, or too few swaps")
    return int(outside > 0 or vacuous)


if __name__ == "__main__":
    sys.exit(main())
