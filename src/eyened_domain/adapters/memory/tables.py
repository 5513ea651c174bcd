"""Rows, the tables that they stand in, and what one transaction sees and changes of them.

Committed tables are never changed in place: a unit of work copies a table when it first
writes to it, and a commit puts the copies in the place of the originals. A unit therefore
sees one consistent state, and a row that somebody else has changed is another `Row`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from eyened_domain.adapters.memory.references import Key, indexed
from eyened_domain.model.entity import Entity, EntityInfo, entity_class
from eyened_domain.model.names import folded
from eyened_domain.services.row_shapes import Runs, within


class Row:
    """One stored object: its class and the values of its columns. Never changed, replaced."""

    __slots__ = ("entity", "info", "key", "values")

    def __init__(self, entity: type[Entity], values: dict[str, Any]) -> None:
        self.entity: type[Entity] = entity
        self.info: EntityInfo = entity.__entity__
        self.values: dict[str, Any] = values
        self.key: Key = self.info.key(values)


_NOTHING = ()
"""Stands in an index for nothing, where that counts as a value."""


class Index:
    """From the values of some columns to the primary keys of the rows that hold them.

    Texts count as the same where `model.names.fold` says so; rows with a NULL are not in it,
    but in a column where nothing counts as a value.
    """

    def __init__(self, columns: tuple[str, ...], counted_empty: tuple[str, ...] = ()) -> None:
        self.columns = columns
        self.counted_empty = counted_empty
        self._keys: dict[Key, dict[Key, None]] = {}
        self._own: set[Key] = set()

    def copy(self) -> Index:
        """Return a copy that shares its parts until they are changed."""
        copied = Index(self.columns, self.counted_empty)
        copied._keys = dict(self._keys)
        return copied

    def find(self, values: dict[str, Any]) -> tuple[Key, ...]:
        """Return the primary keys of the rows that hold the same values."""
        return tuple(self._keys.get(self._sought(values) or (), ()))

    def add(self, row: Row) -> None:
        """Note a row."""
        sought = self._sought(row.values)
        if sought is not None:
            self._owned(sought)[row.key] = None

    def discard(self, row: Row) -> None:
        """Forget a row."""
        sought = self._sought(row.values)
        if sought is not None:
            self._owned(sought).pop(row.key, None)

    def _sought(self, values: dict[str, Any]) -> Key | None:
        found = tuple(folded(values.get(name)) for name in self.columns)
        if self.counted_empty:
            found = tuple(
                _NOTHING if value is None and name in self.counted_empty else value
                for name, value in zip(self.columns, found, strict=True)
            )
        return None if None in found else found

    def _owned(self, sought: Key) -> dict[Key, None]:
        if sought not in self._own:
            self._own.add(sought)
            self._keys[sought] = dict(self._keys.get(sought, ()))
        return self._keys[sought]


class Table:
    """The rows of an entity class and its special kinds, by primary key."""

    def __init__(self, root: str) -> None:
        self.rows: dict[Key, Row] = {}
        self.indexes: dict[tuple[str, ...], Index] = {
            columns: Index(columns, _counted_empty(root, columns)) for columns in indexed(root)
        }

    def copy(self) -> Table:
        """Return a copy to be changed."""
        copied = Table.__new__(Table)
        copied.rows = dict(self.rows)
        copied.indexes = {columns: index.copy() for columns, index in self.indexes.items()}
        return copied

    def holding(self, **values: Any) -> list[Row]:
        """Return the rows that hold these values, in columns that are indexed together."""
        return [self.rows[key] for key in self.indexes[tuple(values)].find(values)]

    def put(self, key: Key, row: Row | None) -> None:
        """Let a row stand under its key; None takes away what stands there."""
        before = self.rows.pop(key, None)
        for index in self.indexes.values():
            if before is not None:
                index.discard(before)
            if row is not None:
                index.add(row)
        if row is not None:
            self.rows[key] = row


def _counted_empty(root: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns of a natural key in which nothing counts as a value."""
    info = entity_class(root).__entity__
    return info.counted_empty if columns in info.unique else ()


class View:
    """The tables as one transaction sees them, with its own changes."""

    def __init__(self, tables: dict[str, Table]) -> None:
        self.base = tables
        self.tables: dict[str, Table] = dict(tables)
        self.changed: defaultdict[str, set[Key]] = defaultdict(set)
        self.relied_on: dict[tuple[str, Key], None] = {}
        """The rows that must not be changed by others, though this transaction only reads them."""
        self.kept_out: list[tuple[str, str, Runs]] = []
        """Tables, columns and values: others must not add a row with one of these."""
        self.overwritten: dict[tuple[str, Key], dict[str, Any]] = {}
        """The columns that are written whatever others have written meanwhile."""
        self.subjects: set[str] = set()
        """What was noted beside the entities; see `note`."""
        self.transaction: int | None = None
        """What the history knows it by, once it has noted something."""
        self._journal: list[tuple[str, Key, Row | None]] = []

    def table(self, root: str) -> Table:
        """Return a table, to be read."""
        found = self.tables.get(root)
        return Table(root) if found is None else found

    def row(self, root: str, key: Key) -> Row | None:
        """Return the row with that primary key, if there is one."""
        found = self.tables.get(root)
        return None if found is None else found.rows.get(key)

    def put(self, row: Row) -> None:
        """Store a row, in the place of the one with the same primary key."""
        self.overwritten.pop((row.info.root, row.key), None)
        self._write(row.info.root, row.key, row)

    def overwrite(self, row: Row, columns: dict[str, Any]) -> None:
        """Store columns of a row, whatever others write meanwhile: the last who writes wins."""
        key = (row.info.root, row.key)
        is_only_so = key in self.overwritten or row.key not in self.changed.get(row.info.root, ())
        before = self.overwritten.get(key, {})
        self._write(*key, Row(row.entity, {**row.values, **columns}))
        if is_only_so:
            self.overwritten[key] = before | columns

    def rely_on(self, row: Row) -> None:
        """Note that a row must not be changed by others until this transaction ends."""
        self.relied_on[row.info.root, row.key] = None

    def keep_out(self, root: str, column: str, runs: Runs) -> None:
        """Note that others must not add rows with these values until this transaction ends."""
        self.kept_out.append((root, column, runs))

    def remove(self, row: Row) -> None:
        """Take a row out."""
        self._write(row.info.root, row.key, None)

    def notes(self, subject: str) -> dict[Key, Any]:
        """Return what is noted beside the entities, by its key: to be read."""
        return self.table(subject).rows

    def note(self, subject: str, key: Key, value: Any) -> None:
        """Note something beside the entities: committed and taken back as rows are.

        Args:
            subject: what it is about; no name of an entity.
            key: what it is found by.
            value: never changed in place, but noted anew.
        """
        self.subjects.add(subject)
        self._write(subject, key, value)

    def mark(self) -> int:
        """Return a mark to which the changes can be undone."""
        return len(self._journal)

    def undo(self, mark: int) -> None:
        """Take back all changes since the mark."""
        for root, key, before in reversed(self._journal[mark:]):
            self.tables[root].put(key, before)
        del self._journal[mark:]

    def written(self, mark: int) -> dict[tuple[str, Key], None]:
        """Return the table and primary key of each row that was changed since the mark."""
        return {(root, key): None for root, key, _ in self._journal[mark:]}

    def before(self, mark: int) -> dict[tuple[str, Key], Row | None]:
        """Return what each row that was changed since the mark was then; None where it was not."""
        found: dict[tuple[str, Key], Row | None] = {}
        for root, key, row in self._journal[mark:]:
            found.setdefault((root, key), row)
        return found

    def changes(self) -> Iterator[tuple[str, Key]]:
        """Yield the table and the primary key of each row that was written or taken out."""
        for root, keys in self.changed.items():
            for key in keys:
                yield root, key

    def _write(self, root: str, key: Key, row: Row | None) -> None:
        if root not in self.changed:
            self.tables[root] = self.table(root).copy()
        self.changed[root].add(key)
        table = self.tables[root]
        self._journal.append((root, key, table.rows.get(key)))
        table.put(key, row)


def row_in(tables: dict[str, Table], root: str, key: Key) -> Row | None:
    """Return the row with that primary key, if there is one."""
    table = tables.get(root)
    return None if table is None else table.rows.get(key)


def keys_within(tables: dict[str, Table], root: str, column: str, runs: Runs) -> set[Key]:
    """Return the primary keys of the rows whose column lies in one of the runs (first, last)."""
    table = tables.get(root)
    rows, runs = {} if table is None else table.rows, sorted(runs)
    return {key for key, row in rows.items() if within(row.values.get(column), runs)}
