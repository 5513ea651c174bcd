"""`eorm`, the command line.

Commands are imported when they are run: `eorm --help` loads click and nothing else.
"""

from __future__ import annotations

import click

from eyened_domain.adapters.cli.lazy import LazyCommand, LazyGroup

_HERE = "eyened_domain.adapters.cli"

COMMANDS = {
    "init": LazyCommand(f"{_HERE}.database:init", "Make the tables in an empty database."),
    "upgrade": LazyCommand(f"{_HERE}.database:upgrade", "Bring a database to a newer revision."),
    "adopt": LazyCommand(f"{_HERE}.database:adopt", "Take over a database that exists already."),
    "status": LazyCommand(
        f"{_HERE}.database:status", "Tell which database it is, and what is in it."
    ),
    "import": LazyCommand(f"{_HERE}.importing:import_command", "Bring images into the database."),
    "undo": LazyCommand(f"{_HERE}.importing:undo_command", "Take an import out again."),
    "convert-annotations": LazyCommand(
        f"{_HERE}.annotations:convert_annotations", "Make segmentations of legacy annotations."
    ),
    "update-thumbnails": LazyCommand(
        f"{_HERE}.thumbnails:update_thumbnails", "Make the thumbnails that are missing."
    ),
    "update-hashes": LazyCommand(
        f"{_HERE}.thumbnails:update_hashes", "Fill in the hashes that are missing."
    ),
    "validate-forms": LazyCommand(
        f"{_HERE}.forms:validate_forms", "Check all answers against the schemas of their forms."
    ),
    "export-forms": LazyCommand(
        f"{_HERE}.forms:export_forms", "Write what was filled in of a form to a file."
    ),
    "import-forms": LazyCommand(
        f"{_HERE}.forms:import_forms", "Bring what was filled in into the database."
    ),
    "trash": LazyCommand(
        f"{_HERE}.trash:trash", "List, restore or delete for good what was put away."
    ),
    "doctor": LazyCommand(
        f"{_HERE}.doctor:doctor_command", "Check rows against files and pixels, and repair."
    ),
    "zarr-tree": LazyCommand(f"{_HERE}.zarr:tree_command", "Tell what is in the zarr store."),
    "defragment-zarr": LazyCommand(
        f"{_HERE}.zarr:defragment_command", "Copy the live pixels into a new zarr store."
    ),
    "demo": LazyCommand(f"{_HERE}.demo:demo_command", "Make a small study to try things on."),
}

_HELP = """The Eyened database of ophthalmic images, from the command line.

Which database: the environment (DATABASE_URL, or DATABASE_HOST and the like), or a file
of such settings with -e. With neither, a database in the folder ./eyened-data.

\b
Examples:
  eorm demo ./try-it             a small study, made and imported
  eorm status                    which database, and what is in it
  eorm import images.csv         the main job
  eorm COMMAND --help            what a command does, with examples
"""

main: LazyGroup = LazyGroup(
    name="eorm",
    help=_HELP,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
"""The program `eorm`."""

click.version_option(package_name="eyened-domain", prog_name="eorm")(main)
