"""What stands at the end of a path, from a row in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eyened_domain.adapters.memory.tables import Row
from eyened_domain.services.column_paths import ColumnPath

if TYPE_CHECKING:
    from eyened_domain.adapters.memory.objects import Objects


def value_at(objects: Objects, row: Row | None, path: ColumnPath) -> Any:
    """Return what a path leads to from a row; None where a link is empty."""
    for step in path.steps:
        identity = None if row is None else row.values[step.via]
        row = objects.view.row(step.target.__entity__.root, (identity,))
    return None if row is None else row.values[path.column]
