"""`eorm trash list`, `restore` and `empty`, run as people and cron run them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from eyened_domain import Database, ImageInstance, Segmentation, Trash
from eyened_domain.testing import Builder
from tests.e2e.forked import run_eorm


class Deployment:
    """A folder with an embedded database, and the command line on it."""

    def __init__(self, folder: Path) -> None:
        self.database = Database({"EYENED_HOME": str(folder)})
        self.database.init()
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE", "EYENED"))}
        self.environment = kept | {"EYENED_HOME": str(folder)}

    def eorm(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_eorm("trash", *arguments, env=self.environment, timeout=120)

    def active(self) -> int:
        with self.database.unit_of_work() as uow:
            return uow.images.count()

    def stored(self) -> int:
        with self.database.unit_of_work(include_inactive=True) as uow:
            return uow.images.count()


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """Three images: one put away as entry 1, one as entry 2 by dr_smith, one active."""
    made = Deployment(tmp_path)
    build = Builder()
    with made.database.unit_of_work() as uow:
        first, second, _ = (build.add(uow, ImageInstance) for _ in range(3))
        build.add(uow, Segmentation, image_instance=second)
        uow.creators.add(build.a_creator(creator_name="dr_smith"))
        uow.flush()
        Trash().put_away(uow, first)
        Trash().put_away(uow, second.series.study.patient, by="dr_smith", reason="withdrawn")
        uow.commit()
    return made


def test_the_list_tells_what_was_put_away_by_whom_and_why(deployment: Deployment) -> None:
    run = deployment.eorm("list")
    assert run.returncode == 0, run.stderr
    head, first, second, total = run.stdout.splitlines()
    assert head.split()[:4] == ["entry", "what", "images", "segmentations"]
    assert first.split()[:5] == ["1", "ImageInstance", "1", "1", "0"]
    assert second.split()[:5] == ["2", "Patient", "2", "1", "1"]
    assert "dr_smith" in second
    assert second.endswith("withdrawn")
    assert total == "Inactive in all: 2 images, 1 segmentations, 0 forms, 0 annotations."
    told = json.loads(deployment.eorm("list", "--json").stdout)
    assert [one["counts"] for one in told["entries"]] == [
        {"ImageInstance": 1},
        {"ImageInstance": 1, "Segmentation": 1},
    ]
    assert told["inactive"]["ImageInstance"] == 2


def test_restoring_is_a_dry_run_until_it_is_applied(deployment: Deployment) -> None:
    run = deployment.eorm("restore", "2")
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "Nothing was written; --apply restores."
    assert deployment.active() == 1
    run = deployment.eorm("restore", "2", "--apply", "--json")
    assert json.loads(run.stdout) == {
        "applied": True,
        "entries": [
            {"entry": 2, "what": "Patient 2", "counts": {"ImageInstance": 1, "Segmentation": 1}}
        ],
        "errors": [],
    }
    assert deployment.active() == 2


def test_an_entry_that_is_not_there_is_told_and_the_others_are_restored(
    deployment: Deployment,
) -> None:
    run = deployment.eorm("restore", "7", "1", "--apply")
    assert run.returncode == 1
    assert "there is no TrashEntry with trash_entry_id 7" in run.stderr
    assert deployment.active() == 2


def test_emptying_is_a_dry_run_until_it_is_applied(deployment: Deployment) -> None:
    run = deployment.eorm("empty")
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "Nothing was written; --apply deletes."
    assert deployment.stored() == 3
    assert deployment.eorm("empty", "--older-than", "1", "--apply").returncode == 0
    assert deployment.stored() == 3
    run = deployment.eorm("empty", "--apply")
    assert run.returncode == 0, run.stderr
    assert (deployment.stored(), deployment.active()) == (1, 1)
    assert json.loads(deployment.eorm("list", "--json").stdout)["entries"] == []


def test_an_entry_that_something_active_hangs_on_stays(deployment: Deployment) -> None:
    with deployment.database.unit_of_work() as uow:
        Builder().add(uow, Segmentation, image_instance=uow.images.get(1))
        uow.commit()
    run = deployment.eorm("empty", "--apply")
    assert run.returncode == 1
    assert "entry 1: ImageInstance 1 cannot be deleted: active things hang on it" in run.stderr
    assert deployment.stored() == 2
    run = deployment.eorm("empty", "9", "--apply", "--json")
    assert run.returncode == 1
    assert json.loads(run.stdout)["errors"] == ["there is no entry 9, or it is not as old"]
