"""How far a long command is: a bar on a terminal, nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from eyened_domain.services.progress import Progress


@contextmanager
def progress_bar(what: str) -> Iterator[Progress]:
    """Give a callback that moves a bar on stderr; in a pipe or a log it does nothing.

    Args:
        what: what is being done, for example ``"Importing images"``.
    """
    if not sys.stderr.isatty():
        yield _nothing
        return
    with _bar(what) as progress:
        yield progress


def _nothing(done: int, total: int | None) -> None:
    """Show nothing."""


@contextmanager
def _bar(what: str) -> Iterator[Progress]:
    from rich import progress as rich_progress  # noqa: PLC0415 - a tenth of a second
    from rich.console import Console  # noqa: PLC0415

    columns = (
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(),
        rich_progress.MofNCompleteColumn(),
        rich_progress.TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with rich_progress.Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(what.replace("[", r"\["), total=None)

        def progress(done: int, total: int | None) -> None:
            shown.update(task, completed=done, total=total)

        yield progress
