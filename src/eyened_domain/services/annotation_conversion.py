"""Makes segmentations of legacy annotations; the annotations stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import define, field

from eyened_domain.errors import (
    BadInput,
    ConfigurationError,
    EyenedError,
    FileMissing,
    NotFound,
    RuleBroken,
)
from eyened_domain.model.annotation import Annotation
from eyened_domain.model.enums import Datatype
from eyened_domain.model.pixels.annotation_masks import placed_mask
from eyened_domain.model.pixels.prepared import PreparedPixels
from eyened_domain.model.segmentation import Segmentation
from eyened_domain.services.conversion_choice import (
    Chosen,
    chosen_annotations,
    references_first,
)
from eyened_domain.services.conversion_record import ConversionReport
from eyened_domain.services.progress import Progress
from eyened_domain.services.segmenting import Segmenting
from eyened_domain.services.storage import Storage
from eyened_domain.services.unit_of_work import UnitOfWork

PORTION = 20
"""Annotations that are converted in one transaction."""
RETRIES = 10
STORE_FAILURES = 10
"""After so many failures of a store in a row, the run gives up: it is the store, not a file."""

_OF_ITS_OWN = (BadInput, FileMissing, RuleBroken)
"""Errors that say something of one annotation or its files, and nothing of the store."""

Create = Callable[[UnitOfWork, Segmentation, PreparedPixels], Segmentation]
"""Stores a new segmentation with its pixels in a unit of work, as `Segmenting.store` does."""


def segmentation_from(annotation: Annotation) -> tuple[Segmentation, PreparedPixels]:
    """Return what an annotation becomes: a segmentation that is not stored, and its pixels.

    Kept are the image, the creator, the feature, whether it is inactive, and when it was
    inserted; the newest DateModified of its files is the segmentation's. Not kept: its
    tags, and the reference, which the conversion of both sets.

    An R/G mask becomes a DualBitMask (bit 0 the mask, bit 1 questionable), a binary mask
    Binary, both R8UI. Of a photograph of h x w: (1, h, w). Of a volume of shape (d, h, w):

    ========================================  ============  ===========  ============
    files of the annotation                   shape         SparseAxis   ScanIndices
    ========================================  ============  ===========  ============
    one for each of some scans (h, w)         (d, h, w)     0            these scans
    scan -1, a volume (d, h, w)               (d, h, w)     0            none
    scan -1, one mask (h, w), on every scan   (d, h, w)     0            none
    scan -1, from the front (d, w)            (d, 1, w)     1            none
    ========================================  ============  ===========  ============

    A flat mask of scan -1 on a volume with d = h could be either of the last two: refused.

    Returns:
        the segmentation, linked to its image, creator and feature by their ids; and uint8
        pixels of its shape, ready to be stored.

    Raises:
        BadInput: the files cannot be read or placed; see `annotation_pixels.placed_mask`.
        RuleBroken: the segmentation would break a rule.
    """
    placed = placed_mask(annotation)
    depth, height, width = placed.pixels.shape
    modified = [one.date_modified for one in annotation.annotation_data if one.date_modified]
    segmentation = Segmentation(
        creator_id=annotation.creator_id,
        feature_id=annotation.feature_id,
        image_instance_id=placed.image.image_instance_id,
        inactive=annotation.inactive,
        date_inserted=annotation.date_inserted,
        date_modified=max(modified, default=None),
        data_representation=placed.representation,
        data_type=Datatype.R8UI,
        depth=depth,
        height=height,
        width=width,
        sparse_axis=placed.sparse_axis,
        scan_indices=placed.scan_indices,
    )
    return segmentation, segmentation.prepare_on(placed.image, placed.pixels)


class AnnotationConversion:
    """Converts annotations in portions; each portion is one transaction.

    A bad annotation is reported and left out. A run that was stopped is run again: what was
    converted is not converted twice. An annotation that refers to another one comes after it,
    and its segmentation refers to the other's; when the other is not converted, neither is
    it, as its mask is only half of what was drawn.

    Args:
        storage: where the annotations are, and the segmentations go.
        create: stores a new segmentation with its pixels; by default `Segmenting.store`.
        portion: how many are converted in one transaction.
    """

    def __init__(
        self,
        storage: Storage,
        create: Create | None = None,
        *,
        portion: int = PORTION,
    ) -> None:
        self._storage = storage
        self._create: Create = create or Segmenting().store
        self._portion = portion

    def run(
        self,
        *,
        annotation_type: str | None = None,
        project: str | None = None,
        apply: bool = False,
        progress: Progress | None = None,
    ) -> ConversionReport:
        """Convert the annotations that are not converted yet.

        Args:
            annotation_type: only those of this AnnotationTypeName.
            project: only those of the patients of this project.
            apply: convert. Without it every file is read and judged, and nothing is written.
            progress: called as it goes.

        Raises:
            NotFound: there is no such type or project.
            ConfigurationError: ANNOTATIONS_PATH is not there, or the database keeps no record
                of conversions yet.
            StorageError: a store failed again and again; what was converted stays.
        """
        with self._storage.unit_of_work() as uow:
            chosen = chosen_annotations(uow, annotation_type, project)
        conversion = _Run(self._storage, self._create, chosen, ConversionReport(applied=apply))
        ids = references_first({one: reference for one, (reference, _) in chosen.items()})
        for start in range(0, len(ids), self._portion):
            conversion.convert(ids[start : start + self._portion])
            if progress is not None:
                progress(min(start + self._portion, len(ids)), len(ids))
        return conversion.report


@define
class _Step:
    """What one transaction did."""

    made: dict[int, Segmentation] = field(factory=dict)
    already: list[int] = field(factory=list)
    failed: list[tuple[int, EyenedError]] = field(factory=list)


@define
class _Run:
    """One run over the chosen annotations."""

    storage: Storage
    create: Create
    chosen: Chosen
    report: ConversionReport
    planned: dict[int, Segmentation] = field(factory=dict)
    """In a dry run, what would have been made of the annotations so far."""
    store_failures: int = 0

    def convert(self, ids: Sequence[int]) -> None:
        """Convert a portion; when it fails as a whole, one annotation after the other."""
        try:
            step = self._transaction(ids)
        except ConfigurationError:
            raise
        except EyenedError as error:
            if len(ids) > 1:
                for one in ids:
                    self.convert([one])
                return
            self._fail(ids[0], error)
            return
        self.store_failures = 0
        self._count(ids, step)

    def _transaction(self, ids: Sequence[int]) -> _Step:
        if self.report.applied:
            return self.storage.run(lambda uow: self._step(uow, ids), retries=RETRIES)
        with self.storage.unit_of_work() as uow:
            return self._step(uow, ids)

    def _step(self, uow: UnitOfWork, ids: Sequence[int]) -> _Step:
        references = [one for one in (self.chosen[i][0] for i in ids) if one is not None]
        converted = uow.conversions.converted([*ids, *references])
        step = _Step(already=[one for one in ids if one in converted])
        pending = [one for one in ids if one not in converted]
        found = (
            uow.repository(Annotation).where(annotation_id=pending, include_inactive=True)
            if pending
            else []
        )
        by_id = {annotation.annotation_id: annotation for annotation in found}
        for annotation in (by_id[one] for one in pending if one in by_id):
            try:
                segmentation, pixels = segmentation_from(annotation)
                self._refer(uow, annotation, segmentation, converted)
            except (*_OF_ITS_OWN, NotFound) as error:
                step.failed.append((annotation.annotation_id, error))
                continue
            if self.report.applied:
                segmentation = self._store(uow, annotation, segmentation, pixels)
                converted[annotation.annotation_id] = segmentation.segmentation_id
            else:
                self.planned[annotation.annotation_id] = segmentation
            step.made[annotation.annotation_id] = segmentation
        return step

    def _store(
        self,
        uow: UnitOfWork,
        annotation: Annotation,
        segmentation: Segmentation,
        pixels: PreparedPixels,
    ) -> Segmentation:
        made = self.create(uow, segmentation, pixels)
        uow.flush()
        uow.conversions.note(annotation.annotation_id, made.segmentation_id)
        return made

    def _refer(
        self,
        uow: UnitOfWork,
        annotation: Annotation,
        segmentation: Segmentation,
        converted: dict[int, int | None],
    ) -> None:
        """Let the segmentation refer to that of the annotation's reference."""
        reference_id = annotation.annotation_reference_id
        if reference_id is None:
            return
        reference = self.planned.get(reference_id)
        if reference is None and converted.get(reference_id) is not None:
            reference = uow.repository(Segmentation).get(converted[reference_id])
        if reference is None:
            state = "deleted since" if reference_id in converted else "not converted"
            raise RuleBroken(
                f"Annotation {annotation.annotation_id}: it refers to annotation {reference_id}, "
                f"whose segmentation is {state}; convert that one first",
                entity="Annotation",
                field="annotation_reference_id",
                value=reference_id,
            )
        segmentation.check_reference(reference)
        segmentation.reference_segmentation_id = reference.segmentation_id

    def _fail(self, annotation_id: int, error: EyenedError) -> None:
        self.store_failures = 0 if isinstance(error, _OF_ITS_OWN) else self.store_failures + 1
        if self.store_failures >= STORE_FAILURES:
            raise error
        self._count([annotation_id], _Step(failed=[(annotation_id, error)]))

    def _count(self, ids: Sequence[int], step: _Step) -> None:
        for one in ids:
            self.report.tally(self.chosen[one][1]).total += 1
        for one in step.already:
            self.report.tally(self.chosen[one][1]).already += 1
        for one, segmentation in step.made.items():
            self.report.tally(self.chosen[one][1]).converted += 1
            if self.report.applied:
                self.report.segmentations[one] = segmentation.segmentation_id
        for one, error in step.failed:
            self.report.fail(one, self.chosen[one][1], error)
