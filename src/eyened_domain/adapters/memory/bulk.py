"""Whole sets of rows at a time, in memory; see `services.rows.Rows`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from eyened_domain.adapters.memory.constraints import (
    check_keys,
    check_references,
    check_values,
    follow_removal,
)
from eyened_domain.adapters.memory.shape import shape_of
from eyened_domain.adapters.memory.tables import Row, folded
from eyened_domain.model.entity import Entity
from eyened_domain.model.patient import Patient
from eyened_domain.model.project import Project
from eyened_domain.model.study import Study
from eyened_domain.services.rows import Row as Columns
from eyened_domain.services.rows import StudyRow

if TYPE_CHECKING:
    from eyened_domain.adapters.memory.objects import Objects


class MemoryRows:
    """Set-based reading and writing in the transaction of a unit of work."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def find(
        self,
        entity: type[Entity],
        by: str,
        values: Iterable[Any],
        columns: Sequence[str],
        *,
        lock: bool = False,  # noqa: ARG002 - a commit finds out what others have changed
        **equals: Any,
    ) -> list[tuple[Any, ...]]:
        """Return the columns of the rows whose column `by` holds one of the values."""
        wanted = {folded(value) for value in values}
        same = {name: folded(value) for name, value in equals.items()}
        return [
            tuple(row.values[name] for name in columns)
            for row in self._rows(entity)
            if folded(row.values[by]) in wanted
            and all(folded(row.values[name]) == value for name, value in same.items())
        ]

    def studies_of(self, patients: Mapping[str, Iterable[str]]) -> list[StudyRow]:
        """Return projects, those of their patients who are named, and all studies of these."""
        found: list[StudyRow] = []
        for project, identifiers in patients.items():
            names = ("project_name", "project_id")
            for name, project_id in self.find(Project, "project_name", [project], names):
                found += self._studies_in(name, project_id, identifiers)
        return found

    def _studies_in(
        self, name: str, project_id: int, identifiers: Iterable[str]
    ) -> Iterator[StudyRow]:
        names = ("patient_identifier", "patient_id")
        named = self.find(
            Patient, "patient_identifier", identifiers, names, project_id=project_id
        ) or [(None, None)]
        studies: dict[int, list[tuple[Any, ...]]] = {}
        columns = ("patient_id", "study_date", "study_id")
        for patient_id, *rest in self.find(Study, "patient_id", [one[1] for one in named], columns):
            studies.setdefault(patient_id, []).append(tuple(rest))
        for identifier, patient_id in named:
            for day, study_id in studies.get(patient_id, [(None, None)]):
                yield StudyRow(name, project_id, identifier, patient_id, day, study_id)

    def page(
        self,
        entity: type[Entity],
        columns: Sequence[str],
        *,
        any_of: Sequence[Mapping[str, Any]],
        after: int,
        most: int,
    ) -> list[tuple[Any, ...]]:
        """Return columns of the next rows beyond a primary key, in its order."""
        (primary,) = shape_of(entity).primary_key
        found = [
            row.values
            for row in self._rows(entity)
            if row.values[primary] > after and _meets(row, any_of)
        ]
        found.sort(key=lambda values: values[primary])
        return [tuple(values[name] for name in columns) for values in found[:most]]

    def count(self, entity: type[Entity], *, any_of: Sequence[Mapping[str, Any]]) -> int:
        """Return how many rows meet one of these."""
        return sum(_meets(row, any_of) for row in self._rows(entity))

    def insert(
        self,
        entity: type[Entity],
        rows: Sequence[Columns],
        *,
        key: Sequence[str],  # noqa: ARG002 - the ids are known here
    ) -> list[int]:
        """Insert rows and return their ids, in order."""
        self._objects.flush()
        shape = shape_of(entity)
        (primary,) = shape.primary_key
        made = []
        for given in rows:
            values = self._converted(entity, {primary: None, **given})
            if values[primary] is None:
                values[primary] = self._objects.store.next_id(shape.root)
            made.append(Row(entity, values))
        self._put(made)
        return [row.values[primary] for row in made]

    def update(self, entity: type[Entity], rows: Sequence[Columns]) -> None:
        """Write the given columns of rows that exist; each row holds its primary key.

        The last who writes wins: they are not compared with what was read. A column with the
        moment of the last change holds that of this call in all of them, unless a row gives
        another one.
        """
        self._objects.flush()
        shape, view = shape_of(entity), self._objects.view
        now = datetime.now().replace(microsecond=0)
        stamps = {column.name: now for column in shape.columns if column.set_on_update}
        written = []
        with self._all_or_none():
            for given in rows:
                found = view.row(shape.root, shape.key(given))
                if found is not None:
                    view.overwrite(found, {**stamps, **given})
                    written.append(self._now(found))
            self._check(written)
        self._objects.read_again(written)

    def delete(self, entity: type[Entity], runs: Sequence[tuple[int, int]]) -> int:
        """Delete the rows with these runs of ids; return how many there were."""
        (primary,) = shape_of(entity).primary_key
        gone = [row for row in self._rows(entity) if _within(row.values[primary], runs)]
        for row in gone:
            self._objects.view.remove(row)
        for row in gone:
            follow_removal(self._objects.view, row)
        return len(gone)

    def ids_in(
        self, entity: type[Entity], column: str, runs: Sequence[tuple[int, int]], *, most: int
    ) -> list[Any]:
        """Return the ids of the rows whose column lies in one of the runs."""
        keys = shape_of(entity).primary_key
        wanted = keys[0] if len(keys) == 1 else column
        found = [r.values[wanted] for r in self._rows(entity) if _within(r.values[column], runs)]
        return found[:most]

    def _rows(self, entity: type[Entity]) -> list[Row]:
        self._objects.flush()
        rows = self._objects.view.table(shape_of(entity).root).rows.values()
        return [row for row in rows if issubclass(row.entity, entity)]

    def _put(self, rows: list[Row]) -> None:
        with self._all_or_none():
            for row in rows:
                check_values(row)
                self._objects.view.put(row)
            self._check(rows)

    def _check(self, rows: list[Row]) -> None:
        for row in rows:
            check_values(row)
        check_references(self._objects.view, rows)
        check_keys(self._objects.view, rows)

    def _now(self, row: Row) -> Row:
        now = self._objects.view.row(row.shape.root, row.key)
        return row if now is None else now

    @contextmanager
    def _all_or_none(self) -> Iterator[None]:
        view = self._objects.view
        mark = view.mark()
        try:
            yield
        except BaseException:
            view.undo(mark)
            raise

    def _converted(self, entity: type[Entity], given: Columns) -> Columns:
        values: Columns = {}
        for column in shape_of(entity).columns:
            value = given.get(column.name)
            if value is None and column.set_on_insert:
                value = datetime.now()
            values[column.name] = None if value is None else column.kind.convert(value)
        return values


def _meets(row: Row, any_of: Sequence[Mapping[str, Any]]) -> bool:
    return any(
        all(folded(row.values[name]) == folded(value) for name, value in one.items())
        for one in any_of
    )


def _within(value: Any, runs: Sequence[tuple[int, int]]) -> bool:
    return value is not None and any(first <= value <= last for first, last in runs)
