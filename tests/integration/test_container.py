"""The container puts one of each together, and closes what it has opened."""

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dependency_injector import providers

from eyened_domain import AnnotationData, Container, Database, ImageInstance, Project
from eyened_domain.adapters.files.annotation_files import StoredAnnotationFiles
from eyened_domain.adapters.pixels.positions.reservations import Reservations
from eyened_domain.adapters.pixels.session_pixels import ZarrShelf
from eyened_domain.adapters.pixels.zarr.files import SlotFiles
from eyened_domain.testing import Builder, MemoryImages


def test_twelve_threads_get_one_database():
    container = Container(config="sqlite://")
    together = threading.Barrier(12)
    found = []

    def get() -> None:
        together.wait()
        found.append(container.database())

    threads = [threading.Thread(target=get) for _ in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(found) == 12
    assert len({id(one) for one in found}) == 1


def test_it_closes_its_database():
    with closing(Container(config="sqlite://")) as container:
        with container.unit_of_work() as uow:
            uow.projects.add(Project(project_name="P", external="N"))
            uow.commit()
        home = container.settings().home
        assert home is not None
        assert home.is_dir()
    assert not home.exists()


def test_one_that_has_opened_nothing_is_closed_too():
    Container(config="sqlite:////nowhere/there.db").close()
    assert not Path("/nowhere").exists()


GREY = np.arange(480 * 640, dtype=np.uint8).reshape(480, 640)


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    with closing(Container(config={"EYENED_HOME": str(tmp_path / "home")})) as container:
        yield container


def _stored_image(container: Container) -> int:
    with container.unit_of_work() as uow:
        image = uow.images.add(Builder().an_image(dataset_identifier="a.png"))
        uow.commit()
        return image.image_instance_id


def _other_shelf(container: Container, folder: Path) -> ZarrShelf:
    engine, files = container.database().engine, SlotFiles(folder)
    return ZarrShelf(files, Reservations(engine, files), engine.connect)


def test_another_image_store_reaches_the_images(container: Container):
    identity = _stored_image(container)
    with container.image_store.override(MemoryImages({"a.png": GREY})):
        with container.unit_of_work() as uow:
            assert (uow.images.get(identity).pixel_array == GREY).all()
        with container.database().get_session() as session:
            assert (ImageInstance.by_id(session, identity).pixel_array == GREY).all()
        ran = container.database().run(lambda uow: uow.images.get(identity).pixel_array)
        assert (ran == GREY).all()
    with container.unit_of_work() as uow:
        assert uow.images.get(identity).path == container.settings().images_basepath / "a.png"


def test_it_reaches_images_that_are_added_too(container: Container):
    with (
        container.image_store.override(MemoryImages({"a.png": GREY})),
        container.unit_of_work() as uow,
    ):
        image = uow.images.add(Builder().an_image(dataset_identifier="a.png"))
        assert (image.pixel_array == GREY).all()


def test_another_pixel_store_keeps_the_pixels(container: Container, tmp_path: Path):
    identity = _stored_image(container)
    other = tmp_path / "other.zarr"
    with container.pixel_store.override(_other_shelf(container, other)):
        with container.unit_of_work() as uow:
            image = uow.images.get(identity)
            made = container.segmenting().create(
                uow,
                image,
                (GREY > 9).astype("uint8"),
                creator=uow.creators.add(Builder().a_creator()),
                feature=uow.features.add(Builder().a_feature()),
            )
            uow.commit()
        with container.unit_of_work() as uow:
            found = uow.segmentations.get(made.segmentation_id).read_data()
            assert (found == (GREY > 9)).all()
    assert any(other.rglob("c/*"))
    assert not [*container.settings().segmentations_zarr_store.iterdir()]


def test_other_annotation_files_reach_the_annotations(container: Container, tmp_path: Path):
    with container.unit_of_work() as uow:
        row = Builder().add(uow, AnnotationData, dataset_identifier="b.png")
        uow.commit()
        identity = (row.annotation_id, row.scan_nr)
    with (
        container.annotation_files.override(StoredAnnotationFiles(tmp_path / "elsewhere")),
        container.unit_of_work() as uow,
    ):
        assert uow.annotation_data.get(identity).path == tmp_path / "elsewhere" / "b.png"


def test_what_is_not_overridden_is_made_once_for_all_threads(container: Container):
    together = threading.Barrier(12)
    found: set[int] = set()

    def get() -> None:
        together.wait()
        found.update(
            (id(container.image_store()), id(container.pixel_store()), id(container.database()))
        )

    threads = [threading.Thread(target=get) for _ in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(found) == 3


def test_it_leaves_a_database_open_that_it_was_given(tmp_path: Path):
    with closing(Database(f"sqlite:///{tmp_path}/own.db")) as own:
        own.init()
        container = Container(config={"EYENED_HOME": str(tmp_path / "home")})
        container.database.override(providers.Object(own))
        with container.unit_of_work() as uow:
            uow.projects.add(Project(project_name="P", external="N"))
            uow.commit()
        pool: Any = own.engine.pool
        container.close()
        assert id(own.engine.pool) == id(pool)
        assert pool.checkedin() > 0


def test_its_pool_is_empty_when_it_is_closed(container: Container):
    container.database().init()
    with container.unit_of_work() as uow:
        assert uow.projects.count() == 0
    pool: Any = container.database().engine.pool
    assert pool.checkedin() > 0
    container.close()
    assert pool.checkedin() == 0
