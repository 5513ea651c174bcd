"""What can be meant by the rows, columns and runs that `services.rows` is given."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from math import inf
from typing import Any

from eyened_domain.errors import BadInput, NotFound
from eyened_domain.model.entity import Entity, EntityInfo, entity_class
from eyened_domain.model.values import shown
from eyened_domain.services.column_paths import check_column
from eyened_domain.services.sought_values import check_entity, listed

Row = dict[str, Any]
"""Columns of a row, by field name."""
Runs = Sequence[tuple[int, int]]
"""Runs of values: first and last."""


def info_of_rows(entity: type[Entity]) -> EntityInfo:
    """Return what is known of an entity class; raise `BadInput` where it is none."""
    check_entity(entity)
    return entity.__entity__


def key_column(info: EntityInfo) -> str:
    """Return the one column of the primary key; raise `BadInput` where there are several."""
    if len(info.primary_key) > 1:
        raise BadInput(
            f"{info.name} is known by several columns ({', '.join(info.primary_key)}), and its "
            "rows are not paged, inserted, updated or deleted in bulk; add and delete objects",
            entity=info.name,
        )
    return info.primary_key[0]


def info_of_links(entity: type[Entity]) -> EntityInfo:
    """Return what is known of a class of links; raise `BadInput` where its rows have ids."""
    info = info_of_rows(entity)
    if len(info.primary_key) == 1:
        raise BadInput(
            f"{info.name} rows have ids of their own; insert and delete say which",
            entity=info.name,
        )
    return info


def listed_in(info: EntityInfo, name: str) -> type[Entity]:
    """Return whose objects stand in a list; raise `BadInput` where it is none."""
    link = info.links.get(info.field_name(name))
    if link is None or not link.many or link.through:
        raise BadInput(
            f"{info.name}.{name} is no list of objects that point to the {info.name}",
            entity=info.name,
            field=name,
        )
    return entity_class(link.target)


def check_alike(info: EntityInfo, rows: Sequence[Row]) -> None:
    """Raise `BadInput` unless the rows have the same columns, all of them names of columns."""
    names = rows[0].keys() if rows else ()
    for row in rows:
        if row.keys() != names:
            raise BadInput(
                f"rows of {info.name} that are inserted together need the same columns: "
                f"{', '.join(names)}, not {', '.join(row)}",
                entity=info.name,
            )
    check_names(info, names)


def check_names(info: EntityInfo, names: Iterable[str]) -> None:
    """Raise `UnknownName` unless these are names of columns, in Python's style."""
    for name in names:
        check_column(info, name)


def check_runs(info: EntityInfo, runs: Runs) -> None:
    """Raise `BadInput` unless these are pairs: first and last."""
    for run in listed(info, runs, "runs"):
        if not isinstance(run, tuple) or len(run) != 2:
            raise BadInput(
                f"{info.name}: runs are pairs (first, last), not {shown(run)}", entity=info.name
            )


def runs_of(ids: Iterable[int]) -> list[tuple[int, int]]:
    """Return the ids as runs (first, last) without gaps."""
    runs: list[tuple[int, int]] = []
    for identity in sorted(ids):
        if runs and identity == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], identity)
        else:
            runs.append((identity, identity))
    return runs


def within(value: Any, runs: Runs) -> bool:
    """Return whether a value lies in one of the runs, which are in order."""
    place = -1 if value is None else bisect_right(runs, (value, inf)) - 1
    return place >= 0 and runs[place][0] <= value <= runs[place][1]


_MOST_NAMED = 10


def none_with_ids(
    entity: type[Entity], key: str, missing: Sequence[Any], total: int, so: str = ""
) -> NotFound:
    """Return the error for ids that are not there; the message names the first of them.

    Args:
        entity: of which there are none with these ids.
        key: the column of the ids.
        missing: the ids.
        total: how many ids were looked for.
        so: what follows from it.
    """
    name, more = entity.__name__, ", …" if len(missing) > _MOST_NAMED else ""
    return NotFound(
        f"there is no {name} with {key} {', '.join(map(str, missing[:_MOST_NAMED]))}{more} "
        f"({len(missing)} of {total}){so}",
        entity=name,
        field=key,
        value=missing,
    )
