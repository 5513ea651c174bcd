"""What people and models say of the images of `benchmarks.dataset`.

Every fourth image has a tag, every tenth a segmentation, every twentieth a form and every fifth
a value of an attribute; one in fifty of these is of the rare kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from attrs import frozen

from benchmarks.dataset import IMAGES_PER_PATIENT, Row, Size, insert_chunked
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.model import (
    AttributeDefinition,
    AttributesModel,
    AttributeValue,
    Creator,
    DataRepresentation,
    Datatype,
    Entity,
    Feature,
    FormAnnotation,
    FormSchema,
    ImageInstanceTagLink,
    Segmentation,
    Tag,
    TagType,
)
from eyened_domain.testing.builders import Builder

USUAL, RARE = "usual", "rare"
ATTRIBUTE, MODEL = "quality", "net"
_ONE_IN = 50
_NOW = datetime(2026, 1, 5, 12)


@frozen
class _Shared:
    """What the rows point to: the ids of the usual one and the rare one of each."""

    creators: list[int]
    tags: list[int]
    features: list[int]
    schemas: list[int]
    attribute_id: int
    model_id: int


def annotate(database: Database, size: Size) -> None:
    """Insert tags, segmentations, forms and attribute values of the images of `fill`."""
    shared = _store_shared(database)
    rows: dict[type[Entity], Iterator[Row]] = {
        ImageInstanceTagLink: _tags(size, shared),
        Segmentation: _segmentations(size, shared),
        FormAnnotation: _forms(size, shared),
        AttributeValue: _values(size, shared),
    }
    with database.engine.begin() as connection:
        for entity, some in rows.items():
            insert_chunked(connection, table_of(entity), some)


def _store_shared(database: Database) -> _Shared:
    build, kinds = Builder().build, (USUAL, RARE)
    creators = [build(Creator, creator_name=name) for name in kinds]
    images: dict[str, Any] = {"tag_type": TagType.ImageInstance, "creator": creators[0]}
    tags = [build(Tag, tag_name=name, **images) for name in kinds]
    features = [build(Feature, feature_name=name) for name in kinds]
    schemas = [build(FormSchema, schema_name=name) for name in kinds]
    attribute = build(AttributeDefinition, attribute_name=ATTRIBUTE)
    model = build(AttributesModel, model_name=MODEL, version="1")
    with database.unit_of_work() as uow:
        for one in (*creators, *tags, *features, *schemas, attribute, model):
            uow.repository(type(one)).add(one)
        uow.commit()
        return _Shared(
            [one.creator_id for one in creators],
            [one.tag_id for one in tags],
            [one.feature_id for one in features],
            [one.form_schema_id for one in schemas],
            attribute.attribute_id,
            model.model_id,
        )


def _kind(n: int) -> int:
    """Return which of the two it is that the n-th row points to."""
    return int(n % _ONE_IN == 0)


def _tags(size: Size, shared: _Shared) -> Iterator[Row]:
    for n, image_id in enumerate(range(1, size.images + 1, 4)):
        yield {
            "tag_id": shared.tags[_kind(n)],
            "image_instance_id": image_id,
            "creator_id": shared.creators[_kind(n)],
            "date_inserted": _NOW,
        }


def _segmentations(size: Size, shared: _Shared) -> Iterator[Row]:
    for n, image_id in enumerate(range(1, size.images + 1, 10)):
        yield {
            "image_instance_id": image_id,
            "feature_id": shared.features[_kind(n)],
            "creator_id": shared.creators[_kind(n)],
            "data_representation": DataRepresentation.Binary,
            "data_type": Datatype.R8UI,
            "depth": 1,
            "height": 1934,
            "width": 1960,
            "sparse_axis": 0,
            "threshold": 0.5,
            "inactive": False,
            "date_inserted": _NOW,
        }


def _forms(size: Size, shared: _Shared) -> Iterator[Row]:
    for n, image_id in enumerate(range(1, size.images + 1, 20)):
        yield {
            "form_schema_id": shared.schemas[_kind(n)],
            "patient_id": 1 + (image_id - 1) // IMAGES_PER_PATIENT,
            "study_id": 1 + (image_id - 1) // 5,
            "image_instance_id": image_id,
            "creator_id": shared.creators[_kind(n)],
            "form_data": {"grade": 4 if _kind(n) else n % 4, "sure": True},
            "inactive": False,
            "date_inserted": _NOW,
        }


def _values(size: Size, shared: _Shared) -> Iterator[Row]:
    for n, image_id in enumerate(range(1, size.images + 1, 5)):
        yield {
            "attribute_id": shared.attribute_id,
            "model_id": shared.model_id,
            "image_instance_id": image_id,
            "value_float": 2.0 if _kind(n) else n % 100 / 100,
            "date_inserted": _NOW,
        }
