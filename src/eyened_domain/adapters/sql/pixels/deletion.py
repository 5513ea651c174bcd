"""Segmentations that are deleted leave their positions behind, as garbage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.orm import UOWTransaction

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
            session.pixels.discard(ArrayKey.of(one), position)
