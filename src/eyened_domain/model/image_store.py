"""The port through which an image reaches its files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy.typing as npt

    from eyened_domain.model.image import ImageInstance
    from eyened_domain.model.pixels.pictured import PicturedPixels, View


class ImageStore(Protocol):
    """Where images are, and what they show; a unit of work attaches one to its images."""

    def path_of(self, identifier: str) -> Path:
        """Return the path of the file of that DatasetIdentifier."""

    def url_of(self, identifier: str) -> str:
        """Return the address of that DatasetIdentifier on the image server."""

    def pixels_of(self, image: ImageInstance) -> npt.NDArray[Any]:
        """Read all pixels of an image; see `ImageInstance.pixel_array`."""

    def b_scan_of(self, image: ImageInstance, index: int) -> npt.NDArray[Any]:
        """Read one B-scan, counted from 0; see `ImageInstance.b_scan`."""

    def picture_of(self, image: ImageInstance, max_size_px: int | None) -> Any:
        """Make a PIL image for people; see `ImageInstance.picture`."""

    def overlay_of(self, image: ImageInstance, grid: PicturedPixels, view: View) -> Any:
        """Make a PIL image with a segmentation over it; see `PicturedPixels.overlay`."""

    def html_of(self, image: ImageInstance) -> str:
        """Return an image as a notebook shows it; never raises."""

    def thumbnail_path_of(self, identifier: str, size: int) -> Path:
        """Return the path of a thumbnail, by its ThumbnailPath and its size in pixels."""
