"""What repositories are asked with conditions: which objects meet them, and whether one does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from attrs import evolve, frozen

from eyened_domain.errors import BadInput
from eyened_domain.model.entity import Entity, EntityInfo
from eyened_domain.model.values import kind_of, shown
from eyened_domain.services.conditions import All, Condition, Query, Resolver
from eyened_domain.services.conditions.limits import checked_limit
from eyened_domain.services.conditions.meaning import Both, Test
from eyened_domain.services.conditions.ordering import order_of

E = TypeVar("E", bound=Entity)
Wanted = dict[str, list[Any]]
"""What columns must hold, by field name: one of these values; None stands for NULL.

A path (``image_instance_id.inactive``) says what is left out: where it leads to a flag that is set.
"""
PORTION = 1_000
"""How many objects `iterate` reads at a time."""


@frozen
class Asked:
    """What a repository is asked."""

    conditions: Sequence[Any]
    """Of the adapter's own: SQL expressions, or functions that take an object."""
    query: Query
    """Everything else; in an order."""


class SearchMethods(ABC, Generic[E]):
    """Finders that take conditions; a part of every repository."""

    entity: type[E]
    _info: EntityInfo

    def where(
        self,
        *conditions: Any,
        order_by: str | Sequence[str] = (),
        limit: int | None = None,
        include_inactive: bool | None = None,
        **values: Any,
    ) -> list[E]:
        """Return those that meet all conditions, in the order of their primary keys.

        Args:
            conditions: made with `field` and `some`, on every adapter; or SQL expressions (on a
                database), or functions that take an object and say whether it is wanted (in
                memory).
            order_by: names of fields to order by instead, as in conditions, with a ``-`` before
                one for descending; nothing comes before everything else, and what is level
                comes in the order of the primary keys.
            limit: how many to return at the most.
            include_inactive: with what is inactive; as the unit of work says, by default. Who
                asks for the flag itself by keyword (``inactive=True``) is answered.
            values: columns and links, named in either style, and what they must hold; a list
                or tuple means "one of these", None means "not set".

        Raises:
            UnknownName: there is no such column, link or field.
            BadInput: a condition is of another kind, or a column cannot hold a value.
        """
        is_plain = not any(isinstance(one, Condition) for one in conditions)
        if is_plain and not order_by and limit is None:  # by statements that are built once
            self._check_conditions(conditions)
            return self._matching(conditions, self._sought(values, include_inactive))
        query = Query(order=order_of(self.entity, order_by), most=checked_limit(limit))
        return self._searched(self._asked(conditions, values, query, include_inactive))

    def first(
        self, *conditions: Any, order_by: str | Sequence[str] = (), **values: Any
    ) -> E | None:
        """Return the first that meets all conditions; None where none does.

        Args:
            conditions: as in `where`.
            order_by: as in `where`.
            values: as in `where`.

        Raises:
            UnknownName: there is no such column, link or field.
            BadInput: a condition is of another kind, or a column cannot hold a value.
        """
        return next(iter(self.where(*conditions, order_by=order_by, limit=1, **values)), None)

    def exists(self, *conditions: Any, **values: Any) -> bool:
        """Whether there is one that meets all conditions; see `where`."""
        return self.first(*conditions, **values) is not None

    def iterate(
        self,
        *conditions: Any,
        portion: int = PORTION,
        include_inactive: bool | None = None,
        **values: Any,
    ) -> Iterator[E]:
        """Give those that meet all conditions one by one, in the order of their primary keys.

        They are read in portions, each by statements of its own, and not kept: memory does
        not grow with their number, unless who asks keeps them. What is committed meanwhile
        counts in the portions that come.

        Args:
            conditions: as in `where`.
            portion: how many are read at a time.
            include_inactive: as in `where`.
            values: as in `where`.

        Raises:
            UnknownName: there is no such column, link or field.
            BadInput: a condition is of another kind, a column cannot hold a value, or portion
                is not at least 1.
        """
        if checked_limit(portion) in (None, 0):
            raise BadInput(f"portion: at least 1 is needed, not {shown(portion)}")
        query = Query(order=order_of(self.entity, ()), most=portion)
        return self._portions(self._asked(conditions, values, query, include_inactive))

    def _portions(self, asked: Asked) -> Iterator[E]:
        while True:
            found = self._searched(asked)
            last = self._info.key(found[-1].__dict__) if found else ()
            is_last = len(found) < (asked.query.most or 0)
            found.reverse()
            while found:
                yield found.pop()
            if is_last:
                return
            asked = evolve(asked, query=evolve(asked.query, after=last))

    def _asked(
        self,
        conditions: Sequence[Any],
        values: Mapping[str, Any],
        query: Query,
        include_inactive: bool | None,
    ) -> Asked:
        ours = [one for one in conditions if isinstance(one, Condition)]
        others = [one for one in conditions if not isinstance(one, Condition)]
        self._check_conditions(others)
        sought = self._sought(values, include_inactive)
        held = (Test(name, "in", _accepted(name, some)) for name, some in sought.items())
        resolver = Resolver(include_inactive=self._is_included(include_inactive))
        meant = resolver.meaning(self.entity, All(ours))
        return Asked(others, evolve(query, meaning=Both((meant, *held))))

    def _is_included(self, include_inactive: bool | None) -> bool:
        return self._includes_inactive if include_inactive is None else include_inactive

    def _check_conditions(self, conditions: Sequence[Any]) -> None:
        for condition in conditions:
            if not self._is_condition(condition):
                raise BadInput(
                    f"{self._info.name} is asked with {self._asked_with()}, not with "
                    f"{kind_of(condition)}; columns are given by keyword: "
                    f"where({self._info.primary_key[0]}=…)",
                    entity=self._info.name,
                )

    @property
    @abstractmethod
    def _includes_inactive(self) -> bool:
        """Whether inactive things are found where a call says nothing of them."""

    @abstractmethod
    def _sought(self, values: Mapping[str, Any], include_inactive: bool | None) -> Wanted:
        """Return what columns must hold, also of what is not inactive."""

    @abstractmethod
    def _is_condition(self, condition: Any) -> bool:
        """Whether the adapter can ask with it."""

    @abstractmethod
    def _asked_with(self) -> str:
        """Say what conditions of its own an adapter takes."""

    @abstractmethod
    def _matching(self, conditions: Sequence[Any], wanted: Wanted) -> list[E]:
        """Return those that meet everything, in the order of their primary keys."""

    @abstractmethod
    def _searched(self, asked: Asked) -> list[E]:
        """Return those that meet everything, in the order that is asked for."""


def _accepted(name: str, values: Sequence[Any]) -> tuple[Any, ...]:
    """Return what a column may hold; a flag that a path does not lead to is not set."""
    return (*values, None) if "." in name else tuple(values)
