"""`eorm import` and `eorm undo`: the main job, and its way back."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eyened_domain.adapters.cli.options import opened_database, settings_from, shared_options
from eyened_domain.adapters.cli.output import print_errors, print_json, print_table
from eyened_domain.adapters.cli.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

    from eyened_domain.config import Settings
    from eyened_domain.services.importing import Importing, ImportPlan, ImportResult


@click.command("import")
@click.argument("records", type=click.Path(path_type=Path), required=False, metavar="[RECORDS]")
@click.option("--create-projects", is_flag=True, help="Make projects that are not there.")
@click.option("--create-patients", is_flag=True, help="Make patients that are not there.")
@click.option("--create-studies", is_flag=True, help="Make studies that are not there.")
@click.option("--create-all", is_flag=True, help="Make all three.")
@click.option(
    "--no-create-series",
    is_flag=True,
    help="Make no series: every image has to name one that is there.",
)
@click.option(
    "--conflict",
    type=click.Choice(["skip", "match", "update"]),
    default="match",
    show_default=True,
    help="What to do with an image that is there: leave it out, count it as found, or write "
    "what the record says.",
)
@click.option(
    "--on-error",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    help="With a bad record: write nothing at all, or leave it out and write the others.",
)
@click.option("--no-read-files", is_flag=True, help="Believe the records; open no image file.")
@click.option("--source-name", metavar="NAME", help="The source (SourceInfo) of the images.")
@click.option("--dry-run", is_flag=True, help="Print the plan, write nothing.")
@click.option(
    "--save-plan",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the plan to a file, and nothing to the database.",
)
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Apply a plan that was saved, instead of RECORDS.",
)
@click.option(
    "--workers", type=click.IntRange(1), default=1, show_default=True, help="Threads that read."
)
@shared_options
@click.pass_context
def import_command(
    ctx: click.Context,
    /,
    env: Path | None,
    as_json: bool,
    records: Path | None,
    plan_file: Path | None,
    save_plan: Path | None,
    dry_run: bool,
    workers: int,
    **options: Any,
) -> None:
    """Bring images into the database.

    RECORDS is a CSV file with one row per image, or a JSON (.json) or JSON lines (.jsonl)
    file of records. A CSV needs the columns project_name and image (a path beneath
    IMAGES_BASEPATH); patient_identifier, study_date and series_id say where the image
    belongs, and any column of Patient, Study, Series and ImageInstance may stand beside
    them: laterality, modality, sex, birth_date and so on. What a record does not say is
    read from the image file.

    Images that are there already are found, not doubled: the same import may be run again.

    \b
    Examples:
      eorm import images.csv --dry-run
      eorm import images.csv --create-all
      eorm import new.json --create-studies --on-error skip --json
      eorm undo 12                   take import 12 out again
    """
    if (records is None) == (plan_file is None):
        raise click.UsageError("give a file of RECORDS, or --plan FILE", ctx)
    with _importing(settings_from(env)) as importing:
        plan = _planned(importing, records, plan_file, workers, options)
        if save_plan is not None:
            plan.save(save_plan)
        if dry_run or save_plan is not None:
            _show_plan(plan, as_json=as_json)
            ctx.exit(1 if plan.errors else 0)
        with progress_bar("Writing") as progress:
            result = importing.apply(plan, progress=progress) if _applies(plan) else None
    _show_result(plan, result, as_json=as_json)
    ctx.exit(1 if plan.errors else 0)


def _applies(plan: ImportPlan) -> bool:
    return not plan.errors or plan.options.on_error.value == "skip"


@contextmanager
def _importing(settings: Settings) -> Iterator[Importing]:
    from eyened_domain.adapters.bootstrap import importing_on  # noqa: PLC0415 - loaded when run

    with opened_database(settings, make=True) as database:
        yield importing_on(database)


def _planned(
    importing: Importing,
    records: Path | None,
    plan_file: Path | None,
    workers: int,
    options: dict[str, Any],
) -> ImportPlan:
    from eyened_domain.adapters.files.record_files import read_records  # noqa: PLC0415
    from eyened_domain.services.importing import ImportPlan  # noqa: PLC0415

    if plan_file is not None:
        return ImportPlan.load(plan_file)
    with progress_bar("Reading") as progress, _threads(workers) as executor:
        return importing.plan(
            read_records(str(records)),
            _options(options),
            source=str(records),
            executor=executor,
            progress=progress,
        )


def _options(given: dict[str, Any]) -> Any:
    from eyened_domain.services.importing import ImportOptions  # noqa: PLC0415

    every = given["create_all"]
    return ImportOptions(
        create_projects=every or given["create_projects"],
        create_patients=every or given["create_patients"],
        create_studies=every or given["create_studies"],
        create_series=not given["no_create_series"],
        conflict=given["conflict"],
        on_error=given["on_error"],
        read_files=not given["no_read_files"],
        source_name=given["source_name"],
    )


@contextmanager
def _threads(workers: int) -> Iterator[Executor | None]:
    if workers == 1:
        yield None
        return
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    with ThreadPoolExecutor(workers) as executor:
        yield executor


def _show_plan(plan: ImportPlan, *, as_json: bool) -> None:
    if as_json:
        print_json(plan.as_dict())
        return
    rows = [
        (
            name,
            level.total,
            level.new,
            level.existing,
            level.skipped,
            ", ".join(sorted(level.filled | level.changed)),
        )
        for name, level in plan.levels.items()
    ]
    print_table(("level", "total", "new", "existing", "left out", "columns filled"), rows)
    print_errors(plan.errors, listed_by="--dry-run --json")


def _show_result(plan: ImportPlan, result: ImportResult | None, *, as_json: bool) -> None:
    if as_json:
        written = (
            {"made": {}, "changed": {}, "matched": 0}
            if result is None
            else {
                "made": result.written.made,
                "changed": result.written.changed,
                "matched": result.written.matched,
            }
        )
        number = None if result is None else result.import_id
        print_json({"import": number, "written": written, **plan.as_dict()})
        return
    print_errors(plan.errors, listed_by="--dry-run --json")
    if result is None:
        click.echo(f"eorm: {len(plan.errors):,} records are bad; nothing was written", err=True)
        return
    click.echo(str(result))
    if result.import_id is not None:
        click.echo(f"`eorm undo {result.import_id}` takes it out again.")


@click.command("undo")
@click.argument("import_id", type=int, required=False)
@click.option("--list", "as_list", is_flag=True, help="List the imports that were recorded.")
@shared_options
def undo_command(env: Path | None, as_json: bool, import_id: int | None, as_list: bool) -> None:
    """Take an import out again.

    Exactly the rows that import IMPORT_ID made are deleted, and what it changed is set back.
    When something was attached to these rows since (a segmentation, a tag, a form, another
    image), nothing is deleted, and it says what.

    \b
    Examples:
      eorm undo --list
      eorm undo 12
    """
    if (import_id is None) != as_list:
        raise click.UsageError("give the number of an import, or --list")
    with _importing(settings_from(env)) as importing:
        if as_list:
            _show_history(importing, as_json=as_json)
            return
        undone = importing.undo(int(import_id or 0))
    if as_json:
        print_json(
            {
                "import": undone.import_id,
                "deleted": undone.deleted,
                "restored": undone.restored,
                "kept": undone.kept,
            }
        )
        return
    deleted = ", ".join(f"{count:,} {name}" for name, count in undone.deleted.items())
    restored = ", ".join(f"{count:,} {name}" for name, count in undone.restored.items())
    click.echo(f"import {undone.import_id} is undone: deleted {deleted or 'nothing'}")
    if restored:
        click.echo(f"set back {restored}")
    if undone.kept:
        click.echo(f"kept, as others use it: {', '.join(undone.kept)}")


def _show_history(importing: Importing, *, as_json: bool) -> None:
    runs = importing.history()
    if as_json:
        print_json(
            [
                {
                    "import": run.import_id,
                    "started_at": run.started_at.isoformat(),
                    "finished_at": run.finished_at and run.finished_at.isoformat(),
                    "undone_at": run.undone_at and run.undone_at.isoformat(),
                    "source": run.source,
                }
                for run in runs
            ]
        )
        return
    rows = [(r.import_id, r.started_at, r.finished_at, r.undone_at, r.source) for r in runs]
    print_table(("import", "started", "finished", "undone", "records"), rows)
