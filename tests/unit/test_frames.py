"""DataFrames of queries, on an SQLite database in memory."""

from datetime import date

import pandas as pd
import polars as pl
import pytest
from sqlalchemy import func, literal_column, select, text

from eyened_domain import (
    BadInput,
    Creator,
    Database,
    ImageInstance,
    Patient,
    Project,
    RuleBroken,
    Segmentation,
    Study,
    StudyTagLink,
)
from eyened_domain.model.values import Json
from eyened_domain.testing import Builder


@pytest.fixture
def session(sqlite_url):
    database = Database({"database_url": sqlite_url, "secret_key": "k"})
    with database.get_session() as session:
        project = Project(project_name="P")
        patient = Patient(patient_identifier="A", project=project, birth_date="1234-05-06", sex="F")
        Patient(patient_identifier="B", project=project)
        Study(patient=patient, study_date="2024-01-31", study_round=2)
        Study(patient=patient, study_date="2024-02-29")
        session.add(project)
        session.add(Creator(creator_name="ann", password_hash="SECRET"))
        session.commit()
        yield session
    database.close()


def statement():
    return (
        select(Patient.PatientIdentifier, Patient.sex, Study.StudyDate, Study.StudyRound)
        .join(Study, isouter=True)
        .order_by(Patient.patient_id, Study.study_id)
    )


def test_columns_are_labelled_in_python_style_and_enums_are_names(session):
    found = session.frame(statement())
    assert list(found.columns) == ["patient_identifier", "sex", "study_date", "study_round"]
    assert found["sex"].tolist()[:2] == ["F", "F"]
    assert pd.isna(found["sex"].iloc[2])


def test_columns_are_labelled_in_database_style_when_asked(session):
    found = session.frame(statement(), database_names=True)
    assert list(found.columns) == ["PatientIdentifier", "Sex", "StudyDate", "StudyRound"]


def test_dates_are_dates_also_before_1677_and_whole_numbers_stay_whole(session):
    found = session.frame(statement())
    assert found["study_date"].dtype == "datetime64[s]"
    assert found["study_date"].iloc[0] == pd.Timestamp("2024-01-31")
    assert found["study_date"].isna().tolist() == [False, False, True]
    assert found["study_round"].dtype == "Int64"
    born = session.frame(select(Patient.birth_date))
    assert born["birth_date"].iloc[0].year == 1234


def test_polars_gets_dates_and_names(session):
    found = session.frame(statement(), backend="polars")
    assert found.schema["study_date"] == pl.Date
    assert found["study_date"].to_list() == [date(2024, 1, 31), date(2024, 2, 29), None]
    assert found["sex"].to_list() == ["F", "F", None]


@pytest.mark.parametrize("backend", ["pandas", "polars"])
def test_no_rows_are_a_frame_with_the_same_columns_and_types(session, backend):
    found = session.frame(statement().where(Patient.patient_id < 0), backend=backend)
    assert len(found) == 0
    assert list(found.columns) == ["patient_identifier", "sex", "study_date", "study_round"]
    assert str(found["study_date"].dtype) in {"datetime64[s]", "Date"}


@pytest.mark.parametrize("backend", ["pandas", "polars"])
@pytest.mark.parametrize("entity", [Patient, Study, ImageInstance, Creator, Segmentation])
def test_a_frame_without_rows_has_the_types_of_one_with_rows(session, backend, entity):
    build = Builder()
    names = {"ImageInstance": "an_image", "Creator": "a_creator", "Segmentation": "a_segmentation"}
    if entity.__name__ in names:
        session.add(getattr(build, names[entity.__name__])())
        session.flush()
    key = getattr(entity, entity.__entity__.primary_key[0])
    full = session.frame(select(entity), backend=backend)
    empty = session.frame(select(entity).where(key < 0), backend=backend)
    assert (len(empty), list(empty.columns)) == (0, list(full.columns))
    for name in full.columns:
        kind = entity.__entity__.columns[name].kind
        if not isinstance(kind, Json) and not any(one is None for one in list(full[name])):
            found = str(empty[name].dtype).lower()
            assert found == str(full[name].dtype).lower(), name
    assert str(empty[key.key].dtype).lower() == "int64"


def test_an_entity_stands_for_its_columns_without_private_ones(session):
    found = session.frame(select(Creator))
    assert "creator_name" in found.columns
    assert not {"password", "password_hash"} & set(found.columns)


def test_two_columns_of_one_name_get_their_entity_before_it(session):
    found = session.frame(select(Patient.patient_id, Study.patient_id).join(Study))
    assert list(found.columns) == ["Patient.patient_id", "Study.patient_id"]


def test_two_labels_that_are_the_same_are_refused(session):
    with pytest.raises(BadInput, match="called x"):
        session.frame(select(Patient.sex.label("x"), Patient.birth_date.label("x")))


def test_labels_and_expressions_of_ones_own_are_kept(session):
    count = select(Project.project_name, func.count().label("patients")).join(Patient)
    found = session.frame(count.group_by(Project.project_id))
    assert found.to_dict("records") == [{"project_name": "P", "patients": 2}]


def private_ways():
    hidden = select(func.upper(Creator.PasswordHash).label("x")).subquery()
    plain = select(Creator.creator_id, Creator.password_hash).subquery()
    yield "column", lambda: select(Creator.password_hash)
    yield "other name", lambda: select(Creator.Password)
    yield "label", lambda: select(Creator.password_hash.label("x"))
    yield "function", lambda: select(func.concat("a", Creator.password_hash))
    yield "subquery", lambda: select(plain.c.password_hash)
    yield "function in a subquery", lambda: select(hidden.c.x)
    yield "scalar subquery", lambda: select(select(Creator.password_hash).scalar_subquery())
    yield "text", lambda: select(text("PasswordHash")).select_from(Creator)
    yield "literal column", lambda: select(literal_column("PasswordHash")).select_from(Creator)
    yield "star", lambda: select(literal_column("*")).select_from(Creator)
    yield "table", lambda: select(Creator.__mapper__.local_table.c.password_hash)


@pytest.mark.parametrize(("way", "make"), list(private_ways()))
def test_private_columns_are_refused_however_they_are_asked_for(session, way, make):
    with pytest.raises(RuleBroken):
        session.frame(make())


def test_private_columns_may_be_asked_about(session):
    found = session.frame(select(Creator.creator_name).where(Creator.password_hash.is_not(None)))
    assert found["creator_name"].tolist() == ["ann"]


def test_what_is_no_select_and_unknown_backends_are_refused(session):
    with pytest.raises(BadInput, match="select"):
        session.frame(text("SELECT * FROM Creator"))
    with pytest.raises(BadInput, match="pandas, polars"):
        session.frame(statement(), backend="excel")


def test_what_is_added_but_not_flushed_is_in_the_frame(session):
    session.add(Project(project_name="new"))
    assert "new" in session.frame(select(Project.project_name))["project_name"].tolist()


def test_columns_of_a_composite_key_are_read(session):
    assert session.frame(select(StudyTagLink)).empty
