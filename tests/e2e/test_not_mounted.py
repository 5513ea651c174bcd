"""Commands whose folders are not mounted: they refuse, name the folder, and mark nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import text

from eyened_domain import Annotation, AnnotationData, Database, Segmentation
from eyened_domain.testing import Builder
from tests.e2e.forked import run_eorm

STATES = ["gone", "empty"]  # an embedded database makes its folders when it is opened, empty


class Deployment:
    """An embedded database with an image, its mask, and a legacy annotation of it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.database = Database({"EYENED_HOME": str(home)})
        builder = Builder()
        pixels = np.full((20, 30), 255, np.uint8)
        with self.database.unit_of_work() as uow:
            image = builder.an_image(dataset_identifier="a.png", rows_y=20, columns_x=30)
            self.mask = Segmentation(
                image_instance=image,
                creator=builder.a_creator(),
                feature=builder.a_feature(),
                data_representation="Binary",
                data_type="R8UI",
                depth=1,
                height=20,
                width=30,
            )
            uow.segmentations.add(self.mask).write_data(pixels[None] > 0)
            kind = builder.an_annotation_type(interpretation="Binary mask")
            annotation = builder.add(uow, Annotation, annotation_type=kind, image_instance=image)
            AnnotationData(
                annotation=annotation,
                scan_nr=-1,
                dataset_identifier="b.png",
                media_type="image/png",
            )
            uow.commit()
        settings = self.database.settings
        Image.fromarray(pixels).save(settings.images_basepath / "a.png")
        Image.fromarray(pixels).save(settings.annotations_path / "b.png")
        (home / "new.csv").write_text("project_name,image\nP,c.png\n")

    def take_away(self, folder: Path, state: str) -> None:
        shutil.move(folder, folder.with_name("elsewhere"))
        if state == "empty":
            folder.mkdir()
            (folder / "lost+found").mkdir()
            (folder / ".not-mounted").touch()

    def put_back(self, folder: Path) -> None:
        if folder.exists():
            shutil.rmtree(folder)
        shutil.move(folder.with_name("elsewhere"), folder)

    def eorm(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE", "EYENED"))}
        env = kept | {"EYENED_HOME": str(self.home)}
        return run_eorm(*arguments, env=env, timeout=120)

    def marks(self) -> Any:
        with self.database.engine.connect() as connection:
            columns = "ThumbnailPath, FileChecksum, DataHash"
            images = connection.execute(text(f"SELECT {columns} FROM ImageInstance")).all()
            masks = connection.execute(text("SELECT count(*) FROM Segmentation")).scalar()
        return images, masks


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    made = Deployment(tmp_path / "data")
    yield made
    made.database.close()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    ("arguments", "setting"),
    [
        (["update-thumbnails"], "images_basepath"),
        (["update-thumbnails", "--failed", "--workers", "2"], "images_basepath"),
        (["update-hashes"], "images_basepath"),
        (["convert-annotations"], "annotations_path"),
        (["convert-annotations", "--apply"], "annotations_path"),
        (["import", "new.csv", "--create-all"], "images_basepath"),
        (["import", "new.csv", "--create-all", "--on-error", "skip"], "images_basepath"),
    ],
)
def test_a_folder_that_is_not_mounted_is_named_and_nothing_is_marked(
    deployment: Deployment, arguments: list[str], setting: str, state: str
) -> None:
    folder = Path(getattr(deployment.database.settings, setting))
    arguments = [str(deployment.home / one) if one.endswith(".csv") else one for one in arguments]
    deployment.take_away(folder, state)
    before = deployment.marks()
    run = deployment.eorm(*arguments)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.count("\n") == 1
    assert f"{setting.upper()} is {str(folder)!r}, which is empty: mount" in run.stderr
    assert deployment.marks() == before
    deployment.put_back(folder)
    if setting == "images_basepath" and arguments[0] != "import":
        assert deployment.eorm(*arguments).returncode == 0
        assert deployment.marks() != before


@pytest.mark.parametrize("state", STATES)
def test_a_store_that_is_not_mounted_takes_no_mask_and_the_doctor_touches_nothing(
    deployment: Deployment, state: str
) -> None:
    store = Path(deployment.database.settings.segmentations_zarr_store)
    deployment.take_away(store, state)
    run = deployment.eorm("convert-annotations", "--apply")
    assert run.returncode == 1
    assert f"SEGMENTATIONS_ZARR_STORE is {str(store)!r}, which is " in run.stderr
    assert deployment.marks()[1] == 1
    for options in ([], ["--fix"], ["--adopt"], ["--level", "3"]):
        looked = deployment.eorm("doctor", *options)
        assert looked.returncode in ({1, 2} if options else {2})
        assert "SEGMENTATIONS_ZARR_STORE" in looked.stdout + looked.stderr
    assert {one.name for one in store.glob("*")} <= {".not-mounted", "lost+found"}
    deployment.put_back(store)
    with deployment.database.get_session() as session:
        assert Segmentation.by_id(session, deployment.mask.segmentation_id).read_data().all()
    assert deployment.eorm("doctor", "--level", "3").returncode == 0


@pytest.mark.parametrize("state", STATES)
def test_thumbnails_that_are_not_mounted_are_neither_made_again_nor_called_missing(
    deployment: Deployment, state: str
) -> None:
    assert deployment.eorm("update-thumbnails").returncode == 0
    before = deployment.marks()
    folder = Path(deployment.database.settings.thumbnails_path)
    deployment.take_away(folder, state)
    for command in (["update-thumbnails"], ["doctor", "--fix"]):
        run = deployment.eorm(*command)
        assert run.returncode != 0
        assert "THUMBNAILS_PATH" in run.stdout + run.stderr
    assert deployment.marks() == before


def test_images_that_are_not_mounted_are_not_called_missing_one_by_one(
    deployment: Deployment,
) -> None:
    deployment.take_away(Path(deployment.database.settings.images_basepath), "empty")
    run = deployment.eorm("doctor")
    assert run.returncode == 2
    assert "IMAGES_BASEPATH" in run.stdout
    assert "ImageInstance 1" not in run.stdout
