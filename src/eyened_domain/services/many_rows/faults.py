"""What is wrong with which row: collected, and raised as one error."""

from __future__ import annotations

from typing import Any

from eyened_domain.errors import EyenedError, RowFault
from eyened_domain.model.values import shown

_TOLD = 5
"""How many reasons are told, and of each how many rows."""


class Faults:
    """Collects what is wrong with rows, so that all of it is told at once.

    Args:
        entity: name of the entity.
        total: how many rows were given.
    """

    def __init__(self, entity: str, total: int) -> None:
        self._entity = entity
        self._total = total
        self._found: list[RowFault] = []

    def add(self, row: int, field: str | None, reason: str, value: Any = None) -> None:
        """Note what is wrong with a row.

        Args:
            row: its number, counted from 0.
            field: where.
            reason: what is wrong; the same for rows of which one sentence tells.
            value: what was given, where it may be shown.
        """
        told = None if value is None else shown(value)
        self._found.append(RowFault(row=row, field=field, reason=reason, value=told))

    def raise_as(self, kind: type[EyenedError]) -> None:
        """Raise what was found as an error of that kind, if anything was."""
        if not self._found:
            return
        first = self._found[0]
        bad = len({one.row for one in self._found})
        error = kind(
            f"{self._entity}: {bad:,} of {self._total:,} rows refused, nothing was written: "
            f"{self._told()}",
            entity=self._entity,
            field=first.field,
            value=first.value,
        )
        error.row_faults = tuple(self._found)
        raise error

    def _told(self) -> str:
        by_reason: dict[tuple[str | None, str], list[int]] = {}
        for one in self._found:
            by_reason.setdefault((one.field, one.reason), []).append(one.row)
        told = [
            f"{_rows(rows)}: {reason if field is None else f'{field}: {reason}'}"
            for (field, reason), rows in list(by_reason.items())[:_TOLD]
        ]
        more = len(by_reason) - len(told)
        return "; ".join(told) + (f"; and {more:,} more" if more > 0 else "")


def _rows(rows: list[int]) -> str:
    """Return the numbers of rows as they are told."""
    if len(rows) == 1:
        return f"row {rows[0]}"
    more = f" and {len(rows) - _TOLD:,} more" if len(rows) > _TOLD else ""
    return f"rows {', '.join(map(str, rows[:_TOLD]))}{more}"
