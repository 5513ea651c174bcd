"""How many statements go to the database for a search, however much is found.

It is one; where a page asks other tables, one more tells where its window ends, and another one
asks for what lies beyond it.
"""

import pytest
from sqlalchemy import event

from eyened_domain import Patient, Search
from eyened_domain.services.conditions import field, some
from eyened_domain.testing.queries import assert_queries
from tests.integration.test_tagging_statements import store_images

CONDITION = (
    (field("laterality") == "R")
    & (field("study.study_date") >= "1900-01-01")
    & ~(field("tag") == "dark")
    & ~some("segmentation", field("creator") == "ann", field("feature") == "drusen")
    & (field("form.answer", path="grade").is_null())
    & ~(field("attribute", name="quality", model="net") > 0.5)
)


@pytest.mark.parametrize("count", [3, 3000])
def test_the_statements_of_a_search_are_few_however_much_it_finds(database, builder, count):
    store_images(database, builder, count)
    search = Search()
    with database.unit_of_work() as uow:
        with assert_queries(database, at_most=2):
            first = search.page(uow, CONDITION, order_by="study.study_date", size=count // 2)
        with assert_queries(database, at_most=3):
            page = search.page(uow, CONDITION, order_by="study.study_date", after=first.after)
        with assert_queries(database, at_most=3):
            search.page(uow, CONDITION, order_by="study.study_date", before=page.before)
        with assert_queries(database, at_most=1):
            search.page(uow, field("laterality") == "R", order_by="dataset_identifier")
        with assert_queries(database, at_most=1):
            assert len(search.objects(uow, first)) == count // 2
        with assert_queries(database, at_most=1):
            assert len(search.ids(uow, CONDITION)) >= count
        with assert_queries(database, at_most=1):
            assert search.count(uow, CONDITION).count >= count
        with assert_queries(database, at_most=1):
            assert not search.count(uow, CONDITION, most=2).is_exact
        with assert_queries(database, at_most=1):
            columns = ["project", "patient.birth_date", "device_model", "dataset_identifier"]
            assert len(search.frame(uow, CONDITION, columns=columns)) >= count


@pytest.mark.parametrize("count", [3, 3000])
def test_a_repository_is_asked_with_conditions_in_few_statements(database, builder, count):
    store_images(database, builder, count)
    with database.unit_of_work() as uow:
        with assert_queries(database, at_most=1):
            assert len(uow.images.where(CONDITION, order_by="-study.study_date")) >= count
        with assert_queries(database, at_most=3):
            assert uow.images.first(CONDITION, inactive=False) is not None
        with assert_queries(database, at_most=3):
            assert uow.images.exists(CONDITION)
        with assert_queries(database, at_most=1):
            assert uow.images.exists(laterality="R")


def test_ids_are_no_parameters_of_which_sqlite_takes_32766(database):
    sent = []

    def note(_connection, _cursor, _statement, parameters, *_rest):
        sent.append(len(parameters))

    ids = [*range(1, 100_001)]
    event.listen(database.engine, "before_cursor_execute", note)
    with database.unit_of_work() as uow:
        assert Search().ids(uow, field("image_instance_id").in_(ids)) == []
        assert Search().ids(uow, field("image_instance_id").not_in(ids)) == []
        assert uow.images.where(image_instance_id=ids) == []
    assert len(sent) == 3
    assert max(sent) < 10


@pytest.mark.parametrize("portion", [7, 10, 11, 30])
def test_iterating_is_one_statement_for_each_portion(database, builder, portion):
    with database.unit_of_work() as uow:
        for _ in range(30):
            uow.patients.add(builder.a_patient())
        uow.commit()
    with database.unit_of_work() as uow:
        with assert_queries(database, at_most=30 // portion + 1):
            assert len([*uow.patients.iterate(portion=portion)]) == 30
        with assert_queries(database, at_most=1):
            assert next(uow.patients.iterate(portion=portion)).patient_id
        with assert_queries(database, at_most=1):
            assert Search().count(uow, entity=Patient).count == 30
