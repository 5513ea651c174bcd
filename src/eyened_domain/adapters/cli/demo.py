"""`eorm demo`: a small believable study, made, imported and looked at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eyened_domain.adapters.cli.options import opened_database, shared_options
from eyened_domain.adapters.cli.output import print_json, print_table
from eyened_domain.adapters.cli.progress import progress_bar

if TYPE_CHECKING:
    from eyened_domain.adapters.database import Database

PROJECT = "Demo Study"


@click.command("demo")
@click.argument("folder", type=click.Path(path_type=Path), default="eyened-demo", metavar="[DIR]")
@shared_options
def demo_command(env: Path | None, as_json: bool, folder: Path) -> None:
    """Make a small study in the folder DIR, import it, and look at it.

    Fundus photographs of both eyes and OCT volumes of a few patients at a few visits, drawn
    by a generator; the database is one SQLite file in the same folder. Nothing else is
    touched, and a second run changes nothing.

    \b
    Examples:
      eorm demo
      eorm demo ./try-it
    """
    if env is not None:
        raise click.UsageError("the demo has settings of its own: leave -e out, name a folder")
    with opened_database({"EYENED_HOME": str(folder)}, make=True) as database:
        records = _draw(database, folder)
        result = _bring_in(database, records)
        visits = _visits(database)
    if as_json:
        print_json({"folder": str(folder), "written": result.written.made, "visits": visits})
        return
    click.echo(f"{'Made' if result.import_id else 'Found'} a study in {folder}: {result}")
    click.echo()
    print_table(
        ("patient", "sex", "age", "visit", "images", "eyes", "first file"),
        [tuple(visit.values()) for visit in visits],
    )
    click.echo(_NEXT.format(folder=folder, project=PROJECT))


def _draw(database: Database, folder: Path) -> list[dict[str, Any]]:
    from eyened_domain.adapters.phantoms import write_demo_images  # noqa: PLC0415

    database.init()
    with progress_bar(f"Drawing eyes in {folder}"):
        return write_demo_images(database.settings.images_basepath)


def _bring_in(database: Database, records: list[dict[str, Any]]) -> Any:
    from eyened_domain.adapters.bootstrap import importing_on  # noqa: PLC0415
    from eyened_domain.services.importing import ImportOptions  # noqa: PLC0415

    options = ImportOptions(create_projects=True, create_patients=True, create_studies=True)
    return importing_on(database).run(records, options, source="eorm demo")


def _visits(database: Database) -> list[dict[str, Any]]:
    """Walk the study as anybody would: project, patients, studies, series, images."""
    from eyened_domain.model import Project  # noqa: PLC0415

    found = []
    with database.get_session() as session:
        for patient in Project.by_name(session, PROJECT).patients:
            for study in patient.studies:
                images = [image for series in study.series for image in series.images]
                found.append(
                    {
                        "patient": patient.patient_identifier,
                        "sex": patient.sex.name if patient.sex else None,
                        "age": None if study.age_years is None else int(study.age_years),
                        "visit": study.study_date.isoformat(),
                        "images": len(images),
                        "eyes": "".join(sorted({image.laterality.name for image in images})),
                        "first_file": str(images[0].dataset_identifier),
                    }
                )
    return found


_NEXT = """
Try next, in Python:

    from eyened_domain import Database, Project
    database = Database({{"EYENED_HOME": "{folder}"}})
    with database.get_session() as session:
        for patient in Project.by_name(session, "{project}").Patients:
            for study in patient.Studies:
                for series in study.Series:
                    for image in series.ImageInstances:
                        print(study.StudyDate, image.Laterality.name, image.path)

or on the command line (EYENED_HOME says where the database is):

    EYENED_HOME={folder} eorm status
    EYENED_HOME={folder} eorm undo --list
"""
