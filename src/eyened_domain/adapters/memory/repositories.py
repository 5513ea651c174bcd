"""Repositories on the objects of a unit of work in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from attrs import evolve

from eyened_domain.adapters.memory.bulk import MemoryRows
from eyened_domain.adapters.memory.held import held_of
from eyened_domain.adapters.memory.inactive import is_active
from eyened_domain.adapters.memory.objects import Objects
from eyened_domain.adapters.memory.searching import searched_rows
from eyened_domain.adapters.memory.tables import Row
from eyened_domain.errors import RuleBroken
from eyened_domain.model.entity import Entity
from eyened_domain.model.names import folded
from eyened_domain.services.repository import Repository
from eyened_domain.services.search_methods import Asked, Wanted
from eyened_domain.services.sought_values import Key

E = TypeVar("E", bound=Entity)


class MemoryRepository(Repository[E]):
    """All objects of one entity class that a unit of work in memory sees.

    Args:
        objects: those of the unit of work.
        entity: the class.
    """

    def __init__(self, objects: Objects, entity: type[E]) -> None:
        super().__init__(entity)
        self._objects = objects

    @property
    def rows(self) -> MemoryRows:
        """Set-based reading and writing in the transaction of the unit of work."""
        return MemoryRows(self._objects)

    @property
    def _includes_inactive(self) -> bool:
        return self._objects.include_inactive

    def _hold(self, many: list[E]) -> None:
        self._objects.refuse_if_ended()
        self._objects.hold(*many)
        for one in many:
            self._objects.take_back(one)

    def _take_out(self, one: E) -> None:
        self._objects.refuse_if_ended()
        held = held_of(one)
        if held is None or held.row is None:
            raise RuleBroken(
                f"this {self._info.name} is not stored, so it cannot be deleted",
                entity=self._info.name,
            )
        self._objects.hold(one)
        self._objects.delete(held)

    def _flush(self) -> None:
        self._objects.flush()

    def _find(self, key: Key, *, lock: bool) -> E | None:
        self._objects.flush()
        found: E | None = self._objects.find(self.entity, key)
        if found is not None and lock:
            self._objects.lock(found)
        return found

    def _find_all(self, keys: Sequence[Key]) -> dict[Key, E]:
        self._objects.refuse_if_ended()
        found = {key: self._find(key, lock=False) for key in keys}
        return {key: one for key, one in found.items() if one is not None}

    def _is_condition(self, condition: Any) -> bool:
        is_function = callable(condition) and not isinstance(condition, type)
        return is_function and not hasattr(condition, "__clause_element__")

    def _asked_with(self) -> str:
        return f"functions that take a {self._info.name}"

    def _matching(self, conditions: Sequence[Any], wanted: Wanted) -> list[E]:
        rows = sorted(self._rows(wanted), key=lambda row: row.key)
        found = [self._objects.loaded(row) for row in rows]
        return [one for one in found if all(condition(one) for condition in conditions)]

    def _searched(self, asked: Asked) -> list[E]:
        query = asked.query if not asked.conditions else evolve(asked.query, most=None)
        rows = searched_rows(self._objects, self.entity, query)
        found = (self._objects.loaded(row) for row in rows)
        wanted = (one for one in found if all(condition(one) for condition in asked.conditions))
        return list(islice(wanted, asked.query.most))

    def _first_two(self, wanted: Wanted) -> Sequence[E]:
        return [self._objects.loaded(row) for row in list(self._rows(wanted))[:2]]

    def _count(self, wanted: Wanted) -> int:
        return sum(1 for _ in self._rows(wanted))

    def _names(self, column: str, most: int | None) -> Iterable[tuple[str, int]]:
        rows = sorted(self._rows({}), key=lambda row: row.key)[:most]
        return [(row.values[column], row.key[0]) for row in rows]

    def _rows(self, wanted: Wanted) -> Iterator[Row]:
        flags = [name for name in wanted if "." in name]
        accepted = [
            (name, [folded(one) for one in values])
            for name, values in wanted.items()
            if name not in flags
        ]
        found = self._objects.rows(self.entity, accepted)
        return (row for row in found if is_active(self._objects.view, row, flags))
