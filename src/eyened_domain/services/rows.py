"""Whole sets of rows at a time, within a unit of work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, Protocol

from eyened_domain.model.entity import Entity

Row = dict[str, Any]
"""Columns of a row, by field name."""


class StudyRow(NamedTuple):
    """A study, its patient and its project; None where a project or a patient has nothing."""

    project_name: str
    project_id: int
    patient_identifier: str | None
    patient_id: int | None
    study_date: date | None
    study_id: int | None


class Rows(Protocol):
    """Set-based reading and writing, in a constant number of statements per ten thousand rows."""

    def find(
        self,
        entity: type[Entity],
        by: str,
        values: Iterable[Any],
        columns: Sequence[str],
        *,
        lock: bool = False,
        **equals: Any,
    ) -> list[tuple[Any, ...]]:
        """Return the columns of the rows whose column `by` holds one of the values.

        Args:
            entity: whose rows.
            by: the column that is looked in.
            values: any number of values.
            columns: what to return of each row.
            lock: keep others from changing these rows until the transaction ends, and see
                what they committed up to now.
            equals: further columns and what they must hold.
        """

    def studies_of(self, patients: Mapping[str, Iterable[str]]) -> list[StudyRow]:
        """Return projects, those of their patients who are named, and all studies of these.

        A project without such a patient, and a patient without a study, is there at least
        once, with None in place of what it has not.

        Args:
            patients: for names of projects, the identifiers of patients.
        """

    def page(
        self,
        entity: type[Entity],
        columns: Sequence[str],
        *,
        any_of: Sequence[Mapping[str, Any]],
        after: int,
        most: int,
    ) -> list[tuple[Any, ...]]:
        """Return columns of the next rows beyond a primary key, in its order.

        Args:
            entity: whose rows; its primary key has one column.
            columns: what to return of each row.
            any_of: a row must meet one of these: columns and what they hold, None for NULL.
            after: the primary key beyond which the page begins.
            most: how many rows to return at the most.
        """

    def count(self, entity: type[Entity], *, any_of: Sequence[Mapping[str, Any]]) -> int:
        """Return how many rows meet one of these: columns and what they hold."""

    def insert(self, entity: type[Entity], rows: Sequence[Row], *, key: Sequence[str]) -> list[int]:
        """Insert rows and return their ids, in order.

        Args:
            entity: whose rows.
            rows: each with the same columns.
            key: the columns that the rows are told apart by; of rows that are alike in
                them, the earlier has the lower id.

        Raises:
            Duplicate: somebody was faster; nothing of this call is kept.
        """

    def update(self, entity: type[Entity], rows: Sequence[Row]) -> None:
        """Write the given columns of rows that exist; each row holds its primary key.

        A column with the moment of the last change holds that of this call in all of them,
        unless a row gives another one. The modality of an image and the id of its entry are
        two columns here: give both.
        """

    def delete(self, entity: type[Entity], runs: Sequence[tuple[int, int]]) -> int:
        """Delete the rows with these runs of ids (first, last); return how many there were."""

    def ids_in(
        self, entity: type[Entity], column: str, runs: Sequence[tuple[int, int]], *, most: int
    ) -> list[Any]:
        """Return the ids of the rows whose column lies in one of the runs, and keep out others.

        Until the transaction ends nobody can add such a row.

        Args:
            entity: whose rows; with a composite key, the column's own values are returned.
            column: the column that is looked in.
            runs: runs of values (first, last).
            most: how many to return at the most.
        """
