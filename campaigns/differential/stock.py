"""What half of the programs find in the database: an object of each class, linked together."""

from __future__ import annotations

from eyened_domain.model import (
    AttributeDefinition,
    AttributesModel,
    AttributeValue,
    Creator,
    DeviceInstance,
    DeviceModel,
    Feature,
    FeatureFeatureLink,
    FormAnnotation,
    FormSchema,
    ImageInstance,
    ModalityTable,
    Patient,
    Project,
    Series,
    SourceInfo,
    Study,
    StudyTagLink,
    SubTask,
    Tag,
    Task,
    TaskDefinition,
)
from eyened_domain.model.entity import Entity


def stock(*, with_form: bool) -> list[Entity]:
    """Return new objects of each class that belong together.

    Args:
        with_form: with the form, which keeps the others from being deleted.
    """
    project = Project(project_name="n0", description="t0")
    patient = Patient(patient_identifier="n0", project=project, sex="F")
    study = Study(study_date="2024-01-01", patient=patient)
    creator, tag = Creator(creator_name="n0"), Tag(tag_name="n0", tag_type="Study")
    tag.creator = creator
    whole, part = Feature(feature_name="n0"), Feature(feature_name="n2")
    schema = FormSchema(schema_name="n0", schema={"type": "object"})
    series = Series(study=study, series_number=1)
    stored: list[Entity] = [
        project,
        patient,
        study,
        series,
        creator,
        tag,
        StudyTagLink(tag=tag, study=study, creator=creator),
        whole,
        part,
        FeatureFeatureLink(feature=whole, child=part, feature_index=0),
        schema,
        *_an_image_with_a_value(series),
        *_a_task(),
    ]
    if with_form:
        form = FormAnnotation(form_schema=schema, patient=patient, creator=creator)
        form.form_data = {"a": {"b": [1]}}
        stored.append(form)
    return stored


def _an_image_with_a_value(series: Series) -> list[Entity]:
    """Return an image of a series, an attribute that was computed of it, and what they need."""
    kind = DeviceModel(manufacturer="n0", manufacturer_model_name="t0")
    device = DeviceInstance(device_model=kind, description="t0")
    source = SourceInfo(source_name="n0", source_path="n0", thumbnail_path="n0")
    modality = ModalityTable(modality_tag="n0")
    image = ImageInstance(
        series=series,
        device_instance=device,
        source_info=source,
        modality_entry=modality,
        dataset_identifier="n0",
        laterality="L",
    )
    model = AttributesModel(model_name="n0", version="t0")
    attribute = AttributeDefinition(attribute_name="n0", attribute_data_type="Int")
    value = AttributeValue(
        attribute_definition=attribute, producing_model=model, image_instance=image, value_int=1
    )
    return [kind, device, source, modality, image, model, attribute, value]


def _a_task() -> list[Entity]:
    """Return a task with one subtask, and its definition."""
    definition = TaskDefinition(task_definition_name="n0")
    task = Task(task_name="n0", task_definition=definition, task_state="NotStarted")
    return [definition, task, SubTask(task=task, task_state="NotStarted")]
