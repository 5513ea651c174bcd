"""The pixels of segmentations in memory: arrays by position, none of which is written twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from eyened_domain.adapters.memory.held import held_of
from eyened_domain.errors import NotFound, NotLoaded
from eyened_domain.model.entity import Entity
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.pixels.grid import Plane, Shape
from eyened_domain.model.pixels.prepared import PreparedPixels
from eyened_domain.model.values import shown

if TYPE_CHECKING:
    import numpy.typing as npt

    from eyened_domain.adapters.memory.objects import Objects

E = TypeVar("E", bound=Entity)


class MemoryPixels:
    """Writes and reads the pixels of the segmentations of a unit of work; a `PixelStore`.

    The row of a segmentation says where its pixels are, so that they are committed and
    rolled back with it, and two who write at once are found out as with any other row.

    Args:
        objects: what the unit of work holds.
        note: told of each segmentation whose pixels were stored.
    """

    def __init__(self, objects: Objects, note: Callable[[Any], None]) -> None:
        self._objects = objects
        self._note = note

    def put(self, grid: Any, prepared: PreparedPixels, scan_indices: list[int] | None) -> None:
        """See `model.pixels.store.PixelStore`."""
        held = held_of(grid)
        if held is None or held.objects is not self._objects:
            name = grid.__entity__.name
            raise NotLoaded(
                f"this {name} is in no open unit of work: its pixels can be read, and written "
                "again when it is loaded in one",
                entity=name,
                field="zarr_array_index",
            )
        pixels, plane = prepared.pixels, prepared.plane
        whole = pixels.copy() if plane is None else self._with_slice(grid, pixels, plane)
        path = _path_of(grid)
        position = self._objects.store.next_id(path)
        self._objects.store.pixels[path, position] = whole
        grid.zarr_array_index = position
        if scan_indices is not None:
            grid.scan_indices = scan_indices
        self._note(grid)

    def read(self, grid: Any, plane: Plane | None) -> npt.NDArray[Any]:
        """See `model.pixels.store.PixelStore`."""
        whole = self._objects.store.pixels[_path_of(grid), grid.zarr_array_index]
        found: npt.NDArray[Any] = (
            whole.copy() if plane is None else whole.take(plane.slice_index, axis=plane.axis)
        )
        return found

    def find(self, entity: type[E], identity: int) -> E:
        """See `model.pixels.store.PixelStore`."""
        self._objects.flush()
        found: E | None = self._objects.find(entity, (identity,))
        if found is None:
            (key,) = entity.__entity__.primary_key
            raise NotFound(
                f"there is no {entity.__name__} with {key} {shown(identity)}",
                entity=entity.__name__,
                field=key,
                value=identity,
            )
        return found

    def html_of(self, grid: Any) -> str:
        """See `model.pixels.store.PixelStore`."""
        from eyened_domain.adapters.notebook import (  # noqa: PLC0415 - loaded when shown
            segmentation_card,
        )

        held = held_of(grid)
        is_open = held is not None and held.objects is self._objects
        return segmentation_card(grid, self._look if is_open else None)

    def _look(self, entity: type[Entity], identity: int) -> Any:
        return self._objects.find(entity, (identity,))

    def image_shape(self, identity: int) -> Shape | None:
        """See `model.pixels.store.PixelStore`."""
        return self.find(ImageInstance, identity).shape

    def _with_slice(self, grid: Any, pixels: npt.NDArray[Any], plane: Plane) -> npt.NDArray[Any]:
        import numpy as np  # noqa: PLC0415 - loaded when pixels are worked on

        empty = grid.zarr_array_index is None
        whole = np.zeros(grid.shape, grid.dtype) if empty else self.read(grid, None)
        whole[(slice(None),) * plane.axis + (plane.slice_index,)] = pixels
        return whole


def _path_of(grid: Any) -> str:
    return f"{grid.group_name}/{grid.array_name}"
