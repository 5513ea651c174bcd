"""`eorm update-thumbnails` and `eorm update-hashes`: what is made of images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from eyened_domain.adapters.cli.batches import batch_options, run_batch, show_report
from eyened_domain.adapters.cli.options import shared_options

if TYPE_CHECKING:
    from eyened_domain.adapters.database import Database
    from eyened_domain.services.batches import BatchReport, RunOptions


@click.command("update-thumbnails")
@click.option("--failed", is_flag=True, help="Try those again, too, that failed before.")
@batch_options
@shared_options
@click.pass_context
def update_thumbnails(
    ctx: click.Context,
    /,
    env: Path | None,
    as_json: bool,
    failed: bool,
    workers: int,
    dask: str | None,
    print_errors: bool,
) -> None:
    """Make the thumbnails that are missing.

    Two JPEG files of each image, in THUMBNAILS_PATH. An image that cannot be shown is marked
    as failed and left alone from then on; --failed tries it again. Images whose file is JSON
    have no thumbnails. It may be stopped (Ctrl-C, SIGTERM) and run again at any time, and by
    two at once: what is done stays.

    The exit code is 0 when the run came to its end; bad images are in the summary. It is 1
    when it could not begin, or when images were left as they were because a folder, a disk or
    a library failed: run it again when that is mended. Stopped, it is 130 (Ctrl-C) or 143.

    \b
    Examples:
      eorm update-thumbnails --workers 4
      eorm update-thumbnails -e production.env --failed --print-errors
      eorm update-thumbnails --dask tcp://scheduler:8786
    """

    def run(database: Database, options: RunOptions) -> BatchReport:
        from eyened_domain.adapters.bootstrap import thumbnails_on  # noqa: PLC0415

        return thumbnails_on(database).update(failed=failed, options=options)

    report, code = run_batch("Thumbnails", run, env=env, workers=workers, dask=dask)
    show_report("Thumbnails", report, as_json=as_json, all_failures=print_errors)
    ctx.exit(code)


@click.command("update-hashes")
@batch_options
@shared_options
@click.pass_context
def update_hashes(
    ctx: click.Context,
    /,
    env: Path | None,
    as_json: bool,
    workers: int,
    dask: str | None,
    print_errors: bool,
) -> None:
    """Fill in the hashes that are missing.

    FileChecksum (MD5 of the file) and DataHash (SHA-256 of the pixels), where they are not
    set. One that is there is never overwritten: `eorm doctor` tells which no longer fit. A
    PNG series is several files and gets no FileChecksum; a JSON file has no pixels and gets
    no DataHash. An image that cannot be read is in the summary, and tried again by the next
    run. It may be stopped and run again at any time.

    The exit code is 0 when the run came to its end; bad images are in the summary. It is 1
    when it could not begin, or when images were left as they were because a folder, a disk or
    a library failed. Stopped, it is 130 (Ctrl-C) or 143.

    \b
    Examples:
      eorm update-hashes --workers 4
      eorm update-hashes -e production.env --print-errors
    """

    def run(database: Database, options: RunOptions) -> BatchReport:
        from eyened_domain.adapters.bootstrap import hashes_on  # noqa: PLC0415

        return hashes_on(database).update(options)

    report, code = run_batch("Hashes", run, env=env, workers=workers, dask=dask)
    show_report("Hashes", report, as_json=as_json, all_failures=print_errors)
    ctx.exit(code)
