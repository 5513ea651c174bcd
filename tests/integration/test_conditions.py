"""What a repository is asked with: expressions on a database, functions in memory."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import exists, func, select, text, true

from eyened_domain import BadInput, Database, Patient, Project
from eyened_domain.adapters.memory import MemoryDatabase
from eyened_domain.adapters.sql.schema.entities import table_of

EXPRESSIONS: dict[str, Callable[[], Any]] = {
    "a comparison": lambda: Project.project_name == "AREDS",
    "a text": lambda: text("\"ProjectName\" = 'AREDS'"),
    "a function of the database": lambda: func.lower(Project.project_name) == "areds",
    "a truth": lambda: true() & (Project.ProjectName == "AREDS"),
    "what exists": lambda: exists(select(Patient).where(Patient.project_id == Project.project_id)),
    "what is linked": lambda: Project.patients.any(Patient.patient_identifier == "P1"),
    "a scalar of a statement": lambda: (
        select(Patient.patient_id).where(Patient.project_id == Project.project_id).scalar_subquery()
        > 0
    ),
}
NONE: dict[str, Callable[[], Any]] = {
    "a function": lambda: lambda one: one.project_name == "AREDS",
    "a statement": lambda: select(Project),
    "a class": lambda: Project,
    "a table": lambda: table_of(Project),
    "a name": lambda: "ProjectName",
}


def stored(database: Any) -> Any:
    with database.unit_of_work() as uow:
        areds = uow.projects.add(Project(project_name="AREDS"))
        uow.patients.add(Patient(project=areds, patient_identifier="P1"))
        uow.projects.add(Project(project_name="Other"))
        uow.commit()
    return database


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_a_database_is_asked_with_expressions(sqlite_database: Database, name: str) -> None:
    with stored(sqlite_database).unit_of_work() as uow:
        (found,) = uow.projects.where(EXPRESSIONS[name]())
        assert found.project_name == "AREDS"


@pytest.mark.parametrize("name", NONE)
def test_a_database_is_asked_with_nothing_else(sqlite_database: Database, name: str) -> None:
    with (
        stored(sqlite_database).unit_of_work() as uow,
        pytest.raises(BadInput, match=r"expressions such as Project\.project_id == 1, not with"),
    ):
        uow.projects.where(NONE[name]())


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_memory_is_asked_with_functions_and_not_with_expressions(name: str) -> None:
    with stored(MemoryDatabase()).unit_of_work() as uow:
        (found,) = uow.projects.where(lambda one: one.project_name == "AREDS")
        assert found.project_name == "AREDS"
        with pytest.raises(BadInput, match="functions that take a Project, not with"):
            uow.projects.where(EXPRESSIONS[name]())
