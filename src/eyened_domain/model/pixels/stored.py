"""What a segmentation does with its pixels: writes, reads and names them.

The rules are here; where the pixels lie is known to a `PixelStore`, which the unit of work
attaches to the segmentations that it holds.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, cast

from eyened_domain.errors import BadInput, NotFound, NotLoaded
from eyened_domain.model.entity import entity_class
from eyened_domain.model.pixels.grid import PixelGrid, Plane, Shape
from eyened_domain.model.pixels.prepared import PreparedPixels
from eyened_domain.model.values import shown

if TYPE_CHECKING:
    import numpy.typing as npt

    from eyened_domain.model.feature import Feature
    from eyened_domain.model.fields import Column, One
    from eyened_domain.model.image import ImageInstance
    from eyened_domain.model.pixels.store import PixelStore
    from eyened_domain.model.segmentation import Segmentation

_STORE = "_pixel_store"


class StoredPixels(PixelGrid):
    """The pixels of a segmentation: a mixin for `Segmentation` and `ModelSegmentation`."""

    if TYPE_CHECKING:
        image_instance_id: Column[int]
        image_instance: One[ImageInstance]
        reference_segmentation_id: Column[int | None]

        @property
        def group_name(self) -> str:
            """Name of the zarr group with the array."""

    def attach(self, store: PixelStore | None) -> None:
        """Tell the segmentation where its pixels are; the unit of work that holds it does."""
        self.__dict__[_STORE] = store

    @property
    def has_pixels(self) -> bool:
        """Whether pixels were written."""
        return self.zarr_array_index is not None

    def write_data(
        self, array: npt.ArrayLike, axis: int | None = None, slice_index: int | None = None
    ) -> None:
        """Store pixels: all of them, or one slice.

        The row and the pixels change together, when the unit of work commits; after a
        rollback the old pixels are there. With ScanIndices, the B-scans that are written
        (axis 0), or that are not empty (all of them), are added to the list.

        Args:
            array: pixels of shape (depth, height, width), or of a slice without its axis;
                an axis of length 1 may be left out. Of the number type of DataType, or
                booleans.
            axis: 0 for a B-scan, 1 for a depth, 2 for a column; None for all pixels.
            slice_index: which one, from 0. Other slices keep their pixels; they are zero
                when nothing was written before. Without it, the one slice that there is:
                ``axis=1`` alone is an en-face map, (depth, width).

        Raises:
            RuleBroken: shape, number type, a value, or the segmentation itself breaks a
                rule (BadInput where the arguments do).
            Conflict: somebody else has changed the pixels since this object was read.
            NotLoaded: it is in no open unit of work.
            StorageError: the pixels cannot be stored; nothing has changed.
        """
        self.put(self.prepare(array, axis, slice_index))

    def prepare(
        self, array: npt.ArrayLike, axis: int | None = None, slice_index: int | None = None
    ) -> PreparedPixels:
        """Check pixels before they are stored by `put`; see `write_data`, which does both."""
        store = self._store()
        plane = self._plane(axis, slice_index)
        pixels = self._as_stored(array, plane)
        if plane is not None and self.shape[plane.axis] == 1:
            pixels, plane = pixels.reshape(self.shape), None  # one slice is the whole
        self._complete(store)
        self.check_rules()
        if self._judged_image() is None:
            image_shape = self._image_shape(store)
            if image_shape is not None:
                self.check_fits_shape(image_shape)
        self.references()
        return self._checked(pixels, plane, self._feature(store))

    def prepare_on(
        self,
        image: ImageInstance,
        array: npt.ArrayLike,
        feature: Feature | None = None,
        reference: Segmentation | None = None,
    ) -> PreparedPixels:
        """Check all pixels before the segmentation is linked to what it belongs to.

        So nothing of it is in a unit of work when it is refused.

        Args:
            image: what it will lie on.
            array: pixels; see `write_data`.
            feature: what it will show; needed where pixels mean its subfeatures.
            reference: the segmentation that it will refer to.

        Raises:
            RuleBroken: as `write_data`.
        """
        self.check_rules()
        self.check_fits(image)
        if reference is not None:
            self.check_reference(reference)
            reference.references()
        return self._checked(self._as_stored(array, None), None, feature)

    def put(self, prepared: PreparedPixels) -> None:
        """Store pixels that `prepare` has checked; see `write_data`, which does both.

        Raises:
            BadInput: they were checked for another segmentation, or before it was changed.
            Conflict, NotLoaded, StorageError: as `write_data`.
        """
        if not isinstance(prepared, PreparedPixels) or prepared.checked_for != self._checked_for:
            raise self._refused(
                "these pixels were checked for another segmentation, or before it was changed: "
                "prepare them again",
                "shape",
                getattr(prepared, "pixels", prepared),
            )
        self._store().put(self, prepared, self._scans_with(prepared.pixels, prepared.plane))

    def write_empty(self) -> None:
        """Store pixels that are all zero; see `write_data`."""
        import numpy as np  # noqa: PLC0415 - the model needs numpy for pixels only

        self.write_data(np.zeros(self.shape, dtype=self.dtype))

    def read_data(
        self, axis: int | None = None, slice_index: int | None = None
    ) -> npt.NDArray[Any]:
        """Return the pixels as they are stored.

        Args:
            axis: 0 for a B-scan, 1 for a depth, 2 for a column; None for all pixels.
            slice_index: which one, from 0; without it, the one slice that there is.

        Returns:
            an array of shape (depth, height, width), or of the slice without its axis.

        Raises:
            NotFound: nothing was written yet.
            PixelsLost, PixelsDamaged: the file is not there, or not what was stored.
            NotLoaded: the segmentation was never in a unit of work.
        """
        store = self._store()
        plane = self._plane(axis, slice_index)
        if self.zarr_array_index is None:
            raise NotFound(
                f"{self.__entity__.name} {shown(self._identity())} has no pixels yet: write_data "
                "or write_empty stores some",
                entity=self.__entity__.name,
                field="zarr_array_index",
            )
        return store.read(self, plane)

    def references(self) -> list[Segmentation]:
        """Return the segmentation that this one refers to, the one that that refers to, ….

        Raises:
            RuleBroken: they go round in a circle, or differ in shape.
            NotFound: one of them is not there.
        """
        segmentation = cast("type[Segmentation]", entity_class("Segmentation"))
        store = self._store()
        found: list[Segmentation] = []
        current: StoredPixels = self
        while current.reference_segmentation_id is not None:
            reference = store.find(segmentation, current.reference_segmentation_id)
            if reference is self or reference in found:
                raise self._broken(
                    "references go round in a circle",
                    "reference_segmentation_id",
                    self.reference_segmentation_id,
                )
            self.check_reference(reference)
            found.append(reference)
            current = reference
        return found

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: all but the store, which belongs to this process."""
        state: dict[str, Any] = super().__getstate__()  # type: ignore[assignment]
        return {name: value for name, value in state.items() if name != _STORE}

    def _plane(self, axis: object, slice_index: object) -> Plane | None:
        if axis is None and slice_index is None:
            return None
        along = _whole_number(axis)
        if along not in (0, 1, 2):
            raise self._refused("axis is 0 (B-scans), 1 (depth) or 2 (columns)", "axis", axis)
        length = self.shape[along]
        if slice_index is None and length == 1:
            slice_index = 0  # as web clients save a map seen from the front
        if slice_index is None:
            raise self._refused(
                f"axis {along} has {length} slices: give slice_index, 0 to {length - 1}",
                "slice_index",
                None,
            )
        number = _whole_number(slice_index)
        if number is None or not 0 <= number < length:
            raise self._refused(
                f"there is no slice {shown(slice_index)} along axis {along}: they are numbered 0 "
                f"to {length - 1}",
                "slice_index",
                slice_index,
            )
        return Plane(along, number)

    def _as_stored(self, array: npt.ArrayLike, plane: Plane | None) -> npt.NDArray[Any]:
        """Return pixels in the number type and the shape in which they are stored."""
        import numpy as np  # noqa: PLC0415 - the model needs numpy for pixels only

        pixels = np.asarray(array)
        wanted = self.shape if plane is None else _without(self.shape, plane.axis)
        if pixels.shape != wanted and pixels.shape not in _shorter(self.shape, plane):
            raise self._refused(
                f"pixels of shape {pixels.shape} were given; they must be {wanted}",
                "shape",
                pixels.shape,
            )
        if pixels.dtype == np.bool_ and self.dtype.kind == "u":
            pixels = pixels.astype(self.dtype)
        if pixels.dtype.newbyteorder("=") != self.dtype:
            raise self._refused(
                f"pixels of type {pixels.dtype} were given; {self.data_type.name} is stored as "
                f"{self.dtype}: give array.astype(numpy.{self.dtype})",
                "data_type",
                str(pixels.dtype),
            )
        return np.ascontiguousarray(pixels, dtype=self.dtype).reshape(wanted)

    def _checked(
        self, pixels: npt.NDArray[Any], plane: Plane | None, feature: Feature | None
    ) -> PreparedPixels:
        """Return pixels all of whose values mean something, so that nobody changes them."""
        from eyened_domain.model.pixels.masks import check_values  # noqa: PLC0415 - brings numpy

        if not self.data_representation.has_labels:
            check_values(pixels, self.data_representation)
        elif feature is not None:
            feature.check_pixels(pixels, self.data_representation)
        pixels = pixels.view()
        pixels.flags.writeable = False
        return PreparedPixels(pixels, plane, self._checked_for)

    @property
    def _checked_for(self) -> tuple[Any, ...]:
        """What the values of pixels are checked against; entities are compared by identity."""
        return (self, self.shape, self.data_type, self.data_representation)

    def _scans_with(self, pixels: npt.NDArray[Any], plane: Plane | None) -> list[int] | None:
        if self.scan_indices is None:
            return None
        if plane is not None and plane.axis == 0:
            written = {plane.slice_index}
        else:
            written = {scan for scan in range(self.depth) if pixels[scan].any()}
        scans = {int(scan) for scan in self.scan_indices}
        return None if written <= scans else sorted(scans | written)

    def _image_shape(self, store: PixelStore) -> Shape | None:
        image: ImageInstance | None = self.__dict__.get("image_instance")
        if image is not None:
            return image.shape
        if self.image_instance_id is None:
            raise self._broken("is needed before pixels are written", "image_instance")
        return store.image_shape(self.image_instance_id)

    def _feature(self, store: PixelStore) -> Feature | None:
        """Return the feature where it takes part in what pixels mean."""
        if not self.data_representation.has_labels:
            return None
        return self._shown_feature_in(store)

    def _shown_feature_in(self, store: PixelStore) -> Feature | None:
        """Return what the segmentation shows, looked up by its id where only that is known."""
        raise NotImplementedError

    def _complete(self, store: PixelStore) -> None:
        """Look up what the name of the zarr group needs."""

    def _identity(self) -> int | None:
        (key,) = self.__entity__.primary_key
        identity: int | None = self.__dict__.get(key)
        return identity

    def _store(self) -> PixelStore:
        store: PixelStore | None = self.__dict__.get(_STORE)
        if store is None:
            name = self.__entity__.name
            raise NotLoaded(
                f"this {name} has no pixels to read or write yet: add it to a session or unit of "
                "work, or load it through one",
                entity=name,
                field="zarr_array_index",
            )
        return store

    def _refused(self, reason: str, field: str, value: object) -> BadInput:
        name = self.__entity__.name
        return BadInput(f"{name}: {reason}", entity=name, field=field, value=shown(value))


def _whole_number(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def _without(shape: Shape, axis: int) -> tuple[int, ...]:
    return shape[:axis] + shape[axis + 1 :]


def _shorter(shape: Shape, plane: Plane | None) -> set[tuple[int, ...]]:
    """Return other shapes that can mean the same: axes of length 1 left out, or kept."""
    if plane is None:
        return {_without(shape, axis) for axis in range(3) if shape[axis] == 1}
    axis = plane.axis
    kept = (*shape[:axis], 1, *shape[axis + 1 :])
    rest = _without(shape, axis)
    return {kept, *(rest[:n] + rest[n + 1 :] for n in range(2) if rest[n] == 1)}
