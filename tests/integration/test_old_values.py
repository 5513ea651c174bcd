"""Rows that older programs wrote without a strict SQL mode: read, told, and in nobody's way."""

from datetime import date

import pytest
from sqlalchemy import select, text

from eyened_domain import Database, FormAnnotation, ImageInstance, Laterality, Patient, SexEnum
from eyened_domain.adapters.checkup import checkup_on
from eyened_domain.services.doctor import Kind
from eyened_domain.testing.databases import settings_on

_STRICT_AGAIN = ("SET SESSION sql_mode = 'STRICT_TRANS_TABLES'",)
_LOOSE = ("SET SESSION sql_mode = ''",)
_UNCHECKED = "SET SESSION check_constraint_checks = "


@pytest.fixture
def images(database, builder) -> list[int]:
    """The ids of three images in order, each of a patient of its own."""
    with database.unit_of_work() as uow:
        made = [
            uow.images.add(
                builder.an_image(
                    laterality="L", cf_roi={"radius": n}, acquisition_date_time="2024-01-02"
                )
            )
            for n in range(3)
        ]
        uow.commit()
        return [one.image_instance_id for one in made]


def write(database, *statements: str) -> None:
    """Write as an older program does: nothing is checked."""
    dialect = database.engine.dialect
    around: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    if dialect.name != "sqlite":
        around = (_LOOSE, _STRICT_AGAIN)
    if getattr(dialect, "is_mariadb", False):  # MySQL has JSON of its own, without a check
        around = ((*around[0], f"{_UNCHECKED}0"), (*around[1], f"{_UNCHECKED}1"))
    with database.engine.begin() as connection:
        for statement in (*around[0], *statements, *around[1]):
            connection.execute(text(statement))


def without_json_check(database) -> None:
    """Skip the test where the server lets nobody store what is no JSON."""
    dialect = database.engine.dialect
    if dialect.name != "sqlite" and not getattr(dialect, "is_mariadb", False):
        pytest.skip("MySQL's own JSON columns hold JSON only")


def found(database) -> list[tuple[Kind, str]]:
    report = checkup_on(database).run(1)
    assert not report.unchecked
    return [(one.kind, one.message) for one in report.findings]


def read(database) -> list[ImageInstance]:
    with database.get_session() as session:
        return list(session.scalars(select(ImageInstance)))


def test_rows_in_order_are_no_finding(database, images):
    assert found(database) == []


IMAGE_VALUES = [
    ("AcquisitionDateTime", "0000-00-00 00:00:00", Kind.NOT_A_DATE),
    ("AcquisitionDateTime", "2024-00-03 10:00:00", Kind.NOT_A_DATE),
    ("Modality", "", Kind.EMPTY_WORD),
    ("ETDRSField", "", Kind.EMPTY_WORD),
    ("Laterality", "", Kind.UNKNOWN_WORD),
    ("CFROI", "", Kind.NOT_JSON),
    ("CFROI", "{radius 1}", Kind.NOT_JSON),
    ("CFROI", "[" * 5000, Kind.NOT_JSON),
]


@pytest.mark.parametrize(("column", "value", "kind"), IMAGE_VALUES)
def test_one_bad_value_reads_as_none_and_the_other_rows_as_they_are(
    database, images, column, value, kind
):
    if kind is Kind.NOT_JSON:
        without_json_check(database)
    where = f"WHERE ImageInstanceID = {images[1]}"
    write(database, f"UPDATE ImageInstance SET {column} = '{value}' {where}")
    ones = read(database)
    assert [getattr(one, column) is None for one in ones] == [
        getattr(ones[0], column) is None,
        True,
        getattr(ones[0], column) is None,
    ]
    assert ones[0].laterality is Laterality.L
    ((told, message),) = found(database)
    assert told is kind
    assert column in message
    assert kind is Kind.EMPTY_WORD or f"ImageInstance {images[1]}:" in message


@pytest.mark.parametrize(("column", "value"), [one[:2] for one in IMAGE_VALUES[:5]])
def test_what_is_not_assigned_stays_in_its_row_when_another_column_is_changed(
    database, images, column, value
):
    write(
        database,
        f"UPDATE ImageInstance SET {column} = '{value}' WHERE ImageInstanceID = {images[1]}",
    )
    before = raw(database, column, images[1])
    with database.unit_of_work() as uow:
        uow.images.get(images[1]).rows_y = 77
        uow.commit()
    with database.unit_of_work() as uow:
        assert uow.images.get(images[1]).rows_y == 77
    assert raw(database, column, images[1]) == before


def raw(database, column: str, identity: int) -> str:
    with database.engine.connect() as connection:
        asked = f"SELECT CAST({column} AS CHAR(200)) FROM ImageInstance"
        return connection.scalar(text(f"{asked} WHERE ImageInstanceID = {identity}"))


def test_a_bad_value_can_be_set_right(database, images):
    without_json_check(database)
    write(database, f"UPDATE ImageInstance SET CFROI = '' WHERE ImageInstanceID = {images[1]}")
    with database.unit_of_work() as uow:
        uow.images.get(images[1]).cf_roi = {"radius": 9}
        uow.commit()
    assert [one.cf_roi for one in read(database)] == [{"radius": 0}, {"radius": 9}, {"radius": 2}]
    assert found(database) == []


def test_a_birth_date_of_zeros_is_none(database, images):
    with database.unit_of_work() as uow:
        first = Patient.fetch_all(uow)[0]
        first.birth_date = "1950-02-03"
        uow.commit()
    write(
        database,
        f"UPDATE Patient SET BirthDate = '0000-00-00' WHERE PatientID <> {first.patient_id}",
    )
    with database.get_session() as session:
        dates = [
            one.birth_date for one in session.scalars(select(Patient).order_by(Patient.patient_id))
        ]
        columns = session.scalars(select(Patient.BirthDate).order_by(Patient.patient_id)).all()
    assert dates == columns == [date(1950, 2, 3), None, None]
    assert [kind for kind, _ in found(database)] == [Kind.NOT_A_DATE] * 2


def test_a_study_without_a_date_can_be_read_and_its_form_too(database, images, builder):
    without_json_check(database)
    with database.unit_of_work() as uow:
        form = uow.forms.add(builder.a_form_annotation())
        uow.commit()
    write(
        database,
        "UPDATE Study SET StudyDate = '0000-00-00'",
        "UPDATE FormAnnotation SET FormData = 'none'",
    )
    with database.get_session() as session:
        assert FormAnnotation.by_id(session, form.form_annotation_id).form_data is None
        patient = session.scalars(select(Patient)).first()
        assert [one.study_date for one in patient.studies] in ([None], [])
    kinds = {kind for kind, _ in found(database)}
    assert kinds == {Kind.NOT_A_DATE, Kind.NOT_JSON}


def test_a_flag_that_is_neither_0_nor_1_is_told(database, images):
    write(database, f"UPDATE ImageInstance SET Inactive = 2 WHERE ImageInstanceID = {images[1]}")
    assert [one.inactive for one in read(database)] == [False, True, False]
    ((kind, message),) = found(database)
    assert kind is Kind.NOT_A_FLAG
    assert message.endswith("Inactive is neither 0 nor 1, and reads as True: '2'")


def test_a_word_that_a_newer_program_has_added_is_none_and_told(empty_mariadb_url, tmp_path):
    database = Database(settings_on(empty_mariadb_url, tmp_path))
    database.init()
    write(
        database,
        "ALTER TABLE Patient MODIFY Sex ENUM('M', 'F', 'X') NULL",
        "INSERT INTO Project (ProjectName, `External`) VALUES ('P', 'N')",
        "INSERT INTO Patient (PatientIdentifier, ProjectID, Sex) VALUES ('a', 1, 'M'), "
        "('b', 1, 'X')",
    )
    with database.get_session() as session:
        assert [one.sex for one in Patient.fetch_all(session)] == [SexEnum.M, None]
    assert found(database) == [
        (Kind.UNKNOWN_WORD, "Patient 2: Sex is no word of its list, and reads as None: 'X'")
    ]
    database.close()


class TestOnSQLiteColumnsHoldAnything:
    @pytest.fixture
    def database(self, sqlite_url, tmp_path):
        database = Database(settings_on(sqlite_url, tmp_path))
        yield database
        database.close()

    @pytest.mark.parametrize(
        ("column", "value", "kind"),
        [
            ("DataHash", "'abc'", Kind.NOT_OF_ITS_TYPE),
            ("Rows_y", "'many'", Kind.NOT_OF_ITS_TYPE),
            ("CFQuality", "'good'", Kind.NOT_OF_ITS_TYPE),
            ("OldPath", "x'ff'", Kind.NOT_OF_ITS_TYPE),
            ("ETDRSField", "'F99'", Kind.UNKNOWN_WORD),
            ("AcquisitionDateTime", "'yesterday'", Kind.NOT_A_DATE),
            ("AcquisitionDateTime", "'2023-02-31 10:00:00'", Kind.NOT_A_DATE),
            ("AcquisitionDateTime", "'0000-01-01 10:00:00'", Kind.NOT_A_DATE),
            ("AcquisitionDateTime", "20240101", Kind.NOT_A_DATE),
            ("Inactive", "'no'", Kind.NOT_A_FLAG),
        ],
    )
    def test_and_one_of_another_type_leaves_the_others_readable(
        self, database, images, column, value, kind
    ):
        write(
            database,
            f"UPDATE ImageInstance SET {column} = {value} WHERE ImageInstanceID = {images[1]}",
        )
        assert len(read(database)) == 3
        ((told, message),) = found(database)
        assert told is kind
        assert f"ImageInstance {images[1]}: {column}" in message

    def test_and_dates_as_others_write_them_are_dates(self, database, images):
        write(
            database,
            f"UPDATE ImageInstance SET AcquisitionDateTime = '2024-05-06T07:08:09' "
            f"WHERE ImageInstanceID = {images[0]}",
            f"UPDATE ImageInstance SET AcquisitionDateTime = '2024-05-06' "
            f"WHERE ImageInstanceID = {images[1]}",
        )
        assert found(database) == []
        days = [str(one.acquisition_date_time)[8:10] for one in read(database)]
        assert days == ["06", "06", "02"]


def test_private_values_are_not_shown(database, builder):
    with database.unit_of_work() as uow:
        uow.creators.add(builder.a_creator())
        uow.commit()
    write(database, "UPDATE Creator SET IsHuman = 3")
    if database.engine.dialect.name == "sqlite":
        write(database, "UPDATE Creator SET Password = 'geheim', PasswordHash = x'676568'")
    told = found(database)
    assert told
    assert "geh" not in str(told)
