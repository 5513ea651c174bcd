"""All pixels of a slot or one slice of it: read, and put into the content of a new slot."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from eyened_domain.adapters.pixels.zarr.files import SlotFiles
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.pixels.zarr.slot_file import SlotContent, Stamp, StoredSlot

Pixels = npt.NDArray[Any]
Place = tuple[int, int] | None
"""Axis and number of a slice; None for all pixels."""


def read(files: SlotFiles, key: ArrayKey, slot: StoredSlot, place: Place) -> Pixels:
    """Return all pixels of a slot, or one slice without its axis.

    Raises:
        SlotGone: its file is not there.
        PixelsDamaged: it is not what was stored.
    """
    codec = files.codec(key)
    with files.open_slot(key, slot) as file:
        if place is None:
            return codec.decode(file)
        if place[0] == 0:
            return codec.decode_scan(file, place[1])
        return np.ascontiguousarray(codec.decode(file).take(place[1], axis=place[0]))


def zeros(key: ArrayKey, place: Place) -> Pixels:
    """Return what `read` returns of a slot that is all zero."""
    shape = list(key.shape)
    if place is not None:
        del shape[place[0]]
    return np.zeros(shape, dtype=key.numpy_dtype)


def content(
    files: SlotFiles,
    key: ArrayKey,
    pixels: Pixels,
    place: Place,
    *,
    base: StoredSlot | None,
    stamp: Stamp,
) -> SlotContent:
    """Return the content of a new slot.

    Args:
        files: the store.
        key: the array.
        pixels: all of them, or one slice without its axis.
        place: which slice.
        base: the slot that the other slices are taken from; None when they are zero.
        stamp: of the new slot.

    Raises:
        SlotGone, PixelsDamaged: the base is not there, or not what was stored.
    """
    codec = files.codec(key)
    if place is None:
        return codec.encode(pixels, stamp)
    if place[0] == 0:
        if base is None:
            return codec.with_scan(None, place[1], pixels, stamp)
        with files.open_slot(key, base) as file:
            return codec.with_scan(file, place[1], pixels, stamp)
    whole = zeros(key, None) if base is None else read(files, key, base, None)
    whole = whole if whole.flags.writeable else whole.copy()
    whole[(slice(None),) * place[0] + (place[1],)] = pixels
    return codec.encode(whole, stamp)
