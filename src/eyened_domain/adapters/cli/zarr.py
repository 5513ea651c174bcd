"""`eorm zarr-tree` and `eorm defragment-zarr`: the store of the pixels of segmentations."""

from __future__ import annotations

from pathlib import Path

import click

from eyened_domain.adapters.cli.options import opened_database, settings_from, shared_options
from eyened_domain.adapters.cli.output import print_json, print_pairs, print_table
from eyened_domain.adapters.cli.progress import progress_bar

_COLUMNS = {
    "array": "array",
    "shape": "shape",
    "chunks": "chunks",
    "used": "used",
    "free": "free",
    "reserved": "reserved",
    "garbage": "garbage",
    "files": "files",
    "bytes": "bytes",
}


@click.command("zarr-tree")
@shared_options
def tree_command(env: Path | None, as_json: bool) -> None:
    """Tell what is in the zarr store: groups, arrays, stored bytes, used and free positions.

    Nothing is changed.

    \b
    Examples:
      eorm zarr-tree
      eorm zarr-tree -e production.env --json
    """
    import attrs  # noqa: PLC0415

    from eyened_domain.adapters.pixels.tree import tree_of  # noqa: PLC0415

    with opened_database(settings_from(env)) as database:
        store = str(database.settings.segmentations_zarr_store)
        arrays = tree_of(database.engine, database.pixel_shelf.files)
    if as_json:
        print_json({"store": store, "arrays": [attrs.asdict(one) for one in arrays]})
        return
    click.echo(store)
    for group in dict.fromkeys(one.group for one in arrays):
        rows = [
            tuple(_text(getattr(one, name)) for name in _COLUMNS)
            for one in arrays
            if one.group == group
        ]
        click.echo()
        print_table(tuple(_COLUMNS.values()), rows, title=group)
    click.echo()
    total = sum(one.bytes for one in arrays)
    click.echo(
        f"{len(arrays)} arrays, {sum(one.used for one in arrays):,} positions in use, "
        f"{total:,} bytes in {sum(one.files for one in arrays):,} files"
    )


def _text(value: object) -> object:
    return " x ".join(map(str, value)) if isinstance(value, tuple) else value


@click.command("defragment-zarr")
@shared_options
@click.option(
    "--new-store-path",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="The new store: a folder that is not there yet, or that this command has begun.",
)
def defragment_command(env: Path | None, as_json: bool, new_store_path: Path) -> None:
    """Copy the live pixels into a new zarr store, without gaps, and let all rows point there.

    Stop the programs that use the database first: afterwards they must be started with the
    new store. Each mask is checked while it is copied. The database changes over in one
    transaction at the end; before it nothing has changed. Interrupted, the command can be
    run again, and goes on. The old store is left as it is; remove it when you have a backup.

    \b
    Examples:
      eorm defragment-zarr --new-store-path /storage/segmentations-2.zarr
    """
    from eyened_domain.adapters.pixels.defragment import Defragmenter  # noqa: PLC0415
    from eyened_domain.adapters.pixels.zarr.files import SlotFiles  # noqa: PLC0415

    with opened_database(settings_from(env)) as database, progress_bar("Copying masks") as progress:
        new = SlotFiles(new_store_path)
        old = database.pixel_shelf.files
        done = Defragmenter(database.engine, old, new).run(progress)
    told = {
        "old_store": str(old.root),
        "new_store": str(new.root),
        "copied": done.copied,
        "masks": done.slots,
        "arrays": done.arrays,
        "bytes": done.bytes,
    }
    if as_json:
        print_json(told)
        return
    print_pairs(told)
    click.echo(f"The database points into the new store. Set SEGMENTATIONS_ZARR_STORE={new.root}")
