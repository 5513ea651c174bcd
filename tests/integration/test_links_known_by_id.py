"""What it costs to hold rules for links that are known by id alone."""

from typing import Any

import pytest

from eyened_domain import (
    Database,
    FormAnnotation,
    FormSchema,
    ImageInstance,
    ModalityTable,
)
from eyened_domain.model import Series
from eyened_domain.testing import Builder, count_queries

MANY = 60


@pytest.fixture
def ids(database: Database, builder: Builder) -> list[dict[str, Any]]:
    """The links of forms about images that are stored; the schema is one."""
    with database.unit_of_work() as uow:
        schema = builder.add(uow, FormSchema, entity_type="ImageInstance")
        creator = uow.creators.add(builder.a_creator())
        images = uow.images.add_all(builder.an_image() for _ in range(MANY))
        uow.commit()
        return [
            {
                "form_schema_id": schema.form_schema_id,
                "creator_id": creator.creator_id,
                "image_instance_id": image.image_instance_id,
                "study_id": image.series.study_id,
                "patient_id": image.series.study.patient_id,
            }
            for image in images
        ]


def selects(counted: Any) -> list[str]:
    return [one for one in counted.statements if one.startswith("SELECT")]


def test_many_new_forms_cost_one_statement_for_each_link(
    database: Database, ids: list[dict[str, Any]]
) -> None:
    with database.get_session() as session:
        session.add_all(FormAnnotation(**one) for one in ids)
        with count_queries(database) as counted:
            session.flush()
        # schema, study, image, series; the studies of the series are there by then
        assert len(selects(counted)) == 4, counted
        held = session.identity_map.values()
        forms = [one for one in held if isinstance(one, FormAnnotation)]
        assert all(form.study and form.study.study_id for form in forms)


def test_what_the_session_holds_is_not_asked_for(
    database: Database, ids: list[dict[str, Any]]
) -> None:
    with database.get_session() as session:
        images = ImageInstance.fetch_all(session)
        assert all(image.series.study.patient for image in images)
        schemas = FormSchema.fetch_all(session)
        session.add_all(FormAnnotation(**one) for one in ids)
        with count_queries(database) as counted:
            session.flush()
        assert selects(counted) == [], counted
        assert schemas


def test_a_form_whose_links_stay_costs_nothing(
    database: Database, ids: list[dict[str, Any]]
) -> None:
    with database.get_session() as session:
        session.add(FormAnnotation(**ids[0]))
        session.commit()
    with database.get_session() as session:
        (form,) = FormAnnotation.fetch_all(session)
        form.form_data = {"grade": 1}
        with count_queries(database) as counted:
            session.flush()
        assert not [one for one in selects(counted) if "FormAnnotation" not in one], counted


@pytest.mark.parametrize("by_id", [False, True], ids=["object", "id"])
def test_many_new_images_cost_one_statement_at_most_for_their_modality(
    database: Database, builder: Builder, by_id: bool
) -> None:
    with database.get_session() as session:
        entry = ModalityTable(modality_tag="OCT")
        series = builder.a_series()
        session.add_all([entry, series])
        session.commit()
        given: dict[str, Any] = {"modality_id": entry.modality_id}
    with database.get_session() as session:
        if not by_id:
            given = {"modality_entry": session.get(ModalityTable, entry.modality_id)}
        series = Series.by_id(session, series.series_id)
        session.add_all(
            builder.an_image(series=series, modality="OCT", **given) for _ in range(MANY)
        )
        with count_queries(database) as counted:
            session.flush()
        assert len(selects(counted)) == (1 if by_id else 0), counted
