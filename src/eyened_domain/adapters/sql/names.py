"""Both names of a field wherever SQLAlchemy takes or gives a name as a text.

Python's name of a field is the one that SQLAlchemy knows. Keys of dicts, names of attributes
and the columns of rows are translated here; the private names of SQLAlchemy that this needs
stand in this module.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.exc import NoInspectionAvailable
from sqlalchemy.orm import InstanceState

from eyened_domain.adapters.sql.schema import ENTITY
from eyened_domain.adapters.sql.sqlalchemy_internals import InnerManager, add_names
from eyened_domain.errors import BadInput
from eyened_domain.model.entity import Entity, EntityInfo, entity_class, entity_classes
from eyened_domain.model.values import Refused, plain, shown, sought


def entity_of(target: Any) -> type[Entity]:
    """Return the entity class of a class, an alias or an object.

    Raises:
        BadInput: it is none, or one without a table.
    """
    found = target.class_ if isinstance(target, InstanceState) else target
    try:
        mapper: Any = inspect(found)
    except NoInspectionAvailable:
        mapper = None
    entity = getattr(getattr(mapper, "mapper", None), "class_", None)
    if entity is None:
        name = getattr(found, "__name__", None) or type(found).__name__
        raise BadInput(
            f"{name} has no table in the database: it is not one of the entities of "
            "eyened_domain.model",
            entity=str(name),
        )
    known: type[Entity] = entity
    return known


def identity_of(entity: type[Entity], identity: Any) -> Any:
    """Return a primary key, given as a value, tuple or dict in either style, as columns hold it.

    Raises:
        BadInput: it is no key of the entity.
    """
    info = entity.__entity__
    keys = info.primary_key
    if isinstance(identity, Mapping):
        named = {info.field_name(name): value for name, value in identity.items()}
        parts = [named.pop(key, None) for key in keys]
        given = len(keys) if not named and None not in parts else -1
    else:
        parts = list(identity) if isinstance(identity, tuple | list) else [identity]
        given = len(parts)
    if given != len(keys):
        raise BadInput(
            f"{info.name} is known by ({', '.join(keys)}), not by {shown(identity)}",
            entity=info.name,
        )
    found = tuple(_converted(info, key, part) for key, part in zip(keys, parts, strict=True))
    return found if len(found) > 1 else found[0]


def _converted(info: EntityInfo, name: str, value: Any) -> Any:
    value = plain(value)
    try:
        return None if value is None else sought(info.columns[name].kind, value)
    except Refused as refused:
        raise BadInput(f"{info.name}.{name}: {refused}", entity=info.name, field=name) from None


def field_names(entity: type[Entity], names: Iterable[Any] | None) -> list[Any] | None:
    """Return names of fields, given in either style or as attributes, in Python's."""
    if names is None:
        return None
    return [
        entity.__entity__.field_name(name) if isinstance(name, str) else name.key for name in names
    ]


def in_python_names(entity: type[Entity], rows: Any) -> Any:
    """Return the rows of a bulk write, a dict or several, with Python's names as keys.

    Raises:
        UnknownName: a key is no field; it would be stored nowhere.
    """
    if rows is None or isinstance(rows, Mapping):
        return None if rows is None else _renamed(entity.__entity__, rows)
    return [_renamed(entity.__entity__, row) for row in rows]


def _renamed(info: EntityInfo, row: Mapping[str, Any]) -> Mapping[str, Any]:
    if row.keys() <= info.columns.keys():
        return row
    named = {info.field_name(name): value for name, value in row.items()}
    if len(named) < len(row):
        raise BadInput(f"{info.name}: a field is given twice, under both names", entity=info.name)
    return named


def written_entity(statement: Any) -> type[Entity] | None:
    """Return the entity that an `insert`, `update` or `delete` writes to; None of others."""
    if not getattr(statement, "is_dml", False):
        return None
    name = getattr(statement.table, "info", {}).get(ENTITY)
    return None if name is None else entity_class(name)


def rename_parameters(
    _connection: Any, statement: Any, many: Any, single: Any, _options: Any
) -> tuple[Any, Any, Any]:
    """Let rows that are written have Python's names as keys (a `before_execute` listener)."""
    entity = written_entity(statement)
    if entity is None:
        return statement, many, single
    aliases = entity.__entity__.aliases
    if many and not aliases.keys().isdisjoint(many[0]):
        many = [{aliases.get(k, k): v for k, v in row.items()} for row in many]
    if single and not aliases.keys().isdisjoint(single):
        single = {aliases.get(k, k): v for k, v in single.items()}
    return statement, many, single


@cache
def _other_names() -> dict[str, tuple[str, ...]]:
    """From each name of a column to its names in the other style, of all entities."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for entity in entity_classes():
        for column in entity.__entity__.columns.values():
            found[column.name][column.database_name] = None
            found[column.database_name][column.name] = None
    return {name: tuple(others) for name, others in found.items()}


def name_both_ways(result: Any) -> Any:
    """Let the columns of a result's rows be read under both of their names; return it."""
    add_names(result, _other_names())
    return result


def python_names_of(name: str) -> tuple[str, ...]:
    """Return the fields that the database knows by a name, of all entities."""
    return _other_names().get(name, ())


class _Manager(InnerManager):
    """SQLAlchemy's attributes of a class, under both names: `flag_modified` looks here."""

    def __missing__(self, name: str) -> Any:
        field = self.class_.__entity__.aliases.get(name)
        if field is None:
            raise KeyError(name)
        return self[field]


def answer_to_both_names(entity: type[Entity]) -> None:
    """Let SQLAlchemy's manager of a class find attributes under both names."""
    entity.__mapper__.class_manager.__class__ = _Manager
