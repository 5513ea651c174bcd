"""The rules of thumbnails and hashes, without a file and without a database."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import pytest
from attrs import define, field

from eyened_domain.adapters.memory.database import MemoryDatabase
from eyened_domain.config import Secret
from eyened_domain.errors import BadInput, ConfigurationError, StorageError
from eyened_domain.services.batches import BatchReport, Failure, RunOptions
from eyened_domain.services.hashing import Hashes, HashRequest, ImageHashes
from eyened_domain.services.thumbnails import (
    ThumbnailRequest,
    Thumbnails,
    thumbnail_identifier,
)
from eyened_domain.testing import Builder

KEY = Secret("a canary that must stay where it is")


@define
class Files:
    """Makes nothing, remembers what it was asked, and fails as it is told to."""

    errors: dict[str, Exception] = field(factory=dict)
    meanwhile: Callable[[Any], None] = lambda _request: None
    asked: list[Any] = field(factory=list)
    here: bool = True

    def check(self) -> None:
        if not self.here:
            raise ConfigurationError("IMAGES_BASEPATH is not there")

    def make(self, request: Any) -> Any:
        self.asked.append(request)
        self.meanwhile(request)
        error = self.errors.get(request.dataset_identifier)
        if error is not None:
            raise error
        if isinstance(request, ThumbnailRequest):
            return None
        name = request.dataset_identifier.encode()
        return ImageHashes(
            file_checksum=hashlib.md5(name).digest() if request.file_checksum else None,
            data_hash=hashlib.sha256(name).hexdigest().encode() if request.data_hash else None,
        )


@pytest.fixture
def database() -> MemoryDatabase:
    return MemoryDatabase()


def put(database: MemoryDatabase, *names: str, **values: Any) -> list[int]:
    """Store images in one series; return their ids."""
    builder = Builder()
    with database.unit_of_work() as uow:
        images = [
            uow.images.add(builder.an_image(dataset_identifier=name, **values)) for name in names
        ]
        uow.commit()
        return [image.image_instance_id for image in images]


def change(database: MemoryDatabase, image_id: int, **values: Any) -> None:
    with database.unit_of_work() as uow:
        image = uow.images.get(image_id)
        for name, value in values.items():
            setattr(image, name, value)
        uow.commit()


def column(database: MemoryDatabase, name: str) -> dict[str, Any]:
    with database.unit_of_work() as uow:
        return {image.dataset_identifier: getattr(image, name) for image in uow.images.where()}


def thumbnails(database: MemoryDatabase, files: Files, **options: Any) -> BatchReport:
    return Thumbnails(database, files, KEY).update(**options)


def test_the_identifier_is_the_head_of_the_hmac_of_the_decimal_id() -> None:
    key = Secret("kéy")
    digest = hmac.new("kéy".encode(), b"1234", hashlib.sha256).hexdigest()
    assert thumbnail_identifier(key, 7, 1234) == f"7/{digest[:24]}"


def test_an_image_without_a_thumbnail_gets_one_in_its_project(database: MemoryDatabase) -> None:
    (image_id,) = put(database, "a.png")
    files = Files()
    assert str(thumbnails(database, files)) == "1 made, 0 failed"
    with database.unit_of_work() as uow:
        image = uow.images.get(image_id)
        project = image.series.study.patient.project_id
        assert image.thumbnail_path == thumbnail_identifier(KEY, project, image_id)
    assert [request.thumbnail for request in files.asked] == [image.thumbnail_path]
    assert thumbnails(database, files) == BatchReport()


def test_no_worker_and_no_report_gets_the_key(database: MemoryDatabase) -> None:
    put(database, "a.png", "b.png")
    files = Files({"b.png": BadInput("no image")})
    service = Thumbnails(database, files, KEY)
    report = service.update()
    for shown in (files.asked, report, service, vars(service)):
        assert KEY.reveal() not in repr(shown)


def test_a_bad_image_is_marked_and_told_and_tried_again_when_asked(
    database: MemoryDatabase,
) -> None:
    ids = put(database, "a.png", "b.png", "c.png")
    files = Files({"b.png": BadInput("is no image")})
    report = thumbnails(database, files)
    assert report.made == 2
    assert [(one.item_id, one.name, str(one.failure)) for one in report.failures] == [
        (ids[1], "b.png", "BadInput: is no image")
    ]
    assert column(database, "thumbnail_path")["b.png"] == ""
    assert report.undone == ()
    assert thumbnails(database, files) == BatchReport()
    files.errors.clear()
    assert thumbnails(database, files, failed=True).made == 1
    assert all(column(database, "thumbnail_path").values())


@pytest.mark.parametrize("error", [StorageError("disk full"), ConfigurationError("no pydicom")])
def test_an_image_is_not_marked_for_what_a_store_or_a_setting_did(
    database: MemoryDatabase, error: Exception
) -> None:
    put(database, "a.dcm", "b.png")
    report = thumbnails(database, Files({"a.dcm": error}))
    assert column(database, "thumbnail_path")["a.dcm"] is None
    assert (report.made, report.undone) == (1, report.failures)


def test_an_image_whose_file_is_json_has_no_thumbnail_and_is_no_failure(
    database: MemoryDatabase,
) -> None:
    put(database, "a.json", "b.JSON", "c.png")
    files = Files()
    assert str(thumbnails(database, files)) == "1 made, 0 failed, 2 skipped"
    assert [request.dataset_identifier for request in files.asked] == ["c.png"]
    assert column(database, "thumbnail_path")["a.json"] is None


@pytest.mark.parametrize("failing", [False, True])
def test_a_thumbnail_that_somebody_made_meanwhile_stays(
    database: MemoryDatabase, failing: bool
) -> None:
    (image_id,) = put(database, "a.png")
    files = Files(
        {"a.png": BadInput("bad")} if failing else {},
        lambda _: change(database, image_id, thumbnail_path="theirs", cf_quality=1.0),
    )
    report = thumbnails(database, files)
    assert (report.made, report.overtaken, report.failures) == (0, 1, ())
    assert column(database, "thumbnail_path") == {"a.png": "theirs"}
    assert column(database, "cf_quality") == {"a.png": 1.0}


def test_an_edit_of_another_column_meanwhile_is_not_lost(database: MemoryDatabase) -> None:
    (image_id,) = put(database, "a.png")
    files = Files(meanwhile=lambda _: change(database, image_id, cf_quality=2.0))
    assert thumbnails(database, files).made == 1
    assert column(database, "cf_quality") == {"a.png": 2.0}
    assert column(database, "thumbnail_path")["a.png"]


def test_the_thumbnail_of_a_file_that_was_replaced_meanwhile_is_not_taken(
    database: MemoryDatabase,
) -> None:
    (image_id,) = put(database, "a.png")
    files = Files(meanwhile=lambda _: change(database, image_id, dataset_identifier="b.png"))
    assert thumbnails(database, files).overtaken == 1
    assert column(database, "thumbnail_path") == {"b.png": None}
    files.meanwhile = lambda _: None
    assert thumbnails(database, files).made == 1


def test_an_image_that_is_deleted_meanwhile_is_forgotten(database: MemoryDatabase) -> None:
    (image_id,) = put(database, "a.png")

    def delete(_: Any) -> None:
        with database.unit_of_work() as uow:
            uow.images.delete(uow.images.get(image_id))
            uow.commit()

    assert thumbnails(database, Files(meanwhile=delete)).overtaken == 1


def test_only_a_colour_fundus_image_brings_its_field_of_view(database: MemoryDatabase) -> None:
    roi = {"center": [4, 3], "radius": 3, "hw": [6, 8]}
    _, other = put(database, "a.png", "b.png", cf_roi=roi, modality="ColorFundus")
    change(database, other, modality="OCT")
    files = Files()
    thumbnails(database, files)
    assert [request.cf_roi for request in files.asked] == [roi, None]


def test_nothing_is_marked_when_the_image_folder_is_not_there(database: MemoryDatabase) -> None:
    put(database, "a.png")
    with pytest.raises(ConfigurationError, match="IMAGES_BASEPATH"):
        thumbnails(database, Files(here=False))
    assert column(database, "thumbnail_path") == {"a.png": None}


# -- hashes ------------------------------------------------------------------------------


def hashes(database: MemoryDatabase, files: Files, **options: Any) -> BatchReport:
    return Hashes(database, files).update(RunOptions(**options))


def test_both_hashes_are_filled_in_once(database: MemoryDatabase) -> None:
    put(database, "a.png", "b.png")
    files = Files()
    assert str(hashes(database, files)) == "2 made, 0 failed"
    assert column(database, "file_checksum")["a.png"] == hashlib.md5(b"a.png").digest()
    assert column(database, "data_hash")["b.png"] == hashlib.sha256(b"b.png").hexdigest().encode()
    assert hashes(database, files) == BatchReport()


def test_a_hash_that_is_there_is_not_made_again_and_not_overwritten(
    database: MemoryDatabase,
) -> None:
    put(database, "a.png", file_checksum=b"old" + bytes(13))
    files = Files()
    assert hashes(database, files).made == 1
    assert [(one.file_checksum, one.data_hash) for one in files.asked] == [(False, True)]
    assert column(database, "file_checksum") == {"a.png": b"old" + bytes(13)}


def test_a_hash_that_somebody_wrote_meanwhile_stays(database: MemoryDatabase) -> None:
    (image_id,) = put(database, "a.png")
    files = Files(meanwhile=lambda _: change(database, image_id, data_hash=b"theirs"))
    assert hashes(database, files).made == 1
    assert column(database, "data_hash") == {"a.png": b"theirs"}
    assert column(database, "file_checksum")["a.png"] == hashlib.md5(b"a.png").digest()


def test_a_series_has_no_file_checksum_and_a_json_file_no_pixels(database: MemoryDatabase) -> None:
    put(database, "[png_series_3]v/oct.png", "layout.json")
    files = Files()
    assert str(hashes(database, files)) == "2 made, 0 failed"
    assert {one.dataset_identifier: (one.file_checksum, one.data_hash) for one in files.asked} == {
        "[png_series_3]v/oct.png": (False, True),
        "layout.json": (True, False),
    }
    assert str(hashes(database, files)) == "0 made, 0 failed, 2 skipped"


def test_an_image_without_readable_pixels_keeps_the_checksum_of_its_file(
    database: MemoryDatabase,
) -> None:
    put(database, "a.png")

    class Unreadable(Files):
        def make(self, request: HashRequest) -> ImageHashes:
            failure = Failure("BadInput", "is no image")
            return ImageHashes(file_checksum=b"c" * 16, failure=failure)

    report = hashes(database, Unreadable())
    assert (report.made, [str(f.failure) for f in report.failures]) == (
        0,
        ["BadInput: is no image"],
    )
    assert column(database, "file_checksum") == {"a.png": b"c" * 16}
    assert column(database, "data_hash") == {"a.png": None}


def test_pages_of_rows_are_walked_to_the_end(database: MemoryDatabase) -> None:
    builder = Builder()
    series = builder.a_series()
    with database.unit_of_work() as uow:
        for n in range(1203):
            name = f"{n}.json" if n % 7 == 0 else f"{n}.png"
            uow.images.add(builder.an_image(dataset_identifier=name, series=series))
        uow.commit()
    shown: list[tuple[int, int | None]] = []
    files = Files()
    report = Thumbnails(database, files, KEY).update(
        options=RunOptions(progress=lambda *now: shown.append(now))
    )
    assert (report.made, report.skipped) == (1031, 172)
    assert shown[-1] == (1203, 1203)
