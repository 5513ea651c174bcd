"""Where an image comes from and what took it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eyened_domain.model.database_names.acquisition import (
    DeviceInstanceNames,
    DeviceModelNames,
    ModalityTableNames,
    ScanNames,
    SourceInfoNames,
)
from eyened_domain.model.entity import Entity, entity
from eyened_domain.model.fields import Column, Many, One, column, foreign_key, key, many, one
from eyened_domain.model.values import Text

if TYPE_CHECKING:
    from eyened_domain.model.image import ImageInstance


@entity(unique=(("modality_tag",),), name="modality_tag", table="Modality", repository="modalities")
class ModalityTable(ModalityTableNames, Entity):
    """A row of the table `Modality`, which repeats the names of `Modality` as tags."""

    modality_id: Column[int] = key("ModalityID", default=None)
    modality_tag: Column[str] = column("ModalityTag", Text(40))

    image_instances: Many[ImageInstance] = many(
        "ImageInstances", "ImageInstance", back="modality_entry", default=None
    )


@entity(unique=(("scan_mode",),), name="scan_mode", repository="scans")
class Scan(ScanNames, Entity):
    """A scan mode of a device, for example a raster or a circle."""

    scan_id: Column[int] = key("ScanID", default=None)
    scan_mode: Column[str] = column("ScanMode", Text(40))

    image_instances: Many[ImageInstance] = many(
        "ImageInstances", "ImageInstance", back="scan", default=None
    )


@entity(
    unique=(("source_name",), ("source_path",), ("thumbnail_path",)),
    name="source_name",
    repository="sources",
)
class SourceInfo(SourceInfoNames, Entity):
    """Where images come from: an archive with its paths on disk."""

    source_info_id: Column[int] = key("SourceInfoID", default=None)
    source_name: Column[str] = column("SourceName", Text(64))
    source_path: Column[str] = column("SourcePath", Text(250))
    thumbnail_path: Column[str] = column("ThumbnailPath", Text(250))

    image_instances: Many[ImageInstance] = many(
        "ImageInstances", "ImageInstance", back="source_info", default=None
    )


@entity(
    unique=(("manufacturer", "manufacturer_model_name"),),
    name="manufacturer_model_name",
    repository="device_models",
)
class DeviceModel(DeviceModelNames, Entity):
    """A make of camera or scanner (DICOM (0008,0070) and (0008,1090))."""

    device_model_id: Column[int] = key("DeviceModelID", default=None)
    manufacturer: Column[str] = column("Manufacturer", Text(45))
    manufacturer_model_name: Column[str] = column("ManufacturerModelName", Text(45))

    device_instances: Many[DeviceInstance] = many(
        "DeviceInstances", "DeviceInstance", back="device_model", default=None
    )


@entity(unique=(("device_model_id", "description"),), name="description", repository="devices")
class DeviceInstance(DeviceInstanceNames, Entity):
    """One camera or scanner of a make, known by its description."""

    device_instance_id: Column[int] = key("DeviceInstanceID", default=None)
    device_model_id: Column[int] = foreign_key("DeviceModelID", "DeviceModel", default=None)
    serial_number: Column[str | None] = column("SerialNumber", Text(), default=None, nullable=True)
    description: Column[str] = column("Description", Text(256))

    device_model: One[DeviceModel] = one(
        "DeviceModel", "DeviceModel", via="device_model_id", back="device_instances", default=None
    )
    image_instances: Many[ImageInstance] = many(
        "ImageInstances", "ImageInstance", back="device_instance", default=None
    )
