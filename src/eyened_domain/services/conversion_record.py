"""What the conversion of annotations needs of a storage, and what it reports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from attrs import asdict, define, field, frozen

from eyened_domain.errors import EyenedError


class ConversionRecord(Protocol):
    """Which annotations were converted, and into which segmentations."""

    def converted(self, annotation_ids: Iterable[int]) -> dict[int, int | None]:
        """Return the segmentations of those that were converted, by annotation.

        Returns:
            SegmentationID by AnnotationID; None where the segmentation was deleted since.

        Raises:
            ConfigurationError: the storage keeps no such record yet.
        """

    def note(self, annotation_id: int, segmentation_id: int) -> None:
        """Note that an annotation was converted.

        Raises:
            Duplicate: it was converted already.
        """


@frozen(kw_only=True)
class ConversionFailure:
    """An annotation that was not converted, and why."""

    annotation_id: int
    annotation_type: str
    why: str
    field: str | None = None
    """The field that the error names, for example ``"dataset_identifier"``."""


@define
class ConversionTally:
    """How many annotations of one type there are, and what became of them."""

    total: int = 0
    converted: int = 0
    """Converted now; in a dry run, those that would be."""
    already: int = 0
    """Converted by an earlier run."""
    failed: int = 0


@define(kw_only=True)
class ConversionReport:
    """What a conversion did, or in a dry run would do.

    Attributes:
        applied: False for a dry run.
        types: how it went, by the name of the AnnotationType.
        segmentations: SegmentationID by AnnotationID, of those converted now.
        failures: those that were not converted, in the order of the run.
    """

    applied: bool
    types: dict[str, ConversionTally] = field(factory=dict)
    segmentations: dict[int, int] = field(factory=dict)
    failures: list[ConversionFailure] = field(factory=list)

    @property
    def total(self) -> ConversionTally:
        """How it went for all types together."""
        tallies = self.types.values()
        return ConversionTally(
            total=sum(one.total for one in tallies),
            converted=sum(one.converted for one in tallies),
            already=sum(one.already for one in tallies),
            failed=sum(one.failed for one in tallies),
        )

    def tally(self, annotation_type: str) -> ConversionTally:
        """Return the tally of a type, to be counted in."""
        return self.types.setdefault(annotation_type, ConversionTally())

    def fail(self, annotation_id: int, annotation_type: str, error: EyenedError) -> None:
        """Note an annotation that was not converted."""
        self.tally(annotation_type).failed += 1
        self.failures.append(
            ConversionFailure(
                annotation_id=annotation_id,
                annotation_type=annotation_type,
                why=str(error),
                field=error.field,
            )
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it in plain values, for JSON."""
        return {
            "applied": self.applied,
            "total": asdict(self.total),
            "types": {name: asdict(tally) for name, tally in self.types.items()},
            "segmentations": dict(self.segmentations),
            "failures": [asdict(failure) for failure in self.failures],
        }
