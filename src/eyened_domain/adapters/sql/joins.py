"""Columns at the end of paths, and the joins that lead there; see `services.column_paths`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import FromClause, func, select

from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.model.fields import LinkInfo
from eyened_domain.services.column_paths import path_of

_PARENT = "(the entity that it is a special kind of)"


class Joins:
    """The table of an entity, joined to those that are asked for by paths.

    Where a link may be empty its row stays, with NULL in the columns beyond.

    Args:
        entity: where paths begin.
        named_anew: let the table stand under another name, so that it can stand in a query twice.
    """

    def __init__(self, entity: type[Entity], *, named_anew: bool = False) -> None:
        table = table_of(entity)
        self._entity = entity
        self.table: FromClause = table.alias() if named_anew else table
        self.source: FromClause = self.table
        """What is selected from: complete when all columns have been asked for."""
        self._joined: dict[tuple[str, ...], FromClause] = {}

    def column(self, path: str) -> Any:
        """Return the column that a path leads to."""
        found = path_of(self._entity, path)
        entity, table, is_optional = self._entity, self.table, False
        route: tuple[str, ...] = ()
        for step in found.steps:
            is_optional = is_optional or entity.__entity__.columns[step.via].nullable
            held = self._held(entity, table, route, step.via, is_optional=is_optional)
            route = (*route, step.via)
            entity = step.target
            table = self._join(entity, route, held, is_optional=is_optional)
        return self._held(entity, table, route, found.column, is_optional=is_optional)

    def _held(
        self,
        entity: type[Entity],
        table: FromClause,
        route: tuple[str, ...],
        name: str,
        *,
        is_optional: bool,
    ) -> Any:
        """Return a column of an entity: of its table, or of that of its parent."""
        while name not in table.c:
            (key,) = entity.__entity__.primary_key
            entity = entity_class(str(entity.__entity__.parent))
            route = (*route, _PARENT)
            table = self._join(entity, route, table.c[key], is_optional=is_optional)
        return table.c[name]

    def _join(
        self, entity: type[Entity], route: tuple[str, ...], held: Any, *, is_optional: bool
    ) -> FromClause:
        if route not in self._joined:
            table = table_of(entity).alias()
            (key,) = entity.__entity__.primary_key
            self.source = self.source.join(table, table.c[key] == held, isouter=is_optional)
            self._joined[route] = table
        return self._joined[route]

    def count_of(self, link: LinkInfo, wanted: Mapping[str, Any]) -> Any:
        """Return how many objects stand in a list of each row, of those that hold what is wanted.

        Args:
            link: leads to many, by a column of theirs.
            wanted: columns of theirs, or paths, and what they hold.
        """
        target = entity_class(link.target)
        theirs = Joins(target, named_anew=True)
        back = theirs.table.c[str(target.__entity__.links[str(link.back)].via)]
        (key,) = self._entity.__entity__.primary_key
        meets = [theirs.column(path) == value for path, value in wanted.items()]
        counted = select(func.count()).select_from(theirs.source)
        counted = counted.where(back == self.table.c[key], *meets)
        return counted.correlate(self.table).scalar_subquery()
