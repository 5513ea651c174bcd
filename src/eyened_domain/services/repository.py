"""The repository that every adapter shares: names, conversion, finders and errors.

An adapter gives the primitives at the end of the class; everything that is asked or refused
is said here once.
"""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar, overload

from eyened_domain.errors import BadInput, Duplicate, NotFound
from eyened_domain.model.entity import Entity
from eyened_domain.model.names import fold
from eyened_domain.model.queries import RAISE
from eyened_domain.model.values import shown
from eyened_domain.services.inactive import flags_of
from eyened_domain.services.many_rows import ManyRowsMethods
from eyened_domain.services.search_methods import SearchMethods, Wanted
from eyened_domain.services.sought_values import (
    Key,
    accepted,
    converted,
    ids_of,
    key_of,
    listed,
    refused_object,
    targets_of,
)

E = TypeVar("E", bound=Entity)
D = TypeVar("D")
_NAMES_LOOKED_AT = 500


class Repository(ManyRowsMethods, SearchMethods[E], ABC, Generic[E]):
    """All objects of one entity class, as if they were in memory.

    Args:
        entity: the class; special kinds of it are among its objects.
    """

    def __init__(self, entity: type[E]) -> None:
        self.entity: type[E] = entity
        self._info = entity.__entity__

    def add(self, one: E) -> E:
        """Put an object in, with everything that hangs on it; return it.

        Raises:
            BadInput: it is no object of this class.
            RuleBroken: it was deleted, or another unit of work holds it that is still open.
        """
        self._check_class(one)
        self._hold([one])
        return one

    def add_all(self, many: Iterable[E]) -> list[E]:
        """Put objects in; return them. None is put in where one of them is refused by its class.

        Raises:
            BadInput: one of them is no object of this class.
            RuleBroken: one of them was deleted, or another unit of work holds it.
        """
        several = listed(self._info, many, "objects")
        for one in several:
            self._check_class(one)
        self._hold(several)
        return several

    @overload
    def get(self, identity: Any, *, lock: bool = False) -> E: ...
    @overload
    def get(self, identity: Any, *, default: D, lock: bool = False) -> E | D: ...
    def get(self, identity: Any, *, default: Any = RAISE, lock: bool = False) -> Any:
        """Return the one with that primary key.

        Args:
            identity: the id; a tuple where the key has several columns.
            default: what to return when there is none.
            lock: keep others from changing it until this unit ends, as `UnitOfWork.lock`
                does: for rows that many change at the same time.

        Raises:
            NotFound: there is none, and no default was given.
            BadInput: the column cannot hold such an id.
            Conflict: it is to be locked, and was changed since it was read before.
        """
        key = key_of(self._info, identity)
        found = self._find(key, lock=lock)
        if found is not None:
            return found
        return self._missing(default, ", ".join(self._info.primary_key), identity)

    def by_ids(self, identities: Iterable[Any]) -> list[E]:
        """Return those with these primary keys, in their order.

        Raises:
            NotFound: one of them is not there; the message names the missing ones.
            BadInput: the column cannot hold one of the ids.
        """
        keys = [key_of(self._info, identity) for identity in listed(self._info, identities, "ids")]
        found = self._find_all(keys)
        missing = [key[0] if len(key) == 1 else key for key in keys if key not in found]
        if missing:
            self._missing(RAISE, ", ".join(self._info.primary_key), missing)
        return [found[key] for key in keys]

    @overload
    def by_name(self, name: str) -> E: ...
    @overload
    def by_name(self, name: str, *, default: D) -> E | D: ...
    def by_name(self, name: str, *, default: Any = RAISE) -> Any:
        """Return the one of that name.

        Raises:
            NotFound: there is none, and no default was given.
            Duplicate: there is more than one.
            BadInput: it is no text.
            BadInput: entities of this class have no name.
        """
        column = self._name_column()
        if not isinstance(name, str):
            raise BadInput(
                f"{self._info.name}.{column}: a text is needed, not {shown(name)}",
                entity=self._info.name,
                field=column,
                value=shown(name),
            )
        named: dict[str, Any] = {column: name}
        return self.one(default=default, **named)

    def by_names(self, names: Iterable[str], **values: Any) -> dict[str, E]:
        """Return those with these names, by the name that was asked for; others are left out.

        One statement, however many names there are.

        Args:
            names: of which none is the same as another, as the storage compares names.
            values: further columns and what they must hold.

        Raises:
            BadInput: entities of this class have no name, or a name is given twice.
        """
        column = self._name_column()
        asked: dict[str, str] = {}
        for name in listed(self._info, names, "names"):
            text = converted(self._info, column, name, stored=True)
            if asked.setdefault(fold(text), text) is not text:
                raise BadInput(
                    f"{self._info.name}: the name {shown(text)} is given twice",
                    entity=self._info.name,
                    field=column,
                    value=text,
                )
        found: dict[str, E] = {}
        wanted: dict[str, Any] = {column: list(asked.values()), **values}
        for one in self.where(**wanted) if asked else ():
            text = asked.get(fold(getattr(one, column)))
            if text is not None:
                found[text] = one
        return found

    @overload
    def one(self, *, default: D, include_inactive: bool | None = None, **values: Any) -> E | D: ...
    @overload
    def one(self, *, include_inactive: bool | None = None, **values: Any) -> E: ...
    def one(
        self, *, default: Any = RAISE, include_inactive: bool | None = None, **values: Any
    ) -> Any:
        """Return the one whose columns hold these values; see `where`.

        Raises:
            NotFound: there is none, and no default was given.
            Duplicate: there is more than one.
            UnknownName: there is no such column or link.
            BadInput: a column cannot hold a value.
        """
        found = self._first_two(self._sought(values, include_inactive))
        if len(found) == 1:
            return found[0]
        field = ", ".join(values)
        if found:
            raise Duplicate(
                f"more than one {self._info.name} has {self._written(values)}; look it up by id, "
                "or with more columns",
                entity=self._info.name,
                field=field,
            )
        return self._missing(default, field, values)

    def count(self, *, include_inactive: bool | None = None, **values: Any) -> int:
        """Return how many there are whose columns hold these values; see `where`."""
        return self._count(self._sought(values, include_inactive))

    def name_to_id(self) -> dict[str, int]:
        """Return the id of each name, in the order of the ids.

        Raises:
            Duplicate: two have the same name.
            BadInput: entities of this class have no name.
        """
        column = self._name_column()
        found: dict[str, int] = {}
        for name, identity in self._names(column, None):
            if name in found:
                raise Duplicate(
                    f"more than one {self._info.name} has {column} {shown(name)}",
                    entity=self._info.name,
                    field=column,
                    value=name,
                )
            found[name] = identity
        return found

    def delete(self, one: E) -> None:
        """Take an object out, with what the database deletes along with it.

        Raises:
            BadInput: it is no object of this class.
            RuleBroken: it is not stored; when flushing, something that may not go along still
                refers to it.
        """
        self._check_class(one)
        self._take_out(one)

    # --- what is asked, checked and converted ------------------------------------------------

    def _check_class(self, one: object) -> None:
        if not isinstance(one, self.entity):
            raise refused_object(self._info, one)

    def _sought(self, values: Mapping[str, Any], include_inactive: bool | None) -> Wanted:
        wanted = self._wanted(values)
        hiding = () if self._is_included(include_inactive) else flags_of(self.entity)
        return {flag: [False] for flag in hiding if flag not in wanted} | wanted

    def _wanted(self, values: Mapping[str, Any]) -> Wanted:
        """Return what the columns must hold, as they hold it."""
        wanted: Wanted = {}
        linked: dict[str, list[Entity | None]] = {}
        for given, value in values.items():
            name = self._info.field_name(given)
            link = self._info.links.get(name)
            column = name if link is None else str(link.via)
            if column in wanted or column in linked:
                raise BadInput(
                    f"{self._info.name}.{column} is asked for twice: {', '.join(values)}",
                    entity=self._info.name,
                    field=column,
                )
            if link is None:
                wanted[column] = accepted(self._info, name, value)
            else:
                linked[column] = targets_of(self._info, link, value)
        if linked:
            self._flush()  # what is linked may get its id only now
        return wanted | {column: ids_of(targets) for column, targets in linked.items()}

    def _name_column(self) -> str:
        if self._info.name_column is None:
            raise BadInput(
                f"{self._info.name} has no name; look it up by id or by column",
                entity=self._info.name,
            )
        return self._info.name_column

    # --- what is said of what is not there -----------------------------------------------------

    def _missing(self, default: Any, field: str, value: Any) -> Any:
        if default is not RAISE:
            return default
        is_by_columns = isinstance(value, dict)
        written = self._written(value) if is_by_columns else f"{field} {shown(value)}"
        near = self._nearest(value) if is_by_columns else ""
        raise NotFound(
            f"there is no {self._info.name} with {written}{near}",
            entity=self._info.name,
            field=field,
            value=self._open(value) if is_by_columns else value,
        )

    def _open(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values that may be shown; those of private columns are not among them."""
        private = {name for name, info in self._info.columns.items() if info.private}
        return {n: v for n, v in values.items() if self._info.field_name(n) not in private}

    def _written(self, values: Mapping[str, Any]) -> str:
        shown_values = {name: shown(value) for name, value in self._open(values).items()}
        return ", ".join(f"{name} {shown_values.get(name, '(private)')}" for name in values)

    def _nearest(self, values: Mapping[str, Any]) -> str:
        """Say which names come near one that was not found."""
        column = self._info.name_column
        name = values.get(column or "")
        if column is None or len(values) != 1 or not isinstance(name, str):
            return ""
        known = [str(one) for one, _ in self._names(column, _NAMES_LOOKED_AT)]
        near = difflib.get_close_matches(name, known, n=3)
        return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""

    # --- what an adapter gives -----------------------------------------------------------------

    @abstractmethod
    def _hold(self, many: list[E]) -> None:
        """Put objects in, with everything that hangs on them."""

    @abstractmethod
    def _take_out(self, one: E) -> None:
        """Delete an object when flushing; `RuleBroken` where it is not stored."""

    @abstractmethod
    def _flush(self) -> None:
        """Store what has changed, as a look-up does."""

    @abstractmethod
    def _find(self, key: Key, *, lock: bool) -> E | None:
        """Return the one with that primary key."""

    @abstractmethod
    def _find_all(self, keys: Sequence[Key]) -> dict[Key, E]:
        """Return those of these primary keys that are there."""

    @abstractmethod
    def _first_two(self, wanted: Wanted) -> Sequence[E]:
        """Return those whose columns hold this, two at the most."""

    @abstractmethod
    def _count(self, wanted: Wanted) -> int:
        """Return how many there are whose columns hold this."""

    @abstractmethod
    def _names(self, column: str, most: int | None) -> Iterable[tuple[str, int]]:
        """Return names and ids, in the order of the ids; only the first ones if `most` is given."""
