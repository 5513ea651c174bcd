"""`eorm convert-annotations`: legacy annotations become segmentations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from eyened_domain.adapters.cli.options import opened_database, settings_from, shared_options
from eyened_domain.adapters.cli.output import print_errors, print_json, print_table
from eyened_domain.adapters.cli.progress import progress_bar

if TYPE_CHECKING:
    from eyened_domain.services.conversion_record import ConversionReport


@click.command("convert-annotations")
@click.option("--annotation-type", metavar="NAME", help="Only annotations of this type.")
@click.option("--project", metavar="NAME", help="Only annotations of patients of this project.")
@click.option("--apply", is_flag=True, help="Convert; without it nothing is written.")
@shared_options
@click.pass_context
def convert_annotations(
    ctx: click.Context,
    /,
    env: Path | None,
    as_json: bool,
    annotation_type: str | None,
    project: str | None,
    apply: bool,
) -> None:
    """Make segmentations of legacy annotations.

    Without --apply it is a dry run: every file beneath ANNOTATIONS_PATH is read, and what
    would be done is told. An R/G mask becomes a DualBitMask (mask and questionable), a
    binary mask Binary; image, creator, feature and date stay the same. The annotations and
    their files are left as they are.

    What was converted is noted: the command can be stopped and run again, and converts no
    annotation twice. Annotations that cannot be converted are listed with the reason, and
    the others are converted; the exit code is 1 then.

    \b
    Examples:
      eorm convert-annotations
      eorm convert-annotations --apply
      eorm convert-annotations --project "My Project Name" --apply --json > report.json
    """
    from eyened_domain.adapters.bootstrap import annotation_conversion_on  # noqa: PLC0415

    with (
        opened_database(settings_from(env)) as database,
        progress_bar("Converting" if apply else "Reading") as progress,
    ):
        report = annotation_conversion_on(database).run(
            annotation_type=annotation_type, project=project, apply=apply, progress=progress
        )
    if as_json:
        print_json(report.as_dict())
    else:
        _show(report)
    ctx.exit(1 if report.failures else 0)


def _show(report: ConversionReport) -> None:
    converted = "converted" if report.applied else "to convert"
    tallies = {**dict(sorted(report.types.items())), "all": report.total}
    print_table(
        ("annotation type", "total", converted, "already", "failed"),
        [
            (name, one.total, one.converted, one.already, one.failed)
            for name, one in tallies.items()
        ],
    )
    failures = [f"annotation {one.annotation_id}: {one.why}" for one in report.failures]
    print_errors(failures, listed_by="--json")
    if not report.applied and report.total.converted:
        click.echo("Nothing was written; --apply converts.")
