"""The record of imports: what each has made and changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from attrs import field, frozen

from eyened_domain.services.row_shapes import Row


@frozen(kw_only=True)
class ImportRun:
    """One recorded run of an import."""

    import_id: int
    started_at: datetime
    finished_at: datetime | None = None
    undone_at: datetime | None = None
    source: str | None = None
    options: dict[str, Any] = field(factory=dict)


@frozen(kw_only=True)
class MadeRows:
    """Rows that an import made: a run of ids of one entity."""

    entity: str
    first_id: int
    last_id: int


@frozen(kw_only=True)
class ChangedRow:
    """A row that an import changed: what its columns held before and after."""

    entity: str
    row_id: int
    before: Row
    after: Row


class ImportJournal(Protocol):
    """The record of what imports made and changed, so that they can be undone."""

    def begin(self, source: str | None, options: dict[str, Any], *, finished: bool = False) -> int:
        """Note that an import has begun; return its number.

        Args:
            source: where the records came from.
            options: how it is done.
            finished: note as well that it has come to its end: what it writes is written in
                the transaction of this very note.
        """

    def note(self, import_id: int, items: Sequence[MadeRows | ChangedRow]) -> None:
        """Note what an import made and changed."""

    def finish(self, import_id: int) -> None:
        """Note that an import has come to its end."""

    def run(self, import_id: int, *, lock: bool = False) -> ImportRun | None:
        """Return the import of that number; with `lock`, keep others from undoing it.

        Raises:
            ConfigurationError: the storage keeps no record of imports yet.
        """

    def runs(self) -> list[ImportRun]:
        """Return all imports, the newest first."""

    def items(self, import_id: int) -> list[MadeRows | ChangedRow]:
        """Return what an import made and changed."""

    def mark_undone(self, import_id: int) -> None:
        """Note that an import was undone."""
