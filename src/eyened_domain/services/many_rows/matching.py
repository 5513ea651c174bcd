"""Which rows that are there are meant: found by what names them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eyened_domain.errors import BadInput, Duplicate
from eyened_domain.model.entity import EntityInfo
from eyened_domain.model.names import folded
from eyened_domain.model.values import Blob, Json, Real, shown
from eyened_domain.services.many_rows.checks import Writing
from eyened_domain.services.many_rows.columns import Batch, Named
from eyened_domain.services.many_rows.links import find_by
from eyened_domain.services.sought_values import listed


def matched_by(
    writing: Writing, what: Named, batch: Batch, match: str | Sequence[str] | None
) -> tuple[str, ...]:
    """Return the columns by which rows that are there are found.

    Args:
        writing: of which entity.
        what: which columns were given.
        batch: the rows.
        match: names of columns or links; None for the first natural key that is given whole.

    Raises:
        BadInput: there is no such key, or a column was not given, or is not compared exactly.
    """
    info = writing.info
    if match is None:
        for key in info.unique:
            if batch.values.keys() >= set(key):
                return key
        keys = " or ".join(f"({', '.join(key)})" for key in info.unique)
        known = f"; no natural key was given whole: {keys}" if keys else ""
        raise _refused(info, f"say with match=… by which columns rows are found{known}")
    names = []
    for name in [match] if isinstance(match, str) else listed(info, match, "columns"):
        found = info.field_name(name if isinstance(name, str) else shown(name))
        link = info.links.get(found)
        column = found if link is None else str(link.via)
        if column not in batch.values:
            raise _refused(info, f"match={shown(name)} is not among what was given: {what.told()}")
        if isinstance(info.columns[column].kind, Json | Blob | Real):
            raise _refused(info, f"match={shown(name)} is not compared exactly; match by others")
        names.append(column)
    if not names:
        raise _refused(info, "match names no column")
    return tuple(dict.fromkeys(names))


def _refused(info: EntityInfo, reason: str) -> BadInput:
    return BadInput(f"{info.name}: {reason}", entity=info.name, field="match")


def find(writing: Writing, batch: Batch, names: tuple[str, ...]) -> list[int | None]:
    """Return the id of each row that is there, and lock it; None for those that are not.

    Raises:
        Duplicate: several are there for one.
    """
    keys = [tuple(some) for some in zip(*(batch.values[n] for n in names), strict=True)]
    columns = (writing.key, *names)
    found: dict[tuple[Any, ...], list[int]] = {}
    for identity, *held in find_by(writing.rows, writing.entity, names, keys, columns, lock=True):
        found.setdefault(tuple(map(folded, held)), []).append(identity)
    faults = writing.faults()
    there: list[int | None] = []
    for number, key in zip(batch.numbers, keys, strict=True):
        ids = found.get(tuple(map(folded, key)), [])
        there.append(ids[0] if ids else None)
        if len(ids) > 1:
            told = ", ".join(map(str, ids[:5]))
            reason = f"there are several {writing.info.name} with {', '.join(map(shown, key))}"
            faults.add(number, ", ".join(names), f"{reason}: {told}")
    faults.raise_as(Duplicate)
    return there
