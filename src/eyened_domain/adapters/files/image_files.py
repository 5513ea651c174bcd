"""Image files in a folder of the file system."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TypeVar

import attrs

from eyened_domain.adapters.files.image_headers.source import HeaderFile, HeaderRequest
from eyened_domain.adapters.files.image_pixels.source import PixelRequest, Pixels
from eyened_domain.adapters.files.paths import RootFolder
from eyened_domain.adapters.files.vendor_oct import VENDOR_OCT_ENDINGS
from eyened_domain.errors import BadInput, EyenedError, StorageError
from eyened_domain.services.image_files import (
    ImageHeader,
    normalised_identifier,
    png_series,
)

PIXEL_BUDGET = 400_000_000
"""Pixels that an image may have unless told otherwise, all its frames together."""

_STORAGE = "eyened_domain.adapters.files"

R = TypeVar("R", HeaderRequest, PixelRequest)
T = TypeVar("T")


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
            FileMissing: there is no such file.
            BadInput: it is no image, or it is damaged.
            ConfigurationError: IMAGES_BASEPATH is not there, or pydicom is not installed.
            StorageError: the file store failed.
        """
        request = self._request(identifier, rows_y, columns_x, nr_of_frames)
        return self._read(request, _kind_of(request.identifier).header())

    def read_pixels(
        self,
        identifier: str,
        *,
        rows_y: int | None = None,
        columns_x: int | None = None,
        nr_of_frames: int | None = None,
        frame: int | None = None,
        upright: bool = False,
        laterality: str | None = None,
    ) -> Pixels:
        """Read the pixels of an image, or of one frame of it.

        Nothing is decoded before the header has been found to be whole, within the pixel
        budget, and of the size that is given here.

        Args:
            identifier: the DatasetIdentifier.
            rows_y: the rows that the row of the database tells of; None when not known.
            columns_x: its columns.
            nr_of_frames: its frames.
            frame: the frame that is wanted, from 0; None for all. Only what belongs to it
                is read, where the format allows it.
            upright: turn the picture as its EXIF orientation asks.
            laterality: the eye that the row tells of, ``"L"`` or ``"R"``; compared with
                the file of an OCT device that tells it.

        Returns:
            the array as stored: (rows, columns) or (rows, columns, samples), with the
            frames in front when there are more than one, and always for ``.binary`` and
            the files of OCT devices.

        Raises:
            FileMissing: there is no such file.
            BadInput: it is no image, it is damaged, of another size or eye, or there is no
                such frame.
            ConfigurationError: IMAGES_BASEPATH is not there, or pydicom or one of its
                plug-ins is not installed.
            StorageError: the file store failed.
        """
        request = PixelRequest(
            header=self._request(identifier, rows_y, columns_x, nr_of_frames),
            frame=frame,
            upright=upright,
            laterality=laterality,
        )
        return self._read(request, _kind_of(request.header.identifier).pixels())

    def _request(
        self, identifier: str, rows: int | None, columns: int | None, frames: int | None
    ) -> HeaderRequest:
        return HeaderRequest(
            identifier=self.identifier_of(identifier),
            open=self._open,
            pixel_budget=self._pixel_budget,
            rows_y=rows,
            columns_x=columns,
            nr_of_frames=frames,
        )

    def _read(self, request: R, reader: Callable[[R], T]) -> T:
        try:
            return reader(request)
        except EyenedError:
            raise
        except Exception as error:
            header = request.header if isinstance(request, PixelRequest) else request
            raise self._translated(header.identifier, error) from error

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


@attrs.frozen
class _Kind:
    """A kind of file: one module that reads its header, and one that reads its pixels.

    Each brings its library when it is used.
    """

    name: str

    def header(self) -> Callable[[HeaderRequest], ImageHeader]:
        module = import_module(f"{_STORAGE}.image_headers.{self.name}")
        reader: Callable[[HeaderRequest], ImageHeader] = getattr(module, f"read_{self.name}")
        return reader

    def pixels(self) -> Callable[[PixelRequest], Pixels]:
        module = import_module(f"{_STORAGE}.image_pixels.{self.name}")
        reader: Callable[[PixelRequest], Pixels] = getattr(module, f"read_{self.name}_pixels")
        return reader


def _kind_of(identifier: str) -> _Kind:
    """Choose by the name, as the contract does."""
    if png_series(identifier) is not None:
        return _Kind("png_series")
    for ending in (".dcm", ".binary"):
        if identifier.endswith(ending):
            return _Kind("dicom" if ending == ".dcm" else "binary")
    if identifier.lower().endswith(VENDOR_OCT_ENDINGS):
        return _Kind("vendor_oct")
    return _Kind("raster")
