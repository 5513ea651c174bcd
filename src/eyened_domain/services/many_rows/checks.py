"""What is checked of all many rows alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eyened_domain.errors import BadInput, EyenedError
from eyened_domain.model.entity import Entity
from eyened_domain.model.names import folded
from eyened_domain.model.values import shown
from eyened_domain.services.many_rows.columns import Batch
from eyened_domain.services.many_rows.faults import Faults
from eyened_domain.services.rows import Rows


class Writing:
    """What writing many rows of an entity goes by.

    Args:
        entity: whose rows.
        rows: the storage's set-based reading and writing.
        total: how many rows were given.
    """

    def __init__(self, entity: type[Entity], rows: Rows, total: int) -> None:
        self.entity = entity
        self.info = entity.__entity__
        self.rows = rows
        self.total = total
        (self.key,) = self.info.primary_key

    def faults(self) -> Faults:
        """Return a fresh collection of what is wrong with rows."""
        return Faults(self.info.name, self.total)

    def refuse_empty(self, batch: Batch, names: Sequence[str]) -> None:
        """Raise `BadInput` where a row has nothing in one of these columns."""
        faults = self.faults()
        for name in names:
            for number, value in zip(batch.numbers, batch.values[name], strict=True):
                if value is None:
                    faults.add(number, name, "is needed and was not given")
        faults.raise_as(BadInput)

    def refuse_twice(self, batch: Batch, names: Sequence[str], kind: type[EyenedError]) -> None:
        """Raise where two rows say the same by which rows are told apart."""
        keys = list(zip(*(map(folded, batch.values[name]) for name in names), strict=True))
        if len(set(keys)) == len(keys):
            return
        faults = self.faults()
        seen: dict[tuple[Any, ...], int] = {}
        for at, (number, key) in enumerate(zip(batch.numbers, keys, strict=True)):
            first = number if None in key else seen.setdefault(key, number)
            if first != number:
                told = ", ".join(shown(batch.values[name][at]) for name in names)
                faults.add(number, ", ".join(names), f"the same as row {first}: {told}")
        faults.raise_as(kind)
