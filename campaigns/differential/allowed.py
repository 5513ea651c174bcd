"""The differences between storages that are allowed, and why: the one list of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen


@frozen
class Told:
    """What the storages told of one step.

    Attributes:
        outcomes: by storage.
        faults: the kinds of all that was wrong with what the step was to store in memory.
        before: the kind of error, by storage, of two faults that have ended the unit.
        waits: that one storage had to ask for a link in this step or before, and so stored what
            had changed, while another had loaded it along.
        has_read: that one had to ask for a link, with nothing to be stored, and another did not.
    """

    outcomes: dict[str, Any]
    faults: frozenset[str]
    before: dict[str, str]
    waits: bool
    has_read: bool = False

    @property
    def errors(self) -> dict[str, str]:
        """The kinds of the errors by storage; empty unless each has told one."""
        outcomes = self.outcomes.values()
        if any(one is None or one[1:2] != ("error",) for one in outcomes):
            return {}
        return {name: one[2] for name, one in self.outcomes.items()}


@frozen
class Allowed:
    """A difference that is allowed.

    Attributes:
        name: a short name.
        why: what differs, and why that is left so.
        fits: whether it is just this that differs.
    """

    name: str
    why: str
    fits: Callable[[Told], bool]


def _are_two_faults(told: Told) -> bool:
    kinds = set(told.errors.values())
    is_told_again = bool(kinds) and told.errors == told.before
    return is_told_again or (len(kinds) == 2 and kinds <= told.faults)


def _are_values(told: Told) -> bool:
    """Whether it is columns of objects in hand that differ, and the objects are the same."""
    outcomes = list(told.outcomes.values())
    if any(one is None or one[0] not in {"in hand", "read"} or len(one) > 2 for one in outcomes):
        return False
    return len({len(one[1]) for one in outcomes if one is not None and one[1]}) == 1


TWO_FAULTS = Allowed(
    "two faults in one flush",
    "A flush ends at the first fault that it finds. Rules come first and missing values "
    "second, everywhere; which of several keys that are there already and links that lead "
    "nowhere is told is up to the database.",
    _are_two_faults,
)
LOADED_ALONG = Allowed(
    "loaded along with a sibling's",
    "A link that is not loaded is asked for, and what has changed is stored before that. A "
    "database loads the same link of all siblings in one statement, and asks again for an object "
    "that nobody holds any more; in memory each is looked up when it is followed, and all are "
    "kept. So one may store what has changed at a link where the other does not; with a flush "
    "before it there is no difference. Until an id that was set is stored, a link that is loaded "
    "leads where it led, and one that is not leads where the id says. What was read for a link "
    "is as it is now; what was not read is as it was in the earlier transaction. What was deleted "
    "by set hangs on what is held as well; what nobody holds is known in memory only.",
    lambda told: told.waits or (told.has_read and _are_values(told)),
)
NOT_READ = Allowed(
    "not read after an error or a rollback",
    "In memory an object holds what is committed as soon as a unit is rolled back. On a "
    "database it is read when it is asked for; when the unit ends before that, it holds what "
    "it held before the transaction. After a failed flush that was not rolled back, objects "
    "hold in memory what was to be stored, on a database what was stored before.",
    lambda told: all(
        one is not None and one[0] == "in hand after an error or rollback" and one[1] != "error"
        for one in told.outcomes.values()  # they stay readable
    ),
)
ALLOWED = [TWO_FAULTS, LOADED_ALONG, NOT_READ]


def allowed_as(told: Told) -> Allowed | None:
    """Return what allows a difference; None if nothing does."""
    return next((one for one in ALLOWED if one.fits(told)), None)
