"""All that is wrong with what a flush in memory was to store, not only what it has told.

A database may tell another one of them: see `allowed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from eyened_domain.adapters.memory import constraints, flushing
from eyened_domain.errors import Duplicate, EyenedError, RuleBroken


class Faults:
    """Notes what is wrong with what the last flush in memory was to store."""

    def __init__(self) -> None:
        self.last: frozenset[str] = frozenset()
        """The kinds of its errors."""

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Note the faults of flushes within the block."""
        self.last, write = frozenset(), flushing._write

        def watching(objects: Any, touched: Any) -> Any:
            mark = objects.view.mark()
            try:
                return write(objects, touched)
            except (Duplicate, RuleBroken) as error:
                objects.view.undo(mark)
                self.last = frozenset({type(error).__name__, *_others(objects, touched)})
                raise

        flushing._write = watching
        try:
            yield
        finally:
            flushing._write = write


def _others(objects: Any, changed: Any) -> Iterator[str]:
    """Yield the kinds of what is wrong with the rows, once they all are there."""
    view, rows = objects.view, [flushing._row_of(held) for held in changed]
    gone = [held.row for held in objects.deleted.values() if view.row(held.info.root, held.row.key)]
    for row in rows:
        view.put(row)
    checks: list[Callable[[], None]] = [
        lambda: constraints.check_references(view, rows),
        lambda: constraints.check_keys(view, rows),
        *(lambda row=row: _remove(view, row) for row in gone),
    ]
    for check in checks:
        try:
            check()
        except EyenedError as error:
            yield type(error).__name__


def _remove(view: Any, row: Any) -> None:
    view.remove(row)
    constraints.follow_removal(view, row)
