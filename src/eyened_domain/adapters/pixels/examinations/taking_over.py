"""Taking over what another program has made of positions: `eorm doctor --adopt`."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Engine, update

from eyened_domain.adapters.pixels.examinations.damage import stored_digest, what_is_wrong
from eyened_domain.adapters.pixels.positions.pointing import SlotRow, row_and_position, slot_row
from eyened_domain.adapters.pixels.positions.rows import LIVE, QUARANTINE, array_id_of, now
from eyened_domain.adapters.pixels.zarr.adopted import (
    as_others_write,
    token_of,
    token_of_adopted,
)
from eyened_domain.adapters.pixels.zarr.files import SlotFiles, SlotGone
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.pixels.zarr.slices import zeros
from eyened_domain.adapters.pixels.zarr.slot_file import Stamp
from eyened_domain.adapters.sql.schema.pixels import zarr_slot
from eyened_domain.adapters.sql.sqlite_turns import BEGIN
from eyened_domain.errors import Conflict, PixelsDamaged
from eyened_domain.services.doctor import Finding, Kind

FIXES = {
    Kind.PIXELS_REPLACED: "its checksum is taken anew",
    Kind.PIXELS_ERASED: "zeros are stored",
}
"""What ``--adopt`` does about what another program has written."""


def take_over(engine: Engine, files: SlotFiles, found: Finding) -> str | None:
    """Note what another program has written at a position as what is stored there.

    Its file stays as it is; where it has none, for zeros, one is written. When it is changed
    once more meanwhile, that is found by the next check-up.

    Returns:
        what was done; None when there is nothing to take over any more.
    """
    key, position = found.detail, row_and_position(found)[2]
    writing = engine.execution_options(**{BEGIN: "IMMEDIATE"})
    with writing.begin() as connection:
        array_id_of(connection, key, lock=True)
        slot = slot_row(connection, key, position)
        if slot is None:
            return None
        values = _taken(files, key, slot)
        if values is None:
            return None
        state = LIVE if slot.state == QUARANTINE else slot.state
        connection.execute(
            update(zarr_slot)
            .where(zarr_slot.c.zarr_array_id == slot.array_id, zarr_slot.c.slot_index == position)
            .values(state=state, since=now(), **values)
        )
    return "its checksum was taken" if found.kind is Kind.PIXELS_REPLACED else "zeros were stored"


def _taken(files: SlotFiles, key: ArrayKey, slot: SlotRow) -> dict[str, Any] | None:
    wrong = what_is_wrong(files, key, slot.position, slot)
    try:
        if wrong is not None and wrong[0] is Kind.PIXELS_REPLACED:
            return _as_it_is(files, key, slot.position)
        if wrong is not None and wrong[0] is Kind.PIXELS_ERASED:
            return _zeros(files, key, slot.position)
    except (PixelsDamaged, SlotGone, Conflict):  # it is being written at this moment
        return None
    return None


def _as_it_is(files: SlotFiles, key: ArrayKey, position: int) -> dict[str, Any]:
    with files.open(key, position, None) as file:
        digest, _ = stored_digest(file, files.codec(key), key)
        return {
            "digest": digest,
            "bytes": file.size,
            "token": token_of_adopted(file.changed_ns),
        }


def _zeros(files: SlotFiles, key: ArrayKey, position: int) -> dict[str, Any]:
    stamp = Stamp(position, uuid.uuid4().hex)
    # without a manifest: until this is committed, it is another program's to whoever reads it
    content = as_others_write(files.codec(key).encode(zeros(key, None), stamp))
    files.put(key, position, content)
    token = token_of(files, key, position, content, stamp.token)
    return {"digest": content.digest, "bytes": content.size, "token": token}
