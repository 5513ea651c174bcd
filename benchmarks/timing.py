"""Timing in pairs: ours and the limit, in turns, so that a busy machine slows both."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from attrs import frozen
from sqlalchemy import Engine, event


@frozen(kw_only=True)
class Figure:
    """One line of the table.

    Attributes:
        name: what was done.
        ours: seconds, the median of the runs.
        limit: seconds of the limit; None where the goal is a figure of its own.
        limit_name: what the limit is.
        goal: the most that `value` may be; None for information only.
        unit: of value and goal: ``x`` (ours / limit), ``ms`` or ``statements``.
        value: what is compared with the goal.
    """

    name: str
    ours: float | None = None
    limit: float | None = None
    limit_name: str = ""
    value: float
    unit: str = "x"
    goal: float | None = None

    @property
    def reached(self) -> bool:
        """Whether the goal is reached."""
        return self.goal is None or self.value <= self.goal


def ratio(
    name: str,
    ours: Callable[[], Any],
    limit: Callable[[], Any],
    *,
    limit_name: str,
    goal: float | None,
    runs: int = 5,
    before: Callable[[], Any] = lambda: None,
) -> Figure:
    """Run both in turns, after one run each that is not counted; compare the medians.

    What is to be done `before` each run is not counted either.
    """
    times: dict[Callable[[], Any], list[float]] = {ours: [], limit: []}
    for run in range(runs + 1):
        for work in (ours, limit) if run % 2 else (limit, ours):
            before()
            seconds = seconds_of(work)
            if run:
                times[work].append(seconds)
    ours_s, limit_s = statistics.median(times[ours]), statistics.median(times[limit])
    return Figure(
        name=name,
        ours=ours_s,
        limit=limit_s,
        limit_name=limit_name,
        value=ours_s / limit_s,
        goal=goal,
    )


def seconds_of(work: Callable[[], Any]) -> float:
    """Return how long the work takes, in seconds; garbage of before is collected first."""
    gc.collect()
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    del result
    return seconds


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """Collect the statements that are sent while the block runs."""
    sent: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)
