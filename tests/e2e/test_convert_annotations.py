"""`eorm convert-annotations`, run as people run it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from eyened_domain import Annotation, AnnotationData, Database, Segmentation
from eyened_domain.testing import Builder
from tests.e2e.forked import run_eorm


def eorm(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, with nothing else configured."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE", "EYENED"))}
    return run_eorm("convert-annotations", *arguments, cwd=cwd, env=kept)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A folder with a database of three annotations, of which the file of one is missing."""
    home = tmp_path / "eyened-data"
    database = Database({"EYENED_HOME": str(home)})
    builder = Builder()
    with database.unit_of_work() as uow:
        kind = builder.an_annotation_type(annotation_type_name="Vessels", interpretation="R/G mask")
        for number in range(1, 4):
            image = builder.an_image(rows_y=20, columns_x=30)
            annotation = builder.add(uow, Annotation, annotation_type=kind, image_instance=image)
            AnnotationData(
                annotation=annotation,
                scan_nr=-1,
                dataset_identifier=f"7/{number}_-1.png",
                media_type="image/png",
            )
        uow.commit()
    database.close()
    (home / "annotations" / "7").mkdir(parents=True)
    for number in (1, 3):
        pixels = np.random.default_rng(number).integers(0, 2, (20, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels * 255).save(home / "annotations" / "7" / f"{number}_-1.png")
    return tmp_path


def stored(study: Path) -> list[Any]:
    database = Database({"EYENED_HOME": str(study / "eyened-data")})
    with database.get_session() as session:
        found = Segmentation.fetch_all(session)
        masks = [one.masks()["mask"] for one in found]
    database.close()
    return masks


def test_a_dry_run_tells_and_apply_converts_what_can_be_converted(study: Path) -> None:
    dry = eorm(cwd=study)
    assert dry.returncode == 1
    assert dry.stdout.splitlines() == [
        "annotation type  total  to convert  already  failed",
        "Vessels              3           2        0       1",
        "all                  3           2        0       1",
        "Nothing was written; --apply converts.",
    ]
    assert "eorm: annotation 2: " in dry.stderr
    assert "7/2_-1.png" in dry.stderr
    assert "does not exist; put it back beneath ANNOTATIONS_PATH" in dry.stderr
    assert stored(study) == []

    done = eorm("--apply", cwd=study)
    assert done.returncode == 1
    assert "Vessels              3          2        0       1" in done.stdout
    first, second = stored(study)
    assert first.shape == second.shape == (1, 20, 30)
    assert first.any()

    again = eorm("--apply", "--json", cwd=study)
    report = json.loads(again.stdout)
    assert report["applied"] is True
    assert report["types"]["Vessels"] == {"total": 3, "converted": 0, "already": 2, "failed": 1}
    assert [one["annotation_id"] for one in report["failures"]] == [2]
    assert len(stored(study)) == 2


def test_a_type_that_is_not_there_is_an_error_of_one_line(study: Path) -> None:
    done = eorm("--annotation-type", "Vessel", cwd=study)
    assert done.returncode == 1
    assert done.stderr.strip() == "eorm: there is no AnnotationType 'Vessel'; there are ['Vessels']"
