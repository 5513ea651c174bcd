"""Repositories on a SQLAlchemy session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import evolve
from sqlalchemy import ColumnElement, Select, TextClause, bindparam, func, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from eyened_domain.adapters.sql.bulk import SqlRows
from eyened_domain.adapters.sql.changed_rows import begin_writing, note_locked
from eyened_domain.adapters.sql.ended import refuse_if_ended
from eyened_domain.adapters.sql.inactive import includes_inactive, is_active
from eyened_domain.adapters.sql.lists import among
from eyened_domain.adapters.sql.search_statements import Bounds, search_statement
from eyened_domain.adapters.sql.sqlalchemy_internals import flush_before_query
from eyened_domain.adapters.sql.staleness import is_stale
from eyened_domain.adapters.sql.windows import first_rows
from eyened_domain.model.entity import Entity
from eyened_domain.services.finders import repository_class
from eyened_domain.services.garbage import rarer_collections
from eyened_domain.services.repository import Repository
from eyened_domain.services.search_methods import Asked, Wanted
from eyened_domain.services.sought_values import Key

if TYPE_CHECKING:
    from eyened_domain.adapters.sql.session import DomainSession

E = TypeVar("E", bound=Entity)
CHUNK = 1000


class SqlRepository(Repository[E]):
    """All objects of one entity class in the database of a session.

    Args:
        session: the session.
        entity: the class.
    """

    def __init__(self, session: DomainSession, entity: type[E]) -> None:
        super().__init__(entity)
        self.session = session

    @property
    def rows(self) -> SqlRows:
        """Set-based reading and writing on the session."""
        return SqlRows(self.session)

    @property
    def _includes_inactive(self) -> bool:
        return includes_inactive(self.session)

    def _hold(self, many: list[E]) -> None:
        self.session.add_all(many)

    def _take_out(self, one: E) -> None:
        self.session.delete(one)

    def _flush(self) -> None:
        flush_before_query(self.session)

    def _find(self, key: Key, *, lock: bool) -> E | None:
        flush_before_query(self.session)
        held = self.session.identity_map.get(identity_key(self.entity, key))
        if held is not None and lock and not is_stale(self.session, held):
            self.session.lock(held)
        if held is not None and not lock:
            return self.session.get(self.entity, key)
        # a statement that is built once takes half the time of session.get
        values = dict(zip(self._info.primary_key, key, strict=True))
        return next(iter(self._locked(values) if lock else self._with(values)), None)

    def _find_all(self, keys: Sequence[Key]) -> dict[Key, E]:
        refuse_if_ended(self.session)
        if len(self._info.primary_key) > 1:
            each = {key: self._find(key, lock=False) for key in keys}
            return {key: one for key, one in each.items() if one is not None}
        (name,) = self._info.primary_key
        column, ids = getattr(self.entity, name), [identity for (identity,) in keys]
        found: dict[Key, E] = {}
        with rarer_collections():
            for start in range(0, len(ids), CHUNK):
                chunk = ids[start : start + CHUNK]
                for one in self.session.scalars(select(self.entity).where(column.in_(chunk))):
                    found[getattr(one, name),] = one
        return found

    def _is_condition(self, condition: Any) -> bool:
        clause = getattr(condition, "__clause_element__", None)
        return isinstance(condition if clause is None else clause(), ColumnElement | TextClause)

    def _asked_with(self) -> str:
        return f"expressions such as {self._info.name}.{self._info.primary_key[0]} == 1"

    def _matching(self, conditions: Sequence[Any], wanted: Wanted) -> list[E]:
        statement = self._select(conditions, wanted).order_by(
            *(getattr(self.entity, name) for name in self._info.primary_key)
        )
        with rarer_collections():
            return list(self.session.scalars(statement))

    def _searched(self, asked: Asked) -> list[E]:
        if self._info.parent is not None or self._info.discriminator is not None:
            return self._searched_of_kinds(asked)

        def fetch(bounds: Bounds) -> list[E]:
            asks = search_statement(self.entity, None, asked.query, bounds, asked.conditions)
            return list(self.session.scalars(*asks))

        dialect = self.session.get_bind().dialect
        with rarer_collections():
            return first_rows(dialect, self.entity, asked.query, self.session.execute, fetch)

    def _searched_of_kinds(self, asked: Asked) -> list[E]:
        """Find first and then read, where the mapping itself joins tables."""
        (key,) = self._info.primary_key
        most = None if asked.conditions else asked.query.most
        flush_before_query(self.session)
        rows = self.rows.search(self.entity, evolve(asked.query, columns=(key,), most=most))
        ids, mapped = [identity for (identity,) in rows], getattr(self.entity, key)
        statement = _all_of(self.entity).where(*asked.conditions, among(mapped, ids))
        found = {getattr(one, key): one for one in self.session.scalars(statement)}
        return [found[identity] for identity in ids if identity in found][: asked.query.most]

    def _first_two(self, wanted: Wanted) -> Sequence[E]:
        values = {name: one[0] for name, one in wanted.items() if len(one) == 1 and "." not in name}
        if len(values) == len(wanted) and None not in values.values():
            return self._with(values)
        found: Sequence[E] = self.session.scalars(self._select((), wanted).limit(2)).all()
        return found

    def _count(self, wanted: Wanted) -> int:
        statement = select(func.count()).select_from(self.entity).where(*self._equals(wanted))
        return self.session.scalar(statement) or 0

    def _names(self, column: str, most: int | None) -> Iterable[tuple[str, int]]:
        (key,) = self._info.primary_key
        identity = getattr(self.entity, key)
        statement = select(getattr(self.entity, column), identity).order_by(identity)
        found: Iterable[Any] = self.session.execute(statement.limit(most))
        return found

    def _with(self, values: dict[str, Any]) -> Sequence[E]:
        """Return those whose columns hold these values, two at the most."""
        statement = _with_equal(self.entity, tuple(values))
        parameters = {f"p_{name}": value for name, value in values.items()}
        # Not DomainSession.scalars: loading calmly costs more than so few objects.
        return Session.scalars(self.session, statement, parameters).all()

    def _locked(self, values: dict[str, Any]) -> Sequence[E]:
        """Return those with these values, with their rows locked."""
        begin_writing(self.session)
        statement = _with_equal(self.entity, tuple(values), lock=True)
        parameters = {f"p_{name}": value for name, value in values.items()}
        found = self.session.scalars(statement, parameters).all()
        note_locked(self.session, found)
        return found

    def _select(self, conditions: Sequence[Any], wanted: Wanted) -> Select[Any]:
        criteria = [*conditions, *self._equals(wanted)]
        statement = _all_of(self.entity)
        return statement.where(*criteria) if criteria else statement

    def _equals(self, wanted: Wanted) -> list[ColumnElement[bool]]:
        return [self._holds(name, several) for name, several in wanted.items()]

    def _holds(self, name: str, accepted: list[Any]) -> ColumnElement[bool]:
        if "." in name:
            return is_active(self.entity, name)
        return _one_of(getattr(self.entity, name), accepted)


def _one_of(column: ColumnElement[Any], accepted: list[Any]) -> ColumnElement[bool]:
    """Return the condition that a column holds one of these values; None stands for NULL."""
    values = [one for one in accepted if one is not None]
    if len(accepted) == 1:
        return column == values[0] if values else column.is_(None)
    found = among(column, values)
    return found if len(values) == len(accepted) else or_(found, column.is_(None))


@cache
def _all_of(entity: type[Entity]) -> Select[Any]:
    return select(entity)


@lru_cache(maxsize=512)
def _with_equal(entity: type[Entity], names: tuple[str, ...], *, lock: bool = False) -> Select[Any]:
    """Return the statement for those whose columns equal the parameters ``p_<name>``; two of them.

    It is built once: building it anew takes longer than a database of modest size answers.
    """
    equals = [getattr(entity, name) == bindparam(f"p_{name}") for name in names]
    statement = select(entity).where(*equals)
    return statement.with_for_update() if lock else statement.limit(2)


def repository_for(session: DomainSession, entity: type[E]) -> Repository[E]:
    """Return the repository of an entity class on a session."""
    made: Repository[E] = repository_class(SqlRepository, entity)(session, entity)
    return made
