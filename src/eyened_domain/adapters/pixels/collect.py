"""The collector: removes the pixels that nobody points to any more, when they are old.

It may run beside programs that write, as often as one likes. A reservation that is given
up becomes garbage in a transaction of its own first; from then on nobody can make it live.
Then garbage is locked, looked at once more, its file removed and its row deleted in one
transaction: killed anywhere, what is left is garbage that the next run finds. A position
is never used again.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import attrs
from sqlalchemy import Connection, Engine, delete, select, update

from eyened_domain.adapters.pixels.positions.ownership import check_owner
from eyened_domain.adapters.pixels.positions.pointers import Pointers
from eyened_domain.adapters.pixels.positions.rows import GARBAGE, RESERVED
from eyened_domain.adapters.pixels.zarr.files import SlotFiles
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.pixels.zarr.removal import (
    leftovers,
    remove_leftover,
    remove_slots,
)
from eyened_domain.adapters.sql.schema.pixels import zarr_array, zarr_slot
from eyened_domain.adapters.sql.sqlite_turns import BEGIN
from eyened_domain.errors import Conflict, StorageError
from eyened_domain.services.progress import Progress

GRACE_S = 7 * 24 * 3600
"""How old in seconds what is collected must be: longer than a backup takes."""
LEFTOVER_GRACE_S = 3600
"""How old in seconds a file half written must be at least: longer than a write takes."""
_CHUNK = 250


@attrs.define
class Collected:
    """What a run of the collector did, or would do.

    Attributes:
        dry_run: nothing was removed.
        positions: that were given back; in a dry run, that would be.
        files: files that were removed.
        bytes: in these files; in a dry run as far as the database knows.
        leftovers: files half written, of programs that were killed.
        in_use: positions that are called garbage, and that a row points to: left alone.
        busy: positions that somebody else held, or where something else stands: left for
            the next run.
    """

    dry_run: bool
    positions: int = 0
    files: int = 0
    bytes: int = 0
    leftovers: int = 0
    in_use: int = 0
    busy: int = 0


@attrs.frozen
class _Array:
    array_id: int
    key: ArrayKey
    pointers: Pointers


class Collector:
    """Removes positions that were reserved in vain or that nobody points to.

    Args:
        engine: of the database.
        files: its store.
        grace_s: how old in seconds what is collected must be.
        leftover_grace_s: how old files half written must be; at least `LEFTOVER_GRACE_S`
            when it is not given, since somebody may be writing them at this moment.
    """

    def __init__(
        self,
        engine: Engine,
        files: SlotFiles,
        *,
        grace_s: float = GRACE_S,
        leftover_grace_s: float | None = None,
    ) -> None:
        options: dict[str, Any] = {BEGIN: "IMMEDIATE"}
        if engine.dialect.name != "sqlite":
            # locks no gaps, and sees what was committed while it waited
            options["isolation_level"] = "READ COMMITTED"
        self._engine = engine
        self._writing = engine.execution_options(**options)
        self._files = files
        self._grace_s = grace_s
        if leftover_grace_s is None:
            leftover_grace_s = max(grace_s, LEFTOVER_GRACE_S)
        self._leftover_grace_s = leftover_grace_s

    def collect(self, *, dry_run: bool = True, progress: Progress | None = None) -> Collected:
        """Collect what is old; look at all of it first, and remove nothing if that fails.

        Args:
            dry_run: only count.
            progress: called with how many positions are done, and of how many.

        Raises:
            ConfigurationError: the store is not this database's, or is not there.
            StorageError: the store cannot be read or written, or the database names an
                array whose name is none.
        """
        check_owner(self._engine, self._files)
        older = int(time.time() - self._grace_s)
        waiting = self._waiting(older)
        halves = self._leftovers(time.time() - self._leftover_grace_s)
        done = Collected(dry_run)
        total = sum(map(len, waiting.values()))
        seen = 0
        for array, positions in waiting.items():
            for start in range(0, len(positions), _CHUNK):
                chunk = positions[start : start + _CHUNK]
                self._collect(array, chunk, older, done)
                seen += len(chunk)
                if progress is not None:
                    progress(seen, total)
        for half in halves:
            done.leftovers += 1 if dry_run else remove_leftover(self._files, half)
        return done

    def _leftovers(self, older: float) -> list[tuple[str, ...]]:
        try:
            return list(leftovers(self._files, older))
        except OSError as error:
            raise StorageError(
                f"SEGMENTATIONS_ZARR_STORE cannot be looked through ({error.strerror}); nothing "
                "was removed",
                field="SEGMENTATIONS_ZARR_STORE",
                value=str(self._files.root),
            ) from error

    def _waiting(self, older: int) -> dict[_Array, list[int]]:
        """Return the positions that may be collected, by array, without locking any."""
        found: defaultdict[int, list[int]] = defaultdict(list)
        arrays = select(
            zarr_array.c.zarr_array_id, zarr_array.c.group_name, zarr_array.c.array_name
        )
        with self._engine.connect() as connection:
            for array_id, position in connection.execute(_collectable(older, RESERVED, GARBAGE)):
                found[array_id].append(int(position))
            named = {a: (group, name) for a, group, name in connection.execute(arrays)}
            return {
                _Array(array_id, key, Pointers.to(connection, key)): sorted(positions)
                for array_id, positions in found.items()
                for key in [_key(array_id, named.get(array_id))]
            }

    def _collect(self, array: _Array, positions: list[int], older: int, done: Collected) -> None:
        if done.dry_run:
            with self._engine.connect() as connection:
                in_use = array.pointers.among(connection, positions)
                done.bytes += _bytes(connection, array, set(positions) - in_use)
            done.in_use += len(in_use)
            done.positions += len(positions) - len(in_use)
            return
        before = done.positions + done.in_use
        with suppress(Conflict):
            self._give_up(array, positions, older, done)
            self._remove(array, positions, older, done)
        done.busy += len(positions) - (done.positions + done.in_use - before)

    def _give_up(self, array: _Array, positions: list[int], older: int, done: Collected) -> None:
        """Make garbage of reservations that nobody came back to: they cannot become live."""
        with self._locked(array, positions, older, RESERVED) as (connection, given_up):
            in_use = array.pointers.among(connection, given_up)
            connection.execute(
                update(zarr_slot)
                .where(_at(array, given_up - in_use), zarr_slot.c.state == RESERVED)
                .values(state=GARBAGE)
            )
        done.in_use += len(in_use)

    def _remove(self, array: _Array, positions: list[int], older: int, done: Collected) -> None:
        with self._locked(array, positions, older, GARBAGE) as (connection, garbage):
            in_use = array.pointers.among(connection, garbage)
            removal = remove_slots(self._files, array.key, sorted(garbage - in_use))
            connection.execute(
                delete(zarr_slot).where(_at(array, removal.gone), zarr_slot.c.state == GARBAGE)
            )
        done.in_use += len(in_use)
        done.positions += len(removal.gone)
        done.files += removal.files
        done.bytes += removal.bytes

    @contextmanager
    def _locked(
        self, array: _Array, positions: list[int], older: int, state: str
    ) -> Iterator[tuple[Connection, set[int]]]:
        """Lock those of the positions that are still in a state, and held by nobody."""
        asked = (
            select(zarr_slot.c.slot_index)
            .where(_at(array, positions), zarr_slot.c.state == state, zarr_slot.c.since <= older)
            .with_for_update(skip_locked=True)
        )
        with self._writing.begin() as connection:
            yield connection, {int(found) for found in connection.scalars(asked)}


def _collectable(older: int, *states: str) -> Any:
    return select(zarr_slot.c.zarr_array_id, zarr_slot.c.slot_index).where(
        zarr_slot.c.state.in_(states), zarr_slot.c.since <= older
    )


def _at(array: _Array, positions: Any) -> Any:
    return (zarr_slot.c.zarr_array_id == array.array_id) & zarr_slot.c.slot_index.in_(
        sorted(positions)
    )


def _bytes(connection: Connection, array: _Array, positions: set[int]) -> int:
    asked = select(zarr_slot.c.bytes).where(_at(array, positions))
    return sum(found or 0 for found in connection.scalars(asked))


def _key(array_id: int, names: tuple[str, str] | None) -> ArrayKey:
    key = None if names is None else ArrayKey.parse(*names)
    if key is None:
        raise StorageError(
            f"ZarrArray {array_id} {names or 'is not there, and'} is no name of an array; nothing "
            "is removed. Look at the rows of the table ZarrArray",
            entity="ZarrArray",
            field="array_name",
            value=names,
        )
    return key
