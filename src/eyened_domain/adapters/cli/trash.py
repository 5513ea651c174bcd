"""`eorm trash list`, `restore` and `empty`: what was put away."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eyened_domain.adapters.cli.options import opened_database, settings_from, shared_options
from eyened_domain.adapters.cli.output import print_errors, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from eyened_domain.adapters.database import Database
    from eyened_domain.services.trash.told import TrashRow

_PAGE = 200
"""Entries that are read at a time."""
_PORTION = 1000
"""Rows that were put away and are deleted in one transaction."""
_KINDS = {
    "ImageInstance": "images",
    "Segmentation": "segmentations",
    "FormAnnotation": "forms",
    "Annotation": "annotations",
}
_apply = click.option("--apply", is_flag=True, help="Do it; without it nothing is written.")


@click.group("trash")
def trash() -> None:
    """List what was put away, restore it, or delete it for good.

    \b
    Examples:
      eorm trash list
      eorm trash restore 12 --apply
      eorm trash empty --older-than 90 --apply
    """


@trash.command("list")
@shared_options
def list_trash(env: Path | None, as_json: bool) -> None:
    """List what was put away, the first first, and how much is inactive in all.

    What other programs, or people, made inactive by hand is in no entry: the totals count it.

    \b
    Examples:
      eorm trash list
      eorm trash list --json > trash.json
    """
    from eyened_domain.services.trash import Trash  # noqa: PLC0415 - loaded when run

    with opened_database(settings_from(env)) as database:
        with database.unit_of_work() as uow:
            inactive = Trash().inactive(uow)
        rows = _entries(database)
        if as_json:
            print_json({"entries": [row.as_dict() for row in rows], "inactive": inactive})
        else:
            _show(rows)
            told = ", ".join(f"{inactive[name]:,} {kind}" for name, kind in _KINDS.items())
            click.echo(f"Inactive in all: {told}.")


@trash.command("restore")
@click.argument("entries", metavar="ENTRY...", type=int, nargs=-1, required=True)
@_apply
@shared_options
@click.pass_context
def restore_trash(
    ctx: click.Context, /, env: Path | None, as_json: bool, entries: Sequence[int], apply: bool
) -> None:
    """Let what was put away be active again: the entries with these numbers.

    What had been inactive before stays so. Without --apply it is a dry run. The exit code is 1
    when there is no such entry; the others are restored.

    \b
    Examples:
      eorm trash restore 12
      eorm trash restore 12 13 --apply
    """
    from eyened_domain.errors import EyenedError  # noqa: PLC0415
    from eyened_domain.services.trash import Trash  # noqa: PLC0415 - loaded when run

    done: list[dict[str, Any]] = []
    errors: list[str] = []
    with opened_database(settings_from(env)) as database:
        for number in dict.fromkeys(entries):
            try:
                with database.unit_of_work() as uow:
                    entry = uow.trash_entries.get(number)
                    what = f"{entry.entity_name} {entry.entity_id}"
                    result = Trash().restore(uow, entry)
                    if apply:
                        uow.commit()
            except EyenedError as error:
                errors.append(str(error))
            else:
                done.append({"entry": number, "what": what, "counts": dict(result.counts)})
    _report(done, errors, applied=apply, as_json=as_json, verb="restores")
    ctx.exit(1 if errors else 0)


@trash.command("empty")
@click.argument("entries", metavar="[ENTRY...]", type=int, nargs=-1)
@click.option(
    "--older-than",
    type=click.IntRange(min=0),
    default=0,
    metavar="DAYS",
    help="Only what was put away more than so many days ago.",
)
@_apply
@shared_options
@click.pass_context
def empty_trash(
    ctx: click.Context,
    /,
    env: Path | None,
    as_json: bool,
    entries: Sequence[int],
    older_than: int,
    apply: bool,
) -> None:
    """Delete for good what was put away, with everything that hangs on it.

    Without numbers, all entries. What was restored since stays, and so do patients, studies and
    series. Without --apply it is a dry run, which counts what was put away. Each portion is
    committed by itself: what was stopped can be run again. The exit code is 1 when something
    active hangs on an entry, which then stays.

    \b
    Examples:
      eorm trash empty
      eorm trash empty 12 13 --apply
      eorm trash empty --older-than 90 --apply
    """
    done: list[dict[str, Any]] = []
    errors: list[str] = []
    with opened_database(settings_from(env)) as database:
        before = datetime.now() - timedelta(days=older_than)
        wanted = set(entries)
        for row in _entries(database):
            if (wanted and row.entry_id not in wanted) or row.date_inserted > before:
                continue
            wanted.discard(row.entry_id)
            counts = _emptied(database, row, errors) if apply else row.counts
            done.append(
                {"entry": row.entry_id, "what": f"{row.entity} {row.entity_id}", "counts": counts}
            )
        errors += [f"there is no entry {one}, or it is not as old" for one in sorted(wanted)]
    _report(done, errors, applied=apply, as_json=as_json, verb="deletes")
    ctx.exit(1 if errors else 0)


def _emptied(database: Database, row: TrashRow, errors: list[str]) -> dict[str, int]:
    """Delete what an entry has put away, in portions; return how much went."""
    from eyened_domain.errors import EyenedError  # noqa: PLC0415
    from eyened_domain.services.trash import Trash  # noqa: PLC0415

    counts: dict[str, int] = {}
    while True:
        try:
            with database.unit_of_work() as uow:
                entry = uow.trash_entries.get(row.entry_id, default=None)
                if entry is None:
                    return counts
                gone = Trash().empty(uow, entry, most=_PORTION)
                uow.commit()
        except EyenedError as error:
            errors.append(f"entry {row.entry_id}: {error}")
            return counts
        for name, count in gone.items():
            counts[name] = counts.get(name, 0) + count


def _entries(database: Database) -> Iterator[TrashRow]:
    """Yield the entries, a page at a time."""
    from eyened_domain.services.trash import Trash  # noqa: PLC0415

    after = 0
    while True:
        with database.unit_of_work() as uow:
            page = Trash().entries(uow, after=after, most=_PAGE)
        if not page:
            return
        yield from page
        after = page[-1].entry_id


def _show(rows: Iterable[TrashRow]) -> None:
    shown = [
        (
            row.entry_id,
            f"{row.entity} {row.entity_id}",
            *_counts(row.counts),
            row.creator_name or "",
            row.date_inserted.isoformat(" ", "minutes"),
            row.reason or "",
        )
        for row in rows
    ]
    print_table(("entry", "what", *_KINDS.values(), "by", "when", "reason"), shown)


def _counts(counts: Mapping[str, int]) -> list[int]:
    return [counts.get(name, 0) for name in _KINDS]


def _report(
    done: list[dict[str, Any]], errors: list[str], *, applied: bool, as_json: bool, verb: str
) -> None:
    if as_json:
        print_json({"applied": applied, "entries": done, "errors": errors})
        return
    rows = [(one["entry"], one["what"], *_counts(one["counts"])) for one in done]
    print_table(("entry", "what", *_KINDS.values()), rows)
    print_errors(errors, listed_by="--json")
    if done and not applied:
        click.echo(f"Nothing was written; --apply {verb}.")
