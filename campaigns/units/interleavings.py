"""Reliability R17: two units of work in every order of their steps end as one after the other.

Each pair of units that meet (claim and claim, write and write, delete and write …) is run in all
orders in which their steps can follow each other. What is there afterwards is what one of the
two serial orders leaves; or one of the units was refused with an error of our tree, has left
nothing, and the other has done its work. Then the same through `database.run`, which runs a unit
again that met with a conflict.

    python -m campaigns.units.interleavings [--full] [--database mariadb|sqlite|memory]
        [--seed N] [--server URL]

Without `--full`, some orders of each pair, chosen by the seed. Prints the seed and the figures;
exit code 1 when an outcome is that of no serial order.
"""

from __future__ import annotations

import os
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from attrs import define, field, frozen

from campaigns.kit.databases import campaign_url, fresh_database
from campaigns.kit.figures import Figures, command
from campaigns.kit.interleaving import (
    Hang,
    Interleaving,
    NobodyWaits,
    Outcome,
    Pause,
    Run,
    ServerWatcher,
    SqliteWatcher,
    Watcher,
    orders,
)
from campaigns.units.pairs import PAIRS, OnStorage, Pair, Work, World
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.memory import MemoryDatabase
from eyened_domain.errors import Conflict, Duplicate, NotFound, RuleBroken
from eyened_domain.testing import Builder

REFUSED = (Conflict, Duplicate, NotFound, RuleBroken)
"""How a unit may be refused because of the other."""
RETRIES = 5
MOST_ORDERS = 1000
"""Of a pair whose units take more than five steps."""
Storage = Database | MemoryDatabase


@frozen
class Size:
    """How many orders of each pair are run; None for all of them."""

    orders: int | None


SMALL, FULL = Size(6), Size(None)


class _GaveWay(Exception):
    """Ends a unit that is not to be run again."""


@define
class Meeting:
    """A pair of units on a storage."""

    pair: Pair
    storage: Storage
    watcher: Watcher
    build: Builder = field(factory=Builder)

    def run(self, units: Sequence[int], order: Sequence[int], *, retries: int = 0) -> Result:
        """Run some of the units on rows of their own.

        Args:
            units: which: 0, 1, or both.
            order: whose steps follow each other; see `Interleaving.run`.
            retries: how often a unit is run again when it met with a conflict.
        """
        made = partial(self.pair.make, build=self.build)
        world = self.storage.run(made, retries=RETRIES)  # positions in hand may be collected
        runs = [self._run_of(self.pair.works[one], world, retries) for one in units]
        outcome = Interleaving(self.watcher).run(runs, order)
        with self.storage.unit_of_work() as uow:
            return Result(outcome, repr(self.pair.tell(uow, world)))

    def _run_of(self, work: Work | OnStorage, world: World, retries: int) -> Run:
        if isinstance(work, OnStorage):
            return partial(work.work, self.storage, world)

        def run(pause: Pause) -> None:
            begun = 0

            def once(uow: Any) -> None:
                nonlocal begun
                begun += 1
                if begun > 1 and not retries:
                    raise _GaveWay
                work(uow, world, pause if begun == 1 else _on)

            try:
                self.storage.run(once, retries=max(retries, 1))
            except _GaveWay:
                raise Conflict("it was to be run again") from None

        return run


def _on() -> None:
    """Go on: a unit that is run again takes its steps at once."""


@frozen
class Result:
    """How the units have ended, and what is there afterwards."""

    outcome: Outcome
    state: str


@define
class Serial:
    """What the units do one after the other, and each alone."""

    after: dict[tuple[str, ...], set[str]] = field(factory=dict)
    """By the names of how they ended, what was there."""
    alone: list[str] = field(factory=list)
    steps: list[int] = field(factory=list)

    @classmethod
    def of(cls, meeting: Meeting) -> Serial:
        """Run the units so."""
        serial = cls()
        for number in (0, 1):
            result = meeting.run([number], [])
            if result.outcome.names != ("committed",):
                raise SystemExit(f"{meeting.pair.name}: alone, unit {number} ends {result}")
            serial.alone.append(result.state)
            serial.steps.append(result.outcome.steps[0])
        for order in ([0] * serial.steps[0], [1] * serial.steps[1]):
            result = meeting.run([0, 1], order)
            serial.after.setdefault(result.outcome.names, set()).add(result.state)
        return serial

    def fault(self, result: Result) -> str | None:
        """Return what is wrong with how two units have ended; None where nothing is."""
        names, errors = result.outcome.names, result.outcome.errors
        if result.state in self.after.get(names, ()):
            return None
        done = [number for number, error in enumerate(errors) if error is None]
        strange = [error for error in errors if error and not isinstance(error, REFUSED)]
        if strange:
            return f"{strange[0]!r}"
        if len(done) == 1:
            left = "" if result.state == self.alone[done[0]] else f", and left {result.state}"
            return f"{names}{left}" if left else None
        return f"{names}, and left {result.state}"

    def could_go_on(self, result: Result) -> bool:
        """Whether a unit met with a conflict that it meets with in no serial order."""
        conflicts = any(isinstance(one, Conflict) for one in result.outcome.errors)
        return conflicts and result.outcome.names not in self.after


def run(kind: str, size: Size, seed: int, server: str = "") -> Figures:
    """Run the campaign.

    Args:
        kind: ``mariadb``, ``sqlite`` or ``memory``.
        size: how many orders of each pair.
        seed: which ones.
        server: URL of another server.
    """
    figures, rng = Figures(), random.Random(seed)
    faults: list[str] = []
    ends: Counter[str] = Counter()
    with _opened(kind, server) as (storage, watcher):
        for pair in PAIRS:
            if kind == "memory" and pair.needs_files:
                continue
            counts = _meet(Meeting(pair, storage, watcher), size, rng, faults)
            ends.update(counts)
            told = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
            figures.tell(pair.name, told)
    figures.tell("orders", ends["orders"])
    figures.zero("of no serial order", len(faults))
    figures.quote(faults, most=10)
    return figures


def _meet(meeting: Meeting, size: Size, rng: random.Random, faults: list[str]) -> Counter[str]:
    """Run a pair in its orders; return how they ended."""
    serial = Serial.of(meeting)
    chosen = list(orders(*serial.steps))
    most = MOST_ORDERS if size.orders is None else size.orders
    if len(chosen) > most:
        chosen = rng.sample(chosen, most)
    counts: Counter[str] = Counter()
    for order in chosen:
        for retries in (0, RETRIES):
            try:
                result = meeting.run([0, 1], order, retries=retries)
            except Hang as hang:
                raise SystemExit(f"{meeting.pair.name} {order}: hangs, {hang}") from hang
            fault = serial.fault(result)
            if retries and fault is None and serial.could_go_on(result):
                fault = f"not done after {RETRIES} times: {result.outcome.errors}"
            if fault is not None:
                faults.append(f"{meeting.pair.name} {''.join(map(str, order))}: {fault}")
            counts["waits"] += result.outcome.waits
            counts.update(name for name in result.outcome.names if name != "committed")
            counts["orders"] += 1
    return counts


@contextmanager
def _opened(kind: str, server: str) -> Iterator[tuple[Storage, Watcher]]:
    if kind == "memory":
        yield MemoryDatabase(), NobodyWaits()
        return
    own = f"interleavings_{os.getpid()}"  # tests of several processes run it at once
    url = f"{server.rstrip('/')}/test_campaign_{own}" if server else campaign_url(own)
    with fresh_database(kind, url) as database:
        watcher = SqliteWatcher() if kind == "sqlite" else ServerWatcher(database.engine)
        try:
            yield database, watcher
        finally:
            watcher.close()


main = partial(
    command,
    "Two units of work in every order of their steps",
    run,
    small=SMALL,
    full=FULL,
    databases=("mariadb", "sqlite", "memory"),
)

if __name__ == "__main__":
    sys.exit(main())
