"""`eorm update-thumbnails` and `update-hashes`, run as people and cron run them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from eyened_domain import Database, ImageInstance
from eyened_domain.testing import Builder
from tests.e2e.forked import run_eorm

PROGRAM = [sys.executable, "-m", "eyened_domain.adapters.cli"]


class Deployment:
    """A folder with an embedded database, and the command line on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = Database({"EYENED_HOME": str(folder)})
        self.database.init()
        self.images = self.database.settings.images_basepath
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE", "EYENED"))}
        self.environment = kept | {"EYENED_HOME": str(folder)}

    def add(self, *names: str) -> None:
        """Store images; where their files are is another matter."""
        builder = Builder()
        series = builder.a_series()
        with self.database.unit_of_work() as uow:
            uow.images.add_all(
                builder.an_image(dataset_identifier=n, series=series, rows_y=None, columns_x=None)
                for n in names
            )
            uow.commit()

    def draw(self, *names: str, size: int = 20) -> None:
        """Write image files, all the same one, which is slow to read if it is large."""
        pixels = np.random.default_rng(1).integers(0, 255, (size, size, 3), np.uint8)
        first = self.images / names[0]
        Image.fromarray(pixels).save(first)
        for name in names[1:]:
            os.link(first, self.images / name)

    def eorm(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_eorm(*arguments, env=self.environment, timeout=120)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command as the head of a group of processes, as a shell does."""
        return subprocess.Popen(
            [*PROGRAM, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def done(self) -> int:
        """How many images have a thumbnail."""
        with self.database.get_session() as session:
            images = ImageInstance.fetch_all(session)
            return len([image for image in images if image.thumbnail_path])

    def wait_for_files(self, count: int) -> None:
        """Wait until that many files of thumbnails are there."""
        folder = Path(self.database.settings.thumbnails_path)
        end = time.monotonic() + 60
        while len(list(folder.rglob("*.jpg"))) < count:
            assert time.monotonic() < end
            time.sleep(0.01)


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    made = Deployment(tmp_path / "data")
    yield made
    made.database.close()


def numbered(count: int) -> list[str]:
    return [f"{n:03}.png" for n in range(count)]


def result(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.mark.parametrize("command", ["update-thumbnails", "update-hashes"])
def test_a_run_tells_what_it_made_and_what_failed_and_why(
    deployment: Deployment, command: str
) -> None:
    deployment.draw("a.png", "b.png")
    deployment.add("a.png", "gone.png", "b.png")
    run = deployment.eorm(command)
    assert (run.returncode, run.stderr) == (0, "")
    first, title, columns, failure = run.stdout.splitlines()
    assert first.endswith(": 2 made, 1 failed")
    assert (title, columns.split()) == ("Failures", ["image", "file", "why"])
    assert failure.split()[:3] == ["2", "gone.png", "FileMissing:"]
    assert failure.endswith("does not exist")


def test_a_second_run_has_nothing_to_do_unless_the_failed_are_asked_for(
    deployment: Deployment,
) -> None:
    deployment.draw("a.png")
    deployment.add("a.png", "b.png", "form.json")
    made = result(deployment.eorm("update-thumbnails", "--json"))
    assert [one["file"] for one in made["failures"]] == ["b.png"]
    assert (made["made"], made["failed"], made["skipped"]) == (1, 1, 1)
    assert result(deployment.eorm("update-thumbnails", "--json"))["failed"] == 0
    deployment.draw("b.png")
    again = result(deployment.eorm("update-thumbnails", "--failed", "--json"))
    assert (again["made"], again["failed"]) == (1, 0)


def test_the_first_20_failures_are_listed_and_all_when_asked(deployment: Deployment) -> None:
    deployment.draw("another.png")  # a folder without any file is not mounted
    deployment.add(*numbered(23))
    run = deployment.eorm("update-hashes")
    assert run.stdout.count("does not exist") == 20
    assert run.stdout.splitlines()[-1] == "… and 3 more; --print-errors lists all"
    assert deployment.eorm("update-hashes", "--print-errors").stdout.count("does not exist") == 23


def test_the_settings_may_come_from_a_file(deployment: Deployment, tmp_path: Path) -> None:
    deployment.draw("a.png")
    deployment.add("a.png")
    env = tmp_path / "a.env"
    env.write_text(f"EYENED_HOME={deployment.folder}\n")
    del deployment.environment["EYENED_HOME"]
    assert deployment.eorm("update-thumbnails", "-e", str(env)).returncode == 0
    assert deployment.done() == 1


def test_what_keeps_a_run_from_beginning_is_one_line_and_exit_code_1(
    deployment: Deployment,
) -> None:
    deployment.add("a.png")
    deployment.environment["THUMBNAILS_PATH"] = "/nowhere/thumbnails"
    run = deployment.eorm("update-thumbnails")
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 1)
    assert "THUMBNAILS_PATH is '/nowhere/thumbnails', which is not there" in run.stderr
    both = deployment.eorm("update-hashes", "--workers", "2", "--dask", "tcp://x:1")
    assert (both.returncode, both.stdout) == (2, "")


def test_images_left_for_the_sake_of_a_store_are_exit_code_1(deployment: Deployment) -> None:
    deployment.draw("a.png")
    deployment.add("a.png")
    Path(deployment.database.settings.thumbnails_path, "1").write_text("no folder")
    run = deployment.eorm("update-thumbnails")
    assert run.returncode == 1
    assert "StorageError: THUMBNAILS_PATH" in run.stdout
    Path(deployment.database.settings.thumbnails_path, "1").unlink()
    assert deployment.eorm("update-thumbnails").returncode == 0
    assert deployment.done() == 1


@pytest.mark.parametrize(
    ("workers", "number"), [("1", signal.SIGINT), ("2", signal.SIGINT), ("2", signal.SIGTERM)]
)
def test_a_run_that_is_stopped_keeps_what_is_done_and_the_next_does_the_rest(
    deployment: Deployment, workers: str, number: signal.Signals
) -> None:
    names = numbered(80)
    deployment.draw(*names, size=700)
    deployment.add(*names)
    run = deployment.start("update-thumbnails", "--workers", workers)
    deployment.wait_for_files(10)
    if number == signal.SIGINT:
        os.killpg(run.pid, number)  # as the terminal does
    else:
        run.send_signal(number)
    out, err = run.communicate(timeout=60)
    assert (run.returncode, err) == (128 + number, "")
    assert "(stopped before the end)" in out
    done = deployment.done()
    assert 5 <= done < 80
    assert f"{done} made, 0 failed" in out
    assert result(deployment.eorm("update-thumbnails", "--json"))["made"] == 80 - done


def test_a_run_that_is_killed_leaves_no_worker_behind_and_nothing_half_done(
    deployment: Deployment,
) -> None:
    names = numbered(80)
    deployment.draw(*names, size=700)
    deployment.add(*names)
    run = deployment.start("update-thumbnails", "--workers", "2")
    deployment.wait_for_files(6)
    workers = _children(run.pid)
    assert len(workers) >= 2
    run.kill()
    run.communicate(timeout=30)
    end = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < end, "a worker outlived the command"
        time.sleep(0.01)
    for path in Path(deployment.database.settings.thumbnails_path).rglob("*.jpg"):
        Image.open(path).load()
    assert deployment.eorm("update-thumbnails", "--workers", "2").returncode == 0
    assert deployment.done() == 80


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_bar_shows_how_far_it_is_on_a_terminal(deployment: Deployment) -> None:
    import pty

    deployment.draw(*numbered(5))
    deployment.add(*numbered(5))
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, "update-hashes"],
        env=deployment.environment | {"TERM": "xterm", "COLUMNS": "100"},
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 4096)
        except OSError:
            break
    os.close(ours)
    assert process.wait() == 0
    assert b"Hashes" in shown
    assert b"5/5" in shown
