"""What the storage needs to know of each entity class, worked out once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import itemgetter
from typing import Any

from attrs import frozen

from eyened_domain.model.entity import Entity, entity_class, entity_classes
from eyened_domain.model.fields import ColumnInfo, LinkInfo
from eyened_domain.model.values import Json

Key = tuple[Any, ...]


@frozen(kw_only=True)
class Shape:
    """An entity class as the storage sees it."""

    name: str
    root: str
    """Name of the entity whose table and ids it shares; its own, unless it is a special kind."""
    primary_key: tuple[str, ...]
    columns: tuple[ColumnInfo, ...]
    json: tuple[str, ...]
    plain: Callable[[dict[str, Any]], Any]
    """Takes the values of all columns but JSON out of an object's `__dict__`, to be compared."""
    to_one: tuple[LinkInfo, ...]
    through: tuple[LinkInfo, ...]
    foreign_keys: tuple[ColumnInfo, ...]
    unique: tuple[tuple[str, ...], ...]

    def key(self, values: dict[str, Any]) -> Key:
        """Return the primary key that the values hold."""
        return tuple(values[name] for name in self.primary_key)


@frozen(kw_only=True)
class Referrer:
    """A column of another table that points to a table."""

    root: str
    entity: str
    column: ColumnInfo


@cache
def shape_of(entity: type[Entity]) -> Shape:
    """Return the shape of an entity class."""
    info = entity.__entity__
    columns = tuple(info.columns.values())
    return Shape(
        name=info.name,
        root=root_of(info.name),
        primary_key=info.primary_key,
        columns=columns,
        json=tuple(c.name for c in columns if isinstance(c.kind, Json)),
        plain=itemgetter(*(c.name for c in columns if not isinstance(c.kind, Json))),
        to_one=tuple(link for link in info.links.values() if not link.many),
        through=tuple(link for link in info.links.values() if link.through),
        foreign_keys=tuple(c for c in columns if c.references),
        unique=info.unique,
    )


@cache
def root_of(name: str) -> str:
    """Return the name of the entity whose table and ids an entity shares."""
    parent = entity_class(name).__entity__.parent
    return name if parent is None else root_of(parent)


@cache
def indexed(root: str) -> tuple[tuple[str, ...], ...]:
    """Return the columns by which the rows of a table can be looked up at once."""
    found: dict[tuple[str, ...], None] = {}
    for entity in entity_classes():
        shape = shape_of(entity)
        if shape.root == root:
            found |= dict.fromkeys(shape.unique)
            found |= {(column.name,): None for column in shape.foreign_keys}
    return tuple(found)


@cache
def referrers(root: str) -> tuple[Referrer, ...]:
    """Return the columns that point to a table."""
    found: dict[tuple[str, str], Referrer] = {}
    for entity in entity_classes():
        shape = shape_of(entity)
        for column in shape.foreign_keys:
            if root_of(str(column.references)) == root:
                # a special kind inherits the columns of its parent: the first one counts
                found.setdefault(
                    (shape.root, column.name),
                    Referrer(root=shape.root, entity=shape.name, column=column),
                )
    return tuple(found.values())
