"""Which rows are inactive, in memory; see `services.inactive`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from eyened_domain.adapters.memory.tables import Row, View
from eyened_domain.model.fields import LinkInfo
from eyened_domain.services.column_paths import path_of
from eyened_domain.services.inactive import flags_in

_path_of = cache(path_of)


def is_active(view: View, row: Row, flags: Iterable[str]) -> bool:
    """Return whether none of the flags of a row is set, where they lead to anything."""
    return not any(_is_set(view, row, flag) for flag in flags)


def active_in(view: View, link: LinkInfo, rows: list[Row]) -> list[Row]:
    """Return the rows that are not left out of a list."""
    flags = flags_in(link)
    return [row for row in rows if is_active(view, row, flags)] if flags else rows


def _is_set(view: View, row: Row, flag: str) -> bool:
    path, there = _path_of(row.entity, flag), row
    for step in path.steps:
        found = view.row(step.target.__entity__.root, (there.values[step.via],))
        if found is None:
            return False
        there = found
    return bool(there.values[path.column])
