"""The domain model: plain attrs objects that speak ophthalmology, and know no database."""

from eyened_domain.model.acquisition import (
    DeviceInstance,
    DeviceModel,
    ModalityTable,
    Scan,
    SourceInfo,
)
from eyened_domain.model.annotation import Annotation, AnnotationData, AnnotationType
from eyened_domain.model.attribute import AttributeDefinition, AttributeValue, AttributeValueInput
from eyened_domain.model.cohort import Cohort, CohortMember
from eyened_domain.model.computation import (
    AttributesModel,
    AttributesModelOutput,
    Model,
    ModelInput,
    SegmentationModel,
)
from eyened_domain.model.creator import Creator
from eyened_domain.model.entity import Entity, EntityInfo, entity_class, entity_classes
from eyened_domain.model.enums import (
    AttributeDataType,
    DataRepresentation,
    Datatype,
    EntityType,
    ETDRSField,
    ExternalEnum,
    Laterality,
    Modality,
    ModalityType,
    ModelKind,
    Role,
    SexEnum,
    SubTaskState,
    TagType,
    TaskState,
)
from eyened_domain.model.feature import Feature, FeatureFeatureLink
from eyened_domain.model.form import FormAnnotation, FormSchema
from eyened_domain.model.identity import CreatorIdentity
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.patient import Patient
from eyened_domain.model.project import Contact, Project
from eyened_domain.model.segmentation import ModelSegmentation, Segmentation
from eyened_domain.model.study import Series, Study
from eyened_domain.model.tag import (
    AnnotationTagLink,
    CreatorTagLink,
    FormAnnotationTagLink,
    ImageInstanceTagLink,
    SegmentationTagLink,
    StudyTagLink,
    Tag,
)
from eyened_domain.model.task import SubTask, SubTaskImageLink, Task, TaskDefinition
from eyened_domain.model.task_work import SubTaskWork, TaskConfiguration
from eyened_domain.model.trash import TrashEntry

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
    "Cohort",
    "CohortMember",
    "Contact",
    "Creator",
    "CreatorIdentity",
    "CreatorTagLink",
    "DataRepresentation",
    "Datatype",
    "DeviceInstance",
    "DeviceModel",
    "ETDRSField",
    "Entity",
    "EntityInfo",
    "EntityType",
    "ExternalEnum",
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
    "Patient",
    "Project",
    "Role",
    "Scan",
    "Segmentation",
    "SegmentationModel",
    "SegmentationTagLink",
    "Series",
    "SexEnum",
    "SourceInfo",
    "Study",
    "StudyTagLink",
    "SubTask",
    "SubTaskImageLink",
    "SubTaskState",
    "SubTaskWork",
    "Tag",
    "TagType",
    "Task",
    "TaskConfiguration",
    "TaskDefinition",
    "TaskState",
    "TrashEntry",
    "entity_class",
    "entity_classes",
]
