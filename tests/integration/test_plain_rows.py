"""Rows that a flush writes by itself are written as SQLAlchemy would write them."""

from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text

from eyened_domain import Conflict, Patient

MANY = 40


@pytest.fixture
def project_id(database, builder):
    with database.unit_of_work() as uow:
        project = uow.projects.add(builder.a_project())
        uow.commit()
        return project.project_id


def patients(project_id, count=MANY):
    return [Patient(patient_identifier=f"p{n}", project_id=project_id) for n in range(count)]


@contextmanager
def heard(moment):
    """Listen to one event of each patient; collect who it was."""
    found = []

    def note(_mapper, _connection, patient):
        found.append(patient.patient_identifier)

    event.listen(Patient, moment, note)
    try:
        yield found
    finally:
        event.remove(Patient, moment, note)


@pytest.mark.parametrize("moment", ["before_insert", "after_insert"])
def test_who_listens_to_each_insertion_hears_of_all(database, project_id, moment):
    with heard(moment) as found, database.unit_of_work() as uow:
        uow.patients.add_all(patients(project_id))
        uow.flush()
    assert sorted(found) == sorted(f"p{n}" for n in range(MANY))


@pytest.mark.parametrize("moment", ["before_update", "after_update"])
def test_who_listens_to_each_change_hears_of_it(database, project_id, moment):
    with heard(moment) as found, database.unit_of_work() as uow:
        (patient,) = uow.patients.add_all(patients(project_id, 1))
        uow.flush()
        patient.patient_identifier = "changed"
        uow.flush()
    assert found == ["changed"]


@pytest.mark.parametrize("count", [1, MANY])
def test_a_row_that_is_gone_when_it_is_written_is_a_conflict(database, project_id, count):
    with database.get_session() as session:
        changed = patients(project_id, count)
        session.add_all(changed)
        session.flush()
        table = session.connection().dialect.identifier_preparer.quote("Patient")
        session.connection().execute(text(f"DELETE FROM {table} WHERE PatientIdentifier = 'p0'"))
        for number, patient in enumerate(changed):
            patient.patient_identifier = f"new {number}"
        with pytest.raises(Conflict):
            session.flush()


def test_rows_are_written_in_the_order_of_their_keys(database, project_id):
    """So that two units that change the same rows do not wait for each other."""
    written: list[Any] = []

    def note(_connection, _cursor, statement, parameters, _context, executemany):
        if statement.startswith("UPDATE"):
            rows = parameters if executemany else [parameters]
            written.extend(row["key_0"] if isinstance(row, dict) else row[-1] for row in rows)

    with database.unit_of_work() as uow:
        uow.patients.add_all(patients(project_id))
        uow.commit()
    with database.unit_of_work() as uow:
        for patient in reversed(uow.patients.where()):
            if patient.patient_id % 2:
                patient.patient_identifier += " changed"
            else:
                patient.sex = "F"
        event.listen(database.engine, "before_cursor_execute", note)
        try:
            uow.commit()
        finally:
            event.remove(database.engine, "before_cursor_execute", note)
    assert len(written) == MANY
    assert written == sorted(written)
