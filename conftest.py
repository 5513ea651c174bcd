"""Runs the code of the README and of docs/ as it stands, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

CONFIGURED = ("EYENED_HOME", "DATABASE_URL", "DATABASE_HOST")


def begin(namespace: dict[str, Any]) -> None:
    """Stand in a new folder, with the study, the image files and the people spoken of."""
    folder = tempfile.mkdtemp(prefix="test_docs_")
    unset = {name: os.environ.pop(name) for name in CONFIGURED if name in os.environ}
    namespace["_before"] = (folder, Path.cwd(), unset)
    os.chdir(folder)
    write_images(Path("eyened-data/images/Patient_002"))
    fill("eyened-data")
    fill("sqlite:///clinic.db")
    add_drawable("eyened-drawings")


def end(namespace: dict[str, Any]) -> None:
    """Leave the folder."""
    folder, before, unset = namespace["_before"]
    os.chdir(before)
    os.environ.update(unset)
    shutil.rmtree(folder)


def write_images(folder: Path) -> None:
    """Write the image files that docs/importing.md speaks of."""
    from PIL import Image

    folder.mkdir(parents=True)
    for name in ("right", "left", "third"):
        Image.new("RGB", (64, 48)).save(folder / f"{name}.png")


def fill(where: str) -> None:
    """Make the database that the documents speak of."""
    from eyened_domain import Database
    from eyened_domain.testing import Builder

    database = Database(where if "://" in where else {"EYENED_HOME": where})
    database.init()
    builder = Builder()
    project = builder.a_project(project_name="My Project Name")
    patient = builder.a_patient(patient_identifier="Patient_001", project=project)
    study = builder.a_study(patient=patient, study_date="2024-03-01")
    with database.unit_of_work() as uow:
        uow.images.add(builder.an_image(series=builder.a_series(study=study), image_instance_id=42))
        uow.creators.add(builder.a_creator(creator_name="dr_smith"))
        uow.features.add(builder.a_feature(feature_name="vessels"))
        uow.commit()
    database.close()


def add_drawable(home: str) -> None:
    """Add the photograph and the volume that docs/segmentations.md draws on."""
    import numpy as np
    from PIL import Image

    from eyened_domain import Database
    from eyened_domain.testing import Builder

    images = Path(home, "images")
    images.mkdir(parents=True)
    Image.new("RGB", (640, 480), (120, 60, 30)).save(images / "photograph.png")
    images.joinpath("volume.binary").write_bytes(np.full((12, 64, 96), 210, np.uint8).tobytes())
    database = Database({"EYENED_HOME": home})
    builder = Builder()
    sizes = {
        "photograph.png": {"rows_y": 480, "columns_x": 640},
        "volume.binary": {"rows_y": 64, "columns_x": 96, "nr_of_frames": 12},
    }
    with database.unit_of_work() as uow:
        for number, (name, size) in enumerate(sizes.items(), 1):
            uow.images.add(
                builder.an_image(dataset_identifier=name, image_instance_id=number, **size)
            )
        uow.creators.add(builder.a_creator(creator_name="ann"))
        uow.features.add(builder.a_feature(feature_name="drusen"))
        uow.commit()
    database.close()


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "docs/*.md"],
    setup=begin,
    teardown=end,
    fixtures=["memory_unit_of_work", "builder"],
).pytest()
