"""What the model knows of each entity class, and the classes by their names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs
from attrs import frozen

from eyened_domain.errors import UnknownName
from eyened_domain.model.fields import ColumnInfo, LinkInfo, info_of
from eyened_domain.model.names import nearest
from eyened_domain.model.values import Json

if TYPE_CHECKING:
    from eyened_domain.model.entity import Entity

SHORT_NAMES = {"images": "image_instances", "Images": "image_instances"}
"""Short forms that people write, wherever an entity has the relation."""


@frozen(kw_only=True)
class EntityInfo:
    """What the model knows of an entity class: its columns, links, names and keys."""

    name: str
    table: str
    """Name of its table in the database."""
    columns: Mapping[str, ColumnInfo]
    links: Mapping[str, LinkInfo]
    aliases: Mapping[str, str]
    """From every other name of a field to its Python name."""
    unique: tuple[tuple[str, ...], ...]
    """The natural keys: each a tuple of columns that no two objects share."""
    counted_empty: tuple[str, ...]
    """Columns in which, in a natural key, nothing is a value as others are."""
    name_column: str | None
    parent: str | None
    """Name of the entity that it is a special kind of (joined tables)."""
    discriminator: str | None
    """The column that says of which special kind an object is; a kind's default is its value."""
    repository: str | None
    """What its repository is called on a unit of work."""
    defaults: Mapping[str, Any]
    """What a new object holds in the columns that may be left out."""

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The columns that the constructor asks for."""
        return tuple(name for name, info in self.columns.items() if info.required)

    @cached_property
    def names(self) -> Mapping[str, str]:
        """From every name of a field, in either style, to its Python name."""
        return {**self.aliases, **{name: name for name in self.fields}}

    @cached_property
    def primary_key(self) -> tuple[str, ...]:
        """The columns of the primary key, in order."""
        return tuple(name for name, info in self.columns.items() if info.primary_key)

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """The columns that must hold something before the object is stored."""
        single = self.primary_key if len(self.primary_key) == 1 else ()
        return tuple(
            name
            for name, info in self.columns.items()
            if not (info.nullable or name in single or (info.generated and not info.references))
        )

    @cached_property
    def root(self) -> str:
        """Name of the entity whose table and ids it shares: its own, or that of its parent."""
        return self.name if self.parent is None else root_of(self.parent)

    def key(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the primary key that the values of its columns hold."""
        return tuple(values[name] for name in self.primary_key)

    @cached_property
    def json(self) -> tuple[str, ...]:
        """The columns whose values can be edited in place."""
        return tuple(n for n, info in self.columns.items() if isinstance(info.kind, Json))

    @cached_property
    def foreign_keys(self) -> tuple[ColumnInfo, ...]:
        """The columns that hold the id of another entity."""
        return tuple(info for info in self.columns.values() if info.references)

    @cached_property
    def to_one(self) -> tuple[LinkInfo, ...]:
        """The links to one entity."""
        return tuple(link for link in self.links.values() if not link.many)

    @cached_property
    def through(self) -> tuple[LinkInfo, ...]:
        """The links to many that lead through a table between."""
        return tuple(link for link in self.links.values() if link.through)

    @cached_property
    def link_of(self) -> Mapping[str, str]:
        """The link to one behind each column of a foreign key."""
        links = self.links.values()
        return {str(link.via): link.name for link in links if not link.many}

    @cached_property
    def fields(self) -> frozenset[str]:
        """The Python names of all columns and links."""
        return frozenset(self.columns) | frozenset(self.links)

    @cached_property
    def told_by(self) -> tuple[str, ...]:
        """The columns that may be shown, those first that tell objects apart."""
        first = [*self.primary_key, *(name for key in self.unique for name in key)]
        shown_columns = [name for name, info in self.columns.items() if not info.private]
        ordered = dict.fromkeys([*first, *filter(None, [self.name_column]), *shown_columns])
        return tuple(name for name in ordered if name in shown_columns)

    def field_name(self, name: str) -> str:
        """Return the Python name of a field given in either style.

        Raises:
            UnknownName: there is no such field; the message names the nearest ones.
        """
        found = self.names.get(name)
        if found is not None:
            return found
        raise UnknownName(self.unknown(name), entity=self.name, field=name)

    def unknown(self, name: str) -> str:
        """Say that there is no such field, and which ones come near."""
        return f"{self.name} has no field {name!r}{nearest(name, [*self.fields, *self.aliases])}"


def declared(
    cls: Any,
    parent: EntityInfo | None,
    *,
    unique: tuple[tuple[str, ...], ...],
    counted_empty: tuple[str, ...],
    name: str | None,
    table: str | None,
    discriminator: str | None,
    repository: str | None,
) -> EntityInfo:
    """Return what an attrs class declares; what it does not say itself is as its parent's.

    Args:
        cls: the class.
        parent: what is known of the entity that it is a special kind of.
        unique: see `entity`, and so of the others.
        counted_empty: as well.
        name: the column of the name.
        table: the name of the table.
        discriminator: the column of the kind.
        repository: the name of its repository; a special kind has one of its own.
    """
    infos = [info_of(attribute) for attribute in attrs.fields(cls)]
    columns = {i.name: i for i in infos if isinstance(i, ColumnInfo)}
    links = {i.name: i for i in infos if isinstance(i, LinkInfo)}
    aliases = {i.database_name: i.name for i in infos if i.database_name != i.name}
    aliases |= {short: long for short, long in SHORT_NAMES.items() if long in links}
    return EntityInfo(
        name=cls.__name__,
        table=table or cls.__name__,
        columns=columns,
        links=links,
        aliases=aliases,
        unique=unique or (parent.unique if parent else ()),
        counted_empty=counted_empty,
        name_column=name or (parent.name_column if parent else None),
        parent=parent.name if parent else None,
        discriminator=discriminator or (parent.discriminator if parent else None),
        repository=repository,
        defaults=_defaults(cls, columns),
    )


def _defaults(cls: Any, columns: Mapping[str, ColumnInfo]) -> dict[str, Any]:
    """Return what new objects share: nothing that can be edited in place."""
    given = {field.name: field.default for field in attrs.fields(cls) if field.name in columns}
    return {
        name: None if value is None else columns[name].kind.convert(value)
        for name, value in given.items()
        if value is not attrs.NOTHING
    }


_ENTITIES: dict[str, type[Entity]] = {}


def entity_class(name: str) -> type[Entity]:
    """Return the entity class of that name, for example ``"Patient"``.

    Raises:
        UnknownName: there is no such entity.
    """
    try:
        return _ENTITIES[name]
    except KeyError:
        message = f"there is no entity {name!r}{nearest(name, _ENTITIES)}"
        raise UnknownName(message, entity=name) from None


def root_of(name: str) -> str:
    """Return the name of the entity whose table and ids the entity of that name shares."""
    return entity_class(name).__entity__.root


def entity_classes() -> tuple[type[Entity], ...]:
    """Return all entity classes, in the order of their definition."""
    return tuple(_ENTITIES.values())


def register(entity: type[Entity]) -> None:
    """Let a class be found by its name."""
    _ENTITIES[entity.__name__] = entity
