"""The drawn eyes: anatomy, determinism, the study on disk and its records."""

from __future__ import annotations

import enum
import hashlib
import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from eyened_domain.adapters.phantoms import (
    draw_fundus,
    draw_oct_volume,
    fundus_mm_per_pixel,
    oct_resolution,
    write_demo_images,
)
from eyened_domain.adapters.phantoms.eye import grow_eye
from eyened_domain.errors import BadInput, StorageError

SEEDS = st.integers(0, 2**63)
SIDES = st.sampled_from(["L", "R"])
SMALL = (9, 96, 128)
few = settings(max_examples=8, deadline=None, derandomize=True, database=None)


class Laterality(enum.Enum):
    L = "left"
    R = "right"


def block_means(picture, cells=16):
    """Mean of each square block, to look for places rather than pixels."""
    step = picture.shape[0] // cells
    cut = picture[: step * cells, : step * cells].astype(float)
    return cut.reshape(cells, step, cells, step).mean((1, 3))


@few
@given(SEEDS, SIDES)
def test_the_optic_disc_is_nasal_right_in_a_right_eye_and_left_in_a_left_eye(seed, side):
    green = draw_fundus(seed, laterality=side, size_px=192)[:, :, 1]
    row, column = np.unravel_index(block_means(green).argmax(), (16, 16))
    assert column >= 11 if side == "R" else column <= 4
    assert 5 <= row <= 9


@few
@given(SEEDS, SIDES)
def test_the_macula_is_darker_than_the_retina_temporal_of_it(seed, side):
    photo = draw_fundus(seed, laterality=side, size_px=192)
    temporal = slice(40, 60) if side == "R" else slice(132, 152)
    assert np.median(photo[88:104, 84:108, 1]) < np.median(photo[80:112, temporal, 1])


@few
@given(SEEDS, SIDES)
def test_a_photograph_is_orange_red_on_black(seed, side):
    photo = draw_fundus(seed, laterality=side, size_px=128)
    assert photo.shape == (128, 128, 3)
    assert photo.dtype == np.uint8
    assert photo.flags.c_contiguous
    red, green, blue = photo[40:90, 40:90].reshape(-1, 3).mean(0)
    assert red > 150 > green > blue > 15
    assert max(photo[:12, :12].max(), photo[-12:, -12:].max()) < 12


@few
@given(SEEDS, SIDES)
def test_the_arcades_bow_around_a_macula_without_large_vessels(seed, side):
    eye = grow_eye(seed, side)
    points = np.concatenate([v.points for v in eye.vessels])
    away = np.hypot(points[:, 0], points[:, 1])
    assert away.min() > 0.2, "a vessel crosses the foveal avascular zone"
    thick = points[points[:, 2] > 0.035]
    temporal = thick[np.abs(thick[:, 0]) < 2]
    assert (temporal[:, 1] < -1.5).any()
    assert (temporal[:, 1] > 1.5).any()
    assert np.abs(temporal[:, 1]).min() > 1.5


def thickness(volume):
    """Rows between the vitreous and the brightest row (the RPE) of each A-scan."""
    smooth = volume.astype(float)
    smooth = (smooth[:, :, :-4] + smooth[:, :, 2:-2] + smooth[:, :, 4:]) / 3
    top = (smooth > 40).argmax(axis=1)
    half = smooth.shape[1] // 2
    return half + smooth[:, half:].argmax(axis=1) - top


@few
@given(SEEDS, SIDES)
def test_the_foveal_pit_lies_in_the_middle_of_the_central_scans_only(seed, side):
    rows = thickness(draw_oct_volume(seed, laterality=side, shape=(13, 248, 128)))
    pit, shoulder = np.median(rows[6, 56:68]), np.median(rows[6, [30, 32, 34, 90, 92, 94]])
    assert pit < 0.85 * shoulder
    assert np.median(rows[1, 56:68]) > 0.9 * np.median(rows[1, [30, 32, 34, 90, 92, 94]])


@few
@given(SEEDS, SIDES)
def test_vitreous_is_dark_the_retina_bright_and_the_light_fades_below_it(seed, side):
    volume = draw_oct_volume(seed, laterality=side, shape=SMALL).astype(float)
    assert volume.shape == SMALL
    by_depth = volume.mean((0, 2))
    assert by_depth[:8].mean() < 20
    assert by_depth[-6:].mean() < 0.6 * by_depth.max()
    assert 28 < by_depth.argmax() < 75


def test_the_nerve_fibre_layer_is_thicker_on_the_nasal_side():
    for seed in range(4):
        right = thickness(draw_oct_volume(seed, laterality="R", shape=(13, 248, 128)))[
            [2, 3, 9, 10]
        ]
        left = thickness(draw_oct_volume(seed, laterality="L", shape=(13, 248, 128)))[[2, 3, 9, 10]]
        assert np.median(right[:, -14:]) > np.median(right[:, :14])
        assert np.median(left[:, :14]) > np.median(left[:, -14:])


@few
@given(SEEDS, SIDES, st.integers(0, 5))
def test_the_same_seed_gives_the_same_bytes(seed, side, visit):
    def both():
        photo = draw_fundus(seed, laterality=side, size_px=64, visit=visit)
        volume = draw_oct_volume(seed, laterality=side, shape=(2, 32, 32), visit=visit)
        return photo.tobytes() + volume.tobytes()

    assert both() == both()


def test_a_fresh_interpreter_draws_the_same_bytes():
    code = (
        "import hashlib; from eyened_domain.adapters.phantoms import *;"
        "print(hashlib.sha256(draw_fundus(5, laterality='L', size_px=96).tobytes()"
        " + draw_oct_volume(5, laterality='L', shape=(3, 48, 64)).tobytes()).hexdigest())"
    )
    there = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    here = draw_fundus(5, laterality="L", size_px=96).tobytes()
    here += draw_oct_volume(5, laterality="L", shape=(3, 48, 64)).tobytes()
    assert there.stdout.strip() == hashlib.sha256(here).hexdigest()


def test_seeds_sides_and_visits_all_make_a_difference():
    pictures = {
        draw_fundus(seed, laterality=side, size_px=64, visit=visit).tobytes()
        for seed in range(3)
        for side in "LR"
        for visit in range(2)
    }
    assert len(pictures) == 12
    mirrored = draw_fundus(0, laterality="L", size_px=64)[:, ::-1]
    assert not np.array_equal(mirrored, draw_fundus(0, laterality="R", size_px=64))


def test_a_laterality_may_be_an_enum_member():
    by_name = draw_fundus(1, laterality="L", size_px=64)
    assert np.array_equal(draw_fundus(1, laterality=Laterality.L, size_px=64), by_name)
    volume = draw_oct_volume(1, laterality=Laterality.R, shape=(1, 16, 16))
    assert np.array_equal(volume, draw_oct_volume(1, laterality="R", shape=(1, 16, 16)))


@pytest.mark.parametrize("laterality", ["l", "OD", "", None, 1, "x" * 10_000])
def test_a_laterality_that_is_none_is_refused_by_name(laterality):
    for draw in (draw_fundus, draw_oct_volume):
        with pytest.raises(BadInput, match="laterality") as refused:
            draw(1, laterality=laterality)
        assert refused.value.field == "laterality"
        assert len(str(refused.value)) < 200


@pytest.mark.parametrize("seed", [-1, 1.5, "1", None, True])
def test_a_seed_that_is_not_a_whole_number_from_0_up_is_refused(seed):
    for draw in (draw_fundus, draw_oct_volume):
        with pytest.raises(BadInput, match="seed"):
            draw(seed, laterality="R")


def test_impossible_sizes_and_visits_are_refused():
    for size in (0, 31, -5, 64.0, "64", None, True):
        with pytest.raises(BadInput, match="size_px"):
            draw_fundus(1, laterality="R", size_px=size)  # type: ignore[arg-type]
    for shape in ((1, 16), (0, 16, 16), (1, 15, 16), (1, 16, 16, 1), (1, 16, 16.5), 7, None):
        with pytest.raises(BadInput, match="shape"):
            draw_oct_volume(1, laterality="R", shape=shape)  # type: ignore[arg-type]
    for visit in (-1, 0.5, None):
        with pytest.raises(BadInput, match="visit"):
            draw_fundus(1, laterality="R", size_px=64, visit=visit)  # type: ignore[arg-type]
        with pytest.raises(BadInput, match="visit"):
            draw_oct_volume(1, laterality="R", shape=(1, 16, 16), visit=visit)  # type: ignore[arg-type]


def test_importing_the_package_loads_neither_numpy_nor_pillow():
    code = "import sys, eyened_domain.adapters.phantoms; print({'numpy', 'PIL'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "made" / "below"
    return folder, write_demo_images(folder)


def images_of(records):
    return [
        image
        for record in records
        for study in record["studies"]
        for series in study["series"]
        for image in series["images"]
    ]


def files_of(image):
    """The files that an image's path stands for, as the contract reads it."""
    series = re.fullmatch(r"\[png_series_(\d+)\](.+)\.png", image["image"])
    if not series:
        return [image["image"]]
    return [f"{series[2]}_{i}.png" for i in range(int(series[1]))]


def test_the_demo_study_is_three_patients_of_two_visits_in_nested_records(demo):
    records = demo[1]
    assert json.loads(json.dumps(records)) == records
    assert len({record["patient_identifier"] for record in records}) == 3
    for record in records:
        assert set(record) == {"project_name", "patient_identifier", "props", "studies"}
        assert record["project_name"] == "Demo Study"
        assert record["props"]["sex"] in {"M", "F"}
        born = date.fromisoformat(record["props"]["birth_date"])
        first, second = (date.fromisoformat(study["study_date"]) for study in record["studies"])
        assert born < first < second
        for study in record["studies"]:
            sides = [i["props"]["laterality"] for i in study["series"][0]["images"]]
            assert sorted(sides) == ["L", "R"]
            assert [i["props"]["modality"] for i in study["series"][1]["images"]] == ["OCT"]


def test_the_records_use_the_names_of_the_contract(demo):
    for image in images_of(demo[1]):
        props = image["props"]
        if props["modality"] == "OCT":
            assert props["dicom_modality"] == "OPT"
            assert props["resolution_axial"] > 0
            assert "etdrs_field" not in props
        else:
            assert props["modality"] == "ColorFundus"
            assert (props["dicom_modality"], props["etdrs_field"]) == ("OP", "F2")
        assert 0 < props["resolution_horizontal"] <= props["resolution_vertical"] < 1


def test_every_file_of_the_records_is_there_and_readable_and_no_other(demo):
    folder, records = demo
    named = [name for image in images_of(records) for name in files_of(image)]
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert len(named) == len(set(named))
    assert set(named) == there
    for name in named:
        with Image.open(folder / name) as picture:
            picture.load()
            assert picture.mode == ("RGB" if name.endswith(".jpg") else "L")
    assert sum((folder / name).stat().st_size for name in named) < 6_000_000


def test_the_resolutions_fit_the_field_of_view(demo):
    folder, records = demo
    for image in images_of(records):
        files = files_of(image)
        with Image.open(folder / files[0]) as picture:
            width, height = picture.size
        props = image["props"]
        if props["modality"] == "OCT":
            scale = oct_resolution((len(files), height, width))
            assert props["resolution_vertical"] * len(files) == pytest.approx(6.0, rel=1e-3)
            assert props["resolution_horizontal"] * width == pytest.approx(6.0, rel=1e-3)
            assert props["resolution_axial"] == pytest.approx(scale.axial, rel=1e-3)
        else:
            assert props["resolution_vertical"] == pytest.approx(
                fundus_mm_per_pixel(height), rel=1e-3
            )


def test_a_second_run_writes_nothing_and_mends_only_what_is_spoiled(demo):
    folder, records = demo
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    before = {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in files}
    whole = files[0].read_bytes()
    files[0].write_bytes(whole[: len(whole) // 2])
    missing = files[-1].read_bytes()
    files[-1].unlink()

    assert write_demo_images(folder) == records

    assert sorted(p for p in folder.rglob("*") if p.is_file()) == files
    assert files[0].read_bytes() == whole
    assert files[-1].read_bytes() == missing
    for path in files[1:-1]:
        assert (path.stat().st_mtime_ns, path.stat().st_ino) == before[path]


def test_a_folder_that_cannot_be_made_is_an_error_that_names_it(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StorageError, match="taken"):
        write_demo_images(tmp_path / "taken")


def test_a_failed_write_leaves_neither_a_draft_nor_half_a_file(tmp_path, monkeypatch):
    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StorageError, match="No space left"):
        write_demo_images(tmp_path)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []
