"""What images ask of the file system: their paths and addresses, pixels and pictures."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from copy import copy
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from eyened_domain.adapters.files.image_files import PIXEL_BUDGET, FileSystemImageFiles
from eyened_domain.adapters.files.image_pixels.source import Pixels
from eyened_domain.adapters.files.paths import RootFolder
from eyened_domain.errors import BadInput, ConfigurationError, EyenedError
from eyened_domain.services.image_files import THUMBNAIL_SIZES

if TYPE_CHECKING:
    from PIL.Image import Image

    from eyened_domain.model.image import ImageInstance
    from eyened_domain.model.pixels.pictured import PicturedPixels, View


_MOST_THUMBNAIL_BYTES = 2_000_000
_JPEG = b"\xff\xd8\xff"
_NO_NAME = re.compile(r"[\x00-\x1f\x7f\\]")


class StoredImages:
    """The images of a deployment; an `ImageStore`.

    Making it touches no file. May be shared by threads and pickled for processes.

    Args:
        base: IMAGES_BASEPATH.
        server_url: IMAGE_SERVER_URL.
        thumbnails: THUMBNAILS_PATH.
        pixel_budget: the most pixels an image may have, all its frames together.
        symlinks_to: folders that links beneath the base may lead into.
    """

    def __init__(
        self,
        base: Path,
        server_url: str | None = None,
        *,
        thumbnails: Path | None = None,
        pixel_budget: int = PIXEL_BUDGET,
        symlinks_to: Sequence[str | os.PathLike[str]] = (),
    ) -> None:
        self._base = base
        self._server_url = server_url
        self._thumbnails = thumbnails
        self._pixel_budget = pixel_budget
        self._symlinks_to = tuple(symlinks_to)

    @cached_property
    def files(self) -> FileSystemImageFiles:
        """The files, opened in such a way that nothing outside the base is."""
        return FileSystemImageFiles(
            self._base, pixel_budget=self._pixel_budget, symlinks_to=self._symlinks_to
        )

    def path_of(self, identifier: str) -> Path:
        """Return the path of the file; for a PNG series, its identifier beneath the base.

        No file is touched.

        Raises:
            BadInput: the identifier leads out of IMAGES_BASEPATH.
        """
        _require_beneath(identifier, "dataset_identifier", "IMAGES_BASEPATH")
        return self._base / identifier

    def url_of(self, identifier: str) -> str:
        """Return the address on the image server.

        Raises:
            ConfigurationError: IMAGE_SERVER_URL is not set.
        """
        if not self._server_url:
            raise ConfigurationError("IMAGE_SERVER_URL is not set; image.url needs it")
        return f"{self._server_url.rstrip('/')}/{quote(identifier)}"

    def thumbnail_path_of(self, identifier: str, size: int) -> Path:
        """Return the path of a thumbnail; no file is touched.

        Raises:
            BadInput: there are none of that size, or the identifier leads outside.
            ConfigurationError: THUMBNAILS_PATH is not known here.
        """
        if size not in THUMBNAIL_SIZES:
            raise BadInput(
                f"ImageInstance.thumbnail_path: there are no thumbnails of {size!r} pixels; "
                f"ask for {THUMBNAIL_SIZES[0]} or {THUMBNAIL_SIZES[1]}",
                entity="ImageInstance",
                field="thumbnail_path",
                value=size,
            )
        _require_beneath(identifier, "thumbnail_path", "THUMBNAILS_PATH")
        if _NO_NAME.search(identifier):
            raise BadInput(
                f"ImageInstance.thumbnail_path {identifier!a} is no identifier of a thumbnail",
                entity="ImageInstance",
                field="thumbnail_path",
                value=identifier,
            )
        if self._thumbnails is None:
            raise ConfigurationError("THUMBNAILS_PATH is not set; thumbnails need it")
        return self._thumbnails / f"{identifier}_{size}.jpg"

    def pixels_of(self, image: ImageInstance) -> Pixels:
        """Read all pixels of an image; see `ImageInstance.pixel_array`."""
        return self._read(image)

    def b_scan_of(self, image: ImageInstance, index: int) -> Pixels:
        """Read one B-scan, counted from 0, and of the file no more than it needs."""
        return self._read(image, frame=index)

    def picture_of(self, image: ImageInstance, max_size_px: int | None) -> Image:
        """Make a picture for people; see `ImageInstance.picture`."""
        if max_size_px is not None and (type(max_size_px) is not int or max_size_px < 1):
            raise BadInput(
                f"ImageInstance.picture: max_size_px must be a whole number above 0, not "
                f"{max_size_px!r}",
                entity="ImageInstance",
                field="max_size_px",
                value=max_size_px,
            )
        from eyened_domain.adapters.files.image_pixels import shown  # noqa: PLC0415 - Pillow

        return shown.picture_of(
            lambda frame: self._read(image, frame=frame, upright=True), image, max_size_px
        )

    def overlay_of(self, image: ImageInstance, grid: PicturedPixels, view: View) -> Image:
        """Lay a segmentation over its image; see `PicturedPixels.overlay`."""
        from eyened_domain.adapters.pictures import overlays  # noqa: PLC0415 - Pillow

        source = overlays.Source(
            read=lambda frame, upright: self._read(image, frame=frame, upright=upright),
            orientation=lambda: self._orientation(image),
        )
        return overlays.overlay_of(source, image, grid, view)

    def html_of(self, image: ImageInstance) -> str:
        """Show an image in a notebook; see `adapters.notebook`."""
        from eyened_domain.adapters.notebook import image_card  # noqa: PLC0415 - when shown

        return image_card(self, image)

    def within(self, pixel_budget: int) -> Self:
        """Return the same images, of which none may have more pixels than that."""
        other = copy(self)
        other._pixel_budget = pixel_budget
        other.__dict__.pop("files", None)
        return other

    def thumbnail_bytes(self, image: ImageInstance, size: int) -> bytes | None:
        """Return the JPEG file of a thumbnail; None where there is none that can be read."""
        if not image.thumbnail_path or self._thumbnails is None:
            return None
        folder = RootFolder(self._thumbnails, setting="THUMBNAILS_PATH", field="thumbnail_path")
        try:
            path = self.thumbnail_path_of(image.thumbnail_path, size)
            opened = folder.open(str(path.relative_to(self._thumbnails)))
        except EyenedError:
            return None
        with os.fdopen(opened, "rb") as file:
            found = file.read(_MOST_THUMBNAIL_BYTES)
        return found if found.startswith(_JPEG) and len(found) < _MOST_THUMBNAIL_BYTES else None

    def _orientation(self, image: ImageInstance) -> int:
        """Return the EXIF orientation that turns the grid of the row upright; 1 if it is."""
        header = self.files.read_header(image.dataset_identifier)
        as_stored = (header.rows_y, header.columns_x) == (image.rows_y, image.columns_x)
        return header.orientation if as_stored else 1

    def _read(
        self, image: ImageInstance, *, frame: int | None = None, upright: bool = False
    ) -> Pixels:
        return self.files.read_pixels(
            image.dataset_identifier,
            rows_y=image.rows_y,
            columns_x=image.columns_x,
            nr_of_frames=image.nr_of_frames or None,
            frame=frame,
            upright=upright,
            laterality=image.laterality.name if image.laterality else None,
        )


def _require_beneath(identifier: str, field: str, folder: str) -> None:
    if identifier.startswith("/") or (
        ".." in identifier and ".." in PurePosixPath(identifier).parts
    ):
        raise BadInput(
            f"ImageInstance.{field} {identifier!r} leads out of {folder}",
            entity="ImageInstance",
            field=field,
            value=identifier,
        )
