"""What is committed: a database in memory."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Any

from eyened_domain.adapters.memory.constraints import (
    check_keys,
    check_references,
    check_unreferred,
    duplicate,
)
from eyened_domain.adapters.memory.references import Key
from eyened_domain.adapters.memory.tables import Row, Table, View, keys_within, row_in
from eyened_domain.errors import Conflict, RowChanged, RuleBroken
from eyened_domain.model.values import shown


class MemoryStore:
    """A database in memory: what is committed. Several units of work may share it.

    Args:
        keeps_history: whether it is kept who changed what.
    """

    def __init__(self, *, keeps_history: bool = True) -> None:
        self.keeps_history: bool = keeps_history
        self._tables: dict[str, Table] = {}
        self._last_ids: defaultdict[str, int] = defaultdict(int)
        self.pixels: dict[tuple[str, int], Any] = {}
        """Arrays of pixels by path and position; none is changed once it is there."""
        self._lock = threading.RLock()

    def view(self) -> View:
        """Return what is committed now, to be read and changed by one transaction."""
        return View(self._tables)

    def next_id(self, root: str) -> int:
        """Return an id that no object of the table has had."""
        with self._lock:
            self._last_ids[root] += 1
            return self._last_ids[root]

    def skip_ids(self, root: str, given: int) -> None:
        """Note an id that was given by hand, so that it is not given again."""
        with self._lock:
            self._last_ids[root] = max(self._last_ids[root], given)

    def commit(self, view: View) -> None:
        """Make the changes of a view permanent: all of them, or none.

        Raises:
            Conflict: somebody else has committed a change of the same row, or of one that
                a changed row hangs on.
            Duplicate: somebody else has committed the same natural key.
        """
        with self._lock:
            if self._tables is not view.base:
                view = self._merged(view)
            self._tables = dict(view.tables)

    def check_unchanged(self, view: View, root: str, key: Key) -> None:
        """Raise `Conflict` where somebody else has committed a change of a row meanwhile."""
        if row_in(self._tables, root, key) is not row_in(view.base, root, key):
            raise RowChanged(
                f"{root} {shown(key)} was changed by somebody else since it was read; run it again",
                entity=root,
            )

    def _check_kept_out(self, view: View) -> None:
        """Raise `Conflict` where a view writes, and others have added what it keeps out."""
        for root, column, runs in view.kept_out if view.changed else ():
            before = keys_within(view.base, root, column, runs)
            if keys_within(self._tables, root, column, runs) - before:
                raise Conflict(
                    f"somebody else has added a {root} with the same {column} since it was looked "
                    "for; run it again",
                    entity=root,
                    field=column,
                )

    def _merged(self, view: View) -> View:
        """Return the changes of a view, applied to what others have committed meanwhile."""
        merged = View(self._tables)
        for root, key in view.relied_on:
            self.check_unchanged(view, root, key)
        self._check_kept_out(view)
        for root, key in view.changes():
            read, there = row_in(view.base, root, key), row_in(self._tables, root, key)
            if isinstance(there, Row) and read is None:
                raise duplicate(there.entity, there.info.primary_key)
            columns = view.overwritten.get((root, key))
            if columns is not None and there is not None:
                merged._write(root, key, Row(there.entity, {**there.values, **columns}))
                continue
            self.check_unchanged(view, root, key)
            merged._write(root, key, view.row(root, key))
        there_now = [merged.row(root, key) for root, key in view.changes()]
        written = [row for row in there_now if isinstance(row, Row)]
        check_keys(merged, written)
        try:
            check_references(merged, written)
            check_unreferred(merged, (one for one in view.changes() if one[0] not in view.subjects))
        except RuleBroken as broken:
            raise Conflict(f"somebody else changed what this hangs on: {broken}") from broken
        return merged
