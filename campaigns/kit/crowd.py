"""Processes that work at once and may be killed, and what they say that they have done."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import Factory, define

PATIENCE_S = 1800.0
_PRELOADED = [
    "__main__",
    "numpy.random",
    "pymysql",
    "zarr",
    "eyened_domain.adapters.database",
    "eyened_domain.adapters.sql.migrations.upgrade",
    "eyened_domain.adapters.pixels.zarr.slices",
    "eyened_domain.model.pixels.masks",
    "eyened_domain.testing",
    "campaigns.kit.mapped",
]


def context() -> Any:
    """Return how processes are begun: forked from a clean one that has loaded what they need.

    Nothing is open in that one: no engine, no store, no thread of a campaign.
    """
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(_PRELOADED)
    return found


class Journal:
    """What one worker has begun and done: a file that outlives the process (but not the machine).

    A line is `? target version` when a write begins, `! target version row` when its commit has
    returned, `r` for a unit that was rolled back, `x text` for an error.
    """

    def __init__(self, file: Path) -> None:
        self._descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def begin(self, target: int, version: int) -> None:
        """Note that a value is going to be written."""
        self._say(f"? {target} {version}")

    def done(self, target: int, version: int, row: int) -> None:
        """Note that a value is committed: from now on it must not be lost."""
        self._say(f"! {target} {version} {row}")

    def rolled_back(self) -> None:
        """Note that a unit was rolled back."""
        self._say("r")

    def error(self, error: BaseException) -> None:
        """Note an error that should not have been."""
        self._say(f"x {type(error).__name__}: {error}".replace("\n", " "))

    def _say(self, line: str) -> None:
        os.write(self._descriptor, f"{line}\n".encode())


@define
class Told:
    """What journals tell.

    Attributes:
        done: the last version of each target whose commit returned.
        begun: versions of each target that were begun after that.
        highest: the highest version of each target that was begun.
        rows: the row of each target.
        writes: how many commits returned.
        rollbacks: how many units were rolled back.
        errors: texts of errors.
    """

    done: dict[int, int] = Factory(dict)
    begun: defaultdict[int, set[int]] = Factory(lambda: defaultdict(set))
    highest: Counter[int] = Factory(Counter)
    rows: dict[int, int] = Factory(dict)
    writes: int = 0
    rollbacks: int = 0
    errors: list[str] = Factory(list)

    def read(self, file: Path) -> None:
        """Take in what one worker tells."""
        text = file.read_text() if file.exists() else ""
        for line in text.splitlines():
            self._take(line)

    def _take(self, line: str) -> None:
        kind, _, rest = line.partition(" ")
        if kind == "?":
            target, version = map(int, rest.split())
            self.begun[target].add(version)
            self.highest[target] = max(self.highest[target], version)
        elif kind == "!":
            target, version, row = map(int, rest.split())
            self.done[target], self.rows[target] = version, row
            self.begun[target] = set()
            self.writes += 1
        elif kind == "r":
            self.rollbacks += 1
        else:
            self.errors.append(rest)

    def allowed(self, target: int) -> set[int]:
        """Return the versions that a target may have now; 0 stands for none."""
        return {self.done.get(target, 0), *self.begun.get(target, ())}


def told(files: list[Path]) -> Told:
    """Return what the journals of several workers tell together."""
    result = Told()
    for file in files:
        result.read(file)
    return result


class Crowd:
    """Workers, each a process with a journal; a worker that is killed is begun anew.

    Args:
        work: what a worker does: called with its number, its journal's file and `arguments`.
            It does the rest of its share when it is begun again.
        workers: how many.
        folder: for the journals.
        arguments: more arguments of `work`.
    """

    def __init__(
        self, work: Callable[..., None], workers: int, folder: Path, *arguments: Any
    ) -> None:
        self._context = context()
        self._work, self._arguments = work, arguments
        self.files = [folder / f"journal {number}" for number in range(workers)]
        self.killed = 0
        self.failed = 0
        self._processes = [self._begin(number) for number in range(workers)]

    def _begin(self, number: int) -> Any:
        arguments = (number, self.files[number], *self._arguments)
        process = self._context.Process(target=self._work, args=arguments, daemon=True)
        process.start()
        return process

    def kill_some(self, kills: int, units: int, rng: random.Random) -> None:
        """Kill workers at random moments, spread over their work, until it was enough.

        Args:
            kills: how often.
            units: how many units all workers do together.
            rng: draws the moments and the victims.
        """
        while self.killed < kills and self.is_working():
            time.sleep(rng.uniform(0, 0.02))
            if self.killed <= kills * self.done() / (0.8 * units):  # the last ones in time
                self._kill(rng.randrange(len(self._processes)))

    def done(self) -> int:
        """Return how many units have been done so far."""
        texts = (file.read_bytes() for file in self.files if file.exists())
        return sum(text.count(b"\n!") + text.count(b"\nr") for text in texts)

    def is_working(self) -> bool:
        """Whether any worker is still at work."""
        return any(process.is_alive() for process in self._processes)

    def join(self) -> None:
        """Wait for all workers to end by themselves."""
        deadline = time.monotonic() + PATIENCE_S
        for process in self._processes:
            process.join(max(1.0, deadline - time.monotonic()))
            self.failed += process.exitcode != 0
            if process.is_alive():
                process.kill()

    def _kill(self, number: int) -> None:
        process = self._processes[number]
        if process.is_alive() and self.files[number].exists():
            process.kill()
            process.join()
            self.killed += 1
            self._processes[number] = self._begin(number)
