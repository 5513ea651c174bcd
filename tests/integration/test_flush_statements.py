"""How many statements go to the database when many objects, or one, are stored."""

import pytest

from eyened_domain import Feature, ImageInstance
from eyened_domain.services.tagging import Tagging
from eyened_domain.testing.queries import assert_queries

MANY = 2000


@pytest.fixture
def place(database, builder):
    """What new images refer to, stored: keyword arguments of an image."""
    with database.unit_of_work() as uow:
        image = uow.images.add(builder.an_image())
        uow.commit()
        names = ("series_id", "source_info_id", "device_instance_id", "modality_id")
        return {name: getattr(image, name) for name in names}


def new_images(place, count):
    return [
        ImageInstance(dataset_identifier=f"new/{n}.png", laterality="R", inactive=False, **place)
        for n in range(count)
    ]


def can_return(database):
    return database.engine.dialect.insert_returning


def test_two_thousand_new_images_are_flushed_in_at_most_eight_statements(database, place):
    if not can_return(database):
        pytest.skip("MySQL has no RETURNING: a row at a time")
    with database.unit_of_work() as uow:
        images = new_images(place, MANY)
        uow.images.add_all(images)
        with assert_queries(database, at_most=8):
            uow.flush()
            assert all(image.date_inserted for image in images)
        uow.commit()


def test_each_of_many_new_objects_gets_the_id_of_its_own_row(database, place):
    with database.unit_of_work() as uow:
        images = new_images(place, MANY)
        uow.images.add_all(images)
        uow.commit()
        ids = {image.dataset_identifier: image.image_instance_id for image in images}
    with database.unit_of_work() as uow:
        stored = {one.dataset_identifier: one.image_instance_id for one in uow.images.where()}
    assert ids.items() <= stored.items()
    assert len(set(ids.values())) == MANY


def test_new_rows_get_ids_beyond_those_that_are_there(database, place):
    with database.unit_of_work() as uow:
        (far,) = new_images(place, 1)
        far.image_instance_id = 1_000_000
        uow.images.add(far)
        uow.flush()
        near = new_images(place, 4)[1:]
        uow.images.add_all(near)
        uow.flush()
        assert [image.image_instance_id for image in near] == [1_000_001, 1_000_002, 1_000_003]


def test_a_tag_that_is_new_is_looked_up_once_and_stored_with_its_link(database, builder):
    with database.unit_of_work() as uow:
        image = uow.images.add(builder.an_image())
        creator = uow.creators.add(builder.a_creator())
        uow.flush()
        with assert_queries(database, at_most=3 * 8):
            for n in range(8):
                Tagging().tag(uow, image, f"tag {n}", by=creator)
            uow.flush()


def test_eight_tags_on_an_image_are_stored_in_at_most_four_statements(database, builder):
    if not can_return(database):
        pytest.skip("MySQL has no RETURNING: a row at a time")
    with database.unit_of_work() as uow:
        image = uow.images.add(builder.an_image())
        creator = uow.creators.add(builder.a_creator())
        uow.flush()
        names = [f"tag {n}" for n in range(8)]
        for _ in ("new", "there"):
            with assert_queries(database, at_most=4):
                Tagging().tag_all(uow, [image], names, by=creator)
                uow.flush()
        assert len(image.image_instance_tag_links) == 8


def test_tagging_many_images_costs_as_many_statements_as_a_few(database, builder, place):
    if not can_return(database):
        pytest.skip("MySQL has no RETURNING: a row at a time")
    with database.unit_of_work() as uow:
        images = uow.images.add_all(new_images(place, MANY))
        creator = uow.creators.add(builder.a_creator())
        uow.flush()
        savepoint = 2 if database.engine.dialect.name == "sqlite" else 0  # sends row after row
        with assert_queries(database, at_most=4 + savepoint):
            Tagging().tag_all(uow, images, "new", by=creator)
            uow.flush()
        with assert_queries(database, at_most=2):
            Tagging().tag_all(uow, images, "new", by=creator)
            uow.flush()
        uow.commit()
    with database.unit_of_work() as uow:
        images, creator = uow.images.where(), uow.creators.where()[0]
        with assert_queries(database, at_most=2):
            links = Tagging().tag_all(uow, images[:MANY], "new", by=creator)
        assert len({link.image_instance_id for link in links}) == MANY


def test_what_is_new_is_not_read_again_when_it_is_changed_in_the_same_unit(database, place):
    with database.unit_of_work() as uow:
        images = uow.images.add_all(new_images(place, MANY))
        uow.flush()
        for image in images:
            image.inactive = True
        with assert_queries(database, at_most=2) as sent:
            uow.flush()
        assert all(one.startswith("UPDATE") for one in sent.statements)
        uow.commit()


def test_a_composite_feature_is_made_in_as_many_statements_however_many_parts_it_has(database):
    if not can_return(database):
        pytest.skip("MySQL has no RETURNING: a row at a time")
    for count in (3, 300):
        names = [f"part {count} {n}" for n in range(count)]
        with database.unit_of_work() as uow:
            with assert_queries(database, at_most=6):
                Feature.from_list(uow, f"whole {count}", names)
                uow.flush()
            uow.commit()
        with database.unit_of_work() as uow, assert_queries(database, at_most=3):
            Feature.from_list(uow, f"whole {count}", names)
            uow.commit()
