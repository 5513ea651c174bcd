"""The port of the store of pixels: what a segmentation asks when it is read or written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from eyened_domain.model.pixels.grid import Plane, Shape

if TYPE_CHECKING:
    import numpy.typing as npt

    from eyened_domain.model.entity import Entity
    from eyened_domain.model.pixels.prepared import PreparedPixels

E = TypeVar("E", bound="Entity")


class PixelStore(Protocol):
    """Where pixels are: what a segmentation asks when it is read or written."""

    def put(self, grid: Any, prepared: PreparedPixels, scan_indices: list[int] | None) -> None:
        """Store pixels at a new position, let the segmentation point there, and tell its unit.

        Args:
            grid: the segmentation.
            prepared: its pixels, all of them or a slice.
            scan_indices: the new ScanIndices; None leaves them as they are.

        Raises:
            Conflict: somebody else has changed the pixels since the segmentation was read.
            StorageError: they cannot be stored; nothing has changed.
        """

    def read(self, grid: Any, plane: Plane | None) -> npt.NDArray[Any]:
        """Return all pixels, or those of one plane, without its axis.

        Raises:
            PixelsLost, PixelsDamaged: they are not there, or not what was stored.
        """

    def find(self, entity: type[E], identity: int) -> E:
        """Return the object of that class with that id.

        Raises:
            NotFound: there is none.
        """

    def html_of(self, grid: Any) -> str:
        """Return the segmentation as a notebook shows it; never raises, and stores nothing."""

    def image_shape(self, identity: int) -> Shape | None:
        """Return the shape of the image with that id; None while it is not known.

        Raises:
            NotFound: there is none.
        """
