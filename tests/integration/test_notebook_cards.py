"""What a notebook shows of images and segmentations of real databases, and what that costs."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from eyened_domain import Feature, ImageInstance, Patient, Segmentation
from eyened_domain.services.segmenting import Segmenting

PICTURE = "data:image/jpeg;base64,"


@pytest.fixture
def stored(database, builder):
    """Ids of 30 segmentations on images of their own, of 2 subfeatures each."""
    base = Path(database.settings.images_basepath)
    base.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (30, 20), (90, 90, 90)).save(base / "a.png")
    with database.unit_of_work() as uow:
        who = builder.a_creator(creator_name="ann")
        made = []
        for number in range(30):
            image = builder.an_image(dataset_identifier="a.png", rows_y=20, columns_x=30)
            both = Feature(feature_name=f"lesions {number}")
            both.add_subfeature(Feature(feature_name=f"drusen {number}"))
            masks = {f"drusen {number}": np.ones((20, 30), bool)}
            made.append(
                Segmenting().create_from_masks(
                    uow, uow.images.add(image), masks, feature=both, creator=who
                )
            )
        uow.commit()
        return [one.segmentation_id for one in made]


def test_a_card_loads_what_it_shows_and_not_the_same_for_all_others(
    database, stored, assert_queries, count_queries
):
    with database.get_session() as session:
        some = Segmentation.by_ids(session, stored)
        with assert_queries(database, at_most=6):
            html = some[7]._repr_html_()
        assert PICTURE in html
        assert "drusen 7" in html
        assert "ann" in html
        kinds = [type(one) for one in session.identity_map.values()]
        assert kinds.count(ImageInstance) == 1
        assert kinds.count(Feature) == 2
        with count_queries(database) as counted:
            assert some[7]._repr_html_() == html
        assert counted.total == 0, str(counted)


def test_after_the_session_no_relation_is_loaded_and_the_card_says_what_is_missing(
    database, stored, count_queries
):
    with database.get_session() as session:
        bare = Segmentation.by_id(session, stored[0])
        asked = (
            select(Segmentation)
            .where(Segmentation.segmentation_id == stored[1])
            .options(
                selectinload(Segmentation.image_instance),
                selectinload(Segmentation.feature)
                .selectinload(Feature.feature_associations)
                .selectinload(Feature.feature_associations.property.mapper.class_.child),
            )
        )
        whole = session.scalars(asked).one()
        image = ImageInstance.where(session)[0]
        patient = session.scalars(select(Patient).limit(1)).one()
    with count_queries(database) as counted:
        html = bare._repr_html_()
        assert "image_instance was not loaded" in html
        assert PICTURE not in html
        assert PICTURE in image._repr_html_()
        assert patient.patient_identifier in patient._repr_html_()
    assert counted.total == 0, str(counted)
    assert PICTURE in whole._repr_html_(), "pixels can be read after the session"


def test_looking_at_an_object_stores_nothing_of_what_is_being_made(
    database, stored, builder, count_queries
):
    with database.get_session() as session:
        one = Segmentation.by_id(session, stored[0])
        half_made = Patient(patient_identifier="half made")
        session.add(half_made)
        with count_queries(database) as counted:
            assert PICTURE in one._repr_html_()
            assert "half made" in half_made._repr_html_()
        assert not [line for line in counted.statements if line.startswith("INSERT")]
        assert half_made in session.new


def test_a_card_is_shown_though_the_connection_or_the_pixels_are_gone(database, stored, tmp_path):
    with database.get_session() as session:
        one = Segmentation.by_id(session, stored[0])
        for chunks in Path(database.settings.segmentations_zarr_store).rglob("c"):
            shutil.rmtree(chunks)
        assert "are lost" in one._repr_html_()
        session.connection().invalidate()
        assert "Segmentation" in one._repr_html_()


def test_the_thumbnail_is_shown_where_there_is_one(database, stored):
    folder = Path(database.settings.thumbnails_path) / "1"
    folder.mkdir(parents=True)
    (folder / "x_540.jpg").write_bytes(b"\xff\xd8\xff the thumbnail")
    with database.get_session() as session:
        image = ImageInstance.where(session)[0]
        image.thumbnail_path = "1/x"
        assert "/9j/IHRoZSB0aHVtYm5haWw=" in image._repr_html_()
