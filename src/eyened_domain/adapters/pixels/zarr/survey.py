"""What is in a store: its arrays, the files of their slots, and what their metadata says."""

from __future__ import annotations

import contextlib
import functools
import json
import stat
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from enum import Enum, unique
from typing import Any

import attrs

from eyened_domain.adapters.files.durable import OpenFolder
from eyened_domain.adapters.pixels.zarr.files import SlotFiles, SlotGone
from eyened_domain.adapters.pixels.zarr.layout import (
    CHUNKS,
    METADATA,
    SLOT_PATH,
    ArrayKey,
    array_document,
    group_document,
    grown,
)
from eyened_domain.adapters.pixels.zarr.slot_file import SlotFile
from eyened_domain.errors import PixelsDamaged, StorageError

_SETTING = "SEGMENTATIONS_ZARR_STORE"
_LOOKS = 5
_LOOKING, _PORTION = 8, 500
_TRIED = 5
"""Slots that must be readable with metadata that is made again."""


@attrs.frozen
class FoundFile:
    """What stands at a position.

    Attributes:
        bytes: of the file; None when there is a folder without a file.
        changed: when it was last changed, Unix seconds.
    """

    bytes: int | None
    changed: float


@unique
class MetadataState(Enum):
    """What is wrong with a zarr.json."""

    SOUND = "sound"
    MISSING = "missing"
    DAMAGED = "damaged"


def arrays_in(files: SlotFiles) -> list[ArrayKey]:
    """Return the arrays of a store, by the names of their folders.

    Raises:
        ConfigurationError: the store is not there.
        StorageError: it cannot be looked through.
    """
    found: list[ArrayKey] = []
    with _failures(), files.open_root() as root:
        for group, is_folder in sorted(root.entries()):
            if is_folder and not group.startswith("."):
                with root.folder(group) as folder:
                    keys = (ArrayKey.parse(group, name) for name in sorted(folder.names()))
                    found += [key for key in keys if key is not None]
    return found


def slots_in(
    files: SlotFiles, key: ArrayKey, tick: Callable[[], Any] = lambda: None
) -> dict[int, FoundFile]:
    """Return what stands at each position of an array that has something.

    Args:
        files: the store.
        key: the array.
        tick: called now and then; it may raise.

    Raises:
        StorageError: it cannot be looked through.
    """
    found: dict[int, FoundFile] = {}
    with _failures(), contextlib.suppress(FileNotFoundError), _chunks(files, key) as chunks:
        names = [name for name in chunks.names() if _is_position(name)]
        portions = [names[n : n + _PORTION] for n in range(0, len(names), _PORTION)]
        with ThreadPoolExecutor(_LOOKING) as pool:  # a cold disk answers several at a time
            for some in pool.map(functools.partial(_standing, chunks), portions):
                found |= some
                tick()
    return found


def _is_position(name: str) -> bool:
    return name.isascii() and name.isdigit() and str(int(name)) == name


def _standing(chunks: OpenFolder, names: list[str]) -> dict[int, FoundFile]:
    path = "/".join(SLOT_PATH)
    there = {int(name): _at(chunks, f"{name}/{path}", name) for name in names}
    return {position: one for position, one in there.items() if one is not None}


def slot_at(files: SlotFiles, key: ArrayKey, position: int) -> FoundFile | None:
    """Return what stands at one position."""
    with _failures(), contextlib.suppress(FileNotFoundError), _chunks(files, key) as chunks:
        return _at(chunks, f"{position}/{'/'.join(SLOT_PATH)}", str(position))
    return None


def is_there(files: SlotFiles, key: ArrayKey) -> bool:
    """Whether the folder of an array is there."""
    with _failures(), contextlib.suppress(FileNotFoundError), files.open_array(key):
        return True
    return False


def metadata_state(files: SlotFiles, key: ArrayKey) -> tuple[MetadataState, int]:
    """Return what is wrong with the metadata of an array, and the length that it tells."""
    document: Any = None
    for look in range(_LOOKS):  # an older program writes it in place
        try:
            with _failures(), files.open_array(key) as array:
                document = json.loads(array.read(METADATA))
            break
        except FileNotFoundError:
            return MetadataState.MISSING, 0
        except ValueError:
            time.sleep(0.01 * look)
    if not isinstance(document, dict):
        return MetadataState.DAMAGED, 0
    shape = document.get("shape")
    if not isinstance(shape, list) or len(shape) != 4:
        return MetadataState.DAMAGED, 0
    is_sound = (
        type(shape[0]) is int
        and shape[1:] == list(key.shape)
        and document.get("data_type") == key.dtype
        and document.get("node_type") == "array"
    )
    if not is_sound:
        return MetadataState.DAMAGED, 0
    return MetadataState.SOUND, shape[0]


def groups_without_metadata(files: SlotFiles) -> list[str]:
    """Return the groups with arrays whose zarr.json is missing or damaged; "" is the store."""
    found: list[str] = []
    groups = {key.group for key in arrays_in(files)}
    with _failures(), files.open_root() as root:
        if groups and not _is_group(root):
            found.append("")
        for group in sorted(groups):
            with root.folder(group) as folder:
                if not _is_group(folder):
                    found.append(group)
    return found


def write_group_metadata(files: SlotFiles, group: str) -> None:
    """Write the zarr.json of a group; it holds nothing that could be lost."""
    with _failures(), files.open_root() as root:
        if not group:
            root.replace(METADATA, group_document())
        else:
            with root.folder(group) as folder:
                folder.replace(METADATA, group_document())


def rebuild_metadata(files: SlotFiles, key: ArrayKey, length: int, positions: list[int]) -> bool:
    """Write the zarr.json of an array again, as its files tell that it was.

    Returns:
        whether it could be: the files are of one of the two kinds that there are.
    """
    for document in _possible_documents(key):
        if _is_readable(files, key, document, positions):
            with _failures(), files.open_array(key) as array:
                array.replace(METADATA, grown(document, length))
            return True
    return False


def _possible_documents(key: ArrayKey) -> Iterator[dict[str, Any]]:
    """Yield the metadata of new arrays, then that of arrays with one frame a volume."""
    document = json.loads(array_document(key))
    yield document
    if key.is_sharded_when_new:
        yield {**document, "codecs": document["codecs"][0]["configuration"]["codecs"]}


def _is_readable(
    files: SlotFiles, key: ArrayKey, document: dict[str, Any], positions: list[int]
) -> bool:
    from eyened_domain.adapters.pixels.zarr.codec_choice import codec_for  # noqa: PLC0415

    codec = codec_for(key, document)
    readable = 0
    for position in positions[-_TRIED:]:
        with contextlib.suppress(PixelsDamaged, SlotGone), files.open(key, position, None) as file:
            codec.decode(file)
            readable += 1
    return readable > 0 or not positions


def move_to_quarantine(files: SlotFiles, key: ArrayKey, position: int, folder: str) -> str:
    """Move the file of a slot to ``<folder>/<group>/<array>/<position>``; return that path.

    Raises:
        StorageError: it cannot be moved, or there is a file of that name already.
    """
    *folders, name = SLOT_PATH
    with _failures(), contextlib.ExitStack() as opened:
        root = opened.enter_context(files.open_root())
        target = root
        for part in (folder, key.group, key.name):
            target = opened.enter_context(target.folder(part, make=True))
        source = opened.enter_context(_chunks(files, key))
        for part in (str(position), *folders):
            source = opened.enter_context(source.folder(part))
        source.move(name, target, str(position))
    return f"{folder}/{key.group}/{key.name}/{position}"


@contextlib.contextmanager
def opened_slots(
    files: SlotFiles, key: ArrayKey
) -> Iterator[Callable[[int, bytes | None], SlotFile]]:
    """Give a function that opens slots of an array, whose folder stays open meanwhile.

    The function raises `SlotGone` where there is no file.
    """
    *folders, name = SLOT_PATH
    with _chunks(files, key) as chunks:

        def open_slot(position: int, digest: bytes | None) -> SlotFile:
            try:
                with contextlib.ExitStack() as opened:
                    folder = chunks
                    for part in (str(position), *folders):
                        folder = opened.enter_context(folder.folder(part))
                    descriptor = folder.open(name)
            except FileNotFoundError as error:
                raise SlotGone(key.path) from error
            return SlotFile(descriptor, f"{key.path}/{CHUNKS}/{position}", digest)

        yield open_slot


@contextlib.contextmanager
def _chunks(files: SlotFiles, key: ArrayKey) -> Iterator[OpenFolder]:
    with files.open_array(key) as array, array.folder(CHUNKS) as chunks:
        yield chunks


def _at(chunks: OpenFolder, path: str, name: str) -> FoundFile | None:
    try:
        status = chunks.status(path)
    except (FileNotFoundError, NotADirectoryError):
        try:
            return FoundFile(None, chunks.status(name).st_mtime)
        except FileNotFoundError:
            return None
    is_file = stat.S_ISREG(status.st_mode)
    return FoundFile(status.st_size if is_file else None, status.st_mtime)


def _is_group(folder: OpenFolder) -> bool:
    try:
        document = json.loads(folder.read(METADATA))
    except (FileNotFoundError, ValueError):
        return False
    return isinstance(document, dict) and document.get("node_type") == "group"


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StorageError(
            f"{_SETTING} cannot be looked through or written: {error.strerror or error}",
            field=_SETTING,
        ) from error
