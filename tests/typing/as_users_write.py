"""What a type checker makes of code as users write it; checked by mypy --strict, never run."""

from collections.abc import Sequence
from datetime import date
from typing import assert_type

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute

import eyened_domain
from eyened_domain import (
    Container,
    Database,
    ImageInstance,
    Laterality,
    Patient,
    Project,
    Segmentation,
    Study,
    SubTaskState,
    Tagging,
    testing,
)
from eyened_domain.adapters.memory import MemoryDatabase, MemoryUnitOfWork
from eyened_domain.services.events import Event
from eyened_domain.services.repository import Repository
from eyened_domain.services.storage import Storage
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing import Builder


def names() -> None:
    eyened_domain.Projct(project_name="AREDS")  # type: ignore[attr-defined]
    testing.MemoryImags()  # type: ignore[attr-defined]
    assert_type(eyened_domain.Project(project_name="AREDS"), Project)
    assert_type(eyened_domain.__version__, str)


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
        assert_type(patient.patient_identifier, str)
        session.scalars(select(Study).join(Patient).where(Patient.patient_identifier == "P1"))
        session.scalars(select(Study).join(Study.patient).where(Patient.sex.is_not(None)))
        assert_type(session.scalars(select(Patient.patient_identifier)).all(), Sequence[str])
        assert_type(Patient.patient_identifier == "P1", ColumnElement[bool])
        assert_type(Study.study_date >= "2024-01-01", ColumnElement[bool])
        assert_type(Patient.birth_date, InstrumentedAttribute[date | None])
        assert_type(Project.patients, InstrumentedAttribute[list[Patient]])
        assert_type(Study.patient, InstrumentedAttribute[Patient])
        select(Study).where(Patient.patient_identifier.startswith)  # type: ignore[arg-type]
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


def service(uow: UnitOfWork, image: ImageInstance) -> Patient:
    uow.flsh()  # type: ignore[attr-defined]
    uow.imags.get(1)  # type: ignore[attr-defined]
    uow.images.gett(1)  # type: ignore[attr-defined]
    uow.images.by_identifier(1, "P1")  # type: ignore[attr-defined]
    uow.images.add_al([image])  # type: ignore[attr-defined]
    uow.patients.add(image)  # type: ignore[arg-type]
    uow.projects.delete(image)  # type: ignore[arg-type]
    uow.rows.fnd(Patient, "patient_id", [1], ["sex"])  # type: ignore[attr-defined]
    uow.imports.rns()  # type: ignore[attr-defined]
    uow.conversions.nothing()  # type: ignore[attr-defined]
    uow.repository(Segmentation).get(1).zarr_array_index += 1  # type: ignore[operator]
    uow.repository("Patient")  # type: ignore[arg-type]
    uow.lock(1)  # type: ignore[arg-type]
    uow.record("stored")  # type: ignore[arg-type]
    uow.record(Event())
    uow.on_commit(3)  # type: ignore[arg-type]
    with uow.savepoint():
        assert_type(uow.images.get(1, default=None), ImageInstance | None)
    assert_type(uow.projects.name_to_id(), dict[str, int])
    assert_type(uow.images.count(inactive=True), int)
    return uow.patients.one(patient_identifier="P1")


def any_storage(storage: Storage, tagging: Tagging) -> int:
    with storage.unit_of_work() as uow:
        assert_type(uow.creators.by_name("dr_smith").creator_name, str)
        tagging.tagg(uow)  # type: ignore[attr-defined]
    storage.unit_of_wrk()  # type: ignore[attr-defined]
    storage.run(lambda uow: uow.pateints.count())  # type: ignore[attr-defined]
    return storage.run(lambda uow: uow.patients.count(), retries=2)


def storages(database: Database, memory: MemoryDatabase) -> int:
    database.run(lambda uow: uow.pateints.count())  # type: ignore[attr-defined]
    memory.run(lambda uow: uow.pateints.count())  # type: ignore[attr-defined]
    return any_storage(database, Tagging()) + any_storage(memory, Tagging())


def test_of_a_service(uow: MemoryUnitOfWork, builder: Builder) -> SubTaskState:
    patient = builder.a_patient(sex="F")
    assert_type(patient, Patient)
    assert_type(uow.studies.add(builder.a_study(patient=patient)), Study)
    builder.a_pateint()  # type: ignore[attr-defined]
    builder.a_patient(1)  # type: ignore[call-arg]
    return builder.a_sub_task().task_state
