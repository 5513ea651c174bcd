"""Databases in memory (``sqlite://``): of one process, and gone when they are closed.

SQLite's own have one connection, or several that are in each other's way: who reads keeps
others from committing. Here each session has a connection of its own, and sees what it would
see with a file. It is one, in a temporary folder that only this user may enter, and nobody
waits for the disk.
"""

from __future__ import annotations

import threading
import weakref
from typing import ClassVar

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from eyened_domain.adapters.sql.old_rows import read_json
from eyened_domain.adapters.sql.sqlite_turns import PATIENCE_S, TurnTaking
from eyened_domain.config.temporary import name_folder, remove_folder


def is_in_memory(url: URL) -> bool:
    """Whether it is the URL of an SQLite database in memory."""
    if url.get_backend_name() != "sqlite":
        return False
    name = (url.database or "").removeprefix("file:")
    return name in ("", ":memory:") or url.query.get("mode") == "memory"


def in_memory_engine(url: URL) -> Engine:
    """Return an engine for a database in memory; its first connection makes it.

    With a name and ``cache=shared``, all engines of the process have the same database;
    otherwise each has its own. It is gone when they have been disposed of.
    """
    place = _Place(url.database if url.query.get("cache") == "shared" else None)
    engine = create_engine(
        url,
        hide_parameters=True,
        json_deserializer=read_json,
        poolclass=QueuePool,
        creator=place.connect,
    )
    event.listen(engine, "engine_disposed", place.leave)
    return engine


class _Folder:
    """A temporary folder, removed when nobody has it any more."""

    def __init__(self) -> None:
        self.path = name_folder()
        self.path.mkdir(mode=0o700)
        weakref.finalize(self, remove_folder, self.path)


class _Place:
    """Where the database of one engine is.

    Args:
        name: what other engines know it by; None when it is this engine's alone.
    """

    _lock = threading.Lock()
    _by_name: ClassVar[weakref.WeakValueDictionary[str, _Folder]] = weakref.WeakValueDictionary()

    def __init__(self, name: str | None) -> None:
        self._name = name
        self._folder: _Folder | None = None

    def connect(self) -> TurnTaking:
        """Return a new connection."""
        with self._lock:
            if self._folder is None:
                self._folder = self._by_name.get(self._name or "") or _Folder()
            if self._name is not None:
                self._by_name[self._name] = self._folder
            file = self._folder.path / "memory.db"
        return TurnTaking(file, timeout=PATIENCE_S, check_same_thread=False)

    def leave(self, _engine: Engine) -> None:
        """Let the database go; another connection makes a new one."""
        self._folder = None
