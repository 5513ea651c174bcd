"""The ids that an entry in the trash holds: as runs in the row, as sets to work with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from eyened_domain.services.row_shapes import runs_of

Ids = dict[str, set[int]]
"""Ids, by the names of entities."""


def ids_of(contents: Mapping[str, Iterable[Sequence[int]]]) -> Ids:
    """Return the ids in runs."""
    return {
        name: {one for first, last in runs for one in range(first, last + 1)}
        for name, runs in contents.items()
    }


def split_last(
    runs: Sequence[Sequence[int]], most: int | None
) -> tuple[list[int], list[list[int]]]:
    """Return the last ids in runs, so many at the most, and the runs without them."""
    left = [list(run) for run in runs]
    taken: list[int] = []
    while left and (most is None or len(taken) < most):
        first, last = left.pop()
        start = first if most is None else max(first, last - (most - len(taken)) + 1)
        taken += range(last, start - 1, -1)
        if start > first:
            left.append([first, start - 1])
    return taken, left


def contents_of(ids: Mapping[str, Iterable[int]]) -> dict[str, list[list[int]]]:
    """Return ids as runs; what has none is not in it."""
    runs = {name: [list(run) for run in runs_of(some)] for name, some in ids.items()}
    return {name: some for name, some in runs.items() if some}


def without(ids: Mapping[str, set[int]], others: Iterable[Mapping[str, set[int]]]) -> Ids:
    """Return ids that are in none of the others."""
    left = {name: set(some) for name, some in ids.items()}
    for one in others:
        for name in left.keys() & one.keys():
            left[name] -= one[name]
    return left
