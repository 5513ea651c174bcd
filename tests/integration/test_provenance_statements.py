"""How many statements it takes to find what is stale in a whole project."""

import pytest
from sqlalchemy import text

from eyened_domain import (
    AttributeValue,
    AttributeValueInput,
    ConfigurationError,
    ImageInstance,
    Provenance,
)
from eyened_domain.adapters.sql.schema.bookkeeping import attribute_computation
from eyened_domain.testing.queries import assert_queries


def store_values(database, builder, count, project="AREDS"):
    """Store images with two values each, the second computed from the first; return the ids."""
    with database.unit_of_work() as uow:
        value = builder.add(uow, AttributeValue)
        uow.flush()
        image = value.image_instance
        image.series.study.patient.project.project_name = project
        names = ("series_id", "source_info_id", "device_instance_id", "modality_id")
        place = {name: getattr(image, name) for name in names}
        other = builder.an_attribute(attribute_name=f"other of {project}")
        uow.attributes.add(other)
        uow.flush()
        rows = [
            {"dataset_identifier": f"{project} {n}", "laterality": "R", "inactive": False, **place}
            for n in range(count)
        ]
        ids = uow.rows.insert(ImageInstance, rows, key=["dataset_identifier"])
        pairs = [
            uow.rows.insert(
                AttributeValue,
                [
                    {
                        "image_instance_id": one,
                        "attribute_id": attribute,
                        "model_id": value.model_id,
                        "value_float": 0.5,
                    }
                    for one in ids
                ],
                key=["image_instance_id"],
            )
            for attribute in (value.attribute_id, other.attribute_id)
        ]
        uow.commit()
    return ids, dict(zip(pairs[1], pairs[0], strict=True))


@pytest.mark.parametrize("count", [3, 2000])
def test_the_stale_values_of_a_project_are_found_in_as_many_statements_however_many(
    database, builder, count
):
    ids, source_of = store_values(database, builder, count)
    store_values(database, builder, 2, project="another")
    with database.unit_of_work() as uow:
        with assert_queries(database, at_most=9):
            Provenance().computed_from(uow, {key: [one] for key, one in source_of.items()})
        uow.rows.update(
            AttributeValue,
            [{"attribute_value_id": one, "value_float": 0.75} for one in source_of.values()],
        )
        uow.rows.update(ImageInstance, [{"image_instance_id": ids[0], "inactive": True}])
        uow.commit()
    with database.unit_of_work() as uow:
        with assert_queries(database, at_most=13):  # twelve, and the project by its name
            stale = Provenance().stale(uow, "AREDS")
        assert len(stale) == count + 1
        with assert_queries(database, at_most=5):
            graph = Provenance().graph(uow, *source_of)
        assert (len(graph.nodes), len(graph.edges)) == (2 * count, count)


def test_inputs_in_other_projects_are_read_together(database, builder):
    _, here = store_values(database, builder, 3)
    elsewhere = [store_values(database, builder, 3, project=f"other {n}")[1] for n in range(3)]
    with database.unit_of_work() as uow:
        rows = [
            {"output_attribute_value_id": key, "input_attribute_value_id": one}
            for others in elsewhere
            for key, one in zip(here, others.values(), strict=True)
        ]
        uow.rows.insert_links(AttributeValueInput, rows)
        uow.commit()
        with assert_queries(database, at_most=28):
            assert Provenance().stale(uow, "AREDS") == []


def test_a_database_without_the_record_says_which_command_makes_it(database, builder):
    _, source_of = store_values(database, builder, 3)
    with database.engine.begin() as connection:
        connection.execute(text("DROP TABLE AttributeComputation"))
    try:
        for call in (
            lambda uow: Provenance().stale(uow, "AREDS"),
            lambda uow: Provenance().computed_from(uow, {key: [] for key in source_of}),
        ):
            with (
                database.unit_of_work() as uow,
                pytest.raises(ConfigurationError, match="run `eorm upgrade`"),
            ):
                call(uow)
        with database.unit_of_work() as uow:
            assert len(Provenance().graph(uow, *source_of).nodes) == 3
    finally:
        attribute_computation.create(database.engine)
