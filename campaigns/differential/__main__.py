"""Random programs on memory, SQLite and servers: their results and errors must be equal.

    python -m campaigns.differential [--programs N] [--seed N] [--server NAME=URL …] [--mutate]

Prints the seed, the differences by kind with a short program of each, and how many programs
were carried out; exit code 1 when there is a difference.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from contextlib import ExitStack
from typing import Any

from campaigns.differential.comparing import compare, shortened
from campaigns.differential.mutants import MUTANTS
from campaigns.differential.programs import drawn
from campaigns.differential.storages import Memory, Storage, server, sqlite


def main() -> int:
    """Run and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--programs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--server", action="append", default=[], metavar="NAME=URL")
    parser.add_argument("--no-sqlite", action="store_true")
    parser.add_argument("--mutate", action="store_true", help="break the adapters on purpose")
    parser.add_argument("--kinds", type=int, default=10, help="kinds of differences that are told")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with ExitStack() as stack:
        storages: list[Storage] = [Memory()]
        if not options.no_sqlite:
            storages.append(stack.enter_context(sqlite()))
        for named in options.server:
            name, _, url = named.partition("=")
            storages.append(stack.enter_context(server(name, url)))
        if options.mutate:
            return int(not all(found_after(storages, options) for options.mutant in MUTANTS))
        kinds = search(storages, options.programs, options.seed, options.kinds)
    return int(bool(kinds))


def found_after(storages: list[Storage], options: argparse.Namespace) -> bool:
    """Break an adapter; print after how many programs that was found."""
    rng, undo = random.Random(options.seed), []

    def patch(owner: Any, name: str, value: Any) -> None:
        undo.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)

    MUTANTS[options.mutant](patch)
    try:
        for number in range(1, options.programs + 1):
            if compare(drawn(rng), storages) is not None:
                print(f"{number:6} programs: {options.mutant}", flush=True)
                return True
    finally:
        for owner, name, value in undo:
            setattr(owner, name, value)
    print(f"  not in {options.programs}: {options.mutant}", flush=True)
    return False


def search(storages: list[Storage], programs: int, seed: int, most: int) -> Counter[str]:
    """Carry out many programs; print what differs, and return how often by kind."""
    rng, kinds, started = random.Random(seed), Counter[str](), time.monotonic()
    for number in range(programs):
        found = compare(drawn(rng), storages)
        if found is not None:
            kind = found.kind
            kinds[kind] += 1
            if kinds[kind] == 1 and len(kinds) <= most:
                print(f"\n--- {kind} (program {number})\n{shortened(found, storages)}", flush=True)
    took = time.monotonic() - started
    names = ", ".join(one.name for one in storages)
    print(f"\n{programs} programs on {names}: {kinds.total()} differ; {programs / took:.0f}/s")
    for kind, count in kinds.most_common():
        print(f"{count:8} {kind}")
    return kinds


if __name__ == "__main__":
    sys.exit(main())
