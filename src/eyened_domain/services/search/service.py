"""Searching by conditions, on any entity and any adapter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, overload

from attrs import evolve, frozen

from eyened_domain.errors import BadInput
from eyened_domain.model.entity import Entity
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.values import shown
from eyened_domain.services.column_paths import path_of
from eyened_domain.services.conditions import (
    All,
    Condition,
    Order,
    Query,
    Resolver,
)
from eyened_domain.services.conditions.limits import checked_limit
from eyened_domain.services.conditions.ordering import names_of, order_of, path_of_field
from eyened_domain.services.data_frames import backend_of, make_frame
from eyened_domain.services.inactive import includes_inactive
from eyened_domain.services.row_shapes import key_column
from eyened_domain.services.search.listing import FieldInfo, fields_of
from eyened_domain.services.search.paging import Page, cursor_of, digest_of, place_at
from eyened_domain.services.sought_values import check_entity
from eyened_domain.services.unit_of_work import UnitOfWork

E = TypeVar("E", bound=Entity)
ALL = All(())
"""The condition that everything meets."""


@frozen
class Found:
    """How many objects a search finds."""

    count: int
    is_exact: bool
    """False when there are more: counting ended there."""


class Search:
    """Finds images, and anything else, by conditions; takes a unit of work and changes nothing.

    What is inactive is not found, and does not count in lists, unless that is asked for.
    """

    def fields(self, entity: type[Entity] = ImageInstance) -> list[FieldInfo]:
        """Return what can be asked of an entity, with types, units, choices and operators.

        Raises:
            BadInput: it is no entity class.
        """
        check_entity(entity)
        return fields_of(entity)

    @overload
    def page(
        self,
        uow: UnitOfWork,
        condition: Condition = ALL,
        *,
        order_by: str | Sequence[str] = (),
        size: int = 50,
        after: str | None = None,
        before: str | None = None,
        include_inactive: bool | None = None,
    ) -> Page[ImageInstance]: ...
    @overload
    def page(
        self,
        uow: UnitOfWork,
        condition: Condition = ALL,
        *,
        entity: type[E],
        order_by: str | Sequence[str] = (),
        size: int = 50,
        after: str | None = None,
        before: str | None = None,
        include_inactive: bool | None = None,
    ) -> Page[E]: ...
    def page(
        self,
        uow: UnitOfWork,
        condition: Condition = ALL,
        *,
        entity: type[Any] = ImageInstance,
        order_by: str | Sequence[str] = (),
        size: int = 50,
        after: str | None = None,
        before: str | None = None,
        include_inactive: bool | None = None,
    ) -> Page[Any]:
        """Return a page of what meets a condition, as fast on the last page as on the first.

        It is one statement where only columns of the entity are asked; where others are, it may
        be a few.

        Args:
            uow: a unit of work.
            condition: made with `field` and `some`; everything when it is left out.
            entity: what is searched.
            order_by: names of fields, with a ``-`` before one for descending; what is level
                comes in the order of the ids, and nothing before everything else.
            size: how many objects a page has at the most.
            after: of the page before: its `Page.after`.
            before: of the page after: its `Page.before`.
            include_inactive: find inactive objects as well; as the unit says, by default.

        Raises:
            UnknownName: a condition or an order names a field that there is not.
            BadInput: a field cannot hold a value, a cursor is of another search, `after` and
                `before` are both given, or size is not at least 1.
        """
        _check_page(size, after, before)
        included = includes_inactive(uow, include_inactive)
        query = self._query(condition, entity, order_by, include_inactive=included)
        told = digest_of(entity, condition, query.order, include_inactive=included)
        cursor, backwards = (after, False) if before is None else (before, True)
        order = tuple(_turned(one) for one in query.order) if backwards else query.order
        query = evolve(
            query,
            columns=tuple(one.path for one in order),
            order=order,
            most=size + 1,
            after=None if cursor is None else place_at(cursor, told, entity, order),
        )
        rows = _rows(uow, entity, query)
        has_more, rows = len(rows) > size, rows[:size]
        if backwards:
            rows.reverse()
        has_next, has_previous = has_more, cursor is not None
        if backwards:
            has_next, has_previous = has_previous, has_more
        key = [one.path for one in order].index(key_column(entity.__entity__))
        return Page(
            ids=tuple(row[key] for row in rows),
            after=cursor_of(told, rows[-1]) if rows and has_next else None,
            before=cursor_of(told, rows[0]) if rows and has_previous else None,
        )

    def objects(
        self,
        uow: UnitOfWork,
        page: Page[E],
        entity: type[E] = ImageInstance,  # type: ignore[assignment]
    ) -> list[E]:
        """Return the objects of a page, in its order; those that are gone by now are left out.

        Args:
            uow: a unit of work.
            page: of a search for that entity.
            entity: what was searched.
        """
        if not isinstance(page, Page):
            raise BadInput(f"a Page is needed, as `page` returns it, not {shown(page)}")
        key = key_column(entity.__entity__)
        wanted: dict[str, Any] = {key: list(page.ids)}
        those = uow.repository(entity).where(include_inactive=True, **wanted)
        found = {getattr(one, key): one for one in those}
        return [found[one] for one in page.ids if one in found]

    def ids(
        self,
        uow: UnitOfWork,
        condition: Condition = ALL,
        *,
        entity: type[Entity] = ImageInstance,
        order_by: str | Sequence[str] = (),
        limit: int | None = None,
        include_inactive: bool | None = None,
    ) -> list[int]:
        """Return the ids of all that meet a condition, in order; one statement; see `page`."""
        included = includes_inactive(uow, include_inactive)
        query = self._query(condition, entity, order_by, include_inactive=included)
        key = key_column(entity.__entity__)
        rows = _rows(uow, entity, evolve(query, columns=(key,), most=checked_limit(limit)))
        return [identity for (identity,) in rows]

    def count(
        self,
        uow: UnitOfWork,
        condition: Condition = ALL,
        *,
        entity: type[Entity] = ImageInstance,
        most: int | None = None,
        include_inactive: bool | None = None,
    ) -> Found:
        """Return how many meet a condition; one statement.

        Args:
            uow: a unit of work.
            condition: see `page`.
            entity: what is searched.
            most: where to end counting: "more than 10,000" costs less than how many more.
            include_inactive: count inactive objects as well; as the unit says, by default.
        """
        included = includes_inactive(uow, include_inactive)
        query = self._query(condition, entity, (), include_inactive=included)
        cap = checked_limit(most, "most")
        query = evolve(query, most=None if cap is None else cap + 1)
        uow.flush()
        count = uow.rows.search_count(entity, query)
        if cap is None or count <= cap:
            return Found(count, is_exact=True)
        return Found(cap, is_exact=False)

    def frame(
        self,
        uow: UnitOfWork,
        condition: Condition = ALL,
        *,
        columns: Sequence[str],
        entity: type[Entity] = ImageInstance,
        order_by: str | Sequence[str] = (),
        limit: int | None = None,
        include_inactive: bool | None = None,
        backend: str = "pandas",
    ) -> Any:
        """Return fields of all that meet a condition as a DataFrame; one statement, no objects.

        Args:
            uow: a unit of work.
            condition: see `page`.
            columns: names of fields, of which each object has one; they name the columns.
            entity: what is searched.
            order_by: see `page`.
            limit: how many rows at the most.
            include_inactive: find inactive objects as well; as the unit says, by default.
            backend: ``pandas`` or ``polars``.

        Returns:
            a DataFrame with the id as its first column, and then those that are asked for.

        Raises:
            UnknownName: there is no such field.
            BadInput: a field may be many of an object, or is named twice.
            ConfigurationError: the backend is not installed.
        """
        backend_of(backend)
        included = includes_inactive(uow, include_inactive)
        query = self._query(condition, entity, order_by, include_inactive=included)
        key = key_column(entity.__entity__)
        paths = {key: key}
        for name in names_of("columns", columns):
            if name in paths and name != key:
                raise BadInput(f"columns: {shown(name)} stands there twice")
            paths[name] = path_of_field(entity, name, ordered=False)
        query = evolve(query, columns=tuple(paths.values()), most=checked_limit(limit))
        rows = _rows(uow, entity, query)
        ends = {name: path_of(entity, path) for name, path in paths.items()}
        kinds = {n: end.owner.__entity__.columns[end.column].kind for n, end in ends.items()}
        told = [*map(list, zip(*rows, strict=True))] or [[] for _ in paths]
        return make_frame(dict(zip(paths, told, strict=True)), kinds, backend=backend)

    def _query(
        self,
        condition: Condition,
        entity: type[Entity],
        order_by: str | Sequence[str],
        *,
        include_inactive: bool,
    ) -> Query:
        check_entity(entity)
        resolver = Resolver(include_inactive)
        meaning = resolver.active(entity, resolver.meaning(entity, All((condition,))))
        return Query(meaning=meaning, order=order_of(entity, order_by))


def _check_page(size: object, after: object, before: object) -> None:
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise BadInput(f"size: a page has at least 1 object, not {shown(size)}")
    if after is not None and before is not None:
        raise BadInput("a page is after a place or before one: give `after` or `before`")


def _rows(uow: UnitOfWork, entity: type[Entity], query: Query) -> list[tuple[Any, ...]]:
    """Return what a query asks for, with what the unit of work holds and has not sent yet."""
    uow.flush()
    return uow.rows.search(entity, query)


def _turned(one: Order) -> Order:
    return evolve(one, descending=not one.descending)
