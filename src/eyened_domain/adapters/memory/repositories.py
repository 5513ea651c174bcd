"""Repositories on the objects of a unit of work: the ports of `services.ports` in memory."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

from eyened_domain.adapters.memory.objects import Objects
from eyened_domain.adapters.memory.shape import Key, root_of
from eyened_domain.adapters.memory.tables import Row, folded
from eyened_domain.errors import BadInput, Duplicate, NotFound, RuleBroken
from eyened_domain.model.entity import Entity, EntityInfo
from eyened_domain.model.links import HOLDER
from eyened_domain.model.patient import Patient
from eyened_domain.model.queries import RAISE
from eyened_domain.model.values import Json, Refused, members, plain, shown, sought

E = TypeVar("E", bound=Entity)


class MemoryRepository(Generic[E]):
    """All objects of one entity class that a unit of work in memory sees."""

    def __init__(self, objects: Objects, entity: type[E]) -> None:
        self._objects = objects
        self.entity = entity

    @property
    def _info(self) -> EntityInfo:
        return self.entity.__entity__

    def add(self, one: E) -> E:
        """Put an object in, with everything that hangs on it; return it."""
        self._objects.refuse_if_ended()
        self._objects.take_back(one)
        self._objects.hold(one)
        return one

    def add_all(self, many: Iterable[E]) -> list[E]:
        """Put objects in; return them."""
        return [self.add(one) for one in many]

    def get(self, identity: Any, *, default: Any = RAISE, lock: bool = False) -> Any:
        """Return the one with that primary key; see `services.ports.Repository`."""
        key = self._key(identity)
        self._objects.flush()
        found = self._found(key)
        if found is not None:
            if lock:
                self._objects.lock(found)
            return found
        return self._missing(default, ", ".join(self._info.primary_key), identity)

    def by_ids(self, identities: Iterable[Any]) -> list[E]:
        """Return those with these primary keys, in their order."""
        wanted = [self._key(identity) for identity in identities]
        found = {key: self._found(key) for key in wanted}
        missing = [key[0] if len(key) == 1 else key for key in wanted if found[key] is None]
        if missing:
            self._missing(RAISE, ", ".join(self._info.primary_key), missing)
        return [found[key] for key in wanted]

    def by_name(self, name: str, *, default: Any = RAISE) -> Any:
        """Return the one of that name; see `services.ports.Repository`."""
        return self.one(default=default, **{self._name_column(): name})

    def where(self, *conditions: Any, **values: Any) -> list[E]:
        """Return those that meet all conditions, in the order of their primary keys.

        Args:
            conditions: functions that take the object and say whether it is wanted.
            values: columns, named in either style, and what they must hold.
        """
        for condition in conditions:
            if not callable(condition) or hasattr(condition, "__clause_element__"):
                raise BadInput(
                    f"a memory repository is asked with functions that take a {self._info.name}, "
                    f"not with the SQL expression {shown(str(condition))}",
                    entity=self._info.name,
                )
        rows = sorted(self._rows(values), key=lambda row: row.key)
        found = [self._objects.loaded(row) for row in rows]
        return [one for one in found if all(condition(one) for condition in conditions)]

    def one(self, *, default: Any = RAISE, **values: Any) -> Any:
        """Return the one whose columns hold these values; see `services.ports.Repository`."""
        rows = list(self._rows(values))
        if len(rows) == 1:
            return self._objects.loaded(rows[0])
        field = ", ".join(values)
        if rows:
            raise Duplicate(
                f"more than one {self._info.name} has {_written(values)}; look it up by id, or "
                f"with more columns",
                entity=self._info.name,
                field=field,
            )
        return self._missing(default, field, values)

    def count(self, **values: Any) -> int:
        """Return how many there are whose columns hold these values."""
        return sum(1 for _ in self._rows(values))

    def name_to_id(self) -> dict[str, int]:
        """Return the id of each name."""
        name_column = self._name_column()
        found: dict[str, int] = {}
        for row in sorted(self._rows({}), key=lambda row: row.key):
            name = row.values[name_column]
            if name in found:
                raise Duplicate(
                    f"more than one {self._info.name} has {name_column} {shown(name)}",
                    entity=self._info.name,
                    field=name_column,
                    value=name,
                )
            (found[name],) = row.key
        return found

    def delete(self, one: E) -> None:
        """Take an object out, with what the storage deletes along with it."""
        self._objects.refuse_if_ended()
        held = one.__dict__.get(HOLDER)
        if held is None or held.row is None:
            raise RuleBroken(
                f"this {self._info.name} is not stored, so it cannot be deleted",
                entity=self._info.name,
            )
        self._objects.hold(one)
        self._objects.delete(held)

    def _found(self, key: Key) -> Any:
        self._objects.flush()
        return self._objects.find(self.entity, key)

    def _key(self, identity: Any) -> Key:
        """Return the primary key as the columns hold it, so that "5" or 5.0 finds what 5 finds."""
        names = self._info.primary_key
        parts = identity if isinstance(identity, tuple) else (identity,)
        if len(parts) != len(names):
            raise BadInput(
                f"{self._info.name} is known by ({', '.join(names)}), not by {shown(identity)}",
                entity=self._info.name,
            )
        pairs = zip(names, parts, strict=True)
        return tuple(_converted(self._info, name, part) for name, part in pairs)

    def _rows(self, values: dict[str, Any]) -> Iterator[Row]:
        links = {n: v for n, v in values.items() if self._info.field_name(n) in self._info.links}
        columns = {name: value for name, value in values.items() if name not in links}
        wanted = dict(self._wanted(name, value) for name, value in columns.items())
        self._objects.flush()  # what is linked may get its id only now
        wanted |= dict(self._wanted(name, value) for name, value in links.items())
        for row in self._candidates(wanted):
            if issubclass(row.entity, self.entity) and all(
                folded(row.values[name]) in accepted for name, accepted in wanted.items()
            ):
                yield row

    def _candidates(self, wanted: dict[str, list[Any]]) -> Iterable[Row]:
        table = self._objects.view.table(root_of(self._info.name))
        exact = {name: accepted[0] for name, accepted in wanted.items() if len(accepted) == 1}
        for columns, index in table.indexes.items():
            if all(exact.get(name) is not None for name in columns):
                return [table.rows[key] for key in index.find(exact)]
        return table.rows.values()

    def _wanted(self, name: str, value: Any) -> tuple[str, list[Any]]:
        """Return a column, and the values (texts without case) that it may hold."""
        name = self._info.field_name(name)
        link = self._info.links.get(name)
        if link is not None:
            if link.many:
                raise BadInput(f"{self._info.name}.{name} is a list; ask with a function")
            return str(link.via), self._identities(value)
        value = plain(value)
        if value is None:
            return name, [None]
        if isinstance(self._info.columns[name].kind, Json):
            raise BadInput(
                f"{self._info.name}.{name} holds JSON, which has no one text to compare: ask "
                "with a function on its elements",
                entity=self._info.name,
                field=name,
            )
        several = members(value)
        if several is not None:
            return name, [folded(_converted(self._info, name, one)) for one in several]
        return name, [folded(_converted(self._info, name, value))]

    def _identities(self, value: Any) -> list[Any]:
        if value is None:
            return [None]
        if not isinstance(value, Entity):
            raise BadInput(f"{self._info.name} is linked to an entity, not to {shown(value)}")
        identity = value.__dict__[value.__entity__.primary_key[0]]
        return [] if identity is None else [identity]

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
        written = _written(value) if isinstance(value, dict) else f"{field} {shown(value)}"
        near = self._nearest(value) if isinstance(value, dict) else ""
        raise NotFound(
            f"there is no {self._info.name} with {written}{near}",
            entity=self._info.name,
            field=field,
            value=value,
        )

    def _nearest(self, values: dict[str, Any]) -> str:
        """Say which names come near one that was not found."""
        name = values.get(self._info.name_column or "")
        if len(values) != 1 or not isinstance(name, str):
            return ""
        known = [str(row.values[str(self._info.name_column)]) for row in self._rows({})]
        near = difflib.get_close_matches(name, known[:500], n=3)
        return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


class MemoryPatientRepository(MemoryRepository[Patient]):
    """All patients that a unit of work in memory sees."""

    def by_identifier(self, project_id: int, identifier: str, *, default: Any = RAISE) -> Any:
        """Return the patient known by that identifier in a project."""
        return self.one(default=default, project_id=project_id, patient_identifier=identifier)


def _converted(info: EntityInfo, name: str, value: Any) -> Any:
    try:
        return sought(info.columns[name].kind, plain(value))
    except Refused as refused:
        raise BadInput(f"{info.name}.{name}: {refused}", entity=info.name, field=name) from None


def _written(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {shown(value)}" for name, value in values.items())
