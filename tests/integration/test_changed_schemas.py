"""A database that another program has changed after it was adopted says so, and what to do."""

import logging
from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from eyened_domain import ConfigurationError, Database
from eyened_domain.adapters.cli import main
from eyened_domain.adapters.sql.migrations.adopt import adopt
from eyened_domain.adapters.sql.migrations.contract import contract
from eyened_domain.adapters.sql.migrations.readiness import ensure_ready
from eyened_domain.adapters.sql.migrations.state import State
from eyened_domain.adapters.sql.migrations.status import status
from eyened_domain.adapters.sql.migrations.upgrade import initialise
from eyened_domain.testing.databases import settings_on
from eyened_domain.testing.engines import engine_on

DROPPED = [
    "ALTER TABLE ImageInstance DROP COLUMN FileChecksum",
    "ALTER TABLE ImageInstance DROP COLUMN DataHash",
]
NEWER = [
    *DROPPED,
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
    "INSERT INTO alembic_version VALUES ('7b36f07198ee')",
]


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    """A database of this test's own at the newest revision."""
    engine = engine_on(empty_database_url)
    initialise(engine)
    yield engine
    engine.dispose()


def change(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def refused(engine: Engine) -> str:
    with pytest.raises(ConfigurationError) as caught:
        ensure_ready(engine, embedded=False)
    return str(caught.value)


def test_one_that_nobody_has_changed_is_ready(engine):
    ensure_ready(engine, embedded=False)
    assert status(engine).differences == ()


def test_the_newer_schema_of_the_other_program_is_told_in_plain_words(engine):
    change(engine, *NEWER)
    message = refused(engine)
    assert "is at a newer schema of the other program (7b36f07198ee" in message
    assert "FileChecksum, DataHash are gone from ImageInstance" in message
    assert "This version of eyened-domain reads 10d5ab598dc7 only" in message
    found = status(engine)
    assert found.state is State.CHANGED
    assert [str(one) for one in found.differences] == [
        "blocking: ImageInstance.FileChecksum is missing",
        "blocking: ImageInstance.DataHash is missing",
    ]
    assert message.partition(" is at ")[2] == str(found.advice).partition(" is at ")[2]
    assert "reads 10d5ab598dc7 only" in str(adopt(engine).advice)


def test_a_column_that_is_gone_is_named_with_the_command_to_run(engine):
    change(engine, *DROPPED)
    message = refused(engine)
    assert "was changed by another program: FileChecksum, DataHash are gone" in message
    assert "eorm adopt" in message
    assert "schema" not in message


def test_a_table_that_is_gone_is_named(engine):
    change(engine, "DROP TABLE StudyTag", "DROP TABLE ZarrSlot")
    assert "the tables StudyTag, ZarrSlot are missing" in refused(engine)
    assert status(engine).state is State.CHANGED


def test_a_renamed_column_is_shown_beside_its_new_name(engine):
    change(engine, "ALTER TABLE Patient RENAME COLUMN BirthDate TO DateOfBirth")
    (found,) = status(engine).differences
    assert str(found) == (
        "blocking: Patient.BirthDate is missing (not known here: DateOfBirth; was it renamed?)"
    )


def test_further_tables_and_columns_that_fill_themselves_are_fine(engine):
    change(
        engine,
        "CREATE TABLE Further (id INTEGER PRIMARY KEY)",
        "ALTER TABLE Patient ADD COLUMN Note TEXT NULL",
        "ALTER TABLE Patient ADD COLUMN Kind INTEGER NOT NULL DEFAULT 3",
    )
    ensure_ready(engine, embedded=False)
    assert status(engine).differences == ()


def test_a_column_without_which_no_row_can_be_added_is_a_warning(engine, caplog):
    default = " DEFAULT ''" if engine.dialect.name == "sqlite" else ""
    change(engine, f"ALTER TABLE Patient ADD COLUMN PublicID CHAR(12) NOT NULL{default}")
    if default:  # SQLite adds no such column, but a table that is made again may have one
        change(
            engine,
            "PRAGMA writable_schema = ON",
            "UPDATE sqlite_master SET sql = replace(sql, ' DEFAULT ''''', '') "
            "WHERE name = 'Patient'",
            "PRAGMA writable_schema = RESET",
        )
    with caplog.at_level(logging.WARNING, logger="eyened_domain"):
        ensure_ready(engine, embedded=False)
    assert "Patient.PublicID is not known here, and rows cannot be added without it" in caplog.text
    found = status(engine)
    assert found.state is State.AT_HEAD
    assert [(one.table, one.column) for one in found.differences] == [("Patient", "PublicID")]


def test_one_that_was_not_adopted_is_compared_with_the_contract_only(empty_database_url):
    engine = engine_on(empty_database_url)
    contract.create_all(engine)
    ensure_ready(engine, embedded=False)
    change(engine, *NEWER)
    assert "reads 10d5ab598dc7 only" in refused(engine)
    assert status(engine).state is State.CHANGED
    engine.dispose()


def test_the_command_shows_it(engine, empty_database_url, tmp_path):
    change(engine, *NEWER)
    env = tmp_path / "test.env"
    settings = settings_on(empty_database_url, tmp_path)
    env.write_text("".join(f"{name.upper()}={value}\n" for name, value in settings.items()))
    shown = CliRunner().invoke(main, ["status", "-e", str(env)], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert "changed by another program" in shown.output
    assert "DataHash" in shown.output
    assert "reads 10d5ab598dc7 only" in " ".join(shown.output.split())
    with pytest.raises(ConfigurationError, match="7b36f07198ee"):
        Database(settings).engine  # noqa: B018


class TestTablesWithoutTransactions:
    @pytest.fixture
    def engine(self, empty_mariadb_url: str) -> Iterator[Engine]:
        engine = engine_on(empty_mariadb_url)
        yield engine
        engine.dispose()

    def test_are_not_adopted_and_named_with_the_statement_that_converts_them(self, engine):
        contract.create_all(engine)
        change(engine, "SET foreign_key_checks = 0", "DROP TABLE StudyTag")
        change(
            engine,
            "CREATE TABLE StudyTag (TagID INTEGER NOT NULL, StudyID INTEGER NOT NULL, "
            "CreatorID INTEGER NOT NULL, Comment VARCHAR(256), DateInserted DATETIME NOT NULL "
            "DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (TagID, StudyID)) ENGINE=MyISAM",
        )
        report = adopt(engine)
        assert report.revision is None
        (found,) = [one for one in report.blocking if "MyISAM" in one.what]
        assert found.table == "StudyTag"
        assert found.what.endswith("ALTER TABLE `StudyTag` ENGINE=InnoDB")
        assert status(engine).differences == (found,)
        change(engine, found.what.rpartition(": ")[2])
        assert adopt(engine).is_new

    def test_are_not_made_by_a_server_that_would_make_them(self, engine):
        change(engine, "SET SESSION default_storage_engine = MyISAM")
        initialise(engine)
        with engine.connect() as connection:
            engines = connection.scalars(
                text(
                    "SELECT DISTINCT engine FROM information_schema.tables "
                    "WHERE table_schema = DATABASE()"
                )
            ).all()
        assert engines == ["InnoDB"]
