"""Whole sets of rows at a time, within a unit of work."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from eyened_domain.errors import BadInput
from eyened_domain.model.entity import Entity, EntityInfo
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.values import shown
from eyened_domain.services.sought_values import check_entity, listed

_SAID_TWICE = frozenset({"modality", "modality_id"})
Row = dict[str, Any]
"""Columns of a row, by field name."""
Runs = Sequence[tuple[int, int]]
"""Runs of values: first and last."""


class StudyRow(NamedTuple):
    """A study, its patient and its project; None where a project or a patient has nothing."""

    project_name: str
    project_id: int
    patient_identifier: str | None
    patient_id: int | None
    study_date: date | None
    study_id: int | None


class Rows(ABC):
    """Set-based reading and writing, in a constant number of statements per ten thousand rows.

    Names and shapes are checked here; what columns hold is converted by the adapter, which gives
    the primitives at the end of the class. What cannot be meant is `BadInput`, and a name that
    is none `UnknownName`.
    """

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
            equals: further columns and what they must hold; a list means "one of these",
                None means NULL.
        """
        info = _info(entity)
        columns = listed(info, columns, "columns")
        _check_names(info, [by, *columns, *equals])
        return self._find(
            entity, by, listed(info, values, "values"), columns, lock=lock, equals=equals
        )

    def find_above(
        self,
        entity: type[Entity],
        links: Sequence[tuple[str, type[Entity]]],
        ids: Iterable[Any],
        columns: Sequence[tuple[type[Entity], str]],
    ) -> list[tuple[Any, ...]]:
        """Return ids of rows, each with columns of it and of the rows that it hangs on.

        Args:
            entity: whose rows.
            links: the way up: the column of the entity before that leads to an entity, and
                that entity.
            ids: of the rows; those that are not there are left out.
            columns: what to return behind the id, each of an entity on the way.
        """
        way = [entity, *(above for _, above in links)]
        for below, (column, _) in zip(way, links, strict=False):
            _check_names(_info(below), [column])
        for one, column in columns:
            _check_names(_info(one), [column])
        return self._find_above(way, [column for column, _ in links], ids, columns)

    @abstractmethod
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
        info = _info(entity)
        columns = listed(info, columns, "columns")
        _check_names(info, [*columns, *(name for one in any_of for name in one)])
        return self._page(entity, _key(info), columns, any_of=any_of, after=after, most=most)

    def count(self, entity: type[Entity], *, any_of: Sequence[Mapping[str, Any]]) -> int:
        """Return how many rows meet one of these: columns and what they hold."""
        _check_names(_info(entity), [name for one in any_of for name in one])
        return self._count(entity, any_of)

    def insert(self, entity: type[Entity], rows: Sequence[Row], *, key: Sequence[str]) -> list[int]:
        """Insert rows and return their ids, in order.

        Args:
            entity: whose rows; no special kind of another entity.
            rows: each with the same columns.
            key: the columns that the rows are told apart by; of rows that are alike in
                them, the earlier has the lower id.

        Raises:
            Duplicate: somebody was faster; nothing of this call is kept.
            BadInput: it is a special kind.
        """
        info = _info(entity)
        if info.parent:
            raise BadInput(
                f"{info.name} rows are not inserted in bulk: a {info.parent} is a row of its own; "
                "add objects",
                entity=info.name,
            )
        names = rows[0].keys() if rows else ()
        for row in rows:
            if row.keys() != names:
                raise BadInput(
                    f"rows of {info.name} that are inserted together need the same columns: "
                    f"{', '.join(names)}, not {', '.join(row)}",
                    entity=info.name,
                )
        told_by = listed(info, key, "columns")
        _check_names(info, [*names, *told_by])
        return self._insert(entity, _key(info), rows, told_by)

    def update(self, entity: type[Entity], rows: Sequence[Row]) -> None:
        """Write the given columns of rows that exist; each row holds its primary key.

        The last who writes wins: they are not compared with what was read. A column with the
        moment of the last change holds that of this call in all of them, unless a row gives
        another one. The modality of an image and the id of its entry are two columns here,
        and are written together.

        Raises:
            BadInput: a row lacks its primary key, or has one of these two without the other.
        """
        info = _info(entity)
        key = _key(info)
        _check_names(info, {name for row in rows for name in row})
        for row in rows:
            if row.get(key) is None:
                raise BadInput(
                    f"a row of {info.name} is updated by its {key}, which was not given",
                    entity=info.name,
                    field=key,
                )
            if len(_SAID_TWICE & row.keys()) == 1 and entity is ImageInstance:
                raise BadInput(
                    "ImageInstance.modality and modality_id say the same; update both in a row",
                    entity=info.name,
                    field="modality",
                )
        self._update(entity, key, rows)

    def delete(self, entity: type[Entity], runs: Runs) -> int:
        """Delete the rows with these runs of ids (first, last); return how many there were."""
        info = _info(entity)
        _check_runs(info, runs)
        return self._delete(entity, _key(info), runs)

    def ids_in(self, entity: type[Entity], column: str, runs: Runs, *, most: int) -> list[Any]:
        """Return the ids of the rows whose column lies in one of the runs, and keep out others.

        Until the transaction ends nobody can add such a row.

        Args:
            entity: whose rows; with a composite key, the column's own values are returned.
            column: the column that is looked in.
            runs: runs of values (first, last).
            most: how many to return at the most.
        """
        info = _info(entity)
        _check_names(info, [column])
        _check_runs(info, runs)
        wanted = info.primary_key[0] if len(info.primary_key) == 1 else column
        return self._ids_in(entity, column, runs, wanted, most)

    def as_held(self, entity: type[Entity], column: str, values: Sequence[Any]) -> Sequence[Any]:
        """Return values of a column as the storage will give them back.

        They are what they are but on a database at the contract, which holds numbers of double
        precision in single.

        Args:
            entity: whose column.
            column: its name.
            values: as the entity holds them, or None.

        Raises:
            BadInput: the column cannot hold one of them there.
        """
        _check_names(_info(entity), [column])
        return self._as_held(entity, column, values)

    # --- what an adapter gives; `key` is the one column of the primary key ----------------------

    def _as_held(
        self,
        entity: type[Entity],  # noqa: ARG002 - it holds them as they are
        column: str,  # noqa: ARG002
        values: Sequence[Any],
    ) -> Sequence[Any]:
        return values

    @abstractmethod
    def _find(
        self,
        entity: type[Entity],
        by: str,
        values: Iterable[Any],
        columns: Sequence[str],
        *,
        lock: bool,
        equals: Mapping[str, Any],
    ) -> list[tuple[Any, ...]]: ...

    @abstractmethod
    def _find_above(
        self,
        way: Sequence[type[Entity]],
        links: Sequence[str],
        ids: Iterable[Any],
        columns: Sequence[tuple[type[Entity], str]],
    ) -> list[tuple[Any, ...]]: ...

    @abstractmethod
    def _page(
        self,
        entity: type[Entity],
        key: str,
        columns: Sequence[str],
        *,
        any_of: Sequence[Mapping[str, Any]],
        after: int,
        most: int,
    ) -> list[tuple[Any, ...]]: ...

    @abstractmethod
    def _count(self, entity: type[Entity], any_of: Sequence[Mapping[str, Any]]) -> int: ...

    @abstractmethod
    def _insert(
        self, entity: type[Entity], key: str, rows: Sequence[Row], told_by: Sequence[str]
    ) -> list[int]: ...

    @abstractmethod
    def _update(self, entity: type[Entity], key: str, rows: Sequence[Row]) -> None: ...

    @abstractmethod
    def _delete(self, entity: type[Entity], key: str, runs: Runs) -> int: ...

    @abstractmethod
    def _ids_in(
        self, entity: type[Entity], column: str, runs: Runs, wanted: str, most: int
    ) -> list[Any]: ...


def _info(entity: type[Entity]) -> EntityInfo:
    check_entity(entity)
    return entity.__entity__


def _key(info: EntityInfo) -> str:
    """Return the one column of the primary key."""
    if len(info.primary_key) > 1:
        raise BadInput(
            f"{info.name} is known by several columns ({', '.join(info.primary_key)}), and its "
            "rows are not paged, inserted, updated or deleted in bulk; add and delete objects",
            entity=info.name,
        )
    return info.primary_key[0]


def _check_names(info: EntityInfo, names: Iterable[str]) -> None:
    """Raise `UnknownName` unless these are names of columns, in Python's style."""
    for name in names:
        if name in info.columns:
            continue
        field = info.field_name(name)
        link = info.links.get(field)
        column = field if link is None else link.via
        raise BadInput(
            f"{info.name}.{name} is no column of rows"
            + (f"; say {column}" if column else ": it is a list"),
            entity=info.name,
            field=name,
        )


def _check_runs(info: EntityInfo, runs: Runs) -> None:
    for run in listed(info, runs, "runs"):
        if not isinstance(run, tuple) or len(run) != 2:
            raise BadInput(
                f"{info.name}: runs are pairs (first, last), not {shown(run)}", entity=info.name
            )
