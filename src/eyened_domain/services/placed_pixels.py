"""Pixels as people give them, as a segmentation has them: shape, number type, place on the image.

All rules are checked here on pixels and columns alone, before an object is linked to others
and with that put into a unit of work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from eyened_domain.errors import BadInput
from eyened_domain.model.enums import DataRepresentation, Datatype
from eyened_domain.model.feature import Feature
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.pixels.grid import NUMBER_TYPES
from eyened_domain.model.pixels.prepared import PreparedPixels
from eyened_domain.model.segmentation import ModelSegmentation, Segmentation
from eyened_domain.model.values import Choice, Refused, shown

Pixels = npt.NDArray[Any]
S = TypeVar("S", Segmentation, ModelSegmentation)

_OF_DTYPE: dict[str, tuple[Datatype, ...]] = {
    "bool": (Datatype.R8UI,),
    "uint8": (Datatype.R8UI, Datatype.R8),
    "uint16": (Datatype.R16UI,),
    "uint32": (Datatype.R32UI,),
    "float32": (Datatype.R32F,),
}


def placed(
    kind: type[S],
    image: ImageInstance,
    pixels: Any,
    *,
    feature: Feature | None,
    data_representation: DataRepresentation | str,
    data_type: Datatype | str | None,
    sparse_axis: int | None,
    scan_indices: list[int] | None,
    image_projection_matrix: Any,
    threshold: float | None,
    reference: Segmentation | None,
) -> tuple[S, PreparedPixels]:
    """Return a segmentation that is linked to nothing yet, and its pixels; see `Segmenting.create`.

    Raises:
        RuleBroken: a rule is broken (BadInput where the arguments do not fit together).
    """
    if image.shape is None:
        raise _refused("the size of the image is not known: set its rows_y and columns_x", "image")
    if isinstance(pixels, Mapping):
        pixels, scan_indices = _from_scans(pixels, image.shape, scan_indices)
    array = np.asarray(pixels)
    shape, seen_from = _shape(array.shape, image.shape, sparse_axis, scan_indices)
    meaning = _member(DataRepresentation, data_representation, "data_representation")
    made = kind(
        depth=shape[0],
        height=shape[1],
        width=shape[2],
        data_representation=meaning,
        data_type=_type_of(array, meaning, data_type),
        sparse_axis=seen_from,
        scan_indices=scan_indices,
        image_projection_matrix=_plain(image_projection_matrix),
        threshold=threshold,
    )
    prepared = made.prepare_on(image, array.reshape(shape), feature, reference)
    if meaning.has_labels and feature is None:
        raise _refused(f"{meaning.name} needs a feature with subfeatures", "feature")
    _check_scans(prepared.pixels, made.scan_indices)
    if feature is not None and isinstance(made, Segmentation):
        feature.check_labels(meaning, made.data_type)
    return made, prepared


def smallest_type(feature: Feature, data_representation: DataRepresentation | str) -> Datatype:
    """Return the smallest number type that has room for all subfeatures."""
    meaning = _member(DataRepresentation, data_representation, "data_representation")
    if not meaning.has_labels:
        return Datatype.R8UI
    most = max(feature.subfeatures, default=0) + 1
    bits = most if meaning is DataRepresentation.MultiLabel else most.bit_length()
    if bits <= 8:
        return Datatype.R8UI
    return Datatype.R16UI if bits <= 16 else Datatype.R32UI


def _from_scans(
    scans: Mapping[Any, Any], image_shape: tuple[int, int, int], given: list[int] | None
) -> tuple[Pixels, list[int]]:
    """Return a whole volume in which the given B-scans are, and their numbers."""
    depth, height, width = image_shape
    if given is not None or not scans:
        raise _refused("B-scans by number are all that is given: leave scan_indices out", "pixels")
    numbers = [_scan_number(scan, depth) for scan in scans]
    arrays = [np.asarray(scan) for scan in scans.values()]
    kinds = {array.dtype for array in arrays}
    if len(kinds) > 1:
        raise _refused(f"B-scans differ in type: {shown(sorted(map(str, kinds)))}", "pixels")
    whole = np.zeros(image_shape, arrays[0].dtype)
    for number, array in zip(numbers, arrays, strict=True):
        if array.shape not in {(height, width), (1, height, width)}:
            raise _refused(
                f"B-scan {number} has shape {array.shape}; it must be {(height, width)}", "pixels"
            )
        whole[number] = array
    return whole, sorted(numbers)


def _scan_number(scan: Any, depth: int) -> int:
    whole = isinstance(scan, int | np.integer) and not isinstance(scan, bool)
    if not whole or not 0 <= scan < depth:
        raise _refused(
            f"{shown(scan)} is no B-scan: they are numbered 0 to {depth - 1}", "scan_indices"
        )
    return int(scan)


def _shape(
    given: tuple[int, ...],
    image_shape: tuple[int, int, int],
    sparse_axis: int | None,
    scan_indices: Any,
) -> tuple[tuple[int, int, int], int]:
    """Return (depth, height, width) and SparseAxis; 2-D pixels of a volume are a map of it."""
    if not 2 <= len(given) <= 3 or 0 in given:
        raise _refused(f"pixels of shape {given} are no mask: give 2 or 3 axes", "pixels")
    if image_shape[0] == 1:
        flat = given if len(given) == 3 else (1, *given)
        return (flat[0], flat[1], flat[2]), 0 if sparse_axis is None else sparse_axis
    if len(given) == 2:
        axis = 1 if sparse_axis is None and scan_indices is None else sparse_axis
        if axis != 1:
            raise _refused(
                f"pixels of shape {given} on a volume are a map seen from the front (SparseAxis "
                "1); give B-scans as {number: pixels}",
                "pixels",
            )
        return (given[0], 1, given[1]), 1
    if sparse_axis is None:
        sparse_axis = 1 if given[1] == 1 != image_shape[1] else 0
    return (given[0], given[1], given[2]), sparse_axis


def _type_of(array: Pixels, meaning: DataRepresentation, given: Any) -> Datatype:
    if given is not None:
        told: Datatype = _member(Datatype, given, "data_type")
        return told
    name = str(array.dtype.newbyteorder("="))
    for one in _OF_DTYPE.get(name, ()):
        if one in NUMBER_TYPES[meaning]:
            return one
    types = sorted({one.numpy_name for one in NUMBER_TYPES[meaning]})
    raise _refused(
        f"pixels of type {name} cannot be {meaning.name}; give array.astype(numpy.{types[0]})"
        f"{''.join(f' or {other}' for other in types[1:])}",
        "data_type",
    )


def _check_scans(array: Pixels, scan_indices: list[int] | None) -> None:
    if scan_indices is None:
        return
    listed = set(scan_indices)
    for scan in range(array.shape[0]):
        if scan not in listed and array[scan].any():
            raise _refused(f"B-scan {scan} has data, and is not among them", "scan_indices")


def _plain(matrix: Any) -> Any:
    return matrix.tolist() if isinstance(matrix, np.ndarray) else matrix


def _member(enum: Any, value: Any, field: str) -> Any:
    try:
        return Choice(enum).convert(value)
    except Refused as refused:
        raise _refused(str(refused), field) from None


def _refused(reason: str, field: str) -> BadInput:
    return BadInput(f"Segmentation.{field}: {reason}", entity="Segmentation", field=field)
