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
from eyened_domain.adapters.memory.tables import Row, folded
from eyened_domain.model.entity import Entity
from eyened_domain.model.patient import Patient
from eyened_domain.model.project import Project
from eyened_domain.model.study import Study
from eyened_domain.services.rows import Row as Columns
from eyened_domain.services.rows import Rows, Runs, StudyRow
from eyened_domain.services.sought_values import converted

if TYPE_CHECKING:
    from eyened_domain.adapters.memory.objects import Objects


class MemoryRows(Rows):
    """Set-based reading and writing in the transaction of a unit of work."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def _find(
        self,
        entity: type[Entity],
        by: str,
        values: Iterable[Any],
        columns: Sequence[str],
        *,
        lock: bool,  # noqa: ARG002 - a commit finds out what others have changed
        equals: Mapping[str, Any],
    ) -> list[tuple[Any, ...]]:
        wanted = {folded(_held(entity, by, value)) for value in values if value is not None}
        found = self._objects.rows(entity, [(by, wanted), *_sought(entity, equals)])
        return [tuple(row.values[name] for name in columns) for row in found]

    def _find_above(
        self,
        way: Sequence[type[Entity]],
        links: Sequence[str],
        ids: Iterable[Any],
        columns: Sequence[tuple[type[Entity], str]],
    ) -> list[tuple[Any, ...]]:
        (key,) = way[0].__entity__.primary_key
        wanted = {folded(_held(way[0], key, one)) for one in ids}
        found = []
        for row in self._objects.rows(way[0], [(key, wanted)]):
            held = {way[0]: row}
            for below, link, above in zip(way, links, way[1:], strict=False):
                there = self._objects.view.row(above.__entity__.root, (held[below].values[link],))
                if there is None:
                    break
                held[above] = there
            else:
                found.append((row.key[0], *(held[one].values[name] for one, name in columns)))
        return found

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

    def _page(
        self,
        entity: type[Entity],
        key: str,
        columns: Sequence[str],
        *,
        any_of: Sequence[Mapping[str, Any]],
        after: int,
        most: int,
    ) -> list[tuple[Any, ...]]:
        found = [row.values for row in self._meeting(entity, any_of) if row.values[key] > after]
        found.sort(key=lambda values: values[key])
        return [tuple(values[name] for name in columns) for values in found[:most]]

    def _count(self, entity: type[Entity], any_of: Sequence[Mapping[str, Any]]) -> int:
        return len(self._meeting(entity, any_of))

    def _insert(
        self,
        entity: type[Entity],
        key: str,
        rows: Sequence[Columns],
        told_by: Sequence[str],  # noqa: ARG002 - the ids are known here
    ) -> list[int]:
        self._objects.flush()
        made = []
        for given in rows:
            values = self._converted(entity, {key: None, **given})
            if values[key] is None:
                values[key] = self._objects.store.next_id(entity.__entity__.root)
            made.append(Row(entity, values))
        self._put(made)
        return [row.values[key] for row in made]

    def _update(self, entity: type[Entity], key: str, rows: Sequence[Columns]) -> None:
        self._objects.flush()
        info, view = entity.__entity__, self._objects.view
        now = datetime.now().replace(microsecond=0)
        stamps = {column.name: now for column in info.columns.values() if column.set_on_update}
        written = []
        with self._all_or_none():
            for given in rows:
                values = {name: _held(entity, name, value) for name, value in given.items()}
                found = view.row(info.root, (values[key],))
                if found is not None:
                    view.overwrite(found, {**stamps, **values})
                    written.append(self._now(found))
            self._check(written)
        self._objects.read_again(written)

    def _delete(self, entity: type[Entity], key: str, runs: Runs) -> int:
        gone = [row for row in self._objects.rows(entity) if _within(row.values[key], runs)]
        with self._all_or_none():
            for row in gone:
                self._objects.view.remove(row)
            for row in gone:
                follow_removal(self._objects.view, row)
        return len(gone)

    def _ids_in(
        self, entity: type[Entity], column: str, runs: Runs, wanted: str, most: int
    ) -> list[Any]:
        found = [
            r.values[wanted] for r in self._objects.rows(entity) if _within(r.values[column], runs)
        ]
        return found[:most]

    def _meeting(self, entity: type[Entity], any_of: Sequence[Mapping[str, Any]]) -> list[Row]:
        several = (self._objects.rows(entity, _sought(entity, one)) for one in any_of)
        return [*{row.key: row for rows in several for row in rows}.values()]

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
        now = self._objects.view.row(row.info.root, row.key)
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
        for column in entity.__entity__.columns.values():
            value = given.get(column.name)
            if value is None and column.set_on_insert:
                value = datetime.now()
            values[column.name] = _held(entity, column.name, value)
        return values


def _held(entity: type[Entity], name: str, value: Any) -> Any:
    """Return a value as a column holds it."""
    return None if value is None else converted(entity.__entity__, name, value, stored=True)


def _sought(entity: type[Entity], wanted: Mapping[str, Any]) -> list[tuple[str, list[Any]]]:
    """Return what columns must hold, as it is compared."""
    return [
        (name, [_folded(entity, name, one) for one in (held if isinstance(held, list) else [held])])
        for name, held in wanted.items()
    ]


def _folded(entity: type[Entity], name: str, value: Any) -> Any:
    return None if value is None else folded(converted(entity.__entity__, name, value))


def _within(value: Any, runs: Runs) -> bool:
    return value is not None and any(first <= value <= last for first, last in runs)
