"""Tables of `eyened_domain.model.acquisition`."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from eyened_domain.adapters.sql.tables.metadata import metadata
from eyened_domain.adapters.sql.tables.types import varchar

modality_table = Table(
    "Modality",
    metadata,
    Column("ModalityID", Integer, key="modality_id", primary_key=True),
    Column("ModalityTag", varchar(40), key="modality_tag", nullable=False),
    UniqueConstraint("modality_tag"),
)

scan = Table(
    "Scan",
    metadata,
    Column("ScanID", Integer, key="scan_id", primary_key=True),
    Column("ScanMode", varchar(40), key="scan_mode", nullable=False),
    UniqueConstraint("scan_mode"),
)

source_info = Table(
    "SourceInfo",
    metadata,
    Column("SourceInfoID", Integer, key="source_info_id", primary_key=True),
    Column("SourceName", varchar(64), key="source_name", nullable=False),
    Column("SourcePath", varchar(250), key="source_path", nullable=False),
    Column("ThumbnailPath", varchar(250), key="thumbnail_path", nullable=False),
    UniqueConstraint("source_name"),
    UniqueConstraint("source_path"),
    UniqueConstraint("thumbnail_path"),
)

device_model = Table(
    "DeviceModel",
    metadata,
    Column("DeviceModelID", Integer, key="device_model_id", primary_key=True),
    Column("Manufacturer", varchar(45), key="manufacturer", nullable=False),
    Column("ManufacturerModelName", varchar(45), key="manufacturer_model_name", nullable=False),
    Index(
        "ManufacturerManufacturerModelName_UNIQUE",
        "manufacturer",
        "manufacturer_model_name",
        unique=True,
    ),
)

device_instance = Table(
    "DeviceInstance",
    metadata,
    Column("DeviceInstanceID", Integer, key="device_instance_id", primary_key=True),
    Column(
        "DeviceModelID",
        Integer,
        ForeignKey("DeviceModel.device_model_id"),
        key="device_model_id",
        nullable=False,
    ),
    Column("SerialNumber", Text, key="serial_number", nullable=True),
    Column("Description", varchar(256), key="description", nullable=False),
    Index("DeviceModelIDDescription_UNIQUE", "device_model_id", "description", unique=True),
)
