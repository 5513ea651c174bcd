"""The storages that programs are carried out on, emptied between two of them."""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select, text

from campaigns.differential.vocabulary import WORDS
from eyened_domain.adapters.memory import MemoryStore, MemoryUnitOfWork
from eyened_domain.adapters.sql.database import Database
from eyened_domain.adapters.sql.mapping import TABLES
from eyened_domain.model.entity import Entity

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
    def rows(self) -> Rows:
        """Return everything that is committed."""


class Memory(Storage):
    """The memory adapter."""

    name = "memory"

    def __init__(self) -> None:
        self._store = MemoryStore()

    def unit_of_work(self) -> MemoryUnitOfWork:
        """Return a unit of work that is not open yet."""
        return MemoryUnitOfWork(self._store)

    def empty(self) -> None:
        """Take everything out."""
        self._store = MemoryStore()

    def rows(self) -> Rows:
        """Return everything that is committed."""
        tables = self._store.view().tables
        return {
            word.entity.__name__: [row.values for row in tables[word.entity.__name__].rows.values()]
            if word.entity.__name__ in tables
            else []
            for word in WORDS
        }


class Sql(Storage):
    """A database."""

    def __init__(self, name: str, database: Database) -> None:
        self.name = name
        self._database = database

    def unit_of_work(self) -> Any:
        """Return a unit of work that is not open yet."""
        return self._database.unit_of_work()

    def empty(self) -> None:
        """Take everything out."""
        with self._database.engine.begin() as connection, _unchecked(connection):
            for word in reversed(WORDS):
                connection.execute(TABLES[word.entity].delete())

    def rows(self) -> Rows:
        """Return everything that is committed."""
        with self._database.engine.connect() as connection:
            return {word.entity.__name__: _all(connection, word.entity) for word in WORDS}


def _all(connection: Connection, entity: type[Entity]) -> list[dict[str, Any]]:
    table = TABLES[entity]
    found = connection.execute(select(table))
    return [dict(zip(table.c.keys(), row, strict=True)) for row in found]


@contextmanager
def _unchecked(connection: Connection) -> Iterator[None]:
    """Let rows be deleted that refer to each other."""
    if connection.dialect.name == "sqlite":
        yield
        return
    connection.execute(text("SET SESSION foreign_key_checks = 0"))
    try:
        yield
    finally:
        connection.execute(text("SET SESSION foreign_key_checks = 1"))


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
    from benchmarks.databases import fresh_database

    with fresh_database("mariadb", url) as database:
        yield Sql(name, database)
