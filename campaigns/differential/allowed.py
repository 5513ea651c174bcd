"""The differences between storages that are allowed, and why: the one list of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen


@frozen
class Allowed:
    """A difference that is allowed.

    Attributes:
        name: a short name.
        why: what differs, and why that is left so.
        fits: whether outcomes by storage differ in just this.
    """

    name: str
    why: str
    fits: Callable[[dict[str, Any]], bool]


FAULTS = {"BadInput", "Duplicate", "RuleBroken"}
"""What a flush may find in what is to be stored."""


def _are_two_faults(outcomes: dict[str, Any]) -> bool:
    told = list(outcomes.values())
    return all(o is not None and o[1:2] == ("error",) and o[2] in FAULTS for o in told)


FOLLOWED = {"follow link", "edit list"}
"""Steps that ask the storage only where a link is not loaded yet."""


def _was_loaded_along(outcomes: dict[str, Any]) -> bool:
    told = list(outcomes.values())
    return (
        all(o is not None and o[0] in FOLLOWED for o in told)
        and told[0][1:2] == ("error",)
        and told[0][2] in FAULTS | {"RowChanged"}
        and all(o[1:2] != ("error",) for o in told[1:])
    )


ALLOWED: list[Allowed] = [
    Allowed(
        "two faults in one flush",
        "A flush ends at the first fault that it finds. Rules come first and missing values "
        "second, everywhere; which of several keys that are there already and links that lead "
        "nowhere is told is up to the database.",
        _are_two_faults,
    ),
    Allowed(
        "loaded along with a sibling's",
        "A link that is not loaded is asked for, and what has changed is stored before that. A "
        "database loads the same link of all siblings in one statement; when theirs is followed "
        "later, nothing is asked or stored, and an error is told by the next step that does. In "
        "memory each is looked up when it is followed.",
        _was_loaded_along,
    ),
    Allowed(
        "not read after an error or a rollback",
        "In memory an object holds what is committed as soon as a unit is rolled back. On a "
        "database it is read when it is asked for; when the unit ends before that, it holds what "
        "it held before the transaction. After a failed flush that was not rolled back, objects "
        "hold in memory what was to be stored, on a database what was stored before.",
        lambda outcomes: all(
            o is not None
            and o[0] == "in hand after an error or rollback"
            and o[1] != "error"  # they stay readable
            for o in outcomes.values()
        ),
    ),
]


def is_allowed(outcomes: dict[str, Any]) -> bool:
    """Whether a difference is one that is allowed."""
    return any(one.fits(outcomes) for one in ALLOWED)
