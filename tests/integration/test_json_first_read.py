"""JSON values are tracked from the first time that they are read of an object."""

import gc
import pickle
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from eyened_domain import BadInput, Database, ImageInstance
from eyened_domain.adapters.image_store import StoredImages
from eyened_domain.adapters.sql.json_tracking import TrackedJson
from eyened_domain.testing import Builder

FIELD = {"center": [980, 967], "radius": 940}


@pytest.fixture
def image_id(sqlite_database: Database) -> int:
    with sqlite_database.unit_of_work() as uow:
        image = uow.images.add(Builder().an_image(cf_roi=FIELD))
        uow.commit()
    return image.image_instance_id


def stored(database: Database, image_id: int) -> Any:
    """Return the field of view that the database holds."""
    with database.get_session() as session:
        return ImageInstance.by_id(session, image_id).cf_roi


def test_an_edit_of_what_is_read_once_is_stored(sqlite_database: Database, image_id: int) -> None:
    with sqlite_database.get_session() as session:
        ImageInstance.by_id(session, image_id).cf_roi["center"].append(3)
        gc.collect()
        session.commit()

    assert stored(sqlite_database, image_id)["center"] == [980, 967, 3]


def test_a_value_from_before_a_rollback_changes_nothing_any_more(
    sqlite_database: Database, image_id: int
) -> None:
    with sqlite_database.get_session() as session:
        image = ImageInstance.by_id(session, image_id)
        old = image.cf_roi
        old["radius"] = 1
        session.rollback()
        assert image.cf_roi["radius"] == 940
        old["radius"] = 2
        assert image not in session.dirty
        session.refresh(image)
        image.cf_roi["radius"] = 5
        session.commit()

    assert stored(sqlite_database, image_id)["radius"] == 5


def test_a_copy_in_another_session_has_a_value_of_its_own(
    sqlite_database: Database, image_id: int
) -> None:
    with sqlite_database.get_session() as first, sqlite_database.get_session() as second:
        image = ImageInstance.by_id(first, image_id)
        mine = image.cf_roi
        copy = second.merge(image, load=False)
        copy.cf_roi["radius"] = 7
        assert mine["radius"] == 940
        assert image not in first.dirty
        assert copy in second.dirty
        first.rollback()
        second.commit()

    assert stored(sqlite_database, image_id)["radius"] == 7


def test_a_pickled_object_tracks_again_once_it_is_in_a_session(
    sqlite_database: Database, image_id: int
) -> None:
    with sqlite_database.get_session() as session:
        image = ImageInstance.by_id(session, image_id)
        assert image.cf_roi == FIELD
    back = pickle.loads(pickle.dumps(image))
    assert type(back.__dict__["cf_roi"]) is dict
    with sqlite_database.get_session() as session:
        session.add(back)
        back.cf_roi["radius"] = 11
        assert back in session.dirty
        session.commit()

    assert stored(sqlite_database, image_id)["radius"] == 11


def test_reading_changes_nothing(sqlite_database: Database, image_id: int) -> None:
    with sqlite_database.get_session() as session:
        image = ImageInstance.by_id(session, image_id)
        value = image.cf_roi
        assert value is image.CFROI
        assert isinstance(value, TrackedJson)
        assert image not in session.dirty
        image.cf_roi = value
        assert not session.is_modified(image)


@pytest.mark.parametrize("identifier", ["/a", "//a", "..", "a/../b", "../a", "a/.."])
def test_no_path_leads_out_of_the_base(identifier: str) -> None:
    with pytest.raises(BadInput, match="leads out"):
        StoredImages(Path("/base")).path_of(identifier)


@pytest.mark.parametrize(
    "identifier", ["a", "a..b/c", "./a", "a//b", "..a", "a/...", "[png_series_3]x/y.png"]
)
def test_a_path_stands_beneath_the_base(identifier: str) -> None:
    expected = Path("/base") / PurePosixPath(identifier)

    assert StoredImages(Path("/base")).path_of(identifier) == expected
