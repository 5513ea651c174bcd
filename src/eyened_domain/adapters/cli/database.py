"""`eorm init`, `upgrade`, `adopt` and `status`: the database itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from eyened_domain.adapters.cli.options import engine_from, settings_from, shared_options
from eyened_domain.adapters.cli.output import print_json, print_pairs, print_table

if TYPE_CHECKING:
    from eyened_domain.adapters.sql.migrations.adopt import AdoptionReport
    from eyened_domain.adapters.sql.migrations.differences import Difference
    from eyened_domain.adapters.sql.migrations.status import DatabaseStatus
    from eyened_domain.adapters.sql.migrations.upgrade import Upgrade


@click.command
@shared_options
def init(env: Path | None, as_json: bool) -> None:
    """Make the tables in an empty database.

    The database itself must be there, on a server; a database file is made. Tables of
    other programs are left alone. A database that has Eyened's tables already is
    refused: `eorm adopt` takes it over. Doing it twice does no harm.

    \b
    Examples:
      eorm init                     in the folder ./eyened-data
      eorm init -e production.env
    """
    from eyened_domain.adapters.sql.migrations.upgrade import initialise  # noqa: PLC0415

    settings = settings_from(env)
    with engine_from(settings) as engine:
        done = initialise(engine)
    _report_upgrade(settings.display_url, done, as_json=as_json)


@click.command
@shared_options
@click.option(
    "--revision",
    default="head",
    show_default=True,
    metavar="REVISION",
    help="Up to which revision.",
)
@click.option("--sql", "as_sql", is_flag=True, help="Print the SQL instead of running it.")
def upgrade(env: Path | None, as_json: bool, revision: str, as_sql: bool) -> None:
    """Bring a database to a newer revision.

    Make a backup first. With --sql nothing is changed: what would be done is printed, for
    a database administrator to read and run; of a database that is empty, all of it.

    \b
    Examples:
      eorm upgrade
      eorm upgrade --sql > upgrade.sql
    """
    from eyened_domain.adapters.sql.migrations import upgrade as migrations  # noqa: PLC0415

    settings = settings_from(env)
    with engine_from(settings, make=False) as engine:
        if not as_sql:
            done = migrations.upgrade(engine, revision)
            _report_upgrade(settings.display_url, done, as_json=as_json)
            return
        sql = migrations.upgrade_sql(engine, revision)
    if as_json:
        print_json({"database": settings.display_url, "sql": sql})
    else:
        click.echo(sql or "-- nothing to do\n", nl=False)


def _report_upgrade(database: str, done: Upgrade, *, as_json: bool) -> None:
    if as_json:
        print_json({"database": database, "before": done.before, "revision": done.after})
    elif done.before == done.after:
        click.echo(f"{database} is at revision {done.after} already.")
    else:
        came_from = f" (it was at {done.before})" if done.before else ""
        click.echo(f"{database} is at revision {done.after} now{came_from}.")


@click.command
@shared_options
@click.pass_context
def adopt(ctx: click.Context, env: Path | None, as_json: bool) -> None:
    """Take over a database whose tables another program made.

    The database is compared with the tables that Eyened needs, and what differs is listed.
    Names of constraints and indexes may differ, and there may be more tables and columns.
    With a difference that is blocking nothing is written, and the command fails. Otherwise
    one small table is added that says at which revision the database is; nothing that is
    there is changed, the other program does not notice. Then run `eorm upgrade`.

    \b
    Examples:
      eorm adopt -e production.env
      eorm adopt --json > differences.json
    """
    from eyened_domain.adapters.sql.migrations.adopt import adopt as run  # noqa: PLC0415

    with engine_from(settings_from(env), make=False) as engine:
        report = run(engine)
    if as_json:
        print_json(_adoption_as_dict(report))
    else:
        _print_adoption(report)
    if report.advice:
        click.echo(f"eorm: {report.advice}", err=True)
    if report.blocking:
        click.echo(
            f"eorm: {report.database} is not as Eyened needs it: "
            f"{len(report.blocking)} blocking differences; nothing was changed.",
            err=True,
        )
        ctx.exit(1)


def _adoption_as_dict(report: AdoptionReport) -> dict[str, object]:
    return {
        "database": report.database,
        "revision": report.revision,
        "adopted_now": report.is_new,
        "relaxed": report.is_relaxed,
        "advice": report.advice,
        "differences": _as_dicts(report.differences),
    }


def _as_dicts(differences: tuple[Difference, ...]) -> list[dict[str, object]]:
    return [
        {"severity": d.severity, "table": d.table, "column": d.column, "what": d.what}
        for d in differences
    ]


def _print_adoption(report: AdoptionReport) -> None:
    if report.differences:
        rows = [(d.severity, d.table, d.column, d.what) for d in (*report.blocking, *report.notes)]
        print_table(("severity", "table", "column", "what"), rows, title="Differences")
    if report.is_relaxed:
        click.echo("Keys and columns of attributes are as revision 0004 has relaxed them.")
    if report.is_new:
        click.echo(
            f"{report.database} is adopted at revision {report.revision}. Next: `eorm upgrade`."
        )
    elif report.revision is not None:
        click.echo(f"{report.database} was adopted before, it is at revision {report.revision}.")


@click.command
@shared_options
def status(env: Path | None, as_json: bool) -> None:
    """Tell which database it is, at which revision, and what is in it.

    Nothing is changed. The state is one of: empty, foreign (tables, but none of Eyened's),
    interrupted (`eorm init` did not finish), incomplete (some of Eyened's tables),
    contract-unadopted (made by another program: `eorm adopt`), behind (`eorm upgrade`),
    at head, ahead (made by a newer version), changed by another program (tables or columns
    that are needed are gone; they are listed).

    \b
    Examples:
      eorm status
      eorm status -e production.env --json
    """
    from eyened_domain.adapters.sql.migrations.status import status as look  # noqa: PLC0415

    with engine_from(settings_from(env), make=False) as engine:
        found = look(engine)
    if as_json:
        print_json(_status_as_dict(found))
        return
    listed = {"counts", "differences", "advice"}
    print_pairs({k: v for k, v in _status_as_dict(found).items() if k not in listed})
    if found.differences:
        click.echo()
        rows = [(d.table, d.column, d.what) for d in found.differences]
        print_table(("table", "column", "what"), rows, title="Keeps Eyened from working")
    if found.advice:
        click.echo(found.advice)
    if found.counts:
        click.echo()
        print_table(("entity", "rows"), found.counts.items())


def _status_as_dict(found: DatabaseStatus) -> dict[str, object]:
    return {
        "database": found.database,
        "server": found.server,
        "state": found.state,
        "revision": found.revision,
        "head": found.head,
        "counts": dict(found.counts),
        "differences": _as_dicts(found.differences),
        "advice": found.advice,
    }
