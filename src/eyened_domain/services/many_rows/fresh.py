"""New rows: what is not given is filled in, and what is needed must be there."""

from __future__ import annotations

from eyened_domain.errors import BadInput, Duplicate
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.values import Blob, Json, Real
from eyened_domain.services.many_rows.checks import Writing
from eyened_domain.services.many_rows.columns import Batch
from eyened_domain.services.many_rows.modalities import make_entries, settle_modalities
from eyened_domain.services.many_rows.refusals import explained
from eyened_domain.services.many_rows.rules import check_rules, has_rules
from eyened_domain.services.row_shapes import Row


class FreshRows:
    """Checks and inserts rows.

    Args:
        writing: of which entity.
    """

    def __init__(self, writing: Writing) -> None:
        self._writing = writing

    def rows(self, batch: Batch) -> list[Row]:
        """Return rows as they are to be inserted; everything is checked by then."""
        if not len(batch):
            return []
        if self._writing.entity is ImageInstance:
            settle_modalities(self._writing.rows, batch, self._writing.faults(), clear=False)
        self._fill(batch)
        for key in self._writing.info.unique:
            if batch.values.keys() >= set(key):
                self._writing.refuse_twice(batch, key, Duplicate)
        rows = batch.rows()
        if has_rules(self._writing.entity):
            numbered = zip(batch.numbers, rows, strict=True)
            check_rules(self._writing.rows, self._writing.entity, numbered, self._writing.faults())
        return rows

    def write(self, batch: Batch, rows: list[Row]) -> list[int]:
        """Insert rows that were checked, and return their ids, in order."""
        if not rows:
            return []
        if self._writing.entity is ImageInstance:
            make_entries(self._writing.rows, rows)
        numbered = list(zip(batch.numbers, rows, strict=True))
        with explained(
            self._writing.rows, self._writing.entity, numbered, self._writing.faults, new=True
        ):
            return self._writing.rows.insert(self._writing.entity, rows, key=self._told_by(batch))

    def _fill(self, batch: Batch) -> None:
        """Fill in what a new object holds where nothing is given, and refuse what is needed."""
        values = batch.values
        for name, default in self._writing.info.defaults.items():
            if default is not None and None in values.get(name, [None]):
                some = values.get(name, [None] * len(batch))
                values[name] = [default if value is None else value for value in some]
        lacking = [name for name in self._writing.info.needed if name not in values]
        if lacking:
            raise BadInput(
                f"{self._writing.info.name}.{lacking[0]} is needed and was not given: a column of "
                f"that name{self._known_by(lacking[0])}",
                entity=self._writing.info.name,
                field=lacking[0],
            )
        self._writing.refuse_empty(batch, self._writing.info.needed)
        faults = self._writing.faults()
        for name, some in list(values.items()):
            column = self._writing.info.columns[name]
            if column.references or not column.generated or None not in some:
                continue
            del values[name]
            for number, value in zip(batch.numbers, some, strict=True):
                if value is not None:
                    faults.add(number, name, "is given in some rows; give it in all or none", value)
        faults.raise_as(BadInput)

    def _known_by(self, name: str) -> str:
        link = self._writing.info.link_of.get(name)
        return "" if link is None else f", or what {link} is known by"

    def _told_by(self, batch: Batch) -> list[str]:
        """Return columns by which the new rows are read back."""
        if self._writing.key in batch.values:
            return [self._writing.key]
        for key in self._writing.info.unique:
            if batch.values.keys() >= set(key):
                return list(key)
        columns = self._writing.info.columns
        return [n for n in batch.values if not isinstance(columns[n].kind, Json | Blob | Real)]
