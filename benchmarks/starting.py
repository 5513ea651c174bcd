"""How long it takes to import the package, to map all entities, and to show the help."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.timing import Figure

BARE = [sys.executable, "-c", "pass"]
IMPORT = [sys.executable, "-c", "import eyened_domain"]
MAPPING = [
    sys.executable,
    "-c",
    "import eyened_domain.adapters.sql.mapping",
]
SQLALCHEMY = [sys.executable, "-c", "import sqlalchemy.orm"]
"""The limit of what any mapping can start in."""
EORM = [str(Path(sys.executable).with_name("eorm")), "--help"]


def _milliseconds(commands: list[list[str]], runs: int) -> list[float]:
    """Return the median of each command; they are run in turns."""
    times: list[list[float]] = [[] for _ in commands]
    for run in range(runs + 1):
        for command, seconds in zip(commands, times, strict=True):
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            if run:
                seconds.append(time.perf_counter() - start)
    return [1000 * statistics.median(seconds) for seconds in times]


def figures(runs: int) -> list[Figure]:
    """Measure fresh interpreters, with their byte code on disk."""
    bare, package, alone, mapping, command = _milliseconds(
        [BARE, IMPORT, SQLALCHEMY, MAPPING, EORM], runs
    )
    return [
        _figure("import eyened_domain, more than a bare interpreter", package - bare, 80),
        _figure("import and mapping of all entities, more than bare", mapping - bare, 450),
        _figure("import sqlalchemy.orm alone, more than bare", alone - bare, None),
        _figure("eorm --help, as a whole", command, 200),
    ]


def _figure(name: str, milliseconds: float, goal: float | None) -> Figure:
    return Figure(name=name, ours=milliseconds / 1000, value=milliseconds, unit="ms", goal=goal)
