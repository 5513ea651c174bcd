"""One method of a builder for every entity."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar, get_args, get_type_hints

from eyened_domain import model
from eyened_domain.model.entity import Entity

E_co = TypeVar("E_co", bound=Entity, covariant=True)


class Builds(Protocol[E_co]):
    """Makes valid objects of one entity class."""

    def __call__(self, **values: Any) -> E_co:
        """Return a new object, with the parents that it needs.

        Args:
            values: columns and links under either name.
        """


class NamedBuilders:
    """The methods of a builder that are named after what they make."""

    a_modality: Builds[model.ModalityTable]
    a_scan: Builds[model.Scan]
    a_source: Builds[model.SourceInfo]
    a_device_model: Builds[model.DeviceModel]
    a_device: Builds[model.DeviceInstance]
    an_annotation_type: Builds[model.AnnotationType]
    an_annotation: Builds[model.Annotation]
    an_annotation_data: Builds[model.AnnotationData]
    an_attribute: Builds[model.AttributeDefinition]
    an_attribute_value: Builds[model.AttributeValue]
    an_attribute_value_input: Builds[model.AttributeValueInput]
    an_identity: Builds[model.CreatorIdentity]
    a_cohort: Builds[model.Cohort]
    a_cohort_member: Builds[model.CohortMember]
    a_trash_entry: Builds[model.TrashEntry]
    a_model: Builds[model.Model]
    a_segmentation_model: Builds[model.SegmentationModel]
    an_attributes_model: Builds[model.AttributesModel]
    a_model_input: Builds[model.ModelInput]
    an_attributes_model_output: Builds[model.AttributesModelOutput]
    a_creator: Builds[model.Creator]
    a_feature: Builds[model.Feature]
    a_feature_feature_link: Builds[model.FeatureFeatureLink]
    a_form_schema: Builds[model.FormSchema]
    a_form_annotation: Builds[model.FormAnnotation]
    an_image: Builds[model.ImageInstance]
    a_patient: Builds[model.Patient]
    a_contact: Builds[model.Contact]
    a_project: Builds[model.Project]
    a_segmentation: Builds[model.Segmentation]
    a_model_segmentation: Builds[model.ModelSegmentation]
    a_study: Builds[model.Study]
    a_series: Builds[model.Series]
    a_tag: Builds[model.Tag]
    a_creator_tag_link: Builds[model.CreatorTagLink]
    a_study_tag_link: Builds[model.StudyTagLink]
    an_image_instance_tag_link: Builds[model.ImageInstanceTagLink]
    an_annotation_tag_link: Builds[model.AnnotationTagLink]
    a_segmentation_tag_link: Builds[model.SegmentationTagLink]
    a_form_annotation_tag_link: Builds[model.FormAnnotationTagLink]
    a_task_definition: Builds[model.TaskDefinition]
    a_task: Builds[model.Task]
    a_sub_task: Builds[model.SubTask]
    a_sub_task_image_link: Builds[model.SubTaskImageLink]
    a_task_configuration: Builds[model.TaskConfiguration]
    a_sub_task_work: Builds[model.SubTaskWork]


def _builds(entity: type[Entity]) -> Any:
    def build(self: Any, **values: Any) -> Any:
        return self.build(entity, **values)

    build.__doc__ = f"Return a new `{entity.__name__}`, with the parents that it needs."
    return build


for _name, _kind in get_type_hints(NamedBuilders).items():
    setattr(NamedBuilders, _name, _builds(*get_args(_kind)))
