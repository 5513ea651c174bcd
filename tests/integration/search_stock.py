"""Images with what people say of them, for searches."""

from __future__ import annotations

from typing import Any

from eyened_domain.model import (
    AttributeDataType,
    AttributeDefinition,
    AttributesModel,
    AttributeValue,
    Creator,
    Feature,
    FormAnnotation,
    FormSchema,
    ImageInstance,
    ImageInstanceTagLink,
    Patient,
    Project,
    Segmentation,
    Series,
    Study,
    Tag,
    TagType,
)
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder

NAMES = ["Étude", "etude", "Straat", "drusen", "100%", "a_b", ""]
"""Letters that every server compares in one way: ß, and a blank at the end, are not among them."""
DATES = ["2020-01-01", "2021-06-30", "2024-02-29"]
ANSWERS: list[Any] = [
    None,
    {},
    {"grade": 3, "eye": {"side": "Left", "sure": True}, "sizes": [1.5, 2]},
    {"grade": "3", "eye": {"side": "left ", "sure": False}, "sizes": []},
    {"grade": 2.5, "eye": None, "sizes": [{"a": 1}, None]},
    {"grade": True, "eye": ["x"], "sizes": 1.5},
]


def stock(uow: UnitOfWork, build: Builder) -> None:
    """Store images of three patients, with what people say of them."""
    creators = [build.build(Creator, creator_name=name) for name in ("Ann", "Bob")]
    features = [build.build(Feature, feature_name=name) for name in ("Drusen", "Vessel")]
    schemas = [build.build(FormSchema, schema_name=name) for name in ("AMD", "DR")]
    tags = [
        build.build(Tag, tag_name=name, tag_type=TagType.ImageInstance, creator=creators[0])
        for name in NAMES[:5:2]
    ]
    quality = build.build(
        AttributeDefinition, attribute_name="quality", attribute_data_type=AttributeDataType.Float
    )
    count = build.build(
        AttributeDefinition, attribute_name="count", attribute_data_type=AttributeDataType.Int
    )
    models = [build.build(AttributesModel, model_name="net", version=v) for v in "12"]
    projects = [build.build(Project, project_name=name) for name in ("Rotterdam", "Étude")]
    images: list[ImageInstance] = []
    for number in range(3):
        patient = build.build(
            Patient,
            project=projects[number % 2],
            patient_identifier=NAMES[number],
            birth_date=None if number == 1 else DATES[number],
        )
        study = build.build(Study, patient=patient, study_date=DATES[number])
        series = build.build(Series, study=study)
        for index in range(4):
            at = 4 * number + index
            images.append(
                build.build(
                    ImageInstance,
                    series=series,
                    laterality=("L", "R")[index % 2],
                    etdrs_field=(None, "F1", "F2")[at % 3],
                    anatomic_region=None if at == 5 else 100 + at % 5,
                    cf_quality=None if at % 4 == 0 else at / 10,
                    alt_dataset_identifier=None if at == 7 else NAMES[at % len(NAMES)],
                    dataset_identifier=f"{at:02}.png",
                    inactive=at == 11,
                )
            )
    uow.images.add_all(images)
    for at, image in enumerate(images):
        for tag in tags[: at % 3]:
            uow.image_tags.add(
                build.build(
                    ImageInstanceTagLink,
                    tag=tag,
                    image_instance=image,
                    creator=creators[at % 2],
                    comment=None if at % 2 else "sure",
                )
            )
        for other in range(at % 4):
            uow.segmentations.add(
                build.build(
                    Segmentation,
                    image_instance=image,
                    feature=features[other % 2],
                    creator=creators[(at + other) % 2],
                    inactive=other == 2,
                )
            )
        uow.forms.add(
            build.build(
                FormAnnotation,
                image_instance=image,
                form_schema=schemas[at % 2],
                creator=creators[at % 2],
                form_data=ANSWERS[at % len(ANSWERS)],
                inactive=at == 4,
            )
        )
        if at % 3:
            uow.attribute_values.add(
                build.build(
                    AttributeValue,
                    image_instance=image,
                    attribute_definition=quality,
                    producing_model=models[at % 2],
                    value_float=at / 8,
                )
            )
        if at % 5 == 1:
            uow.attribute_values.add(
                build.build(
                    AttributeValue,
                    image_instance=image,
                    attribute_definition=count,
                    producing_model=models[0],
                    value_float=None,
                    value_int=at,
                )
            )
    uow.commit()
