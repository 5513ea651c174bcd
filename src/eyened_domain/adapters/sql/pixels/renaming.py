"""Models keep their names once their segmentations have pixels: a zarr group is called so."""

from __future__ import annotations

from sqlalchemy import exists, inspect, select
from sqlalchemy.orm import Session

from eyened_domain.adapters.sql.tables.segmentation import model_segmentation
from eyened_domain.model.computation import SegmentationModel


def check_renaming(session: Session, model: SegmentationModel) -> None:
    """Raise `RuleBroken` where a stored model is renamed whose segmentations have pixels.

    The database is asked only when name or version has changed.
    """
    attributes = inspect(model).attrs
    fields = [name for name in ("model_name", "version") if attributes[name].history.has_changes()]
    if fields:
        asked = select(
            exists(
                select(1).where(
                    model_segmentation.c.model_id == model.model_id,
                    model_segmentation.c.zarr_array_index.is_not(None),
                )
            )
        )
        has_pixels = bool(session.connection().scalar(asked))
        model.check_renaming(fields, has_pixels=has_pixels)
