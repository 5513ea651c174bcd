"""Databases in memory are as those in a file, and leave nothing behind."""

import gc
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from eyened_domain import Database, Project, Segmentation
from eyened_domain.config import Settings
from eyened_domain.config.temporary import remove_folder
from eyened_domain.testing.databases import settings_on
from tests.integration.test_pixels import drawn, pixels, states

_THREADS, _UNITS = 4, 40


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files, with nothing in it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def database(temporary: Path):
    database = Database("sqlite://")
    yield database
    database.close()


def named(name: str) -> Project:
    return Project(project_name=name, external="N")


def names(database: Database) -> set[str]:
    with database.get_session() as session:
        return {one.project_name for one in Project.fetch_all(session)}


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:n?mode=memory&uri=true"]
)
def test_a_second_session_neither_sees_nor_spoils_what_is_not_committed(temporary, url):
    database = Database(url)
    with database.unit_of_work() as uow:
        uow.projects.add(named("before"))
        uow.flush()
        assert names(database) == set()
        uow.projects.add(named("after"))
        uow.commit()
    assert names(database) == {"before", "after"}
    database.close()


def test_a_session_reads_on_while_a_unit_of_work_commits(database):
    with database.get_session() as reading:
        assert Project.fetch_all(reading) == []
        with database.unit_of_work() as uow:
            uow.projects.add(named("P"))
            uow.commit()
        assert Project.fetch_all(reading) == []
    assert names(database) == {"P"}


def test_every_commit_of_four_threads_that_was_acknowledged_is_there(database):
    acknowledged: list[str] = []

    def many(thread: int) -> None:
        for number in range(_UNITS):
            with database.unit_of_work() as uow:
                uow.projects.add(named(f"{thread}-{number}"))
                uow.flush()
                names(database)
                uow.commit()
            acknowledged.append(f"{thread}-{number}")

    threads = [threading.Thread(target=many, args=(n,)) for n in range(_THREADS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(acknowledged) == _THREADS * _UNITS
    assert names(database) == set(acknowledged)


def test_pixels_are_reserved_on_a_connection_of_their_own(database, builder):
    with database.unit_of_work() as uow:
        one = uow.segmentations.add(drawn(builder))
        uow.commit()
        one.write_data(pixels(1))
        uow.commit()
    with database.get_session() as session:
        found = Segmentation.by_id(session, one.segmentation_id).read_data()
    assert (found == pixels(1)).all()
    assert sorted(states(database).values()) == ["live", *["reserved"] * 15]


def test_two_of_them_are_two(database):
    other = Database("sqlite://")
    with other.unit_of_work() as uow:
        uow.projects.add(named("of the other"))
        uow.commit()
    assert names(database) == set()
    other.close()


def test_those_of_one_name_with_a_shared_cache_are_one_until_the_last_is_closed(temporary):
    url = "sqlite:///file:clinic?mode=memory&cache=shared&uri=true"
    one, two = Database(url), Database(url)
    with one.unit_of_work() as uow:
        uow.projects.add(named("P"))
        uow.commit()
    assert names(two) == {"P"}
    one.close()
    assert names(two) == {"P"}
    two.close()
    assert names(one) == set()
    one.close()


def test_closed_it_is_gone_and_is_empty_when_it_is_used_again(database, temporary):
    with database.unit_of_work() as uow:
        uow.projects.add(named("P"))
        uow.commit()
    assert list(temporary.iterdir())
    database.close()
    assert list(temporary.iterdir()) == []
    assert names(database) == set()
    database.close()
    assert list(temporary.iterdir()) == []


def test_nothing_is_left_of_one_that_nobody_has_any_more(temporary):
    database = Database("sqlite://")
    assert names(database) == set()
    del database
    gc.collect()
    assert list(temporary.iterdir()) == []


def test_a_session_keeps_it_whose_database_nobody_has(temporary, builder):
    session = Database("sqlite://").create_session()
    gc.collect()
    one = drawn(builder)
    session.add(one)
    session.commit()
    one.write_data(pixels(1))
    session.commit()
    assert (one.read_data() == pixels(1)).all()
    session.close()


def test_nothing_is_left_when_the_interpreter_ends(tmp_path):
    program = (
        "from eyened_domain import Database\n"
        "from eyened_domain.config import Settings\n"
        "database = Database('sqlite://')\n"
        "database.engine\n"
        "Settings.load('sqlite://').prepare()\n"
        "import os, tempfile; print(len(os.listdir(tempfile.gettempdir())))\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, check=True
    )
    assert int(done.stdout) == 3
    assert list(tmp_path.iterdir()) == []


def test_stores_that_were_given_a_place_stay_there(tmp_path):
    database = Database(settings_on("sqlite://", tmp_path))
    assert names(database) == set()
    kept = tmp_path / "images" / "kept.png"
    kept.parent.mkdir()
    kept.touch()
    database.close()
    assert kept.exists()
    home = tmp_path / "home"
    database = Database({"database_url": "sqlite://", "eyened_home": str(home)})
    assert names(database) == set()
    database.close()
    assert (home / "images").is_dir()


def test_another_process_does_not_remove_what_this_one_has_named(temporary, monkeypatch):
    home = Settings.load("sqlite://").prepare().home
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert home is not None
    remove_folder(home)
    assert home.is_dir()


@pytest.mark.parametrize("part", ["engine", "image_store", "pixel_shelf", "annotation_files"])
def test_twelve_threads_get_the_same_part_of_a_database(database, part):
    together = threading.Barrier(12)
    found = []

    def get() -> None:
        together.wait()
        found.append(getattr(database, part))

    threads = [threading.Thread(target=get) for _ in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len({id(one) for one in found}) == 1
    assert len(found) == 12
