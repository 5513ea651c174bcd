"""The domain layer of the Eyened ophthalmic imaging database.

    from eyened_domain import Database, Project

    database = Database()
    with database.get_session() as session:
        project = Project.by_name(session, "My Project Name")

Names are loaded when they are first used: importing the package costs almost nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eyened_domain.adapters.sql.database import Database as Database
    from eyened_domain.config import Settings as Settings
    from eyened_domain.container import Container as Container
    from eyened_domain.errors import (
        BadInput as BadInput,
    )
    from eyened_domain.errors import (
        ConfigurationError as ConfigurationError,
    )
    from eyened_domain.errors import (
        Conflict as Conflict,
    )
    from eyened_domain.errors import (
        Duplicate as Duplicate,
    )
    from eyened_domain.errors import (
        EyenedError as EyenedError,
    )
    from eyened_domain.errors import (
        NotFound as NotFound,
    )
    from eyened_domain.errors import (
        NotLoaded as NotLoaded,
    )
    from eyened_domain.errors import (
        RuleBroken as RuleBroken,
    )
    from eyened_domain.errors import (
        StorageError as StorageError,
    )
    from eyened_domain.errors import (
        UnknownName as UnknownName,
    )
    from eyened_domain.model.acquisition import (
        DeviceInstance as DeviceInstance,
    )
    from eyened_domain.model.acquisition import (
        DeviceModel as DeviceModel,
    )
    from eyened_domain.model.acquisition import (
        ModalityTable as ModalityTable,
    )
    from eyened_domain.model.acquisition import (
        Scan as Scan,
    )
    from eyened_domain.model.acquisition import (
        SourceInfo as SourceInfo,
    )
    from eyened_domain.model.annotation import (
        Annotation as Annotation,
    )
    from eyened_domain.model.annotation import (
        AnnotationData as AnnotationData,
    )
    from eyened_domain.model.annotation import (
        AnnotationType as AnnotationType,
    )
    from eyened_domain.model.attribute import (
        AttributeDefinition as AttributeDefinition,
    )
    from eyened_domain.model.attribute import (
        AttributeValue as AttributeValue,
    )
    from eyened_domain.model.attribute import (
        AttributeValueInput as AttributeValueInput,
    )
    from eyened_domain.model.computation import (
        AttributesModel as AttributesModel,
    )
    from eyened_domain.model.computation import (
        AttributesModelOutput as AttributesModelOutput,
    )
    from eyened_domain.model.computation import (
        Model as Model,
    )
    from eyened_domain.model.computation import (
        ModelInput as ModelInput,
    )
    from eyened_domain.model.computation import (
        SegmentationModel as SegmentationModel,
    )
    from eyened_domain.model.creator import Creator as Creator
    from eyened_domain.model.entity import (
        Entity as Entity,
    )
    from eyened_domain.model.entity import (
        EntityInfo as EntityInfo,
    )
    from eyened_domain.model.entity import (
        entity_class as entity_class,
    )
    from eyened_domain.model.entity import (
        entity_classes as entity_classes,
    )
    from eyened_domain.model.enums import (
        AttributeDataType as AttributeDataType,
    )
    from eyened_domain.model.enums import (
        DataRepresentation as DataRepresentation,
    )
    from eyened_domain.model.enums import (
        Datatype as Datatype,
    )
    from eyened_domain.model.enums import (
        EntityType as EntityType,
    )
    from eyened_domain.model.enums import (
        ETDRSField as ETDRSField,
    )
    from eyened_domain.model.enums import (
        ExternalEnum as ExternalEnum,
    )
    from eyened_domain.model.enums import (
        Laterality as Laterality,
    )
    from eyened_domain.model.enums import (
        Modality as Modality,
    )
    from eyened_domain.model.enums import (
        ModalityType as ModalityType,
    )
    from eyened_domain.model.enums import (
        ModelKind as ModelKind,
    )
    from eyened_domain.model.enums import (
        SexEnum as SexEnum,
    )
    from eyened_domain.model.enums import (
        SubTaskState as SubTaskState,
    )
    from eyened_domain.model.enums import (
        TagType as TagType,
    )
    from eyened_domain.model.enums import (
        TaskState as TaskState,
    )
    from eyened_domain.model.feature import (
        Feature as Feature,
    )
    from eyened_domain.model.feature import (
        FeatureFeatureLink as FeatureFeatureLink,
    )
    from eyened_domain.model.form import FormAnnotation as FormAnnotation
    from eyened_domain.model.form import FormSchema as FormSchema
    from eyened_domain.model.image import ImageInstance as ImageInstance
    from eyened_domain.model.patient import Patient as Patient
    from eyened_domain.model.project import Contact as Contact
    from eyened_domain.model.project import Project as Project
    from eyened_domain.model.segmentation import (
        ModelSegmentation as ModelSegmentation,
    )
    from eyened_domain.model.segmentation import (
        Segmentation as Segmentation,
    )
    from eyened_domain.model.study import Series as Series
    from eyened_domain.model.study import Study as Study
    from eyened_domain.model.tag import (
        AnnotationTagLink as AnnotationTagLink,
    )
    from eyened_domain.model.tag import (
        CreatorTagLink as CreatorTagLink,
    )
    from eyened_domain.model.tag import (
        FormAnnotationTagLink as FormAnnotationTagLink,
    )
    from eyened_domain.model.tag import (
        ImageInstanceTagLink as ImageInstanceTagLink,
    )
    from eyened_domain.model.tag import (
        SegmentationTagLink as SegmentationTagLink,
    )
    from eyened_domain.model.tag import (
        StudyTagLink as StudyTagLink,
    )
    from eyened_domain.model.tag import (
        Tag as Tag,
    )
    from eyened_domain.model.task import (
        SubTask as SubTask,
    )
    from eyened_domain.model.task import (
        SubTaskImageLink as SubTaskImageLink,
    )
    from eyened_domain.model.task import (
        Task as Task,
    )
    from eyened_domain.model.task import (
        TaskDefinition as TaskDefinition,
    )

_HOME = {
    "Database": "eyened_domain.adapters.sql.database",
    "Settings": "eyened_domain.config",
    "Container": "eyened_domain.container",
    "BadInput": "eyened_domain.errors",
    "ConfigurationError": "eyened_domain.errors",
    "Conflict": "eyened_domain.errors",
    "Duplicate": "eyened_domain.errors",
    "EyenedError": "eyened_domain.errors",
    "NotFound": "eyened_domain.errors",
    "NotLoaded": "eyened_domain.errors",
    "RuleBroken": "eyened_domain.errors",
    "StorageError": "eyened_domain.errors",
    "UnknownName": "eyened_domain.errors",
    "DeviceInstance": "eyened_domain.model.acquisition",
    "DeviceModel": "eyened_domain.model.acquisition",
    "ModalityTable": "eyened_domain.model.acquisition",
    "Scan": "eyened_domain.model.acquisition",
    "SourceInfo": "eyened_domain.model.acquisition",
    "Annotation": "eyened_domain.model.annotation",
    "AnnotationData": "eyened_domain.model.annotation",
    "AnnotationType": "eyened_domain.model.annotation",
    "AttributeDefinition": "eyened_domain.model.attribute",
    "AttributeValue": "eyened_domain.model.attribute",
    "AttributeValueInput": "eyened_domain.model.attribute",
    "AttributesModel": "eyened_domain.model.computation",
    "AttributesModelOutput": "eyened_domain.model.computation",
    "Model": "eyened_domain.model.computation",
    "ModelInput": "eyened_domain.model.computation",
    "SegmentationModel": "eyened_domain.model.computation",
    "Creator": "eyened_domain.model.creator",
    "Entity": "eyened_domain.model.entity",
    "EntityInfo": "eyened_domain.model.entity",
    "entity_class": "eyened_domain.model.entity",
    "entity_classes": "eyened_domain.model.entity",
    "AttributeDataType": "eyened_domain.model.enums",
    "DataRepresentation": "eyened_domain.model.enums",
    "Datatype": "eyened_domain.model.enums",
    "ETDRSField": "eyened_domain.model.enums",
    "EntityType": "eyened_domain.model.enums",
    "ExternalEnum": "eyened_domain.model.enums",
    "Laterality": "eyened_domain.model.enums",
    "Modality": "eyened_domain.model.enums",
    "ModalityType": "eyened_domain.model.enums",
    "ModelKind": "eyened_domain.model.enums",
    "SexEnum": "eyened_domain.model.enums",
    "SubTaskState": "eyened_domain.model.enums",
    "TagType": "eyened_domain.model.enums",
    "TaskState": "eyened_domain.model.enums",
    "Feature": "eyened_domain.model.feature",
    "FeatureFeatureLink": "eyened_domain.model.feature",
    "FormAnnotation": "eyened_domain.model.form",
    "FormSchema": "eyened_domain.model.form",
    "ImageInstance": "eyened_domain.model.image",
    "Patient": "eyened_domain.model.patient",
    "Contact": "eyened_domain.model.project",
    "Project": "eyened_domain.model.project",
    "ModelSegmentation": "eyened_domain.model.segmentation",
    "Segmentation": "eyened_domain.model.segmentation",
    "Series": "eyened_domain.model.study",
    "Study": "eyened_domain.model.study",
    "AnnotationTagLink": "eyened_domain.model.tag",
    "CreatorTagLink": "eyened_domain.model.tag",
    "FormAnnotationTagLink": "eyened_domain.model.tag",
    "ImageInstanceTagLink": "eyened_domain.model.tag",
    "SegmentationTagLink": "eyened_domain.model.tag",
    "StudyTagLink": "eyened_domain.model.tag",
    "Tag": "eyened_domain.model.tag",
    "SubTask": "eyened_domain.model.task",
    "SubTaskImageLink": "eyened_domain.model.task",
    "Task": "eyened_domain.model.task",
    "TaskDefinition": "eyened_domain.model.task",
}

__all__ = [
    "Annotation",
    "AnnotationData",
    "AnnotationTagLink",
    "AnnotationType",
    "AttributeDataType",
    "AttributeDefinition",
    "AttributeValue",
    "AttributeValueInput",
    "AttributesModel",
    "AttributesModelOutput",
    "BadInput",
    "ConfigurationError",
    "Conflict",
    "Contact",
    "Container",
    "Creator",
    "CreatorTagLink",
    "DataRepresentation",
    "Database",
    "Datatype",
    "DeviceInstance",
    "DeviceModel",
    "Duplicate",
    "ETDRSField",
    "Entity",
    "EntityInfo",
    "EntityType",
    "ExternalEnum",
    "EyenedError",
    "Feature",
    "FeatureFeatureLink",
    "FormAnnotation",
    "FormAnnotationTagLink",
    "FormSchema",
    "ImageInstance",
    "ImageInstanceTagLink",
    "Laterality",
    "Modality",
    "ModalityTable",
    "ModalityType",
    "Model",
    "ModelInput",
    "ModelKind",
    "ModelSegmentation",
    "NotFound",
    "NotLoaded",
    "Patient",
    "Project",
    "RuleBroken",
    "Scan",
    "Segmentation",
    "SegmentationModel",
    "SegmentationTagLink",
    "Series",
    "Settings",
    "SexEnum",
    "SourceInfo",
    "StorageError",
    "Study",
    "StudyTagLink",
    "SubTask",
    "SubTaskImageLink",
    "SubTaskState",
    "Tag",
    "TagType",
    "Task",
    "TaskDefinition",
    "TaskState",
    "UnknownName",
    "entity_class",
    "entity_classes",
]  # noqa: F822


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'eyened_domain' has no attribute {name!r}")
    if home.startswith("eyened_domain.model"):
        _map_when_needed()
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})


def _map_when_needed() -> None:
    """Let a query that is written before any Database was made find the classes mapped."""
    from eyened_domain.model.entity import EntityMeta  # noqa: PLC0415 - loaded when first used

    if EntityMeta.on_unmapped is None:
        EntityMeta.on_unmapped = staticmethod(_map_entities)


def _map_entities() -> bool:
    mapping = import_module("eyened_domain.adapters.sql.mapping")
    return bool(mapping.map_entities())
