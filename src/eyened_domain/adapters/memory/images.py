"""Images in memory: pixels from a dict, for those who write tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eyened_domain.adapters.image_store import StoredImages
from eyened_domain.errors import FileMissing

if TYPE_CHECKING:
    from eyened_domain.adapters.files.image_pixels.source import Pixels
    from eyened_domain.model.image import ImageInstance


class MemoryImages(StoredImages):
    """An `ImageStore` whose pixels are given; paths are told, and nothing needs to be there.

    ``MemoryUnitOfWork(image_store=MemoryImages({"a.png": array}))``

    Args:
        pixels: arrays by DatasetIdentifier, (rows, columns[, samples]) or with the
            frames in front.
    """

    def __init__(self, pixels: Mapping[str, Any] | None = None) -> None:
        super().__init__(Path("/images"), "https://images.example", thumbnails=Path("/thumbnails"))
        self.pixels: dict[Any, Any] = dict(pixels or {})

    def _read(
        self,
        image: ImageInstance,
        *,
        frame: int | None = None,
        upright: bool = False,  # noqa: ARG002 - they always are
    ) -> Pixels:
        """Give a copy of the pixels; they are upright as they are."""
        pixels: Pixels | None = self.pixels.get(image.dataset_identifier)
        if pixels is None:
            raise FileMissing(
                f"ImageInstance.dataset_identifier: there is no image "
                f"{image.dataset_identifier!a} in these MemoryImages",
                entity="ImageInstance",
                field="dataset_identifier",
                value=image.dataset_identifier,
            )
        if frame is not None and image.is_3d:
            pixels = pixels[frame]
        return pixels.copy()

    def _orientation(self, image: ImageInstance) -> int:  # noqa: ARG002 - all are upright
        return 1
