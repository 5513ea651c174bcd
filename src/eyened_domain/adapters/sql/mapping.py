"""Maps the plain classes of the model onto the tables, from outside.

`map_entities` may be called any number of times and from any thread; the first call
maps. Columns are matched by their key in the table, which is the field's Python name.
"""

from __future__ import annotations

import threading
from typing import Any

from sqlalchemy import Column as TableColumn
from sqlalchemy import ForeignKey, Table, event
from sqlalchemy.orm import (
    Mapper,
    RelationshipProperty,
    foreign,
    registry,
    relationship,
    remote,
)

from eyened_domain import model
from eyened_domain.adapters.sql import tables
from eyened_domain.adapters.sql.adoption import adopt
from eyened_domain.adapters.sql.attribute_access import (
    DistinctList,
    explain_unloaded,
    join_session_of_item,
    join_session_of_linked,
)
from eyened_domain.adapters.sql.json_tracking import track_json
from eyened_domain.adapters.sql.kinds import give_kinds
from eyened_domain.adapters.sql.list_changes import guard_changes
from eyened_domain.adapters.sql.names import answer_to_both_names
from eyened_domain.adapters.sql.tables.metadata import metadata
from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.model.fields import LinkInfo
from eyened_domain.model.values import Json
from eyened_domain.services.garbage import rarer_collections

TABLES: dict[type[Entity], Table] = {
    model.Contact: tables.contact,
    model.Project: tables.project,
    model.Patient: tables.patient,
    model.Study: tables.study,
    model.Series: tables.series,
    model.ModalityTable: tables.modality_table,
    model.Scan: tables.scan,
    model.SourceInfo: tables.source_info,
    model.DeviceModel: tables.device_model,
    model.DeviceInstance: tables.device_instance,
    model.ImageInstance: tables.image_instance,
    model.Creator: tables.creator,
    model.Tag: tables.tag,
    model.CreatorTagLink: tables.creator_tag_link,
    model.StudyTagLink: tables.study_tag_link,
    model.ImageInstanceTagLink: tables.image_instance_tag_link,
    model.AnnotationTagLink: tables.annotation_tag_link,
    model.SegmentationTagLink: tables.segmentation_tag_link,
    model.FormAnnotationTagLink: tables.form_annotation_tag_link,
    model.Feature: tables.feature,
    model.FeatureFeatureLink: tables.feature_feature_link,
    model.Model: tables.model,
    model.SegmentationModel: tables.segmentation_model,
    model.AttributesModel: tables.attributes_model,
    model.ModelInput: tables.model_input,
    model.AttributesModelOutput: tables.attributes_model_output,
    model.Segmentation: tables.segmentation,
    model.ModelSegmentation: tables.model_segmentation,
    model.AttributeDefinition: tables.attribute_definition,
    model.AttributeValue: tables.attribute_value,
    model.AttributeValueInput: tables.attribute_value_input,
    model.AnnotationType: tables.annotation_type,
    model.Annotation: tables.annotation,
    model.AnnotationData: tables.annotation_data,
    model.FormSchema: tables.form_schema,
    model.FormAnnotation: tables.form_annotation,
    model.TaskDefinition: tables.task_definition,
    model.Task: tables.task,
    model.SubTask: tables.sub_task,
    model.SubTaskImageLink: tables.sub_task_image_link,
}
"""Which table holds the objects of which class."""

give_kinds(TABLES)

_INHERITANCE: dict[type[Entity], dict[str, Any]] = {
    model.Model: {"polymorphic_on": tables.model.c.model_type},
    model.SegmentationModel: {
        "inherits": model.Model,
        "polymorphic_identity": model.ModelKind.Segmentation,
        "polymorphic_load": "inline",
    },
    model.AttributesModel: {
        "inherits": model.Model,
        "polymorphic_identity": model.ModelKind.Attributes,
        "polymorphic_load": "inline",
    },
}

_registry = registry(metadata=metadata)
_lock = threading.RLock()
_state = {"begun": False, "done": False}


def map_entities() -> bool:
    """Map every entity class; nothing happens when that is done already.

    Returns:
        True when the classes are mapped; False when called while mapping them.
    """
    if _state["done"]:
        return True
    with _lock:
        if not _state["begun"]:
            _state["begun"] = True
            with rarer_collections():
                _map_all()
            _state["done"] = True
    return _state["done"]


def _map_all() -> None:
    for entity, table in TABLES.items():
        _registry.map_imperatively(
            entity,
            table,
            properties={link.name: _relationship(entity, link) for link in _own_links(entity)},
            **_INHERITANCE.get(entity, {}),
        )
    _registry.configure()
    Entity.late_state = {"_sa_instance_state": adopt}
    Entity.revive = staticmethod(_revived)
    for entity in TABLES:
        answer_to_both_names(entity)
        _instrument(entity)
    guard_changes(DistinctList)


def _revived(entity: type[Entity]) -> Entity:
    """Return an empty object to unpickle into; its class is mapped by then.

    An object that was pickled where the classes were mapped holds state of SQLAlchemy, which
    can be read only where they are mapped.
    """
    map_entities()
    return entity.__new__(entity)


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
    local = TABLES[entity].c[str(link.via)]
    return relationship(
        entity_class(link.target),
        primaryjoin=foreign(local) == remote(_foreign_key(local).column),
        back_populates=link.back,
        load_on_pending=True,  # a new object that was linked by id finds what it is linked to
    )


def _one_to_many(link: LinkInfo) -> RelationshipProperty[Any]:
    target = entity_class(link.target)
    back = target.__entity__.links[str(link.back)]
    theirs = TABLES[target].c[str(back.via)]
    key = _foreign_key(theirs)
    cascades = key.ondelete == "CASCADE"
    return relationship(
        target,
        primaryjoin=remote(foreign(theirs)) == key.column,
        back_populates=link.back,
        collection_class=DistinctList,
        cascade="save-update, merge, delete" if cascades else "save-update, merge",
        # where neither rule takes care of them, the database says whether there still are any
        passive_deletes=True if key.ondelete in {"CASCADE", "SET NULL"} else "all",
        order_by=[TABLES[target].c[name] for name in target.__entity__.primary_key]
        if not target.__entity__.parent
        else False,
    )


def _many_to_many(link: LinkInfo) -> RelationshipProperty[Any]:
    between_name, mine, theirs = link.through or ("", "", "")
    target = entity_class(link.target)
    between = TABLES[entity_class(between_name)]
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


def mapper_of(entity: type[Entity]) -> Mapper[Any]:
    """Return SQLAlchemy's mapper of an entity class, mapping all classes first if needed."""
    map_entities()
    mapper: Mapper[Any] = entity.__mapper__
    return mapper
