"""Many rows at once: how many statements go to the database, and frames of pandas and polars."""

from datetime import date

import pandas as pd
import polars as pl
import pytest
from sqlalchemy import event

from eyened_domain import (
    AttributeValue,
    BadInput,
    Database,
    Duplicate,
    Patient,
    Project,
    SexEnum,
)
from eyened_domain.testing.queries import assert_queries

MANY = 3000


@pytest.fixture
def project(database, builder):
    with database.unit_of_work() as uow:
        project = uow.projects.add(builder.a_project(project_name="AREDS"))
        uow.commit()
        return project.project_name


def frame(project, first=0, count=MANY):
    names = [f"P{n:05}" for n in range(first, first + count)]
    return {"project_name": [project] * count, "patient_identifier": names, "sex": ["F"] * count}


@pytest.mark.parametrize("count", [40, MANY])
def test_rows_are_inserted_in_four_statements_whatever_their_number(database, project, count):
    with database.unit_of_work() as uow, assert_queries(database, at_most=4):
        assert len(uow.patients.insert_many(frame(project, count=count))) == count


@pytest.mark.parametrize("count", [40, 240])
def test_the_same_rows_again_are_upserted_in_two_statements(database, project, count):
    with database.unit_of_work() as uow:
        uow.patients.insert_many(frame(project, count=count))
        uow.commit()
        with assert_queries(
            database, at_most=3
        ):  # the project, which rows there are, what they hold
            assert uow.patients.upsert_many(frame(project, count=count)).same == count


@pytest.mark.parametrize("count", [40, 240])
def test_rows_are_updated_in_three_statements_within_a_savepoint_on_sqlite(
    database, project, count
):
    with database.unit_of_work() as uow:
        ids = uow.patients.insert_many(frame(project, count=count))
        uow.commit()
        # which there are, what they hold (for the history), and the update
        with assert_queries(database, at_most=5 if database.engine.dialect.name == "sqlite" else 3):
            given = {"patient_id": ids, "sex": ["M"] * count}
            assert uow.patients.update_many(given).changed == count


@pytest.mark.parametrize("count", [10, 100])
def test_rules_are_checked_with_one_statement_for_each_link_that_they_read(
    database, builder, count
):
    with database.unit_of_work() as uow:
        one = builder.add(uow, AttributeValue)
        ids = [builder.add(uow, Patient) for _ in range(count)]
        uow.commit()
        given = {
            "attribute_id": [one.attribute_id] * count,
            "model_id": [one.model_id] * count,
            "patient": ids,
            "value_float": [0.5] * count,
        }
        with assert_queries(database, at_most=4):
            uow.attribute_values.insert_many(given)


def test_what_is_refused_by_itself_costs_no_statement(database, project):
    given = {**frame(project), "sex": ["X"] * MANY}
    with (
        database.unit_of_work() as uow,
        assert_queries(database, at_most=0),
        pytest.raises(BadInput),
    ):
        uow.patients.insert_many(given)


def pandas_frame():
    return pd.DataFrame(
        {
            "project_name": pd.Categorical(["AREDS"] * 3),
            "PatientIdentifier": pd.array(["a", "b", "c"], dtype="string"),
            "Sex": ["F", None, "M"],
            "birth_date": pd.to_datetime(pd.Series(["1950-01-31", None, "1960-02-29"])),
        }
    )


def polars_frame():
    return pl.DataFrame(
        {
            "project_name": pl.Series(["AREDS"] * 3, dtype=pl.Categorical),
            "PatientIdentifier": ["a", "b", "c"],
            "Sex": ["F", None, "M"],
            "birth_date": [date(1950, 1, 31), None, date(1960, 2, 29)],
        }
    )


def indexed_frame():
    return pandas_frame().set_index(["project_name", "PatientIdentifier"])


@pytest.mark.parametrize("make", [pandas_frame, polars_frame, indexed_frame])
def test_frames_say_what_rows_hold_and_missing_cells_nothing(database, project, make):
    with database.unit_of_work() as uow:
        ids = uow.patients.insert_many(make())
        assert uow.patients.upsert_many(make()).same == 3
        uow.commit()
        one, two, three = uow.patients.by_ids(ids)
        assert (one.sex, two.sex, three.birth_date) == (SexEnum.F, None, date(1960, 2, 29))
        assert (one.birth_date, two.birth_date) == (date(1950, 1, 31), None)


def test_whole_numbers_beside_missing_ones_stay_whole(database):
    given = pd.DataFrame({"creator_name": ["a", "b"], "role": [3, None], "version": [1.0, 2.5]})
    with database.unit_of_work() as uow:
        with pytest.raises(BadInput, match=r"row 1: version: a whole number is needed, not 2\.5"):
            uow.creators.insert_many(given)
        one, two = uow.creators.by_ids(uow.creators.insert_many(given.assign(version=1.0)))
        assert (one.role, two.role, two.version) == (3, None, 1)


def test_what_others_insert_meanwhile_stays_where_ours_is_refused(mariadb_url):
    settings = {"database_url": mariadb_url, "secret_key": "x"}
    database, others = Database(settings), Database(settings)
    database.engine.update_execution_options(isolation_level="READ COMMITTED")
    with others.unit_of_work() as uow:
        project = uow.projects.add(Project(project_name="AREDS"))
        uow.patients.add(Patient(project=project, patient_identifier="there"))
        uow.commit()

    def insert_theirs(_connection, _cursor, statement, *_further):
        if statement.startswith("INSERT INTO `Patient`"):
            with others.unit_of_work() as uow:
                areds = uow.projects.by_name("AREDS")
                uow.patients.add(Patient(project=areds, patient_identifier="theirs"))
                uow.commit()

    event.listen(database.engine, "before_cursor_execute", insert_theirs)
    with database.unit_of_work() as uow:
        with pytest.raises(Duplicate):
            uow.patients.insert_many(
                {"project_name": ["AREDS"] * 2, "patient_identifier": ["ours", "there"]}
            )
        uow.commit()
    with others.unit_of_work() as uow:
        assert {one.patient_identifier for one in uow.patients.where()} == {"there", "theirs"}
    database.close()
    others.close()
