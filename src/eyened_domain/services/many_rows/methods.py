"""What every repository has for many rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from eyened_domain.model.entity import Entity
from eyened_domain.services.garbage import rarer_collections
from eyened_domain.services.many_rows.written import RowsWritten
from eyened_domain.services.rows import Rows

if TYPE_CHECKING:
    from eyened_domain.services.many_rows.writing import ManyRows


class ManyRowsMethods(ABC):
    """Many rows at a time: for more than a few hundred; see `docs/bulk.md`.

    They take a DataFrame of pandas or polars, a dict of columns or a list of dicts. Columns are
    named as fields are, in either style, or say what a link is known by: ``project_name``,
    ``patient_identifier``, ``creator`` (its name, or the object), ``patient.project.project_name``.
    An empty cell says nothing: a new row gets the default, one that is there keeps what it has.
    Everything is checked before anything is written, and all rows that are refused are in
    `row_faults` of the error. Objects in hand are stored before, and show what was written.
    """

    entity: type[Entity]

    def insert_many(self, rows: Any) -> list[int]:
        """Insert rows, and return their ids in order.

        Raises:
            BadInput: a cell or a column is refused, or rows of this entity are not written so.
            NotFound: a link is known by something that there is not.
            RuleBroken: a row breaks a rule, or there is no such id that it is linked to.
            Duplicate: two rows have the same natural key, or a stored one has it.
        """
        with rarer_collections():
            return self._many_rows(rows).insert()

    def update_many(self, rows: Any, *, clear: bool = False) -> RowsWritten:
        """Write columns of rows that are there, known by their ids.

        They are locked, and compared with what they hold by now: only what differs is written.

        Args:
            rows: with the primary key as one of the columns.
            clear: let an empty cell empty the column.

        Raises:
            NotFound: there is no such row, or a link is known by something that there is not.
            BadInput, RuleBroken, Duplicate: as `insert_many`.
        """
        with rarer_collections():
            return self._many_rows(rows).update(clear=clear)

    def upsert_many(
        self, rows: Any, match: str | Sequence[str] | None = None, *, clear: bool = False
    ) -> RowsWritten:
        """Insert the rows that are not there yet, and update the others.

        Args:
            rows: without ids.
            match: the columns or links by which a row is found; without it, the first natural
                key of the entity that is given whole.
            clear: let an empty cell empty the column of a row that is there.

        Raises:
            Duplicate: several rows are found for one; or as `insert_many`.
            BadInput: two of the rows would be the same; or as `insert_many`.
            NotFound, RuleBroken: as `insert_many`.
        """
        with rarer_collections():
            return self._many_rows(rows).upsert(match=match, clear=clear)

    def _many_rows(self, given: Any) -> ManyRows:
        from eyened_domain.services.many_rows.writing import (  # noqa: PLC0415 - when it is used
            ManyRows,
        )

        self._flush()
        return ManyRows(self.entity, self.rows, given)

    @abstractmethod
    def _flush(self) -> None:
        """Store what has changed, as a look-up does."""

    @property
    @abstractmethod
    def rows(self) -> Rows:
        """Set-based reading and writing, where this repository's objects are."""
