"""SQLAlchemy's own calls take the values and the names of the model, on every database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import delete, desc, func, insert, literal, not_, select, text, update
from sqlalchemy.orm import aliased, load_only, selectinload
from sqlalchemy.orm.attributes import flag_modified

from eyened_domain import Database, ImageInstance, Patient, Project, Study
from eyened_domain.adapters.sql.session import DomainSession
from eyened_domain.adapters.sql.sqlite_names import NAMES_VERSION
from eyened_domain.adapters.sql.translation import NotInDatabase
from eyened_domain.errors import BadInput, EyenedError, RuleBroken, UnknownName
from eyened_domain.model import (
    Creator,
    Entity,
    Feature,
    FormAnnotation,
    FormSchema,
    ImageInstanceTagLink,
    SexEnum,
)
from eyened_domain.testing import Builder

IDENTIFIERS = ("0012", "12", "12.0", "12abc", "Étude")


@pytest.fixture
def session(database: Database) -> Iterator[DomainSession]:
    with database.get_session() as session:
        project, build = Project(project_name="AREDS"), Builder()
        for year, identifier in enumerate(IDENTIFIERS):
            Patient(
                patient_identifier=identifier,
                project=project,
                birth_date=date(1950 + year, 1, 1),
                sex="FMFM"[year] if year < 4 else None,
            )
        session.add(project)
        session.add(Feature(feature_name="Drusen"))
        patient = project.patients[0]
        study = Study(patient=patient, study_date="2024-01-01", study_round=1)
        image = build.an_image(
            series=build.a_series(study=study), laterality="L", resolution_axial=1 / 3
        )
        who = Creator(creator_name="who")
        session.add(ImageInstanceTagLink(tag=build.a_tag(), image_instance=image, creator=who))
        session.commit()
        yield session


def identifiers(session: DomainSession, *conditions: Any) -> list[str]:
    found = select(Patient.patient_identifier).where(*conditions).order_by(Patient.birth_date)
    return list(session.scalars(found))


def blank(session: DomainSession) -> str:
    """Return a blank, which does not count at the end; nothing where it does (NO PAD, MySQL)."""
    dialect = session.get_bind().dialect
    return "" if dialect.name == "mysql" and not getattr(dialect, "is_mariadb", False) else " "


def first_id(session: DomainSession) -> int:
    return int(session.scalars(select(func.min(Patient.patient_id))).one())


REFUSED = {
    "a number for a text": (
        lambda: Patient.patient_identifier == 12,
        "Patient",
        "patient_identifier",
    ),
    "a text for a number": (lambda: Patient.patient_id == "2xyz", "Patient", "patient_id"),
    "among others": (lambda: Patient.patient_id.in_([1, "2xyz"]), "Patient", "patient_id"),
    "no date": (lambda: Patient.birth_date >= "no date", "Patient", "birth_date"),
    "an unknown word": (lambda: Patient.sex == "X", "Patient", "sex"),
    "too long": (lambda: Patient.patient_identifier == "x" * 300, "Patient", "patient_identifier"),
    "of a function": (
        lambda: func.coalesce(Patient.patient_identifier, "") == 5,
        "Patient",
        "patient_identifier",
    ),
}


@pytest.mark.parametrize("way", ["execute", "scalars", "scalar", "query", "connection", "stream"])
@pytest.mark.parametrize("case", REFUSED)
def test_what_a_column_cannot_hold_is_refused_with_its_name(
    session: DomainSession, case: str, way: str
) -> None:
    make, entity, field = REFUSED[case]
    asked = select(Patient.patient_id).where(make())
    ask: dict[str, Any] = {
        "execute": lambda: session.execute(asked),
        "scalars": lambda: session.scalars(asked),
        "scalar": lambda: session.scalar(asked),
        "query": lambda: session.query(Patient).filter(make()).all(),
        "connection": lambda: session.connection().execute(asked),
        "stream": lambda: session.execute(asked.execution_options(yield_per=2)),
    }
    with pytest.raises(BadInput) as caught:
        ask[way]()
    assert (caught.value.entity, caught.value.field) == (entity, field)
    assert len(identifiers(session)) == 5  # the session goes on


def test_what_is_written_passes_the_kind_of_its_column(session: DomainSession) -> None:
    wrong: list[Any] = [
        update(Study).values(study_round="abc"),
        update(Patient).values(patient_identifier="x" * 300),
        update(Patient).values(PatientIdentifier=12),
        insert(Feature).values(feature_name=5),
        insert(Feature).values([{"FeatureName": "ok"}, {"FeatureName": 5}]),
        delete(Patient).where(Patient.patient_identifier == 12),
    ]
    for statement in wrong:
        for execute in (session.execute, session.connection().execute):
            with pytest.raises(BadInput, match=r"\w+\.\w+: "):
                execute(statement)
    with pytest.raises(BadInput, match=r"Feature\.feature_name"):
        session.execute(insert(Feature), [{"feature_name": "a"}, {"feature_name": 5}])
    session.execute(update(Study).values(study_round=np.int64(7)))
    assert session.scalars(select(Study.study_round)).one() == 7
    session.execute(update(Patient).values(birth_date="2001-02-03", sex="F"))
    assert session.scalars(select(Patient.birth_date).distinct()).all() == [date(2001, 2, 3)]


def test_values_of_numpy_and_pandas_find_what_they_mean(session: DomainSession) -> None:
    one = first_id(session)
    key = Patient.patient_id
    for wanted in (np.array([one]), pd.Series([one]), pd.Index([one]), [np.int32(one)], {one}):
        assert identifiers(session, key.in_(wanted)) == ["0012"]
    assert identifiers(session, key == np.int64(one)) == ["0012"]
    assert identifiers(session, key + np.int64(1) == one + 1) == ["0012"]
    assert session.get(Patient, np.int64(one)) is session.query(Patient).get(np.int64(one))
    assert identifiers(session, Patient.birth_date == np.datetime64("1950-01-01")) == ["0012"]
    assert identifiers(session, Patient.birth_date < pd.Timestamp("1950-06-01")) == ["0012"]
    assert identifiers(session, Patient.sex == pd.NA) == ["Étude"]
    assert identifiers(session, Patient.sex.in_(np.array(["M"]))) == ["12", "12abc"]
    assert session.execute(text("SELECT :x"), {"x": np.int64(5)}).scalar() == 5
    assert session.execute(select(literal(np.int64(5)))).scalar() == 5
    found = session.scalar(
        select(func.count())
        .select_from(ImageInstance)
        .where(ImageInstance.inactive == np.bool_(False))
    )
    assert found == 1
    session.execute(delete(Patient).where(key == np.int64(one + 1)))
    assert "12" not in identifiers(session)


def test_comparisons_mean_the_same_on_every_database(session: DomainSession) -> None:
    name, born = Patient.patient_identifier, Patient.birth_date
    found: dict[str, list[str]] = {
        "accents": identifiers(session, name == "ETUDE"),
        "a function": identifiers(session, func.lower(name) == "etude" + blank(session)),
        "a pattern": identifiers(session, name.like("%TUDE")),
        "a long pattern": identifiers(session, name.like("%étu" + "%" * 300)),
        "an escaped one": identifiers(session, name.like("12\\.%")),
        "autoescape": identifiers(session, name.contains("12.", autoescape=True)),
        "between": identifiers(session, born.between("1951-01-01", datetime(1952, 1, 1, 10))),
        "a moment": identifiers(session, born >= datetime(1953, 1, 1, 10)),
        "a subquery": identifiers(session, name.in_(select(Patient.patient_identifier))),
        "a fraction": identifiers(session, Patient.patient_id < first_id(session) + 1.5),
        "digits": identifiers(session, Patient.patient_id == str(first_id(session))),
        "a text of its own": identifiers(session, name + "x" == "12x"),
    }
    assert found == {
        "accents": ["Étude"],
        "a function": ["Étude"],
        "a pattern": ["Étude"],
        "a long pattern": ["Étude"],
        "an escaped one": ["12.0"],
        "autoescape": ["12.0"],
        "between": ["12", "12.0"],
        "a moment": ["Étude"],
        "a subquery": list(IDENTIFIERS),
        "a fraction": ["0012", "12"],
        "digits": ["0012"],
        "a text of its own": ["12"],
    }


def test_a_float_is_found_by_the_value_that_was_read(session: DomainSession) -> None:
    read = session.scalars(select(ImageInstance.resolution_axial)).one()
    assert read == pytest.approx(1 / 3, rel=1e-7)
    assert session.scalars(select(ImageInstance.resolution_axial.label("x"))).one() == read
    for number in (read, 1 / 3, np.float32(1 / 3)):
        found = session.scalars(
            select(ImageInstance).where(ImageInstance.resolution_axial == number)
        )
        assert found.one().resolution_axial == read
    session.execute(update(ImageInstance).values(resolution_axial=1234567.0))
    assert session.scalars(select(ImageInstance.resolution_axial)).one() == 1234567.0


def test_enums_are_ordered_as_the_enum_is(session: DomainSession) -> None:
    def sexes(*order: Any) -> list[str]:
        found = session.execute(select(Patient.sex, Patient.birth_date).order_by(*order))
        return ["-" if row.sex is None else row.sex.name for row in found]

    assert sexes(Patient.sex) == ["-", "M", "M", "F", "F"]
    assert sexes(Patient.sex.desc(), Patient.birth_date) == ["F", "F", "M", "M", "-"]
    assert sexes("Sex") == ["-", "M", "M", "F", "F"]
    assert sexes(desc("sex")) == ["F", "F", "M", "M", "-"]
    alias = aliased(Patient)
    found = session.scalars(select(alias).order_by(alias.Sex.desc(), alias.patient_id)).first()
    assert found is not None
    assert found.sex is SexEnum.F


def test_a_json_element_is_true_false_or_neither(session: DomainSession) -> None:
    who = session.scalars(select(Creator).where(Creator.creator_name == "who")).one()
    patient = session.scalars(select(Patient)).first()
    schema = FormSchema(schema_name="A form")
    first = FormAnnotation(form_schema=schema, patient=patient, creator=who, form_data={"a": True})
    session.add(first)
    session.flush()
    for data in ({"a": False}, {"a": None}, {"b": 1}):
        session.add(
            FormAnnotation(
                form_schema_id=first.form_schema_id,
                patient_id=first.patient_id,
                creator_id=first.creator_id,
                form_data=data,
            )
        )
    session.flush()
    element = FormAnnotation.FormData["a"]
    truth = element.as_boolean()

    def count(condition: Any) -> Any:
        return session.scalar(select(func.count()).select_from(FormAnnotation).where(condition))

    assert [count(c) for c in (truth == True, truth == False, truth.is_(None))] == [1, 1, 2]  # noqa: E712
    assert [count(c) for c in (truth, not_(truth), truth.is_(False))] == [1, 1, 1]
    found = session.scalars(select(element).order_by(FormAnnotation.form_annotation_id)).all()
    assert found == [True, False, None, None]


def test_keys_and_names_may_be_given_in_either_style(session: DomainSession) -> None:
    link = session.scalars(select(ImageInstanceTagLink)).one()
    ids = (link.tag_id, link.image_instance_id)
    for key in (
        {"TagID": ids[0], "ImageInstanceID": ids[1]},
        {"tag_id": np.int64(ids[0]), "image_instance_id": str(ids[1])},
        ids,
        np.array(ids).tolist(),
    ):
        assert session.get(ImageInstanceTagLink, key) is link
        session.expire_all()
    with pytest.raises(UnknownName, match="TagID"):
        session.get(ImageInstanceTagLink, {"TagI": 1, "ImageInstanceID": 2})
    with pytest.raises(BadInput, match="known by"):
        session.get(ImageInstanceTagLink, {"TagID": 1})
    patient = session.scalars(select(Patient)).first()
    assert patient is not None
    session.refresh(patient, ["BirthDate", "patient_identifier"])
    session.expire(patient, ["BirthDate", "Studies"])
    flag_modified(link.image_instance, "CFROI")
    assert link.image_instance in session.dirty
    assert session.query(Patient).filter_by(PatientIdentifier="12").count() == 1
    assert session.scalars(select(Patient).order_by("BirthDate")).first() is patient
    options = (selectinload(Patient.Studies), load_only(Patient.PatientIdentifier))
    assert len(session.scalars(select(Patient).options(*options)).all()) == 5


def test_rows_may_be_written_in_either_style(session: DomainSession) -> None:
    rows = [{"FeatureName": "a"}, {"FeatureName": "b"}]
    writes: list[Any] = [
        lambda: session.execute(insert(Feature), rows),
        lambda: session.execute(insert(Feature), [{"feature_name": "a"}, {"FeatureName": "b"}]),
        lambda: session.execute(insert(Feature).values(rows)),
        lambda: session.connection().execute(insert(Feature), rows),
        lambda: session.bulk_insert_mappings(Feature, rows),
        lambda: session.bulk_insert_mappings(Feature, [{"feature_name": n} for n in "ab"]),
    ]
    for write in writes:
        with session.begin_nested() as savepoint:
            write()
            assert session.scalar(select(func.count()).select_from(Feature)) == 3
            savepoint.rollback()
    one = session.scalars(select(Feature)).one()
    session.execute(update(Feature), [{"FeatureID": one.feature_id, "FeatureName": "c"}])
    session.bulk_update_mappings(Feature, [{"FeatureID": one.feature_id, "FeatureName": "d"}])
    assert session.scalars(select(Feature.feature_name)).one() == "d"
    session.execute(
        update(Feature).where(Feature.FeatureName == "D" + blank(session)).values(FeatureName="e")
    )
    session.refresh(one)
    assert one.feature_name == "e"
    with pytest.raises(UnknownName, match="FeatureName"):
        session.execute(insert(Feature), [{"feature_name": "x", "FeatureNam": "a"}])


def test_an_update_reaches_objects_in_hand_whose_names_are_written_otherwise(
    session: DomainSession,
) -> None:
    feature = session.scalars(select(Feature)).one()
    session.execute(
        update(Feature).where(Feature.feature_name == "DRUSEN").values(feature_name="x")
    )
    assert feature.feature_name == "x"


def test_rows_are_read_under_both_names(session: DomainSession) -> None:
    asked = select(Patient.PatientIdentifier, Patient.BirthDate).order_by(Patient.BirthDate)
    for row in (
        session.execute(asked).first(),
        session.connection().execute(asked).first(),
        session.query(Patient.PatientIdentifier).order_by(Patient.birth_date).first(),
        next(iter(session.execute(asked.execution_options(yield_per=2)))),
        session.execute(select(aliased(Patient).PatientIdentifier)).first(),
    ):
        assert row is not None
        assert row.PatientIdentifier == row.patient_identifier == "0012"
        assert row._mapping["PatientIdentifier"] == "0012"
    assert session.execute(asked).scalars("BirthDate").first() == date(1950, 1, 1)
    assert session.execute(asked).mappings().first()["PatientIdentifier"] == "0012"  # type: ignore[index]


FAULTS = {
    "a column": (
        NotInDatabase,
        "eorm status",
        lambda s: s.execute(text("SELECT nocol FROM Patient")),
    ),
    "a table": (NotInDatabase, "eorm upgrade", lambda s: s.execute(text("SELECT 1 FROM Nowhere"))),
    "no SQL": (BadInput, "statement", lambda s: s.execute(text("SELEC 1"))),
    "no value": (BadInput, "cannot be sent", lambda s: s.execute(text("SELECT :x"))),
    "an array": (BadInput, "array", lambda s: s.execute(text("SELECT :x"), {"x": np.arange(3)})),
    "a class": (BadInput, "no table", lambda s: s.scalars(select(_Unmapped))),
    "a class by id": (BadInput, "no table", lambda s: s.get(_Unmapped, 1)),
    "a repository": (BadInput, "no table", lambda s: _Unmapped.by_id(s, 1)),
    "an object": (BadInput, "no table", lambda s: s.add(object())),
    "referred to": (
        RuleBroken,
        r"this Creator cannot be deleted: (Tag|\w+Link) still refers to it through creator_id",
        lambda s: s.execute(delete(Creator)),
    ),
    "to nothing": (
        RuleBroken,
        r"Study\.patient_id points to a Patient",
        lambda s: s.execute(update(Study).values(patient_id=999_999)),
    ),
    "to nothing, of several": (
        RuleBroken,
        r"Study\.patient_id points to a Patient",
        lambda s: s.execute(
            insert(Study).values(
                [
                    {"patient_id": first_id(s) if n else 999_999, "study_date": f"2024-02-0{n + 1}"}
                    for n in range(2)
                ]
            )
        ),
    ),
}


class _Unmapped(Entity):
    """An entity without a table."""


@pytest.mark.parametrize("case", FAULTS)
def test_no_error_of_a_database_is_raw(session: DomainSession, case: str) -> None:
    kind, said, cause = FAULTS[case]
    with pytest.raises(EyenedError, match=said) as caught:
        cause(session)
    assert type(caught.value) is kind


def test_a_file_of_an_earlier_version_gets_its_indexes_in_order(sqlite_url: str) -> None:
    file = sqlite_url.removeprefix("sqlite:///")
    names = ["zebra", "Étude", "etudes", "Ärger", "aa", "AREDS "]
    with sqlite3.connect(file) as plain:  # with SQLite's own NOCASE
        plain.execute("PRAGMA user_version = 0")
        plain.executemany(
            "INSERT INTO Project (ProjectName, External) VALUES (?, 'N')", [(n,) for n in names]
        )
    database = Database({"database_url": sqlite_url, "secret_key": "k"})
    with database.get_session() as session:
        for asked in ("etude", "arger", "areds", "ZEBRA", "aa "):
            assert Project.by_name(session, asked).project_name in names
        assert session.execute(text("PRAGMA integrity_check")).scalar() == "ok"
        assert session.execute(text("PRAGMA user_version")).scalar() == NAMES_VERSION
    database.close()
    with sqlite3.connect(file) as plain:  # other programs can still read it, without its index
        asked_plainly = "SELECT count(*) FROM Project WHERE +ProjectName = 'ZEBRA'"
        assert plain.execute(asked_plainly).fetchone() == (1,)


def test_other_programs_find_ascii_names_by_the_index(sqlite_url: str) -> None:
    names = [f"P_{n:04}" for n in range(300)] + ["p ", "P-1", "p_1", "Zz", "a B"]
    database = Database({"database_url": sqlite_url, "secret_key": "k"})
    with database.get_session() as session:
        session.add_all([Project(project_name=name) for name in names])
        session.commit()
    database.close()
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as plain:
        for name in names:
            found = plain.execute(
                "SELECT count(*) FROM Project WHERE ProjectName = ?", (name.upper(),)
            )
            assert found.fetchone() == (1,), name
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
