"""The record of converted annotations, in the table `AnnotationConversion`."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from eyened_domain.adapters.sql.own_tables import execute_on
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.adapters.sql.schema.pixels import annotation_conversion
from eyened_domain.model.segmentation import Segmentation

segmentation: Table = table_of(Segmentation)

_CHUNK = 1000

_LACKS = "no record of converted annotations yet, so nothing was written"


class SqlConversionRecord:
    """The record of conversions on a session; see `services.conversion_record`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def converted(self, annotation_ids: Iterable[int]) -> dict[int, int | None]:
        """Return the segmentations of those that were converted, by annotation."""
        noted, made = annotation_conversion.c, segmentation.c
        statement = select(noted.annotation_id, made.segmentation_id).outerjoin_from(
            annotation_conversion, segmentation, noted.segmentation_id == made.segmentation_id
        )
        ids = list(annotation_ids)
        found: dict[int, int | None] = {}
        for start in range(0, len(ids), _CHUNK):
            chunk = statement.where(noted.annotation_id.in_(ids[start : start + _CHUNK]))
            found.update((row[0], row[1]) for row in self._execute(chunk))
        return found

    def note(self, annotation_id: int, segmentation_id: int) -> None:
        """Note that an annotation was converted; a second time is a `Duplicate`."""
        self._execute(
            insert(annotation_conversion).values(
                annotation_id=annotation_id,
                segmentation_id=segmentation_id,
                converted_at=int(time.time()),
            )
        )

    def _execute(self, statement: Any) -> Any:
        return execute_on(annotation_conversion, _LACKS, self._session, statement)
