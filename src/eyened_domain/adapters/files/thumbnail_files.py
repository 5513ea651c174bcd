"""Thumbnails as JPEG files: ``<THUMBNAILS_PATH>/<ProjectID>/<24 hex characters>_<size>.jpg``."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from eyened_domain.adapters.files.image_files import FileSystemImageFiles
from eyened_domain.adapters.files.paths import RootFolder
from eyened_domain.errors import BadInput, FolderMissing, StorageError
from eyened_domain.services.image_files import THUMBNAIL_SIZES
from eyened_domain.services.thumbnails import ThumbnailRequest

_QUALITY = 75
_IDENTIFIER = re.compile(r"[0-9]{1,20}/[0-9a-f]{24}")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class StoredThumbnails:
    """The thumbnails of the images under IMAGES_BASEPATH; a `ThumbnailFiles`.

    May be shared by threads and pickled for processes; holds no open file.

    Args:
        images: IMAGES_BASEPATH.
        thumbnails: THUMBNAILS_PATH.
    """

    def __init__(self, images: Path, thumbnails: Path) -> None:
        self._images_root = RootFolder(images)
        self._images = FileSystemImageFiles(images)
        self._folder = thumbnails

    def check(self) -> None:
        """Find out whether images can be read and thumbnails be written at all.

        Raises:
            ConfigurationError: IMAGES_BASEPATH or THUMBNAILS_PATH is not there, or the
                latter may not be written.
        """
        self._images_root.check()
        if not self._folder.is_dir():
            raise _no_folder(self._folder, "is not there")
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise _no_folder(self._folder, "may not be written by this user")

    def make(self, request: ThumbnailRequest) -> None:
        """Write the thumbnails of one image, each at once in full.

        Raises:
            BadInput: the image cannot be read.
            StorageError: the files cannot be written.
        """
        from eyened_domain.adapters.files import thumbnail_pictures as pictures  # noqa: PLC0415

        largest, *smaller = sorted(THUMBNAIL_SIZES, reverse=True)
        picture = pictures.thumbnail_of(request, self._images, largest)
        files = {largest: pictures.as_jpeg(picture, _QUALITY)}
        for size in smaller:
            files[size] = pictures.as_jpeg(pictures.scaled(picture, size), _QUALITY)
        self.write(request.thumbnail, files)

    def write(self, identifier: str, files: dict[int, bytes]) -> None:
        """Put the files of one image in place; readers see an old file or the new one.

        Args:
            identifier: ``<ProjectID>/<24 hex characters>``.
            files: the content, by size.

        Raises:
            StorageError: they cannot be written.
        """
        project, _, name = _checked(identifier).partition("/")
        try:
            with self._project_folder(project) as folder:
                for size, content in files.items():
                    _replace(folder, f"{name}_{size}.jpg", content)
                os.fsync(folder)
        except OSError as error:
            raise StorageError(
                f"THUMBNAILS_PATH: the thumbnail {identifier} could not be written: "
                f"{error.strerror}",
                entity="ImageInstance",
                field="thumbnail_path",
                value=identifier,
            ) from error

    @contextmanager
    def _project_folder(self, project: str) -> Iterator[int]:
        root = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with suppress(FileExistsError):
                os.mkdir(project, dir_fd=root)
            folder = os.open(project, _FOLDER, dir_fd=root)
        finally:
            os.close(root)
        try:
            yield folder
        finally:
            os.close(folder)


def _replace(folder: int, name: str, content: bytes) -> None:
    """Write a file beside the one of that name, and let it take its place when it is whole."""
    beside = f".{name}.{secrets.token_hex(8)}.partial"
    descriptor = os.open(beside, _NEW_FILE, 0o666, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            # The row will say that it is there: it must outlive a power cut.
            os.fsync(file.fileno())
        os.replace(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        os.unlink(beside, dir_fd=folder)
        raise


def _checked(identifier: str) -> str:
    if not _IDENTIFIER.fullmatch(identifier):
        raise BadInput(
            f"ImageInstance.thumbnail_path: {identifier[:80]!a} is no identifier of a "
            "thumbnail, which is <ProjectID>/<24 hex characters>",
            entity="ImageInstance",
            field="thumbnail_path",
            value=identifier[:256],
        )
    return identifier


def _no_folder(folder: Path, reason: str) -> FolderMissing:
    return FolderMissing(
        f"THUMBNAILS_PATH is {str(folder)[:200]!r}, which {reason}; make the folder or set "
        "THUMBNAILS_PATH",
        field="THUMBNAILS_PATH",
        value=str(folder)[:200],
    )
