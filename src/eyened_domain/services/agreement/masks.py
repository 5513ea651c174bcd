"""Agreement on masks, read one after another: Dice, IoU and 95 % Hausdorff distance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from attrs import frozen

from eyened_domain.model.enums import Modality, ModalityType
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.pixels.masks import MASK
from eyened_domain.model.segmentation import Segmentation
from eyened_domain.services.agreement.disagreement import Apart
from eyened_domain.services.agreement.draws import Draws, Subject
from eyened_domain.services.agreement.mask_distances import Mask, dice_and_iou, hausdorff_95
from eyened_domain.services.agreement.readings import (
    Case,
    Grader,
    Readings,
    graders_of,
    pairs_of,
)
from eyened_domain.services.agreement.rows import AgreementRow
from eyened_domain.services.progress import Progress
from eyened_domain.services.unit_of_work import UnitOfWork

PORTION = 100
"""Cases whose segmentations are looked up at a time; their pixels are not among it."""
_MEASURES = ("dice", "iou", "hausdorff_95")


class Overlap(NamedTuple):
    """How alike the masks of two graders are."""

    dice: float
    iou: float
    hausdorff_95: float
    """NaN where one of them is empty."""
    unit: str
    """Of the distance: mm, or px."""


Pair = tuple[Grader, Grader]
Overlaps = dict[tuple[str, str], dict[Case, dict[Pair, Overlap]]]
"""By feature and name of the mask; pairs that do not lie on the same grid are not there."""


def overlaps_of(
    uow: UnitOfWork, by_feature: Mapping[str, Readings], progress: Progress
) -> Overlaps:
    """Compare the masks of all pairs; of one case and feature at a time, one bit for a pixel.

    Args:
        uow: an open unit of work.
        by_feature: who has drawn what.
        progress: called with how many cases are done.
    """
    found: Overlaps = {}
    waiting = [
        (feature, case, by_grader)
        for feature, readings in by_feature.items()
        for case, by_grader in readings.items()
        if len(by_grader) > 1
    ]
    cases = iter(waiting)
    done = 0
    while portion := list(islice(cases, PORTION)):
        ids = [one.identity for _, _, some in portion for one in some.values()]
        drawn = dict(zip(ids, uow.segmentations.by_ids(ids), strict=True))
        images = {one.image_instance_id: one.image_instance for one in drawn.values()}
        for feature, case, by_grader in portion:
            spacing, unit = spacing_of(images[int(case.image_instance_id or 0)])
            held = {grader: _held(drawn[one.identity]) for grader, one in by_grader.items()}
            for name, pair, overlap in _compared(held, spacing, unit):
                found.setdefault((feature, name), {}).setdefault(case, {})[pair] = overlap
            done += 1
            progress(done, len(waiting))
    return found


@frozen
class _Held:
    """The masks of one segmentation, packed to bits."""

    bits: Mapping[str, npt.NDArray[np.uint8]]
    shape: tuple[int, ...]
    scans: frozenset[int] | None
    """The B-scans that were drawn on; None for all."""

    def mask(self, name: str, scans: frozenset[int] | None) -> Mask:
        """Return a mask, on these B-scans only."""
        size = int(np.prod(self.shape))
        mask: Mask = np.unpackbits(self.bits[name], count=size).view(np.bool_).reshape(self.shape)
        if scans is not None:
            mask[[scan for scan in range(len(mask)) if scan not in scans]] = False
        return mask


def _held(segmentation: Segmentation) -> _Held:
    masks = segmentation.masks()
    indices = segmentation.scan_indices
    scans = None if indices is None else frozenset(map(int, indices))
    shape = next(iter(masks.values())).shape
    return _Held({name: np.packbits(mask) for name, mask in masks.items()}, shape, scans)


def _compared(
    held: Mapping[Grader, _Held], spacing: Sequence[float], unit: str
) -> Iterator[tuple[str, Pair, Overlap]]:
    for pair in pairs_of(held):
        ours, theirs = (held[one] for one in pair)
        if ours.shape != theirs.shape:
            continue
        limits = [one.scans for one in (ours, theirs) if one.scans is not None]
        scans = frozenset.intersection(*limits) if limits else None
        if scans is not None and not scans:
            continue
        for name in ours.bits.keys() & theirs.bits.keys():
            first, second = ours.mask(name, scans), theirs.mask(name, scans)
            distance = hausdorff_95(first, second, spacing)
            yield name, pair, Overlap(*dice_and_iou(first, second), distance, unit)


def spacing_of(image: ImageInstance) -> tuple[tuple[float, float, float], str]:
    """Return how far apart pixels are along the axes of a mask of three axes, and the unit.

    Of a volume: ResolutionVertical (between B-scans), ResolutionAxial, ResolutionHorizontal; of
    a picture ResolutionVertical and ResolutionHorizontal; of a single B-scan ResolutionAxial in
    place of the first. In mm; where one of those is not known (or not positive), 1 px for all.
    """
    is_scan = image.modality in (Modality.OCT, Modality.OCTA) or (
        image.dicom_modality is ModalityType.OPT
    )
    across = image.resolution_vertical
    if image.is_3d:
        steps = (across, image.resolution_axial, image.resolution_horizontal)
    else:
        rows = image.resolution_axial if is_scan else across
        steps = (1.0, rows, image.resolution_horizontal)
    known = [step for step in steps if step is not None and 0 < step < np.inf]
    return ((known[0], known[1], known[2]), "mm") if len(known) == 3 else ((1.0, 1.0, 1.0), "px")


def mask_rows(
    by_feature: Mapping[str, Readings], overlaps: Overlaps, draws: Draws
) -> Iterator[AgreementRow]:
    """Yield the mean of each measure, of all pairs where there are several, and of each pair.

    Of all pairs together, a case counts with the mean of its pairs.
    """
    for feature, mask in sorted(overlaps):
        compared = _Compared(_label(feature, mask), overlaps[feature, mask], by_feature[feature])
        graders = graders_of(compared.readings)
        pairs = pairs_of(graders)
        first = [one for one in graders if one.number == 1]
        if len(first) > 2:
            between = [pair for pair in pairs if pair[1].number == 1]
            yield from _rows(compared, first, between, draws)
        for pair in pairs:
            yield from _rows(compared, pair, [pair], draws)


@frozen
class _Compared:
    """A mask, and how far apart it was drawn."""

    name: str
    by_case: Mapping[Case, Mapping[Pair, Overlap]]
    readings: Readings


def _rows(
    compared: _Compared, graders: Sequence[Grader], pairs: Sequence[Pair], draws: Draws
) -> Iterator[AgreementRow]:
    read = sum(any(one in some for one in graders) for some in compared.readings.values())
    units = sorted({one.unit for some in compared.by_case.values() for one in some.values()})
    for measure in _MEASURES:
        for unit in units if measure == "hausdorff_95" else [None]:
            means = {
                case: mean
                for case, some in compared.by_case.items()
                if not np.isnan(mean := _mean(some, pairs, measure, unit))
            }
            subject = Subject(compared.name, measure, graders, read, unit)
            yield draws.row(subject, means, _plain_mean)


def _mean(
    some: Mapping[Pair, Overlap], pairs: Sequence[Pair], measure: str, unit: str | None
) -> float:
    values = [
        float(getattr(some[pair], measure))
        for pair in pairs
        if pair in some and unit in (None, some[pair].unit)
    ]
    defined = [one for one in values if not np.isnan(one)]
    return float(np.mean(defined)) if defined else np.nan


def _plain_mean(values: npt.NDArray[Any]) -> float:
    return float(values.mean())


def _label(feature: str, mask: str) -> str:
    return feature if mask == MASK else f"{feature}/{mask}"


def masks_apart(overlaps: Overlaps) -> Apart:
    """Return for each case one minus the mean Dice of its pairs, by name of the mask."""
    apart: Apart = {}
    for (feature, mask), by_case in overlaps.items():
        for case, some in by_case.items():
            values = [one.dice for pair, one in some.items() if pair[1].number == 1]
            if values:
                apart.setdefault(case, {})[_label(feature, mask)] = 1 - sum(values) / len(values)
    return apart
