"""The repositories of a unit of work by name, as type checkers see them.

The names are those that the entities declare: `@entity(repository="projects")`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, TypeVar

from eyened_domain import model
from eyened_domain.model.entity import Entity, entity_classes
from eyened_domain.services.finders import FormRepository, PatientRepository, TaskRepository
from eyened_domain.services.repository import Repository

E = TypeVar("E", bound=Entity)


class NamedRepositories(ABC):
    """The repositories of all entities, by name; the same as `repository` gives."""

    contacts: Repository[model.Contact]
    projects: Repository[model.Project]
    patients: PatientRepository
    studies: Repository[model.Study]
    series: Repository[model.Series]
    images: Repository[model.ImageInstance]
    modalities: Repository[model.ModalityTable]
    scans: Repository[model.Scan]
    sources: Repository[model.SourceInfo]
    device_models: Repository[model.DeviceModel]
    devices: Repository[model.DeviceInstance]
    creators: Repository[model.Creator]
    identities: Repository[model.CreatorIdentity]
    cohorts: Repository[model.Cohort]
    cohort_members: Repository[model.CohortMember]
    trash_entries: Repository[model.TrashEntry]
    tags: Repository[model.Tag]
    starred_tags: Repository[model.CreatorTagLink]
    study_tags: Repository[model.StudyTagLink]
    image_tags: Repository[model.ImageInstanceTagLink]
    annotation_tags: Repository[model.AnnotationTagLink]
    segmentation_tags: Repository[model.SegmentationTagLink]
    form_tags: Repository[model.FormAnnotationTagLink]
    features: Repository[model.Feature]
    feature_links: Repository[model.FeatureFeatureLink]
    models: Repository[model.Model]
    segmentation_models: Repository[model.SegmentationModel]
    attributes_models: Repository[model.AttributesModel]
    model_inputs: Repository[model.ModelInput]
    model_outputs: Repository[model.AttributesModelOutput]
    segmentations: Repository[model.Segmentation]
    model_segmentations: Repository[model.ModelSegmentation]
    attributes: Repository[model.AttributeDefinition]
    attribute_values: Repository[model.AttributeValue]
    attribute_value_inputs: Repository[model.AttributeValueInput]
    annotation_types: Repository[model.AnnotationType]
    annotations: Repository[model.Annotation]
    annotation_data: Repository[model.AnnotationData]
    form_schemas: Repository[model.FormSchema]
    forms: FormRepository
    task_definitions: Repository[model.TaskDefinition]
    tasks: TaskRepository
    sub_tasks: Repository[model.SubTask]
    sub_task_images: Repository[model.SubTaskImageLink]
    task_configurations: Repository[model.TaskConfiguration]
    sub_task_work: Repository[model.SubTaskWork]

    @abstractmethod
    def _check_open(self) -> None: ...
    @abstractmethod
    def _repository(self, entity: type[E]) -> Repository[E]: ...


def _named(entity: type[Entity]) -> Any:
    # as `UnitOfWork.repository`, of what is known to be an entity
    def repository(unit: NamedRepositories) -> Repository[Entity]:
        unit._check_open()
        return unit._repository(entity)

    return property(repository, doc=f"All objects of `{entity.__name__}`.")


_DECLARED = {one.__entity__.repository: one for one in reversed(entity_classes())}
for _name in NamedRepositories.__annotations__:
    setattr(NamedRepositories, _name, _named(_DECLARED[_name]))
