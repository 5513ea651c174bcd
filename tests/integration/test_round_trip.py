"""Every field of every entity, written through objects and read in a fresh session."""

import struct
from enum import Enum
from typing import Any

import pytest
from sqlalchemy import func, select

from eyened_domain import Database, model
from eyened_domain.model.entity import Entity
from eyened_domain.model.values import Real
from tests.integration.samples import entities_in_order, store_two_of_each


def as_stored(entity: type[Entity], name: str, value: Any) -> Any:
    """What a value becomes in the database: FLOAT is of single precision."""
    if isinstance(entity.__entity__.columns[name].kind, Real):
        (single,) = struct.unpack("f", struct.pack("f", value))
        return pytest.approx(single, rel=1e-5)
    return value


def key_of(one: Entity) -> Any:
    return tuple(getattr(one, name) for name in one.__entity__.primary_key)


def test_every_field_of_every_entity_is_read_as_it_was_written(database: Database) -> None:
    with database.get_session() as session:
        written = [(type(o), key_of(o), v) for o, v in store_two_of_each(session)]
        session.commit()

    with database.get_session() as session:
        for entity, key, values in written:
            found = session.get(entity, key)
            assert found is not None, (entity, key)
            assert type(found) is entity
            for name, value in values.items():
                has = getattr(found, name)
                assert has == as_stored(entity, name, value), f"{entity.__name__}.{name}"
                assert isinstance(has, Enum) == isinstance(value, Enum)
                if value is not None and not isinstance(value, float):
                    assert isinstance(has, type(value)), f"{entity.__name__}.{name}"


def test_the_round_trip_leaves_no_field_out(database: Database) -> None:
    with database.get_session() as session:
        written: dict[type[Entity], set[str]] = {}
        for one, _ in store_two_of_each(session):
            filled = {n for n in one.__entity__.columns if getattr(one, n) is not None}
            written[type(one)] = written.get(type(one), set()) | filled
    for entity in entities_in_order():
        if entity is not model.Model:
            assert written[entity] == set(entity.__entity__.columns), entity


def test_what_is_not_given_is_null_or_its_default_in_the_database(database: Database) -> None:
    with database.get_session() as session:
        session.add(model.Project(project_name="sparse", external="N"))
        session.add(model.FormSchema(schema_name="none"))
        session.commit()
    with database.get_session() as session:
        project = model.Project.by_name(session, "sparse")
        assert (project.description, project.doi, project.contact_id) == (None, None, None)
        assert project.date_inserted is not None
        is_null = model.FormSchema.schema.is_(None)
        assert session.scalar(select(func.count()).where(is_null)) == 1


def test_texts_of_the_greatest_length_come_back_whole(database: Database) -> None:
    longest = "é" * 255
    with database.get_session() as session:
        session.add(model.Project(project_name=longest, external="M", description="😀" * 16_000))
        session.commit()
    with database.get_session() as session:
        found = model.Project.by_name(session, longest)
        assert found.description == "😀" * 16_000
