"""All pixels of a slot or one slice of it: read, and put into the content of a new slot."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from eyened_domain.adapters.pixels.zarr.files import SlotFiles
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.pixels.zarr.slot_file import SlotContent, Stamp, StoredSlot
from eyened_domain.model.pixels.grid import Plane

Pixels = npt.NDArray[Any]


def read(files: SlotFiles, key: ArrayKey, slot: StoredSlot, plane: Plane | None) -> Pixels:
    """Return all pixels of a slot, or one slice without its axis.

    Raises:
        SlotGone: its file is not there.
        PixelsDamaged: it is not what was stored.
    """
    codec = files.codec(key)
    with files.open_slot(key, slot) as file:
        if plane is None:
            return codec.decode(file)
        if plane.axis == 0:
            return codec.decode_scan(file, plane.slice_index)
        return np.ascontiguousarray(codec.decode(file).take(plane.slice_index, axis=plane.axis))


def zeros(key: ArrayKey, plane: Plane | None) -> Pixels:
    """Return what `read` returns of a slot that is all zero."""
    shape = list(key.shape)
    if plane is not None:
        del shape[plane.axis]
    return np.zeros(shape, dtype=key.numpy_dtype)


def content(
    files: SlotFiles,
    key: ArrayKey,
    pixels: Pixels,
    plane: Plane | None,
    *,
    base: StoredSlot | None,
    stamp: Stamp,
) -> SlotContent:
    """Return the content of a new slot.

    Args:
        files: the store.
        key: the array.
        pixels: all of them, or one slice without its axis.
        plane: which one they are; None for all.
        base: the slot that the other slices are taken from; None when they are zero.
        stamp: of the new slot.

    Raises:
        SlotGone, PixelsDamaged: the base is not there, or not what was stored.
    """
    codec = files.codec(key)
    if plane is None:
        return codec.encode(pixels, stamp)
    if plane.axis == 0:
        if base is None:
            return codec.with_scan(None, plane.slice_index, pixels, stamp)
        with files.open_slot(key, base) as file:
            return codec.with_scan(file, plane.slice_index, pixels, stamp)
    whole = zeros(key, None) if base is None else read(files, key, base, None)
    whole = whole if whole.flags.writeable else whole.copy()
    whole[(slice(None),) * plane.axis + (plane.slice_index,)] = pixels
    return codec.encode(whole, stamp)
