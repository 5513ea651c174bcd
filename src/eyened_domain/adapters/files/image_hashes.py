"""The hashes of image files and of their pixels."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from eyened_domain.adapters.files.image_files import FileSystemImageFiles
from eyened_domain.adapters.files.paths import RootFolder
from eyened_domain.errors import EyenedError, FolderMissing, StorageError
from eyened_domain.services.batches import Failure
from eyened_domain.services.hashing import HashRequest, ImageHashes
from eyened_domain.services.image_files import normalised_identifier

_BLOCK = 1 << 20


class StoredHashes:
    """Hashes of the image files under IMAGES_BASEPATH; a `FileHashes`.

    May be shared by threads and pickled for processes; holds no open file.

    Args:
        images: IMAGES_BASEPATH.
    """

    def __init__(self, images: Path) -> None:
        self._root = RootFolder(images)
        self._files = FileSystemImageFiles(images)

    def check(self) -> None:
        """Find out whether files can be read at all.

        Raises:
            ConfigurationError: IMAGES_BASEPATH is not there.
        """
        self._root.check()

    def make(self, request: HashRequest) -> ImageHashes:
        """Read one image and return its hashes.

        Raises:
            BadInput: the file cannot be read.
            StorageError: the file store failed.
        """
        identifier = request.dataset_identifier
        checksum = self.file_checksum(identifier) if request.file_checksum else None
        if not request.data_hash:
            return ImageHashes(file_checksum=checksum)
        try:
            found = self.data_hash(request)
        except FolderMissing:
            raise
        except EyenedError as error:
            return ImageHashes(file_checksum=checksum, failure=Failure.of(error))
        return ImageHashes(file_checksum=checksum, data_hash=found)

    def file_checksum(self, identifier: str) -> bytes:
        """Return the MD5 digest of a file, 16 bytes.

        Raises:
            FileMissing: there is no such file beneath IMAGES_BASEPATH.
            StorageError: the file store failed.
        """
        digest = hashlib.md5(usedforsecurity=False)
        with open(self._root.open(normalised_identifier(identifier)), "rb", 0) as file:  # noqa: PTH123 - a descriptor
            try:
                while block := file.read(_BLOCK):
                    digest.update(block)
            except OSError as error:
                raise StorageError(
                    f"IMAGES_BASEPATH: the file {identifier!a} could not be read: "
                    f"{os.strerror(error.errno or 0)}",
                    entity="ImageInstance",
                    field="dataset_identifier",
                    value=identifier,
                ) from error
        return digest.digest()

    def data_hash(self, request: HashRequest) -> bytes:
        """Return the SHA-256 over the C-contiguous pixel array, as 64 ASCII hex characters.

        Raises:
            BadInput: the file cannot be read, or is of another size than the row says.
            StorageError: the file store failed.
        """
        import numpy as np  # noqa: PLC0415 - where pixels are read

        pixels = self._files.read_pixels(
            request.dataset_identifier,
            rows_y=request.rows_y,
            columns_x=request.columns_x,
            nr_of_frames=request.nr_of_frames or None,
            laterality=request.laterality,
        )
        contiguous = np.ascontiguousarray(pixels)
        return hashlib.sha256(contiguous.data).hexdigest().encode("ascii")
