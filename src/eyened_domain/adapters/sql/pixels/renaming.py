"""Models keep their names once their segmentations have pixels: a zarr group is called so."""

from __future__ import annotations

from sqlalchemy import exists, inspect, select
from sqlalchemy.orm import Session

from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.model.computation import SegmentationModel
from eyened_domain.model.segmentation import ModelSegmentation


def check_renaming(session: Session, model: SegmentationModel) -> None:
    """Raise `RuleBroken` where a stored model is renamed whose segmentations have pixels.

    The database is asked only when name or version has changed.
    """
    attributes = inspect(model).attrs
    fields = [name for name in ("model_name", "version") if attributes[name].history.has_changes()]
    if fields:
        columns = table_of(ModelSegmentation).c
        is_its = columns.model_id == model.model_id
        asked = select(exists(select(1).where(is_its, columns.zarr_array_index.is_not(None))))
        has_pixels = bool(session.connection().scalar(asked))
        model.check_renaming(fields, has_pixels=has_pixels)
