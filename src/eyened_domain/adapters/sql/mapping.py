"""Maps the plain classes of the model onto their tables, from outside, when it is imported.

Who makes sessions or asks mapped classes imports it. Objects are made after that: one that was
made before is refused, with what to do. Columns are matched by their key in the table, which is
the field's Python name.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column as TableColumn
from sqlalchemy import ForeignKey, event
from sqlalchemy.orm import RelationshipProperty, foreign, registry, relationship, remote
from sqlalchemy.orm.attributes import manager_of_class

from eyened_domain.adapters.sql.attribute_access import (
    DistinctList,
    explain_unloaded,
    join_session_of_item,
    join_session_of_linked,
)
from eyened_domain.adapters.sql.json_tracking import track_json
from eyened_domain.adapters.sql.list_changes import guard_changes
from eyened_domain.adapters.sql.names import answer_to_both_names
from eyened_domain.adapters.sql.schema import TABLES, metadata, table_of
from eyened_domain.adapters.sql.sqlalchemy_internals import STATE
from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.model.fields import LinkInfo
from eyened_domain.model.values import Json
from eyened_domain.services.garbage import rarer_collections

_registry = registry(metadata=metadata)
_MADE_BEFORE = (
    "was made before its class was mapped onto a table, or by a process that mapped none; import "
    "eyened_domain.Database before objects are made"
)


def _map_all() -> None:
    for entity, table in TABLES.items():
        _registry.map_imperatively(
            entity,
            table,
            properties={link.name: _relationship(entity, link) for link in _own_links(entity)},
            **_inheritance(entity),
        )
    _registry.configure()
    Entity.refused_names = {STATE: _MADE_BEFORE}
    Entity.blank = staticmethod(_blank)
    for entity in TABLES:
        answer_to_both_names(entity)
        _instrument(entity)
    guard_changes(DistinctList)


def _blank(entity: type[Entity]) -> Entity:
    """Return an object without values, which SQLAlchemy knows.

    Pickles name it, so that who unpickles one imports this module: what was pickled where the
    classes were mapped holds state of SQLAlchemy, which can be read only where they are mapped.
    """
    made = entity.__new__(entity)
    manager_of_class(entity).setup_instance(made)
    return made


def _inheritance(entity: type[Entity]) -> dict[str, Any]:
    """Return the options of `map_imperatively` for joined tables."""
    info = entity.__entity__
    if info.discriminator is None:
        return {}
    if info.parent is None:
        return {"polymorphic_on": table_of(entity).c[info.discriminator]}
    return {
        "inherits": entity_class(info.parent),
        "polymorphic_identity": info.defaults[info.discriminator],
        "polymorphic_load": "inline",
    }


def _own_links(entity: type[Entity]) -> list[LinkInfo]:
    info = entity.__entity__
    inherited = entity_class(info.parent).__entity__.links if info.parent else {}
    return [link for name, link in info.links.items() if name not in inherited]


def _instrument(entity: type[Entity]) -> None:
    for name, column in entity.__entity__.columns.items():
        if isinstance(column.kind, Json):
            track_json(getattr(entity, name))
        explain_unloaded(getattr(entity, name), is_json=isinstance(column.kind, Json))
    for name, link in entity.__entity__.links.items():
        explain_unloaded(getattr(entity, name), is_link=True)
        if link.many:
            event.listen(getattr(entity, name), "append", join_session_of_item)
        else:
            event.listen(getattr(entity, name), "set", join_session_of_linked)


def _relationship(entity: type[Entity], link: LinkInfo) -> RelationshipProperty[Any]:
    if link.through:
        return _many_to_many(link)
    if link.many:
        return _one_to_many(link)
    return _many_to_one(entity, link)


def _many_to_one(entity: type[Entity], link: LinkInfo) -> RelationshipProperty[Any]:
    local = table_of(entity).c[str(link.via)]
    return relationship(
        entity_class(link.target),
        primaryjoin=foreign(local) == remote(_foreign_key(local).column),
        back_populates=link.back,
        load_on_pending=True,  # a new object that was linked by id finds what it is linked to
    )


def _one_to_many(link: LinkInfo) -> RelationshipProperty[Any]:
    target = entity_class(link.target)
    back = target.__entity__.links[str(link.back)]
    theirs = table_of(target).c[str(back.via)]
    key = _foreign_key(theirs)
    cascades = key.ondelete == "CASCADE"
    return relationship(
        target,
        primaryjoin=remote(foreign(theirs)) == key.column,
        back_populates=link.back,
        collection_class=DistinctList,
        cascade="save-update, merge, delete" if cascades else "save-update, merge",
        # the database empties links, and says whether something is left that forbids the deletion
        passive_deletes=True if key.ondelete == "CASCADE" else "all",
        order_by=[table_of(target).c[name] for name in target.__entity__.primary_key]
        if not target.__entity__.parent
        else False,
    )


def _many_to_many(link: LinkInfo) -> RelationshipProperty[Any]:
    between_name, mine, theirs = link.through or ("", "", "")
    target = entity_class(link.target)
    between = table_of(entity_class(between_name))
    overlaps = ",".join([*entity_class(between_name).__entity__.links, str(link.back)])
    return relationship(
        target,
        secondary=between,
        primaryjoin=between.c[mine] == _foreign_key(between.c[mine]).column,
        secondaryjoin=between.c[theirs] == _foreign_key(between.c[theirs]).column,
        back_populates=link.back,
        collection_class=DistinctList,
        passive_deletes=True,
        overlaps=overlaps,
    )


def _foreign_key(column: TableColumn[Any]) -> ForeignKey:
    (key,) = column.foreign_keys
    return key


with rarer_collections():
    _map_all()
