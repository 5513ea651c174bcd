"""`eorm doctor`: rows against files and pixels."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eyened_domain.adapters.cli.options import opened_database, settings_from, shared_options
from eyened_domain.adapters.cli.output import print_json, print_table
from eyened_domain.adapters.cli.progress import progress_bar
from eyened_domain.services.progress import Progress

if TYPE_CHECKING:
    from eyened_domain.adapters.database import Database
    from eyened_domain.services.doctor import Checkup, Report

_SHOWN = 50


@click.command("doctor")
@shared_options
@click.option(
    "--level",
    type=click.IntRange(1, 3),
    default=2,
    show_default=True,
    help="1 asks the database only, 2 looks whether every file is there, 3 opens every file "
    "and compares its checksum.",
)
@click.option("--fix", is_flag=True, help="Repair what can be repaired without losing anything.")
@click.option(
    "--adopt",
    is_flag=True,
    help="Take the checksums of pixels that an older program wrote, also over ours, and store a "
    "file where it stored none for zeros. Implies --fix.",
)
@click.option(
    "--claim-store",
    is_flag=True,
    help="Say that SEGMENTATIONS_ZARR_STORE belongs to this database: it has moved, or is new "
    "here. Never on a copy of a database, for a store that the first still uses.",
)
@click.option(
    "--grace",
    "grace_days",
    type=click.FloatRange(0),
    default=7.0,
    show_default=True,
    metavar="DAYS",
    help="How old garbage must be to be collected: longer than a backup takes.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="Stop after that time; --resume goes on with the pixels.",
)
@click.option("--resume", is_flag=True, help="Go on with the pixels where the time was over.")
@click.option(
    "--audit",
    is_flag=True,
    help="Look also whether the history was altered: every entry is checked with SECRET_KEY.",
)
@click.option(
    "--seal",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Compare the history with what FILE says that it held, and write FILE anew when nothing "
    "is wrong. Keep it where nobody who can write to the database can write. Implies --audit.",
)
@click.pass_context
def doctor_command(
    ctx: click.Context,
    env: Path | None,
    as_json: bool,
    level: int,
    fix: bool,
    adopt: bool,
    claim_store: bool,
    grace_days: float,
    time_limit: float | None,
    resume: bool,
    audit: bool,
    seal: Path | None,
) -> None:
    """Check rows against files and pixels, and the database against its contract.

    Nothing is changed without --fix. With it: garbage that is old is collected, zarr.json
    is made again from the files, damaged pixels are put aside in .quarantine, positions are
    noted as they are, thumbnails that are gone are noted as not made. Rows that point
    nowhere are listed and never changed.

    Leaves with 0 when nothing is wrong (any more), 1 when something is, 2 when not
    everything could be looked at.

    \b
    Examples:
      eorm doctor
      eorm doctor --level 3 --time-limit 3600
      eorm doctor --fix --json > report.json
      eorm doctor --level 1 --audit --seal /mnt/elsewhere/history.seal
    """
    from eyened_domain.adapters.checkup import checkup_on  # noqa: PLC0415
    from eyened_domain.services.doctor import Watch  # noqa: PLC0415

    with opened_database(settings_from(env)) as database, progress_bar("Looking") as progress:
        if claim_store:
            _claim(database, as_json=as_json)
        fix = fix or adopt
        if fix:
            _require_ours(database)
        checkup = checkup_on(
            database,
            watch=Watch(time_limit, progress),
            grace_s=grace_days * 86400,
            adopt=adopt,
            resume=resume,
            audit=audit or seal is not None,
            seal=seal,
        )
        report = _run(checkup, level, progress, fix=fix)
    if as_json:
        print_json(report.as_dict())
    else:
        _print(report, fix=fix)
    ctx.exit(report.exit_code)


def _run(checkup: Checkup, level: int, progress: Progress, *, fix: bool) -> Report:
    def announce(_title: str) -> None:
        progress(0, None)

    return checkup.run(level, fix=fix, announce=announce)


def _claim(database: Database, *, as_json: bool) -> None:
    from eyened_domain.adapters.pixels.positions.ownership import claim_store  # noqa: PLC0415

    owner = claim_store(database.engine, database.pixel_shelf.files)
    click.echo(
        f"{database.settings.segmentations_zarr_store} belongs to {owner.where} now.", err=as_json
    )


def _require_ours(database: Database) -> None:
    """Refuse to repair anything in a store of another database."""
    from eyened_domain.adapters.pixels.positions.ownership import check_owner  # noqa: PLC0415

    files = database.pixel_shelf.files
    if files.root.exists():
        check_owner(database.engine, files)


def _print(report: Report, *, fix: bool) -> None:
    counts = Counter(
        (one.kind.value, "note" if one.is_note else "defect") for one in report.findings
    )
    if counts:
        rows = [(count, severity, kind) for (kind, severity), count in counts.most_common()]
        print_table(("found", "", "what"), rows)
        click.echo()
    for one in report.findings[:_SHOWN]:
        hint = f" ({'--fix: ' if not fix else ''}{one.fix})" if one.fix and not fix else ""
        click.echo(f"- {one.message}{hint}")
    if len(report.findings) > _SHOWN:
        click.echo(f"… and {len(report.findings) - _SHOWN} more; --json lists all of them")
    _print_repairs(report)
    for what, why in report.unchecked.items():
        click.echo(f"Not looked at (completely): {what}: {why}")
    click.echo(_verdict(report))


def _print_repairs(report: Report) -> None:
    for one in report.repairs[:_SHOWN]:
        said = one.done if one.done is not None else f"could not be repaired: {one.error}"
        where: Any = one.finding.path or one.finding.entity or ""
        if one.finding.position is not None:
            where = f"{where}, position {one.finding.position}"
        click.echo(f"+ {where}: {said}")
    if len(report.repairs) > _SHOWN:
        click.echo(f"… and {len(report.repairs) - _SHOWN} more repairs; --json lists all of them")


def _verdict(report: Report) -> str:
    looked = ", ".join(
        f"{count:,} {what.lower()}" for what, count in report.looked_at.items() if count
    )
    said = f"Level {report.level}; looked at {looked or 'nothing: there is nothing yet'}."
    if not report.open_defects:
        return f"{said} Nothing is wrong." if not report.unchecked else said
    return f"{said} {len(report.open_defects)} defects remain."
