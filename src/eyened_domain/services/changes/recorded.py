"""What the history keeps: which entities, and which of their columns. The one list of it.

Recorded is what people annotate, and what they look it up by. Not recorded: what programs
compute and can compute again, moments that the storage fills in, and private columns. New
patients, studies, series and images of an import are in the record of imports
(`services.import_journal`), as runs of ids; what is changed of them, and deleted, is here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from eyened_domain.model.entity import Entity, root_of
from eyened_domain.model.fields import ColumnInfo

_COMPUTED_OF_IMAGES = frozenset(
    {"thumbnail_path", "file_checksum", "data_hash", "date_preprocessed"}
)
_NOTHING: frozenset[str] = frozenset()

RECORDED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        # annotations
        "FormAnnotation": _NOTHING,
        "FormSchema": _NOTHING,
        "Segmentation": _NOTHING,
        "ModelSegmentation": _NOTHING,
        "Annotation": _NOTHING,
        "AnnotationData": _NOTHING,
        "AttributeValue": _NOTHING,
        "AttributeDefinition": _NOTHING,
        "Tag": _NOTHING,
        "CreatorTagLink": _NOTHING,
        "StudyTagLink": _NOTHING,
        "ImageInstanceTagLink": _NOTHING,
        "AnnotationTagLink": _NOTHING,
        "SegmentationTagLink": _NOTHING,
        "FormAnnotationTagLink": _NOTHING,
        "Feature": _NOTHING,
        "FeatureFeatureLink": _NOTHING,
        "Model": _NOTHING,
        # work
        "TaskDefinition": _NOTHING,
        "Task": _NOTHING,
        "SubTask": _NOTHING,
        "SubTaskImageLink": _NOTHING,
        # what annotations hang on
        "Project": _NOTHING,
        "Patient": _NOTHING,
        "Study": _NOTHING,
        "Series": _NOTHING,
        "ImageInstance": _COMPUTED_OF_IMAGES,
        # who
        "Creator": _NOTHING,
    }
)
"""The entities that are recorded, special kinds with them; of each, the columns left out."""

IMPORTED = frozenset({"Project", "Patient", "Study", "Series", "ImageInstance"})
"""Entities whose new rows are not recorded when they come in bulk: imports have their record."""


@cache
def recorded_columns(entity: type[Entity]) -> tuple[ColumnInfo, ...]:
    """Return the columns of an entity that the history keeps; none of one that it does not."""
    left_out = RECORDED.get(root_of(entity.__name__))
    if left_out is None:
        return ()
    return tuple(
        column
        for column in entity.__entity__.columns.values()
        if not (column.private or column.set_on_update or column.name in left_out)
    )


def is_recorded(entity: type[Entity]) -> bool:
    """Whether the history keeps changes of an entity."""
    return bool(recorded_columns(entity))
