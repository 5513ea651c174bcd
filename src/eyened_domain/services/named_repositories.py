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


class GivesRepositories(Protocol):
    """What has a repository for each entity class."""

    def repository(self, entity: type[E], /) -> Repository[E]:
        """Return the repository of an entity class."""


class Named(Generic[E]):
    """The repository of an entity class under a name (a descriptor).

    Args:
        entity: the class.
    """

    def __init__(self, entity: type[E]) -> None:
        self.entity: type[E] = entity

    @overload
    def __get__(self, owner: None, _owner_type: type) -> Self: ...
    @overload
    def __get__(self, owner: GivesRepositories, _owner_type: type) -> Repository[E]: ...
    def __get__(self, owner: GivesRepositories | None, _owner_type: type) -> Any:
        return self if owner is None else owner.repository(self.entity)


class NamedPatients(Named[Patient]):
    """The repository of patients, with its finders."""

    @overload
    def __get__(self, owner: None, _owner_type: type) -> Self: ...
    @overload
    def __get__(self, owner: GivesRepositories, _owner_type: type) -> PatientRepository: ...
    def __get__(self, owner: GivesRepositories | None, _owner_type: type) -> Any:
        return super().__get__(owner, _owner_type)


class NamedRepositories:
    """The repositories of all entities, by name."""

    contacts: Named[Contact] = Named(Contact)
    """All contacts (`Contact`)."""
    projects: Named[Project] = Named(Project)
    """All projects (`Project`)."""
    patients: NamedPatients = NamedPatients(Patient)
    """All patients (`Patient`)."""
    studies: Named[Study] = Named(Study)
    """All studies (`Study`)."""
    series: Named[Series] = Named(Series)
    """All series (`Series`)."""
    images: Named[ImageInstance] = Named(ImageInstance)
    """All images (`ImageInstance`)."""
    modalities: Named[ModalityTable] = Named(ModalityTable)
    """All modalities (`ModalityTable`)."""
    scans: Named[Scan] = Named(Scan)
    """All scans (`Scan`)."""
    sources: Named[SourceInfo] = Named(SourceInfo)
    """All sources (`SourceInfo`)."""
    device_models: Named[DeviceModel] = Named(DeviceModel)
    """All device models (`DeviceModel`)."""
    devices: Named[DeviceInstance] = Named(DeviceInstance)
    """All camera and scanner instances (`DeviceInstance`)."""
    creators: Named[Creator] = Named(Creator)
    """All creators (`Creator`)."""
    tags: Named[Tag] = Named(Tag)
    """All tags (`Tag`)."""
    starred_tags: Named[CreatorTagLink] = Named(CreatorTagLink)
    """All starred tags (`CreatorTagLink`)."""
    study_tags: Named[StudyTagLink] = Named(StudyTagLink)
    """All study tags (`StudyTagLink`)."""
    image_tags: Named[ImageInstanceTagLink] = Named(ImageInstanceTagLink)
    """All image tags (`ImageInstanceTagLink`)."""
    annotation_tags: Named[AnnotationTagLink] = Named(AnnotationTagLink)
    """All annotation tags (`AnnotationTagLink`)."""
    segmentation_tags: Named[SegmentationTagLink] = Named(SegmentationTagLink)
    """All segmentation tags (`SegmentationTagLink`)."""
    form_tags: Named[FormAnnotationTagLink] = Named(FormAnnotationTagLink)
    """All form tags (`FormAnnotationTagLink`)."""
    features: Named[Feature] = Named(Feature)
    """All features (`Feature`)."""
    feature_links: Named[FeatureFeatureLink] = Named(FeatureFeatureLink)
    """All feature links (`FeatureFeatureLink`)."""
    models: Named[Model] = Named(Model)
    """All models (`Model`)."""
    segmentation_models: Named[SegmentationModel] = Named(SegmentationModel)
    """All segmentation models (`SegmentationModel`)."""
    attributes_models: Named[AttributesModel] = Named(AttributesModel)
    """All attributes models (`AttributesModel`)."""
    model_inputs: Named[ModelInput] = Named(ModelInput)
    """All model inputs (`ModelInput`)."""
    model_outputs: Named[AttributesModelOutput] = Named(AttributesModelOutput)
    """All model outputs (`AttributesModelOutput`)."""
    segmentations: Named[Segmentation] = Named(Segmentation)
    """All segmentations (`Segmentation`)."""
    model_segmentations: Named[ModelSegmentation] = Named(ModelSegmentation)
    """All model segmentations (`ModelSegmentation`)."""
    attributes: Named[AttributeDefinition] = Named(AttributeDefinition)
    """All attributes (`AttributeDefinition`)."""
    attribute_values: Named[AttributeValue] = Named(AttributeValue)
    """All attribute values (`AttributeValue`)."""
    attribute_value_inputs: Named[AttributeValueInput] = Named(AttributeValueInput)
    """All attribute value inputs (`AttributeValueInput`)."""
    annotation_types: Named[AnnotationType] = Named(AnnotationType)
    """All annotation types (`AnnotationType`)."""
    annotations: Named[Annotation] = Named(Annotation)
    """All annotations (`Annotation`)."""
    annotation_data: Named[AnnotationData] = Named(AnnotationData)
    """All annotation data (`AnnotationData`)."""
    form_schemas: Named[FormSchema] = Named(FormSchema)
    """All form schemas (`FormSchema`)."""
    forms: Named[FormAnnotation] = Named(FormAnnotation)
    """All filled-in forms (`FormAnnotation`)."""
    task_definitions: Named[TaskDefinition] = Named(TaskDefinition)
    """All task definitions (`TaskDefinition`)."""
    tasks: Named[Task] = Named(Task)
    """All tasks (`Task`)."""
    sub_tasks: Named[SubTask] = Named(SubTask)
    """All sub tasks (`SubTask`)."""
    sub_task_images: Named[SubTaskImageLink] = Named(SubTaskImageLink)
    """All sub task images (`SubTaskImageLink`)."""
