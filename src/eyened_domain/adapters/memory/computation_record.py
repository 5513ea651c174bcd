"""The record of what attribute values were computed from, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from eyened_domain.services.computation_record import Computed

if TYPE_CHECKING:
    from eyened_domain.adapters.memory.objects import Objects

_COMPUTED = "computed attribute values"


class MemoryComputationRecord:
    """The record of computations, as the transaction of a unit of work sees and extends it."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def noted(self, attribute_value_ids: Iterable[int]) -> dict[int, Computed]:
        """Return what was noted of these values."""
        known = self._objects.view.notes(_COMPUTED)
        return {one: known[one,] for one in attribute_value_ids if (one,) in known}

    def note(self, computed: Mapping[int, Computed]) -> None:
        """Note what values were computed from, in the place of what was noted before."""
        for key, what in computed.items():
            self._objects.view.note(_COMPUTED, (key,), what)
