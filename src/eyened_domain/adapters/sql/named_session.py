"""A session whose every name and key may be given in either style, and is checked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Query

from eyened_domain.adapters.sql.names import (
    entity_of,
    field_names,
    identity_of,
    in_python_names,
    name_both_ways,
    written_entity,
)
from eyened_domain.adapters.sql.sqlalchemy_internals import (
    InnerSession,
)


class NamedQuery(Query[Any]):
    """SQLAlchemy's own, with keys in either style."""

    def get(self, ident: Any) -> Any:
        """Return the object with that primary key."""
        entity = entity_of(self.column_descriptions[0]["type"])
        return super().get(identity_of(entity, ident))


class NamedSession(InnerSession):
    """SQLAlchemy's own, with keys and names in either style."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"query_cls": NamedQuery, **options})

    if not TYPE_CHECKING:  # SQLAlchemy's overloads say what these return

        def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
            """Run a statement."""
            statement, params = _ready(statement, params)
            return name_both_ways(super().execute(statement, params, **options))

        def scalars(self, statement: Any, params: Any = None, **options: Any) -> Any:
            """Run a statement, and give the first column."""
            return super().scalars(*_ready(statement, params), **options)

        def scalar(self, statement: Any, params: Any = None, **options: Any) -> Any:
            """Run a statement, and give the first column of the first row."""
            return super().scalar(*_ready(statement, params), **options)

        def get(self, entity: Any, ident: Any, **options: Any) -> Any:
            """Return the object with that primary key: a value, or a tuple or dict of them."""
            return super().get(entity, identity_of(entity_of(entity), ident), **options)

        def get_one(self, entity: Any, ident: Any, **options: Any) -> Any:
            """Return the object with that primary key."""
            return super().get_one(entity, identity_of(entity_of(entity), ident), **options)

    def refresh(
        self, instance: object, attribute_names: Any = None, with_for_update: Any = None
    ) -> None:
        """Read an object again, or some of its fields."""
        names = field_names(_entity(instance), attribute_names)
        super().refresh(instance, names, with_for_update)

    def expire(self, instance: object, attribute_names: Iterable[str] | None = None) -> None:
        """Let an object, or some of its fields, be read again when it is next asked for."""
        super().expire(instance, field_names(_entity(instance), attribute_names))

    def bulk_insert_mappings(self, mapper: Any, mappings: Any, *more: Any, **options: Any) -> None:
        """Insert rows, given as dicts."""
        rows = in_python_names(entity_of(mapper), mappings)
        super().bulk_insert_mappings(mapper, rows, *more, **options)

    def bulk_update_mappings(self, mapper: Any, mappings: Any) -> None:
        """Update rows, given as dicts with their primary keys."""
        super().bulk_update_mappings(mapper, in_python_names(entity_of(mapper), mappings))


def _entity(instance: Any) -> Any:
    return entity_of(type(instance))


def _ready(statement: Any, params: Any) -> tuple[Any, Any]:
    """Return a statement as it is meant everywhere, and its rows with Python's names as keys."""
    entity = written_entity(statement)
    if entity is None:
        return statement, params
    options = statement.get_execution_options()
    if not statement.is_insert and "synchronize_session" not in options and not params:
        # Evaluated in Python, a condition would tell names apart that are the same.
        statement = statement.execution_options(synchronize_session="fetch")
    if isinstance(params, list | tuple) or (params and statement.is_insert):
        params = in_python_names(entity, params)
    return statement, params
