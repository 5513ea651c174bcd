"""The record of imports, in the tables `ImportBatch` and `ImportItem`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from enum import Enum
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from eyened_domain.adapters.sql.own_tables import execute_on
from eyened_domain.adapters.sql.schema.bookkeeping import import_batch, import_item
from eyened_domain.model.entity import entity_class
from eyened_domain.services.import_journal import ChangedRow, ImportRun, MadeRows
from eyened_domain.services.row_shapes import Row

_CHUNK = 1000
_SOURCE_LENGTH = 1000

_LACKS = "no record of imports yet, so nothing was written"


class SqlImportJournal:
    """The record of imports on a session; see `services.import_journal.ImportJournal`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def begin(self, source: str | None, options: dict[str, Any], *, finished: bool = False) -> int:
        """Note that an import has begun, or is finished at once; return its number."""
        now = _now()
        row = {
            "started_at": now,
            "finished_at": now if finished else None,
            "source": source and source[:_SOURCE_LENGTH],
            "options": options,
        }
        made = self._execute(insert(import_batch).values(row)).inserted_primary_key
        return int(made[0]) if made else 0

    def note(self, import_id: int, items: Sequence[MadeRows | ChangedRow]) -> None:
        """Note what an import made and changed."""
        rows = [{"import_batch_id": import_id, **_row(item)} for item in items]
        for start in range(0, len(rows), _CHUNK):
            self._execute(insert(import_item), rows[start : start + _CHUNK])

    def finish(self, import_id: int) -> None:
        """Note that an import has come to its end."""
        self._stamp(import_id, finished_at=_now())

    def mark_undone(self, import_id: int) -> None:
        """Note that an import was undone."""
        self._stamp(import_id, undone_at=_now())

    def run(self, import_id: int, *, lock: bool = False) -> ImportRun | None:
        """Return the import of that number; with `lock`, keep others from undoing it."""
        statement = select(import_batch).where(import_batch.c.import_batch_id == import_id)
        if lock:
            statement = statement.with_for_update()
        row = self._execute(statement).first()
        return None if row is None else _run(row)

    def runs(self) -> list[ImportRun]:
        """Return all imports, the newest first."""
        statement = select(import_batch).order_by(import_batch.c.import_batch_id.desc())
        return [_run(row) for row in self._execute(statement)]

    def items(self, import_id: int) -> list[MadeRows | ChangedRow]:
        """Return what an import made and changed, in its order."""
        statement = (
            select(import_item)
            .where(import_item.c.import_batch_id == import_id)
            .order_by(import_item.c.import_item_id)
        )
        return [_item(row) for row in self._execute(statement)]

    def _execute(self, statement: Any, parameters: Any = None) -> Any:
        return execute_on(import_item, _LACKS, self._session, statement, parameters)

    def _stamp(self, import_id: int, **when: datetime) -> None:
        self._execute(
            update(import_batch).where(import_batch.c.import_batch_id == import_id).values(when)
        )


def _now() -> datetime:
    return datetime.now().replace(microsecond=0)


def _run(row: Any) -> ImportRun:
    return ImportRun(
        import_id=row.import_batch_id,
        started_at=row.started_at,
        finished_at=row.finished_at,
        undone_at=row.undone_at,
        source=row.source,
        options=row.options or {},
    )


def _row(item: MadeRows | ChangedRow) -> Row:
    if isinstance(item, MadeRows):
        return {
            "entity": item.entity,
            "first_id": item.first_id,
            "last_id": item.last_id,
            "before": None,
        }
    return {
        "entity": item.entity,
        "first_id": item.row_id,
        "last_id": item.row_id,
        "before": {"before": _plain(item.before), "after": _plain(item.after)},
    }


def _item(row: Any) -> MadeRows | ChangedRow:
    if row.before is None:
        return MadeRows(entity=row.entity, first_id=row.first_id, last_id=row.last_id)
    return ChangedRow(
        entity=row.entity,
        row_id=row.first_id,
        before=_typed(row.entity, row.before["before"]),
        after=_typed(row.entity, row.before["after"]),
    )


def _plain(columns: Row) -> Row:
    return {name: _plain_value(value) for name, value in columns.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.name
    return value.isoformat() if isinstance(value, date) else value


def _typed(entity: str, columns: Row) -> Row:
    known = entity_class(entity).__entity__.columns
    return {
        name: None if value is None else known[name].kind.convert(value)
        for name, value in columns.items()
    }
