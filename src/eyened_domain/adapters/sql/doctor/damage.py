"""Telling whether the file of a slot is what was stored there, and if not, what became of it."""

from __future__ import annotations

from typing import Any

from eyened_domain.adapters.storage.zarr_store.codecs import SlotCodec
from eyened_domain.adapters.storage.zarr_store.files import SlotFiles, SlotGone
from eyened_domain.adapters.storage.zarr_store.layout import ArrayKey
from eyened_domain.adapters.storage.zarr_store.manifest import digest_of, split
from eyened_domain.adapters.storage.zarr_store.shard import ShardCodec
from eyened_domain.adapters.storage.zarr_store.slot_file import SlotFile
from eyened_domain.errors import PixelsDamaged
from eyened_domain.services.doctor import Kind

QUARANTINE_FOLDER = ".quarantine"


def what_is_wrong(
    files: SlotFiles, key: ArrayKey, position: int, digest: bytes | None
) -> tuple[Kind, str] | None:
    """Open a slot and compare it with what was stored there.

    Returns:
        the kind of damage and the words for it; None when nothing is wrong.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        with files.open(key, position, digest) as file:
            return damage_in(file, files.codec(key), position)
    except SlotGone:
        return Kind.PIXELS_LOST, f"there is no file at position {position} of {key.path}"


def damage_in(file: SlotFile, codec: SlotCodec, position: int) -> tuple[Kind, str] | None:
    """See `what_is_wrong`, of a file that is open."""
    try:
        codec.decode(file)
    except PixelsDamaged as error:
        if _is_of_another_program(file, codec):
            said = (
                f"position {position} ({file.name}) was written by another program after it was "
                "stored here; what is there can be read"
            )
            return Kind.PIXELS_REPLACED, said
        return Kind.PIXELS_DAMAGED, str(error).partition(";")[0]
    return None


def _is_of_another_program(file: SlotFile, codec: SlotCodec) -> bool:
    """Whether the file can be decoded, and does not say that it was written here."""
    if file.digest is None or split(file.all()) is not None:
        return False
    known: Any = file.digest
    file.digest = None
    try:
        codec.decode(file)
    except PixelsDamaged:
        return False
    finally:
        file.digest = known
    return True


def stored_digest(file: SlotFile, codec: SlotCodec, key: ArrayKey) -> bytes:
    """Return the digest of a slot that the database has none for, having decoded it.

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
    return digest
