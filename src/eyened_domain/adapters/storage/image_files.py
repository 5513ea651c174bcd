"""Image files in a folder of the file system."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from eyened_domain.adapters.storage.image_headers.source import HeaderFile, HeaderRequest
from eyened_domain.adapters.storage.paths import RootFolder
from eyened_domain.adapters.storage.vendor_oct import VENDOR_OCT_ENDINGS
from eyened_domain.errors import BadInput, EyenedError, StorageError
from eyened_domain.services.image_files import (
    ImageHeader,
    normalised_identifier,
    png_series,
)

PIXEL_BUDGET = 400_000_000
"""Pixels that an image may have unless told otherwise, all its frames together."""

_HeaderReader = Callable[[HeaderRequest], ImageHeader]


class FileSystemImageFiles:
    """The image files under IMAGES_BASEPATH; an `ImageFiles`.

    May be shared by threads and pickled for processes; holds no open file.

    Args:
        root: IMAGES_BASEPATH. It may be a symbolic link; links beneath it are refused.
        pixel_budget: the most pixels an image may have, all its frames together.
        symlinks_to: folders that links beneath the root may lead into.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        pixel_budget: int = PIXEL_BUDGET,
        symlinks_to: Sequence[str | os.PathLike[str]] = (),
    ) -> None:
        self._root = RootFolder(root, symlinks_to=symlinks_to)
        # A path that somebody gives may be the folder as configured, or resolved.
        self._bases = tuple(dict.fromkeys((str(self._root.given), str(self._root.path))))
        self._pixel_budget = pixel_budget

    def identifier_of(self, path: str) -> str:
        """Turn a path, absolute or relative to the base path, into an identifier.

        Raises:
            BadInput: the path leaves the base path, or is no possible identifier.
        """
        return normalised_identifier(path, bases=self._bases)

    def path_of(self, identifier: str) -> Path:
        """Give the absolute path of an identifier; the prefix ``[png_series_N]`` stays.

        Raises:
            BadInput: the identifier leaves the base path, or is no possible identifier.
        """
        return self._root.given / self.identifier_of(identifier)

    def read_header(
        self,
        identifier: str,
        *,
        rows_y: int | None = None,
        columns_x: int | None = None,
        nr_of_frames: int | None = None,
    ) -> ImageHeader:
        """Read the size of an image, and what else its file says, without its pixels.

        Raises:
            BadInput: there is no such file, it is no image, or it is damaged.
            ConfigurationError: IMAGES_BASEPATH is not there, or pydicom is not installed.
            StorageError: the file store failed.
        """
        request = HeaderRequest(
            identifier=self.identifier_of(identifier),
            open=self._open,
            pixel_budget=self._pixel_budget,
            rows_y=rows_y,
            columns_x=columns_x,
            nr_of_frames=nr_of_frames,
        )
        reader = _reader_of(request.identifier)
        try:
            return reader(request)
        except EyenedError:
            raise
        except Exception as error:
            raise self._translated(request.identifier, error) from error

    def _open(self, relative: str) -> HeaderFile:
        return HeaderFile(
            self._root.open(relative), lambda reason: self._root.refusal(relative, reason)
        )

    def _translated(self, identifier: str, error: Exception) -> EyenedError:
        """Name the file in an error of a parser.

        A parser that meets damaged bytes may raise anything; only an error number
        of the operating system tells that the store and not the file is to blame.
        """
        number = error.errno if isinstance(error, OSError) else None
        if number is not None and number != errno.EINVAL:
            return StorageError(
                f"IMAGES_BASEPATH: the file {identifier!a} could not be read: "
                f"{os.strerror(number)}",
                entity="ImageInstance",
                field="dataset_identifier",
                value=identifier,
            )
        detail = ascii(str(error)[:80])[1:-1] or type(error).__name__
        refused: BadInput = self._root.refusal(identifier, f"cannot be read as an image: {detail}")
        return refused


def _reader_of(identifier: str) -> _HeaderReader:
    """Choose by the name, as the contract does; each reader brings its library when used."""
    if png_series(identifier) is not None:
        return _png_series_reader()
    for ending, load in _READERS:
        if identifier.endswith(ending):
            return load()
    if identifier.lower().endswith(VENDOR_OCT_ENDINGS):
        return _vendor_oct_reader()
    return _raster_reader()


def _dicom_reader() -> _HeaderReader:
    from eyened_domain.adapters.storage.image_headers.dicom import read_dicom  # noqa: PLC0415

    return read_dicom


def _binary_reader() -> _HeaderReader:
    from eyened_domain.adapters.storage.image_headers.binary import read_binary  # noqa: PLC0415

    return read_binary


def _png_series_reader() -> _HeaderReader:
    from eyened_domain.adapters.storage.image_headers import png_series as series  # noqa: PLC0415

    return series.read_png_series


def _vendor_oct_reader() -> _HeaderReader:
    from eyened_domain.adapters.storage.image_headers import vendor_oct  # noqa: PLC0415

    return vendor_oct.read_vendor_oct_header


def _raster_reader() -> _HeaderReader:
    from eyened_domain.adapters.storage.image_headers.raster import read_raster  # noqa: PLC0415

    return read_raster


_READERS: tuple[tuple[str, Callable[[], _HeaderReader]], ...] = (
    (".dcm", _dicom_reader),
    (".binary", _binary_reader),
)
