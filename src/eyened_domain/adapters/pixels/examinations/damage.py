"""Telling whether the file of a slot is what was stored there, and if not, what became of it."""

from __future__ import annotations

from eyened_domain.adapters.pixels.positions.pointing import SlotRow
from eyened_domain.adapters.pixels.positions.rows import LIVE
from eyened_domain.adapters.pixels.zarr.adopted import taken_over
from eyened_domain.adapters.pixels.zarr.codecs import SlotCodec
from eyened_domain.adapters.pixels.zarr.files import SlotFiles, SlotGone
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.pixels.zarr.manifest import digest_of, size_of_frame, split
from eyened_domain.adapters.pixels.zarr.shard import ShardCodec
from eyened_domain.adapters.pixels.zarr.slot_file import PixelsReplaced, SlotFile
from eyened_domain.errors import PixelsDamaged
from eyened_domain.services.doctor import Kind

QUARANTINE_FOLDER = ".quarantine"
Wrong = tuple[Kind, str]
"""A kind of damage, and the words for it."""


def what_is_wrong(
    files: SlotFiles, key: ArrayKey, position: int, slot: SlotRow | None
) -> Wrong | None:
    """Open a slot and compare it with what was stored there.

    Args:
        files: the store.
        key: the array.
        position: on its axis 0.
        slot: what the database knows of it; None for nothing.

    Returns:
        the kind of damage and the words for it; None when nothing is wrong.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        with files.open(key, position, None if slot is None else slot.digest) as file:
            return damage_in(file, files.codec(key), position, slot)
    except SlotGone:
        return missing(files, key, position, slot)


def missing(files: SlotFiles, key: ArrayKey, position: int, slot: SlotRow | None) -> Wrong:
    """Tell a file that is gone from one that another program took away for zeros."""
    where = f"position {position} of {key.path}"
    if slot is not None and slot.state == LIVE and files.is_erased(key, position):
        return Kind.PIXELS_ERASED, (
            f"{where} was erased by another program, which stores no file for zeros: it reads as "
            "zeros. `eorm doctor --adopt` takes it over; if nobody has erased it, restore the file"
        )
    return Kind.PIXELS_LOST, f"there is no file at {where}"


def damage_in(
    file: SlotFile, codec: SlotCodec, position: int, slot: SlotRow | None
) -> Wrong | None:
    """See `what_is_wrong`, of a file that is open."""
    try:
        codec.decode(file)
    except PixelsReplaced as error:
        if slot is not None and _is_of_another_program(file, codec, error, slot):
            return Kind.PIXELS_REPLACED, (
                f"position {position} ({file.name}) was written by another program after it was "
                "stored here; what is there is read, and `eorm doctor --adopt` takes it over"
            )
        return Kind.PIXELS_DAMAGED, _first_words(error)
    except PixelsDamaged as error:
        return Kind.PIXELS_DAMAGED, _first_words(error)
    return None


def _first_words(error: PixelsDamaged) -> str:
    return str(error).partition(";")[0]


def _is_of_another_program(
    file: SlotFile, codec: SlotCodec, error: PixelsReplaced, slot: SlotRow
) -> bool:
    """Whether the file can be decoded, and was written after its digest was taken."""
    try:
        found = taken_over(error, slot.position, token=slot.token, since=slot.since)
        file.is_replaced = found.is_replaced
        codec.decode(file)
    except PixelsDamaged:
        return False
    finally:
        file.is_replaced = False
    return True


def is_signed(files: SlotFiles, key: ArrayKey, position: int) -> bool:
    """Whether a file has a manifest, which says that it was written here; no file has none."""
    try:
        with files.open(key, position, None) as file:
            return split(file.tail(size_of_frame(key.shape[0]))) is not None
    except SlotGone:
        return False


def stored_digest(file: SlotFile, codec: SlotCodec, key: ArrayKey) -> tuple[bytes, bool]:
    """Return the digest of a slot as it is now, having decoded it, and whether it is of ours.

    Raises:
        PixelsDamaged: it cannot be decoded.
    """
    blob = file.all()
    found = split(blob)
    if found is None:
        digest = digest_of(blob)
    else:
        index = blob[: key.shape[0] * 16 + 4] if isinstance(codec, ShardCodec) else b""
        digest = found[0].digest(index)
    file.digest = digest
    codec.decode(file)
    return digest, found is not None
