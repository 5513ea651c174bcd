"""Repositories on a SQLAlchemy session: the ports of `services.ports` in SQL."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from eyened_domain.adapters.sql.changed_rows import begin_writing, note_locked
from eyened_domain.adapters.sql.staleness import is_stale
from eyened_domain.errors import BadInput, Duplicate, NotFound, RuleBroken
from eyened_domain.model.entity import Entity, EntityInfo
from eyened_domain.model.patient import Patient
from eyened_domain.model.queries import RAISE
from eyened_domain.model.values import Json, Refused, members, plain, shown, sought
from eyened_domain.services.garbage import rarer_collections

if TYPE_CHECKING:
    from eyened_domain.adapters.sql.session import DomainSession

E = TypeVar("E", bound=Entity)
CHUNK = 1000


class SqlRepository(Generic[E]):
    """All objects of one entity class in the database of a session."""

    def __init__(self, session: DomainSession, entity: type[E]) -> None:
        self.session = session
        self.entity = entity

    @property
    def _info(self) -> EntityInfo:
        return self.entity.__entity__

    def add(self, one: E) -> E:
        """Put an object in, with everything that hangs on it; return it."""
        self.session.add(one)
        return one

    def add_all(self, many: Iterable[E]) -> list[E]:
        """Put objects in; return them."""
        added = list(many)
        self.session.add_all(added)
        return added

    def get(self, identity: Any, *, default: Any = RAISE, lock: bool = False) -> Any:
        """Return the one with that primary key; see `services.ports.Repository`."""
        keys = self._info.primary_key
        key = self._identity(identity)
        self.session._autoflush()
        held = self.session.identity_map.get(identity_key(self.entity, key))
        if held is not None and lock and not is_stale(self.session, held):
            self.session.lock(held)
        if held is not None and not lock:
            found = self.session.get(self.entity, key)
        else:  # a statement that is built once takes half the time of session.get
            parts = key if isinstance(key, tuple) else (key,)
            values = dict(zip(keys, parts, strict=True))
            found = next(iter(self._locked(values) if lock else self._with(values)), None)
        if found is not None:
            return found
        return self._missing(default, ", ".join(keys), identity)

    def by_ids(self, identities: Iterable[Any]) -> list[E]:
        """Return those with these primary keys, in their order."""
        wanted = [self._identity(identity) for identity in identities]
        if len(self._info.primary_key) > 1:
            return [self.get(identity) for identity in wanted]
        (key,) = self._info.primary_key
        column = getattr(self.entity, key)
        found: dict[Any, E] = {}
        with rarer_collections():
            for start in range(0, len(wanted), CHUNK):
                chunk = wanted[start : start + CHUNK]
                for one in self.session.scalars(select(self.entity).where(column.in_(chunk))):
                    found[getattr(one, key)] = one
        missing = [identity for identity in wanted if identity not in found]
        if missing:
            self._missing(RAISE, key, missing)
        return [found[identity] for identity in wanted]

    def by_name(self, name: str, *, default: Any = RAISE) -> Any:
        """Return the one of that name; see `services.ports.Repository`."""
        return self.one(default=default, **{self._name_column(): name})

    def where(self, *conditions: Any, **values: Any) -> list[E]:
        """Return those that meet all conditions, in the order of their primary keys."""
        statement = self._select(conditions, values).order_by(
            *(getattr(self.entity, name) for name in self._info.primary_key)
        )
        with rarer_collections():
            return list(self.session.scalars(statement))

    def one(self, *, default: Any = RAISE, **values: Any) -> Any:
        """Return the one whose columns hold these values; see `services.ports.Repository`."""
        found = self._first_two(values)
        if len(found) == 1:
            return found[0]
        field = ", ".join(values)
        if found:
            raise Duplicate(
                f"more than one {self._info.name} has {self._written(values)}; look it up by id, "
                f"or with more columns",
                entity=self._info.name,
                field=field,
            )
        return self._missing(default, field, values)

    def _first_two(self, values: dict[str, Any]) -> Sequence[E]:
        """Return those whose columns hold these values, two at the most."""
        info = self._info
        named = {info.field_name(name): plain(value) for name, value in values.items()}
        if len(named) < len(values) or not all(
            name in info.columns
            and value is not None
            and members(value) is None
            and not isinstance(info.columns[name].kind, Json)
            for name, value in named.items()
        ):
            statement: Select[Any] = self._select((), values).limit(2)
            return self.session.scalars(statement).all()
        return self._with({name: _converted(info, name, value) for name, value in named.items()})

    def _with(self, values: dict[str, Any]) -> Sequence[E]:
        """Return those whose columns hold these converted values, two at the most."""
        statement = _with_equal(self.entity, tuple(values))
        parameters = {f"p_{name}": value for name, value in values.items()}
        # Not DomainSession.scalars: loading calmly costs more than so few objects.
        return Session.scalars(self.session, statement, parameters).all()

    def _locked(self, values: dict[str, Any]) -> Sequence[E]:
        """Return those with these converted values, with their rows locked."""
        begin_writing(self.session)
        statement = _with_equal(self.entity, tuple(values), lock=True)
        parameters = {f"p_{name}": value for name, value in values.items()}
        found = self.session.scalars(statement, parameters).all()
        note_locked(self.session, found)
        return found

    def count(self, **values: Any) -> int:
        """Return how many there are whose columns hold these values."""
        statement = select(func.count()).select_from(self.entity).where(*self._equals(values))
        return self.session.scalar(statement) or 0

    def name_to_id(self) -> dict[str, int]:
        """Return the id of each name."""
        name_column = self._name_column()
        (key,) = self._info.primary_key
        found: dict[str, int] = {}
        names = select(getattr(self.entity, name_column), getattr(self.entity, key))
        for name, identity in self.session.execute(names.order_by(getattr(self.entity, key))):
            if name in found:
                raise Duplicate(
                    f"more than one {self._info.name} has {name_column} {shown(name)}",
                    entity=self._info.name,
                    field=name_column,
                    value=name,
                )
            found[name] = identity
        return found

    def delete(self, one: E) -> None:
        """Take an object out, with what the database deletes along with it."""
        self.session.delete(one)

    def _identity(self, identity: Any) -> Any:
        """Return the identity as the columns hold it, so that "5" or 5.0 finds what 5 finds."""
        keys = self._info.primary_key
        parts = identity if isinstance(identity, tuple) else (identity,)
        if len(parts) != len(keys):
            raise BadInput(
                f"{self._info.name} is known by ({', '.join(keys)}), not by {shown(identity)}",
                entity=self._info.name,
            )
        converted = tuple(
            _converted(self._info, key, part) for key, part in zip(keys, parts, strict=True)
        )
        return converted if len(converted) > 1 else converted[0]

    def _select(self, conditions: tuple[Any, ...], values: dict[str, Any]) -> Select[tuple[E]]:
        for condition in conditions:
            if callable(condition) and not hasattr(condition, "__clause_element__"):
                raise BadInput(
                    f"a database is asked with expressions such as {self._info.name}."
                    f"{self._info.primary_key[0]} == 1, not with a function"
                )
        statement = _all_of(self.entity)
        criteria = [*conditions, *self._equals(values)]
        return statement.where(*criteria) if criteria else statement

    def _equals(self, values: dict[str, Any]) -> list[ColumnElement[bool]]:
        return [self._equal(self._info.field_name(name), value) for name, value in values.items()]

    def _equal(self, name: str, value: Any) -> ColumnElement[bool]:
        attribute: ColumnElement[Any] = getattr(self.entity, name)
        value = plain(value)
        if name in self._info.links:
            if self._info.links[name].many:
                raise BadInput(f"{self._info.name}.{name} is a list; ask with an expression")
        elif value is None:
            return attribute.is_(None)
        elif isinstance(self._info.columns[name].kind, Json):
            raise BadInput(
                f"{self._info.name}.{name} holds JSON, which has no one text to compare: ask "
                "with an expression on its elements",
                entity=self._info.name,
                field=name,
            )
        elif (several := members(value)) is not None:
            return attribute.in_([_converted(self._info, name, one) for one in several])
        else:
            value = _converted(self._info, name, value)
        equal: ColumnElement[bool] = attribute == value
        return equal

    def _name_column(self) -> str:
        if self._info.name_column is None:
            raise RuleBroken(
                f"{self._info.name} has no name; look it up by id or by column",
                entity=self._info.name,
            )
        return self._info.name_column

    def _missing(self, default: Any, field: str, value: Any) -> Any:
        if default is not RAISE:
            return default
        written = self._written(value) if isinstance(value, dict) else f"{field} {shown(value)}"
        near = self._nearest(value) if isinstance(value, dict) else ""
        raise NotFound(
            f"there is no {self._info.name} with {written}{near}",
            entity=self._info.name,
            field=field,
            value=self._open(value) if isinstance(value, dict) else value,
        )

    def _open(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the values that may be shown; those of private columns are not among them."""
        private = {name for name, info in self._info.columns.items() if info.private}
        return {n: v for n, v in values.items() if self._info.field_name(n) not in private}

    def _written(self, values: dict[str, Any]) -> str:
        shown_values = {name: shown(value) for name, value in self._open(values).items()}
        return ", ".join(f"{name} {shown_values.get(name, '(private)')}" for name in values)

    def _nearest(self, values: dict[str, Any]) -> str:
        """Say which names come near one that was not found."""
        name = values.get(self._info.name_column or "")
        if len(values) != 1 or not isinstance(name, str):
            return ""
        column = getattr(self.entity, str(self._info.name_column))
        known = list(self.session.scalars(select(column).limit(500)))
        near = difflib.get_close_matches(name, [str(one) for one in known], n=3)
        return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


class SqlPatientRepository(SqlRepository[Patient]):
    """All patients in the database of a session."""

    def by_identifier(self, project_id: int, identifier: str, *, default: Any = RAISE) -> Any:
        """Return the patient known by that identifier in a project."""
        return self.one(default=default, project_id=project_id, patient_identifier=identifier)


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


def repository_for(session: DomainSession, entity: type[E]) -> SqlRepository[E]:
    """Return the repository of an entity class on a session."""
    if entity is Patient:
        return SqlPatientRepository(session, entity)  # type: ignore[return-value, arg-type]
    return SqlRepository(session, entity)


def _converted(info: EntityInfo, name: str, value: Any) -> Any:
    column = info.columns[name]
    try:
        return sought(column.kind, plain(value))
    except Refused as refused:
        said = "refused" if column.private else refused
        raise BadInput(f"{info.name}.{name}: {said}", entity=info.name, field=name) from None
