"""Two units of work, step by step, in any order: each in a thread of its own, one at a time.

A unit is a function that calls `pause` between its steps. Where a step waits for a lock that
the other unit holds, the other goes on; that it waits is asked of the database, not guessed by
a clock.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations
from typing import Any, Protocol

from attrs import define, field, frozen
from sqlalchemy import Engine, create_engine, event, text

from eyened_domain.adapters.sql import sqlite_turns
from eyened_domain.errors import EyenedError

GIVE_UP_S = 60
"""After how long a step that neither ends nor waits is a hang."""
_LOOK_AGAIN_S = 0.02

Pause = Callable[[], None]
Run = Callable[[Pause], object]
"""A unit that is run whole: it calls what it is given between its steps."""


def orders(first: int, second: int) -> Iterator[tuple[int, ...]]:
    """Yield all orders in which so many steps of one and of another can follow each other."""
    for places in combinations(range(first + second), first):
        yield tuple(0 if place in places else 1 for place in range(first + second))


class Watcher(Protocol):
    """Tells how many of the units are waiting for a lock."""

    def waiting(self) -> int:
        """Return how many there are at this moment."""


class NobodyWaits:
    """Of a storage that lets nobody wait."""

    def waiting(self) -> int:
        """Return 0."""
        return 0


class ServerWatcher:
    """Asks a MariaDB or MySQL server which connections of an engine wait for a row.

    The tables in information_schema show what was so up to a tenth of a second ago. MariaDB
    tells it by SHOW ENGINE INNODB STATUS; there MySQL 9.7 leaves out who waits for the row that
    a foreign key refers to, and tells it in performance_schema.
    """

    def __init__(self, engine: Engine) -> None:
        self._threads: set[int] = set()
        self._engine = create_engine(engine.url, isolation_level="AUTOCOMMIT")
        self._asking = self._engine.connect()
        is_mariadb = "mariadb" in str(self._asking.scalar(text("SELECT VERSION()"))).lower()
        self._waiting = self._told_by_status if is_mariadb else self._told_by_schema
        event.listen(engine, "connect", self._note)
        engine.dispose()  # whose connections were not noted

    def _note(self, connection: Any, _record: Any) -> None:
        self._threads.add(connection.thread_id())

    def waiting(self) -> int:
        """Return how many connections wait."""
        return len(self._waiting() & self._threads)

    def _told_by_status(self) -> set[int]:
        status = str(self._asking.execute(text("SHOW ENGINE INNODB STATUS")).one()[2])
        _, _, transactions = status.partition("LIST OF TRANSACTIONS FOR EACH SESSION")
        waiting = [
            re.search(r"thread id (\d+)", one)
            for one in transactions.split("---TRANSACTION ")[1:]
            if re.search(r"^LOCK WAIT", one, re.MULTILINE)
        ]
        return {int(found[1]) for found in waiting if found is not None}

    def _told_by_schema(self) -> set[int]:
        asked = text(
            "SELECT t.PROCESSLIST_ID FROM performance_schema.data_lock_waits w "
            "JOIN performance_schema.threads t ON t.THREAD_ID = w.REQUESTING_THREAD_ID"
        )
        return {int(one) for one in self._asking.scalars(asked)}

    def close(self) -> None:
        """Close the connection that asks."""
        self._asking.close()
        self._engine.dispose()


class SqliteWatcher:
    """Counts the threads that stand in the queue of those who want to write."""

    def __init__(self) -> None:
        self._count = 0
        self._lock = threading.Lock()
        self._next_in = sqlite_turns._next_in
        sqlite_turns._next_in = self._noted

    @contextmanager
    def _noted(self, queue: str | None) -> Iterator[None]:
        self._add(1)
        try:
            with self._next_in(queue):
                yield
        finally:
            self._add(-1)

    def _add(self, number: int) -> None:
        with self._lock:
            self._count += number

    def waiting(self) -> int:
        """Return how many stand in the queue."""
        with self._lock:
            return self._count

    def close(self) -> None:
        """Count no more."""
        sqlite_turns._next_in = self._next_in


@define
class _Unit:
    """A unit in its thread."""

    run: Run
    steps: int = 0
    """How many it has begun."""
    goes: int = 0
    """How many it may begin."""
    is_over: bool = False
    outcome: str = "committed"
    error: BaseException | None = None


@frozen
class Outcome:
    """How two units have ended."""

    names: tuple[str, ...]
    """``committed``, or the class of the error of our tree."""
    errors: tuple[BaseException | None, ...]
    steps: tuple[int, ...]
    """How many each has taken."""
    waits: int
    """How many steps had to wait for the other unit."""


class Hang(Exception):
    """A step neither ended nor waited for a lock."""


@define
class Interleaving:
    """Lets units take their steps in a given order."""

    watcher: Watcher
    _units: list[_Unit] = field(factory=list)
    _changed: threading.Condition = field(factory=threading.Condition)
    _waits: int = 0

    def run(self, units: Sequence[Run], order: Sequence[int]) -> Outcome:
        """Run units to their end.

        A unit that is to take a step while an earlier one still waits takes it later, and what
        is left of a unit when the order is at its end is run then.

        Args:
            units: one, or two.
            order: which of them takes the next step.

        Raises:
            Hang: a step came to no end.
        """
        self._units = [_Unit(run) for run in units]
        threads = [
            threading.Thread(target=self._in_thread, args=(one,), daemon=True)
            for one in self._units
        ]
        for thread in threads:
            thread.start()
        for number in order:
            self._step(self._units[number])
        while not all(one.is_over for one in self._units):
            for one in self._units:
                self._step(one)
        for thread in threads:
            thread.join(GIVE_UP_S)
        return Outcome(
            tuple(one.outcome for one in self._units),
            tuple(one.error for one in self._units),
            tuple(one.steps for one in self._units),
            self._waits,
        )

    def _in_thread(self, unit: _Unit) -> None:
        try:
            self._pause(unit)
            unit.run(lambda: self._pause(unit))
        except EyenedError as error:
            unit.outcome, unit.error = type(error).__name__, error
        except BaseException as error:  # noqa: BLE001 - told by the campaign
            unit.outcome, unit.error = f"{type(error).__name__}!", error
        finally:
            with self._changed:
                unit.is_over = True
                self._changed.notify_all()

    def _pause(self, unit: _Unit) -> None:
        with self._changed:
            unit.steps += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: unit.goes >= unit.steps)

    def _step(self, unit: _Unit) -> None:
        """Let a unit take a step; come back when each unit is at rest, or waits for a lock."""
        if unit.is_over or self._is_under_way(unit):
            self._settle()
            return
        with self._changed:
            unit.goes += 1
            self._changed.notify_all()
        self._settle()
        self._waits += self._is_under_way(unit)

    def _is_under_way(self, unit: _Unit) -> bool:
        """Whether a unit has begun a step, and not ended it."""
        with self._changed:
            return not unit.is_over and unit.goes >= unit.steps

    def _settle(self) -> None:
        for _ in range(round(GIVE_UP_S / _LOOK_AGAIN_S)):
            with self._changed:
                self._changed.wait_for(lambda: not self._busy(), timeout=_LOOK_AGAIN_S)
                busy = self._busy()
            if busy <= (self.watcher.waiting() if busy else 0) and busy < len(self._units):
                return
        raise Hang(f"{[(one.steps, one.goes) for one in self._units]} after {GIVE_UP_S} s")

    def _busy(self) -> int:
        return sum(not one.is_over and one.goes >= one.steps for one in self._units)
