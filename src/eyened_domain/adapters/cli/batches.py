"""What the commands for long work share: who works, how it is stopped, what is told."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

import click

from eyened_domain.adapters.cli.options import opened_database, settings_from
from eyened_domain.adapters.cli.output import print_json, print_table
from eyened_domain.adapters.cli.progress import progress_bar

if TYPE_CHECKING:
    from eyened_domain.adapters.database import Database
    from eyened_domain.services.batches import BatchReport, RunOptions

F = TypeVar("F", bound=Callable[..., Any])

_FAILURES_SHOWN = 20
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def batch_options(command: F) -> F:
    """Add ``--workers``, ``--dask`` and ``--print-errors`` to a command."""
    command = click.option(
        "--print-errors", is_flag=True, help="List all failures, not only the first 20."
    )(command)
    command = click.option(
        "--dask",
        metavar="ADDRESS",
        help="Have a dask cluster do the work: the address of its scheduler, tcp://HOST:8786. "
        "Its workers need this package and the same folders under the same paths.",
    )(command)
    return click.option(
        "--workers",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        help="Processes on this machine that do the work.",
    )(command)


def run_batch(
    what: str,
    run: Callable[[Database, RunOptions], BatchReport],
    *,
    env: Path | None,
    workers: int,
    dask: str | None,
) -> tuple[BatchReport, int]:
    """Run long work with a progress bar; Ctrl-C and SIGTERM end it at the next item.

    Returns:
        the report, and the exit code: 0 when it came to its end, 1 when images were left
        because of a store or a setting, 130 or 143 when it was stopped.
    """
    from eyened_domain.adapters.executors import crew  # noqa: PLC0415 - loaded when run
    from eyened_domain.adapters.kept_memory import keep_memory  # noqa: PLC0415
    from eyened_domain.services.batches import RunOptions  # noqa: PLC0415

    if dask is not None and workers != 1:
        raise click.UsageError("give --workers or --dask, not both")
    keep_memory()
    settings = settings_from(env)
    with (
        _stopping() as stop,
        crew(workers=workers, dask=dask) as hands,  # they begin while the database is opened
        opened_database(settings) as database,
        progress_bar(what) as progress,
    ):
        options = RunOptions(
            executor=hands.executor,
            in_flight=hands.in_flight,
            progress=progress,
            should_stop=stop.is_asked,
        )
        report = run(database, options)
    return report, stop.exit_code or int(bool(report.undone))


def show_report(what: str, report: BatchReport, *, as_json: bool, all_failures: bool) -> None:
    """Print what a run did, and which items failed why."""
    if as_json:
        print_json(_as_dict(report))
        return
    click.echo(f"{what}: {report}")
    if not report.failures:
        return
    shown = report.failures if all_failures else report.failures[:_FAILURES_SHOWN]
    rows = [(one.item_id, one.name, str(one.failure)) for one in shown]
    print_table(("image", "file", "why"), rows, title="Failures")
    more = len(report.failures) - len(shown)
    if more:
        click.echo(f"… and {more:,} more; --print-errors lists all")


def _as_dict(report: BatchReport) -> dict[str, Any]:
    return {
        "made": report.made,
        "failed": len(report.failures),
        "skipped": report.skipped,
        "overtaken": report.overtaken,
        "stopped": report.stopped,
        "failures": [
            {
                "image": one.item_id,
                "file": one.name,
                "kind": one.failure.kind,
                "why": one.failure.message,
            }
            for one in report.failures
        ],
    }


class _Stop:
    """Whether the run was asked to stop: by the first signal; the second one insists."""

    def __init__(self) -> None:
        self.exit_code = 0

    def is_asked(self) -> bool:
        return self.exit_code != 0

    def ask(self, number: int, _frame: FrameType | None) -> None:
        if self.is_asked():
            raise KeyboardInterrupt
        self.exit_code = 128 + number


@contextmanager
def _stopping() -> Iterator[_Stop]:
    stop = _Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # signals reach the main thread only
        return
    before = [(number, signal.signal(number, stop.ask)) for number in _SIGNALS]
    try:
        yield stop
    finally:
        for number, handler in before:
            signal.signal(number, handler)
