"""A deployment that another program made: checked, adopted, and then everything works on it."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, make_url, select, text

from eyened_domain import (
    Accounts,
    Cohort,
    CohortMember,
    ConfigurationError,
    Creator,
    CreatorIdentity,
    Database,
    ImageInstance,
    Patient,
    Project,
    SubTaskWork,
    TaskConfiguration,
    Tasks,
    TrashEntry,
)
from eyened_domain.adapters.sql.engine import mysql_engine
from eyened_domain.adapters.sql.migrations.adopt import AdoptionReport, adopt
from eyened_domain.adapters.sql.migrations.contract import contract
from eyened_domain.adapters.sql.migrations.differences import Severity
from eyened_domain.adapters.sql.migrations.revisions import HEAD, VERSION_TABLE
from eyened_domain.adapters.sql.migrations.upgrade import initialise, upgrade
from eyened_domain.testing.engines import engine_on
from tests.integration.samples import store_two_of_each
from tests.integration.schema_ddl import mysql_ddl

ALEMBIC = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
    "INSERT INTO alembic_version VALUES ('10d5ab598dc7')",
)
FURTHER = (
    "CREATE TABLE PlatformSession (id INTEGER PRIMARY KEY, data LONGTEXT)",
    "ALTER TABLE Patient ADD COLUMN PlatformNote VARCHAR(20) NULL",
    "ALTER TABLE Project ADD COLUMN PlatformFlag INTEGER NOT NULL DEFAULT 3",
    "CREATE INDEX platform_index ON Patient (BirthDate)",
)


@pytest.fixture
def deployment(empty_mariadb_url: str, schema: dict[str, Any]) -> Iterator[Engine]:
    """A database made from `schema.json`, not by way of our tables."""
    engine = mysql_engine(make_url(empty_mariadb_url))
    execute(engine, "SET foreign_key_checks = 0", *mysql_ddl(schema))
    yield engine
    engine.dispose()


def execute(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def snapshot(engine: Engine) -> dict[str, str]:
    """SHOW CREATE TABLE of every table."""
    with engine.connect() as connection:
        return {
            name: connection.execute(text(f"SHOW CREATE TABLE `{name}`")).one()[1]
            for name in inspect(connection).get_table_names()
        }


def said(report: AdoptionReport) -> list[str]:
    return [str(difference) for difference in report.differences]


def test_a_database_made_from_the_contract_is_adopted_without_a_difference(
    deployment: Engine,
) -> None:
    before = snapshot(deployment)
    report = adopt(deployment)
    assert said(report) == []
    assert (report.is_new, report.revision) == (True, "0001")
    after = snapshot(deployment)
    assert after.pop(VERSION_TABLE)
    assert after == before


def test_other_names_of_keys_further_tables_and_columns_are_fine(
    empty_mariadb_url: str, schema: dict[str, Any]
) -> None:
    engine = mysql_engine(make_url(empty_mariadb_url))
    execute(engine, "SET foreign_key_checks = 0", *mysql_ddl(schema, prefix="grown_"))
    execute(engine, *ALEMBIC, *FURTHER)
    report = adopt(engine)
    assert said(report) == []
    assert report.is_new
    engine.dispose()


def test_the_version_table_of_the_other_program_is_never_touched(deployment: Engine) -> None:
    execute(deployment, *ALEMBIC, *FURTHER)
    adopt(deployment)
    upgrade(deployment)
    with deployment.connect() as connection:
        assert connection.scalars(text("SELECT * FROM alembic_version")).all() == ["10d5ab598dc7"]
        assert connection.scalars(text(f"SELECT * FROM {VERSION_TABLE}")).all() == [HEAD]


def test_everything_works_on_an_adopted_database(
    deployment: Engine, empty_mariadb_url: str
) -> None:
    execute(deployment, *ALEMBIC, *FURTHER)
    adopt(deployment)
    upgrade(deployment)
    database = Database({"database_url": empty_mariadb_url, "secret_key": "x"})
    with database.get_session() as session:
        written = store_two_of_each(session)
        session.commit()
        name = next(one.project_name for one, _ in written if isinstance(one, Project))
    with database.get_session(include_inactive=True) as session:
        project = Project.by_name(session, name)
        images = [
            image
            for patient in project.Patients
            for study in patient.Studies
            for series in study.Series
            for image in series.ImageInstances
        ]
        assert images
        assert all(isinstance(image, ImageInstance) for image in images)
        found = session.scalars(
            select(Patient).where(
                Patient.PatientIdentifier == project.patients[0].PatientIdentifier
            )
        ).all()
        assert found == [project.patients[0]]
    database.run(lambda uow: uow.session.add(Project(project_name="run", external="N")))
    with database.get_session() as session:
        assert Project.by_name(session, "run").project_id
    database.close()


def test_a_database_that_is_not_adopted_yet_works_as_well(
    deployment: Engine, empty_mariadb_url: str
) -> None:
    database = Database({"database_url": empty_mariadb_url, "secret_key": "x"})
    with database.get_session() as session:
        ours = (CreatorIdentity, Cohort, CohortMember, TaskConfiguration, SubTaskWork, TrashEntry)
        store_two_of_each(session, without=ours)
        session.commit()
    with database.unit_of_work() as uow:
        nobody = uow.creators.add(Creator(creator_name="nobody"))
        uow.commit()
        uow.creators.delete(nobody)
        uow.commit()
        with pytest.raises(ConfigurationError, match="`eorm upgrade` brings it up to date"):
            Accounts().by_identity(uow, "https://login.example.org", "a")
        with pytest.raises(ConfigurationError, match="how tasks are shared; run `eorm upgrade`"):
            Tasks().claim_next(uow, 1, "nobody")
    database.close()
    assert VERSION_TABLE not in inspect(deployment).get_table_names()


def test_adopting_twice_checks_again_and_changes_nothing(deployment: Engine) -> None:
    adopt(deployment)
    upgrade(deployment)
    before = snapshot(deployment)
    execute(deployment, "ALTER TABLE Patient DROP INDEX ProjectIDPatientIdentifier_UNIQUE")
    report = adopt(deployment)
    assert (report.is_new, report.revision) == (False, HEAD)
    assert len(report.notes) == 1
    assert snapshot(deployment).keys() == before.keys()


BLOCKING = {
    "DROP TABLE AttributeValueInput": "AttributeValueInput is missing",
    "ALTER TABLE Patient DROP COLUMN Sex": "Patient.Sex is missing",
    "ALTER TABLE Patient MODIFY BirthDate DATETIME": (
        "Patient.BirthDate is DATETIME, the contract has DATE"
    ),
    "ALTER TABLE Study MODIFY StudyRound SMALLINT": (
        "Study.StudyRound is SMALLINT, the contract has INTEGER"
    ),
    "ALTER TABLE Study MODIFY StudyDescription VARCHAR(63)": (
        "Study.StudyDescription is too short: VARCHAR(63), the contract has VARCHAR(64)"
    ),
    "ALTER TABLE Series MODIFY SeriesNumber VARCHAR(20)": (
        "Series.SeriesNumber is VARCHAR(20), the contract has INTEGER"
    ),
    "ALTER TABLE Patient MODIFY Sex ENUM('M')": "Patient.Sex does not know the values F",
    "ALTER TABLE Patient MODIFY Sex INTEGER": (
        "Patient.Sex is INTEGER, the contract has ENUM('M','F')"
    ),
    "ALTER TABLE ImageInstance MODIFY DataHash BINARY(64)": (
        "ImageInstance.DataHash is BINARY(64), the contract has TINYBLOB"
    ),
    "ALTER TABLE AnnotationData MODIFY ValueBlob BLOB": (
        "AnnotationData.ValueBlob is too short: BLOB, the contract has LONGBLOB"
    ),
    "ALTER TABLE ImageInstance MODIFY CFROI INTEGER": (
        "ImageInstance.CFROI is INTEGER, the contract has JSON"
    ),
    "ALTER TABLE ImageInstance MODIFY ResolutionAxial VARCHAR(20)": (
        "ImageInstance.ResolutionAxial is VARCHAR(20), the contract has FLOAT"
    ),
    "ALTER TABLE ImageInstance MODIFY Inactive DATE NOT NULL": (
        "ImageInstance.Inactive is DATE, the contract has BOOL"
    ),
    "ALTER TABLE Patient MODIFY BirthDate DATE NOT NULL": "Patient.BirthDate does not accept NULL",
    "ALTER TABLE Tag MODIFY DateInserted DATETIME NOT NULL": (
        "Tag.DateInserted has no default of CURRENT_TIMESTAMP"
    ),
    "ALTER TABLE Scan MODIFY ScanID INTEGER NOT NULL": "Scan.ScanID has no AUTO_INCREMENT",
    "ALTER TABLE Scan ADD COLUMN Must INTEGER NOT NULL": (
        "Scan.Must is not in the contract, and rows cannot be added without it"
    ),
    "ALTER TABLE AnnotationData DROP PRIMARY KEY, ADD PRIMARY KEY (AnnotationID)": (
        "AnnotationData has AnnotationID as its primary key"
    ),
}


@pytest.mark.parametrize("change", list(BLOCKING), ids=lambda change: change.partition(" ")[2][:60])
def test_what_the_software_cannot_work_with_is_listed_and_nothing_is_changed(
    deployment: Engine, change: str
) -> None:
    execute(deployment, "SET foreign_key_checks = 0", change)
    before = snapshot(deployment)
    report = adopt(deployment)
    assert said(report) == [f"blocking: {BLOCKING[change]}"]
    assert (report.is_new, report.revision) == (False, None)
    assert snapshot(deployment) == before


NOTES = {
    "ALTER TABLE Study MODIFY StudyDescription VARCHAR(100)": (
        "Study.StudyDescription is VARCHAR(100), the contract has VARCHAR(64)"
    ),
    "ALTER TABLE Study MODIFY StudyRound BIGINT": (
        "Study.StudyRound is BIGINT, the contract has INTEGER"
    ),
    "ALTER TABLE ImageInstance MODIFY ResolutionAxial DOUBLE": (
        "ImageInstance.ResolutionAxial is DOUBLE, the contract has FLOAT"
    ),
    "ALTER TABLE Patient MODIFY Sex ENUM('M','F','O')": (
        "Patient.Sex also knows O; rows with these cannot be read"
    ),
    "ALTER TABLE Patient MODIFY Sex ENUM('F','M')": (
        "Patient.Sex has its values in another order: they sort differently"
    ),
    "ALTER TABLE Project MODIFY Description LONGTEXT": (
        "Project.Description is LONGTEXT, the contract has TEXT"
    ),
    "ALTER TABLE Study MODIFY StudyDate DATE NULL": "Study.StudyDate accepts NULL",
    "ALTER TABLE Segmentation MODIFY DateModified DATETIME(6)": (
        "Segmentation.DateModified is DATETIME(6), the contract has DATETIME"
    ),
    "ALTER TABLE Feature DROP INDEX Feature_0": "Feature has no unique key over FeatureName",
    "CREATE UNIQUE INDEX further ON Project (DOI)": (
        "Project has a unique key over doi, the contract has not"
    ),
    "ALTER TABLE AttributeValue DROP CONSTRAINT ck_AttributeValue_exactly_one_entity": (
        "AttributeValue has no check ck_AttributeValue_exactly_one_entity"
    ),
    "ALTER TABLE Series DROP FOREIGN KEY Series_ibfk_1": (
        "Series.StudyID has no foreign key to Study"
    ),
    "ALTER TABLE Series DROP FOREIGN KEY Series_ibfk_1, ADD FOREIGN KEY (StudyID)"
    " REFERENCES Study (StudyID)": (
        "Series.StudyID has a foreign key ON DELETE RESTRICT, the contract has ON DELETE CASCADE"
    ),
}


@pytest.mark.parametrize("change", list(NOTES), ids=lambda change: change.partition(" ")[2][:60])
def test_what_the_software_can_live_with_is_noted_and_the_database_adopted(
    deployment: Engine, change: str
) -> None:
    execute(deployment, change)
    report = adopt(deployment)
    assert said(report) == [f"note: {NOTES[change]}"]
    assert [d.severity for d in report.differences] == [Severity.NOTE]
    assert (report.is_new, report.revision) == (True, "0001")


def test_our_own_tables_are_found_without_a_difference(empty_database_url: str) -> None:
    engine = engine_on(empty_database_url)
    contract.create_all(engine)
    assert said(adopt(engine)) == []
    engine.dispose()


def test_an_sqlite_database_with_another_type_is_not_adopted(empty_sqlite_url: str) -> None:
    engine = engine_on(empty_sqlite_url)
    contract.create_all(engine)
    execute(
        engine,
        "ALTER TABLE Series DROP COLUMN SeriesNumber",
        "ALTER TABLE Series ADD COLUMN SeriesNumber TEXT",
    )
    assert said(adopt(engine)) == [
        "blocking: Series.SeriesNumber is TEXT, the contract has INTEGER"
    ]
    engine.dispose()


def test_there_must_be_something_to_adopt(empty_mariadb_url: str) -> None:
    engine = mysql_engine(make_url(empty_mariadb_url))
    with pytest.raises(ConfigurationError, match="eorm init"):
        adopt(engine)
    engine.dispose()


def test_a_database_of_ours_needs_no_adoption(empty_mariadb_url: str) -> None:
    engine = mysql_engine(make_url(empty_mariadb_url))
    initialise(engine)
    report = adopt(engine)
    assert (said(report), report.is_new, report.revision) == ([], False, HEAD)
    engine.dispose()
