"""The record of imports, in memory; see `services.import_journal.ImportJournal`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs

from eyened_domain.services.import_journal import ChangedRow, ImportRun, MadeRows


@attrs.define
class ImportRecord:
    """What is recorded of imports."""

    runs: dict[int, ImportRun] = attrs.field(factory=dict)
    items: dict[int, list[MadeRows | ChangedRow]] = attrs.field(factory=dict)


class MemoryImportJournal:
    """The record of imports as one unit of work sees and extends it.

    Args:
        committed: what is recorded for good; extended by `commit`.
    """

    def __init__(self, committed: ImportRecord) -> None:
        self._committed = committed
        self._now = ImportRecord(
            runs=dict(committed.runs),
            items={number: list(items) for number, items in committed.items.items()},
        )

    def begin(self, source: str | None, options: dict[str, Any], *, finished: bool = False) -> int:
        """Note that an import has begun, or is finished at once; return its number."""
        number, now = max(self._now.runs, default=0) + 1, datetime.now()
        self._now.runs[number] = ImportRun(
            import_id=number,
            started_at=now,
            finished_at=now if finished else None,
            source=source,
            options=dict(options),
        )
        self._now.items[number] = []
        return number

    def note(self, import_id: int, items: Sequence[MadeRows | ChangedRow]) -> None:
        """Note what an import made and changed."""
        self._now.items[import_id].extend(items)

    def finish(self, import_id: int) -> None:
        """Note that an import has come to its end."""
        self._stamp(import_id, finished_at=datetime.now())

    def mark_undone(self, import_id: int) -> None:
        """Note that an import was undone."""
        self._stamp(import_id, undone_at=datetime.now())

    def run(self, import_id: int, *, lock: bool = False) -> ImportRun | None:  # noqa: ARG002
        """Return the import of that number."""
        return self._now.runs.get(import_id)

    def runs(self) -> list[ImportRun]:
        """Return all imports, the newest first."""
        return [self._now.runs[number] for number in sorted(self._now.runs, reverse=True)]

    def items(self, import_id: int) -> list[MadeRows | ChangedRow]:
        """Return what an import made and changed, in its order."""
        return list(self._now.items[import_id])

    def mark(self) -> ImportRecord:
        """Return a mark to which what is noted can be undone."""
        items = {number: list(items) for number, items in self._now.items.items()}
        return ImportRecord(runs=dict(self._now.runs), items=items)

    def undo(self, mark: ImportRecord) -> None:
        """Take back what was noted since the mark."""
        self._now = mark

    def commit(self) -> None:
        """Record for good what this unit of work has noted."""
        self._committed.runs = dict(self._now.runs)
        self._committed.items = {number: list(items) for number, items in self._now.items.items()}

    def _stamp(self, import_id: int, **when: Any) -> None:
        self._now.runs[import_id] = attrs.evolve(self._now.runs[import_id], **when)
