"""The repositories of a unit of work by name: the one list of them."""

from __future__ import annotations

from typing import Any, Generic, Protocol, Self, TypeVar, overload

from eyened_domain.model import (
    Annotation,
    AnnotationData,
    AnnotationTagLink,
    AnnotationType,
    AttributeDefinition,
    AttributesModel,
    AttributesModelOutput,
    AttributeValue,
    AttributeValueInput,
    Contact,
    Creator,
    CreatorTagLink,
    DeviceInstance,
    DeviceModel,
    Feature,
    FeatureFeatureLink,
    FormAnnotation,
    FormAnnotationTagLink,
    FormSchema,
    ImageInstance,
    ImageInstanceTagLink,
    ModalityTable,
    Model,
    ModelInput,
    ModelSegmentation,
    Patient,
    Project,
    Scan,
    Segmentation,
    SegmentationModel,
    SegmentationTagLink,
    Series,
    SourceInfo,
    Study,
    StudyTagLink,
    SubTask,
    SubTaskImageLink,
    Tag,
    Task,
    TaskDefinition,
)
from eyened_domain.model.entity import Entity
from eyened_domain.services.finders import PatientRepository
from eyened_domain.services.repository import Repository

E = TypeVar("E", bound=Entity)
R = TypeVar("R")


class GivesRepositories(Protocol):
    """What has a repository for each entity class."""

    def repository(self, entity: type[E], /) -> Repository[E]:
        """Return the repository of an entity class."""


class Named(Generic[E, R]):
    """The repository of an entity class under a name (a descriptor).

    Args:
        entity: the class.
    """

    def __init__(self, entity: type[E]) -> None:
        self.entity = entity

    @overload
    def __get__(self, owner: None, _owner_type: type) -> Self: ...
    @overload
    def __get__(self, owner: GivesRepositories, _owner_type: type) -> R: ...
    def __get__(self, owner: GivesRepositories | None, _owner_type: type) -> Any:
        return self if owner is None else owner.repository(self.entity)


def _of(entity: type[E]) -> Named[E, Repository[E]]:
    return Named(entity)


class NamedRepositories:
    """The repositories of all entities, by name."""

    contacts = _of(Contact)
    """All contacts (`Contact`)."""
    projects = _of(Project)
    """All projects (`Project`)."""
    patients = Named[Patient, PatientRepository](Patient)
    """All patients (`Patient`)."""
    studies = _of(Study)
    """All studies (`Study`)."""
    series = _of(Series)
    """All series (`Series`)."""
    images = _of(ImageInstance)
    """All images (`ImageInstance`)."""
    modalities = _of(ModalityTable)
    """All modalities (`ModalityTable`)."""
    scans = _of(Scan)
    """All scans (`Scan`)."""
    sources = _of(SourceInfo)
    """All sources (`SourceInfo`)."""
    device_models = _of(DeviceModel)
    """All device models (`DeviceModel`)."""
    devices = _of(DeviceInstance)
    """All camera and scanner instances (`DeviceInstance`)."""
    creators = _of(Creator)
    """All creators (`Creator`)."""
    tags = _of(Tag)
    """All tags (`Tag`)."""
    starred_tags = _of(CreatorTagLink)
    """All starred tags (`CreatorTagLink`)."""
    study_tags = _of(StudyTagLink)
    """All study tags (`StudyTagLink`)."""
    image_tags = _of(ImageInstanceTagLink)
    """All image tags (`ImageInstanceTagLink`)."""
    annotation_tags = _of(AnnotationTagLink)
    """All annotation tags (`AnnotationTagLink`)."""
    segmentation_tags = _of(SegmentationTagLink)
    """All segmentation tags (`SegmentationTagLink`)."""
    form_tags = _of(FormAnnotationTagLink)
    """All form tags (`FormAnnotationTagLink`)."""
    features = _of(Feature)
    """All features (`Feature`)."""
    feature_links = _of(FeatureFeatureLink)
    """All feature links (`FeatureFeatureLink`)."""
    models = _of(Model)
    """All models (`Model`)."""
    segmentation_models = _of(SegmentationModel)
    """All segmentation models (`SegmentationModel`)."""
    attributes_models = _of(AttributesModel)
    """All attributes models (`AttributesModel`)."""
    model_inputs = _of(ModelInput)
    """All model inputs (`ModelInput`)."""
    model_outputs = _of(AttributesModelOutput)
    """All model outputs (`AttributesModelOutput`)."""
    segmentations = _of(Segmentation)
    """All segmentations (`Segmentation`)."""
    model_segmentations = _of(ModelSegmentation)
    """All model segmentations (`ModelSegmentation`)."""
    attributes = _of(AttributeDefinition)
    """All attributes (`AttributeDefinition`)."""
    attribute_values = _of(AttributeValue)
    """All attribute values (`AttributeValue`)."""
    attribute_value_inputs = _of(AttributeValueInput)
    """All attribute value inputs (`AttributeValueInput`)."""
    annotation_types = _of(AnnotationType)
    """All annotation types (`AnnotationType`)."""
    annotations = _of(Annotation)
    """All annotations (`Annotation`)."""
    annotation_data = _of(AnnotationData)
    """All annotation data (`AnnotationData`)."""
    form_schemas = _of(FormSchema)
    """All form schemas (`FormSchema`)."""
    forms = _of(FormAnnotation)
    """All filled-in forms (`FormAnnotation`)."""
    task_definitions = _of(TaskDefinition)
    """All task definitions (`TaskDefinition`)."""
    tasks = _of(Task)
    """All tasks (`Task`)."""
    sub_tasks = _of(SubTask)
    """All sub tasks (`SubTask`)."""
    sub_task_images = _of(SubTaskImageLink)
    """All sub task images (`SubTaskImageLink`)."""
