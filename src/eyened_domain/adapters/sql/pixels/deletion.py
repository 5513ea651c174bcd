"""Segmentations that are deleted leave their positions behind, as garbage."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from sqlalchemy import insert
from sqlalchemy.orm import UOWTransaction

from eyened_domain.adapters.sql.pixels.slots import array_id_of, discard
from eyened_domain.adapters.sql.tables.pixels import zarr_array
from eyened_domain.adapters.storage.zarr_store.layout import ArrayKey
from eyened_domain.model.stored_pixels import StoredPixels

if TYPE_CHECKING:
    from eyened_domain.adapters.sql.session import DomainSession


def discard_deleted(session: DomainSession, _context: UOWTransaction) -> None:
    """Note the positions of the segmentations that this flush has deleted as garbage."""
    if session.pixels is None:
        return
    for one in session.deleted:
        position = one.__dict__.get("zarr_array_index")
        if isinstance(one, StoredPixels) and position is not None:
            _discard(session, ArrayKey.of(one), position)


def _discard(session: DomainSession, key: ArrayKey, position: int) -> None:
    connection = session.connection()
    found = array_id_of(connection, key)
    if found is None:  # an array of an older program, which nobody has written to since
        row = {"group_name": key.group, "array_name": key.name, "next_index": position + 1}
        connection.execute(insert(zarr_array), [row])
        found = array_id_of(connection, key)
    discard(connection, found.zarr_array_id, position, uuid.uuid4().hex)
