"""Slots on the disk: written once, each into a file of its own, and never written over."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eyened_domain.adapters.files.durable import PARTIAL, OpenFolder
from eyened_domain.adapters.pixels.zarr.layout import (
    CHUNKS,
    METADATA,
    SLOT_PATH,
    ArrayKey,
    array_document,
    group_document,
    grown,
)
from eyened_domain.adapters.pixels.zarr.slot_file import SlotContent, SlotFile, StoredSlot
from eyened_domain.errors import Conflict, EyenedError, FolderMissing, StorageError

if TYPE_CHECKING:
    from eyened_domain.adapters.pixels.zarr.codecs import SlotCodec

_LOOKS = 50
"""How often metadata is read that another program is writing at the moment, in place."""
_SETTING = "SEGMENTATIONS_ZARR_STORE"


class SlotGone(Exception):
    """There is no file at that position."""


class SlotFiles:
    """The slots of a store; may be shared by threads, forked and pickled.

    Args:
        root: SEGMENTATIONS_ZARR_STORE. It may be a symbolic link; links beneath it are
            refused.
        durable: wait until what is written is on the disk.
    """

    def __init__(self, root: str | os.PathLike[str], *, durable: bool = True) -> None:
        self.root: Path = Path(os.path.realpath(root))
        self._durable = durable
        self._codecs: dict[ArrayKey, SlotCodec] = {}
        self._prepared: set[ArrayKey] = set()

    def make_root(self) -> None:
        """Make the folder of the store, in a folder that is there.

        Raises:
            ConfigurationError: it cannot be made.
        """
        try:
            with OpenFolder.at(str(self.root.parent), durable=self._durable) as parent:
                parent.folder(self.root.name, make=True).close()
        except OSError as error:
            raise self._missing(f"cannot be made ({error.strerror})") from error

    def prepare(self, key: ArrayKey) -> None:
        """Make the array, and its group, when they are not there.

        Raises:
            ConfigurationError: the store itself is not there.
            StorageError: they cannot be made.
        """
        if key in self._prepared and self._is_there(key):
            return
        with self._failures(key), self.open_root() as root:
            _make_document(root, group_document())
            with root.folder(key.group, make=True) as group:
                _make_document(group, group_document())
                with group.folder(key.name, make=True) as array:
                    _make_document(array, array_document(key))
                    array.folder(CHUNKS, make=True).close()
        self.codec(key)
        self._prepared.add(key)

    def _is_there(self, key: ArrayKey) -> bool:
        try:
            with self._failures(key), self.open_array(key):
                return True
        except SlotGone:
            return False

    def codec(self, key: ArrayKey) -> SlotCodec:
        """Return how the slots of an array are written and read.

        Raises:
            SlotGone: there is no such array.
            StorageError: its metadata is damaged, or its chunks are none that are written.
        """
        found = self._codecs.get(key)
        if found is None:
            # numpy and numcodecs, which a program without pixels need not load
            from eyened_domain.adapters.pixels.zarr.codec_choice import codec_for  # noqa: PLC0415

            found = self._codecs[key] = codec_for(key, self.document(key))
        return found

    def document(self, key: ArrayKey) -> dict[str, Any]:
        """Return the metadata of an array.

        Raises:
            SlotGone: there is no such array.
            StorageError: it is damaged.
        """
        with self._failures(key):
            for look in range(_LOOKS):
                with self.open_array(key) as array, contextlib.suppress(ValueError):
                    document = json.loads(array.read(METADATA))
                    if isinstance(document, dict):
                        return document
                time.sleep(0.002 * (look + 1))  # an older program writes it in place
        raise StorageError(
            f"the metadata {key.path}/{METADATA} in {_SETTING} is damaged; "
            "`eorm doctor --fix` makes it again from the files",
            field=_SETTING,
            value=key.path,
        )

    def grow(self, key: ArrayKey, length: int) -> None:
        """Let the metadata say that the array has that length, unless it is longer.

        Only one at a time may do so for an array: whoever holds its row in the database.

        Raises:
            Conflict: a collector without patience took the new metadata while it was written.
            StorageError: it cannot be written; the old metadata is still there.
        """
        document = self.document(key)
        if document["shape"][0] >= length:
            return
        try:
            with self._failures(key), self.open_array(key) as array:
                array.replace(METADATA, grown(document, length))
        except SlotGone as error:
            raise Conflict(
                f"{key.path}/{METADATA} was collected while it was written; run it again"
            ) from error

    def is_taken(self, key: ArrayKey, positions: range) -> bool:
        """Whether there is a file, or the beginning of one, at one of the positions."""
        with self._failures(key), self.open_array(key) as array:
            try:
                chunks = array.folder(CHUNKS)
            except FileNotFoundError:
                return False
            with chunks:
                return any(chunks.holds(str(position)) for position in positions)

    def has(self, key: ArrayKey, position: int) -> bool:
        """Whether the file of a slot is there."""
        try:
            with self.open(key, position, None):
                return True
        except SlotGone:
            return False

    def is_within(self, key: ArrayKey, position: int) -> bool:
        """Whether the array is as long as that position, whatever has a file."""
        try:
            return 0 <= position < int(self.document(key)["shape"][0])
        except SlotGone:
            return False

    def put(self, key: ArrayKey, position: int, content: SlotContent) -> None:
        """Write the file of a slot; it is on the disk when this returns.

        Raises:
            Conflict: another program has written there, or the reservation was collected.
            StorageError: it cannot be written; nothing is left of it.
        """
        *folders, file = SLOT_PATH
        try:
            with self._failures(key), contextlib.ExitStack() as opened:
                array = opened.enter_context(self.open_array(key))
                way = [opened.enter_context(array.folder(CHUNKS))]
                for name in (str(position), *folders):
                    way[-1].make(name)
                    way.append(opened.enter_context(way[-1].folder(name)))
                way.pop().write_new(file, *content.parts, way=way[::-1])
        except (FileExistsError, SlotGone) as error:
            raise Conflict(
                f"position {position} of {key.path} was taken or collected by somebody else; run "
                "it again"
            ) from error

    def open(self, key: ArrayKey, position: int, digest: bytes | None) -> SlotFile:
        """Open the file of a slot.

        Raises:
            SlotGone: there is none.
            StorageError: it cannot be opened.
        """
        way = (key.group, key.name, CHUNKS, str(position))
        with self._failures(key), self.open_root() as root:
            return SlotFile(root.open_below(*way, *SLOT_PATH), "/".join(way), digest)

    def open_slot(self, key: ArrayKey, slot: StoredSlot) -> SlotFile:
        """Open the file of a slot, as what is known of it says; see `open`."""
        file = self.open(key, slot.position, slot.digest)
        file.is_replaced = slot.is_replaced
        return file

    def is_erased(self, key: ArrayKey, position: int) -> bool:
        """Whether the folder of a slot is there without its file.

        That is how zarr-python leaves it where another program has stored zeros. When a slot
        is removed here, its folder goes as well.
        """
        *folders, file = SLOT_PATH
        try:
            with self._failures(key), contextlib.ExitStack() as opened:
                folder = opened.enter_context(self.open_array(key))
                for name in (CHUNKS, str(position), *folders):
                    folder = opened.enter_context(folder.folder(name))
                return not folder.holds(file)
        except SlotGone:
            return False

    def remove(self, key: ArrayKey, position: int) -> bool:
        """Take the file of a slot away, with what was left in its folder; whether it was there.

        Raises:
            StorageError: something is there that is no slot, or it cannot be removed.
        """
        try:
            with self._failures(key), self.open_array(key) as array, array.folder(CHUNKS) as chunks:
                return _remove(chunks, str(position), SLOT_PATH)
        except SlotGone:
            return False

    @contextlib.contextmanager
    def open_root(self) -> Iterator[OpenFolder]:
        """Open the store.

        Raises:
            ConfigurationError: it is not there.
        """
        try:
            root = OpenFolder.at(str(self.root), durable=self._durable)
        except FileNotFoundError as error:
            raise self._missing("is not there") from error
        with root:
            yield root

    @contextlib.contextmanager
    def open_array(self, key: ArrayKey) -> Iterator[OpenFolder]:
        """Open the folder of an array.

        Raises:
            ConfigurationError: the store is not there.
            OSError: the array is not there, or cannot be opened.
        """
        with (
            self.open_root() as root,
            root.folder(key.group) as group,
            group.folder(key.name) as array,
        ):
            yield array

    def _missing(self, reason: str) -> FolderMissing:
        return FolderMissing(
            f"{_SETTING} is {str(self.root)!r}, which {reason}: make the folder, mount it, or set "
            f"{_SETTING}",
            field=_SETTING,
            value=str(self.root),
        )

    @contextlib.contextmanager
    def _failures(self, key: ArrayKey) -> Iterator[None]:
        """Turn errors of the file system into ours, but for those that mean something here."""
        try:
            yield
        except (EyenedError, FileExistsError):
            raise
        except FileNotFoundError as error:
            raise SlotGone(key.path) from error
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            if error.errno == errno.ENOSPC:
                reason += "; free some space, nothing was changed"
            raise StorageError(
                f"{_SETTING}: {key.path} could not be read or written: {reason}",
                field=_SETTING,
                value=key.path,
            ) from error


def _make_document(folder: OpenFolder, document: bytes) -> None:
    if not folder.holds(METADATA):
        with contextlib.suppress(FileExistsError):
            folder.write_new(METADATA, document)


def _remove(folder: OpenFolder, name: str, inside: tuple[str, ...]) -> bool:
    """Remove the folder of a slot: the one file that it holds, and files half written."""
    with folder.folder(name) as inner:
        if len(inside) == 1:
            for left in inner.names():
                if left == inside[0] or left.endswith(PARTIAL):
                    inner.remove(left)
        else:
            with contextlib.suppress(FileNotFoundError):
                _remove(inner, inside[0], inside[1:])
    folder.remove_folder(name)
    return True
