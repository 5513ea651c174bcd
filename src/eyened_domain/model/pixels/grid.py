"""Where the pixels of a segmentation lie: their grid, its place on the image, their store.

Shared by segmentations of people and of models, which have the same columns.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from eyened_domain.errors import RuleBroken
from eyened_domain.model.enums import DataRepresentation, Datatype
from eyened_domain.model.fields import Column, EnumColumn
from eyened_domain.model.values import shown

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from eyened_domain.model.entity import EntityInfo
    from eyened_domain.model.feature import Feature
    from eyened_domain.model.image import ImageInstance

Shape = tuple[int, int, int]
"""(depth, height, width), or for an image (B-scans or 1, rows, columns)."""


class Plane(NamedTuple):
    """One plane of a volume.

    Attributes:
        axis: that the plane is at right angles to: 0 for a B-scan, 1 for a depth, 2 for a column.
        slice_index: which one along that axis, from 0.
    """

    axis: int
    slice_index: int


LONGEST_SIDE = 2**15
"""Pixels along one axis, at most."""
MOST_VOXELS = 4_000_000_000
"""Pixels in one segmentation, at most."""

_UNSIGNED = frozenset({Datatype.R8UI, Datatype.R16UI, Datatype.R32UI})
NUMBER_TYPES = {
    # any value above 0 is the mask, so that reading R8 as 0-1 changes nothing
    DataRepresentation.Binary: _UNSIGNED | {Datatype.R8},
    DataRepresentation.DualBitMask: _UNSIGNED,
    DataRepresentation.Probability: frozenset({Datatype.R32F, Datatype.R8}),
    DataRepresentation.MultiLabel: _UNSIGNED,
    DataRepresentation.MultiClass: _UNSIGNED,
}
"""In which number types pixels of each representation can be stored."""

_ABOUT_THE_ARRAY = frozenset({"depth", "height", "width", "data_representation", "data_type"})
_FIXED_WITH_PIXELS = _ABOUT_THE_ARRAY | {"model_id"}
"""What says which array the pixels are in."""
_JUDGED = _ABOUT_THE_ARRAY | {
    "zarr_array_index",
    "sparse_axis",
    "image_projection_matrix",
    "scan_indices",
    "threshold",
}
_ABOUT_THE_GRID = _JUDGED | {"image_instance", "image_instance_id"}
_SET_HERE = "_grid_set"
"""Where an object notes that its grid was set by a program, not read from the storage."""
_IMAGE_SIZE = frozenset({"rows_y", "columns_x", "nr_of_frames"})


class PixelGrid:
    """The grid of a segmentation: a mixin for `Segmentation` and `ModelSegmentation`."""

    if TYPE_CHECKING:
        __entity__: ClassVar[EntityInfo]
        zarr_array_index: Column[int | None]
        data_representation: EnumColumn[DataRepresentation]
        depth: Column[int]
        height: Column[int]
        width: Column[int]
        sparse_axis: Column[int | None]
        image_projection_matrix: Column[Any]
        scan_indices: Column[Any]
        data_type: EnumColumn[Datatype]
        threshold: Column[float | None]

        def _converted(self, column_info: Any, value: Any) -> Any: ...

    if not TYPE_CHECKING:  # as in `Entity`

        def __setattr__(self, name: str, value: Any) -> None:
            if name in _FIXED_WITH_PIXELS and self.__dict__.get("zarr_array_index") is not None:
                self._check_unchanged(name, value)
            super().__setattr__(name, value)
            if name in _ABOUT_THE_GRID:
                self.__dict__[_SET_HERE] = True

    def _check_unchanged(self, name: str, value: Any) -> None:
        before = self.__dict__.get(name)
        if before is None or value is None:
            return
        if self._converted(self.__entity__.columns[name], value) != before:
            raise self._broken(
                f"it is {shown(before)} and has pixels already (ZarrArrayIndex "
                f"{self.zarr_array_index}); make a new segmentation",
                name,
                value,
            )

    @property
    def shape(self) -> Shape:
        """(depth, height, width) in pixels."""
        return (self.depth, self.height, self.width)

    @property
    def is_en_face(self) -> bool:
        """Whether it is a map of a volume seen from the front: (B-scans, 1, columns)."""
        return self.sparse_axis == 1 and self.height == 1

    @property
    def is_3d(self) -> bool:
        """Whether it covers B-scans of a volume; False for flat masks and en-face maps."""
        return self.depth > 1 and not self.is_en_face

    @property
    def is_sparse(self) -> bool:
        """Whether only the B-scans in `scan_indices` have data."""
        return self.scan_indices is not None

    @property
    def dtype(self) -> np.dtype[Any]:
        """The numpy dtype in which the pixels are stored."""
        import numpy as np  # noqa: PLC0415 - the model needs numpy for pixels only

        return np.dtype(self.data_type.numpy_name)

    @property
    def array_name(self) -> str:
        """Name of the zarr array that holds the pixels: `<numpy dtype>_<D>_<H>_<W>.zarr`."""
        return f"{self.data_type.numpy_name}_{self.depth}_{self.height}_{self.width}.zarr"

    def fits(self, image_shape: Shape) -> bool:
        """Whether the grid is one of the valid ones on an image of that shape.

        On a 2-D image: its own shape, or any shape with an ImageProjectionMatrix. On a
        volume: all of it, with ScanIndices when only some B-scans have data, or an en-face
        map (B-scans, 1, columns) with SparseAxis 1. A SparseAxis of None is read as 0.
        """
        return self._misfit(image_shape) is None

    def check_fits(self, image: ImageInstance) -> None:
        """Raise unless the grid is valid on that image; see `fits`.

        Raises:
            RuleBroken: it is not, or the size of the image is not known yet.
        """
        if image.shape is None:
            raise self._broken("cannot be checked: the image has no rows_y or columns_x", "shape")
        self.check_fits_shape(image.shape)

    def check_fits_shape(self, image_shape: Shape) -> None:
        """Raise unless the grid is valid on an image of that shape; see `fits`.

        Raises:
            RuleBroken: it is not.
        """
        misfit = self._misfit(image_shape)
        if misfit is not None:
            field, reason = misfit
            raise self._broken(
                f"on an image of shape {image_shape}: {reason}", field, getattr(self, field)
            )

    def check_reference(self, reference: PixelGrid) -> None:
        """Raise unless that segmentation can be this one's reference (the final mask is both).

        Raises:
            RuleBroken: it is this one, or has another shape.
        """
        field = "reference_segmentation_id"
        if reference is self:
            raise self._broken("is the segmentation itself", field)
        if reference.shape != self.shape:
            raise self._broken(
                f"the reference has shape {reference.shape}, this one {self.shape}; both must "
                "have the same",
                field,
            )

    def decode(self, pixels: npt.NDArray[Any]) -> dict[str, npt.NDArray[np.bool_]]:
        """Return what pixels of this segmentation show, one boolean array per name.

        Args:
            pixels: stored values, of any part of the grid.

        Raises:
            RuleBroken: a value means nothing; see `Feature.decode`.
        """
        from eyened_domain.model.pixels.masks import decode  # noqa: PLC0415 - brings numpy

        feature = self._shown_feature()
        if feature is not None:
            return feature.decode(pixels, self.data_representation, threshold=self.threshold)
        return decode(pixels, self.data_representation, threshold=self.threshold)

    rules_read: ClassVar[tuple[str, ...]] = ("image_instance",)

    def check_rules(self) -> None:
        """Raise `RuleBroken` where grid, number type or place on the image are not valid.

        Looks only at what is in view: the image (see `Entity.rules_read`) and the feature. A
        row that was read and whose grid nobody set is not judged: an old mask that breaks a
        rule can still be tagged or made inactive.
        """
        if not dict.keys(self.__dict__) >= _JUDGED:
            return  # a query left columns out: there is nothing whole to judge
        if _SET_HERE not in self.__dict__:
            if self.scan_indices is not None:
                self._check_scans(self.scan_indices)  # a list that may have grown in place
            return
        self._check_size()
        self._check_numbers()
        self._check_place()
        image = self._judged_image()
        if image is not None:
            self.check_fits(image)

    def _judged_image(self) -> ImageInstance | None:
        """Return the image in view on which `check_rules` judges the grid; None for none."""
        image: ImageInstance | None = self.__dict__.get("image_instance")
        if image is None or not dict.keys(self.__dict__) >= _JUDGED | {_SET_HERE}:
            return None
        sized = dict.keys(image.__dict__) >= _IMAGE_SIZE and image.shape is not None
        return image if sized else None

    def _misfit(self, image_shape: Shape) -> tuple[str, str] | None:
        return (
            self._flat_misfit(image_shape)
            if image_shape[0] == 1
            else self._deep_misfit(image_shape)
        )

    def _flat_misfit(self, image_shape: Shape) -> tuple[str, str] | None:
        if self.sparse_axis:
            return "sparse_axis", "SparseAxis is 0 on a 2-D image"
        if self.scan_indices is not None:
            return "scan_indices", "ScanIndices are for volumes only"
        if self.depth != 1:
            return "shape", "a 2-D image has one layer"
        if self.image_projection_matrix is None and self.shape != image_shape:
            return "shape", f"without an ImageProjectionMatrix it must be {image_shape}"
        return None

    def _deep_misfit(self, image_shape: Shape) -> tuple[str, str] | None:
        if self.image_projection_matrix is not None:
            return "image_projection_matrix", "ImageProjectionMatrix is for 2-D images only"
        if self.sparse_axis not in (None, 0, 1):
            return "sparse_axis", "SparseAxis is 0, or 1 for en face"
        if self.sparse_axis == 1 and self.scan_indices is not None:
            return "scan_indices", "an en-face map has no ScanIndices"
        depth, _, width = image_shape
        wanted = (depth, 1, width) if self.sparse_axis == 1 else image_shape
        if self.shape != wanted:
            return "shape", f"with SparseAxis {self.sparse_axis or 0} it must be {wanted}"
        return None

    def _check_size(self) -> None:
        for name in ("depth", "height", "width"):
            size = getattr(self, name)
            if not 1 <= size <= LONGEST_SIDE:
                raise self._broken(f"{size} is not from 1 to {LONGEST_SIDE:,} pixels", name, size)
        if math.prod(self.shape) > MOST_VOXELS:
            raise self._broken(f"{self.shape} is more than {MOST_VOXELS:,} pixels", "shape")
        index = self.zarr_array_index
        if index is not None and index < 0:
            raise self._broken(f"{index} is no position", "zarr_array_index", index)

    def _check_numbers(self) -> None:
        meaning = self.data_representation
        types = NUMBER_TYPES[meaning]
        if self.data_type not in types:
            names = ", ".join(sorted(one.name for one in types))
            raise self._broken(
                f"{self.data_type.name} cannot hold {meaning.name}; {names} can",
                "data_type",
                self.data_type,
            )
        threshold = self.threshold
        if meaning is not DataRepresentation.Probability or threshold is None:
            return  # elsewhere it has no meaning: web clients send one along, and it is kept
        if not 0 <= threshold <= 1:
            raise self._broken(f"{threshold} is not from 0 to 1", "threshold", threshold)

    def _check_place(self) -> None:
        if self.sparse_axis not in (None, 0, 1):
            raise self._broken("must be 0, or 1 for en face", "sparse_axis", self.sparse_axis)
        if self.scan_indices is not None:
            self._check_scans(self.scan_indices)
        if self.image_projection_matrix is not None:
            if self.depth != 1 or self.scan_indices is not None or self.sparse_axis == 1:
                raise self._broken("is for flat masks only", "image_projection_matrix")
            reason = _why_no_projection(self.image_projection_matrix)
            if reason:
                raise self._broken(reason, "image_projection_matrix", self.image_projection_matrix)

    def _check_scans(self, scans: Any) -> None:
        if self.sparse_axis == 1:
            raise self._broken("an en-face map has no ScanIndices", "scan_indices", scans)
        whole = isinstance(scans, list) and all(type(scan) is int for scan in scans)
        if not whole or len(set(scans)) != len(scans):
            raise self._broken("must be a list of different whole numbers", "scan_indices", scans)
        outside = [scan for scan in scans if not 0 <= scan < self.depth]
        if outside:
            raise self._broken(
                f"{outside[0]} is no B-scan: they are numbered 0 to {self.depth - 1}",
                "scan_indices",
                scans,
            )

    def _shown_feature(self) -> Feature | None:
        raise NotImplementedError

    def _broken(self, reason: str, field: str, value: object = None) -> RuleBroken:
        name = self.__entity__.name
        told = f" = {shown(value)}" if value is not None else ""
        return RuleBroken(f"{name}.{field}{told}: {reason}", entity=name, field=field, value=value)


def _why_no_projection(matrix: Any) -> str | None:
    rows = matrix if isinstance(matrix, list) else []
    if len(rows) != 3 or not all(isinstance(row, list) and len(row) == 3 for row in rows):
        return "must be 3 rows of 3 numbers: from pixels of the segmentation to the image's"
    numbers = [number for row in rows for number in row]
    if not all(type(number) in (int, float) and abs(number) < 1e100 for number in numbers):
        return "must be finite numbers"
    return None if _is_invertible(rows) else "cannot be inverted"


def _is_invertible(rows: list[list[float]]) -> bool:
    """Judge the determinant after scaling columns and rows, so that units do not matter."""
    columns = [max(abs(row[j]) for row in rows) for j in range(3)]
    if 0 in columns:
        return False
    scaled = [[row[j] / columns[j] for j in range(3)] for row in rows]
    norms = [math.hypot(*row) for row in scaled]
    if 0 in norms:
        return False
    (a, b, c), (d, e, f), (g, h, i) = (
        [number / norm for number in row] for row, norm in zip(scaled, norms, strict=True)
    )
    return abs(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)) > 1e-12
