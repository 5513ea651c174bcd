"""The record of converted annotations, in memory; see `services.conversion_record`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from eyened_domain.errors import Duplicate


class MemoryConversionRecord:
    """The record of conversions as one unit of work sees and extends it.

    Args:
        committed: SegmentationID by AnnotationID, for good; extended by `commit`.
        is_there: whether there is a segmentation of that id.
    """

    def __init__(self, committed: dict[int, int], is_there: Callable[[int], bool]) -> None:
        self._committed = committed
        self._is_there = is_there
        self._noted: dict[int, int] = {}

    def converted(self, annotation_ids: Iterable[int]) -> dict[int, int | None]:
        """Return the segmentations of those that were converted, by annotation."""
        known = {**self._committed, **self._noted}
        return {
            one: known[one] if self._is_there(known[one]) else None
            for one in annotation_ids
            if one in known
        }

    def note(self, annotation_id: int, segmentation_id: int) -> None:
        """Note that an annotation was converted."""
        if annotation_id in self._committed or annotation_id in self._noted:
            raise Duplicate(
                f"annotation {annotation_id} was converted already",
                entity="Annotation",
                value=annotation_id,
            )
        self._noted[annotation_id] = segmentation_id

    def mark(self) -> dict[int, int]:
        """Return a mark to which what is noted can be undone."""
        return dict(self._noted)

    def undo(self, mark: dict[int, int]) -> None:
        """Take back what was noted since the mark."""
        self._noted = mark

    def commit(self) -> None:
        """Record for good what this unit of work has noted."""
        self._committed.update(self._noted)
        self._noted.clear()
