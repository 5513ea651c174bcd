"""Images: photographs and volumes."""

from __future__ import annotations

import operator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eyened_domain.errors import BadInput, NotFound, NotLoaded
from eyened_domain.model.database_names.image import ImageInstanceNames
from eyened_domain.model.entity import Entity, entity
from eyened_domain.model.enums import ETDRSField, Laterality, Modality, ModalityType
from eyened_domain.model.field_of_view import FieldOfView
from eyened_domain.model.fields import (
    Column,
    DateColumn,
    EnumColumn,
    Many,
    One,
    choice,
    column,
    foreign_key,
    key,
    many,
    one,
)
from eyened_domain.model.html_table import html_table
from eyened_domain.model.image_store import ImageStore
from eyened_domain.model.values import Blob, Flag, Integer, Json, Moment, Real, Text

if TYPE_CHECKING:
    import numpy.typing as npt

    from eyened_domain.model.acquisition import DeviceInstance, ModalityTable, Scan, SourceInfo
    from eyened_domain.model.annotation import Annotation
    from eyened_domain.model.attribute import AttributeValue
    from eyened_domain.model.form import FormAnnotation
    from eyened_domain.model.patient import Patient
    from eyened_domain.model.project import Project
    from eyened_domain.model.segmentation import ModelSegmentation, Segmentation
    from eyened_domain.model.study import Series, Study
    from eyened_domain.model.tag import ImageInstanceTagLink
    from eyened_domain.model.task import SubTaskImageLink


@entity(
    unique=(("sop_instance_uid",), ("dataset_identifier", "source_info_id")), repository="images"
)
class ImageInstance(ImageInstanceNames, Entity):
    """One photograph or volume: a file beneath IMAGES_BASEPATH and what is known of it.

    Axis 0 of a volume counts B-scans, axis 1 is depth into the retina, axis 2 lateral.
    Resolutions are millimetres per pixel.
    """

    image_instance_id: Column[int] = key("ImageInstanceID", default=None)
    series_id: Column[int] = foreign_key("SeriesID", "Series", default=None, on_delete="CASCADE")
    source_info_id: Column[int] = foreign_key("SourceInfoID", "SourceInfo", default=None)
    device_instance_id: Column[int] = foreign_key(
        "DeviceInstanceID", "DeviceInstance", default=None
    )
    modality_id: Column[int] = foreign_key("ModalityID", "ModalityTable", default=None)
    scan_id: Column[int | None] = foreign_key("ScanID", "Scan", default=None, nullable=True)
    modality: EnumColumn[Modality | None] = choice(
        "Modality", Modality, default=None, nullable=True
    )
    sop_instance_uid: Column[str | None] = column(
        "SOPInstanceUid", Text(64), default=None, nullable=True
    )
    sop_class_uid: Column[str | None] = column("SOPClassUid", Text(64), default=None, nullable=True)
    photometric_interpretation: Column[str | None] = column(
        "PhotometricInterpretation", Text(64), default=None, nullable=True
    )
    samples_per_pixel: Column[int | None] = column(
        "SamplesPerPixel", Integer(), default=None, nullable=True
    )
    rows_y: Column[int | None] = column("Rows_y", Integer(), default=None, nullable=True)
    columns_x: Column[int | None] = column("Columns_x", Integer(), default=None, nullable=True)
    nr_of_frames: Column[int | None] = column("NrOfFrames", Integer(), default=None, nullable=True)
    slice_thickness: Column[float | None] = column(
        "SliceThickness", Real(), default=None, nullable=True
    )
    resolution_axial: Column[float | None] = column(
        "ResolutionAxial", Real(), default=None, nullable=True
    )
    resolution_horizontal: Column[float | None] = column(
        "ResolutionHorizontal", Real(), default=None, nullable=True
    )
    resolution_vertical: Column[float | None] = column(
        "ResolutionVertical", Real(), default=None, nullable=True
    )
    horizontal_field_of_view: Column[float | None] = column(
        "HorizontalFieldOfView", Real(), default=None, nullable=True
    )
    laterality: EnumColumn[Laterality] = choice("Laterality", Laterality)
    dicom_modality: EnumColumn[ModalityType | None] = choice(
        "DICOMModality", ModalityType, default=None, nullable=True
    )
    anatomic_region: Column[int | None] = column(
        "AnatomicRegion", Integer(), default=None, nullable=True
    )
    etdrs_field: EnumColumn[ETDRSField | None] = choice(
        "ETDRSField", ETDRSField, default=None, nullable=True
    )
    angiography: Column[int | None] = column("Angiography", Integer(), default=None, nullable=True)
    acquisition_date_time: DateColumn[datetime | None] = column(
        "AcquisitionDateTime", Moment(), default=None, nullable=True
    )
    pupil_dilated: Column[bool | None] = column("PupilDilated", Flag(), default=None, nullable=True)
    dataset_identifier: Column[str] = column("DatasetIdentifier", Text(256))
    alt_dataset_identifier: Column[str | None] = column(
        "AltDatasetIdentifier", Text(256), default=None, nullable=True
    )
    thumbnail_path: Column[str | None] = column(
        "ThumbnailPath", Text(256), default=None, nullable=True, copied=False
    )
    old_path: Column[str | None] = column("OldPath", Text(256), default=None, nullable=True)
    fda_identifier: Column[int | None] = column(
        "FDAIdentifier", Integer(), default=None, nullable=True
    )
    inactive: Column[bool] = column("Inactive", Flag(), default=False)
    cf_roi: Column[Any] = column("CFROI", Json(), default=None, nullable=True)
    cf_keypoints: Column[Any] = column("CFKeypoints", Json(), default=None, nullable=True)
    cf_quality: Column[float | None] = column("CFQuality", Real(), default=None, nullable=True)
    file_checksum: Column[bytes | None] = column(
        "FileChecksum", Blob(255), default=None, nullable=True
    )
    data_hash: Column[bytes | None] = column("DataHash", Blob(255), default=None, nullable=True)
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)
    date_modified: DateColumn[datetime | None] = column(
        "DateModified", Moment(), default=None, nullable=True, set_on_update=True
    )
    date_preprocessed: DateColumn[datetime | None] = column(
        "DatePreprocessed", Moment(), default=None, nullable=True
    )

    series: One[Series] = one(
        "Series", "Series", via="series_id", back="image_instances", default=None
    )
    source_info: One[SourceInfo] = one(
        "SourceInfo", "SourceInfo", via="source_info_id", back="image_instances", default=None
    )
    device_instance: One[DeviceInstance] = one(
        "DeviceInstance",
        "DeviceInstance",
        via="device_instance_id",
        back="image_instances",
        default=None,
    )
    modality_entry: One[ModalityTable] = one(
        "_Modality", "ModalityTable", via="modality_id", back="image_instances", default=None
    )
    scan: One[Scan | None] = one(
        "Scan", "Scan", via="scan_id", back="image_instances", default=None
    )
    annotations: Many[Annotation] = many(
        "Annotations", "Annotation", back="image_instance", default=None
    )
    segmentations: Many[Segmentation] = many(
        "Segmentations", "Segmentation", back="image_instance", default=None
    )
    model_segmentations: Many[ModelSegmentation] = many(
        "ModelSegmentations", "ModelSegmentation", back="image_instance", default=None
    )
    form_annotations: Many[FormAnnotation] = many(
        "FormAnnotations", "FormAnnotation", back="image_instance", default=None
    )
    sub_task_image_links: Many[SubTaskImageLink] = many(
        "SubTaskImageLinks", "SubTaskImageLink", back="image_instance", default=None
    )
    image_instance_tag_links: Many[ImageInstanceTagLink] = many(
        "ImageInstanceTagLinks", "ImageInstanceTagLink", back="image_instance", default=None
    )
    attribute_values: Many[AttributeValue] = many(
        "AttributeValues", "AttributeValue", back="image_instance", default=None
    )

    def attach(self, store: ImageStore | None) -> None:
        """Tell the image where the files are; the unit of work that holds it does."""
        self.__dict__["_store"] = store

    @property
    def path(self) -> Path:
        """Path of the file beneath IMAGES_BASEPATH.

        Raises:
            NotLoaded: the image was never in a session or unit of work.
        """
        return self.files("path").path_of(self.dataset_identifier)

    @property
    def url(self) -> str:
        """Address on the image server: `<IMAGE_SERVER_URL>/<DatasetIdentifier>`.

        Raises:
            NotLoaded: the image was never in a session or unit of work.
        """
        return self.files("url").url_of(self.dataset_identifier)

    @property
    def pixel_array(self) -> npt.NDArray[Any]:
        """The pixels as they are stored; read anew each time that it is asked for.

        A picture is (rows, columns) or (rows, columns, samples): uint8, uint16, int32 or
        float32 as in the file, palettes and 1-bit masks as the uint8 that they show. A
        volume has its B-scans in front; ``.binary`` and the files of OCT devices have that
        axis with one frame as well. The latter give the grey values that the device shows.
        SHA-256 over its bytes is the DataHash. A photograph is not turned upright, unless
        rows_y and columns_x are those of the turned picture.

        Raises:
            FileMissing: there is no such file.
            BadInput: it is damaged, no image, of another size, or an OCT device's file of the
                other eye.
            ConfigurationError: a library or plug-in is missing; the message names it.
            NotLoaded: the image was never in a session or unit of work.
        """
        return self.files("pixel_array").pixels_of(self)

    def b_scan(self, index: int) -> npt.NDArray[Any]:
        """Read one B-scan of a volume, and of the file no more than it needs.

        Args:
            index: from 0, along axis 0 of the volume. Of a single picture 0 is the picture.

        Returns:
            (depth, lateral), or (rows, columns[, samples]).

        Raises:
            BadInput: there is no B-scan of that number, or the file is refused as by
                `pixel_array`.
        """
        frames = self.nr_of_frames or (None if self.nr_of_frames is None else 1)
        if index < 0 or (frames is not None and index >= frames):
            raise BadInput(
                f"ImageInstance.b_scan: {self._named} has no B-scan {index}; give a number "
                f"from 0 to {'the last' if frames is None else frames - 1}",
                entity="ImageInstance",
                field="b_scan",
                value=index,
            )
        return self.files("b_scan").b_scan_of(self, operator.index(index))

    def picture(self, max_size_px: int | None = None) -> Any:
        """Return a `PIL.Image.Image` for people: upright, 8 bits, grey, RGB or RGBA.

        A volume of fewer than 10 scans is shown by its middle one, of 10 or more en face:
        the mean over depth, in the proportions of the resolutions. Pixels of more than 8
        bits, and fractions, are stretched from their 0.1st to their 99.9th percentile.

        Args:
            max_size_px: the longest side that is wanted; the picture is only made smaller.

        Raises:
            BadInput: as `pixel_array`.
        """
        return self.files("picture").picture_of(self, max_size_px)

    def get_thumbnail_path(self, size: int = 144) -> Path:
        """Path of the thumbnail: ``<THUMBNAILS_PATH>/<ThumbnailPath>_<size>.jpg``.

        Args:
            size: its longest side in pixels, 144 or 540.

        Raises:
            NotFound: there is no thumbnail yet, or none could be made.
            BadInput: another size, or a ThumbnailPath that leads outside.
        """
        if not self.thumbnail_path:
            why = "has no thumbnail yet" if self.thumbnail_path is None else "could not be shown"
            option = "" if self.thumbnail_path is None else " --failed"
            raise NotFound(
                f"ImageInstance.thumbnail_path: {self._named} {why}; `eorm update-thumbnails"
                f"{option}` makes it",
                entity="ImageInstance",
                field="thumbnail_path",
                value=self.thumbnail_path,
            )
        return self.files("thumbnail_path").thumbnail_path_of(self.thumbnail_path, size)

    @property
    def field_of_view(self) -> FieldOfView | None:
        """The circle that a colour fundus image shows; None when none was looked for or found.

        Raises:
            BadInput: CFROI holds something that is no field of view.
        """
        return None if self.cf_roi is None else FieldOfView.from_json(self.cf_roi)

    @property
    def shape(self) -> tuple[int, int, int] | None:
        """(B-scans or 1, rows, columns) in pixels; None while rows or columns are not known."""
        return shape_of(self.nr_of_frames, self.rows_y, self.columns_x)

    @property
    def is_3d(self) -> bool:
        """Whether it is a volume of more than one frame."""
        return (self.nr_of_frames or 1) > 1

    @property
    def is_2d(self) -> bool:
        """Whether it is a single picture."""
        return not self.is_3d

    @property
    def study(self) -> Study:
        """The visit at which it was taken."""
        return self.series.study

    @property
    def patient(self) -> Patient:
        """Whose eye it shows."""
        return self.series.study.patient

    @property
    def project(self) -> Project:
        """The project that the patient belongs to."""
        return self.series.study.patient.project

    @property
    def _named(self) -> str:
        return f"image {self.image_instance_id} ({self.dataset_identifier!a})"

    def _repr_html_(self) -> str:
        store: ImageStore | None = self.__dict__.get("_store")
        return html_table(self) if store is None else store.html_of(self)

    def files(self, field: str) -> ImageStore:
        """Return what reaches the files of the image.

        Args:
            field: what is asked of it; an error names it.

        Raises:
            NotLoaded: the image was never in a session or unit of work.
        """
        store: ImageStore | None = self.__dict__.get("_store")
        if store is None:
            raise NotLoaded(
                "this ImageInstance has no files yet: add it to a session or unit of work, or "
                "load it through one",
                entity="ImageInstance",
                field=field,
            )
        return store


def shape_of(
    nr_of_frames: int | None, rows_y: int | None, columns_x: int | None
) -> tuple[int, int, int] | None:
    """Return what `ImageInstance.shape` is of an image with these columns."""
    if rows_y is None or columns_x is None:
        return None
    return (nr_of_frames or 1, rows_y, columns_x)
