"""What programs speak of: entities, and values of their columns, good ones and bad ones."""

from __future__ import annotations

from typing import Any

from attrs import frozen

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
    ImageInstanceTagLink,
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
from eyened_domain.model.entity import Entity, entity_class


@frozen
class Word:
    """An entity class as programs speak of it.

    Attributes:
        entity: the class.
        repository: the name of its repository.
        columns: values that may be written, the first ones usual; the first column is needed.
    """

    entity: type[Entity]
    repository: str
    columns: dict[str, list[Any]]

    @property
    def ones(self) -> list[str]:
        """Its links to one, to classes that programs speak of."""
        links = self.entity.__entity__.links.values()
        return [link.name for link in links if not link.many and is_spoken_of(link.target)]

    @property
    def lists(self) -> list[str]:
        """Its links to many, to classes that programs speak of."""
        links = self.entity.__entity__.links.values()
        return [link.name for link in links if link.many and is_spoken_of(link.target)]


_NAMES = ["n0", "n1", "n2", "N1", "n3", "n4", "", None, 7, "x" * 400, "a\x00b"]
_TEXTS = ["t0", None, "t1", "t0", 3]
_NUMBERS = [0, 1, None, 2, "1", 1.5, 2**31]
_FLAGS = [True, False, True, None]
_DATES = ["2024-01-01", "2024-01-02", "2024-01-01", "no date", None, 5]
_JSON: list[Any] = [
    {"a": 1},
    None,
    {"a": {"b": [1, 2]}},
    [],
    {"a": True},
    {"a": 1.5},
    "text",
    {"a": float("nan")},
]

WORDS = [
    Word(
        Project,
        "projects",
        {"project_name": _NAMES, "description": _TEXTS, "external": ["Y", "N", "Maybe", None]},
    ),
    Word(
        Patient,
        "patients",
        {
            "patient_identifier": _NAMES,
            "sex": ["F", None, "M", "X"],
            "birth_date": [None, *_DATES],
        },
    ),
    Word(
        Study,
        "studies",
        {"study_date": _DATES, "study_round": _NUMBERS, "study_description": _TEXTS},
    ),
    Word(
        Series,
        "series",
        {"series_number": _NUMBERS, "series_instance_uid": _TEXTS},
    ),
    Word(
        Creator,
        "creators",
        {"creator_name": _NAMES, "is_human": [True, False, 1, None, "yes"], "role": _NUMBERS},
    ),
    Word(
        Tag,
        "tags",
        {"tag_name": _NAMES, "tag_type": ["Study", "ImageInstance", "Nothing"]},
    ),
    Word(StudyTagLink, "study_tags", {"comment": _TEXTS}),
    Word(Feature, "features", {"feature_name": _NAMES}),
    Word(
        FeatureFeatureLink,
        "feature_links",
        {"feature_index": [0, 1, 2, None, 40]},
    ),
    Word(
        FormSchema,
        "form_schemas",
        {
            "schema_name": _NAMES,
            "schema": [{"type": "object"}, None, [1]],
            "entity_type": [None, "Patient", "Study", "Eye"],
        },
    ),
    Word(
        FormAnnotation,
        "forms",
        {"form_data": _JSON, "laterality": [None, "L", "R", "B"], "inactive": _FLAGS},
    ),
    Word(
        ImageInstance,
        "images",
        {
            "dataset_identifier": _NAMES,
            "laterality": ["L", "R", "X", None],
            "rows_y": _NUMBERS,
            "inactive": _FLAGS,
        },
    ),
    Word(ImageInstanceTagLink, "image_tags", {"comment": _TEXTS}),
    Word(
        Task,
        "tasks",
        {"task_name": _NAMES, "task_state": ["NotStarted", "Busy", "Nothing", None]},
    ),
    Word(
        SubTask,
        "sub_tasks",
        {"task_state": ["NotStarted", "Busy", "Ready", None], "comments": _TEXTS},
    ),
    Word(
        AttributesModel,
        "attributes_models",
        {"model_name": _NAMES, "version": ["t0", "t1", None], "description": _TEXTS},
    ),
    Word(
        AttributeDefinition,
        "attributes",
        {"attribute_name": _NAMES, "attribute_data_type": ["Int", "String", "Float", "Nothing"]},
    ),
    Word(
        AttributeValue,
        "attribute_values",
        {"value_int": _NUMBERS, "value_text": _TEXTS, "laterality": [None, "L", "R", "X"]},
    ),
]
DRAWN = len(WORDS)
"""So many words are drawn for new objects; of the others the stock has one object each."""
WORDS += [
    Word(DeviceModel, "device_models", {"manufacturer": _NAMES}),
    Word(DeviceInstance, "devices", {"description": _TEXTS}),
    Word(SourceInfo, "sources", {"source_name": _NAMES}),
    Word(
        TaskDefinition,
        "task_definitions",
        {"task_definition_name": _NAMES},
    ),
    Word(ModalityTable, "modalities", {"modality_tag": _NAMES}),
]
BY_NAME = {word.entity.__name__: word for word in WORDS}


def is_spoken_of(kind: str) -> bool:
    """Whether programs make objects of a class, or of a special kind of it."""
    return any(issubclass(word.entity, entity_class(kind)) for word in WORDS)


def word_of(one: Entity) -> Word:
    """Return the word for an object's class."""
    return BY_NAME[type(one).__name__]
