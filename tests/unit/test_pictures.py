"""Overlays: the masks of a segmentation over its image, in colours that stay."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from eyened_domain.adapters.image_store import StoredImages
from eyened_domain.adapters.memory import MemoryUnitOfWork
from eyened_domain.adapters.memory.images import MemoryImages
from eyened_domain.adapters.pictures.colours import PALETTE, colours_of
from eyened_domain.adapters.pictures.painting import Layer, painted
from eyened_domain.errors import BadInput, NotFound, NotLoaded
from eyened_domain.model import Feature
from eyened_domain.services.segmenting import Segmenting
from eyened_domain.testing import Builder

CYAN = (0x33, 0xEF, 0xFC)


def test_a_name_has_the_same_colour_in_every_process():
    program = (
        "from eyened_domain.adapters.pictures.colours import colours_of;"
        "print(colours_of(['vessels', 'drusen', 'optic disc']))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True, text=True, check=True, timeout=60,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert said == {f"{colours_of(['vessels', 'drusen', 'optic disc'])}\n"}
    assert colours_of(["vessels"]) == {"vessels": (0x30, 0xCF, 0xB7)}, "also in the next release"


def test_what_is_seen_together_can_be_told_apart():
    names = [f"feature {number}" for number in range(len(PALETTE) + 3)]
    given = colours_of(names)
    assert len(set(itertools.islice(given.values(), len(PALETTE)))) == len(PALETTE)
    assert set(given) == set(names)


def test_the_palette_is_told_apart_without_red_or_green_cones():
    nearest = min(
        np.linalg.norm(_seen(one, sight) - _seen(other, sight))
        for one, other in itertools.combinations(PALETTE, 2)
        for sight in SIGHTS.values()
    )
    assert nearest > 0.1


def _grey(rows: int = 20, columns: int = 30) -> Image.Image:
    return Image.new("L", (columns, rows), 100)


def _layer(mask: object, **options: bool) -> Layer:
    return Layer(np.asarray(mask), CYAN, **options)


def test_a_mask_has_an_outline_a_fill_and_nothing_outside():
    mask = np.zeros((20, 30), bool)
    mask[5:15, 5:15] = True
    shown = np.asarray(painted(_grey(), [_layer(mask)], 0.5)).astype(int)
    assert tuple(shown[5, 5]) == CYAN
    assert tuple(shown[10, 10]) == tuple(round((100 + one) / 2) for one in CYAN)
    assert (shown[~mask] == 100).all()
    bare = np.asarray(painted(_grey(), [_layer(mask)], 0))
    assert (bare[10, 10] == 100).all()


def test_a_line_of_one_pixel_is_seen_in_a_picture_made_ten_times_smaller():
    mask = np.zeros((200, 300), bool)
    mask[:, 151] = True
    shown = np.asarray(painted(_grey(), [_layer(mask)], 0.4)).astype(int)
    assert (shown[:, 15, 2] - 100 > 80).all()
    assert (np.delete(shown, 15, axis=1) == 100).all()


def test_what_is_questionable_is_hatched():
    mask = np.ones((20, 30), bool)
    plain = np.asarray(painted(_grey(), [_layer(mask)], 0.5))
    hatched = np.asarray(painted(_grey(), [_layer(mask, hatched=True)], 0.5))
    assert len(np.unique(plain)) < len(np.unique(hatched))
    assert 0.3 < (plain == hatched).all(axis=2).mean() < 0.7


@pytest.mark.parametrize("hatched", [False, True])
def test_a_mask_at_the_border_of_the_picture_has_no_outline_there(hatched):
    mask = np.zeros((20, 30), bool)
    mask[10:, 20:] = True
    shown = np.asarray(painted(_grey(), [_layer(mask, hatched=hatched)], 0))
    assert ((shown != 100).any(axis=2) <= mask).all()
    assert (shown[11:, 21:] == 100).all()
    assert (painted(_grey(), [_layer(mask & False, hatched=hatched)], 1).getextrema()[0]) == (
        100,
        100,
    )


def test_transparent_and_grey_pictures_are_painted_on():
    clear = Image.new("RGBA", (30, 20), (200, 0, 0, 0))
    assert (np.asarray(painted(clear, [], 0.4)) == 0).all()


@pytest.fixture
def build():
    return Builder()


@pytest.fixture
def draw(build):
    """Make a segmentation on an image of those pixels, in memory."""
    images = MemoryImages()
    with MemoryUnitOfWork(image_store=images) as uow:

        def made(image_pixels, pixels, **options):
            frames = image_pixels.shape[0] if image_pixels.ndim == 3 else 1
            image = build.an_image(
                nr_of_frames=frames,
                rows_y=image_pixels.shape[-2],
                columns_x=image_pixels.shape[-1],
            )
            images.pixels[image.dataset_identifier] = image_pixels
            given = {"feature": build.a_feature(), "creator": build.a_creator()} | options
            return Segmenting().create(uow, uow.images.add(image), pixels, **given)

        yield made


def _painted_at(picture: Image.Image) -> np.ndarray:
    """Where a grey picture has a colour."""
    pixels = np.asarray(picture).astype(int)
    return np.ptp(pixels, axis=2) > 0


def test_a_mask_lies_where_it_was_drawn(draw):
    mask = np.zeros((20, 30), bool)
    mask[2:6, 20:29] = True
    assert (_painted_at(draw(np.full((20, 30), 90, np.uint8), mask).overlay()) == mask).all()


def test_a_mask_on_its_own_grid_lies_where_its_matrix_says(draw):
    small = np.zeros((5, 5), bool)
    small[0, 0] = True
    matrix = [[2.0, 0, 10.5], [0, 2.0, 4.5], [0, 0, 1.0]]
    drawn = draw(np.full((20, 30), 90, np.uint8), small, image_projection_matrix=matrix)
    rows, columns = np.nonzero(_painted_at(drawn.overlay()))
    assert {*rows.tolist()} == {4, 5}
    assert {*columns.tolist()} == {10, 11}


def test_masks_are_chosen_by_name_and_keep_their_colours(draw):
    both = Feature(feature_name="lesions")
    for name in ("drusen", "haemorrhages"):
        both.add_subfeature(Feature(feature_name=name))
    pixels = np.zeros((20, 30), np.uint8)
    pixels[2:8, 2:8], pixels[12:18, 12:18] = 1, 2
    drawn = draw(
        np.full((20, 30), 90, np.uint8), pixels, feature=both, data_representation="MultiClass"
    )
    whole, one = np.asarray(drawn.overlay()), drawn.overlay(masks=["haemorrhages"])
    assert (_painted_at(one) == (pixels == 2)).all()
    assert (np.asarray(one)[15, 15] == whole[15, 15]).all()
    assert (_painted_at(drawn.overlay(masks="drusen")) == (pixels == 1)).all()
    with pytest.raises(BadInput, match="there is no mask 'vessels'"):
        drawn.overlay(masks=["vessels"])


def test_a_volume_is_shown_by_one_b_scan_or_from_the_front(draw):
    pixels = np.zeros((12, 20, 30), np.uint8)
    pixels[3, 4:9, 5:9] = 1
    drawn = draw(np.full((12, 20, 30), 90, np.uint8), pixels)
    assert not _painted_at(drawn.overlay()).any(), "the middle one is number 6"
    assert (_painted_at(drawn.overlay(scan=3)) == pixels[3]).all()
    front = _painted_at(drawn.overlay(en_face=True))
    assert front.shape == (12, 30)
    assert (np.nonzero(front)[0] == 3).all()
    for wrong in (12, -1, True, 1.5):
        with pytest.raises(BadInput, match="no slice"):
            drawn.overlay(scan=wrong)


def test_the_b_scan_is_the_middle_one_of_those_with_data(draw):
    pixels = np.zeros((12, 20, 30), np.uint8)
    pixels[9, 4:9, 5:9] = 1
    drawn = draw(np.full((12, 20, 30), 90, np.uint8), pixels, scan_indices=[9])
    assert (_painted_at(drawn.overlay()) == pixels[9]).all()


def test_a_map_seen_from_the_front_lies_over_that_view_in_proportion(draw):
    pixels = np.zeros((4, 30), np.uint8)
    pixels[1, 10:20] = 1
    drawn = draw(np.full((4, 20, 30), 90, np.uint8), pixels)
    drawn.image_instance.resolution_horizontal = 0.01
    drawn.image_instance.resolution_vertical = 0.05
    front = _painted_at(drawn.overlay())
    assert front.shape == (20, 30)
    assert {*np.nonzero(front)[0].tolist()} == {5, 6, 7, 8, 9}
    assert {*np.nonzero(front)[1].tolist()} == {*range(10, 20)}


def test_arguments_that_mean_nothing_are_refused(draw):
    flat = draw(np.full((20, 30), 90, np.uint8), np.zeros((20, 30), bool))
    for wrong in ({"alpha": 2}, {"alpha": float("nan")}, {"alpha": "x"}, {"max_size_px": 0},
                  {"max_size_px": "x"}, {"scan": 0}, {"en_face": True}):  # fmt: skip
        with pytest.raises(BadInput):
            flat.overlay(**wrong)
    front = draw(np.full((4, 20, 30), 90, np.uint8), np.zeros((4, 30), bool))
    with pytest.raises(BadInput, match="from the front"):
        front.overlay(scan=1)
    assert flat.overlay(max_size_px=15).size == (15, 10)


def test_a_model_shows_what_it_found_in_the_colour_of_its_feature_or_its_own(build):
    images = MemoryImages()
    with MemoryUnitOfWork(image_store=images) as uow:
        image = uow.images.add(build.an_image(rows_y=20, columns_x=30))
        images.pixels[image.dataset_identifier] = np.full((20, 30), 90, np.uint8)
        for name, feature in (("a", build.a_feature(feature_name="vessels")), ("b", None)):
            model = build.a_segmentation_model(model_name=name, feature=feature)
            found = Segmenting().create_for_model(
                uow, uow.images.add(image), np.ones((20, 30), bool), model=model
            )
            assert found.shown_name == ("vessels" if feature else "b")
            assert _painted_at(found.overlay()).all()
            assert found.shown_name in found._repr_html_()
            assert "data:image/jpeg;base64," in found._repr_html_()


def test_what_has_no_pixels_or_no_unit_of_work_says_so(build):
    with pytest.raises(NotLoaded, match="add it to a session"):
        build.a_segmentation().overlay()
    images = MemoryImages()
    with MemoryUnitOfWork(image_store=images) as uow:
        drawn = uow.segmentations.add(build.a_segmentation())
        images.pixels[drawn.image_instance.dataset_identifier] = np.zeros((480, 640), np.uint8)
        with pytest.raises(NotFound, match="no pixels yet"):
            drawn.overlay()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("grid", ["stored", "turned"])
def test_the_mask_turns_with_a_photograph_that_exif_turns(
    tmp_path: Path, build: Builder, orientation: int, grid: str
):
    pixels = np.full((20, 30, 3), 90, np.uint8)
    pixels[2:6, 3:12] = 250
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    with MemoryUnitOfWork(image_store=StoredImages(tmp_path)) as uow:
        rows, columns = (30, 20) if grid == "turned" and orientation >= 5 else (20, 30)
        image = build.an_image(dataset_identifier="a.png", rows_y=rows, columns_x=columns)
        bright = uow.images.add(image).pixel_array[..., 0] > 200
        who: dict[str, Any] = {"feature": build.a_feature(), "creator": build.a_creator()}
        drawn = Segmenting().create(uow, image, bright, **who)
        shown = np.asarray(image.picture())[..., 0] > 200
        assert (_painted_at(drawn.overlay()) == shown).all()


def test_the_model_brings_no_pillow():
    program = (
        "import sys, eyened_domain.model, eyened_domain.services.segmenting;"
        "assert not {'PIL', 'numpy', 'sqlalchemy'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


SIGHTS = {
    "all cones": np.eye(3),
    "no red cones": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]]
    ),
    "no green cones": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.01182, 0.04294, 0.968881]]
    ),
}  # fmt: skip
"""Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB."""


def _seen(colour: tuple[int, int, int], sight: np.ndarray) -> np.ndarray:
    """A colour in Oklab (Ottosson 2020), as people with that sight see it."""
    code = np.asarray(colour) / 255
    linear = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    linear = np.clip(sight @ linear, 0, 1)
    cones = np.array([[0.4122214708, 0.5363325363, 0.0514459929],
                      [0.2119034982, 0.6806995451, 0.1073969566],
                      [0.0883024619, 0.2817188376, 0.6299787005]]) @ linear  # fmt: skip
    return np.array([[0.2104542553, 0.7936177850, -0.0040720468],
                     [1.9779984951, -2.4285922050, 0.4505937099],
                     [0.0259040371, 0.7827717662, -0.8086757660]]) @ np.cbrt(cones)  # fmt: skip
