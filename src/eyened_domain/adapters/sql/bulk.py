"""Whole sets of rows at a time: a constant number of statements per ten thousand rows.

Written with SQLAlchemy Core, on the session's own connection and so in its transaction.
Production servers are MySQL 8, which has no RETURNING: ids are read back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from sqlalchemy import (
    Select,
    Table,
    and_,
    bindparam,
    delete,
    false,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session

from eyened_domain.adapters.sql.bulk_in_hand import (
    let_go,
    let_objects_hold,
    note_made,
    refresh_lists,
    value_in_hand,
)
from eyened_domain.adapters.sql.bulk_portions import CHUNK, chunks, is_sent_as_one, lists_for_in
from eyened_domain.adapters.sql.clock import now_of
from eyened_domain.adapters.sql.ended import DATABASE, ending_on
from eyened_domain.adapters.sql.history.bulk import (
    deleting,
    note_inserted_links,
    note_inserted_rows,
    updating,
)
from eyened_domain.adapters.sql.joins import Joins
from eyened_domain.adapters.sql.kinds import RefusedValue, is_single
from eyened_domain.adapters.sql.patients_studies import studies_of_project
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.adapters.sql.search_statements import Bounds, search_statement
from eyened_domain.adapters.sql.searching import counted
from eyened_domain.adapters.sql.set_based_update import update_rows
from eyened_domain.adapters.sql.windows import first_rows
from eyened_domain.errors import BadInput, Duplicate, RuleBroken, StorageError
from eyened_domain.model.entity import Entity
from eyened_domain.model.values import Integer, Real
from eyened_domain.services.column_paths import path_of
from eyened_domain.services.conditions.meaning import Query
from eyened_domain.services.row_shapes import Row, Runs, within
from eyened_domain.services.rows import Rows, StudyRow
from eyened_domain.services.sought_values import converted

INSERT_CHUNK = 50_000
"""Rows of an INSERT: drivers send them in parts of their own."""
_INT32 = 2**31
_PROJECTS_CHUNK = 50
_RUNS_CHUNK = 200


class SqlRows(Rows):
    """Set-based reading and writing on a session; see `services.rows.Rows`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def _as_held(self, entity: type[Entity], column: str, values: Sequence[Any]) -> Sequence[Any]:
        kind = entity.__entity__.columns[column].kind
        dialect = self._session.get_bind().dialect
        if not isinstance(kind, Real) or not kind.double or not is_single(kind, dialect):
            return values
        return [
            value if value is None else converted(entity.__entity__, column, value, kind=Real())
            for value in values
        ]

    def _find(
        self,
        entity: type[Entity],
        by: str,
        values: Iterable[Any],
        columns: Sequence[str],
        *,
        lock: bool,
        equals: Mapping[str, Any],
    ) -> list[tuple[Any, ...]]:
        joins, sought = Joins(entity), path_of(entity, by)
        statement = select(*map(joins.column, columns)).where(
            *(_holds(joins.column(path), value) for path, value in equals.items())
        )
        column = joins.column(by)
        statement = statement.select_from(joins.source)
        if lock:
            statement = statement.with_for_update()
        is_number = isinstance(sought.owner.__entity__.columns[sought.column].kind, Integer)
        return self._of(statement, column, values, is_number=is_number)

    def _of(
        self, statement: Select[Any], column: Any, values: Iterable[Any], *, is_number: bool
    ) -> list[tuple[Any, ...]]:
        """Return the rows whose column holds one of the values."""
        found: list[tuple[Any, ...]] = []
        sought = list(values)
        if is_number and all(map(_is_id, sought)):
            for chunk in chunks(sought, CHUNK):
                # ids cost a fraction in the text of the statement of what they do as parameters;
                # a text that comes once only is not kept
                written: Any = literal_column(f"({','.join(map(str, chunk))})")
                asked = statement.where(column.op("IN", is_comparison=True)(written))
                result = self._execute(asked, options={"compiled_cache": None})
                found.extend(map(tuple, result.all()))  # PyMySQL would be asked row by row
            return found
        statement = statement.where(column.in_(bindparam("chunk", expanding=True)))
        for chunk in lists_for_in(sought):
            found.extend(map(tuple, self._execute(statement, {"chunk": chunk}).all()))
        return found

    def _counted(
        self,
        entity: type[Entity],
        key: str,
        columns: Sequence[str],
        *,
        lists: Mapping[str, Mapping[str, Any]],
        equals: Mapping[str, Any],
    ) -> list[tuple[Any, ...]]:
        joins, links = Joins(entity), entity.__entity__.links
        counts = [joins.count_of(links[name], wanted) for name, wanted in lists.items()]
        statement = select(*map(joins.column, columns), *counts).where(
            *(joins.column(path) == value for path, value in equals.items())
        )
        statement = statement.select_from(joins.source).order_by(joins.table.c[key])
        return [tuple(row) for row in self._execute(statement)]

    def studies_of(self, patients: Mapping[str, Iterable[str]]) -> list[StudyRow]:
        """Return projects, those of their patients who are named, and all studies of these."""
        pairs = ((name, one) for name, them in patients.items() for one in {None, *them})
        found: list[StudyRow] = []
        for some in lists_for_in(pairs):
            by_project: dict[str, list[str]] = {}
            for project, one in some:
                by_project.setdefault(project, []).extend([] if one is None else [one])
            for part in chunks(by_project.items(), _PROJECTS_CHUNK):
                given = {f"project_{n}": name for n, (name, _) in enumerate(part)}
                lists = {f"patients_{n}": them for n, (_, them) in enumerate(part)}
                statement = union_all(*map(studies_of_project, range(len(part))))
                rows = self._execute(statement, {**given, **lists})
                found += [StudyRow(*row) for row in rows]
        return found

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
        joins, table = Joins(entity), table_of(entity)
        reached = [joins.column(path) for path in columns]
        statement = (
            select(*reached)
            .select_from(joins.source)
            .where(table.c[key] > after, _meets(table, any_of))
            .order_by(table.c[key])
            .limit(most)
        )
        return [tuple(row) for row in self._execute(statement)]

    def _count(self, entity: type[Entity], any_of: Sequence[Mapping[str, Any]]) -> int:
        table = table_of(entity)
        statement = select(func.count()).select_from(table).where(_meets(table, any_of))
        count: int = self._execute(statement).scalar()
        return count

    def _search(self, entity: type[Entity], query: Query) -> list[tuple[Any, ...]]:
        def fetch(bounds: Bounds) -> list[tuple[Any, ...]]:
            statement, values = search_statement(entity, query.columns, query, bounds)
            return [*map(tuple, self._execute(statement, values).all())]

        dialect = self._session.get_bind().dialect
        return first_rows(dialect, entity, query, self._execute, fetch)

    def _search_count(self, entity: type[Entity], query: Query) -> int:
        count: int = self._execute(counted(Joins(entity), query)).scalar()
        return count

    def _insert(
        self, entity: type[Entity], key: str, rows: Sequence[Row], told_by: Sequence[str]
    ) -> list[int]:
        """Insert rows and return their ids, in order.

        They are read back as what is there beyond the highest id of before: a transaction
        (REPEATABLE READ, or the one writer of SQLite) sees no new rows but its own. What
        they are told by says which is which.
        """
        table = table_of(entity)
        if not rows:
            return []
        if rows[0].get(key) is not None:
            with self._all_or_none():
                self._send(table, rows)
            ids = [row[key] for row in rows]
        elif len(rows) == 1:  # every server tells the id of one row by itself
            ids = [self._execute(insert(table), rows[0]).inserted_primary_key[0]]
        else:
            made = self._insert_and_read(table, key, rows, told_by)
            ids = _in_order(entity, made, rows, told_by)
        note_made(self._session, entity, ids)
        note_inserted_rows(self._session, entity, key, ids, rows)
        refresh_lists(self._session, entity, rows)
        return ids

    def _insert_links(self, entity: type[Entity], rows: Sequence[Row]) -> None:
        self._session.flush()
        on_sqlite = self._session.connection().dialect.name == "sqlite"
        is_one = len(rows) <= 1 or (not on_sqlite and is_sent_as_one(rows))
        with nullcontext() if is_one else self._all_or_none():
            self._send(table_of(entity), rows)
        note_inserted_links(self._session, entity, rows)
        refresh_lists(self._session, entity, rows)

    def _insert_and_read(
        self, table: Table, key: str, rows: Sequence[Row], told_by: Sequence[str]
    ) -> list[tuple[Any, ...]]:
        """Insert rows, and return the ids and columns of what is there by that."""
        highest = self._execute(select(func.max(table.c[key]))).scalar() or 0
        made = select(table.c[key], *(table.c[name] for name in told_by))
        made = made.where(table.c[key] > highest).order_by(table.c[key])
        if not self._sees_no_new_rows_of_others():
            with self._all_or_none():
                self._send(table, rows)
            return [tuple(row) for row in self._execute(made)]
        try:
            self._send(table, rows)
        except (Duplicate, RuleBroken, BadInput):
            # some may be there; a savepoint would be two statements more for those that go well
            there = [row[0] for row in self._execute(made)]
            for chunk in chunks(there, CHUNK):
                self._execute(delete(table).where(table.c[key].in_(chunk)))
            raise
        return [tuple(row) for row in self._execute(made)]

    def _sees_no_new_rows_of_others(self) -> bool:
        """Whether what lies beyond the highest id is this transaction's own."""
        connection = self._session.connection()
        if connection.dialect.name == "sqlite":  # one writes at a time
            return True
        usual = connection.default_isolation_level
        level = connection.get_execution_options().get("isolation_level", usual)
        return level in {"REPEATABLE READ", "SERIALIZABLE"}

    def _send(self, table: Table, rows: Sequence[Row]) -> None:
        for chunk in chunks(rows, INSERT_CHUNK):
            self._execute(insert(table), chunk)

    @contextmanager
    def _all_or_none(self) -> Iterator[None]:
        """Take back what the block has written when an error leaves it."""
        with self._session.connection().begin_nested():
            yield

    def _delete_links(
        self, entity: type[Entity], by: str, values: Iterable[Any], equals: Mapping[str, Any]
    ) -> int:
        self._session.flush()
        table = table_of(entity)
        meets = [_holds(table.c[name], value) for name, value in equals.items()]
        sought = [and_(table.c[by].in_(chunk), *meets) for chunk in lists_for_in(values)]
        with deleting(self._session, entity, sought):
            count: int = sum(self._execute(delete(table).where(one)).rowcount for one in sought)
        gone = set(values)
        let_go(
            self._session,
            entity,
            lambda one: (
                value_in_hand(one, by) in gone
                and all(value_in_hand(one, name) == value for name, value in equals.items())
            ),
        )
        return count

    def _update(
        self, entity: type[Entity], key: str, rows: Sequence[Row], before: Sequence[Row]
    ) -> None:
        table = table_of(entity)
        self._session.flush()
        stamped = {c.name for c in entity.__entity__.columns.values() if c.set_on_update}
        connection = self._session.connection()
        stamps = dict.fromkeys(stamped, now_of(connection))
        try:
            sent = list(update_rows(connection, table, key, rows, stamps))
        except RefusedValue as refused:  # outside of the engine, which would translate it
            raise refused.error from None
        is_one = len(sent) <= 1 and (len(rows) <= 1 or connection.dialect.name != "sqlite")
        as_one = nullcontext() if is_one else self._all_or_none()
        with updating(self._session, entity, key, rows, before), as_one:
            for statement, parameters in sent:
                self._execute(statement, parameters)
        let_objects_hold(self._session, entity, key, [{**stamps, **row} for row in rows])

    def _delete(self, entity: type[Entity], key: str, runs: Runs) -> int:
        table = table_of(entity)
        single = [first for first, last in runs if first == last]
        several = [run for run in runs if run[0] != run[1]]
        parts = [table.c[key].in_(part) for part in chunks(single, CHUNK)]
        parts += [_within(table, key, part) for part in chunks(several, _RUNS_CHUNK)]
        there: int = 0
        if any(reference.column.table is table for reference in table.foreign_keys):
            # What one row takes along with it is not counted when its own turn comes.
            ask = select(func.count()).select_from(table)
            there = sum(self._execute(ask.where(part)).scalar() for part in parts)
        with deleting(self._session, entity, parts):
            deleted: int = sum(self._execute(delete(table).where(part)).rowcount for part in parts)
        in_order = sorted(runs)
        let_go(self._session, entity, lambda one: within(value_in_hand(one, key), in_order))
        return max(there, deleted)

    def _ids_in(
        self, entity: type[Entity], column: str, runs: Runs, wanted: str, most: int
    ) -> list[Any]:
        """Return the ids of the rows whose column lies in one of the runs; lock their range."""
        table = table_of(entity)
        found: list[Any] = []
        for chunk in chunks(runs, _RUNS_CHUNK):
            statement = select(table.c[wanted]).where(_within(table, column, chunk))
            statement = statement.limit(most - len(found)).with_for_update()
            found.extend(self._execute(statement).scalars())
            if len(found) >= most:
                break
        return found

    def _execute(
        self, statement: Any, parameters: Any = None, *, options: Mapping[str, Any] | None = None
    ) -> Any:
        with ending_on(self._session, *DATABASE):
            connection = self._session.connection()
            return connection.execute(statement, parameters, execution_options=options)


def _in_order(
    entity: type[Entity], made: list[tuple[Any, ...]], rows: Sequence[Row], key: Sequence[str]
) -> list[int]:
    """Return the id of each row; of rows that are alike in the key, the earlier has the lower."""
    wanted = [tuple([row[name] for name in key]) for row in rows]
    if [held for _, *held in made] == [[*one] for one in wanted]:
        return [row[0] for row in made]
    by_key: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for identity, *held in reversed(made):
        by_key[tuple(held)].append(identity)
    try:
        return [by_key[one].pop() for one in wanted]
    except IndexError:
        raise StorageError(
            f"{entity.__name__} rows were inserted and cannot be read back by "
            f"{', '.join(key)}; nothing was kept",
            entity=entity.__name__,
        ) from None


def _within(table: Table, column: str, runs: list[tuple[int, int]]) -> Any:
    held = table.c[column]
    return or_(*(and_(held >= first, held <= last) for first, last in runs))


def _meets(table: Table, any_of: Sequence[Mapping[str, Any]]) -> Any:
    ways = (and_(true(), *(table.c[name] == v for name, v in one.items())) for one in any_of)
    return or_(false(), *ways)


def _is_id(value: Any) -> bool:
    return type(value) is int and abs(value) < _INT32


def _holds(column: Any, value: Any) -> Any:
    return column.in_(value) if isinstance(value, list) else column == value
