"""The examples run as they stand."""

import os
import subprocess
import sys
from pathlib import Path

from PIL import Image

from eyened_domain import Database
from eyened_domain.testing import Builder

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_a_mask_is_drawn_saved_and_shown(tmp_path: Path):
    home = tmp_path / "home"
    database = Database({"EYENED_HOME": str(home)})
    builder = Builder()
    (home / "images").mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (120, 90), (120, 60, 30)).save(home / "images" / "a.png")
    with database.unit_of_work() as uow:
        image = builder.an_image(dataset_identifier="a.png", rows_y=90, columns_x=120)
        uow.images.add(image)
        uow.commit()
    for number in (1, 2):  # the second time there are a creator and a feature already
        done = subprocess.run(
            [sys.executable, str(EXAMPLES / "draw_a_mask.py"), str(image.image_instance_id)],
            cwd=tmp_path, env=os.environ | {"EYENED_HOME": str(home)},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.stdout == f"segmentation {number}: overlay.png\n", done.stderr
    with Image.open(tmp_path / "overlay.png") as shown:
        assert shown.getpixel((60, 45)) != shown.getpixel((5, 5)) == (120, 60, 30)
    with database.unit_of_work() as uow:
        assert uow.segmentations.count() == 2
    database.close()
