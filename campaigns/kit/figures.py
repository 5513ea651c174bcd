"""What a campaign found: figures, the bars that they must reach, and the command around them."""

from __future__ import annotations

import argparse
import os
import random
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

S = TypeVar("S")


class Figures:
    """Figures by name, in the order in which they were told, and those that missed their bar."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = {}
        self.missed: list[str] = []

    def __repr__(self) -> str:
        return f"Figures(missed={self.missed}, {self.told})"

    def tell(self, name: str, value: object) -> None:
        """Note a figure without a bar."""
        self.told[name] = value

    def zero(self, name: str, count: int) -> None:
        """Note a count that must be 0."""
        self.told[name] = count
        if count:
            self.missed.append(name)

    def zeros(self, counts: dict[str, int]) -> None:
        """Note counts all of which must be 0."""
        for name, count in counts.items():
            self.zero(name, count)

    def at_least(self, name: str, value: float, bar: float) -> None:
        """Note a figure that must reach a bar."""
        digits = 0 if bar >= 10 else 2
        self.told[name] = f"{value:,.{digits}f} (at least {bar:,.{digits}f})"
        if value < bar:
            self.missed.append(name)

    def at_most(self, name: str, value: float, bar: float) -> None:
        """Note a figure that must not pass a bar."""
        self.told[name] = f"{value:,.1f} (at most {bar:,.0f})"
        if value > bar:
            self.missed.append(name)

    def quote(self, texts: list[str], most: int = 3) -> None:
        """Note the first of some texts of errors."""
        for number, text in enumerate(texts[:most], 1):
            self.told[f"error {number} of {len(texts)}"] = text

    @property
    def sound(self) -> bool:
        """Whether no figure missed its bar."""
        return not self.missed

    def show(self) -> None:
        """Print a line for each figure, and which missed its bar."""
        width = max(map(len, self.told), default=0)
        for name, value in self.told.items():
            mark = "  MISSED" if name in self.missed else ""
            print(f"  {name:>{width}}: {value}{mark}")


def command(
    description: str,
    run: Callable[..., Figures],
    *,
    small: S,
    full: S,
    databases: Sequence[str] = ("mariadb", "sqlite"),
    arguments: list[str] | None = None,
) -> int:
    """Run a campaign as its command line says; print seed, load and figures.

    Args:
        description: what the campaign is about, one line.
        run: the campaign: called with the kind of database, a size and a seed, and with
            `server` where another server was asked for.
        small: its size by default.
        full: its size with `--full`.
        databases: the kinds that it can run on, the usual one first.
        arguments: the command line; None for the one of this process.

    Returns:
        the exit code: 1 when a figure missed its bar.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--full", action="store_true", help=f"{full}")
    parser.add_argument("--database", choices=databases, default=databases[0])
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--server", help="URL of a server, instead of MariaDB on 127.0.0.1:3306")
    options = parser.parse_args(arguments)
    seed = random.SystemRandom().randrange(2**31) if options.seed is None else options.seed
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(
        f"{description}\n  seed {seed}; {options.server or options.database}; load before: {load}",
        flush=True,
    )
    elsewhere = {"server": options.server} if options.server else {}
    figures = run(options.database, full if options.full else small, seed, **elsewhere)
    figures.show()
    print(f"result: {'; '.join(figures.missed) or 'all figures reached'}")
    return int(not figures.sound)
