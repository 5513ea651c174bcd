"""Whole sets of rows at a time, in memory; see `services.rows.Rows`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import evolve

from eyened_domain.adapters.memory.bulk_in_hand import (
    let_go,
    read_again,
    read_flags_again,
    read_lists_again,
)
from eyened_domain.adapters.memory.constraints import (
    check_keys,
    check_references,
    check_values,
    duplicate,
    follow_removal,
)
from eyened_domain.adapters.memory.history import note_new, note_since
from eyened_domain.adapters.memory.paths import value_at
from eyened_domain.adapters.memory.searching import searched_rows
from eyened_domain.adapters.memory.tables import Row
from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.model.names import folded
from eyened_domain.model.patient import Patient
from eyened_domain.model.project import Project
from eyened_domain.model.study import Study
from eyened_domain.services.changes.recorded import IMPORTED
from eyened_domain.services.column_paths import ColumnPath, path_of
from eyened_domain.services.conditions.meaning import Query
from eyened_domain.services.row_shapes import Row as Columns
from eyened_domain.services.row_shapes import Runs, within
from eyened_domain.services.rows import Rows, StudyRow
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
        path = path_of(entity, by)
        wanted = {folded(_held(path.owner, path.column, v)) for v in values if v is not None}
        paths = [path_of(entity, name) for name in columns]
        own = {name: value for name, value in equals.items() if "." not in name}
        beyond = {name: value for name, value in equals.items() if name not in own}
        near, far = ([], [(path, wanted)]) if path.steps else ([(by, wanted)], [])
        found = self._objects.rows(entity, [*near, *_sought(entity, own)])
        meeting = self._far(found, [*far, *_sought_far(entity, beyond)])
        return [tuple(self._at(row, one) for one in paths) for row in meeting]

    def _counted(
        self,
        entity: type[Entity],
        key: str,
        columns: Sequence[str],
        *,
        lists: Mapping[str, Mapping[str, Any]],
        equals: Mapping[str, Any],
    ) -> list[tuple[Any, ...]]:
        paths = [path_of(entity, name) for name in columns]
        found = [*self._far(self._objects.rows(entity), _sought_far(entity, equals))]
        found.sort(key=lambda row: row.values[key])
        return [
            (*(self._at(row, one) for one in paths), *self._lengths(row, key, lists))
            for row in found
        ]

    def _lengths(self, row: Row, key: str, lists: Mapping[str, Mapping[str, Any]]) -> Iterator[int]:
        for name, wanted in lists.items():
            link = row.info.links[name]
            target = entity_class(link.target)
            via = str(target.__entity__.links[str(link.back)].via)
            theirs = self._objects.view.table(target.__entity__.root)
            listed = theirs.holding(**{via: row.values[key]})
            yield sum(1 for _ in self._far(listed, _sought_far(target, wanted)))

    def _far(
        self, rows: Iterable[Row], wanted: Sequence[tuple[ColumnPath, Collection[Any]]]
    ) -> Iterator[Row]:
        """Give the rows where paths lead to what is wanted."""
        for row in rows:
            if all(folded(self._at(row, path)) in values for path, values in wanted):
                yield row

    def _at(self, row: Row, path: ColumnPath) -> Any:
        return value_at(self._objects, row, path)

    def _search(self, entity: type[Entity], query: Query) -> list[tuple[Any, ...]]:
        found = searched_rows(self._objects, entity, query)
        paths = [path_of(entity, name) for name in query.columns]
        return [tuple(self._at(row, path) for path in paths) for row in found]

    def _search_count(self, entity: type[Entity], query: Query) -> int:
        return len(searched_rows(self._objects, entity, evolve(query, order=())))

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
        most: int | None,
    ) -> list[tuple[Any, ...]]:
        found = [row for row in self._meeting(entity, any_of) if row.values[key] > after]
        found.sort(key=lambda row: row.values[key])
        paths = [path_of(entity, name) for name in columns]
        return [tuple(self._at(row, path) for path in paths) for row in found[:most]]

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
            else:
                self._objects.store.skip_ids(entity.__entity__.root, values[key])
            made.append(Row(entity, values))
        with self._all_or_none():
            self._put(made)
            if entity.__name__ not in IMPORTED:
                note_new(self._objects, made)
        read_lists_again(self._objects, entity, [row.values for row in made])
        return [row.values[key] for row in made]

    def _insert_links(self, entity: type[Entity], rows: Sequence[Columns]) -> None:
        self._objects.flush()
        made = [Row(entity, self._converted(entity, given)) for given in rows]
        keys = [row.key for row in made if self._objects.view.row(row.info.root, row.key) is None]
        if len({*keys}) < len(made):
            raise duplicate(entity, entity.__entity__.primary_key)
        with self._all_or_none():
            self._put(made)
            note_new(self._objects, made)
        read_lists_again(self._objects, entity, [row.values for row in made])

    def _delete_links(
        self, entity: type[Entity], by: str, values: Iterable[Any], equals: Mapping[str, Any]
    ) -> int:
        wanted = {_held(entity, by, value) for value in values if value is not None}
        gone = [*self._objects.rows(entity, [(by, wanted), *_sought(entity, equals)])]
        mark = self._objects.view.mark()
        for row in gone:
            self._objects.view.remove(row)
            known = self._objects.known.get((row.info.root, row.key))
            if known is not None:
                self._objects.removed(known)
        note_since(self._objects, mark)
        return len(gone)

    def _update(
        self, entity: type[Entity], key: str, rows: Sequence[Columns], _before: Sequence[Columns]
    ) -> None:
        self._objects.flush()
        info, view = entity.__entity__, self._objects.view
        now = datetime.now().replace(microsecond=0)
        stamps = {column.name: now for column in info.columns.values() if column.set_on_update}
        written, before, mark = [], [], view.mark()
        with self._all_or_none():
            for given in rows:
                values = {name: _held(entity, name, value) for name, value in given.items()}
                found = view.row(info.root, (values[key],))
                if found is not None:
                    before.append(found.values)
                    view.overwrite(found, {**stamps, **values})
                    written.append(self._now(found))
            for row in written:
                check_values(row)
            self._check(written)
            note_since(self._objects, mark)
        read_again(self._objects, written)
        read_lists_again(self._objects, entity, [*before, *(row.values for row in written)])
        read_flags_again(self._objects, entity, rows)

    def _delete(self, entity: type[Entity], key: str, runs: Runs) -> int:
        runs = sorted(runs)
        gone = [row for row in self._objects.rows(entity) if within(row.values[key], runs)]
        mark = self._objects.view.mark()
        with self._all_or_none():
            for row in gone:
                self._objects.view.remove(row)
            for row in gone:
                follow_removal(self._objects.view, row)
            note_since(self._objects, mark)
        let_go(self._objects, entity, gone)
        return len(gone)

    def _ids_in(
        self, entity: type[Entity], column: str, runs: Runs, wanted: str, most: int
    ) -> list[Any]:
        runs = sorted(runs)
        self._objects.view.keep_out(entity.__entity__.root, column, runs)
        found = [
            r.values[wanted] for r in self._objects.rows(entity) if within(r.values[column], runs)
        ]
        return found[:most]

    def _meeting(self, entity: type[Entity], any_of: Sequence[Mapping[str, Any]]) -> list[Row]:
        several = (self._objects.rows(entity, _sought(entity, one)) for one in any_of)
        return [*{row.key: row for rows in several for row in rows}.values()]

    def _put(self, rows: list[Row]) -> None:
        with self._all_or_none():
            for row in rows:
                check_values(row)
                if self._objects.view.row(row.info.root, row.key) is not None:
                    raise duplicate(row.entity, row.info.primary_key)
                self._objects.view.put(row)
            self._check(rows)

    def _check(self, rows: list[Row]) -> None:
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


def _sought_far(
    entity: type[Entity], wanted: Mapping[str, Any]
) -> list[tuple[ColumnPath, list[Any]]]:
    """Return what paths must lead to, as it is compared."""
    paths = {path_of(entity, name): value for name, value in wanted.items()}
    return [
        (path, _sought(path.owner, {path.column: value})[0][1]) for path, value in paths.items()
    ]
