"""Making segmentations together with their pixels, all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from eyened_domain.errors import EyenedError
from eyened_domain.model.computation import SegmentationModel
from eyened_domain.model.creator import Creator
from eyened_domain.model.enums import DataRepresentation, Datatype
from eyened_domain.model.feature import Feature
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.pixels.prepared import PreparedPixels
from eyened_domain.model.segmentation import ModelSegmentation, Segmentation
from eyened_domain.model.task import SubTask
from eyened_domain.services.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    import numpy.typing as npt

S = TypeVar("S", Segmentation, ModelSegmentation)


class Segmenting:
    """Makes segmentations of people and of models, with their pixels.

    Everything is checked before anything is stored: what is refused leaves no trace in the
    unit of work.
    """

    def create(
        self,
        uow: UnitOfWork,
        image: ImageInstance,
        pixels: npt.ArrayLike | Mapping[int, npt.ArrayLike],
        *,
        feature: Feature,
        creator: Creator,
        data_representation: DataRepresentation | str = DataRepresentation.Binary,
        data_type: Datatype | str | None = None,
        sparse_axis: int | None = None,
        scan_indices: list[int] | None = None,
        image_projection_matrix: Any = None,
        threshold: float | None = None,
        reference: Segmentation | None = None,
        sub_task: SubTask | None = None,
    ) -> Segmentation:
        """Make a segmentation that somebody drew, with its pixels; the caller commits.

        Args:
            uow: an open unit of work.
            image: what it lies on; rows_y and columns_x must be known.
            pixels: on a 2-D image (height, width); on a volume (depth, height, width), or
                a dict of B-scans by number, each (height, width), or seen from the front
                (depth, width). An axis of length 1 may be there or be left out.
            feature: what it shows.
            creator: who drew it.
            data_representation: what the values mean.
            data_type: the number type; None for that of the array: bool and uint8 R8UI (R8
                for Probability), uint16 R16UI, uint32 R32UI, float32 R32F.
            sparse_axis: 0, or 1 for a map seen from the front; None for what the shape says.
            scan_indices: the B-scans with data, where not all have; the others must be zero.
            image_projection_matrix: 3 x 3, from pixels on a grid of their own to the image's.
            threshold: above which a probability counts, 0 to 1; kept without a meaning in
                other representations.
            reference: a segmentation of the same shape; what is shown is both of them.
            sub_task: the task in which it was drawn.

        Raises:
            RuleBroken: shape, number type, a value or a place is not valid.
            StorageError: the pixels cannot be stored.
        """
        made, prepared = _placed(
            uow,
            Segmentation,
            image,
            pixels,
            feature=feature,
            data_representation=data_representation,
            data_type=data_type,
            sparse_axis=sparse_axis,
            scan_indices=scan_indices,
            image_projection_matrix=image_projection_matrix,
            threshold=threshold,
            reference=reference,
        )
        made.image_instance, made.feature, made.creator = image, feature, creator
        if sub_task is not None:
            made.sub_task = sub_task
        return self.store(uow, made, prepared)

    def create_from_masks(
        self,
        uow: UnitOfWork,
        image: ImageInstance,
        masks: Mapping[str, npt.ArrayLike],
        *,
        feature: Feature,
        creator: Creator,
        data_representation: DataRepresentation | str = DataRepresentation.MultiLabel,
        data_type: Datatype | str | None = None,
        **place: Any,
    ) -> Segmentation:
        """Make one segmentation of several masks, by the names of the subfeatures.

        Args:
            uow: an open unit of work.
            image: what they lie on.
            masks: boolean arrays of one shape, as `create` takes pixels; those not given
                are empty.
            feature: the composite feature that has the subfeatures.
            creator: who drew them.
            data_representation: MultiLabel, or MultiClass where no two overlap; Binary and
                DualBitMask have the names `mask` and `questionable`.
            data_type: the number type; None for the smallest that has room.
            place: the other options of `create`.

        Raises:
            RuleBroken: as `create`; a name is unknown, or classes overlap.
        """
        from eyened_domain.services.placed_pixels import smallest_type  # noqa: PLC0415 - numpy

        stored = smallest_type(feature, data_representation) if data_type is None else data_type
        return self.create(
            uow,
            image,
            feature.encode(masks, data_representation, stored),
            feature=feature,
            creator=creator,
            data_representation=data_representation,
            data_type=stored,
            **place,
        )

    def create_for_model(
        self,
        uow: UnitOfWork,
        image: ImageInstance,
        pixels: npt.ArrayLike | Mapping[int, npt.ArrayLike],
        *,
        model: SegmentationModel,
        data_representation: DataRepresentation | str = DataRepresentation.Binary,
        data_type: Datatype | str | None = None,
        sparse_axis: int | None = None,
        scan_indices: list[int] | None = None,
        image_projection_matrix: Any = None,
        threshold: float | None = None,
        reference: Segmentation | None = None,
    ) -> ModelSegmentation:
        """Make a segmentation that a model computed, with its pixels; see `create`."""
        _ = model.group_name  # refused before anything is linked to it
        made, prepared = _placed(
            uow,
            ModelSegmentation,
            image,
            pixels,
            feature=model.feature,
            data_representation=data_representation,
            data_type=data_type,
            sparse_axis=sparse_axis,
            scan_indices=scan_indices,
            image_projection_matrix=image_projection_matrix,
            threshold=threshold,
            reference=reference,
        )
        made.image_instance, made.model = image, model
        return self.store(uow, made, prepared)

    def store(self, uow: UnitOfWork, segmentation: S, pixels: npt.ArrayLike | PreparedPixels) -> S:
        """Put a segmentation that is ready into the unit of work, with all its pixels.

        Args:
            uow: an open unit of work.
            segmentation: with its grid and its links; without pixels so far.
            pixels: (depth, height, width), see `Segmentation.write_data`; or those that its
                `prepare_on` has checked.

        Raises:
            RuleBroken, StorageError: as `write_data`. When it was new and valid but for its
                pixels, it is taken out again.
        """
        (key,) = segmentation.__entity__.primary_key
        is_new = segmentation.__dict__.get(key) is None
        uow.repository(type(segmentation)).add(segmentation)
        try:
            if not isinstance(pixels, PreparedPixels):
                pixels = segmentation.prepare(pixels)
            segmentation.put(pixels)
        except EyenedError:
            if is_new:
                with suppress(EyenedError):  # a database that gave way has undone it itself
                    _take_out(uow, segmentation)
            raise
        return segmentation


def _placed(
    uow: UnitOfWork, kind: type[S], image: ImageInstance, pixels: Any, **options: Any
) -> tuple[S, PreparedPixels]:
    """Return a checked segmentation that knows its reference, and is linked to nothing yet."""
    from eyened_domain.services.placed_pixels import placed  # noqa: PLC0415 - brings numpy

    made, prepared = placed(kind, image, pixels, **options)
    made.reference_segmentation_id = _reference(uow, options["reference"])
    return made, prepared


def _reference(uow: UnitOfWork, reference: Segmentation | None) -> int | None:
    """Return the id of a segmentation that is referred to."""
    if reference is None:
        return None
    uow.repository(Segmentation).add(reference)
    if not reference.segmentation_id:  # new: its id comes with the flush
        uow.flush()
    return reference.segmentation_id


def _take_out(uow: UnitOfWork, segmentation: Segmentation | ModelSegmentation) -> None:
    uow.flush()  # only what is stored can be deleted
    uow.repository(type(segmentation)).delete(segmentation)
    for link in segmentation.__entity__.links.values():
        if not link.many and segmentation.__dict__.get(link.name) is not None:
            setattr(segmentation, link.name, None)  # and so off the list of the other
    uow.flush()
