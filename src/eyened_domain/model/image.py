"""Images: photographs and volumes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from eyened_domain.model.entity import Entity, entity
from eyened_domain.model.enums import ETDRSField, Laterality, Modality, ModalityType
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
from eyened_domain.model.files import HasFiles
from eyened_domain.model.values import Blob, Flag, Integer, Json, Moment, Real, Text

if TYPE_CHECKING:
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


class ImagePaths(Protocol):
    """Where images are: what an image asks when its path or URL is wanted."""

    def path_of(self, identifier: str) -> Path:
        """Return the path of the file of that DatasetIdentifier."""

    def url_of(self, identifier: str) -> str:
        """Return the address of that DatasetIdentifier on the image server."""


@entity(unique=(("sop_instance_uid",), ("dataset_identifier", "source_info_id")))
class ImageInstance(HasFiles, Entity):
    """One photograph or volume: a file beneath IMAGES_BASEPATH and what is known of it.

    Axis 0 of a volume counts B-scans, axis 1 is depth into the retina, axis 2 lateral.
    Resolutions are millimetres per pixel.
    """

    file_port: ClassVar[str] = "image_paths"

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
        "ThumbnailPath", Text(256), default=None, nullable=True
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
        "DateModified", Moment(), default=None, nullable=True
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

    @property
    def path(self) -> Path:
        """Path of the file beneath IMAGES_BASEPATH.

        Raises:
            NotLoaded: the image was never in a session or unit of work.
        """
        return self._paths("path").path_of(self.dataset_identifier)

    @property
    def url(self) -> str:
        """Address on the image server: `<IMAGE_SERVER_URL>/<DatasetIdentifier>`.

        Raises:
            NotLoaded: the image was never in a session or unit of work.
        """
        return self._paths("url").url_of(self.dataset_identifier)

    @property
    def shape(self) -> tuple[int, int, int] | None:
        """(B-scans or 1, rows, columns) in pixels; None while rows or columns are not known."""
        if self.rows_y is None or self.columns_x is None:
            return None
        return (self.nr_of_frames or 1, self.rows_y, self.columns_x)

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

    def _paths(self, field: str) -> ImagePaths:
        paths: ImagePaths = self._attached(field)
        return paths
