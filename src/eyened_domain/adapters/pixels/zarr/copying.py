"""Copying slots into a new store, and the journal of what is there already."""

from __future__ import annotations

import heapq
import json
import os
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

import attrs

from eyened_domain.adapters.files.durable import PARTIAL
from eyened_domain.adapters.pixels.zarr.adopted import taken_over
from eyened_domain.adapters.pixels.zarr.files import SlotFiles, SlotGone
from eyened_domain.adapters.pixels.zarr.identity import StoreOwner
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.pixels.zarr.slot_file import (
    PixelsReplaced,
    Stamp,
    StoredSlot,
)
from eyened_domain.adapters.pixels.zarr.survey import (
    FoundFile,
    arrays_in,
    slots_in,
)
from eyened_domain.errors import ConfigurationError, PixelsDamaged

if TYPE_CHECKING:
    import numpy.typing as npt

JOURNAL = ".eyened-defragment.jsonl"
Row = tuple[str, int]
"""Segmentation or ModelSegmentation, and its id."""


@attrs.frozen
class Source:
    """Where the pixels of a row are.

    Attributes:
        key: the array.
        position: on axis 0 of the array.
        digest: of the slot; None when the database has none.
        is_known: whether the database knows the position; if not, no file means zeros.
        identity: of the row.
        seen: its file, which an older program may write to in place.
        token: of the position, as the database knows it.
        since: when it was noted so, in seconds of Unix time.
        is_live: whether the position is noted as live.
    """

    key: ArrayKey
    position: int
    digest: bytes | None
    is_known: bool
    identity: int
    seen: FoundFile | None = None
    token: str | None = None
    since: int | None = None
    is_live: bool = False

    @property
    def mark(self) -> list[Any]:
        """What differs when the pixels are others."""
        seen = None if self.seen is None else [self.seen.bytes, self.seen.changed]
        return [self.position, None if self.digest is None else self.digest.hex(), seen]


@attrs.frozen
class Entry:
    """A slot of the new store.

    Attributes:
        key: the array.
        mark: of the source.
        new: its position in the new store.
        digest: of the new slot.
        bytes: of its file.
    """

    key: ArrayKey
    mark: list[Any]
    new: int
    digest: bytes
    bytes: int


class Journal:
    """What is in a new store, and for which row; a file of lines, so that a kill loses none.

    Args:
        new: the new store.
        token: what the run is known by, 32 hexadecimal digits.
        descriptor: of the open file.
    """

    def __init__(self, new: SlotFiles, token: str, descriptor: int) -> None:
        self.token = token
        self.entries: dict[Row, Entry] = {}
        self._new = new
        self._descriptor = descriptor
        self._taken: dict[ArrayKey, dict[int, Row]] = {}
        self._free: dict[ArrayKey, list[int]] = {}

    @classmethod
    def open(cls, new: SlotFiles, old: SlotFiles, owner: StoreOwner) -> Self:
        """Begin a new store, or go on with one that was begun.

        Raises:
            ConfigurationError: there is something else in the folder.
        """
        head = {"database": owner.database_id, "source": str(old.root)}
        if not new.root.exists():
            new.make_root()
        with new.open_root() as root:
            if not root.holds(JOURNAL):
                if not all(name.endswith(PARTIAL) for name in root.names()):
                    raise _not_empty(new)
                first = json.dumps({"token": uuid.uuid4().hex, **head}) + "\n"
                root.write_new(JOURNAL, first.encode())
            lines = root.read(JOURNAL).decode("utf-8", "replace").split("\n")
        begun = json.loads(lines[0])
        if {name: begun.get(name) for name in head} != head:
            raise _not_empty(new)
        descriptor = os.open(new.root / JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        if lines[-1]:  # the last line was cut off by a kill
            os.write(descriptor, b"\n")
        journal = cls(new, begun["token"], descriptor)
        for line in lines[1:]:
            journal._read(line)
        journal._remove_unknown()
        return journal

    def close(self) -> None:
        """Close the journal; what is in it stays."""
        os.close(self._descriptor)

    def remove(self) -> None:
        """Remove the journal: all is done, and it is not needed any more."""
        with self._new.open_root() as root:
            root.remove(JOURNAL)

    def has(self, row: Row, source: Source) -> bool:
        """Whether the pixels of a row are in the new store as they are now."""
        entry = self.entries.get(row)
        return entry is not None and entry.key == source.key and entry.mark == source.mark

    def keep_only(self, wanted: dict[Row, Source]) -> None:
        """Drop the slots of rows that are gone, or whose pixels are others now."""
        for row in list(self.entries):
            source = wanted.get(row)
            if source is None or not self.has(row, source):
                self.drop(row)

    def drop(self, row: Row) -> None:
        """Take a slot out of the new store; its position is free for another."""
        entry = self.entries[row]
        self._append({"drop": list(row)})
        self._forget(row)
        self._new.remove(entry.key, entry.new)

    def position_for(self, key: ArrayKey) -> int:
        """Return the first position in the new store that is free."""
        taken, free = self._taken.get(key, {}), self._free.get(key, [])
        while free:
            position = heapq.heappop(free)
            if position < len(taken) and position not in taken:
                return position
        return len(taken)

    def last_beyond_a_gap(self) -> Row | None:
        """Return the row with the highest position of an array that has a gap; None without."""
        for key, free in self._free.items():
            taken = self._taken[key]
            if any(position < len(taken) and position not in taken for position in free):
                return taken[max(taken)]
        return None

    def note(self, row: Row, source: Source, entry: Entry) -> None:
        """Note a slot that has been copied and read back."""
        line = {
            "row": list(row),
            "array": [source.key.group, source.key.name],
            "mark": entry.mark,
            "new": entry.new,
            "digest": entry.digest.hex(),
            "bytes": entry.bytes,
        }
        self._append(line)
        self._keep(row, entry)

    def lengths(self) -> dict[ArrayKey, int]:
        """Return how long each array is: its positions are dense."""
        return {key: len(taken) for key, taken in self._taken.items() if taken}

    def _keep(self, row: Row, entry: Entry) -> None:
        self.entries[row] = entry
        self._taken.setdefault(entry.key, {})[entry.new] = row

    def _forget(self, row: Row) -> None:
        entry = self.entries.pop(row)
        del self._taken[entry.key][entry.new]
        heapq.heappush(self._free.setdefault(entry.key, []), entry.new)

    def _append(self, line: dict[str, Any]) -> None:
        os.write(self._descriptor, (json.dumps(line) + "\n").encode())

    def _read(self, line: str) -> None:
        try:
            found = json.loads(line)
        except ValueError:  # cut off
            return
        if "drop" in found:
            entity, identity = found["drop"]
            if (entity, identity) in self.entries:
                self._forget((entity, identity))
            return
        key = ArrayKey.parse(*found["array"])
        if key is not None:
            entity, identity = found["row"]
            digest = bytes.fromhex(found["digest"])
            entry = Entry(key, found["mark"], found["new"], digest, found["bytes"])
            self._keep((entity, identity), entry)

    def _remove_unknown(self) -> None:
        """Remove slots that were written and not noted, and forget those that are not there."""
        for key in arrays_in(self._new):
            taken, standing = self._taken.get(key, {}), slots_in(self._new, key)
            for position in set(standing) - set(taken):
                self._new.remove(key, position)
            for position in set(taken) - set(standing):
                self.drop(taken[position])


def copy_slot(old: SlotFiles, new: SlotFiles, source: Source, position: int, token: str) -> Entry:
    """Copy a slot into another store, and read it back.

    Args:
        old: the store that is copied.
        new: the store that is made.
        source: which slot.
        position: where it goes.
        token: of the run.

    Raises:
        SlotGone: its file is not there.
        PixelsDamaged: it is not what was stored, or does not come back from the new store.
        StorageError: it cannot be read or written.
    """
    from eyened_domain.adapters.pixels.zarr import slices  # noqa: PLC0415 - numpy

    key = source.key
    pixels = _pixels_of(old, source)
    new.prepare(key)
    content = new.codec(key).encode(pixels, Stamp(position, token, source.identity))
    new.put(key, position, content)
    back = slices.read(new, key, StoredSlot(position, content.digest), None)
    if back.tobytes() != pixels.tobytes():
        raise PixelsDamaged(
            f"position {position} of {key.path} in the new store does not read as it was written",
            field="zarr_array_index",
            value=position,
        )
    return Entry(key, source.mark, position, content.digest, content.size)


def _pixels_of(old: SlotFiles, source: Source) -> npt.NDArray[Any]:
    """Return the pixels of a slot, also where another program has written over it."""
    from eyened_domain.adapters.pixels.zarr import slices  # noqa: PLC0415 - numpy

    key, position = source.key, source.position
    try:
        return slices.read(old, key, StoredSlot(position, source.digest), None)
    except PixelsReplaced as error:
        slot = taken_over(error, position, token=source.token, since=source.since)
        return slices.read(old, key, slot, None)
    except SlotGone:
        if source.is_known:
            is_zero = source.is_live and old.is_erased(key, position)
        else:
            is_zero = old.is_within(key, position)
        if not is_zero:
            raise
        return slices.zeros(key, None)


def rows_of(journal: Journal, entity: str) -> Iterable[tuple[int, int]]:
    """Yield the id and the new position of each row of a kind."""
    for (whose, identity), one in journal.entries.items():
        if whose == entity:
            yield identity, one.new


def _not_empty(new: SlotFiles) -> ConfigurationError:
    return ConfigurationError(
        f"the new store {str(new.root)!r} is not empty, and was not begun by this command for "
        "this database and its store; give a folder that is not there yet",
        field="new_store_path",
        value=str(new.root),
    )
