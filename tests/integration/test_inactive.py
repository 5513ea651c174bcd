"""What is inactive, on a database: loader options, queries of one's own, statements."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import joinedload, selectinload, subqueryload

from benchmarks.dataset import fill
from eyened_domain import (
    AttributeValue,
    Container,
    ImageInstance,
    ImageInstanceTagLink,
    MemoryDatabase,
    Series,
    Study,
    Tag,
)
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.queries import count_queries


@pytest.fixture
def images(database):
    """60 images in 24 series; every second one is inactive."""
    fill(database.engine, 60)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE ImageInstance SET Inactive = ImageInstanceID % 2"))
    return database


@pytest.mark.parametrize("load", [selectinload, subqueryload])
def test_loader_options_load_lists_without_what_is_inactive(images, load):
    for included, count in ((False, 30), (True, 60)):
        with images.get_session(include_inactive=included) as session:
            series = session.scalars(select(Series).options(load(Series.image_instances))).all()
            with count_queries(images) as counted:
                assert sum(len(one.image_instances) for one in series) == count
            assert counted.total == 0


def test_options_that_are_nested_leave_out_of_each_list(images):
    with images.get_session() as session:
        build, image = Builder(), session.get(ImageInstance, 2)
        sides = {"height": image.rows_y, "width": image.columns_x}
        for inactive in (False, True):
            build.a_segmentation(image_instance=image, inactive=inactive, **sides)
        session.commit()
    nested = selectinload(Series.image_instances).selectinload(ImageInstance.segmentations)
    with images.get_session() as session:
        for one in session.scalars(select(Series).options(nested)):
            for image in one.image_instances:
                assert not image.inactive
                assert [seg.inactive for seg in image.segmentations] in ([], [False])


def test_queries_of_ones_own_find_what_they_say(images):
    with images.get_session() as session:
        assert len(session.scalars(select(ImageInstance)).all()) == 60
        joined = select(Series).options(joinedload(Series.image_instances))
        series = session.scalars(joined).unique().all()
        assert sum(len(one.image_instances) for one in series) == 60
        assert session.get(ImageInstance, 1).inactive
        assert len(session.frame(select(ImageInstance.image_instance_id))) == 60


def test_expressions_that_ask_for_the_flag_need_the_word(images):
    with images.get_session() as session:
        assert ImageInstance.where(session, ImageInstance.inactive) == []
        found = ImageInstance.where(session, ImageInstance.inactive, include_inactive=True)
        assert len(found) == 30


def test_leaving_out_takes_no_statement_more_and_is_in_each(images):
    totals = []
    for included in (False, True):
        with (
            count_queries(images) as counted,
            images.get_session(include_inactive=included) as session,
        ):
            for study in Study.fetch_all(session):
                for image in study.images:
                    assert list(image.segmentations) == []
        totals.append(counted.total)
    assert totals == [4, 4]


def test_a_single_list_is_loaded_without_what_is_inactive_too(images):
    """There are no siblings that it could be loaded along with: SQLAlchemy loads it its own way."""
    with images.get_session() as session:
        series = session.get(Series, 1)
        with count_queries(images) as counted:
            assert {image.inactive for image in series.image_instances} <= {False}
        assert counted.total == 1
        session.refresh(series, ["image_instances"])
        assert {image.inactive for image in series.image_instances} <= {False}


def test_links_and_values_are_left_out_by_one_statement(images):
    with images.get_session() as session:
        build = Builder()
        tag = build.a_tag(tag_type="ImageInstance")
        for identity in (1, 2):
            image = session.get(ImageInstance, identity)
            session.add(build.an_image_instance_tag_link(tag=tag, image_instance=image))
            session.add(build.an_attribute_value(image_instance=image))
        session.commit()
    with images.get_session() as session:
        (tag,) = Tag.fetch_all(session)
        with count_queries(images) as counted:
            assert [link.image_instance_id for link in tag.image_instance_tag_links] == [2]
            assert [link.image_instance_id for link in ImageInstanceTagLink.fetch_all(session)] == [
                2
            ]
            assert [value.image_instance_id for value in AttributeValue.fetch_all(session)] == [2]
        assert counted.total == 3


def test_units_of_work_that_are_run_include_what_is_inactive_when_asked(images):
    assert images.run(lambda uow: uow.images.count()) == 30
    assert images.run(lambda uow: uow.images.count(), include_inactive=True) == 60
    container = Container(config=images.settings)
    container.database.override(images)
    with container.unit_of_work(include_inactive=True) as uow:
        assert (uow.include_inactive, uow.images.count()) == (True, 60)


def test_a_database_in_memory_takes_the_same_words(builder):
    database = MemoryDatabase()
    database.run(lambda uow: builder.add(uow, ImageInstance, inactive=True))
    assert database.run(lambda uow: uow.images.count()) == 0
    assert database.run(lambda uow: uow.images.count(), include_inactive=True) == 1
    with database.unit_of_work(include_inactive=True) as uow:
        assert len(uow.images.where()) == 1
