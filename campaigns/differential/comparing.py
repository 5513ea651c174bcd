"""A program carried out on several storages, and the first difference between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen

from campaigns.differential.allowed import LOADED_ALONG, TWO_FAULTS, Told, allowed_as
from campaigns.differential.programs import FLUSH, Program, written
from campaigns.differential.storages import Storage
from campaigns.differential.world import OF_TWO, Outcome, World


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
    """Carry a program out on each storage; return the first difference that is not allowed.

    Where a storage has stored what had changed and another not yet, since that one had loaded a
    link along with others, the program goes on with a flush at that step.
    """
    worlds = carried_out(program, storages)
    before: dict[str, str] = {}
    for step in range(max(len(world.outcomes) for world in worlds.values())):
        outcomes = at_step(worlds, step)
        mine = next(iter(outcomes.values()))
        if mine is not None and mine[0] in ENDS:
            before = {}
        if all(outcome == mine for outcome in outcomes.values()):
            continue
        waits = _first_to_wait(program, worlds, step)
        has_read = _has_read(worlds, step)
        told = Told(outcomes, _faults(worlds, step), before, waits is not None, has_read)
        reason = allowed_as(told)
        if reason is None:
            first = next(iter(worlds.values())).outcomes[:step]
            return Difference(program, step, first, outcomes)
        if reason is TWO_FAULTS:
            before = told.errors
        elif waits is not None and reason is LOADED_ALONG:
            return compare([*program[:waits], FLUSH, *program[waits:]], storages)
    return None


ENDS = {"rollback", "begin another unit"}
"""Steps after which an error is forgotten."""


def _first_to_wait(program: Program, worlds: dict[str, World], last: int) -> int | None:
    """Return the first step at which one had loaded a link and another not, without a flush."""
    several = list(worlds.values())
    for step in range(last + 1):
        number = several[0].steps.get(step, 0)
        is_flushed = number > 0 and program[number - 1] == FLUSH
        if not is_flushed and len({world.loaded.get(step) for world in several}) > 1:
            return number
    return None


def _has_read(worlds: dict[str, World], last: int) -> bool:
    """Whether one had to ask for a link and another not, after somebody else has changed rows."""
    several = list(worlds.values())
    others = [step for step in range(last) if several[0].outcomes[step][0] in OF_TWO]
    return bool(others) and any(
        len({world.loaded.get(step) for world in several}) > 1 for step in range(others[0], last)
    )


def _faults(worlds: dict[str, World], step: int) -> frozenset[str]:
    found = (world.faults.get(step, frozenset()) for world in worlds.values())
    return frozenset().union(*found)


def carried_out(program: Program, storages: Sequence[Storage]) -> dict[str, World]:
    """Carry a program out on each storage; return what came of it."""
    worlds = {}
    for storage in storages:
        storage.empty()
        worlds[storage.name] = World(storage)
        worlds[storage.name].carry_out(program)
    return worlds


def at_step(worlds: dict[str, World], step: int) -> dict[str, Any]:
    """Return the outcomes with a number, by storage; None where there are fewer."""
    return {
        name: world.outcomes[step] if step < len(world.outcomes) else None
        for name, world in worlds.items()
    }


def shortened(difference: Difference, storages: Sequence[Storage]) -> Difference:
    """Return a difference of the same kind of a shorter program, found by taking steps out."""
    best = difference
    again = True
    while again:
        again = False
        for number in range(len(best.program)):
            program = [*best.program[:number], *best.program[number + 1 :]]
            found = compare(program, storages)
            is_shorter = found is not None and len(found.program) < len(best.program)
            if found is not None and is_shorter and found.kind == difference.kind:
                best, again = found, True
                break
    return best
