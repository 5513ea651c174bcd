"""Taking slots out of the store that nobody points to, beside programs that write to it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator

import attrs

from eyened_domain.adapters.files.durable import PARTIAL, OpenFolder
from eyened_domain.adapters.pixels.zarr.files import SlotFiles
from eyened_domain.adapters.pixels.zarr.layout import CHUNKS, SLOT_PATH, ArrayKey
from eyened_domain.errors import StorageError

_BUSY = {errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY}


@attrs.define
class Removal:
    """What became of some slots.

    Attributes:
        gone: the positions at which there is nothing any more.
        files: how many files were removed.
        bytes: in these files.
    """

    gone: set[int] = attrs.field(factory=set)
    files: int = 0
    bytes: int = 0


def remove_slots(files: SlotFiles, key: ArrayKey, positions: Iterable[int]) -> Removal:
    """Remove the files of slots, and their folders.

    A slot in whose folder something else stands is left as it is, and so is one that
    somebody writes to at this moment: they are not among `gone`.

    Raises:
        ConfigurationError: the store is not there.
        StorageError: the file system failed.
    """
    removal = Removal()
    try:
        with (
            files.open_root() as root,
            root.folder(key.group) as group,
            group.folder(key.name) as array,
            array.folder(CHUNKS) as chunks,
        ):
            for position in positions:
                _remove_slot(chunks, position, removal)
            if removal.files:
                chunks.sync()
    except FileNotFoundError:  # nothing was ever written there
        removal.gone.update(positions)
    except OSError as error:
        raise StorageError(
            f"SEGMENTATIONS_ZARR_STORE: slots of {key.path} could not be removed: "
            f"{os.strerror(error.errno) if error.errno else error}",
            field="SEGMENTATIONS_ZARR_STORE",
            value=key.path,
        ) from error
    return removal


def leftovers(files: SlotFiles, older_than_s: float) -> Iterator[tuple[str, ...]]:
    """Yield the files half written that stand beside the metadata, as parts of their paths.

    What is half written in the folder of a slot goes with the slot.

    Args:
        files: the store.
        older_than_s: in seconds of Unix time; younger ones are not named.
    """
    with files.open_root() as root:
        yield from _leftovers(root, (), older_than_s, depth=2)


def remove_leftover(files: SlotFiles, path: tuple[str, ...]) -> bool:
    """Remove a file that is half written; return whether it was there."""
    if not path[-1].endswith(PARTIAL):
        raise StorageError(f"{'/'.join(path)} is no file half written, and is not removed")
    try:
        with files.open_root() as root:
            _in(root, path[:-1], path[-1])
    except FileNotFoundError:
        return False
    return True


def _in(folder: OpenFolder, folders: tuple[str, ...], name: str) -> None:
    if folders:
        with folder.folder(folders[0]) as inner:
            _in(inner, folders[1:], name)
    else:
        folder.remove(name)


def _leftovers(
    folder: OpenFolder, path: tuple[str, ...], older_than_s: float, *, depth: int
) -> Iterator[tuple[str, ...]]:
    for name, is_folder in sorted(folder.entries()):
        if is_folder and depth and not name.startswith("."):
            with folder.folder(name) as inner:
                yield from _leftovers(inner, (*path, name), older_than_s, depth=depth - 1)
        elif not is_folder and name.endswith(PARTIAL):
            try:
                changed = folder.status(name).st_mtime
            except FileNotFoundError:
                continue
            if changed <= older_than_s:
                yield (*path, name)


def _remove_slot(chunks: OpenFolder, position: int, removal: Removal) -> None:
    try:
        is_gone = _remove_folder(chunks, str(position), SLOT_PATH, removal)
    except FileNotFoundError:
        is_gone = True
    except OSError as error:
        if error.errno not in _BUSY:
            raise
        is_gone = False
    if is_gone:
        removal.gone.add(position)


def _remove_folder(
    folder: OpenFolder, name: str, inside: tuple[str, ...], removal: Removal
) -> bool:
    """Remove a folder that holds the way to one file; False when it holds something else."""
    with folder.folder(name) as inner:
        names = inner.names()
        is_last = len(inside) == 1
        if any(one != inside[0] and not (is_last and one.endswith(PARTIAL)) for one in names):
            return False
        for one in names:
            if is_last:
                removal.bytes += inner.status(one).st_size
                inner.remove(one)
                removal.files += 1
            elif not _remove_folder(inner, one, inside[1:], removal):
                return False
    folder.remove_folder(name)
    return True
