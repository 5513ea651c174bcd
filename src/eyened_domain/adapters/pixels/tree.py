"""What is in a store: groups, arrays, their shapes and chunks, used and free positions."""

from __future__ import annotations

from collections import Counter
from typing import Any

import attrs
from sqlalchemy import Engine

from eyened_domain.adapters.pixels.positions.pointing import pointing_rows, slot_rows
from eyened_domain.adapters.pixels.zarr.files import SlotFiles
from eyened_domain.adapters.pixels.zarr.survey import (
    MetadataState,
    arrays_in,
    metadata_state,
    slots_in,
)


@attrs.frozen
class ArrayReport:
    """One array.

    Attributes:
        group: name of its group.
        array: name of the array.
        shape: (positions, depth, height, width).
        chunks: what is read at least: (positions, depth, height, width).
        bytes: in the files of its slots.
        files: how many slots have a file.
        used: positions that rows point to.
        free: positions that no row points to, of which some may still have a file.
        reserved: positions that are handed out, and not yet written.
        garbage: positions that are waiting for the collector.
        quarantine: positions whose files were put aside.
        is_sound: whether its metadata can be read.
    """

    group: str
    array: str
    shape: tuple[int, int, int, int]
    chunks: tuple[int, ...]
    bytes: int
    files: int
    used: int
    free: int
    reserved: int
    garbage: int
    quarantine: int
    is_sound: bool


def tree_of(engine: Engine, files: SlotFiles) -> list[ArrayReport]:
    """Return what is in a store, array by array.

    Raises:
        ConfigurationError: the store is not there.
        StorageError: it cannot be looked through.
    """
    keys = arrays_in(files)
    with engine.connect() as connection:
        rows, slots = pointing_rows(connection), slot_rows(connection)
    found: list[ArrayReport] = []
    for key in keys:
        names = (key.group, key.name)
        used = {one.position for one in rows.get(names, ())}
        states = Counter(one.state for one in slots.get(names, {}).values())
        standing = [one for one in slots_in(files, key).values() if one.bytes is not None]
        state, length = metadata_state(files, key)
        is_sound = state is MetadataState.SOUND
        found.append(
            ArrayReport(
                *names,
                (length, *key.shape),
                _chunks(files.document(key)) if is_sound else (),
                sum(one.bytes or 0 for one in standing),
                len(standing),
                len(used),
                max(0, length - len(used)),
                states["reserved"],
                states["garbage"],
                states["quarantine"],
                is_sound,
            )
        )
    return found


def _chunks(document: dict[str, Any]) -> tuple[int, ...]:
    """Return the chunks within a shard, or those of the array."""
    for codec in document.get("codecs", ()):
        if codec.get("name") == "sharding_indexed":
            return tuple(codec["configuration"]["chunk_shape"])
    grid = document.get("chunk_grid", {}).get("configuration", {})
    return tuple(grid.get("chunk_shape", ()))
