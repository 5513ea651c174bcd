import gc
import pickle
import sys
from pathlib import Path

import pytest

sys.path.insert(0, "/work/main")

from benchmarks.databases import fresh_database
from benchmarks.dataset import fill
from eyened_domain import ImageInstance
from eyened_domain.adapters.sql.json_tracking import TrackedJson
from eyened_domain.adapters.storage.image_paths import StoredImagePaths
from eyened_domain.errors import BadInput


@pytest.fixture
def db():
    with fresh_database("sqlite") as d:
        fill(d.engine, 20)
        yield d


def stored(db, n=1):
    with db.get_session() as s:
        return dict(s.get(ImageInstance, n).cf_roi)


def test_first_read_edit_is_stored(db):
    with db.get_session() as s:
        s.get(ImageInstance, 1).cf_roi["center"].append(3)
        gc.collect()
        s.commit()
    assert stored(db)["center"] == [980, 967, 3]


def test_after_refresh_and_rollback(db):
    with db.get_session() as s:
        one = s.get(ImageInstance, 1)
        old = one.cf_roi
        old["radius"] = 1
        s.rollback()
        assert one.cf_roi["radius"] == 940 and one not in s.dirty
        old["radius"] = 2
        assert one not in s.dirty
        s.refresh(one)
        one.cf_roi["radius"] = 5
        s.commit()
    assert stored(db)["radius"] == 5


def test_merge_without_load_holds_for_the_copy(db):
    with db.get_session() as a:
        one = a.get(ImageInstance, 1)
        mine = one.cf_roi
        with db.get_session() as b:
            two = b.merge(one, load=False)
            two.cf_roi["radius"] = 7
            assert mine["radius"] == 940 and one not in a.dirty and two in b.dirty
            b.commit()
            mine["radius"] = 9
            assert one in a.dirty and two not in b.dirty
    assert stored(db)["radius"] == 7


def test_merge_with_load(db):
    with db.get_session() as a:
        one = a.get(ImageInstance, 1)
        one.cf_roi
        a.expunge(one)
    one.cf_roi["radius"] = 8
    with db.get_session() as b:
        two = b.merge(one)
        two.cf_roi["radius"] += 1
        b.commit()
    assert stored(db)["radius"] == 9 and one.cf_roi["radius"] == 8


def test_pickle_and_copy(db):
    with db.get_session() as a:
        one = a.get(ImageInstance, 1)
        one.cf_roi
    back = pickle.loads(pickle.dumps(one))
    assert type(back.__dict__["cf_roi"]) is dict
    with db.get_session() as b:
        b.add(back)
        back.cf_roi["radius"] = 11
        assert back in b.dirty
        b.commit()
    assert stored(db)["radius"] == 11


def test_reading_dirties_nothing(db):
    with db.get_session() as s:
        one = s.get(ImageInstance, 1)
        assert one.cf_roi is one.cf_roi is one.CFROI
        assert isinstance(one.cf_roi, TrackedJson)
        assert not s.is_modified(one) and one not in s.dirty
        one.cf_roi = one.cf_roi
        assert not s.is_modified(one)


@pytest.mark.parametrize("bad", ["/a", "//a", "..", "a/../b", "../a", "a/.."])
def test_bad(bad):
    with pytest.raises(BadInput):
        StoredImagePaths(Path("/base")).path_of(bad)


@pytest.mark.parametrize(
    "good", ["a", "a..b/c", "./a", "a//b", "", "..a", "a/...", "[png_series_3]x/y.png"]
)
def test_good(good):
    from pathlib import PurePosixPath

    assert StoredImagePaths(Path("/base")).path_of(good) == Path("/base") / PurePosixPath(good)
