"""What a type checker makes of code as users write it; checked by mypy --strict, never run."""

from datetime import date
from typing import assert_type

from sqlalchemy import select

from eyened_domain import Container, Database, ImageInstance, Laterality, Patient, Project, Study
from eyened_domain.adapters.memory import MemoryDatabase
from eyened_domain.services.repository import Repository
from eyened_domain.services.unit_of_work import UnitOfWork


def notebook(database: Database) -> None:
    with database.get_session() as session:
        project = Project.by_name(session, "AREDS")
        assert_type(project, Project)
        assert_type(project.project_name, str)
        assert_type(project.patients, list[Patient])
        assert_type(Project.by_name(session, "AREDS", default=None), Project | None)
        patient = Patient.by_identifier(session, project.project_id, "P1")
        assert_type(patient.birth_date, date | None)
        assert_type(patient.studies, list[Study])
        session.scalars(select(Study).join(Patient).where(Patient.patient_identifier == "P1"))
        session.scalars(select(Study).join(Patient).where(Patient.PatientIdentifier.like("P%")))


def constructors(patient: Patient) -> None:
    study = Study(study_date=date(2024, 1, 31), patient=patient)
    assert_type(study.study_date, date)
    Study(study_date="2024-01-31", patient_id=5)
    image = ImageInstance(dataset_identifier="a.png", laterality="L")
    image.laterality = Laterality.R
    Study(study_date=3)  # type: ignore[arg-type]
    Study(studydate="2024-01-31")  # type: ignore[call-arg]


def application(container: Container) -> None:
    with container.unit_of_work() as uow:
        assert_type(uow.projects.get(1), Project)
        uow.commit()
        uow.comit()  # type: ignore[attr-defined]


def units(database: Database, memory: MemoryDatabase) -> None:
    with memory.unit_of_work() as uow:
        assert_type(uow.projects, Repository[Project])
        uow.comit()  # type: ignore[attr-defined]
    with database.unit_of_work() as uow:
        assert_type(uow.projects, Repository[Project])
        assert_type(uow.projects.by_name("AREDS", default=None), Project | None)
        assert_type(uow.patients.by_identifier(1, "P1"), Patient)
        assert_type(uow.repository(Study).where(study_round=1), list[Study])
        assert_type(uow.images.by_ids([1, 2]), list[ImageInstance])
        uow.projects.add(Study(study_date="2024-01-31"))  # type: ignore[arg-type]
        uow.pateints.where()  # type: ignore[attr-defined]
        uow.patients.by_identifer(1, "P1")  # type: ignore[attr-defined]


def service(uow: UnitOfWork) -> Patient:
    uow.flsh()  # type: ignore[attr-defined]
    return uow.patients.one(patient_identifier="P1")
