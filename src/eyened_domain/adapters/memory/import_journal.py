"""The record of imports, in memory; see `services.import_journal.ImportJournal`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs

from eyened_domain.services.import_journal import ChangedRow, ImportRun, MadeRows

if TYPE_CHECKING:
    from eyened_domain.adapters.memory.objects import Objects

_RUNS, _ITEMS = "imports", "rows of imports"


class MemoryImportJournal:
    """The record of imports, as the transaction of a unit of work sees and extends it."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def begin(self, source: str | None, options: dict[str, Any], *, finished: bool = False) -> int:
        """Note that an import has begun, or is finished at once; return its number."""
        number, now = self._objects.store.next_id(_RUNS), datetime.now()
        run = ImportRun(
            import_id=number,
            started_at=now,
            finished_at=now if finished else None,
            source=source,
            options=dict(options),
        )
        self._objects.view.note(_RUNS, (number,), run)
        return number

    def note(self, import_id: int, items: Sequence[MadeRows | ChangedRow]) -> None:
        """Note what an import made and changed."""
        self._objects.view.note(_ITEMS, (import_id,), (*self.items(import_id), *items))

    def finish(self, import_id: int) -> None:
        """Note that an import has come to its end."""
        self._stamp(import_id, finished_at=datetime.now())

    def mark_undone(self, import_id: int) -> None:
        """Note that an import was undone."""
        self._stamp(import_id, undone_at=datetime.now())

    def run(self, import_id: int, *, lock: bool = False) -> ImportRun | None:  # noqa: ARG002
        """Return the import of that number."""
        return self._objects.view.notes(_RUNS).get((import_id,))

    def runs(self) -> list[ImportRun]:
        """Return all imports, the newest first."""
        return [run for _, run in sorted(self._objects.view.notes(_RUNS).items(), reverse=True)]

    def items(self, import_id: int) -> list[MadeRows | ChangedRow]:
        """Return what an import made and changed, in its order."""
        return list(self._objects.view.notes(_ITEMS).get((import_id,), ()))

    def _stamp(self, import_id: int, **when: Any) -> None:
        run = self._objects.view.notes(_RUNS)[import_id,]
        self._objects.view.note(_RUNS, (import_id,), attrs.evolve(run, **when))
