"""Positions that this process has reserved: some at a time, handed out one by one."""

from __future__ import annotations

import os
import random
import threading
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar

from sqlalchemy import Connection, Engine

from eyened_domain.adapters.pixels.positions import ownership
from eyened_domain.adapters.pixels.positions.mounted import check_store
from eyened_domain.adapters.pixels.positions.rows import (
    ReservedPosition,
    array_id_for,
    grow_again,
    has_pixels,
    reserve,
)
from eyened_domain.adapters.pixels.zarr.files import SlotFiles
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.sql.sqlite_turns import BEGIN
from eyened_domain.errors import Conflict

T = TypeVar("T")
BLOCK = 16
"""Positions that are reserved at a time: a lock, two writes to the disk and a commit for all."""
KEPT_S = 24 * 3600
"""How long in seconds positions are kept to be handed out: well below the collector's grace."""
_TRIES = 12
_PATIENCE_S = 60
"""Seconds after which it is not tried again; one wait for a lock may last 50 on a server."""


class _Pool:
    """What one process has reserved; a fork starts with an empty one of its own."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.lock = threading.Lock()
        self.locks: defaultdict[ArrayKey, threading.Lock] = defaultdict(threading.Lock)
        self.waiting: defaultdict[ArrayKey, deque[ReservedPosition]] = defaultdict(deque)
        self.since: dict[ArrayKey, float] = {}

    def usable(self, key: ArrayKey) -> deque[ReservedPosition]:
        """Return what is reserved of an array, and not so old that the collector may come."""
        if time.monotonic() - self.since.get(key, 0.0) > KEPT_S:
            self.waiting[key].clear()
        return self.waiting[key]


class Reservations:
    """Gives positions for new pixels; may be shared by threads, and forked.

    Args:
        engine: of the database that says which positions are taken.
        files: the store.
    """

    def __init__(self, engine: Engine, files: SlotFiles) -> None:
        self._engine = engine.execution_options(**{BEGIN: "IMMEDIATE"})
        self.files = files
        self._pool = _Pool()

    def take(self, key: ArrayKey) -> ReservedPosition:
        """Return a position of an array that nobody else has.

        Raises:
            Conflict: the database gave way again and again.
            StorageError: the store cannot be written.
        """
        pool = self._own_pool()
        with pool.lock:
            lock = pool.locks[key]
        with lock:
            waiting = pool.usable(key)
            if not waiting:
                pool.since[key] = time.monotonic()
                waiting.extend(self._reserve(key, BLOCK))
            return waiting.popleft()

    def take_waiting(self, key: ArrayKey) -> ReservedPosition | None:
        """Return a position of an array that was reserved before; None when there is none left."""
        pool = self._own_pool()
        with pool.lock:
            waiting = pool.usable(key)
            return waiting.popleft() if waiting else None

    def take_within(
        self, connection: Connection, key: ArrayKey, count: int | None = None
    ) -> list[ReservedPosition]:
        """Return positions that are reserved in a transaction of the caller's.

        For a database that one connection writes to at a time, and this one does already.
        When the transaction is rolled back, the caller notes as garbage what it has used.

        Args:
            connection: in that transaction.
            key: the array.
            count: how many; None for as many as are reserved at a time.
        """
        self._prepare(connection, key)
        ownership.note_within(connection, self.files)
        return reserve(connection, self.files, key, count or BLOCK, uuid.uuid4().hex)

    def hand_over(self, key: ArrayKey, positions: list[ReservedPosition]) -> None:
        """Take positions to be handed out that somebody has reserved, and did not need."""
        pool = self._own_pool()
        with pool.lock:
            if positions and not pool.usable(key):
                pool.since[key] = time.monotonic()
            pool.waiting[key].extend(positions)

    def array_id(self, key: ArrayKey) -> int:
        """Return ZarrArrayID of an array, noted in a transaction of its own when it is not known.

        Raises:
            Conflict: the database gave way again and again.
        """
        return self._again(lambda connection: array_id_for(connection, key))

    def check_length(
        self, reserved: ReservedPosition, connection: Connection | None = None
    ) -> None:
        """Make sure that the array is long enough for a position whose file has been written.

        An older program that was appending at the moment of the reservation has made it
        shorter again, and may take the position next.

        Args:
            reserved: the position.
            connection: of the caller, where no other can write; None for another.

        Raises:
            Conflict: it had; the array is long enough again, and the position is not to be used.
        """
        if self.files.is_within(reserved.key, reserved.position):
            return
        with self._engine.begin() if connection is None else nullcontext(connection) as writing:
            grow_again(writing, self.files, reserved.key)
        raise Conflict(f"{reserved.key.path} was made shorter by another program; run it again")

    def forget(self, key: ArrayKey) -> None:
        """Drop the waiting positions of an array, which somebody has collected."""
        pool = self._own_pool()
        with pool.lock:
            pool.waiting[key].clear()

    def note_owner(self) -> None:
        """Note this database as the owner of the store, unless the store names one."""
        ownership.note(self._engine, self.files)

    def _prepare(self, connection: Connection, key: ArrayKey) -> None:
        """Make the array; and the store, unless rows say that there was one."""
        if not self.files.root.exists() and not has_pixels(connection):
            self.files.make_root()
        check_store(connection, self.files.root)
        self.files.prepare(key)

    def _own_pool(self) -> _Pool:
        if self._pool.process != os.getpid():
            self._pool = _Pool()
        return self._pool

    def _reserve(self, key: ArrayKey, count: int) -> list[ReservedPosition]:
        with self._engine.connect() as connection:
            self._prepare(connection, key)
        self.note_owner()
        token = uuid.uuid4().hex
        return self._again(lambda connection: reserve(connection, self.files, key, count, token))

    def _again(self, work: Callable[[Connection], T]) -> T:
        """Do work in a transaction of its own, again when the database gives way."""
        patient_until = time.monotonic() + _PATIENCE_S
        for attempt in range(_TRIES):
            try:
                with self._engine.begin() as connection:
                    return work(connection)
            except Conflict:
                if attempt == _TRIES - 1 or time.monotonic() > patient_until:
                    raise
            time.sleep(random.uniform(0, min(0.5, 0.005 * 2**attempt)))  # noqa: S311
        raise AssertionError("unreachable")
