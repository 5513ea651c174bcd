"""Random programs on memory, SQLite and servers: their results and errors must be equal.

    python -m campaigns.differential [--programs N] [--seed N] [--server NAME=URL …] [--mutate]
    python -m campaigns.differential --program '[(4, 31401, 12019, 39124), …]'

Prints the seed, how it gets on, the differences by kind with a short program of each, and how
many programs were carried out; exit code 1 when there is a difference. With ``--program`` it
carries out one program, and prints what came of each step on each storage.
"""

from __future__ import annotations

import argparse
import ast
import gc
import random
import sys
import time
import warnings
from collections import Counter
from contextlib import ExitStack
from typing import Any

from sqlalchemy.exc import SAWarning

from campaigns.differential.comparing import at_step, carried_out, compare, shortened
from campaigns.differential.mutants import MUTANTS
from campaigns.differential.programs import Program, drawn
from campaigns.differential.storages import Memory, Storage, server, sqlite

TELL_EVERY_S = 10
WHOLE_EVERY = 100
"""After so many programs all garbage is collected."""


def main() -> int:
    """Run and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--programs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--server", action="append", default=[], metavar="NAME=URL")
    parser.add_argument("--no-sqlite", action="store_true")
    parser.add_argument("--mutate", action="store_true", help="break the adapters on purpose")
    parser.add_argument("--kinds", type=int, default=10, help="kinds of differences that are told")
    parser.add_argument("--differences", type=int, default=200, help="stop after so many")
    parser.add_argument("--program", type=ast.literal_eval, help="carry out this one, and print it")
    options = parser.parse_args()
    warnings.simplefilter("error", SAWarning)
    with ExitStack() as stack:
        storages: list[Storage] = [Memory()]
        if not options.no_sqlite:
            storages.append(stack.enter_context(sqlite()))
        for named in options.server:
            name, _, url = named.partition("=")
            storages.append(stack.enter_context(server(name, url)))
        if options.program is not None:
            return replayed(options.program, storages)
        print(f"seed {options.seed}", flush=True)
        for storage in storages:  # before anything is broken: the stock is kept
            for with_form in (True, False):
                storage.empty()
                storage.stock(with_form=with_form)
        if options.mutate:
            found = [found_after(mutant, storages, options) for mutant in MUTANTS]
            return int(not all(found))
        return int(bool(search(storages, options)))


def collect(number: int) -> None:
    """Collect garbage between programs, and in them where they say so, but at no other moment.

    What an adapter still knows of objects that nobody holds depends on it: so a program means
    the same each time. What stays, such as compiled statements, is looked through only once.
    """
    gc.disable()
    if number % WHOLE_EVERY == 0:
        gc.collect()
        gc.freeze()
    else:
        gc.collect(1)


def replayed(program: Program, storages: list[Storage]) -> int:
    """Carry out one program; print what came of each step, and what was found."""
    worlds = carried_out(program, storages)
    for step in range(max(len(world.outcomes) for world in worlds.values())):
        outcomes = at_step(worlds, step)
        first = next(iter(outcomes.values()))
        if all(outcome == first for outcome in outcomes.values()):
            print(f"{step}: {first}")
        else:
            print(*(f"{step}: {name}: {one}" for name, one in outcomes.items()), sep="\n")
    found = compare(program, storages)
    print("no difference that is not allowed" if found is None else f"found: {found.kind}")
    return int(found is not None)


def found_after(mutant: str, storages: list[Storage], options: argparse.Namespace) -> bool:
    """Break an adapter; print after how many programs that was found."""
    rng, undo = random.Random(options.seed), []

    def patch(owner: Any, name: str, value: Any) -> None:
        undo.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)

    MUTANTS[mutant](patch)
    try:
        for number in range(1, options.programs + 1):
            collect(number)
            if compare(drawn(rng), storages) is not None:
                print(f"{number:6} programs: {mutant}", flush=True)
                return True
    finally:
        for owner, name, value in undo:
            setattr(owner, name, value)
    print(f"  not in {options.programs}: {mutant}", flush=True)
    return False


def search(storages: list[Storage], options: argparse.Namespace) -> Counter[str]:
    """Carry out many programs; print what differs, and return how often by kind."""
    rng, kinds, clock = random.Random(options.seed), Counter[str](), Clock()
    for number in range(options.programs):
        clock.tell(number, kinds.total())
        collect(number)
        found = compare(drawn(rng), storages)
        if found is not None:
            kinds[found.kind] += 1
            if kinds[found.kind] == 1 and len(kinds) <= options.kinds:
                short = shortened(found, storages)
                print(f"\n--- {found.kind} (program {number})\n{short}", flush=True)
            if kinds.total() >= options.differences:
                break
    names = ", ".join(one.name for one in storages)
    print(f"\non {names}: {clock.told(number + 1, kinds.total())}; seed {options.seed}")
    for kind, count in kinds.most_common():
        print(f"{count:8} {kind}")
    return kinds


class Clock:
    """Tells how a run gets on, every ten seconds."""

    def __init__(self) -> None:
        self._started = self._last = time.monotonic()

    def tell(self, programs: int, differences: int) -> None:
        """Print how far it is, if that has not been printed for a while."""
        if time.monotonic() - self._last >= TELL_EVERY_S:
            self._last = time.monotonic()
            print(self.told(programs, differences), flush=True)

    def told(self, programs: int, differences: int) -> str:
        """Return how far it is."""
        took = time.monotonic() - self._started
        speed = programs / max(took, 1e-9)
        return f"{programs} programs in {took:.0f} s ({speed:.0f}/s), {differences} differ"


if __name__ == "__main__":
    sys.exit(main())
