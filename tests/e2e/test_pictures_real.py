"""Real photographs, B-scans and masks: stored as segmentations, read back, laid over."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from eyened_domain import Database, Feature, Segmenting
from eyened_domain.adapters.files.image_files import FileSystemImageFiles
from eyened_domain.testing import Builder

SHARED = Path(os.environ.get("EYENED_SHARED", Path(__file__).parents[3] / "shared"))
DATA = SHARED / "data"
pytestmark = pytest.mark.skipif(
    not (DATA / "fundus").is_dir(), reason=f"no test data in {DATA}; set EYENED_SHARED"
)

MASKS = [
    ("haggstrom_OD_600.jpg", "haggstrom_OD_600_vessels.tif", 0),
    ("CHASEDB1_08L.png", "CHASEDB1_08L_fov.gif", 127),
    ("CHASEDB1_12R.png", "CHASEDB1_12R_fov.gif", 127),
    ("CHASEDB1_01L_x3.jpg", "CHASEDB1_01L_x3_vessels.jpg", 127),
    ("CHASEDB1_01R_x3.jpg", "CHASEDB1_01R_x3_vessels.jpg", 127),
]
"""Photograph, mask, and the value above which it is set."""

LESIONS = {
    "hard exudates": (128, 0, 0),
    "haemorrhages": (0, 128, 192),
    "soft exudates": (64, 192, 0),
    "microaneurysms": (192, 192, 0),
}
"""The colours of IDRiD_17_lesions.tif, which add up where lesions overlap."""


@pytest.fixture
def database(tmp_path):
    opened = Database({"EYENED_HOME": str(tmp_path), "images_basepath": str(DATA)})
    opened.init()
    yield opened
    opened.close()


def image_of(uow, builder, identifier, **values):
    header = FileSystemImageFiles(DATA).read_header(identifier)
    size = {
        "rows_y": header.rows_y,
        "columns_x": header.columns_x,
        "nr_of_frames": header.nr_of_frames,
    }
    return uow.images.add(builder.an_image(dataset_identifier=identifier, **size, **values))


def shown_at(over: Image.Image, bare: Image.Image) -> np.ndarray:
    """Where the overlay differs from the picture."""
    return (np.asarray(over) != np.asarray(bare.convert("RGB"))).any(axis=2)


def test_masks_lie_on_their_photographs(database):
    builder, files = Builder(), FileSystemImageFiles(DATA)
    with database.unit_of_work() as uow:
        who, vessels = builder.a_creator(), builder.a_feature(feature_name="vessels")
        made = {}
        for photograph, mask, above in MASKS:
            image = image_of(uow, builder, f"fundus/{photograph}")
            drawn = files.read_pixels(f"masks/{mask}") > above
            created = Segmenting().create(uow, image, drawn, feature=vessels, creator=who)
            made[created] = drawn
        uow.commit()
        stored = {one.segmentation_id: drawn for one, drawn in made.items()}
    with database.unit_of_work() as uow:
        for identity, drawn in stored.items():
            found = uow.segmentations.get(identity)
            assert (found.masks()["mask"][0] == drawn).all()
            at = shown_at(found.overlay(), found.image_instance.picture())
            assert (at <= drawn).all(), "nothing outside the mask"
            assert at.sum() > 0.98 * drawn.sum(), "all of the mask"
            assert max(found.overlay(max_size_px=540).size) == 540
            assert "data:image/jpeg;base64," in found._repr_html_()


def test_every_photograph_shows_itself(database):
    builder = Builder()
    photographs = sorted((DATA / "fundus").iterdir())
    assert len(photographs) == 8
    with database.unit_of_work() as uow:
        for file in photographs:
            image = image_of(uow, builder, f"fundus/{file.name}")
            assert image.picture(540).size == Image.open(file).size or max(
                image.picture(540).size
            ) == min(540, max(Image.open(file).size))
            assert "data:image/jpeg;base64," in image._repr_html_()


def test_a_picture_with_a_colour_per_lesion_becomes_masks_by_name(database):
    builder = Builder()
    pixels = FileSystemImageFiles(DATA).read_pixels("masks/IDRiD_17_lesions.tif")
    masks = {name: (pixels == colour).all(axis=2) for name, colour in LESIONS.items()}
    both = (pixels == (128, 128, 192)).all(axis=2)
    masks["hard exudates"] |= both
    masks["haemorrhages"] |= both
    assert (np.any([*masks.values()], axis=0) == pixels.any(axis=2)).all(), "every pixel is named"
    with database.unit_of_work() as uow:
        lesions = Feature(feature_name="diabetic lesions")
        for name in LESIONS:
            lesions.add_subfeature(Feature(feature_name=name))
        image = image_of(uow, builder, "fundus/IDRiD_17.jpg")
        drawn = Segmenting().create_from_masks(
            uow, image, masks, feature=lesions, creator=builder.a_creator()
        )
        uow.commit()
        identity = drawn.segmentation_id
    with database.unit_of_work() as uow:
        found = uow.segmentations.get(identity)
        read = found.masks()
        assert all((read[name][0] == mask).all() for name, mask in masks.items())
        one = shown_at(found.overlay(masks=["soft exudates"]), found.image_instance.picture())
        assert (one <= masks["soft exudates"]).all()
        colours = np.asarray(found.overlay(alpha=1))
        assert len({tuple(colours[mask & ~both][0]) for mask in masks.values()}) == len(LESIONS)


def test_27_b_scans_are_a_volume_with_masks_of_every_kind(database):
    builder = Builder()
    identifier = "[png_series_27]oct/heidelberg_onh_OD_png/OCT-0.png"
    with database.unit_of_work() as uow:
        volume = image_of(uow, builder, identifier, resolution_horizontal=0.0057)
        who: dict[str, Any] = {"feature": builder.a_feature(), "creator": builder.a_creator()}
        bright = volume.pixel_array > 150
        whole = Segmenting().create(uow, volume, bright, **who)
        some = Segmenting().create(uow, volume, {4: bright[4], 20: bright[20]}, **who)
        front = Segmenting().create(uow, volume, bright.any(axis=1), **who)
        uow.commit()
        assert some.scan_indices == [4, 20]
        for scan in (0, 26):
            bare = Image.fromarray(volume.b_scan(scan))
            at = shown_at(whole.overlay(scan=scan), bare)
            assert (at <= bright[scan]).all()
            assert at.sum() > 0.98 * bright[scan].sum()
        assert shown_at(some.overlay(), Image.fromarray(volume.b_scan(20))).any()
        assert shown_at(front.overlay(), volume.picture()).any()
        assert whole.overlay(en_face=True).size == volume.picture().size
        assert whole._repr_html_().count("data:image/jpeg;base64,") == 2
