"""What a type checker makes of each way to a unit of work; checked, never run."""

from typing import assert_type

from eyened_domain import Container, Database, ImageInstance, Patient, Project, Segmentation
from eyened_domain.adapters.memory import MemoryDatabase, MemoryUnitOfWork
from eyened_domain.adapters.sql.session import DomainSession
from eyened_domain.adapters.sql.unit_of_work import SqlUnitOfWork
from eyened_domain.model.pixels.prepared import PreparedPixels
from eyened_domain.services.annotation_conversion import AnnotationConversion
from eyened_domain.services.repository import Repository
from eyened_domain.services.storage import Storage
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.contracts.base import MakeUnitOfWork


def of_a_container() -> None:
    assert_type(Container(config=None).unit_of_work(), SqlUnitOfWork)
    with Container(config=None).unit_of_work() as uow:
        assert_type(uow.images, Repository[ImageInstance])
        assert_type(uow.patients.by_identifier(1, "P1", default=None), Patient | None)
        uow.imgaes.get(1)  # type: ignore[attr-defined]
        uow.images.gte(1)  # type: ignore[attr-defined]


def of_a_database(database: Database) -> int:
    assert_type(database.unit_of_work(), SqlUnitOfWork)
    with database.unit_of_work() as uow:
        assert_type(uow.session, DomainSession)
        uow.finish(database.create_session)  # type: ignore[attr-defined]
    return database.run(lambda uow: uow.session.repository(Project).count())


def in_memory() -> int:
    assert_type(MemoryDatabase().unit_of_work(), MemoryUnitOfWork)
    with MemoryDatabase().unit_of_work() as uow:
        assert_type(uow.repository(Project), Repository[Project])
        uow.session.flush()  # type: ignore[attr-defined]
    return MemoryDatabase().run(lambda uow: uow.projects.count())


def of_a_storage(storage: Storage, called: list[int]) -> None:
    assert_type(storage.unit_of_work(), UnitOfWork)
    with storage.unit_of_work() as uow:
        uow.on_commit(called.pop)
        uow.rows.updte(Project, [])  # type: ignore[attr-defined]
        uow.lokc(uow.projects.get(1))  # type: ignore[attr-defined]
        uow.recrod  # type: ignore[attr-defined]  # noqa: B018
        uow.savpoint()  # type: ignore[attr-defined]


def of_a_contract(make_unit_of_work: MakeUnitOfWork) -> None:
    with make_unit_of_work() as uow:
        assert_type(uow.projects.by_name("a"), Project)
        uow.rollbak()  # type: ignore[attr-defined]


def given_to_what_a_conversion_calls(storage: Storage) -> AnnotationConversion:
    def create(uow: UnitOfWork, one: Segmentation, _pixels: PreparedPixels) -> Segmentation:
        uow.flsh()  # type: ignore[attr-defined]
        return uow.segmentations.add(one)

    def of_another_kind(
        project: Project, one: Segmentation, _pixels: PreparedPixels
    ) -> Segmentation:
        return one

    AnnotationConversion(storage, of_another_kind)  # type: ignore[arg-type]
    return AnnotationConversion(storage, create)
