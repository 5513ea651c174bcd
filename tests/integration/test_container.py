"""The container puts one of each together, and closes what it has opened."""

import threading
from contextlib import closing
from pathlib import Path

from eyened_domain import Container, Project


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
        assert home.is_dir()
    assert not home.exists()


def test_one_that_has_opened_nothing_is_closed_too():
    Container(config="sqlite:////nowhere/there.db").close()
    assert not Path("/nowhere").exists()
