"""Legacy annotations, with their pixels in files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from eyened_domain.errors import NotFound, NotLoaded
from eyened_domain.model.database_names.annotation import (
    AnnotationDataNames,
    AnnotationNames,
    AnnotationTypeNames,
)
from eyened_domain.model.entity import Entity, entity
from eyened_domain.model.fields import (
    Column,
    DateColumn,
    Many,
    One,
    column,
    foreign_key,
    key,
    key_part,
    many,
    one,
)
from eyened_domain.model.lineage import check_lineage
from eyened_domain.model.pixels.annotation_masks import (
    ALL_SCANS,
    file_shapes,
    mask_of,
    placed_mask,
)
from eyened_domain.model.values import Blob, Flag, Integer, Moment, Real, Text, shown

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from eyened_domain.model.creator import Creator
    from eyened_domain.model.image import ImageInstance
    from eyened_domain.model.patient import Patient
    from eyened_domain.model.study import Series, Study


class AnnotationFiles(Protocol):
    """The files of legacy annotations: what an `AnnotationData` asks for its pixels."""

    def path_of(self, identifier: str) -> Path:
        """Return the path of the file of that DatasetIdentifier."""

    def read(
        self, identifier: str, *, media_type: str, shapes: Sequence[tuple[int, ...]]
    ) -> npt.NDArray[Any]:
        """Return the pixels of a file.

        Args:
            identifier: the DatasetIdentifier.
            media_type: ``image/png``, or ``application/octet-stream`` for raw uint8, gzip'd
                when the name ends in ``.gz``.
            shapes: the shapes that it may have; none when the size of the image is not known,
                which only a PNG can be read without.

        Returns:
            an array of one of these shapes; a PNG in colour has an axis more, of red, green
            and blue. Transparency is left out.

        Raises:
            FileMissing: there is no such file.
            BadInput: it lies outside, is damaged or of another size.
            StorageError: the file store failed.
        """


@entity(
    unique=(("annotation_type_name", "interpretation"),),
    name="annotation_type_name",
    repository="annotation_types",
)
class AnnotationType(AnnotationTypeNames, Entity):
    """How the pixels of a legacy annotation are to be read."""

    annotation_type_id: Column[int] = key("AnnotationTypeID", default=None)
    annotation_type_name: Column[str] = column("AnnotationTypeName", Text(45))
    interpretation: Column[str] = column("Interpretation", Text(45))

    annotations: Many[Annotation] = many(
        "Annotations", "Annotation", back="annotation_type", default=None
    )


@entity(repository="annotations")
class Annotation(AnnotationNames, Entity):
    """A legacy annotation, with its pixels in files; new work uses `Segmentation`."""

    annotation_id: Column[int] = key("AnnotationID", default=None)
    patient_id: Column[int] = foreign_key("PatientID", "Patient", default=None)
    study_id: Column[int | None] = foreign_key("StudyID", "Study", default=None, nullable=True)
    series_id: Column[int | None] = foreign_key("SeriesID", "Series", default=None, nullable=True)
    image_instance_id: Column[int | None] = foreign_key(
        "ImageInstanceID", "ImageInstance", default=None, nullable=True, on_delete="CASCADE"
    )
    creator_id: Column[int] = foreign_key("CreatorID", "Creator", default=None)
    feature_id: Column[int] = foreign_key("FeatureID", "Feature", default=None)
    annotation_type_id: Column[int] = foreign_key(
        "AnnotationTypeID", "AnnotationType", default=None
    )
    annotation_reference_id: Column[int | None] = foreign_key(
        "AnnotationReferenceID", "Annotation", default=None, nullable=True, on_delete="CASCADE"
    )
    inactive: Column[bool] = column("Inactive", Flag(), default=False)
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)

    patient: One[Patient] = one(
        "Patient", "Patient", via="patient_id", back="annotations", default=None
    )
    study: One[Study | None] = one(
        "Study", "Study", via="study_id", back="annotations", default=None
    )
    series: One[Series | None] = one(
        "Series", "Series", via="series_id", back="annotations", default=None
    )
    image_instance: One[ImageInstance | None] = one(
        "ImageInstance", "ImageInstance", via="image_instance_id", back="annotations", default=None
    )
    creator: One[Creator] = one(
        "Creator", "Creator", via="creator_id", back="annotations", default=None
    )
    annotation_type: One[AnnotationType] = one(
        "AnnotationType",
        "AnnotationType",
        via="annotation_type_id",
        back="annotations",
        default=None,
    )
    annotation_reference: One[Annotation | None] = one(
        "AnnotationReference",
        "Annotation",
        via="annotation_reference_id",
        back="child_annotations",
        default=None,
    )
    child_annotations: Many[Annotation] = many(
        "ChildAnnotations", "Annotation", back="annotation_reference", default=None
    )
    annotation_data: Many[AnnotationData] = many(
        "AnnotationData", "AnnotationData", back="annotation", default=None
    )

    rules_read: ClassVar[tuple[str, ...]] = ("study", "series.study", "image_instance.series.study")
    checked_when_linked = True

    def check_rules(self) -> None:
        """Raise `RuleBroken` when patient, study, series and image, as in view, do not agree."""
        check_lineage(self)

    def get_mask(
        self, scan_nr: int | None = None, *, questionable: bool = False
    ) -> npt.NDArray[np.bool_]:
        """Return where it is marked, from all its files or for one scan.

        Args:
            scan_nr: one B-scan, counted from 0; all when not given.
            questionable: return instead where the grader was in doubt.

        Returns:
            On a photograph, and for one scan, (rows, columns). On a volume (B-scans, rows,
            columns), False in scans without a file; a map of the volume seen from the front
            is (B-scans, 1, columns).

        Raises:
            NotFound: it has no file for that scan.
            FileMissing: a file is not there.
            BadInput: a file is damaged, of another size, or could be meant in two
                ways; the message says which.
            NotLoaded: it was never in a session or unit of work.
        """
        if scan_nr == ALL_SCANS:
            scan_nr = None
        file = self._only_file(scan_nr)
        if file is not None:
            return file.get_mask(questionable=questionable)
        placed = placed_mask(self)
        mask = placed.mask(questionable=questionable)
        if scan_nr is None:
            return mask
        scans = placed.scan_indices or range(len(mask))
        if scan_nr not in scans:
            raise NotFound(
                f"Annotation {self.annotation_id} has no file for scan {scan_nr}; it has "
                f"{shown(list(scans))}",
                entity="AnnotationData",
                field="scan_nr",
                value=scan_nr,
            )
        one: npt.NDArray[np.bool_] = mask[scan_nr]
        return one

    def _only_file(self, scan_nr: int | None) -> AnnotationData | None:
        """Return the file that is the answer by itself, if there is one."""
        files = self.annotation_data
        image = self.image_instance
        if image is None or image.is_2d:
            is_it = len(files) == 1 and scan_nr in {None, 0, files[0].scan_nr}
            return files[0] if is_it else None
        return next((file for file in files if file.scan_nr == scan_nr), None)


@entity(unique=(("dataset_identifier",),), repository="annotation_data")
class AnnotationData(AnnotationDataNames, Entity):
    """The file of one scan of a legacy annotation; scan -1 stands for all scans."""

    annotation_id: Column[int] = foreign_key(
        "AnnotationID", "Annotation", default=None, primary_key=True, on_delete="CASCADE"
    )
    scan_nr: Column[int] = key_part("ScanNr", Integer())
    value_int: Column[int | None] = column("ValueInt", Integer(), default=None, nullable=True)
    value_float: Column[float | None] = column("ValueFloat", Real(), default=None, nullable=True)
    value_blob: Column[bytes | None] = column(
        "ValueBlob", Blob(2**32 - 1), default=None, nullable=True
    )
    dataset_identifier: Column[str] = column("DatasetIdentifier", Text(45))
    date_modified: DateColumn[datetime | None] = column(
        "DateModified", Moment(), default=None, nullable=True, set_on_update=True
    )
    media_type: Column[str] = column("MediaType", Text(45))

    annotation: One[Annotation] = one(
        "Annotation", "Annotation", via="annotation_id", back="annotation_data", default=None
    )

    def attach(self, files: AnnotationFiles | None) -> None:
        """Tell it where the files are; the unit of work that holds it does."""
        self.__dict__["_files"] = files

    @property
    def path(self) -> Path:
        """Path of the file beneath ANNOTATIONS_PATH.

        Raises:
            NotLoaded: it was never in a session or unit of work.
            BadInput: its identifier leads out of ANNOTATIONS_PATH.
        """
        return self._attached("path").path_of(self.dataset_identifier)

    def load_data(self) -> npt.NDArray[Any]:
        """Return the pixels of the file.

        A PNG and a raw file have the size of the annotation's image. A file for all scans of
        a volume may hold one mask for all, each scan's own, or the volume seen from the
        front; which one follows from its size (see `annotation_pixels.file_shapes`).

        Returns:
            (rows, columns), (B-scans, rows, columns) or (B-scans, columns); a PNG in colour has
            an axis more, of red, green and blue. Raw files hold uint8.

        Raises:
            FileMissing: the file is not there.
            BadInput: the file is damaged, of another size or outside
                ANNOTATIONS_PATH; the message says what to do.
            StorageError: the file store failed.
            NotLoaded: it was never in a session or unit of work.
        """
        files = self._attached("dataset_identifier")
        image = self.annotation.image_instance
        shape = image.shape if image is not None else None
        return files.read(
            self.dataset_identifier,
            media_type=self.media_type,
            shapes=() if shape is None else file_shapes(shape, self.scan_nr),
        )

    def get_mask(self, *, questionable: bool = False) -> npt.NDArray[np.bool_]:
        """Return where the file is marked.

        In an R/G mask red above 0 is the mask, and green above 0 is questionable; in a binary
        mask any value above 0 is the mask, and nothing is questionable.

        Args:
            questionable: return instead where the grader was in doubt.

        Returns:
            booleans of the shape of `load_data`, without the axis of colours.

        Raises:
            BadInput: as `load_data`; or the interpretation of the AnnotationType says of no
                pixel what it means.
        """
        return mask_of(self, self.load_data(), questionable=questionable)

    def _attached(self, field: str) -> AnnotationFiles:
        files: AnnotationFiles | None = self.__dict__.get("_files")
        if files is None:
            raise NotLoaded(
                "this AnnotationData has no files yet: add it to a session or unit of work, or "
                "load it through one",
                entity="AnnotationData",
                field=field,
            )
        return files
