"""HTML for notebooks: every text is shown as text; a card never raises."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from campaigns.hostile import html as campaign_html
from eyened_domain.adapters.memory import MemoryUnitOfWork
from eyened_domain.adapters.memory.images import MemoryImages
from eyened_domain.model import Creator, FormAnnotation, Patient
from eyened_domain.model.html_table import LONGEST_TEXT
from eyened_domain.services.segmenting import Segmenting
from eyened_domain.testing import Builder

FIXED = 20261123


@pytest.mark.parametrize("seed", [FIXED, None], ids=["fixed", "drawn"])
def test_nothing_breaks_out_of_the_html_and_no_text_is_lost(seed):
    drawn = random.SystemRandom().randrange(2**31) if seed is None else seed
    figures = campaign_html.run(count=80, seed=drawn)
    assert campaign_html.sound(figures), figures
    assert figures["pictures"] > 100


def test_the_campaign_finds_what_breaks_out():
    found = campaign_html.Parsed(
        '<p onclick="x"><img src="java script:1"><script>1</script><!-- x -->'
    ).figures
    wanted = ("scripts", "handlers", "script addresses")
    assert [found[name] for name in wanted] == [1, 1, 1]
    assert found["strangers"] >= 4
    assert campaign_html.Parsed('<img src="java\nscript:1">').figures["script addresses"] == 1


def test_private_columns_are_not_in_the_html():
    html = Creator(creator_name="ann", password_hash="canary", password=b"canary")._repr_html_()
    assert "ann" in html
    assert "canary" not in html
    assert "password" not in html
    assert b"canary".hex() not in html


def test_long_values_are_cut_and_names_of_linked_objects_shown():
    build = Builder()
    form: Any = FormAnnotation.blank(FormAnnotation)
    form.form_data = {"x": "y" * 10 * LONGEST_TEXT}
    assert len(form._repr_html_()) < 2 * LONGEST_TEXT
    patient = build.a_patient(project=build.a_project(project_name="AREDS & others"))
    assert "AREDS &amp; others" in patient._repr_html_()
    assert Patient.blank(Patient)._repr_html_()


def test_a_lone_surrogate_in_json_does_not_stop_a_notebook():
    form: Any = FormAnnotation.blank(FormAnnotation)
    form.form_data = {"x": "\ud800"}
    assert form._repr_html_().encode()


@pytest.fixture
def volume():
    images = MemoryImages({"a.png": np.full((12, 6, 8), 90, np.uint8)})
    with MemoryUnitOfWork(image_store=images) as uow:
        build = Builder()
        image = build.an_image(dataset_identifier="a.png", nr_of_frames=12, rows_y=6, columns_x=8)
        yield uow, uow.images.add(image), build, images


def test_a_volume_is_shown_en_face_and_by_its_middle_b_scan(volume):
    _, image, _, _ = volume
    html = image._repr_html_()
    assert html.count("data:image/jpeg;base64,") == 2
    assert "B-scan 6" in html


def test_what_cannot_be_shown_is_told_on_the_card(volume):
    uow, image, build, images = volume
    drawn = uow.segmentations.add(
        build.a_segmentation(image_instance=image, depth=12, height=6, width=8)
    )
    assert drawn._repr_html_().count("data:image/jpeg;base64,") == 2, "the image without masks"
    images.pixels.clear()
    assert "there is no image" in image._repr_html_()
    assert "there is no image" in drawn._repr_html_()
    image.rows_y = image.columns_x = 30_000
    assert "more than a notebook makes" in image._repr_html_()


def test_a_segmentation_is_shown_after_its_unit_of_work_has_closed():
    images = MemoryImages({"a.png": np.full((6, 8), 90, np.uint8)})
    build = Builder()
    with MemoryUnitOfWork(image_store=images) as uow:
        image = build.an_image(dataset_identifier="a.png", rows_y=6, columns_x=8)
        drawn = Segmenting().create(
            uow,
            uow.images.add(image),
            np.eye(6, 8) > 0,
            feature=build.a_feature(feature_name="<i>vessels</i>"),
            creator=build.a_creator(),
        )
        uow.commit()
        store = uow.store
    html = drawn._repr_html_()
    assert "data:image/jpeg" in html
    assert "&lt;i&gt;vessels" in html
    with MemoryUnitOfWork(store, image_store=images) as uow:
        found = uow.segmentations.get(drawn.segmentation_id)
    assert "was not loaded" in found._repr_html_() or "not loaded" in found._repr_html_()


def test_a_thumbnail_is_taken_from_its_file_and_nothing_else_is(tmp_path):
    from eyened_domain.adapters.image_store import StoredImages

    (tmp_path / "thumbnails" / "1").mkdir(parents=True)
    (tmp_path / "secret_540.jpg").write_bytes(b"\xff\xd8\xffsecret")
    (tmp_path / "thumbnails" / "1" / "good_540.jpg").write_bytes(b"\xff\xd8\xffgood")
    (tmp_path / "thumbnails" / "1" / "text_540.jpg").write_bytes(b"<script>")
    (tmp_path / "thumbnails" / "1" / "link_540.jpg").symlink_to(tmp_path / "secret_540.jpg")
    images = StoredImages(tmp_path, thumbnails=tmp_path / "thumbnails")
    image = Builder().an_image(thumbnail_path="1/good")
    assert images.thumbnail_bytes(image, 540) == b"\xff\xd8\xffgood"
    for path in ("1/text", "1/link", "../secret", "1/none", ""):
        image.thumbnail_path = path
        assert images.thumbnail_bytes(image, 540) is None, path
