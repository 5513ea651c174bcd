"""Hashes: what tells a changed image file, and changed pixels.

`ImageInstance.FileChecksum` is the MD5 digest of the file (16 raw bytes), `DataHash` the
SHA-256 over the C-contiguous pixel array, as 64 ASCII hex characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from attrs import evolve, frozen

from eyened_domain.model import ImageInstance
from eyened_domain.services.batches import (
    BatchReport,
    Due,
    Failure,
    ItemFailure,
    Outcome,
    RunOptions,
    Saved,
    run_job,
)
from eyened_domain.services.image_files import is_json
from eyened_domain.services.storage import Storage
from eyened_domain.services.unit_of_work import UnitOfWork

_ANY_OF = [{"file_checksum": None}, {"data_hash": None}]
_SIZES = ("rows_y", "columns_x", "nr_of_frames")
_HASHES = ("file_checksum", "data_hash")
_NAMES = ("image_instance_id", "dataset_identifier", *_SIZES, "laterality", *_HASHES)


@frozen(kw_only=True)
class HashRequest:
    """One image that lacks a hash: all that a worker needs to know of it.

    Attributes:
        image_id: its primary key.
        dataset_identifier: its file.
        rows_y: rows in pixels, as the row says.
        columns_x: columns in pixels, as the row says.
        nr_of_frames: B-scans, as the row says.
        laterality: the eye, ``L`` or ``R``, as the row says.
        file_checksum: whether FileChecksum is wanted.
        data_hash: whether DataHash is wanted.
    """

    image_id: int
    dataset_identifier: str
    rows_y: int | None = None
    columns_x: int | None = None
    nr_of_frames: int | None = None
    laterality: str | None = None
    file_checksum: bool
    data_hash: bool


@frozen(kw_only=True)
class ImageHashes:
    """What was found of one image; None for what was not wanted, or failed.

    Attributes:
        file_checksum: MD5 of the file, 16 bytes.
        data_hash: SHA-256 of the pixels, 64 ASCII hex characters.
        failure: why the pixels could not be read, when the file could.
    """

    file_checksum: bytes | None = None
    data_hash: bytes | None = None
    failure: Failure | None = None


class FileHashes(Protocol):
    """Where hashes are made; picklable, as it works in other processes."""

    def check(self) -> None:
        """Find out whether files can be read at all.

        Raises:
            ConfigurationError: IMAGES_BASEPATH is not there.
        """

    def make(self, request: HashRequest) -> ImageHashes:
        """Read one image and return its hashes.

        Raises:
            BadInput: the file cannot be read.
        """


class Hashes:
    """Fills in the hashes that are missing.

    Args:
        storage: a `Database`, or the memory adapter's.
        files: makes the hashes.
    """

    def __init__(self, storage: Storage, files: FileHashes) -> None:
        self._storage = storage
        self._files = files

    def update(self, options: RunOptions | None = None) -> BatchReport:
        """Fill in FileChecksum and DataHash where they are NULL.

        A hash that is there is never overwritten, whatever the file holds now. A PNG series
        is several files and gets no FileChecksum, a JSON file has no pixels and gets no
        DataHash: those are skipped when that is all they lack. An image that cannot be read
        is reported, and tried again by the next run.

        Raises:
            ConfigurationError: IMAGES_BASEPATH is not there.
        """
        self._files.check()
        return run_job(self._storage, _HashJob(self._files), options)


class _HashJob:
    """See `eyened_domain.services.batches.Job`."""

    def __init__(self, files: FileHashes) -> None:
        self.work = files.make

    def count(self, uow: UnitOfWork) -> int:
        count: int = uow.rows.count(ImageInstance, any_of=_ANY_OF)
        return count

    def due(self, uow: UnitOfWork, after: int, most: int) -> Due[HashRequest]:
        rows = uow.rows.page(ImageInstance, _NAMES, any_of=_ANY_OF, after=after, most=most)
        requests = [_request(dict(zip(_NAMES, row, strict=True))) for row in rows]
        items = [one for one in requests if one.file_checksum or one.data_hash]
        last = requests[-1].image_id if len(rows) == most else None
        return Due(items, skipped=len(rows) - len(items), last=last)

    def save(self, uow: UnitOfWork, outcomes: Sequence[Outcome[HashRequest]]) -> Saved:
        names = ("image_instance_id", "dataset_identifier", *_HASHES)
        ids = [outcome.item.image_id for outcome in outcomes]
        found = uow.rows.find(ImageInstance, names[0], ids, names, lock=True)
        now = {row[0]: dict(zip(names, row, strict=True)) for row in found}
        written, overtaken, failures = [], 0, []
        for outcome in outcomes:
            failure = outcome.failure or outcome.value.failure
            if failure is not None:
                failures.append(_failed(outcome.item, failure))
            if outcome.value is None:
                continue
            row = _missing(outcome, now.get(outcome.item.image_id))
            if row is not None:
                written.append(row)
            elif failure is None:
                overtaken += 1
        uow.rows.update(ImageInstance, written)
        made = len(outcomes) - overtaken - len(failures)
        return Saved(made=made, overtaken=overtaken, failures=failures)


def _request(row: dict[str, Any]) -> HashRequest:
    identifier = row["dataset_identifier"]
    request = HashRequest(
        image_id=row["image_instance_id"],
        dataset_identifier=identifier,
        laterality=row["laterality"] and row["laterality"].name,
        file_checksum=row["file_checksum"] is None and not identifier.startswith("[png_series_"),
        data_hash=row["data_hash"] is None and not is_json(identifier),
    )
    return evolve(request, **{name: row[name] for name in _SIZES})


def _missing(outcome: Outcome[HashRequest], now: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the row with what was found and is still missing; None when nothing is."""
    if now is None or now["dataset_identifier"] != outcome.item.dataset_identifier:
        return None
    found = {name: getattr(outcome.value, name) for name in _HASHES}
    filled = {n: value for n, value in found.items() if value is not None and now[n] is None}
    return {"image_instance_id": now["image_instance_id"], **filled} if filled else None


def _failed(request: HashRequest, failure: Failure) -> ItemFailure:
    return ItemFailure(item_id=request.image_id, name=request.dataset_identifier, failure=failure)
