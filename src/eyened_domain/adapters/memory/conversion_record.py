"""The record of converted annotations, in memory; see `services.conversion_record`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from eyened_domain.errors import Duplicate
from eyened_domain.model.segmentation import Segmentation

if TYPE_CHECKING:
    from eyened_domain.adapters.memory.objects import Objects

_CONVERTED = "converted annotations"


class MemoryConversionRecord:
    """The record of conversions, as the transaction of a unit of work sees and extends it."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def converted(self, annotation_ids: Iterable[int]) -> dict[int, int | None]:
        """Return the segmentations of those that were converted, by annotation."""
        known = self._objects.view.notes(_CONVERTED)
        made = {one: known[one,] for one in annotation_ids if (one,) in known}
        return {one: made[one] if self._is_there(made[one]) else None for one in made}

    def note(self, annotation_id: int, segmentation_id: int) -> None:
        """Note that an annotation was converted."""
        view = self._objects.view
        if (annotation_id,) in view.notes(_CONVERTED):
            raise Duplicate(
                f"annotation {annotation_id} was converted already",
                entity="Annotation",
                value=annotation_id,
            )
        view.note(_CONVERTED, (annotation_id,), segmentation_id)

    def _is_there(self, segmentation_id: int) -> bool:
        return self._objects.find(Segmentation, (segmentation_id,)) is not None
