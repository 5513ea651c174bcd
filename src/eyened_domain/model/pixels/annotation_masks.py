"""Pixels of legacy annotations: which sizes a file may have, what its values mean, where they lie.

Shapes are (rows, columns) of one B-scan or photograph, and (B-scans, rows, columns) of a
volume. numpy is imported when pixels are worked on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from eyened_domain.errors import BadInput
from eyened_domain.model.enums import DataRepresentation
from eyened_domain.model.pixels.grid import MOST_VOXELS, Shape
from eyened_domain.model.values import shown

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from eyened_domain.model.annotation import Annotation, AnnotationData
    from eyened_domain.model.image import ImageInstance

    Pixels = npt.NDArray[Any]
    Mask = npt.NDArray[np.bool_]

ALL_SCANS = -1
"""The ScanNr of a file that stands for all scans."""
PNG = "image/png"
RAW = "application/octet-stream"

_REPRESENTATIONS = {
    "r/g mask": DataRepresentation.DualBitMask,
    "binary mask": DataRepresentation.Binary,
}


@frozen(kw_only=True, eq=False)
class PlacedMask:
    """A whole annotation on the grid of its image, as a segmentation would hold it.

    Attributes:
        image: the image whose grid it is.
        pixels: uint8, (depth, height, width): bit 0 the mask, bit 1 questionable.
        representation: `DualBitMask` for an R/G mask, `Binary` for a binary mask.
        sparse_axis: 0, or 1 for an en-face map (B-scans, 1, columns).
        scan_indices: the B-scans that have a file of their own; None when one file is all.
    """

    image: ImageInstance
    pixels: Pixels
    representation: DataRepresentation
    sparse_axis: int
    scan_indices: list[int] | None

    def mask(self, *, questionable: bool = False) -> Mask:
        """Return where it is marked, or where the grader was in doubt."""
        mask: Mask = (self.pixels & (2 if questionable else 1)).astype(bool)
        return mask


def representation_of(annotation: Annotation) -> DataRepresentation:
    """Return what the pixels of an annotation mean: `DualBitMask` or `Binary`.

    Raises:
        BadInput: AnnotationType.Interpretation is neither ``R/G mask`` nor ``Binary mask``.
    """
    interpretation = annotation.annotation_type.interpretation
    found = _REPRESENTATIONS.get(interpretation.strip().casefold())
    if found is None:
        raise BadInput(
            f"AnnotationType.interpretation is {shown(interpretation)}, which says of no pixel "
            "what it means; 'R/G mask' and 'Binary mask' do: load_data() gives the pixels as they "
            "are",
            entity="AnnotationType",
            field="interpretation",
            value=interpretation,
        )
    return found


def file_shapes(image_shape: Shape, scan_nr: int) -> tuple[tuple[int, ...], ...]:
    """Return the shapes that a file may have, in the order in which its size is looked up.

    A photograph, and one scan of a volume: (rows, columns). All scans of a volume: (rows,
    columns), the same mask on every scan; (B-scans, rows, columns), each its own; or (B-scans,
    columns), a map of the volume seen from the front.
    """
    depth, height, width = image_shape
    if depth == 1 or scan_nr != ALL_SCANS:
        return ((height, width),)
    return ((height, width), (depth, height, width), (depth, width))


def mask_of(data: AnnotationData, pixels: Pixels, *, questionable: bool = False) -> Mask:
    """Return where the pixels of a file are marked; see `AnnotationData.get_mask`."""
    import numpy as np  # noqa: PLC0415 - the model needs numpy for pixels only

    is_colour = data.media_type.casefold() == PNG and pixels.ndim == 3
    if representation_of(data.annotation) is DataRepresentation.Binary:
        mask: Mask = np.any(pixels, axis=-1) if is_colour else pixels > 0
        return np.zeros_like(mask) if questionable else mask
    if is_colour:
        channel: Mask = pixels[..., 1 if questionable else 0] > 0
        return channel
    marked: Mask = pixels > 0
    if questionable and marked.any():
        raise _bad_file(
            data,
            "holds one value per pixel: an R/G mask has its questionable pixels in green. Draw it "
            "again in red and green, or give it an AnnotationType with the interpretation 'Binary "
            "mask'",
        )
    return marked


def placed_mask(annotation: Annotation) -> PlacedMask:
    """Put the files of an annotation together on the grid of its image.

    On a photograph it has one file, of scan -1 or 0. On a volume it has either one for each of
    some scans, or one of scan -1 that stands for all: see `file_shapes`.

    Raises:
        BadInput: there is no image, or its size is not known; files are missing, damaged, of
            another size, of no such scan, or could be meant in two ways.
    """
    representation = representation_of(annotation)
    image = _image(annotation)
    shape = _shape(annotation, image)
    rows = sorted(annotation.annotation_data, key=lambda row: row.scan_nr)
    _check_scans(annotation, [row.scan_nr for row in rows], shape[0])
    if rows[0].scan_nr == ALL_SCANS or shape[0] == 1:
        codes = _codes(rows[0], representation)
        pixels, sparse_axis = _over_all_scans(rows[0], codes, shape)
        return PlacedMask(
            image=image,
            pixels=pixels,
            representation=representation,
            sparse_axis=sparse_axis,
            scan_indices=None,
        )
    import numpy as np  # noqa: PLC0415 - the model needs numpy for pixels only

    pixels = np.zeros(shape, dtype=np.uint8)
    for row in rows:
        pixels[row.scan_nr] = _codes(row, representation)
    return PlacedMask(
        image=image,
        pixels=pixels,
        representation=representation,
        sparse_axis=0,
        scan_indices=[row.scan_nr for row in rows],
    )


def _codes(row: AnnotationData, representation: DataRepresentation) -> Pixels:
    """Return the file's masks in one number: bit 0 the mask, bit 1 questionable."""
    from eyened_domain.model.pixels.masks import MASK, QUESTIONABLE, encode  # noqa: PLC0415 - numpy

    pixels = row.load_data()
    masks = {MASK: mask_of(row, pixels)}
    if representation is DataRepresentation.DualBitMask:
        masks[QUESTIONABLE] = mask_of(row, pixels, questionable=True)
    return encode(masks, representation, dtype="uint8")


def _over_all_scans(row: AnnotationData, codes: Pixels, shape: Shape) -> tuple[Pixels, int]:
    """Return the pixels of a file that stands for all scans on the image's grid, and the axis."""
    import numpy as np  # noqa: PLC0415 - the model needs numpy for pixels only

    depth, height, width = shape
    if codes.shape == shape:
        return codes, 0
    if depth > 1 and depth == height:
        raise _bad_file(
            row,
            f"of {height} rows x {width} columns may show one B-scan, or all {depth} B-scans from "
            "the front: this volume has as many B-scans as rows. Convert it by hand",
        )
    if codes.shape == (height, width):
        return np.repeat(codes[np.newaxis], depth, axis=0), 0
    return codes[:, np.newaxis, :], 1


def _image(annotation: Annotation) -> ImageInstance:
    image = annotation.image_instance
    if image is None:
        raise _bad_annotation(
            annotation, "image_instance_id", "it belongs to no image, which says where pixels lie"
        )
    return image


def _shape(annotation: Annotation, image: ImageInstance) -> Shape:
    """Return the shape of the image, if pixels can lie on it."""
    field, identity = "image_instance_id", image.image_instance_id
    shape = image.shape
    if shape is None or min(shape) < 1:
        raise _bad_annotation(
            annotation,
            field,
            f"the size of image {identity} is not known; fill in its rows_y and columns_x",
            identity,
        )
    if math.prod(shape) > MOST_VOXELS:
        raise _bad_annotation(
            annotation,
            field,
            f"image {identity} has {math.prod(shape):,} pixels, more than {MOST_VOXELS:,}; correct "
            "its rows_y, columns_x or nr_of_frames",
            identity,
        )
    return shape


def _check_scans(annotation: Annotation, scans: Sequence[int], depth: int) -> None:
    if not scans:
        raise _bad_annotation(annotation, "annotation_data", "it has no AnnotationData, so no file")
    if len(scans) > 1 and (scans[0] == ALL_SCANS or depth == 1):
        why = "scan -1 stands for all" if depth > 1 else "its image is one picture"
        raise _bad_annotation(
            annotation,
            "annotation_data",
            f"it has files for the scans {shown(list(scans))}, and {why}: which one counts is not "
            "known; take the others out",
            list(scans),
        )
    outside = [scan for scan in scans if scan != ALL_SCANS and not 0 <= scan < depth]
    if outside:
        raise _bad_annotation(
            annotation,
            "annotation_data",
            f"its image has no scan {outside[0]}: they are numbered 0 to {depth - 1}, and -1 means "
            "all; correct ScanNr, or NrOfFrames of the image",
            outside[0],
        )


def _bad_annotation(
    annotation: Annotation, field: str, reason: str, value: object = None
) -> BadInput:
    return BadInput(
        f"Annotation {annotation.annotation_id}: {reason}",
        entity="Annotation",
        field=field,
        value=value,
    )


def _bad_file(row: AnnotationData, reason: str) -> BadInput:
    return BadInput(
        f"AnnotationData.dataset_identifier: the file {row.dataset_identifier!a} {reason}",
        entity="AnnotationData",
        field="dataset_identifier",
        value=row.dataset_identifier,
    )
