"""Thumbnails: two small JPEG files of each image, and the row that says so.

`ImageInstance.ThumbnailPath` is NULL until a thumbnail is made, empty when that failed, and
otherwise the identifier that the files are named by.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from attrs import frozen

from eyened_domain.config import Secret
from eyened_domain.model import ImageInstance, Modality, Patient, Series, Study
from eyened_domain.services.batches import (
    BatchReport,
    Due,
    ItemFailure,
    Outcome,
    RunOptions,
    Saved,
    run_job,
)
from eyened_domain.services.image_files import is_json
from eyened_domain.services.storage import Storage
from eyened_domain.services.unit_of_work import UnitOfWork

_FAILED = ""
_PIXELS = (
    "dataset_identifier",
    "rows_y",
    "columns_x",
    "nr_of_frames",
    "modality",
    "laterality",
    "cf_roi",
    "resolution_horizontal",
    "resolution_vertical",
)


@frozen(kw_only=True)
class ThumbnailRequest:
    """One image whose thumbnail is to be made: all that a worker needs to know of it.

    Attributes:
        image_id: its primary key.
        thumbnail: the identifier that the files get.
        dataset_identifier: its file.
        rows_y: rows in pixels, as the row says.
        columns_x: columns in pixels, as the row says.
        nr_of_frames: B-scans, as the row says.
        laterality: the eye, ``L`` or ``R``, as the row says.
        cf_roi: the field of view of a colour fundus image (CFROI); None for other images.
        resolution_horizontal: millimetres per pixel along a B-scan.
        resolution_vertical: millimetres per pixel across the B-scans.
    """

    image_id: int
    thumbnail: str
    dataset_identifier: str
    rows_y: int | None = None
    columns_x: int | None = None
    nr_of_frames: int | None = None
    laterality: str | None = None
    cf_roi: Any = None
    resolution_horizontal: float | None = None
    resolution_vertical: float | None = None


class ThumbnailFiles(Protocol):
    """Where thumbnails are made; picklable, as it works in other processes."""

    def check(self) -> None:
        """Find out whether files can be read and written at all.

        Raises:
            ConfigurationError: a folder is not there.
        """

    def make(self, request: ThumbnailRequest) -> None:
        """Write the thumbnails of one image, each at once in full.

        Raises:
            BadInput: the image cannot be read.
            StorageError: the files cannot be written.
        """


def thumbnail_identifier(key: Secret, project_id: int, image_id: int) -> str:
    """Return ``<ProjectID>/<24 hex characters>``, which nobody guesses without the key.

    Args:
        key: SECRET_KEY.
        project_id: the project of the image's patient.
        image_id: ImageInstanceID; the hex is the head of the HMAC-SHA256 of its decimals.
    """
    digest = hmac.new(key.reveal().encode(), str(image_id).encode("ascii"), hashlib.sha256)
    return f"{project_id}/{digest.hexdigest()[:24]}"


class Thumbnails:
    """Makes the thumbnails that are missing.

    Args:
        storage: a `Database`, or the memory adapter's.
        files: makes the files.
        secret_key: SECRET_KEY; it stays here, workers get the identifiers.
    """

    def __init__(self, storage: Storage, files: ThumbnailFiles, secret_key: Secret) -> None:
        self._storage = storage
        self._files = files
        self._secret_key = secret_key

    def update(self, *, failed: bool = False, options: RunOptions | None = None) -> BatchReport:
        """Make the thumbnails of all images that have none.

        An image that cannot be shown is marked (an empty ThumbnailPath) and reported. One
        that a store or a setting is to blame for is reported and left as it is. Images whose
        file is JSON have no thumbnails and are skipped. A ThumbnailPath that somebody has
        set meanwhile stays.

        Args:
            failed: try again those that failed before.
            options: executor, portions, progress, stopping.

        Raises:
            ConfigurationError: IMAGES_BASEPATH or THUMBNAILS_PATH is not there.
        """
        self._files.check()
        job = _ThumbnailJob(self._files.make, self._secret_key, failed)
        return run_job(self._storage, job, options)


class _ThumbnailJob:
    """See `eyened_domain.services.batches.Job`."""

    def __init__(self, work: Callable[[ThumbnailRequest], None], key: Secret, failed: bool) -> None:
        self.work = work
        self._key = key
        due: list[str | None] = [None, _FAILED] if failed else [None]
        self._any_of = [{"thumbnail_path": value} for value in due]

    def count(self, uow: UnitOfWork) -> int:
        count: int = uow.rows.count(ImageInstance, any_of=self._any_of)
        return count

    def due(self, uow: UnitOfWork, after: int, most: int) -> Due[ThumbnailRequest]:
        names = ("image_instance_id", "series_id", *_PIXELS)
        found = uow.rows.page(ImageInstance, names, any_of=self._any_of, after=after, most=most)
        rows = [dict(zip(names, row, strict=True)) for row in found]
        shown = [row for row in rows if not is_json(row["dataset_identifier"])]
        projects = _projects(uow, {row["series_id"] for row in shown})
        return Due(
            [self._request(row, projects[row["series_id"]]) for row in shown],
            skipped=len(rows) - len(shown),
            last=rows[-1]["image_instance_id"] if len(rows) == most else None,
        )

    def _request(self, row: dict[str, Any], project_id: int) -> ThumbnailRequest:
        image_id = row["image_instance_id"]
        is_colour_fundus = row["modality"] is Modality.ColorFundus
        return ThumbnailRequest(
            image_id=image_id,
            thumbnail=thumbnail_identifier(self._key, project_id, image_id),
            dataset_identifier=row["dataset_identifier"],
            rows_y=row["rows_y"],
            columns_x=row["columns_x"],
            nr_of_frames=row["nr_of_frames"],
            laterality=row["laterality"] and row["laterality"].name,
            cf_roi=row["cf_roi"] if is_colour_fundus else None,
            resolution_horizontal=row["resolution_horizontal"],
            resolution_vertical=row["resolution_vertical"],
        )

    def save(self, uow: UnitOfWork, outcomes: Sequence[Outcome[ThumbnailRequest]]) -> Saved:
        names = ("image_instance_id", "thumbnail_path", "dataset_identifier")
        ids = [outcome.item.image_id for outcome in outcomes]
        found = uow.rows.find(ImageInstance, names[0], ids, names, lock=True)
        now = {image_id: (path, identifier) for image_id, path, identifier in found}
        written, overtaken, failures = [], 0, []
        for outcome in outcomes:
            request, failure = outcome.item, outcome.failure
            path, identifier = now.get(request.image_id, (None, None))
            if path or identifier != request.dataset_identifier:
                overtaken += 1
            elif failure is None:
                written.append(_row(request, request.thumbnail))
            else:
                failures.append(_failed(request, failure))
                if not failure.is_of_the_surroundings:
                    written.append(_row(request, _FAILED))
        uow.rows.update(ImageInstance, written)
        made = len([row for row in written if row["thumbnail_path"]])
        return Saved(made=made, overtaken=overtaken, failures=failures)


def _row(request: ThumbnailRequest, path: str) -> dict[str, Any]:
    return {"image_instance_id": request.image_id, "thumbnail_path": path}


def _failed(request: ThumbnailRequest, failure: Any) -> ItemFailure:
    return ItemFailure(item_id=request.image_id, name=request.dataset_identifier, failure=failure)


def _projects(uow: UnitOfWork, series_ids: set[int]) -> dict[int, int]:
    """Return the project of each series, in three statements."""
    rows = uow.rows
    study_of = dict(rows.find(Series, "series_id", series_ids, ("series_id", "study_id")))
    patient_of = dict(
        rows.find(Study, "study_id", set(study_of.values()), ("study_id", "patient_id"))
    )
    project_of = dict(
        rows.find(Patient, "patient_id", set(patient_of.values()), ("patient_id", "project_id"))
    )
    return {series: project_of[patient_of[study]] for series, study in study_of.items()}
