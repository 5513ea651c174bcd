"""Damaged slots: what is found of them, and how they are put aside without losing anything."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Connection, Engine, insert, update

from eyened_domain.adapters.pixels.examinations.damage import (
    QUARANTINE_FOLDER,
    is_signed,
    what_is_wrong,
)
from eyened_domain.adapters.pixels.examinations.taking_over import FIXES
from eyened_domain.adapters.pixels.positions.pointing import Pointing, row_and_position, slot_row
from eyened_domain.adapters.pixels.positions.rows import QUARANTINE, array_id_of, now
from eyened_domain.adapters.pixels.zarr import survey
from eyened_domain.adapters.pixels.zarr.files import SlotFiles
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.sql.schema.pixels import zarr_array, zarr_slot
from eyened_domain.adapters.sql.sqlite_turns import BEGIN
from eyened_domain.services.doctor import Finding, Kind

YOUNG_S = 3600
"""How old in seconds a file must be before it is asked why nobody points to it."""
DOCTORS_TOKEN = "d0c7" * 8
"""The token of positions that the doctor has noted."""


def damaged(
    one: Pointing, wrong: tuple[Kind, str], common: dict[str, Any], *, adopt: bool
) -> Finding:
    """Make the finding for pixels that are not what was stored."""
    kind, words = wrong
    fix = FIXES.get(kind) if adopt else None
    if kind is Kind.PIXELS_DAMAGED:
        fix = f"its file is moved to {QUARANTINE_FOLDER}"
    return Finding(kind, f"{one.entity} {one.identity}: {words}", fix=fix, **common)


def quarantine(engine: Engine, files: SlotFiles, found: Finding, *, young_s: float) -> str | None:
    """Put a damaged slot aside, if it is damaged still: reading it says so, nothing is lost.

    A young file without a manifest is left: until zarr 3.1.2, chunks are written in place, and
    another program may be at it.
    """
    key, position = found.detail, row_and_position(found)[2]
    standing = survey.slot_at(files, key, position)
    is_young = standing is not None and standing.changed > time.time() - young_s
    if is_young and not is_signed(files, key, position):
        return None
    writing = engine.execution_options(**{BEGIN: "IMMEDIATE"})
    with writing.begin() as connection:
        array_id = known_array(connection, key, position + 1)
        slot = slot_row(connection, key, position)
        wrong = what_is_wrong(files, key, position, slot)
        if wrong is None or wrong[0] is not Kind.PIXELS_DAMAGED:
            return None
        if slot is None:
            values: dict[str, Any] = {"zarr_array_id": array_id, "slot_index": position}
            values |= {"token": DOCTORS_TOKEN, "state": QUARANTINE, "since": now()}
            connection.execute(insert(zarr_slot), [values])
        else:
            connection.execute(
                update(zarr_slot)
                .where(
                    zarr_slot.c.zarr_array_id == array_id,
                    zarr_slot.c.slot_index == position,
                )
                .values(state=QUARANTINE, since=now())
            )
    # moved when that is known to all: a live position without a file would read as erased
    moved = survey.move_to_quarantine(files, key, position, QUARANTINE_FOLDER)
    return f"was moved to {moved}"


def known_array(connection: Connection, key: ArrayKey, beyond: int) -> int:
    """Return the id of an array, which is made known if need be; its row is locked."""
    found = array_id_of(connection, key, lock=True)
    if found is None:
        row = {"group_name": key.group, "array_name": key.name, "next_index": 0}
        connection.execute(insert(zarr_array), [row])
        found = array_id_of(connection, key, lock=True)
    if found.next_index < beyond:
        connection.execute(
            update(zarr_array)
            .where(zarr_array.c.zarr_array_id == found.zarr_array_id)
            .values(next_index=beyond)
        )
    return int(found.zarr_array_id)
