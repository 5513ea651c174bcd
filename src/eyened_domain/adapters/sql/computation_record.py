"""The record of what attribute values were computed from, in the table `AttributeComputation`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from eyened_domain.adapters.sql.ended import DATABASE, ending_on
from eyened_domain.adapters.sql.own_tables import execute_on
from eyened_domain.adapters.sql.schema.bookkeeping import attribute_computation
from eyened_domain.services.computation_record import Computed

_CHUNK = 10_000

_LACKS = "no record yet of what attribute values were computed from"


class SqlComputationRecord:
    """The record of computations on a session; see `services.computation_record`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def noted(self, attribute_value_ids: Iterable[int]) -> dict[int, Computed]:
        """Return what was noted of these values."""
        noted = attribute_computation.c
        statement = select(noted.attribute_value_id, noted.inputs, noted.zarr_array_index)
        ids = list(attribute_value_ids)
        found: dict[int, Computed] = {}
        for start in range(0, len(ids), _CHUNK):
            those = noted.attribute_value_id.in_(ids[start : start + _CHUNK])
            for key, inputs, position in self._execute(statement.where(those)):
                digests = {int(one): held for one, held in inputs.items()}
                found[key] = Computed(digests, position)
        return found

    def note(self, computed: Mapping[int, Computed]) -> None:
        """Note what values were computed from, in the place of what was noted before."""
        now = int(time.time())
        rows = [
            {
                "attribute_value_id": key,
                "inputs": {str(one): held for one, held in what.inputs.items()},
                "zarr_array_index": what.position,
                "recorded_at": now,
            }
            for key, what in computed.items()
        ]
        for start in range(0, len(rows), _CHUNK):
            some = rows[start : start + _CHUNK]
            those = attribute_computation.c.attribute_value_id
            ids = [row["attribute_value_id"] for row in some]
            self._execute(delete(attribute_computation).where(those.in_(ids)))
            self._execute(insert(attribute_computation), some)

    def _execute(self, statement: Any, parameters: Any = None) -> Any:
        with ending_on(self._session, *DATABASE):
            return execute_on(attribute_computation, _LACKS, self._session, statement, parameters)
