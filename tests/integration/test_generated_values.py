"""Objects stay readable after commit also on MySQL, which has no RETURNING."""

from eyened_domain import Database
from eyened_domain.testing import Builder, count_queries


def without_returning(url: str) -> Database:
    """Return a database whose server has no RETURNING, as MySQL 8."""
    database = Database({"DATABASE_URL": url, "SECRET_KEY": "not-a-real-key-0123456789"})
    database.engine.dialect.insert_returning = False
    database.engine.dialect.insert_executemany_returning = False
    return database


def test_what_the_database_filled_in_is_readable_after_the_unit_has_closed(
    database_url: str,
) -> None:
    database = without_returning(database_url)
    builder = Builder()
    with database.unit_of_work() as uow:
        patients = uow.patients.add_all(
            [builder.a_patient(project=builder.a_project()) for _ in range(30)]
        )
        uow.commit()

    assert all(patient.date_inserted is not None for patient in patients)
    assert all(patient.project.date_inserted is not None for patient in patients)
    database.close()


def test_reading_back_takes_one_statement_per_class(database_url: str) -> None:
    database = without_returning(database_url)
    builder = Builder()
    with database.unit_of_work() as uow:
        project = uow.projects.add(builder.a_project())
        uow.patients.add_all([builder.a_patient(project=project) for _ in range(30)])
        uow.flush()
        with count_queries(database) as counted:
            uow.commit()

    history = [one for one in counted.statements if "History" in one]
    assert counted.total - len(history) == 2
    database.close()


def test_a_rollback_forgets_what_was_new(database_url: str) -> None:
    database = without_returning(database_url)
    with database.unit_of_work() as uow:
        uow.projects.add(Builder().a_project())
        uow.flush()
        uow.rollback()
        with count_queries(database) as counted:
            uow.commit()

    assert counted.total == 0
    database.close()
