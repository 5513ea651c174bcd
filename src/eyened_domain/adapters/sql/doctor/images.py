"""Image files and thumbnails: whether they are there (level 2), and are what they were (3)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, String, Table, func, select, type_coerce, update

from eyened_domain.adapters.files.image_files import FileSystemImageFiles
from eyened_domain.adapters.files.paths import RootFolder
from eyened_domain.adapters.sql.mounted import check_thumbnails
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.errors import BadInput, EyenedError, FileMissing, StorageError
from eyened_domain.model.image import ImageInstance
from eyened_domain.services.doctor import Finding, Kind, Repair, Watch
from eyened_domain.services.image_files import THUMBNAIL_SIZES, png_series

image_instance: Table = table_of(ImageInstance)

_PORTION = 1000
_BLOCK = 1 << 20
_SHOWN = 5


class ImagesThere:
    """Whether the file of every image is there; an `Examination`. It repairs nothing."""

    title = "Image files"
    level = 2

    def __init__(self, engine: Engine, images: Path) -> None:
        self._engine = engine
        self._root = RootFolder(images)
        self.looked_at: int = 0

    def look(self, watch: Watch) -> Iterator[Finding]:
        """See `Examination`."""
        columns = image_instance.c.image_instance_id, image_instance.c.dataset_identifier
        for identity, identifier in _rows(self._engine, columns):
            if self.looked_at % 100 == 0:
                watch.tick(self.looked_at)
            self.looked_at += 1
            reason = self._why_missing(identifier)
            if reason is not None:
                yield _of(identity, Kind.IMAGE_MISSING, reason, identifier)

    def look_again(self, found: Sequence[Finding]) -> Iterator[Finding]:
        """See `Examination`: an image that was imported meanwhile has its file."""
        columns = image_instance.c.image_instance_id, image_instance.c.dataset_identifier
        for identity, identifier in _rows_again(self._engine, columns, found):
            reason = self._why_missing(identifier)
            if reason is not None:
                yield _of(identity, Kind.IMAGE_MISSING, reason, identifier)

    def fix(self, found: Sequence[Finding]) -> tuple[()]:  # noqa: ARG002 - a file cannot be made
        """Change nothing: the files have to come back from a backup."""
        return ()

    def _why_missing(self, identifier: str) -> str | None:
        try:
            for name in _files_of(identifier):
                os.close(self._root.open(name))
        except (BadInput, FileMissing) as error:
            return str(error)
        return None


class Thumbnails:
    """Whether the thumbnails are there that rows speak of, and others; an `Examination`."""

    title = "Thumbnails"
    level = 2

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine = engine
        self._folder = folder
        self.looked_at: int = 0

    def look(self, watch: Watch) -> Iterator[Finding]:
        """See `Examination`."""
        check_thumbnails(self._engine, self._folder)
        there = set(self._standing(watch))
        known: set[str] = set()
        columns = image_instance.c.image_instance_id, image_instance.c.thumbnail_path
        for identity, path in _rows(self._engine, columns, image_instance.c.thumbnail_path != ""):
            self.looked_at += 1
            names = _thumbnails(path)
            known.update(names)
            if not there.issuperset(names):
                yield self._missing(identity, path)
        unknown = sorted(there - known)
        if unknown:
            yield Finding(
                Kind.THUMBNAIL_UNKNOWN,
                f"{len(unknown)} thumbnails belong to no image (any more): "
                f"{', '.join(unknown[:_SHOWN])}{', …' if len(unknown) > _SHOWN else ''}",
                path=str(self._folder),
            )

    def look_again(self, found: Sequence[Finding]) -> Iterator[Finding]:
        """See `Examination`."""
        columns = image_instance.c.image_instance_id, image_instance.c.thumbnail_path
        rows = [one for one in found if one.identity is not None]
        for identity, path in _rows_again(self._engine, columns, rows):
            if path and not self._all_there(path):
                yield self._missing(identity, path)
        yield from (one for one in found if one.identity is None)

    def fix(self, found: Sequence[Finding]) -> Iterator[Repair]:
        """Note the thumbnails as not made yet: `eorm update-thumbnails` makes them again."""
        for one in found:
            path = one.detail
            with self._engine.begin() as connection:
                changed = connection.execute(
                    update(image_instance)
                    .where(
                        image_instance.c.image_instance_id == one.identity,
                        image_instance.c.thumbnail_path == path,
                    )
                    .values(thumbnail_path=None)
                )
            if changed.rowcount:
                yield Repair(one, "ThumbnailPath is NULL; `eorm update-thumbnails` makes it")

    def _standing(self, watch: Watch) -> Iterator[str]:
        if not self._folder.exists():
            return  # and no row speaks of any
        root = os.path.realpath(self._folder)
        try:
            for folder, _, names in os.walk(root, onerror=_raise):
                watch.tick(self.looked_at)
                beneath = os.path.relpath(folder, root)
                for name in names:
                    if name.endswith(".jpg"):
                        yield name if beneath == "." else f"{beneath}/{name}"
        except OSError as error:
            raise StorageError(f"THUMBNAILS_PATH cannot be looked through: {error}") from error

    def _all_there(self, path: str) -> bool:
        return all((self._folder / name).is_file() for name in _thumbnails(path))

    def _missing(self, identity: int, path: str) -> Finding:
        return Finding(
            Kind.THUMBNAIL_MISSING,
            f"ImageInstance {identity}: its thumbnails {path}_… are not both there",
            entity="ImageInstance",
            identity=identity,
            path=path,
            fix="is noted as not made yet",
            detail=path,
        )


class ImageChecksums:
    """Whether image files and their pixels have the hashes in the database; an `Examination`."""

    title = "Checksums of image files"
    level = 3

    def __init__(self, engine: Engine, images: Path) -> None:
        self._engine = engine
        self._root = RootFolder(images)
        self._files = FileSystemImageFiles(images)
        self.looked_at: int = 0

    def look(self, watch: Watch) -> Iterator[Finding]:
        """See `Examination`."""
        columns = [image_instance.c[name] for name in _HASHED]
        hashed = func.coalesce(image_instance.c.file_checksum, image_instance.c.data_hash)
        for row in _rows(self._engine, columns, hashed.is_not(None)):
            watch.tick(self.looked_at)
            self.looked_at += 1
            yield from self._differences(row)

    def look_again(self, found: Sequence[Finding]) -> Iterator[Finding]:
        """See `Examination`."""
        columns = [image_instance.c[name] for name in _HASHED]
        for row in _rows_again(self._engine, columns, found):
            yield from self._differences(row)

    def fix(self, found: Sequence[Finding]) -> tuple[()]:  # noqa: ARG002
        """Change nothing: whether the file or the hash is right is not for a program to say."""
        return ()

    def _differences(self, row: Any) -> Iterator[Finding]:
        identity, identifier, rows_y, columns_x, frames, eye, checksum, data_hash = row
        try:
            if checksum and len(_files_of(identifier)) == 1:
                found = self._checksum(identifier)
                if found != bytes(checksum):
                    said = "the file is not the one whose FileChecksum was taken"
                    yield _of(identity, Kind.CHECKSUM_DIFFERS, said, identifier)
            if data_hash:
                pixels = self._files.read_pixels(
                    identifier,
                    rows_y=rows_y,
                    columns_x=columns_x,
                    nr_of_frames=frames or None,
                    laterality=eye,
                )
                if _hash_of(pixels) != bytes(data_hash).decode("ascii", "replace").lower():
                    said = "its pixels are not those whose DataHash was taken"
                    yield _of(identity, Kind.DATA_HASH_DIFFERS, said, identifier)
        except (BadInput, FileMissing) as error:
            if self._is_there(identifier):  # level 2 tells of files that are not there
                yield _of(identity, Kind.IMAGE_UNREADABLE, str(error), identifier)

    def _checksum(self, identifier: str) -> bytes:
        digest = hashlib.md5(usedforsecurity=False)
        with open(self._root.open(identifier), "rb", 0) as file:  # noqa: PTH123 - a descriptor
            while block := file.read(_BLOCK):
                digest.update(block)
        return digest.digest()

    def _is_there(self, identifier: str) -> bool:
        try:
            for name in _files_of(identifier):
                os.close(self._root.open(name))
        except EyenedError:
            return False
        return True


_HASHED = (
    "image_instance_id",
    "dataset_identifier",
    "rows_y",
    "columns_x",
    "nr_of_frames",
    "laterality",
    "file_checksum",
    "data_hash",
)


def _hash_of(pixels: Any) -> str:
    import numpy as np  # noqa: PLC0415 - where pixels are read

    return hashlib.sha256(np.ascontiguousarray(pixels).data).hexdigest()


def _files_of(identifier: str) -> list[str]:
    """Return the files of an image: one, or those of a series."""
    series = png_series(identifier)
    if series is None:
        return [identifier]
    return [f"{series.stem}_{number}.png" for number in range(series.count)]


def _thumbnails(path: str) -> list[str]:
    return [f"{path}_{size}.jpg" for size in THUMBNAIL_SIZES]


def _rows(engine: Engine, columns: Iterable[Any], *conditions: Any) -> Iterator[Any]:
    """Yield rows of images in portions, each in a transaction of its own."""
    key = image_instance.c.image_instance_id
    named = [_named(column) for column in columns]
    last = None
    while True:
        asked = select(key, *named).where(*conditions).order_by(key).limit(_PORTION)
        if last is not None:
            asked = asked.where(key > last)
        with engine.connect() as connection:
            rows = connection.execute(asked).all()
        for identity, *row in rows:
            last = identity
            yield tuple(row)
        if len(rows) < _PORTION:
            return


def _rows_again(engine: Engine, columns: Iterable[Any], found: Sequence[Finding]) -> Iterator[Any]:
    identities = sorted({one.identity for one in found if one.identity is not None})
    for start in range(0, len(identities), _PORTION):
        chunk = identities[start : start + _PORTION]
        yield from _rows(engine, columns, image_instance.c.image_instance_id.in_(chunk))


def _named(column: Any) -> Any:
    return type_coerce(column, String) if column.key == "laterality" else column


def _of(identity: int, kind: Kind, reason: str, identifier: str) -> Finding:
    return Finding(
        kind,
        f"ImageInstance {identity}: {reason}",
        entity="ImageInstance",
        identity=identity,
        path=identifier,
    )


def _raise(error: OSError) -> None:
    raise error
