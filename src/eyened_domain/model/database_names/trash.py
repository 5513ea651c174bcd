"""The fields of `model.trash` under their second names, for type checkers.

Written by `python -m tests.architecture.database_names`, from the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from eyened_domain import model
    from eyened_domain.model.fields import Column, DateColumn, One


class TrashEntryNames:
    """The fields of `TrashEntry` under their second names."""

    TrashEntryID: Column[int]
    EntityName: Column[str]
    EntityID: Column[int]
    CreatorID: Column[int | None]
    Reason: Column[str | None]
    Contents: Column[dict[str, list[list[int]]]]
    DateInserted: DateColumn[datetime]
    Creator: One[model.Creator | None]
