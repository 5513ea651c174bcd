"""The tables follow from the model; what only the database knows is said once, and is true."""

import re
import subprocess
import sys
from enum import Enum

import pytest
from sqlalchemy import MetaData, Table, UniqueConstraint
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.schema import CreateTable

from eyened_domain import Patient, Study
from eyened_domain.adapters.sql.schema import TABLES, bookkeeping, metadata, pixels, table_of
from eyened_domain.adapters.sql.schema.facts import FACTS, TableFacts
from eyened_domain.adapters.sql.schema.generator import make_table
from eyened_domain.adapters.sql.schema.types import type_of
from eyened_domain.model.entity import Entity, entity, entity_classes
from eyened_domain.model.fields import choice, column, foreign_key, key, key_part
from eyened_domain.model.values import Blob, Integer, Moment, Text

pytestmark = pytest.mark.usefixtures("entities_are_forgotten")
each_record = pytest.mark.parametrize("name", sorted(FACTS))
ENTITIES = {table.name: entity for entity, table in TABLES.items()}


def made(of: type[Entity], **facts) -> Table:
    return make_table(of, MetaData(), TableFacts(**facts))


def ddl(table: Table, dialect=mysql) -> str:
    return str(CreateTable(table).compile(dialect=dialect.dialect()))


def device() -> type[Entity]:
    @entity()
    class Device(Entity):
        device_id = key("DeviceID", default=None)

    return Device


def test_a_column_that_is_added_to_an_entity_is_in_its_table() -> None:
    before = made(device())

    @entity()
    class Device(Entity):
        device_id = key("DeviceID", default=None)
        serial_number = column("SerialNumber", Text(40), default=None, nullable=True)

    after = made(Device)
    assert before.c.keys() == ["device_id"]
    assert after.c.keys() == ["device_id", "serial_number"]
    assert after.c.serial_number.name == "SerialNumber"
    assert after.c.serial_number.nullable
    assert "`SerialNumber` VARCHAR(40)" in ddl(after)
    assert '"SerialNumber" VARCHAR(40) COLLATE "NOCASE"' in ddl(after, sqlite)


def test_every_column_of_every_entity_is_in_a_table_of_its_own_or_of_its_parent() -> None:
    for one, table in TABLES.items():
        for parent in (base for base in one.__mro__[1:] if base in TABLES):
            assert one.__entity__.columns.keys() == {*table.c.keys(), *table_of(parent).c.keys()}
            break
        else:
            assert list(one.__entity__.columns) == table.c.keys()


def test_every_entity_of_the_model_has_a_table_and_there_are_no_others_but_ours() -> None:
    ours = {
        value.name
        for module in (bookkeeping, pixels)
        for value in vars(module).values()
        if isinstance(value, Table)
    }
    assert set(TABLES) == set(entity_classes())
    assert {table.name for table in TABLES.values()} | ours == set(metadata.tables)


def test_an_entity_without_a_name_for_its_table_has_its_own() -> None:
    @entity(table="Instrument")
    class Apparatus(Entity):
        apparatus_id = key("ApparatusID", default=None)

    assert made(Apparatus).name == "Instrument"
    assert made(device()).name == "Device"


def test_a_reference_is_a_foreign_key_that_does_on_delete_what_the_model_says() -> None:
    @entity()
    class Finding(Entity):
        finding_id = key("FindingID", default=None)
        patient_id = foreign_key("PatientID", "Patient", default=None, on_delete="CASCADE")
        study_id = foreign_key("StudyID", "Study", default=None, nullable=True)

    text = ddl(make_table(Finding, metadata_with(Patient, Study), TableFacts()))
    assert "FOREIGN KEY(`PatientID`) REFERENCES `Patient` (`PatientID`) ON DELETE CASCADE" in text
    assert re.search(r"FOREIGN KEY\(`StudyID`\) REFERENCES `Study` \(`StudyID`\)\n", text)
    assert "`PatientID` INTEGER NOT NULL" in text
    assert "`StudyID` INTEGER," in text


def metadata_with(*entities: type[Entity]) -> MetaData:
    together = MetaData()
    for one in entities:
        make_table(one, together, TableFacts())
    return together


def test_only_a_key_that_the_storage_gives_is_counted_up() -> None:
    @entity()
    class Reading(Entity):
        patient_id = foreign_key("PatientID", "Patient", default=None, primary_key=True)
        number = key_part("Number", Integer())

    counted, given = made(device()), make_table(Reading, metadata_with(Patient), TableFacts())
    assert "AUTO_INCREMENT" in ddl(counted)
    assert "AUTO_INCREMENT" not in ddl(given)
    assert "PRIMARY KEY (`PatientID`, `Number`)" in ddl(given)


def test_moments_are_filled_in_by_the_database_where_the_model_says_so() -> None:
    @entity()
    class Note(Entity):
        note_id = key("NoteID", default=None)
        date_inserted = column("DateInserted", Moment(), default=None)
        date_modified = column(
            "DateModified", Moment(), default=None, nullable=True, set_on_update=True
        )
        date_read = column("DateRead", Moment(), default=None, nullable=True)

    columns = made(Note).c
    assert "`DateInserted` DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP" in ddl(made(Note))
    assert [c.key for c in columns if c.server_default is not None] == ["date_inserted"]
    assert [c.key for c in columns if c.onupdate is not None] == ["date_modified"]


def test_natural_keys_of_the_model_are_unique_named_as_the_database_names_them() -> None:
    @entity(unique=(("name",), ("maker", "serial")))
    class Camera(Entity):
        camera_id = key("CameraID", default=None)
        name = column("Name", Text(40))
        maker = column("Maker", Text(40))
        serial = column("Serial", Text(40))

    plain = made(Camera)
    assert "UNIQUE (`Name`)" in ddl(plain)
    assert "UNIQUE (`Maker`, `Serial`)" in ddl(plain)
    named = made(
        Camera,
        unique_constraints={"Name_UNIQUE": ("name",)},
        unique_indexes={"MakerSerial_UNIQUE": ("maker", "serial")},
    )
    assert "CONSTRAINT `Name_UNIQUE` UNIQUE (`Name`)" in ddl(named)
    (index,) = named.indexes
    assert (index.name, index.unique, index.columns.keys()) == (
        "MakerSerial_UNIQUE",
        True,
        ["maker", "serial"],
    )


class Light(Enum):
    VISIBLE = "visible"
    INFRARED = "infrared"


def test_a_special_kind_has_its_own_columns_and_is_joined_to_its_parent() -> None:
    @entity(unique=(("name",),), discriminator="light")
    class Camera(Entity):
        camera_id = key("CameraID", default=None)
        name = column("Name", Text(40))
        light = choice("Light", Light)

    @entity()
    class InfraredCamera(Camera):
        light = choice("Light", Light, default=Light.INFRARED)
        wavelength = column("Wavelength", Integer())

    text = ddl(make_table(InfraredCamera, metadata_with(Camera), TableFacts()))
    assert re.findall(r"^\t`(\w+)`", text, re.MULTILINE) == ["CameraID", "Wavelength"]
    assert "FOREIGN KEY(`CameraID`) REFERENCES `Camera` (`CameraID`) ON DELETE CASCADE" in text
    assert "UNIQUE" not in text
    info = InfraredCamera.__entity__
    assert info.defaults[str(info.discriminator)] is Light.INFRARED


@pytest.mark.parametrize(
    ("most", "wanted"),
    [(255, "TINYBLOB"), (256, "BLOB"), (2**16, "MEDIUMBLOB"), (2**24, "LONGBLOB")],
)
def test_bytes_of_any_length_have_a_type_that_they_fit_in(most: int, wanted: str) -> None:
    assert type_of(Blob(most)).compile(dialect=mysql.dialect()) == wanted


def test_a_class_of_a_host_has_no_table() -> None:
    code = (
        "from eyened_domain.model.entity import Entity, entity\n"
        "from eyened_domain.model.fields import key\n"
        "@entity()\n"
        "class Device(Entity):\n"
        "    device_id = key('DeviceID', default=None)\n"
        "from eyened_domain.adapters.sql.schema import TABLES, metadata\n"
        "assert Device not in TABLES and 'Device' not in metadata.tables\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@each_record
def test_what_only_the_database_knows_is_about_a_table_that_there_is(name: str) -> None:
    assert name in ENTITIES
    assert FACTS[name] != TableFacts()


@each_record
def test_what_only_the_database_knows_is_about_columns_that_there_are(name: str) -> None:
    facts, columns = FACTS[name], table_of(ENTITIES[name]).c
    named = [*facts.unique_constraints.values(), *facts.unique_indexes.values()]
    named += [*facts.indexes.values(), facts.foreign_key_indexes, tuple(facts.types)]
    for one in named:
        assert set(one) <= set(columns.keys())
    for condition in facts.checks.values():
        said = set(re.findall(r"[A-Za-z]\w+", condition)) - {"IS", "NOT", "NULL"}
        assert said <= {c.name for c in columns}


@each_record
def test_names_of_natural_keys_are_names_of_keys_that_the_model_has(name: str) -> None:
    facts = FACTS[name]
    named = [*facts.unique_constraints.values(), *facts.unique_indexes.values()]
    assert set(named) <= set(ENTITIES[name].__entity__.unique)
    assert len(named) == len(set(named))
    found = {
        str(one.name)
        for kinds in (table_of(ENTITIES[name]).constraints, table_of(ENTITIES[name]).indexes)
        for one in kinds
        if isinstance(one, UniqueConstraint) or getattr(one, "unique", False)
    }
    assert {*facts.unique_constraints, *facts.unique_indexes} <= found


@each_record
def test_indexes_of_foreign_keys_are_on_foreign_keys(name: str) -> None:
    for column_name in FACTS[name].foreign_key_indexes:
        assert table_of(ENTITIES[name]).c[column_name].foreign_keys


@each_record
def test_a_type_is_told_only_where_it_is_not_the_usual_one(name: str) -> None:
    info = ENTITIES[name].__entity__
    for column_name, told in FACTS[name].types.items():
        usual, dialect = type_of(info.columns[column_name].kind), mysql.dialect()
        assert told.compile(dialect=dialect) != usual.compile(dialect=dialect)
