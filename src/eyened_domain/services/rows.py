"""Whole sets of rows at a time, within a unit of work."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from eyened_domain.errors import BadInput
from eyened_domain.model.entity import Entity
from eyened_domain.model.image import ImageInstance
from eyened_domain.services.column_paths import path_of
from eyened_domain.services.conditions.meaning import Query
from eyened_domain.services.row_shapes import (
    Row,
    Runs,
    check_alike,
    check_names,
    check_runs,
    info_of_links,
    info_of_rows,
    key_column,
    listed_in,
)
from eyened_domain.services.sought_values import listed

_SAID_TWICE = frozenset({"modality", "modality_id"})


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
            columns: what to return of each row. Here, in `by` and in `equals` a path names a
                column of what a link to one leads to: ``"series.study.study_date"``
                (`services.column_paths`); None where the link is empty.
            lock: keep others from changing these rows until the transaction ends, and see
                what they committed up to now.
            equals: further columns and what they must hold; a list means "one of these",
                None means NULL.
        """
        info = info_of_rows(entity)
        columns = listed(info, columns, "columns")
        for path in (by, *columns, *equals):
            path_of(entity, path)
        return self._find(
            entity, by, listed(info, values, "values"), columns, lock=lock, equals=equals
        )

    def counted(
        self,
        entity: type[Entity],
        columns: Sequence[str],
        lists: Mapping[str, Mapping[str, Any]],
        **equals: Any,
    ) -> list[tuple[Any, ...]]:
        """Return columns of rows, and how many objects stand in lists of theirs; one statement.

        Args:
            entity: whose rows; its primary key has one column, and orders them.
            columns: what to return of each row, by paths as in `find`.
            lists: links to many, and what those must hold that are counted: columns of theirs,
                or paths. The counts follow the columns.
            equals: columns, or paths, and what they must hold.

        Raises:
            BadInput: something is no column, or no list of objects that point to the row.
        """
        info = info_of_rows(entity)
        key = key_column(info)
        columns = listed(info, columns, "columns")
        for path in (*columns, *equals):
            path_of(entity, path)
        for name, wanted in lists.items():
            target = listed_in(info, name)
            for path in wanted:
                path_of(target, path)
        return self._counted(entity, key, columns, lists=lists, equals=equals)

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
        after: int = 0,
        most: int | None = None,
    ) -> list[tuple[Any, ...]]:
        """Return columns of the next rows beyond a primary key, in its order.

        Args:
            entity: whose rows; its primary key has one column.
            columns: what to return of each row; ``patient.project.project_name`` is a column
                of what its links to one lead to, None where they lead nowhere.
            any_of: a row must meet one of these: columns and what they hold, None for NULL.
            after: the primary key beyond which the page begins.
            most: how many rows to return at the most; None for all.
        """
        info = info_of_rows(entity)
        columns = listed(info, columns, "columns")
        check_names(info, [name for one in any_of for name in one])
        for path in columns:
            path_of(entity, path)
        return self._page(entity, key_column(info), columns, any_of=any_of, after=after, most=most)

    def count(self, entity: type[Entity], *, any_of: Sequence[Mapping[str, Any]]) -> int:
        """Return how many rows meet one of these: columns and what they hold."""
        check_names(info_of_rows(entity), [name for one in any_of for name in one])
        return self._count(entity, any_of)

    def search(self, entity: type[Entity], query: Query) -> list[tuple[Any, ...]]:
        """Return columns of the rows that a query asks for, in its order; one statement.

        Args:
            entity: whose rows.
            query: what is asked, as `services.conditions` makes it of conditions.
        """
        info_of_rows(entity)
        return self._search(entity, query)

    def search_count(self, entity: type[Entity], query: Query) -> int:
        """Return how many rows a query asks for, at the most those that it takes; one statement.

        Args:
            entity: whose rows.
            query: what is asked; its order does not matter.
        """
        info_of_rows(entity)
        return self._search_count(entity, query)

    def insert(self, entity: type[Entity], rows: Sequence[Row], *, key: Sequence[str]) -> list[int]:
        """Insert rows and return their ids, in order.

        Args:
            entity: whose rows; no special kind of another entity.
            rows: each with the same columns; with the primary key in all of them, or in none.
            key: the columns that the rows are told apart by; of rows that are alike in
                them, the earlier has the lower id.

        Raises:
            Duplicate: somebody was faster; nothing of this call is kept.
            BadInput: it is a special kind.
        """
        info = info_of_rows(entity)
        if info.parent:
            raise BadInput(
                f"{info.name} rows are not inserted in bulk: a {info.parent} is a row of its own; "
                "add objects",
                entity=info.name,
            )
        check_alike(info, rows)
        told_by = listed(info, key, "columns")
        check_names(info, told_by)
        return self._insert(entity, key_column(info), rows, told_by)

    def update(
        self, entity: type[Entity], rows: Sequence[Row], *, before: Sequence[Row] = ()
    ) -> None:
        """Write the given columns of rows that exist; each row holds its primary key.

        The last who writes wins: they are not compared with what was read. A column with the
        moment of the last change holds that of this call in all of them, unless a row gives
        another one. The modality of an image and the id of its entry are two columns here,
        and are written together. Where a flag (`inactive`) is written, lists in hand that leave out
        what is inactive are read again.

        Args:
            entity: whose rows.
            rows: what is written.
            before: what these columns hold, each with its primary key, where that was read with a
                lock in this transaction: the history need not read it once more.

        Raises:
            BadInput: a row lacks its primary key, or has one of these two without the other.
        """
        info = info_of_rows(entity)
        key = key_column(info)
        check_names(info, {name for row in rows for name in row})
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
        self._update(entity, key, rows, before)

    def insert_links(self, entity: type[Entity], rows: Sequence[Row]) -> None:
        """Insert rows of a table between others, which are known by several columns.

        Lists in hand that they belong in are read anew. The rules of objects (`check_rules`)
        are not asked: who calls this keeps them.

        Args:
            entity: whose rows, such as `ImageInstanceTagLink`.
            rows: each with the same columns.

        Raises:
            Duplicate: one is there already; nothing of this call is kept.
            RuleBroken: one points to something that is not there.
            BadInput: its rows have ids of their own, or other columns than the first one.
        """
        info = info_of_links(entity)
        check_alike(info, rows)
        if rows:
            self._insert_links(entity, rows)

    def delete_links(
        self, entity: type[Entity], by: str, values: Iterable[Any], **equals: Any
    ) -> int:
        """Delete rows of a table between others; return how many there were.

        Objects in hand that stand for them leave the lists that they are in.

        Args:
            entity: whose rows.
            by: the column that is looked in.
            values: any number of values.
            equals: further columns and what they must hold.

        Raises:
            BadInput: its rows have ids of their own.
        """
        info = info_of_links(entity)
        check_names(info, [by, *equals])
        return self._delete_links(entity, by, listed(info, values, "values"), equals)

    def delete(self, entity: type[Entity], runs: Runs) -> int:
        """Delete the rows with these runs of ids (first, last); return how many there were.

        Objects in hand that stand for them are deleted, and leave the lists that they are in.
        """
        info = info_of_rows(entity)
        check_runs(info, runs)
        return self._delete(entity, key_column(info), runs)

    def ids_in(self, entity: type[Entity], column: str, runs: Runs, *, most: int) -> list[Any]:
        """Return the ids of the rows whose column lies in one of the runs, and keep out others.

        Until the transaction ends nobody can add such a row.

        Args:
            entity: whose rows; with a composite key, the column's own values are returned.
            column: the column that is looked in.
            runs: runs of values (first, last).
            most: how many to return at the most.
        """
        info = info_of_rows(entity)
        check_names(info, [column])
        check_runs(info, runs)
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
        check_names(info_of_rows(entity), [column])
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
    def _page(
        self,
        entity: type[Entity],
        key: str,
        columns: Sequence[str],
        *,
        any_of: Sequence[Mapping[str, Any]],
        after: int,
        most: int | None,
    ) -> list[tuple[Any, ...]]: ...

    @abstractmethod
    def _counted(
        self,
        entity: type[Entity],
        key: str,
        columns: Sequence[str],
        *,
        lists: Mapping[str, Mapping[str, Any]],
        equals: Mapping[str, Any],
    ) -> list[tuple[Any, ...]]: ...

    @abstractmethod
    def _search(self, entity: type[Entity], query: Query) -> list[tuple[Any, ...]]: ...

    @abstractmethod
    def _search_count(self, entity: type[Entity], query: Query) -> int: ...

    @abstractmethod
    def _insert_links(self, entity: type[Entity], rows: Sequence[Row]) -> None: ...

    @abstractmethod
    def _delete_links(
        self, entity: type[Entity], by: str, values: Iterable[Any], equals: Mapping[str, Any]
    ) -> int: ...

    @abstractmethod
    def _count(self, entity: type[Entity], any_of: Sequence[Mapping[str, Any]]) -> int: ...

    @abstractmethod
    def _insert(
        self, entity: type[Entity], key: str, rows: Sequence[Row], told_by: Sequence[str]
    ) -> list[int]: ...

    @abstractmethod
    def _update(
        self, entity: type[Entity], key: str, rows: Sequence[Row], before: Sequence[Row]
    ) -> None: ...

    @abstractmethod
    def _delete(self, entity: type[Entity], key: str, runs: Runs) -> int: ...

    @abstractmethod
    def _ids_in(
        self, entity: type[Entity], column: str, runs: Runs, wanted: str, most: int
    ) -> list[Any]: ...
