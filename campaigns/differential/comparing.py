"""A program carried out on several storages, and the first difference between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen

from campaigns.differential.allowed import is_allowed
from campaigns.differential.programs import Program, written
from campaigns.differential.storages import Storage
from campaigns.differential.world import Outcome, World


@frozen
class Difference:
    """Where two storages differ.

    Attributes:
        program: what was carried out.
        step: the number of the outcome.
        before: the outcomes that were the same.
        outcomes: by storage.
    """

    program: Program
    step: int
    before: Sequence[Outcome]
    outcomes: dict[str, Any]

    @property
    def kind(self) -> str:
        """A short name for what differs."""
        told = []
        for outcome in self.outcomes.values():
            if outcome is None or len(outcome) < 3:
                told.append("nothing" if outcome is None else str(outcome[0]))
            else:
                told.append(" ".join(map(str, outcome)))
        return " | ".join(told)

    def _differing(self) -> dict[str, Any]:
        """Return the outcomes, without the classes of which the same is stored everywhere."""
        told = {name: one[1:] for name, one in self.outcomes.items() if one and one[0] == "stored"}
        if len(told) < len(self.outcomes):
            return self.outcomes
        first = next(iter(told.values()))[0]
        same = {kind for kind in first if all(one[kind] == first[kind] for (one,) in told.values())}
        return {
            name: {kind: rows for kind, rows in one.items() if kind not in same}
            for name, (one,) in told.items()
        }

    def __str__(self) -> str:
        lines = [f"{number}: {outcome}" for number, outcome in enumerate(self.before)]
        lines += [f"{self.step}: {name}: {told}" for name, told in self._differing().items()]
        return "\n".join([f"program {written(self.program)}", *lines])


def compare(program: Program, storages: Sequence[Storage]) -> Difference | None:
    """Carry a program out on each storage; return the first difference that is not allowed."""
    told = carried_out(program, storages)
    first = next(iter(told.values()))
    for step in range(max(map(len, told.values()))):
        outcomes = at_step(told, step)
        mine = next(iter(outcomes.values()))
        if any(outcome != mine for outcome in outcomes.values()):
            if is_allowed(outcomes):
                return None
            return Difference(program, step, first[:step], outcomes)
    return None


def carried_out(program: Program, storages: Sequence[Storage]) -> dict[str, list[Outcome]]:
    """Return what came of each step of a program, by storage."""
    told: dict[str, list[Outcome]] = {}
    for storage in storages:
        storage.empty()
        told[storage.name] = World(storage).carry_out(program)
    return told


def at_step(told: dict[str, list[Outcome]], step: int) -> dict[str, Any]:
    """Return the outcomes with a number, by storage; None where there are fewer."""
    return {name: outcome[step] if step < len(outcome) else None for name, outcome in told.items()}


def shortened(difference: Difference, storages: Sequence[Storage]) -> Difference:
    """Return a difference of the same kind of a shorter program, found by taking steps out."""
    best = difference
    again = True
    while again:
        again = False
        for number in range(len(best.program)):
            program = [*best.program[:number], *best.program[number + 1 :]]
            found = compare(program, storages)
            if found is not None and found.kind == difference.kind:
                best, again = found, True
                break
    return best
