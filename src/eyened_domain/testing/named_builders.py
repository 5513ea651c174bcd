"""One method of a builder for every entity."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from eyened_domain import model
from eyened_domain.model.entity import Entity

E = TypeVar("E", bound=Entity)


class _Builds(Protocol):
    def build(self, entity: type[E], /, **values: Any) -> E: ...


class NamedBuilders:
    """The methods of a builder that are named after what they make.

    Each takes columns and links under either name, and makes the parents that are needed.
    """

    def a_modality(self: _Builds, **values: Any) -> model.ModalityTable:
        """Return a new `ModalityTable`."""
        return self.build(model.ModalityTable, **values)

    def a_scan(self: _Builds, **values: Any) -> model.Scan:
        """Return a new `Scan`."""
        return self.build(model.Scan, **values)

    def a_source(self: _Builds, **values: Any) -> model.SourceInfo:
        """Return a new `SourceInfo`."""
        return self.build(model.SourceInfo, **values)

    def a_device_model(self: _Builds, **values: Any) -> model.DeviceModel:
        """Return a new `DeviceModel`."""
        return self.build(model.DeviceModel, **values)

    def a_device(self: _Builds, **values: Any) -> model.DeviceInstance:
        """Return a new `DeviceInstance`."""
        return self.build(model.DeviceInstance, **values)

    def an_annotation_type(self: _Builds, **values: Any) -> model.AnnotationType:
        """Return a new `AnnotationType`."""
        return self.build(model.AnnotationType, **values)

    def an_annotation(self: _Builds, **values: Any) -> model.Annotation:
        """Return a new `Annotation`."""
        return self.build(model.Annotation, **values)

    def an_annotation_data(self: _Builds, **values: Any) -> model.AnnotationData:
        """Return a new `AnnotationData`."""
        return self.build(model.AnnotationData, **values)

    def an_attribute(self: _Builds, **values: Any) -> model.AttributeDefinition:
        """Return a new `AttributeDefinition`."""
        return self.build(model.AttributeDefinition, **values)

    def an_attribute_value(self: _Builds, **values: Any) -> model.AttributeValue:
        """Return a new `AttributeValue`."""
        return self.build(model.AttributeValue, **values)

    def an_attribute_value_input(self: _Builds, **values: Any) -> model.AttributeValueInput:
        """Return a new `AttributeValueInput`."""
        return self.build(model.AttributeValueInput, **values)

    def a_model(self: _Builds, **values: Any) -> model.Model:
        """Return a new `Model`."""
        return self.build(model.Model, **values)

    def a_segmentation_model(self: _Builds, **values: Any) -> model.SegmentationModel:
        """Return a new `SegmentationModel`."""
        return self.build(model.SegmentationModel, **values)

    def an_attributes_model(self: _Builds, **values: Any) -> model.AttributesModel:
        """Return a new `AttributesModel`."""
        return self.build(model.AttributesModel, **values)

    def a_model_input(self: _Builds, **values: Any) -> model.ModelInput:
        """Return a new `ModelInput`."""
        return self.build(model.ModelInput, **values)

    def an_attributes_model_output(self: _Builds, **values: Any) -> model.AttributesModelOutput:
        """Return a new `AttributesModelOutput`."""
        return self.build(model.AttributesModelOutput, **values)

    def a_creator(self: _Builds, **values: Any) -> model.Creator:
        """Return a new `Creator`."""
        return self.build(model.Creator, **values)

    def a_feature(self: _Builds, **values: Any) -> model.Feature:
        """Return a new `Feature`."""
        return self.build(model.Feature, **values)

    def a_feature_feature_link(self: _Builds, **values: Any) -> model.FeatureFeatureLink:
        """Return a new `FeatureFeatureLink`."""
        return self.build(model.FeatureFeatureLink, **values)

    def a_form_schema(self: _Builds, **values: Any) -> model.FormSchema:
        """Return a new `FormSchema`."""
        return self.build(model.FormSchema, **values)

    def a_form_annotation(self: _Builds, **values: Any) -> model.FormAnnotation:
        """Return a new `FormAnnotation`."""
        return self.build(model.FormAnnotation, **values)

    def an_image(self: _Builds, **values: Any) -> model.ImageInstance:
        """Return a new `ImageInstance`."""
        return self.build(model.ImageInstance, **values)

    def a_patient(self: _Builds, **values: Any) -> model.Patient:
        """Return a new `Patient`."""
        return self.build(model.Patient, **values)

    def a_contact(self: _Builds, **values: Any) -> model.Contact:
        """Return a new `Contact`."""
        return self.build(model.Contact, **values)

    def a_project(self: _Builds, **values: Any) -> model.Project:
        """Return a new `Project`."""
        return self.build(model.Project, **values)

    def a_segmentation(self: _Builds, **values: Any) -> model.Segmentation:
        """Return a new `Segmentation`."""
        return self.build(model.Segmentation, **values)

    def a_model_segmentation(self: _Builds, **values: Any) -> model.ModelSegmentation:
        """Return a new `ModelSegmentation`."""
        return self.build(model.ModelSegmentation, **values)

    def a_study(self: _Builds, **values: Any) -> model.Study:
        """Return a new `Study`."""
        return self.build(model.Study, **values)

    def a_series(self: _Builds, **values: Any) -> model.Series:
        """Return a new `Series`."""
        return self.build(model.Series, **values)

    def a_tag(self: _Builds, **values: Any) -> model.Tag:
        """Return a new `Tag`."""
        return self.build(model.Tag, **values)

    def a_creator_tag_link(self: _Builds, **values: Any) -> model.CreatorTagLink:
        """Return a new `CreatorTagLink`."""
        return self.build(model.CreatorTagLink, **values)

    def a_study_tag_link(self: _Builds, **values: Any) -> model.StudyTagLink:
        """Return a new `StudyTagLink`."""
        return self.build(model.StudyTagLink, **values)

    def an_image_instance_tag_link(self: _Builds, **values: Any) -> model.ImageInstanceTagLink:
        """Return a new `ImageInstanceTagLink`."""
        return self.build(model.ImageInstanceTagLink, **values)

    def an_annotation_tag_link(self: _Builds, **values: Any) -> model.AnnotationTagLink:
        """Return a new `AnnotationTagLink`."""
        return self.build(model.AnnotationTagLink, **values)

    def a_segmentation_tag_link(self: _Builds, **values: Any) -> model.SegmentationTagLink:
        """Return a new `SegmentationTagLink`."""
        return self.build(model.SegmentationTagLink, **values)

    def a_form_annotation_tag_link(self: _Builds, **values: Any) -> model.FormAnnotationTagLink:
        """Return a new `FormAnnotationTagLink`."""
        return self.build(model.FormAnnotationTagLink, **values)

    def a_task_definition(self: _Builds, **values: Any) -> model.TaskDefinition:
        """Return a new `TaskDefinition`."""
        return self.build(model.TaskDefinition, **values)

    def a_task(self: _Builds, **values: Any) -> model.Task:
        """Return a new `Task`."""
        return self.build(model.Task, **values)

    def a_sub_task(self: _Builds, **values: Any) -> model.SubTask:
        """Return a new `SubTask`."""
        return self.build(model.SubTask, **values)

    def a_sub_task_image_link(self: _Builds, **values: Any) -> model.SubTaskImageLink:
        """Return a new `SubTaskImageLink`."""
        return self.build(model.SubTaskImageLink, **values)
