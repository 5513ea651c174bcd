"""How a task is to be read: by whom, how often, until when; its own configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from attrs import field, frozen

from eyened_domain.errors import BadInput
from eyened_domain.model.names import fold
from eyened_domain.model.values import Refused, Text, kind_of, shown

LEASE = timedelta(seconds=90)
"""How long a subtask that was claimed stays with its grader, unless the lease is renewed."""
_SHORTEST = timedelta(seconds=1)
_LONGEST = timedelta(days=365)
Names = tuple[str, ...]


def _names(given: Iterable[str]) -> Names:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise _refused("graders", f"a list of names is needed, not {kind_of(given)}")
    names: list[str] = []
    for name in given:
        try:
            names.append(Text(45).convert(name))
        except Refused as refused:
            raise _refused("graders", f"{shown(name)}: {refused}") from None
    if len({fold(name) for name in names}) < len(names):
        raise _refused("graders", "the same name stands there twice")
    return tuple(names)


def _groups(given: Mapping[str, Iterable[str]]) -> dict[str, Names]:
    if not isinstance(given, Mapping):
        raise _refused("groups", f"lists of names by group are needed, not {kind_of(given)}")
    return {str(group): _names(names) for group, names in given.items()}


@frozen(kw_only=True)
class ReadingPlan:
    """How the image sets of a task are read; kept in the task's own configuration.

    Raises:
        BadInput: something of it cannot be meant, or does not go together.
    """

    readings: int = 1
    """By how many graders each set is read; none of them sees what the others do."""
    repeats: float = 0.0
    """The share, from 0 to 1, of the readings that their graders do once more, later on."""
    seed: int = 0
    """What is left to chance is drawn by it: the same seed, the same task."""
    graders: Names = field(default=(), converter=_names)
    """Who reads, by name: each reading is reserved for one of them, the same number for all."""
    groups: Mapping[str, Names] = field(factory=dict, converter=_groups)
    """Who may read, by group: any of the one group, or for each reading any of its own group."""
    due: date | None = None
    lease: timedelta = LEASE
    """How long a claimed subtask stays with its grader, unless the lease is renewed."""

    def __attrs_post_init__(self) -> None:
        _check_numbers(self)
        _check_people(self)

    @property
    def is_plain(self) -> bool:
        """Whether whoever comes next may take what is next: there is nothing to be blind to."""
        return self.readings == 1 and not self.repeats and not self.groups

    def readings_of(self, name: str) -> frozenset[int] | None:
        """Return which readings somebody may do; None for all."""
        if not self.groups:
            return None
        is_in = [any(fold(one) == fold(name) for one in names) for names in self.groups.values()]
        if len(is_in) == 1:
            return None if is_in[0] else frozenset()
        return frozenset(number for number, member in enumerate(is_in, 1) if member)

    def to_json(self) -> dict[str, Any]:
        """Return it as the configuration of a task holds it."""
        return {
            "readings": self.readings,
            "repeats": self.repeats,
            "seed": self.seed,
            "graders": list(self.graders),
            "groups": {group: list(names) for group, names in self.groups.items()},
            "due": None if self.due is None else self.due.isoformat(),
            "lease_s": int(self.lease.total_seconds()),
        }

    @classmethod
    def of_json(cls, configuration: Any) -> ReadingPlan:
        """Return the plan of a configuration; the usual one of None.

        Raises:
            BadInput: somebody else has written it, and it means nothing.
        """
        if configuration is None:
            return _USUAL
        if not isinstance(configuration, Mapping):
            raise _refused("configuration", f"{shown(configuration)} is no object")
        said = {key: value for key, value in configuration.items() if key in _KEYS}
        due, lease_s = said.pop("due", None), said.pop("lease_s", None)
        try:
            return cls(
                due=None if due is None else date.fromisoformat(due),
                lease=LEASE if lease_s is None else timedelta(seconds=lease_s),
                **said,
            )
        except (TypeError, ValueError) as error:
            if isinstance(error, BadInput):
                raise
            raise _refused("configuration", f"{shown(configuration)}: {error}") from error


_KEYS = frozenset(("readings", "repeats", "seed", "graders", "groups", "due", "lease_s"))


def _check_numbers(plan: ReadingPlan) -> None:
    for name in ("readings", "seed"):
        if type(getattr(plan, name)) is not int:
            raise _refused(name, f"a whole number, not {shown(getattr(plan, name))}")
    if not 1 <= plan.readings <= 100:
        raise _refused("readings", f"1 to 100, not {plan.readings}")
    if type(plan.repeats) not in (int, float) or not 0 <= plan.repeats <= 1:
        raise _refused("repeats", f"a share from 0 to 1, not {shown(plan.repeats)}")
    if plan.due is not None and type(plan.due) is not date:
        raise _refused("due", f"a date, not {shown(plan.due)}")
    if not isinstance(plan.lease, timedelta) or not _SHORTEST <= plan.lease <= _LONGEST:
        raise _refused("lease", f"a timedelta of {_SHORTEST.seconds} s or more, not {plan.lease}")


def _check_people(plan: ReadingPlan) -> None:
    if plan.graders and plan.groups:
        raise _refused("groups", "readings are for graders by name, or for groups; not both")
    if plan.graders and len(plan.graders) < plan.readings:
        raise _refused("graders", f"{len(plan.graders)} cannot read each set {plan.readings} times")
    if not plan.groups:
        return
    if len(plan.groups) not in (1, plan.readings):
        raise _refused(
            "groups",
            f"{len(plan.groups)} groups for {plan.readings} readings; give one for all, or one "
            "for each",
        )
    fewest = plan.readings if len(plan.groups) == 1 else 1
    for group, names in plan.groups.items():
        if len(names) < fewest:
            raise _refused("groups", f"{shown(group)} has {len(names)} of {fewest} graders")


def _refused(name: str, why: str) -> BadInput:
    return BadInput(f"ReadingPlan.{name}: {why}", entity="Task", field=name)


_USUAL = ReadingPlan()
