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
    from eyened_domain.adapters.sql.database import (
        Database,
    )
    from eyened_domain.config import (
        Settings,
    )
    from eyened_domain.container import (
        Container,
    )
    from eyened_domain.errors import (
        BadInput,
        ConfigurationError,
        Conflict,
        Duplicate,
        EyenedError,
        FolderMissing,
        NotFound,
        NotLoaded,
        PixelsDamaged,
        PixelsLost,
        RowChanged,
        RuleBroken,
        StorageError,
        UnknownName,
    )
    from eyened_domain.model import (
        Annotation,
        AnnotationData,
        AnnotationTagLink,
        AnnotationType,
        AttributeDataType,
        AttributeDefinition,
        AttributesModel,
        AttributesModelOutput,
        AttributeValue,
        AttributeValueInput,
        Contact,
        Creator,
        CreatorTagLink,
        DataRepresentation,
        Datatype,
        DeviceInstance,
        DeviceModel,
        Entity,
        EntityType,
        ETDRSField,
        ExternalEnum,
        Feature,
        FeatureFeatureLink,
        FormAnnotation,
        FormAnnotationTagLink,
        FormSchema,
        ImageInstance,
        ImageInstanceTagLink,
        Laterality,
        Modality,
        ModalityTable,
        ModalityType,
        Model,
        ModelInput,
        ModelKind,
        ModelSegmentation,
        Patient,
        Project,
        Scan,
        Segmentation,
        SegmentationModel,
        SegmentationTagLink,
        Series,
        SexEnum,
        SourceInfo,
        Study,
        StudyTagLink,
        SubTask,
        SubTaskImageLink,
        SubTaskState,
        Tag,
        TagType,
        Task,
        TaskDefinition,
        TaskState,
    )
    from eyened_domain.services.importing import (
        Importing,
        ImportOptions,
    )
    from eyened_domain.services.segmenting import (
        Segmenting,
    )
    from eyened_domain.services.tagging import (
        Tagging,
    )

_ELSEWHERE = {
    "BadInput": "eyened_domain.errors",
    "ConfigurationError": "eyened_domain.errors",
    "Conflict": "eyened_domain.errors",
    "Container": "eyened_domain.container",
    "Database": "eyened_domain.adapters.sql.database",
    "Duplicate": "eyened_domain.errors",
    "EyenedError": "eyened_domain.errors",
    "FolderMissing": "eyened_domain.errors",
    "ImportOptions": "eyened_domain.services.importing",
    "Importing": "eyened_domain.services.importing",
    "NotFound": "eyened_domain.errors",
    "NotLoaded": "eyened_domain.errors",
    "PixelsDamaged": "eyened_domain.errors",
    "PixelsLost": "eyened_domain.errors",
    "RowChanged": "eyened_domain.errors",
    "RuleBroken": "eyened_domain.errors",
    "Segmenting": "eyened_domain.services.segmenting",
    "Settings": "eyened_domain.config",
    "StorageError": "eyened_domain.errors",
    "Tagging": "eyened_domain.services.tagging",
    "UnknownName": "eyened_domain.errors",
}
"""Where the names come from that are not of the model."""

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
    "EntityType",
    "ExternalEnum",
    "EyenedError",
    "Feature",
    "FeatureFeatureLink",
    "FolderMissing",
    "FormAnnotation",
    "FormAnnotationTagLink",
    "FormSchema",
    "ImageInstance",
    "ImageInstanceTagLink",
    "ImportOptions",
    "Importing",
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
    "PixelsDamaged",
    "PixelsLost",
    "Project",
    "RowChanged",
    "RuleBroken",
    "Scan",
    "Segmentation",
    "SegmentationModel",
    "SegmentationTagLink",
    "Segmenting",
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
    "Tagging",
    "Task",
    "TaskDefinition",
    "TaskState",
    "UnknownName",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'eyened_domain' has no attribute {name!r}")
    value = getattr(import_module(_ELSEWHERE.get(name, "eyened_domain.model")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def map_entities() -> bool:
    """Let a query that is written before any Database was made find the classes mapped.

    The model asks for it when SQLAlchemy first asks a class for its columns; only the package
    knows both.

    Returns:
        True when the classes are mapped; False when called while mapping them.
    """
    mapping = import_module("eyened_domain.adapters.sql.mapping")
    return bool(mapping.map_entities())
