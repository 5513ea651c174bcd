"""What a session knows of pixels: the port of their store, and rules of rows that have some."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import exists, inspect, select
from sqlalchemy.orm import Session, UOWTransaction

from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.model.computation import SegmentationModel
from eyened_domain.model.pixels.store import PixelStore
from eyened_domain.model.pixels.stored import StoredPixels
from eyened_domain.model.segmentation import ModelSegmentation

if TYPE_CHECKING:
    from eyened_domain.adapters.sql.session import DomainSession


class SessionPixels(PixelStore, Protocol):
    """The pixels of the segmentations of one session."""

    note: Callable[[Any], None] | None
    """Told of each segmentation whose pixels were stored; the unit of work sets it."""

    def discard(self, grid: StoredPixels) -> None:
        """Note that nobody points any more to where the pixels of a segmentation are."""


class PixelShelf(Protocol):
    """Where the pixels of a database's segmentations are; shared by its sessions."""

    def pixels_of(self, session: DomainSession) -> SessionPixels:
        """Return the pixels of the segmentations of a session."""


def discard_deleted(session: DomainSession, _context: UOWTransaction) -> None:
    """Note the positions of the segmentations that this flush has deleted as garbage."""
    if session.pixels is None:
        return
    for one in session.deleted:
        if isinstance(one, StoredPixels) and one.__dict__.get("zarr_array_index") is not None:
            session.pixels.discard(one)


def check_renaming(session: Session, model: SegmentationModel) -> None:
    """Raise `RuleBroken` where a stored model is renamed whose segmentations have pixels.

    A zarr group is called so. The database is asked only when name or version has changed.
    """
    attributes = inspect(model).attrs
    fields = [name for name in ("model_name", "version") if attributes[name].history.has_changes()]
    if fields:
        columns = table_of(ModelSegmentation).c
        is_its = columns.model_id == model.model_id
        asked = select(exists(select(1).where(is_its, columns.zarr_array_index.is_not(None))))
        has_pixels = bool(session.connection().scalar(asked))
        model.check_renaming(fields, has_pixels=has_pixels)
