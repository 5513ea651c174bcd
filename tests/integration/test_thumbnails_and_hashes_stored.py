"""Thumbnails and hashes of images in a database: SQLite and MariaDB, real files, real workers."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import define
from PIL import Image
from sqlalchemy import text

from eyened_domain import Database, ImageInstance
from eyened_domain.adapters.bootstrap import hashes_on, thumbnails_on
from eyened_domain.adapters.executors import ProcessWorkers, crew
from eyened_domain.errors import ConfigurationError, FolderMissing
from eyened_domain.services.batches import RunOptions
from eyened_domain.services.thumbnails import Thumbnails, thumbnail_identifier
from eyened_domain.testing import Builder, count_queries

Put = Callable[..., list[int]]


@pytest.fixture
def images(database: Database) -> Path:
    folder = Path(database.settings.images_basepath)
    folder.mkdir()
    Path(database.settings.thumbnails_path).mkdir()
    return folder


@pytest.fixture
def put(database: Database, builder: Builder) -> Put:
    """Store images of 24 x 32 pixels, as their files have, in one series; return their ids."""

    def put(*names: str, **values: Any) -> list[int]:
        sizes = {"rows_y": 24, "columns_x": 32, **values}
        series = builder.a_series()
        with database.unit_of_work() as uow:
            images = [
                builder.an_image(dataset_identifier=name, series=series, **sizes) for name in names
            ]
            uow.images.add_all(images)
            uow.commit()
            return [image.image_instance_id for image in images]

    return put


def draw(folder: Path, *names: str) -> None:
    for number, name in enumerate(names):
        pixels = np.full((24, 32, 3), (number % 256, number // 256, 7), np.uint8)
        Image.fromarray(pixels).save(folder / name)


def stored(database: Database, column: str) -> dict[int, Any]:
    """What a column holds, as any other program reads it."""
    with database.engine.connect() as connection:
        rows = connection.execute(text(f"SELECT ImageInstanceID, {column} FROM ImageInstance"))
        return {row[0]: row[1] for row in rows}


def numbered(count: int) -> list[str]:
    return [f"{n:04}.png" for n in range(count)]


def test_rows_and_files_say_the_same(database: Database, put: Put, images: Path) -> None:
    draw(images, "a.png", "b.png")
    (images / "bad.png").write_bytes(b"no picture")
    ids = put("a.png", "b.png", "bad.png", "gone.png", "form.json")
    report = thumbnails_on(database).update()
    assert str(report) == "2 made, 2 failed, 1 skipped"
    assert [one.name for one in report.failures] == ["bad.png", "gone.png"]
    with database.get_session() as session:
        image = ImageInstance.by_id(session, ids[0])
        project = image.project.project_id
        assert image.get_thumbnail_path(144).exists()
        assert image.get_thumbnail_path(540).exists()
    key = database.settings.secret_key
    assert stored(database, "ThumbnailPath") == {
        **{one: thumbnail_identifier(key, project, one) for one in ids[:2]},
        **dict.fromkeys(ids[2:4], ""),
        ids[4]: None,
    }
    files = [path for path in Path(database.settings.thumbnails_path).rglob("*") if path.is_file()]
    assert len(files) == 4
    draw(images, "bad.png")
    assert str(thumbnails_on(database).update()) == "0 made, 0 failed, 1 skipped"
    assert str(thumbnails_on(database).update(failed=True)) == "1 made, 1 failed, 1 skipped"


def test_hashes_are_stored_in_the_form_of_the_contract(
    database: Database, put: Put, images: Path
) -> None:
    draw(images, "a.png", "v_0.png", "v_1.png", "v_2.png")
    (images / "raw.binary").write_bytes(bytes(range(256)) * 3 * 3)
    (images / "bad.png").write_bytes(b"no picture")
    (images / "form.json").write_text("{}")
    (photo,) = put("a.png")
    (series,) = put("[png_series_3]v.png", nr_of_frames=3)
    (raw,) = put("raw.binary", nr_of_frames=3)
    bad, form = put("bad.png", "form.json")
    report = hashes_on(database).update()
    assert str(report) == "4 made, 1 failed"

    def md5(name: str) -> bytes:
        return hashlib.md5((images / name).read_bytes()).digest()

    assert stored(database, "FileChecksum") == {
        photo: md5("a.png"), series: None, raw: md5("raw.binary"), bad: md5("bad.png"),
        form: md5("form.json"),
    }  # fmt: skip
    with database.get_session() as session:
        for image_id in (photo, series, raw):
            image = ImageInstance.by_id(session, image_id)
            wanted = hashlib.sha256(image.pixel_array.tobytes()).hexdigest().encode("ascii")
            assert image.data_hash == wanted
    assert stored(database, "DataHash")[raw] == (
        hashlib.sha256((images / "raw.binary").read_bytes()).hexdigest().encode()
    )
    assert stored(database, "DataHash")[bad] is None
    (images / "a.png").write_bytes(b"changed")
    again = hashes_on(database).update()
    assert str(again) == "0 made, 1 failed, 2 skipped"  # the series and the form lack the other
    assert [one.name for one in again.failures] == ["bad.png"]


def test_worker_processes_do_what_this_process_does(
    database: Database, put: Put, images: Path
) -> None:
    names = numbered(40)
    draw(images, *names[:-1])
    ids = put(*names)
    with ProcessWorkers(2) as workers:
        options = RunOptions(executor=workers, portion=7)
        made = thumbnails_on(database).update(options=options)
        hashed = hashes_on(database).update(options)
    assert (str(made), str(hashed)) == ("39 made, 1 failed", "39 made, 1 failed")
    assert len({value for value in stored(database, "DataHash").values() if value}) == 39
    assert stored(database, "ThumbnailPath")[ids[-1]] == ""


@define
class Somebody:
    """Makes no thumbnail; meanwhile another program writes to the row of the image."""

    database: Database
    sets: str = ""

    def check(self) -> None: ...

    def make(self, request: Any) -> None:
        if self.sets:
            with self.database.engine.begin() as connection:
                where = f"WHERE ImageInstanceID = {request.image_id}"
                connection.execute(text(f"UPDATE ImageInstance SET {self.sets} {where}"))


@pytest.mark.parametrize(
    ("sets", "made", "path"),
    [
        ("ThumbnailPath = 'theirs'", 0, "theirs"),
        ("CFQuality = 1", 1, "ours"),
        ("DatasetIdentifier = 'x.png'", 0, None),
    ],
)
def test_what_others_write_meanwhile_is_kept(
    database: Database, put: Put, sets: str, made: int, path: str | None
) -> None:
    (image_id,) = put("a.png")
    _ = database.engine
    key = database.settings.secret_key
    report = Thumbnails(database, Somebody(database, sets), key).update()
    assert (report.made, report.overtaken) == (made, 1 - made)
    found = stored(database, "ThumbnailPath")[image_id]
    assert (
        found.endswith(thumbnail_identifier(key, 0, image_id)[1:])
        if path == "ours"
        else (found == path)
    )
    assert stored(database, "CFQuality")[image_id] == (1 if path == "ours" else None)


def test_two_runs_at_once_share_the_work_and_lose_nothing(
    database: Database, put: Put, images: Path
) -> None:
    names = numbered(60)
    draw(images, *names)
    put(*names)
    options = RunOptions(portion=9)
    with ThreadPoolExecutor(2) as threads:
        runs = [threads.submit(thumbnails_on(database).update, options=options) for _ in range(2)]
        reports = [run.result() for run in runs]
    assert sum(report.made for report in reports) == 60
    assert all(report.failures == () for report in reports)
    assert all(stored(database, "ThumbnailPath").values())
    assert len(list(Path(database.settings.thumbnails_path).rglob("*.jpg"))) == 120


def test_the_number_of_statements_grows_with_the_portions_only(
    database: Database, put: Put, images: Path
) -> None:
    counts = []
    for count in (20, 200):
        put(*(f"{count}-{n}.png" for n in range(count)))
        service = Thumbnails(database, Somebody(database), database.settings.secret_key)
        with count_queries(database.engine) as sent:
            assert service.update(options=RunOptions(portion=1000)).made == count
        counts.append(sent.total)
    assert counts[0] == counts[1]
    if database.settings.is_server:
        assert [one for one in sent.statements if one.endswith("FOR UPDATE")]


@pytest.mark.parametrize("store", ["images_basepath", "thumbnails_path"])
def test_without_its_folders_nothing_is_marked(
    database: Database, put: Put, images: Path, store: str
) -> None:
    draw(images, "a.png")
    (image_id,) = put("a.png")
    folder = Path(getattr(database.settings, store))
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(ConfigurationError, match=store.upper()):
        thumbnails_on(database).update()
    assert stored(database, "ThumbnailPath") == {image_id: None}


@define
class Unmounting:
    """Makes what it is asked for, until the images are not there any more."""

    files: Any
    folder: Path
    after: int

    def check(self) -> None:
        self.files.check()

    def make(self, request: Any) -> Any:
        self.after -= 1
        if self.after == 0:
            self.folder.rename(self.folder.with_name("elsewhere"))
            self.folder.mkdir()
        return self.files.make(request)


@pytest.mark.parametrize("column", ["ThumbnailPath", "DataHash"])
def test_when_the_images_go_away_the_run_ends_and_nothing_more_is_marked(
    database: Database, put: Put, images: Path, column: str
) -> None:
    names = numbered(9)
    draw(images, *names)
    put(*names)
    service = thumbnails_on(database) if column == "ThumbnailPath" else hashes_on(database)
    service._files = Unmounting(service._files, images, after=4)
    with pytest.raises(FolderMissing, match=r"IMAGES_BASEPATH is .* which is empty"):
        service.update(options=RunOptions(portion=2))
    values = list(stored(database, column).values())
    assert all(values[:3])
    assert values[3:] == [None] * 6
    assert (images.rmdir(), images.with_name("elsewhere").rename(images))[1] == images  # type: ignore[func-returns-value]
    service = thumbnails_on(database) if column == "ThumbnailPath" else hashes_on(database)
    assert service.update().made == 6


def test_a_full_disk_leaves_the_images_for_the_next_run(
    database: Database, put: Put, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(images, "a.png")
    (image_id,) = put("a.png")

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        report = thumbnails_on(database).update()
    assert [one.failure.kind for one in report.undone] == ["StorageError"]
    assert stored(database, "ThumbnailPath") == {image_id: None}
    assert list(Path(database.settings.thumbnails_path).rglob("*.*")) == []
    assert thumbnails_on(database).update().made == 1


def environment(_item: int) -> dict[str, str]:
    return dict(os.environ)


def test_no_secret_is_in_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary")
    monkeypatch.setenv("DATABASE_PASSWORD", "canary")
    with ProcessWorkers(1) as workers:
        found = workers.submit(environment, 0).result()
    assert "canary" not in found.values()
    assert found["OMP_NUM_THREADS"] == "1"


# -- dask --------------------------------------------------------------------------------


@define
class Cluster:
    address: str
    pids: list[int]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    distributed = pytest.importorskip("distributed")
    import dask

    quick = {
        "distributed.scheduler.allowed-failures": 0,
        "distributed.logging.distributed": "critical",
    }
    with (
        dask.config.set(quick),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as local,
    ):
        yield Cluster(local.scheduler_address, [])


def test_a_dask_cluster_does_what_this_process_does(
    database: Database, put: Put, images: Path, cluster: Cluster
) -> None:
    names = numbered(30)
    draw(images, *names[:-1])
    put(*names)
    with crew(dask=cluster.address) as hands:
        options = RunOptions(executor=hands.executor, in_flight=hands.in_flight)
        made = thumbnails_on(database).update(options=options)
        hashed = hashes_on(database).update(options)
    assert (str(made), str(hashed)) == ("29 made, 1 failed", "29 made, 1 failed")


def pid_or_death(item: Any) -> int:
    if item == "die":
        os._exit(1)
    return os.getpid()


def test_on_dask_a_killed_worker_is_blamed_on_its_item(cluster: Cluster) -> None:
    from eyened_domain.services.batches import work_on

    with crew(dask=cluster.address) as hands:
        items = [*range(6), "die", *range(6, 30)]
        found = list(work_on(items, pid_or_death, executor=hands.executor, in_flight=4))
    assert len(found) == 31
    assert [one.item for one in found if one.failure is not None] == ["die"]
    workers = {one.value for one in found if one.failure is None}
    assert os.getpid() not in workers
    assert len(workers) >= 2


def test_an_address_without_a_scheduler_is_a_clear_error() -> None:
    pytest.importorskip("distributed")
    from eyened_domain.errors import StorageError

    with pytest.raises(StorageError, match="no dask scheduler"), crew(dask="no such thing"):
        pass
