"""Tables of `eyened_domain.model.image`."""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, Table, text

from eyened_domain.adapters.sql.clock import moment_of_update
from eyened_domain.adapters.sql.tables.metadata import metadata
from eyened_domain.adapters.sql.tables.types import Json, Moment, TinyBlob, names_of, varchar
from eyened_domain.model.enums import ETDRSField, Laterality, Modality, ModalityType

image_instance = Table(
    "ImageInstance",
    metadata,
    Column("ImageInstanceID", Integer, key="image_instance_id", primary_key=True),
    Column(
        "SeriesID",
        Integer,
        ForeignKey("Series.series_id", ondelete="CASCADE"),
        key="series_id",
        nullable=False,
    ),
    Column(
        "SourceInfoID",
        Integer,
        ForeignKey("SourceInfo.source_info_id"),
        key="source_info_id",
        nullable=False,
    ),
    Column(
        "DeviceInstanceID",
        Integer,
        ForeignKey("DeviceInstance.device_instance_id"),
        key="device_instance_id",
        nullable=False,
    ),
    Column(
        "ModalityID",
        Integer,
        ForeignKey("Modality.modality_id"),
        key="modality_id",
        nullable=False,
    ),
    Column("ScanID", Integer, ForeignKey("Scan.scan_id"), key="scan_id", nullable=True),
    Column("Modality", names_of(Modality), key="modality", nullable=True),
    Column("SOPInstanceUid", varchar(64), key="sop_instance_uid", nullable=True),
    Column("SOPClassUid", varchar(64), key="sop_class_uid", nullable=True),
    Column(
        "PhotometricInterpretation",
        varchar(64),
        key="photometric_interpretation",
        nullable=True,
    ),
    Column("SamplesPerPixel", Integer, key="samples_per_pixel", nullable=True),
    Column("Rows_y", Integer, key="rows_y", nullable=True),
    Column("Columns_x", Integer, key="columns_x", nullable=True),
    Column("NrOfFrames", Integer, key="nr_of_frames", nullable=True),
    Column("SliceThickness", Float, key="slice_thickness", nullable=True),
    Column("ResolutionAxial", Float, key="resolution_axial", nullable=True),
    Column("ResolutionHorizontal", Float, key="resolution_horizontal", nullable=True),
    Column("ResolutionVertical", Float, key="resolution_vertical", nullable=True),
    Column("HorizontalFieldOfView", Float, key="horizontal_field_of_view", nullable=True),
    Column("Laterality", names_of(Laterality), key="laterality", nullable=False),
    Column("DICOMModality", names_of(ModalityType), key="dicom_modality", nullable=True),
    Column("AnatomicRegion", Integer, key="anatomic_region", nullable=True),
    Column("ETDRSField", names_of(ETDRSField), key="etdrs_field", nullable=True),
    Column("Angiography", Integer, key="angiography", nullable=True),
    Column("AcquisitionDateTime", Moment, key="acquisition_date_time", nullable=True),
    Column("PupilDilated", Boolean, key="pupil_dilated", nullable=True),
    Column("DatasetIdentifier", varchar(256), key="dataset_identifier", nullable=False),
    Column("AltDatasetIdentifier", varchar(256), key="alt_dataset_identifier", nullable=True),
    Column("ThumbnailPath", varchar(256), key="thumbnail_path", nullable=True),
    Column("OldPath", varchar(256), key="old_path", nullable=True),
    Column("FDAIdentifier", Integer, key="fda_identifier", nullable=True),
    Column("Inactive", Boolean, key="inactive", nullable=False),
    Column("CFROI", Json, key="cf_roi", nullable=True),
    Column("CFKeypoints", Json, key="cf_keypoints", nullable=True),
    Column("CFQuality", Float, key="cf_quality", nullable=True),
    Column("FileChecksum", TinyBlob, key="file_checksum", nullable=True),
    Column("DataHash", TinyBlob, key="data_hash", nullable=True),
    Column(
        "DateInserted",
        Moment,
        key="date_inserted",
        nullable=False,
        server_default=text("CURRENT_TIMESTAMP"),
    ),
    Column(
        "DateModified",
        Moment,
        key="date_modified",
        nullable=True,
        onupdate=moment_of_update,
    ),
    Column("DatePreprocessed", Moment, key="date_preprocessed", nullable=True),
    Index("SOPInstanceUid_UNIQUE", "sop_instance_uid", unique=True),
    Index(
        "SourceInfoIDDatasetIdentifier_UNIQUE", "dataset_identifier", "source_info_id", unique=True
    ),
    Index("fk_ImageInstance_DeviceInstance1_idx", "device_instance_id"),
    Index("fk_ImageInstance_Modality1_idx", "modality_id"),
    Index("fk_ImageInstance_Scan1_idx", "scan_id"),
    Index("fk_ImageInstance_Series1_idx", "series_id"),
    Index("fk_ImageInstance_SourceInfo1_idx", "source_info_id"),
)
