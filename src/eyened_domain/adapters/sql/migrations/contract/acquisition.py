"""Studies, series, devices and images."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
)

from eyened_domain.adapters.sql.migrations.contract.words import (
    NOW,
    TEXT,
    TINY_BLOB,
    choice,
    contract,
    varchar,
)

Table(
    "Study",
    contract,
    Column("StudyID", Integer, primary_key=True),
    Column(
        "PatientID", Integer, ForeignKey("Patient.PatientID", ondelete="CASCADE"), nullable=False
    ),
    Column("StudyRound", Integer, nullable=True),
    Column("StudyDescription", varchar(64), nullable=True),
    Column("StudyDate", Date, nullable=False),
    Column("DateInserted", DateTime, nullable=False, server_default=NOW),
    Index("PatientIDStudyDate_UNIQUE", "StudyDate", "PatientID", unique=True),
    Index("StudyDate_idx", "StudyDate"),
    Index("StudyRound", "StudyRound"),
    Index("fk_Study_Patient1_idx", "PatientID"),
)

Table(
    "Series",
    contract,
    Column("SeriesID", Integer, primary_key=True),
    Column("StudyID", Integer, ForeignKey("Study.StudyID", ondelete="CASCADE"), nullable=False),
    Column("SeriesNumber", Integer, nullable=True),
    Column("SeriesInstanceUid", varchar(64), nullable=True),
    Column("StudyInstanceUid", varchar(64), nullable=True),
    UniqueConstraint("SeriesInstanceUid"),
    Index(
        "StudyInstanceUidSeriesInstanceUid_UNIQUE",
        "StudyInstanceUid",
        "SeriesInstanceUid",
        unique=True,
    ),
    Index("fk_Series_Study1_idx", "StudyID"),
)

Table(
    "Modality",
    contract,
    Column("ModalityID", Integer, primary_key=True),
    Column("ModalityTag", varchar(40), nullable=False),
    UniqueConstraint("ModalityTag"),
)

Table(
    "Scan",
    contract,
    Column("ScanID", Integer, primary_key=True),
    Column("ScanMode", varchar(40), nullable=False),
    UniqueConstraint("ScanMode"),
)

Table(
    "SourceInfo",
    contract,
    Column("SourceInfoID", Integer, primary_key=True),
    Column("SourceName", varchar(64), nullable=False),
    Column("SourcePath", varchar(250), nullable=False),
    Column("ThumbnailPath", varchar(250), nullable=False),
    UniqueConstraint("ThumbnailPath"),
    UniqueConstraint("SourceName"),
    UniqueConstraint("SourcePath"),
)

Table(
    "DeviceModel",
    contract,
    Column("DeviceModelID", Integer, primary_key=True),
    Column("Manufacturer", varchar(45), nullable=False),
    Column("ManufacturerModelName", varchar(45), nullable=False),
    Index(
        "ManufacturerManufacturerModelName_UNIQUE",
        "Manufacturer",
        "ManufacturerModelName",
        unique=True,
    ),
)

Table(
    "DeviceInstance",
    contract,
    Column("DeviceInstanceID", Integer, primary_key=True),
    Column("DeviceModelID", Integer, ForeignKey("DeviceModel.DeviceModelID"), nullable=False),
    Column("SerialNumber", TEXT, nullable=True),
    Column("Description", varchar(256), nullable=False),
    Index("DeviceModelIDDescription_UNIQUE", "DeviceModelID", "Description", unique=True),
)

Table(
    "ImageInstance",
    contract,
    Column("ImageInstanceID", Integer, primary_key=True),
    Column("SeriesID", Integer, ForeignKey("Series.SeriesID", ondelete="CASCADE"), nullable=False),
    Column("SourceInfoID", Integer, ForeignKey("SourceInfo.SourceInfoID"), nullable=False),
    Column(
        "DeviceInstanceID", Integer, ForeignKey("DeviceInstance.DeviceInstanceID"), nullable=False
    ),
    Column("ModalityID", Integer, ForeignKey("Modality.ModalityID"), nullable=False),
    Column("ScanID", Integer, ForeignKey("Scan.ScanID"), nullable=True),
    Column(
        "Modality",
        choice(
            "AdaptiveOptics",
            "ColorFundus",
            "ColorFundusStereo",
            "RedFreeFundus",
            "ExternalEye",
            "LensPhotograph",
            "Ophthalmoscope",
            "Autofluorescence",
            "FluoresceinAngiography",
            "ICGA",
            "InfraredReflectance",
            "BlueReflectance",
            "GreenReflectance",
            "OCT",
            "OCTA",
        ),
        nullable=True,
    ),
    Column("SOPInstanceUid", varchar(64), nullable=True),
    Column("SOPClassUid", varchar(64), nullable=True),
    Column("PhotometricInterpretation", varchar(64), nullable=True),
    Column("SamplesPerPixel", Integer, nullable=True),
    Column("Rows_y", Integer, nullable=True),
    Column("Columns_x", Integer, nullable=True),
    Column("NrOfFrames", Integer, nullable=True),
    Column("SliceThickness", Float, nullable=True),
    Column("ResolutionAxial", Float, nullable=True),
    Column("ResolutionHorizontal", Float, nullable=True),
    Column("ResolutionVertical", Float, nullable=True),
    Column("HorizontalFieldOfView", Float, nullable=True),
    Column("Laterality", choice("L", "R"), nullable=False),
    Column("DICOMModality", choice("OP", "OPT", "SC"), nullable=True),
    Column("AnatomicRegion", Integer, nullable=True),
    Column("ETDRSField", choice("F1", "F2", "F3", "F4", "F5", "F6", "F7"), nullable=True),
    Column("Angiography", Integer, nullable=True),
    Column("AcquisitionDateTime", DateTime, nullable=True),
    Column("PupilDilated", Boolean, nullable=True),
    Column("DatasetIdentifier", varchar(256), nullable=False),
    Column("AltDatasetIdentifier", varchar(256), nullable=True),
    Column("ThumbnailPath", varchar(256), nullable=True),
    Column("OldPath", varchar(256), nullable=True),
    Column("FDAIdentifier", Integer, nullable=True),
    Column("Inactive", Boolean, nullable=False),
    Column("CFROI", JSON, nullable=True),
    Column("CFKeypoints", JSON, nullable=True),
    Column("CFQuality", Float, nullable=True),
    Column("FileChecksum", TINY_BLOB, nullable=True),
    Column("DataHash", TINY_BLOB, nullable=True),
    Column("DateInserted", DateTime, nullable=False, server_default=NOW),
    Column("DateModified", DateTime, nullable=True),
    Column("DatePreprocessed", DateTime, nullable=True),
    Index("SOPInstanceUid_UNIQUE", "SOPInstanceUid", unique=True),
    Index("SourceInfoIDDatasetIdentifier_UNIQUE", "DatasetIdentifier", "SourceInfoID", unique=True),
    Index("fk_ImageInstance_DeviceInstance1_idx", "DeviceInstanceID"),
    Index("fk_ImageInstance_Modality1_idx", "ModalityID"),
    Index("fk_ImageInstance_Scan1_idx", "ScanID"),
    Index("fk_ImageInstance_Series1_idx", "SeriesID"),
    Index("fk_ImageInstance_SourceInfo1_idx", "SourceInfoID"),
)
