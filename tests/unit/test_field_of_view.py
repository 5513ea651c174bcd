"""The field of view of a fundus image: its circle, its crop, and the way there and back."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eyened_domain import ImageInstance
from eyened_domain.errors import BadInput
from eyened_domain.model.enums import Laterality
from eyened_domain.model.field_of_view import FieldOfView

SHARED = Path(os.environ.get("EYENED_SHARED", Path(__file__).parents[3] / "shared"))
needs_shared = pytest.mark.skipif(
    not (SHARED / "data" / "fundus").is_dir(),
    reason=f"no test data in {SHARED / 'data'}; set EYENED_SHARED",
)


def field(
    x: float = 100,
    y: float = 80,
    radius: float = 60,
    hw: tuple[int, int] = (160, 200),
    **more: object,
) -> FieldOfView:
    found = FieldOfView.from_json({"center": [x, y], "radius": radius, "hw": list(hw), **more})
    assert found is not None
    return found


coordinates = st.floats(-5000, 5000)
fields = st.builds(
    field, x=coordinates, y=coordinates, radius=st.floats(0.5, 5000),
    hw=st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
)  # fmt: skip


@given(view=fields, points=st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=9))
def test_points_come_back_from_the_crop(view: FieldOfView, points: list[tuple[float, float]]):
    there = view.to_crop(points)
    assert np.allclose(view.to_image(there), points, atol=1e-6 * max(1, view.radius))
    assert np.allclose(view.image_to_crop @ view.crop_to_image, np.eye(3), atol=1e-7)
    assert there.shape == (len(points), 2)


@given(view=fields)
def test_the_square_around_the_circle_falls_onto_the_whole_crop(view: FieldOfView):
    x, y = view.center
    corners = [(x - view.radius, y - view.radius), (x + view.radius, y + view.radius), (x, y)]
    expected = [(-0.5, -0.5), (1023.5, 1023.5), (511.5, 511.5)]
    assert np.allclose(view.to_crop(corners), expected, atol=1e-6)


@given(view=fields)
def test_the_form_of_the_database_is_read_as_it_was_written(view: FieldOfView):
    assert FieldOfView.from_json(view.to_json()) == view


def test_a_failed_detection_and_none_are_no_field_of_view():
    image = ImageInstance(dataset_identifier="x.png", laterality=Laterality.R)
    assert image.field_of_view is None
    image.cf_roi = {"success": False}
    assert image.field_of_view is None
    image.cf_roi = {"center": [3, 4], "radius": 2, "hw": [9, 8], "success": True}
    assert image.field_of_view == FieldOfView(center=(3, 4), radius=2, hw=(9, 8))


WRONG: list[dict[str, object]] = [
    {"center": [1]}, {"center": [1, "2"]}, {"radius": 0}, {"radius": -1}, {"radius": True},
    {"radius": float("nan")}, {"hw": [4.5, 5]}, {"hw": [0, 5]}, {"hw": [10**6, 5]}, {"lines": 3},
    {"lines": [[1, 2, 3]]}, {"lines": {"top": [[0, 0], [0, 0]]}},
    {"lines": {"top": [[0, 2], [9, 2]]}},
]  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [
        7, [], {}, {"success": True}, {"center": [1, 2], "radius": 3},
        *({"center": [1, 2], "radius": 3, "hw": [4, 5]} | wrong for wrong in WRONG),
    ],
)  # fmt: skip
def test_what_is_no_field_of_view_is_refused_with_the_reason(value: object):
    with pytest.raises(BadInput) as caught:
        FieldOfView.from_json(value)
    assert (caught.value.entity, caught.value.field) == ("ImageInstance", "cf_roi")


def test_lines_may_be_named_or_listed_and_the_side_of_the_centre_is_seen():
    edge = [[0, 50], [200, 50]]
    for lines in ({"top": edge, "left": None}, [edge], {"top": edge[::-1]}):
        mask = field(lines=lines).mask()
        assert mask.shape == (160, 200)
        assert not mask[:50].any()
        assert mask[50, 100]
    assert field(lines=[[[90, 0], [90, 9]]]).mask()[:, :90].sum() == 0


def test_the_mask_has_the_area_and_the_place_of_the_circle():
    view = field()
    assert view.mask().sum() == pytest.approx(np.pi * 60**2, rel=0.005)
    assert view.bounds == (40, 20, 161, 141)
    assert field(lines=[[[0, 50], [9, 50]], [[0, 99], [9, 99]]]).bounds == (40, 50, 161, 100)
    assert field(x=1000, y=1000, radius=3).bounds == (0, 0, 0, 0)


@settings(max_examples=8, deadline=None)
@given(
    x=st.floats(60, 140), y=st.floats(50, 110), radius=st.floats(20, 90),
    kind=st.sampled_from([np.uint16, np.int32, np.float32]),
)  # fmt: skip
def test_a_crop_shows_a_slope_where_the_matrix_says(x: float, y: float, radius: float, kind: type):
    """A linear ramp is what interpolation keeps, so the crop tells where it has been taken."""
    view = field(x, y, radius)
    rows, columns = np.mgrid[:160, :200]
    crop = view.crop((rows + columns).astype(kind))
    assert crop.shape == (1024, 1024)
    assert crop.dtype == kind
    grid = np.stack(np.meshgrid(np.arange(0, 1024, 93), np.arange(0, 1024, 93)), axis=-1)
    places = view.to_image(grid.reshape(-1, 2))
    inside = ((places >= 1) & (places <= [198, 158])).all(axis=1)
    found = crop[grid.reshape(-1, 2)[:, 1], grid.reshape(-1, 2)[:, 0]]
    assert np.allclose(found[inside], places[inside].sum(axis=1), atol=0.51)
    outside = ((places < -1) | (places > [200, 160])).any(axis=1)
    assert (found[outside] == 0).all()


def test_a_crop_of_a_larger_image_averages_and_of_labels_takes_the_nearest():
    fine = np.indices((4096, 4096)).sum(axis=0) % 2 * 255
    view = field(2047.5, 2047.5, 2048, (4096, 4096))
    assert abs(view.crop(fine.astype(np.uint8)).astype(int) - 127.5).max() <= 1
    labels = np.full((160, 200, 3), 7, np.int32)
    labels[:80] = 3
    crop = field().crop(labels, smooth=False)
    assert crop.shape == (1024, 1024, 3)
    assert set(np.unique(crop)) == {3, 7}
    mask = field().crop(field().mask())
    assert mask.dtype == bool
    assert mask.mean() == pytest.approx(np.pi / 4, abs=0.01)


def test_a_crop_of_another_image_is_refused():
    with pytest.raises(BadInput, match=r"\(160, 200\)"):
        field().crop(np.zeros((200, 160)))


def test_keypoints_are_completed_both_ways_and_others_stay():
    view = field()
    there = view.complete_keypoints({"fovea_xy": [100, 80], "other": 1})
    assert there == {"fovea_xy": [100, 80], "prep_fovea_xy": [511.5, 511.5], "other": 1}
    back = view.complete_keypoints({"prep_disc_edge_xy": [511.5, 511.5]})
    assert back["disc_edge_xy"] == pytest.approx([100, 80])


def real_fields() -> dict[str, FieldOfView]:
    found: dict[str, FieldOfView] = {}
    with (SHARED / "data" / "metadata" / "cfi_bounds.csv").open() as file:
        for row in csv.DictReader(file):
            lines = {
                edge: [[float(row[f"{edge}_{axis}{end}"]) for axis in "xy"] for end in "01"]
                for edge in ("top", "bottom", "left", "right")
                if row[f"{edge}_present"] == "1"
            }
            found[row["sample_id"]] = field(
                float(row["center_x"]), float(row["center_y"]), float(row["radius"]),
                (int(row["hw_y"]), int(row["hw_x"])), lines=lines,
            )  # fmt: skip
    return found


@needs_shared
@pytest.mark.parametrize("name", ["CHASEDB1_08L", "CHASEDB1_12R"])
def test_the_circle_of_a_real_photograph_covers_its_mask(name: str):
    from eyened_domain.adapters.files.image_files import FileSystemImageFiles

    drawn = FileSystemImageFiles(SHARED / "data").read_pixels(f"masks/{name}_fov.gif") > 128
    circle = real_fields()[name].mask()
    assert 2 * (drawn & circle).sum() / (drawn.sum() + circle.sum()) > 0.97


@needs_shared
def test_the_crop_of_a_real_photograph_holds_its_retina_and_nothing_else():
    from eyened_domain.adapters.files.image_files import FileSystemImageFiles

    view = real_fields()["HRF_04_g"]
    photograph = FileSystemImageFiles(SHARED / "data").read_pixels("fundus/HRF_04_g.jpg")
    crop = view.crop(photograph)
    assert crop.shape == (1024, 1024, 3)
    seen = view.crop(view.mask())
    assert crop[seen].mean() > 10 * crop[~seen].mean()
    left, top, right, bottom = view.bounds
    assert (top, bottom) == (0, 2336)
    assert (left, right) == (129, 3390)
