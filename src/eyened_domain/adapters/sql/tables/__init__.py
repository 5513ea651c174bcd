"""The tables of the contract, written out; equal to `schema.json`."""

from eyened_domain.adapters.sql.tables.acquisition import (
    device_instance,
    device_model,
    modality_table,
    scan,
    source_info,
)
from eyened_domain.adapters.sql.tables.annotation import (
    annotation,
    annotation_data,
    annotation_type,
)
from eyened_domain.adapters.sql.tables.attribute import (
    attribute_definition,
    attribute_value,
    attribute_value_input,
)
from eyened_domain.adapters.sql.tables.computation import (
    attributes_model,
    attributes_model_output,
    model,
    model_input,
    segmentation_model,
)
from eyened_domain.adapters.sql.tables.creator import creator
from eyened_domain.adapters.sql.tables.feature import feature, feature_feature_link
from eyened_domain.adapters.sql.tables.form import form_annotation, form_schema
from eyened_domain.adapters.sql.tables.image import image_instance
from eyened_domain.adapters.sql.tables.patient import patient
from eyened_domain.adapters.sql.tables.project import contact, project
from eyened_domain.adapters.sql.tables.segmentation import model_segmentation, segmentation
from eyened_domain.adapters.sql.tables.study import series, study
from eyened_domain.adapters.sql.tables.tag import (
    annotation_tag_link,
    creator_tag_link,
    form_annotation_tag_link,
    image_instance_tag_link,
    segmentation_tag_link,
    study_tag_link,
    tag,
)
from eyened_domain.adapters.sql.tables.task import (
    sub_task,
    sub_task_image_link,
    task,
    task_definition,
)

__all__ = [
    "annotation",
    "annotation_data",
    "annotation_tag_link",
    "annotation_type",
    "attribute_definition",
    "attribute_value",
    "attribute_value_input",
    "attributes_model",
    "attributes_model_output",
    "contact",
    "creator",
    "creator_tag_link",
    "device_instance",
    "device_model",
    "feature",
    "feature_feature_link",
    "form_annotation",
    "form_annotation_tag_link",
    "form_schema",
    "image_instance",
    "image_instance_tag_link",
    "modality_table",
    "model",
    "model_input",
    "model_segmentation",
    "patient",
    "project",
    "scan",
    "segmentation",
    "segmentation_model",
    "segmentation_tag_link",
    "series",
    "source_info",
    "study",
    "study_tag_link",
    "sub_task",
    "sub_task_image_link",
    "tag",
    "task",
    "task_definition",
]
