"""Who reads what, in which order, and what is read twice: drawn by a seed."""

from __future__ import annotations

import random
from collections import Counter, defaultdict

from attrs import frozen

from eyened_domain.services.task_making.plan import ReadingPlan


@frozen
class Reading:
    """One reading of one image set."""

    set_number: int
    """From 1, in the order of the sets."""
    reading: int
    """Which of the readings of the set, from 1."""
    grader: str | None
    """For whom it is reserved; None for whoever comes."""
    is_repeat: bool = False
    """Whether its grader reads the set for the second time."""


def allocate(sets: int, plan: ReadingPlan) -> list[Reading]:
    """Return all readings of so many image sets, in the order in which they are offered.

    Sets stay in their order. A repeat comes at a place that is drawn, with another reading of
    the same grader between it and the first one, where there is another.
    """
    draw = random.Random(plan.seed)  # noqa: S311 - it is to be the same again
    firsts = _first_readings(sets, plan, draw)
    placed = [(float(place), one) for place, one in enumerate(firsts)]
    placed += _repeats(firsts, plan, draw)
    placed.sort(key=lambda pair: (pair[0], pair[1].is_repeat))
    return [one for _, one in placed]


def _first_readings(sets: int, plan: ReadingPlan, draw: random.Random) -> list[Reading]:
    loads: Counter[str] = Counter()
    found = []
    for number in range(1, sets + 1):
        who: list[str | None] = [None] * plan.readings
        if plan.graders:
            by_load = sorted(plan.graders, key=lambda name: (loads[name], draw.random()))
            who[:] = by_load[: plan.readings]
            loads.update(by_load[: plan.readings])
        found += [Reading(number, reading, name) for reading, name in enumerate(who, 1)]
    return found


def _repeats(
    firsts: list[Reading], plan: ReadingPlan, draw: random.Random
) -> list[tuple[float, Reading]]:
    """Return what is read again, each with its place among the first readings."""
    lanes: defaultdict[str | int, list[int]] = defaultdict(list)
    for place, one in enumerate(firsts):
        lanes[one.grader or one.reading].append(place)
    found = []
    for lane in lanes.values():
        last = len(lane) - 1
        count = round(plan.repeats * len(lane)) or int(plan.repeats > 0)
        of = range(last) if count <= last else range(last + 1)  # nothing follows the last one
        for index in sorted(draw.sample(of, count)):
            after = draw.randint(min(index + 1, last), last)
            first = firsts[lane[index]]
            repeat = Reading(first.set_number, first.reading, first.grader, is_repeat=True)
            found.append((lane[after] + 0.5, repeat))
    return found
