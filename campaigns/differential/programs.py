"""Programs: lists of steps, each a few small numbers that any storage can make sense of.

A step names what it works on by numbers that are taken modulo what there is. So every list of
numbers is a program, and a shorter one is what is left when something was taken out of it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

Step = tuple[int, int, int, int]
"""The action, and three choices that it makes of it."""
Program = Sequence[Step]

WEIGHTS = {
    "new": 24,
    "add": 3,
    "set column": 10,
    "set link": 7,
    "set id": 4,
    "move by id": 4,
    "edit list": 8,
    "edit json": 4,
    "delete": 5,
    "flush": 6,
    "commit": 6,
    "rollback": 3,
    "savepoint": 4,
    "begin another unit": 3,
    "find": 14,
    "follow link": 8,
    "read": 4,
    "somebody else": 5,
    "both change": 3,
    "lock": 2,
    "delete above": 3,
    "trash": 4,
}
"""The actions, and how often they are drawn."""
ACTIONS = [name for name, weight in WEIGHTS.items() for _ in range(weight)]
FLUSH: Step = (ACTIONS.index("flush"), 0, 0, 0)
CHOICES = 2**16


def drawn(rng: random.Random, shortest: int = 4, longest: int = 14) -> list[Step]:
    """Draw a program."""
    return [
        (
            rng.randrange(len(ACTIONS)),
            rng.randrange(CHOICES),
            rng.randrange(CHOICES),
            rng.randrange(CHOICES),
        )
        for _ in range(rng.randint(shortest, longest))
    ]


def written(program: Program) -> str:
    """Return a program as it can be pasted into a test."""
    return "[" + ", ".join(str(step) for step in program) + "]"
