"""The storages that programs are carried out on, emptied between two of them."""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Dialect, Table
from sqlalchemy.orm.util import identity_key

from campaigns.differential.faults import Faults
from campaigns.differential.stock import stock
from campaigns.differential.vocabulary import WORDS, word_of
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.memory import MemoryStore, MemoryUnitOfWork
from eyened_domain.adapters.sql.schema import TABLES
from eyened_domain.model.entity import Entity, entity_class, root_of

Rows = dict[str, list[dict[str, Any]]]
"""The rows of each class, by field name."""
FASTER = Path("/dev/shm")


class Storage(ABC):
    """Something that gives units of work, and can be emptied."""

    name: str

    @abstractmethod
    def unit_of_work(self) -> Any:
        """Return a unit of work that is not open yet."""

    @abstractmethod
    def empty(self) -> None:
        """Take everything out."""

    @abstractmethod
    def stock(self, *, with_form: bool) -> None:
        """Put the stock into the empty storage, without the work of storing it each time."""

    @abstractmethod
    def rows(self) -> Rows:
        """Return everything that is committed."""

    @abstractmethod
    def knows(self, uow: Any, name: str, identity: Any) -> bool:
        """Whether a unit of work still knows an object of a class, so that it is not asked for."""

    @abstractmethod
    def known(self, uow: Any) -> list[Any]:
        """Return the objects that a unit of work knows."""

    @property
    def faults(self) -> frozenset[str]:
        """The kinds of all that was wrong with what was last watched, where that is known."""
        return frozenset()

    def watched(self) -> AbstractContextManager[None]:
        """Give a block in which faults are noted."""
        return nullcontext()

    def store(self, objects: Iterable[Entity]) -> None:
        """Store objects in a unit of work of their own."""
        with self.unit_of_work() as uow:
            for one in objects:
                getattr(uow, word_of(one).repository).add(one)
            uow.commit()


class Memory(Storage):
    """The memory adapter."""

    name = "memory"

    def __init__(self) -> None:
        self._store = MemoryStore()
        self._stocked: dict[bool, MemoryStore] = {}
        self._faults = Faults()

    def knows(self, uow: Any, name: str, identity: Any) -> bool:
        """Whether a unit of work knows an object: also one that nobody holds any more."""
        return (root_of(name), (identity,)) in uow._objects.known

    def known(self, uow: Any) -> list[Any]:
        """Return the objects of the unit, which keeps them itself."""
        return [held.entity for held in uow._objects.known.values()]

    @property
    def faults(self) -> frozenset[str]:
        """The kinds of all that was wrong with what was last watched."""
        return self._faults.last

    def watched(self) -> AbstractContextManager[None]:
        """Give a block in which faults are noted."""
        return self._faults.watched()

    def unit_of_work(self) -> MemoryUnitOfWork:
        """Return a unit of work that is not open yet."""
        return MemoryUnitOfWork(self._store)

    def empty(self) -> None:
        """Take everything out."""
        self._store = MemoryStore()

    def stock(self, *, with_form: bool) -> None:
        """Put the stock in; committed tables are never changed, so that all may share them."""
        if with_form not in self._stocked:
            self.store(stock(with_form=with_form))
            self._stocked[with_form] = self._store
        self._store = MemoryStore()
        self._store._tables = dict(self._stocked[with_form]._tables)
        self._store._last_ids.update(self._stocked[with_form]._last_ids)

    def rows(self) -> Rows:
        """Return everything that is committed."""
        tables = self._store.view().tables
        return {
            word.entity.__name__: [
                row.values
                for row in (tables[root].rows.values() if root in tables else ())
                if row.entity is word.entity
            ]
            for word in WORDS
            for root in [root_of(word.entity.__name__)]
        }


class Sql(Storage):
    """A database; it is emptied, filled and read by the driver's cursors, past SQLAlchemy."""

    def __init__(self, name: str, database: Database) -> None:
        self.name = name
        self._database = database
        self._tables = {
            word.entity: _Plain(_tables_of(word.entity), database.engine.dialect) for word in WORDS
        }
        between = {
            entity_class(link.through[0])
            for word in WORDS
            for link in word.entity.__entity__.links.values()
            if link.through
        }
        self._between = [_Plain([TABLES[one]], database.engine.dialect) for one in between]
        """The tables between two others, of which programs do not speak by themselves."""
        self._filled = list(reversed(WORDS))
        """The words whose tables may hold something."""
        self._stocked: dict[bool, list[tuple[str, list[Any]]]] = {}
        """The statements that insert the stock, and their rows."""

    def unit_of_work(self) -> Any:
        """Return a unit of work that is not open yet."""
        return self._database.unit_of_work()

    def knows(self, uow: Any, name: str, identity: Any) -> bool:
        """Whether a unit of work knows an object, which somebody holds."""
        return identity_key(entity_class(name), identity) in uow.session.identity_map

    def known(self, uow: Any) -> list[Any]:
        """Return the objects of the session, which it does not keep by itself."""
        return list(uow.session.identity_map.values())

    def empty(self) -> None:
        """Take everything out."""
        with self._cursor() as cursor:
            for plain in (*self._between, *(self._tables[word.entity] for word in self._filled)):
                for statement in plain.empty:
                    cursor.execute(statement)
            if self._database.engine.dialect.name == "sqlite":
                cursor.execute("DELETE FROM sqlite_sequence")  # ids begin at 1 again
        self._filled = list(reversed(WORDS))

    def stock(self, *, with_form: bool) -> None:
        """Put the stock in as rows."""
        if with_form not in self._stocked:
            self.store(stock(with_form=with_form))
            with self._cursor() as cursor:
                self._stocked[with_form] = [
                    one for plain in self._tables.values() for one in plain.inserts(cursor)
                ]
            return
        with self._cursor() as cursor:
            for statement, rows in self._stocked[with_form]:
                if rows:
                    cursor.executemany(statement, rows)

    def rows(self) -> Rows:
        """Return everything that is committed."""
        with self._cursor() as cursor:
            found = {word.entity: self._tables[word.entity].rows(cursor) for word in WORDS}
        self._filled = [word for word in reversed(WORDS) if found[word.entity]]
        return {entity.__name__: rows for entity, rows in found.items()}

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        """Give a cursor of the driver, for which rows that refer to each other are no matter."""
        is_sqlite = self._database.engine.dialect.name == "sqlite"
        switch = "PRAGMA foreign_keys = {}" if is_sqlite else "SET SESSION foreign_key_checks = {}"
        connection = self._database.engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(switch.format(0))
            if is_sqlite:
                cursor.execute("BEGIN")
            yield cursor
            connection.commit()
            cursor.execute(switch.format(1))
        finally:
            connection.close()


class _Plain:
    """The statements on the tables of a class, without SQLAlchemy in between.

    Args:
        tables: its own, after that of the class whose special kind it is.
        dialect: of the database.
    """

    def __init__(self, tables: list[Table], dialect: Dialect) -> None:
        quote = dialect.identifier_preparer.quote
        mark = "?" if dialect.paramstyle == "qmark" else "%s"
        self.empty: list[str] = []
        self._read: list[str] = []
        self._insert: list[str] = []
        self._fields: list[list[tuple[str, Any]]] = []
        for table in tables:
            columns, name = list(table.c), quote(table.name)
            names = ", ".join(quote(column.name) for column in columns)
            marks = ", ".join([mark] * len(columns))
            self._read.append(f"SELECT {names} FROM {name}")
            self.empty.append(f"DELETE FROM {name}")
            self._insert.append(f"INSERT INTO {name} ({names}) VALUES ({marks})")
            self._fields.append(
                [(one.key, one.type._cached_result_processor(dialect, None)) for one in columns]
            )
        self._key = tables[-1].primary_key.columns[0].key

    def inserts(self, cursor: Any) -> list[tuple[str, list[Any]]]:
        """Return the statements that insert what there is, and its rows as the driver has them."""
        return list(zip(self._insert, self._raw(cursor), strict=True))

    def rows(self, cursor: Any) -> list[dict[str, Any]]:
        """Return the rows of the class's own table, with what the other one has of them."""
        above: dict[Any, dict[str, Any]] = {}
        found: list[dict[str, Any]] = []
        for fields, raw in zip(self._fields, self._raw(cursor), strict=True):
            found = [
                {
                    key: value if read is None else read(value)
                    for (key, read), value in zip(fields, row, strict=True)
                }
                for row in raw
            ]
            found = [above.get(row[self._key], {}) | row for row in found]
            above = {row[self._key]: row for row in found}
        return found

    def _raw(self, cursor: Any) -> list[list[Any]]:
        """Return the rows of each table as the driver gives them."""
        found = []
        for statement in self._read:
            cursor.execute(statement)
            found.append(list(cursor.fetchall()))
        return found


def _tables_of(entity: type[Entity]) -> list[Table]:
    """Return the tables of a class, its own last."""
    parent = entity.__entity__.parent
    above = [] if parent is None else _tables_of(entity_class(parent))
    return [*above, TABLES[entity]]


@contextmanager
def sqlite() -> Iterator[Storage]:
    """Give an SQLite database in a file that is kept in memory where that can be."""
    where = str(FASTER) if FASTER.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="differential-", dir=where) as folder:
        database = Database(f"sqlite:///{folder}/test_differential.db")
        database.init()
        try:
            yield Sql("sqlite", database)
        finally:
            with suppress(OSError):
                database.close()


@contextmanager
def server(name: str, url: str) -> Iterator[Storage]:
    """Give a database of its own on a server.

    Args:
        name: what the server is called in what is told.
        url: of the database; its name must start with ``test_``.
    """
    from campaigns.kit.databases import fresh_database

    with fresh_database("mariadb", url) as database:
        yield Sql(name, database)
