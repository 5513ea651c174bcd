"""Writes many rows of an entity: checked as objects are, whole sets at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from eyened_domain.errors import BadInput
from eyened_domain.model.entity import Entity
from eyened_domain.model.pixels.grid import PixelGrid
from eyened_domain.services.data_frames import Columns
from eyened_domain.services.many_rows.checks import Writing
from eyened_domain.services.many_rows.columns import (
    Batch,
    converted,
    named,
    read_columns,
)
from eyened_domain.services.many_rows.fresh import FreshRows
from eyened_domain.services.many_rows.links import Linking, ids_of_objects, raise_links
from eyened_domain.services.many_rows.matching import find, matched_by
from eyened_domain.services.many_rows.stored import StoredRows
from eyened_domain.services.many_rows.written import RowsWritten
from eyened_domain.services.rows import Rows

_BESIDE_PIXELS = frozenset({"inactive", "creator_id", "sub_task_id"})
"""Columns of a segmentation that say nothing of its pixels."""


class ManyRows:
    """Inserts, updates and upserts rows of one entity.

    Args:
        entity: whose rows.
        rows: the storage's set-based reading and writing.
        given: a frame of them.

    Raises:
        BadInput: rows of the entity are not written by themselves, or a cell is refused.
    """

    def __init__(self, entity: type[Entity], rows: Rows, given: Any) -> None:
        _refuse_entity(entity)
        columns, total = read_columns(given)
        self._writing = Writing(entity, rows, total)
        self._named = named(entity, columns)
        self._batch = self._read(columns)

    def insert(self) -> list[int]:
        """See `ManyRowsMethods.insert_many`."""
        self._refuse_with_pixels()
        fresh = FreshRows(self._writing)
        return fresh.write(self._batch, fresh.rows(self._batch))

    def update(self, *, clear: bool) -> RowsWritten:
        """See `ManyRowsMethods.update_many`."""
        writing, batch = self._writing, self._batch
        if writing.key not in batch.values:
            raise self._of_key("rows are updated by it; upsert_many finds them by what names them")
        writing.refuse_empty(batch, [writing.key])
        writing.refuse_twice(batch, [writing.key], BadInput)
        self._refuse_with_pixels(batch.values.keys() - {writing.key} - _BESIDE_PIXELS)
        stored = StoredRows(writing)
        changes = stored.changes(batch, clear=clear)
        stored.write(changes)
        ids = list(batch.values[writing.key])
        return RowsWritten(ids=ids, changed=len(changes), same=len(ids) - len(changes))

    def upsert(self, *, match: str | Sequence[str] | None, clear: bool) -> RowsWritten:
        """See `ManyRowsMethods.upsert_many`."""
        self._refuse_with_pixels()
        writing, batch = self._writing, self._batch
        if writing.key in batch.values:
            raise self._of_key("the storage gives it; update_many writes rows by their id")
        names = matched_by(writing, self._named, batch, match)
        writing.refuse_empty(batch, names)
        writing.refuse_twice(batch, names, BadInput)
        there = find(writing, batch, names)
        old = [p for p, identity in enumerate(there) if identity is not None]
        new = [p for p, identity in enumerate(there) if identity is None]
        written = batch.taken(old)
        for name in names:  # what it was found by stays as it is written there
            del written.values[name]
        written.values[writing.key] = [there[p] for p in old]
        fresh, stored = FreshRows(writing), StoredRows(writing)
        changes, batch = stored.changes(written, clear=clear), batch.taken(new)
        made = dict(zip(new, fresh.write(batch, fresh.rows(batch)), strict=True))
        stored.write(changes)
        return RowsWritten(
            ids=[made[p] if one is None else one for p, one in enumerate(there)],
            new=len(new),
            changed=len(changes),
            same=len(old) - len(changes),
        )

    def _refuse_with_pixels(self, names: Collection[str] = ("all",)) -> None:
        """Raise where columns are to be written that go with pixels; all of a new row do."""
        info = self._writing.info
        if names and issubclass(self._writing.entity, PixelGrid):
            raise BadInput(
                f"{info.name}: rows of it are not written many at a time: each goes with its "
                "pixels; add objects, or use Segmenting",
                entity=info.name,
            )

    def _of_key(self, reason: str) -> BadInput:
        info, key = self._writing.info, self._writing.key
        return BadInput(f"{info.name}.{key}: {reason}", entity=info.name, field=key)

    def _read(self, columns: Columns) -> Batch:
        """Return the rows as the entity holds them, with the ids of what they are linked to."""
        writing, what, faults = self._writing, self._named, self._writing.faults()
        info = writing.info
        linking = Linking(writing.rows, columns)
        known = {n: linking.prepared(info.name, one, faults) for n, one in what.links.items()}
        values = {
            name: converted(info, name, label, columns[label], faults)
            for name, label in what.columns.items()
        }
        for name, label in what.objects.items():
            values[str(info.links[name].via)] = ids_of_objects(info, name, columns[label], faults)
        faults.raise_as(BadInput)
        missing, several = writing.faults(), writing.faults()
        for name, one in known.items():
            values[str(info.links[name].via)] = linking.ids(one, missing, several)
        raise_links(missing, several)
        return Batch(list(range(writing.total)), values)


def _refuse_entity(entity: type[Entity]) -> None:
    info = entity.__entity__
    reason = None
    if info.parent or info.discriminator:
        reason = "each is of a special kind, whose row stands in two tables; add objects"
    elif len(info.primary_key) > 1:
        reason = f"they are known by several columns ({', '.join(info.primary_key)}); add objects"
    elif info.columns[info.primary_key[0]].references:
        reason = "their ids are those of what they belong to; add objects"
    if reason is not None:
        raise BadInput(
            f"{info.name}: rows of it are not written many at a time: {reason}", entity=info.name
        )
