"""Copies the live pixels of both kinds of segmentations into a new store, without gaps.

Every slot is read with its checksum, written with a new position into the new store, and
read back. A journal in the new store tells what is there, so that it can be run again after
it was interrupted. Rows that are written meanwhile are copied in further rounds. In the end
one transaction locks the rows, makes sure that nothing has changed since, and lets all of
them point into the new store: before it the database is as it was, after it all has changed.

The old store is left as it is, but for a note that it has moved: programs that still run
with the old setting reserve nothing in it any more.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs
from sqlalchemy import Connection, Engine, select

from eyened_domain.adapters.pixels.change_over import change_over, is_changed_over
from eyened_domain.adapters.pixels.positions.ownership import (
    check_not_moved,
    check_owner,
    claim_store,
    identify,
)
from eyened_domain.adapters.pixels.positions.pointing import pointing_rows, slot_rows
from eyened_domain.adapters.pixels.positions.rows import LIVE
from eyened_domain.adapters.pixels.zarr.copying import Journal, Row, Source, copy_slot
from eyened_domain.adapters.pixels.zarr.files import SlotFiles, SlotGone
from eyened_domain.adapters.pixels.zarr.identity import mark_moved
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.pixels.zarr.survey import slot_at
from eyened_domain.adapters.sql.schema.pixels import KINDS, table_and_key
from eyened_domain.adapters.sql.sqlite_turns import BEGIN
from eyened_domain.errors import ConfigurationError, PixelsDamaged, PixelsLost
from eyened_domain.services.progress import Progress

_SETTING = "SEGMENTATIONS_ZARR_STORE"
_ROUNDS = 5
"""How often rows that were written meanwhile are copied before they are locked."""
_SHOWN = 10


@attrs.frozen
class Defragmented:
    """What was done.

    Attributes:
        copied: slots that this run copied.
        slots: slots in the new store.
        arrays: arrays in the new store.
        bytes: in the files of the new store.
        was_done: the database had been changed over before, by a run that was interrupted.
    """

    copied: int
    slots: int
    arrays: int
    bytes: int
    was_done: bool = False


class Defragmenter:
    """Copies the store of a database into a new one.

    Args:
        engine: of the database.
        files: its store.
        new: the new store: a folder that is not there yet, is empty, or was begun before.
    """

    def __init__(self, engine: Engine, files: SlotFiles, new: SlotFiles) -> None:
        self._engine = engine
        self._files = files
        self._new = new

    def run(self, progress: Progress | None = None) -> Defragmented:
        """Copy, change over, and note in the old store that it has moved.

        Args:
            progress: called with how many slots are done, and of how many.

        Raises:
            ConfigurationError: the new store is none that it may be copied to, or the old
                one is another database's.
            PixelsLost, PixelsDamaged: a row's pixels cannot be read; nothing has changed.
            StorageError: a store cannot be read or written; nothing has changed.
        """
        if self._new.root == self._files.root:
            raise ConfigurationError(
                f"the new store is {str(self._new.root)!r}, which {_SETTING} names already; give "
                "another folder",
                field="new_store_path",
                value=str(self._new.root),
            )
        check_not_moved(self._files)
        journal = Journal.open(self._new, self._files, identify(self._engine, self._files))
        try:
            return self._run(journal, progress)
        finally:
            journal.close()

    def _run(self, journal: Journal, progress: Progress | None) -> Defragmented:
        with self._engine.connect() as connection:
            was_done = is_changed_over(connection, journal.token)
        copied = 0
        if not was_done:
            check_owner(self._engine, self._files)
            copied = self._copy_and_change_over(journal, progress)
        claim_store(self._engine, self._new)
        mark_moved(self._files, str(self._new.root))
        journal.remove()
        return _told(journal, copied, was_done=was_done)

    def _copy_and_change_over(self, journal: Journal, progress: Progress | None) -> int:
        copied = 0
        for _ in range(_ROUNDS):
            some = self._copy(self._wanted(), journal, progress)
            copied += some
            if not some:
                break
        writing = self._engine.execution_options(**{BEGIN: "IMMEDIATE"})
        with writing.begin() as connection:
            _lock(connection)
            wanted = _read(connection, self._files)
            copied += self._copy(wanted, journal, progress)
            for key, length in journal.lengths().items():
                self._new.prepare(key)
                self._new.grow(key, length)
            change_over(connection, journal)
        return copied

    def _wanted(self) -> dict[Row, Source]:
        with self._engine.connect() as connection:
            return _read(connection, self._files)

    def _copy(self, wanted: dict[Row, Source], journal: Journal, progress: Progress | None) -> int:
        """Copy what is not in the new store as it is now, until there is no gap in it."""
        copied = 0
        journal.keep_only(wanted)
        failures: list[str] = []
        for row, source in _missing(wanted, journal):
            position = journal.position_for(source.key)
            try:
                entry = copy_slot(self._files, self._new, source, position, journal.token)
                journal.note(row, source, entry)
            except SlotGone:
                failures.append(f"{row[0]} {row[1]} (lost)")
            except (PixelsDamaged, PixelsLost):
                failures.append(f"{row[0]} {row[1]} (damaged)")
            copied += 1
            if progress is not None:
                progress(len(journal.entries), len(wanted))
        if failures:
            shown = ", ".join(failures[:_SHOWN]) + (", …" if len(failures) > _SHOWN else "")
            raise PixelsLost(
                f"the pixels of {len(failures)} rows cannot be read: {shown}; nothing was "
                "changed. Restore them from a backup or delete the rows (`eorm doctor --level 3` "
                "lists all of them), then run it again",
                field="zarr_array_index",
            )
        return copied


def _missing(wanted: dict[Row, Source], journal: Journal) -> Iterator[tuple[Row, Source]]:
    for row, source in sorted(
        wanted.items(), key=lambda item: (item[1].key.path, item[1].position)
    ):
        if not journal.has(row, source):
            yield row, source
    while (moved := journal.last_beyond_a_gap()) is not None:
        source = wanted[moved]
        journal.drop(moved)
        yield moved, source


def _read(connection: Connection, files: SlotFiles) -> dict[Row, Source]:
    """Return where the pixels of each row are now."""
    slots = slot_rows(connection)
    found: dict[Row, Source] = {}
    for names, rows in pointing_rows(connection).items():
        key = ArrayKey.parse(*names)
        known = slots.get(names, {})
        for one in rows:
            if key is None:
                raise PixelsLost(
                    f"{one.entity} {one.identity} points into {'/'.join(names)}, which is no array",
                    entity=one.entity,
                    field="zarr_array_index",
                )
            slot = known.get(one.position)
            source = Source(
                key,
                one.position,
                None if slot is None else slot.digest,
                is_known=slot is not None,
                identity=one.identity,
                seen=slot_at(files, key, one.position),
                token=None if slot is None else slot.token,
                since=None if slot is None else slot.since,
                is_live=slot is not None and slot.state == LIVE,
            )
            found[one.entity, one.identity] = source
    return found


def _lock(connection: Connection) -> None:
    """Keep everybody from letting rows point elsewhere; on SQLite the transaction does."""
    if connection.dialect.name == "sqlite":
        return
    for kind in KINDS:
        _, key = table_and_key(kind)
        connection.execute(select(key).with_for_update()).all()


def _told(journal: Journal, copied: int, *, was_done: bool) -> Defragmented:
    entries = journal.entries.values()
    return Defragmented(
        copied,
        len(entries),
        len({one.key for one in entries}),
        sum(one.bytes for one in entries),
        was_done,
    )
