"""Prints every speed claim beside its limit.

    python -m benchmarks [--database mariadb|sqlite|both] [--images 20000] [--json]

Exit code 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import attrs

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import importing, lookups, loop, reading, starting
from benchmarks.dataset import fill
from benchmarks.timing import Figure
from campaigns.kit.databases import fresh_database

KINDS = ("mariadb", "sqlite")


def measure(kind: str, images: int, runs: int) -> list[Figure]:
    """Measure everything that asks a database."""
    with fresh_database(kind) as database:
        size = fill(database.engine, images)
        found = loop.figures(database, size, runs)
        found += lookups.figures(database, size, runs)
        found += reading.figures(database, size, runs)
    return found + importing.figures(kind, images, runs)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", choices=(*KINDS, "both"), default="both")
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=5, help="runs of each, in turns (median)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    kinds = KINDS if options.database == "both" else (options.database,)
    found = {"starting": starting.figures(max(5, options.runs))}
    found |= {kind: measure(kind, options.images, options.runs) for kind in kinds}
    print(as_json(found) if options.json else as_table(found))
    return 0 if all(one.reached for some in found.values() for one in some) else 1


def as_json(found: dict[str, list[Figure]]) -> str:
    """Write the figures for a program."""
    plain = {
        kind: [{**attrs.asdict(one), "reached": one.reached} for one in some]
        for kind, some in found.items()
    }
    return json.dumps(plain, indent=2)


def as_table(found: dict[str, list[Figure]]) -> str:
    """Write the figures for people."""
    lines = []
    for kind, some in found.items():
        lines += ["", kind, "-" * 118]
        lines += [_line(one) for one in some]
    return "\n".join(lines)


def _line(one: Figure) -> str:
    digits = 2 if one.unit == "x" or (one.unit == "ms" and one.value < 100) else 0
    value = f"{one.value:,.{digits}f} {one.unit}"
    goal = "" if one.goal is None else f"goal {one.goal:.3g}"
    mark = "" if one.goal is None else "ok" if one.reached else "MISSED"
    times = "" if one.limit is None or one.ours is None else f"{one.ours:.3f} s / {one.limit:.3f} s"
    return f"{one.name:<56} {times:>19} {value:>14} {goal:>9} {mark:<7}{one.limit_name}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
