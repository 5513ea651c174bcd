"""`eorm validate-forms`: what was filled in, and the schemas that it must meet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from eyened_domain.adapters.cli.options import opened_database, settings_from, shared_options
from eyened_domain.adapters.cli.output import print_json, print_table
from eyened_domain.adapters.cli.progress import progress_bar

if TYPE_CHECKING:
    from eyened_domain.services.forms import FormsReport, InvalidForm


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
