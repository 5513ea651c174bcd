"""Revision 0004: what it does to values that are there, and what other programs see of it."""

import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Engine, create_engine, event, inspect, make_url, text

from eyened_domain import Attributes, BadInput, Database, Duplicate, ImageInstance, Patient
from eyened_domain.adapters.sql.engine import mysql_engine
from eyened_domain.adapters.sql.migrations.adopt import adopt
from eyened_domain.adapters.sql.migrations.contract import contract
from eyened_domain.adapters.sql.migrations.revisions import HEAD, VERSION_TABLE
from eyened_domain.adapters.sql.migrations.upgrade import initialise, upgrade, upgrade_sql
from eyened_domain.model.values import shortest
from eyened_domain.testing import Builder
from eyened_domain.testing.engines import engine_on
from tests.integration.schema_ddl import mysql_ddl
from tests.integration.test_migrations import execute, go_to, run_script, shape_of

OWNERS = ("ImageInstanceID", "SegmentationID", "ModelSegmentationID", "PatientID", "StudyID")
FILLED = (
    "INSERT INTO Project (ProjectID, ProjectName, `External`) VALUES (1, 'P', 'N')",
    "INSERT INTO Patient (PatientID, PatientIdentifier, ProjectID) VALUES (1, 'a', 1)",
    (
        "INSERT INTO Model (ModelID, ModelName, Version, ModelType) "
        "VALUES (1, 'net', '1', 'attributes')"
    ),
    "INSERT INTO AttributesModel (ModelID) VALUES (1)",
)


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    """A database at revision 0003, with a patient and a model."""
    made = engine_on(empty_database_url)
    go_to(made, command.upgrade, "0003")
    execute(made, *FILLED)
    yield made
    made.dispose()


def put(engine: Engine, numbers: list[float]) -> None:
    """Store numbers as values of attributes of the patient, as another program does."""
    with engine.begin() as connection:
        for number, value in enumerate(numbers, 1):
            named = {"id": number, "name": f"a{number}", "value": value}
            connection.execute(
                text("INSERT INTO AttributeDefinition VALUES (:id, :name, 'Float')"), named
            )
            connection.execute(
                text(
                    "INSERT INTO AttributeValue (AttributeValueID, AttributeID, ModelID, "
                    "PatientID, ValueFloat) VALUES (:id, :id, 1, 1, :value)"
                ),
                named,
            )


def numbers_in(engine: Engine) -> list[float]:
    with engine.connect() as connection:
        asked = text("SELECT ValueFloat + 0e0 FROM AttributeValue ORDER BY AttributeValueID")
        return list(connection.scalars(asked))


def single(number: float) -> float:
    return struct.unpack("f", struct.pack("f", number))[0]


def unique_keys(engine: Engine, table: str) -> set[tuple[str, ...]]:
    inspector = inspect(engine)
    keys: list[Any] = [*inspector.get_unique_constraints(table), *inspector.get_indexes(table)]
    return {tuple(one["column_names"]) for one in keys if one.get("unique", True)}


def test_the_keys_tell_eyes_and_models_apart_and_take_nothing_for_a_value(engine: Engine) -> None:
    upgrade(engine)
    assert unique_keys(engine, "AttributeValue") == {
        (owner, "AttributeID", "ModelKey", "LateralityKey") for owner in OWNERS
    }
    assert unique_keys(engine, "Model") == {("ModelName", "Version")}


def test_floats_become_the_shortest_numbers_that_they_were_in_single_precision(
    empty_mariadb_url: str,
) -> None:
    engine = engine_on(empty_mariadb_url)
    go_to(engine, command.upgrade, "0003")
    execute(engine, *FILLED)
    numbers = [0.1, 1 / 3, -2.5, 0.0, 123456.7, 1e-7, 3.4e38, 1e-30, 8.0, 7.9999995, 2**24 + 2.0]
    numbers += [n / 7 * 10.0 ** (n % 13 - 6) for n in range(1, 200)]
    put(engine, numbers)
    upgrade(engine)
    found = numbers_in(engine)
    assert [single(one) for one in found] == [single(one) for one in numbers]
    usual = [n for n, one in enumerate(numbers) if 1e-12 <= abs(one) <= 1e12]
    assert [found[n] for n in usual] == pytest.approx(
        [shortest(numbers[n]) for n in usual], rel=4e-16, abs=0
    )
    assert found[:3] == [0.1, 0.33333334, -2.5]
    engine.dispose()


def test_a_revision_that_was_cut_off_on_a_server_is_finished_and_leaves_double_precision_alone(
    empty_mariadb_url: str,
) -> None:
    engine = engine_on(empty_mariadb_url)
    go_to(engine, command.upgrade, "0003")
    execute(engine, *FILLED)
    put(engine, [0.1])

    def fail(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("ALTER TABLE `Model`"):
            raise RuntimeError("killed")

    event.listen(engine, "before_cursor_execute", fail)
    with pytest.raises(RuntimeError, match="killed"):
        upgrade(engine)
    event.remove(engine, "before_cursor_execute", fail)
    execute(engine, f"UPDATE AttributeValue SET ValueFloat = {1 / 3!r}")
    assert upgrade(engine).after == HEAD
    assert numbers_in(engine) == [1 / 3]
    assert unique_keys(engine, "Model") == {("ModelName", "Version")}
    engine.dispose()


def test_rows_and_what_refers_to_them_stay(engine: Engine) -> None:
    put(engine, [0.5, 1.5])
    execute(engine, "INSERT INTO AttributeValueInput VALUES (1, 2)")
    for move in (upgrade, lambda one: go_to(one, command.downgrade, "0003"), upgrade):
        move(engine)
        assert numbers_in(engine) == [0.5, 1.5]
        with engine.connect() as connection:
            assert connection.execute(text("SELECT * FROM AttributeValueInput")).all() == [(1, 2)]
            assert connection.scalar(text("SELECT count(*) FROM AttributesModel")) == 1


def test_sqlite_gives_no_id_again_after_a_table_was_made_anew(empty_sqlite_url: str) -> None:
    engine = engine_on(empty_sqlite_url)
    go_to(engine, command.upgrade, "0003")
    execute(engine, *FILLED)
    put(engine, [0.5, 1.5])
    execute(engine, "DELETE FROM AttributeValue WHERE AttributeValueID = 2")
    upgrade(engine)
    execute(
        engine,
        "INSERT INTO AttributeValue (AttributeID, PatientID, ValueFloat) VALUES (2, 1, 1)",
    )
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT max(AttributeValueID) FROM AttributeValue")) == 3
    engine.dispose()


def test_sql_on_paper_refuses_a_filled_sqlite_with_foreign_keys_on(empty_sqlite_url: str) -> None:
    engine = engine_on(empty_sqlite_url)
    go_to(engine, command.upgrade, "0003")
    execute(engine, *FILLED)
    put(engine, [0.5])
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        run_script(engine, upgrade_sql(engine))
    assert numbers_in(engine) == [0.5]
    engine.dispose()


def test_columns_of_others_in_a_table_of_sqlite_stay(empty_sqlite_url: str) -> None:
    engine = engine_on(empty_sqlite_url)
    go_to(engine, command.upgrade, "0003")
    execute(
        engine,
        *FILLED,
        "ALTER TABLE AttributeValue ADD COLUMN Note VARCHAR(20) DEFAULT 'x:y' COLLATE NOCASE",
    )
    put(engine, [0.5])
    before = shape_of(engine)
    upgrade(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT Note FROM AttributeValue")) == "x:y"
    go_to(engine, command.downgrade, "0003")
    assert shape_of(engine) == before
    engine.dispose()


def test_a_deployment_whose_keys_have_other_names_is_relaxed_and_told_apart(
    empty_mariadb_url: str, schema: dict[str, Any]
) -> None:
    engine = mysql_engine(make_url(empty_mariadb_url))
    execute(engine, "SET foreign_key_checks = 0", *mysql_ddl(schema, prefix="grown_"))
    assert not adopt(engine).is_relaxed
    upgrade(engine)
    assert len(unique_keys(engine, "AttributeValue")) == len(OWNERS)
    report = adopt(engine)
    assert (report.differences, report.is_relaxed, report.revision) == ((), True, HEAD)
    execute(engine, f"DROP TABLE {VERSION_TABLE}")  # restored without it
    again = adopt(engine)
    assert (again.differences, again.is_relaxed, again.revision) == ((), True, "0001")
    before = shape_of(engine)
    upgrade(engine)
    assert shape_of(engine) == before
    engine.dispose()


def test_a_database_of_which_a_part_is_relaxed_differs_from_the_contract(
    empty_mariadb_url: str,
) -> None:
    engine = mysql_engine(make_url(empty_mariadb_url))
    initialise(engine)
    execute(engine, "ALTER TABLE AttributeValue MODIFY ValueFloat FLOAT NULL")
    report = adopt(engine)
    assert not report.is_relaxed
    assert "note: AttributeValue.ModelID accepts NULL" in map(str, report.differences)
    engine.dispose()


def test_other_programs_see_the_columns_that_they_know_and_write_as_before(
    mariadb_url: str,
) -> None:
    engine = create_engine(mariadb_url)
    execute(engine, *FILLED, "INSERT INTO AttributeDefinition VALUES (1, 'a', 'Float')")
    wanted = [column.name for column in contract.tables["AttributeValue"].columns]
    placed = "INSERT INTO AttributeValue VALUES (NULL, 1, 1, NULL, NULL, NULL, 1, NULL, NULL, "
    upsert = f"{placed} 0.1, NULL, NULL, NULL) ON DUPLICATE KEY UPDATE ValueFloat = 0.2"
    execute(engine, upsert, upsert)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT * FROM AttributeValue"))
        assert list(found.keys()) == wanted
        (row,) = found.all()
        assert row.ValueFloat == 0.2
    engine.dispose()


def test_a_database_at_the_contract_holds_what_it_can(
    empty_mariadb_url: str, schema: dict[str, Any], tmp_path: Path
) -> None:
    engine = mysql_engine(make_url(empty_mariadb_url))
    execute(engine, "SET foreign_key_checks = 0", *mysql_ddl(schema))
    engine.dispose()
    database = Database({"database_url": empty_mariadb_url, "secret_key": "x"})
    service, build = Attributes(), Builder()
    with database.unit_of_work() as uow:
        image = build.add(uow, ImageInstance)
        uow.commit()
        frame = {"image_instance_id": [image.image_instance_id], "a": [1 / 3], "b": [0.1]}
        assert service.run(uow, frame, model=("net", "1")).written.new == 2
        uow.commit()
        assert service.run(uow, frame, model=("net", "1")).written.same == 2
        too_much = {**frame, "a": [1e300]}
        with pytest.raises(BadInput, match="single precision"):
            service.run(uow, too_much, model=("net", "1"))
    with database.unit_of_work() as uow:
        value: Any = uow.attribute_values.one(value_float=1 / 3)
        assert value.value == 0.33333334
        value.value = 2 / 3
        uow.commit()
        value.value = 0.1  # compared with what the database made of two thirds
        uow.commit()
    with database.unit_of_work() as uow:
        assert [one.value for one in uow.attribute_values.where()] == [0.1, 0.1]
    database.close()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda s, uow, p, m: s.put(uow, p, "a", 1.0, model=m, laterality="R"), "same patient_id"),
        (lambda s, uow, p, _: s.put(uow, p, "a", 1.0), "model_id is needed"),
        (lambda s, uow, _p, _m: s.model(uow, "net", "2"), "Model with the same"),
    ],
    ids=["the second eye", "no model", "the second version"],
)
def test_what_a_database_at_the_contract_does_not_allow_is_refused_by_it(
    empty_mariadb_url: str, schema: dict[str, Any], make: Any, said: str
) -> None:
    engine = mysql_engine(make_url(empty_mariadb_url))
    execute(engine, "SET foreign_key_checks = 0", *mysql_ddl(schema))
    engine.dispose()
    database = Database({"database_url": empty_mariadb_url, "secret_key": "x"})
    service = Attributes()
    with database.unit_of_work() as uow:
        patient = Builder().add(uow, Patient)
        model = service.model(uow, "net", "1")
        service.define(uow, "a", "Float")
        service.put(uow, patient, "a", 1.5, model=model, laterality="L")
        uow.commit()
        make(service, uow, patient, model)
        with pytest.raises((Duplicate, BadInput), match=said):
            uow.flush()
    database.close()
