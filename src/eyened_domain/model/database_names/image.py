"""The fields of `model.image` under their second names, for type checkers.

Written by `python -m tests.architecture.database_names`, from the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from eyened_domain import model
    from eyened_domain.model.fields import Column, DateColumn, EnumColumn, Many, One


class ImageInstanceNames:
    """The fields of `ImageInstance` under their second names."""

    ImageInstanceID: Column[int]
    SeriesID: Column[int]
    SourceInfoID: Column[int]
    DeviceInstanceID: Column[int]
    ModalityID: Column[int]
    ScanID: Column[int | None]
    Modality: EnumColumn[model.Modality | None]
    SOPInstanceUid: Column[str | None]
    SOPClassUid: Column[str | None]
    PhotometricInterpretation: Column[str | None]
    SamplesPerPixel: Column[int | None]
    Rows_y: Column[int | None]
    Columns_x: Column[int | None]
    NrOfFrames: Column[int | None]
    SliceThickness: Column[float | None]
    ResolutionAxial: Column[float | None]
    ResolutionHorizontal: Column[float | None]
    ResolutionVertical: Column[float | None]
    HorizontalFieldOfView: Column[float | None]
    Laterality: EnumColumn[model.Laterality]
    DICOMModality: EnumColumn[model.ModalityType | None]
    AnatomicRegion: Column[int | None]
    ETDRSField: EnumColumn[model.ETDRSField | None]
    Angiography: Column[int | None]
    AcquisitionDateTime: DateColumn[datetime | None]
    PupilDilated: Column[bool | None]
    DatasetIdentifier: Column[str]
    AltDatasetIdentifier: Column[str | None]
    ThumbnailPath: Column[str | None]
    OldPath: Column[str | None]
    FDAIdentifier: Column[int | None]
    Inactive: Column[bool]
    CFROI: Column[Any]
    CFKeypoints: Column[Any]
    CFQuality: Column[float | None]
    FileChecksum: Column[bytes | None]
    DataHash: Column[bytes | None]
    DateInserted: DateColumn[datetime]
    DateModified: DateColumn[datetime | None]
    DatePreprocessed: DateColumn[datetime | None]
    Series: One[model.Series]
    SourceInfo: One[model.SourceInfo]
    DeviceInstance: One[model.DeviceInstance]
    _Modality: One[model.ModalityTable]
    Scan: One[model.Scan | None]
    Annotations: Many[model.Annotation]
    Segmentations: Many[model.Segmentation]
    ModelSegmentations: Many[model.ModelSegmentation]
    FormAnnotations: Many[model.FormAnnotation]
    SubTaskImageLinks: Many[model.SubTaskImageLink]
    ImageInstanceTagLinks: Many[model.ImageInstanceTagLink]
    AttributeValues: Many[model.AttributeValue]
