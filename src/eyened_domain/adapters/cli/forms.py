"""`eorm validate-forms`, `export-forms` and `import-forms`: what was filled in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from eyened_domain.adapters.cli.options import opened_database, settings_from, shared_options
from eyened_domain.adapters.cli.output import print_errors, print_json, print_table
from eyened_domain.adapters.cli.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eyened_domain.services.forms import (
        FormImportPlan,
        FormImportResult,
        FormsReport,
        InvalidForm,
    )
    from eyened_domain.services.forms.records import Record


@click.command("validate-forms")
@click.option(
    "--print-errors",
    is_flag=True,
    help="Tell what is wrong with each form, on stderr; with --json list all of them.",
)
@shared_options
@click.pass_context
def validate_forms(
    ctx: click.Context, /, env: Path | None, as_json: bool, print_errors: bool
) -> None:
    """Check every form's schema, and all answers against their schema.

    Answers that were withdrawn are checked as well. Nothing is changed. The exit code is 1
    when a schema is none, or answers do not meet theirs.

    \b
    Examples:
      eorm validate-forms
      eorm validate-forms --print-errors 2> faults.txt
      eorm validate-forms --json > report.json
    """
    from eyened_domain.services.forms import Forms  # noqa: PLC0415 - loaded when run

    told = _tell if print_errors and not as_json else None
    most = (None if print_errors else 1000) if as_json else 0
    with (
        opened_database(settings_from(env)) as database,
        progress_bar("Checking") as progress,
        database.unit_of_work() as uow,
    ):
        report = Forms().validate(uow, most=most, on_invalid=told, progress=progress)
    if as_json:
        print_json(report.as_dict())
    else:
        _show(report)
    ctx.exit(0 if report.is_valid else 1)


def _tell(form: InvalidForm) -> None:
    for fault in form.faults:
        click.echo(f"form {form.form_annotation_id} ({form.schema_name}): {fault}", err=True)


def _show(report: FormsReport) -> None:
    rows = [
        (one.schema_name, one.answers, one.valid, one.invalid, one.unchecked, one.fault or "")
        for one in report.schemas
    ]
    print_table(("schema", "answers", "valid", "invalid", "not checked", "schema is bad"), rows)


@click.command("export-forms")
@click.argument("schema_name", metavar="SCHEMA")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--creator", "creator_name", metavar="NAME", help="Only what NAME filled in.")
@click.option("--include-inactive", is_flag=True, help="With what was withdrawn.")
@shared_options
def export_forms(
    env: Path | None,
    as_json: bool,
    schema_name: str,
    file: Path,
    creator_name: str | None,
    include_inactive: bool,
) -> None:
    """Write what was filled in of a form to a file.

    FILE ends in .csv (a column for each answer, under its path, such as left.grades[2]) or in
    .jsonl (one form per line); it must not be there yet. `eorm import-forms` reads it again.

    \b
    Examples:
      eorm export-forms "AMD Grading" amd.csv
      eorm export-forms "AMD Grading" smith.jsonl --creator dr_smith --include-inactive
    """
    from eyened_domain.adapters.files.form_files import write_forms  # noqa: PLC0415
    from eyened_domain.services.forms import Forms  # noqa: PLC0415 - loaded when run

    with opened_database(settings_from(env)) as database, database.unit_of_work() as uow:

        def records() -> Iterator[Record]:
            return Forms().records(
                uow, schema_name, creator_name, include_inactive=include_inactive
            )

        records()  # finds out whether there is such a form, before there is a file
        count = write_forms(file, records)
    if as_json:
        print_json({"file": str(file), "forms": count})
    else:
        click.echo(f"{count:,} forms are in {file}")


@click.command("import-forms")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--on-error",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    help="With a bad record: write nothing at all, or leave it out and write the others.",
)
@click.option("--dry-run", is_flag=True, help="Print the plan, write nothing.")
@shared_options
@click.pass_context
def import_forms(
    ctx: click.Context, /, env: Path | None, as_json: bool, file: Path, on_error: str, dry_run: bool
) -> None:
    """Bring what was filled in into the database.

    FILE is a CSV or JSON lines file, as `eorm export-forms` writes it: schema_name,
    creator_name, project_name and patient_identifier (or dataset_identifier, for an image),
    study_date and laterality say what a form is, all others are answers. What these name must
    be there, and the answers must meet their schema.

    Forms that are there already are found, not doubled: the same import may be run again.

    \b
    Examples:
      eorm import-forms amd.csv --dry-run
      eorm import-forms amd.csv
      eorm undo 12                   take import 12 out again
    """
    from eyened_domain.adapters.files.form_files import read_forms  # noqa: PLC0415
    from eyened_domain.services.forms import FormImporting  # noqa: PLC0415 - loaded when run

    with opened_database(settings_from(env)) as database:
        importing = FormImporting(database)
        with progress_bar("Reading") as progress:
            plan = importing.plan(
                read_forms(file), on_error=on_error, source=str(file), progress=progress
            )
        if dry_run:
            _show_plan(plan, as_json=as_json)
            ctx.exit(1 if plan.errors else 0)
        is_refused = bool(plan.errors) and on_error == "stop"
        result = None if is_refused else importing.apply(plan)
    _show_result(plan, result, as_json=as_json)
    ctx.exit(1 if plan.errors else 0)


def _show_plan(plan: FormImportPlan, *, as_json: bool) -> None:
    if as_json:
        print_json(plan.as_dict())
        return
    rows = [
        (name, level.total, level.new, level.existing, level.skipped)
        for name, level in plan.schemas.items()
    ]
    print_table(("schema", "total", "new", "existing", "left out"), rows)
    print_errors(plan.errors, listed_by="--dry-run --json")


def _show_result(plan: FormImportPlan, result: FormImportResult | None, *, as_json: bool) -> None:
    if as_json:
        number = None if result is None else result.import_id
        written = {
            "made": 0 if result is None else result.made,
            "matched": 0 if result is None else result.matched,
        }
        print_json({"import": number, "written": written, **plan.as_dict()})
        return
    print_errors(plan.errors, listed_by="--dry-run --json")
    if result is None:
        click.echo(f"eorm: {len(plan.errors):,} records are bad; nothing was written", err=True)
        return
    click.echo(str(result))
    if result.import_id is not None:
        click.echo(f"`eorm undo {result.import_id}` takes it out again.")
