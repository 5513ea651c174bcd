"""The fields of `model.acquisition` under their second names, for type checkers.

Written by `python -m tests.architecture.database_names`, from the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eyened_domain import model
    from eyened_domain.model.fields import Column, Many, One


class ModalityTableNames:
    """The fields of `ModalityTable` under their second names."""

    ModalityID: Column[int]
    ModalityTag: Column[str]
    ImageInstances: Many[model.ImageInstance]
    images: Many[model.ImageInstance]
    Images: Many[model.ImageInstance]


class ScanNames:
    """The fields of `Scan` under their second names."""

    ScanID: Column[int]
    ScanMode: Column[str]
    ImageInstances: Many[model.ImageInstance]
    images: Many[model.ImageInstance]
    Images: Many[model.ImageInstance]


class SourceInfoNames:
    """The fields of `SourceInfo` under their second names."""

    SourceInfoID: Column[int]
    SourceName: Column[str]
    SourcePath: Column[str]
    ThumbnailPath: Column[str]
    ImageInstances: Many[model.ImageInstance]
    images: Many[model.ImageInstance]
    Images: Many[model.ImageInstance]


class DeviceModelNames:
    """The fields of `DeviceModel` under their second names."""

    DeviceModelID: Column[int]
    Manufacturer: Column[str]
    ManufacturerModelName: Column[str]
    DeviceInstances: Many[model.DeviceInstance]


class DeviceInstanceNames:
    """The fields of `DeviceInstance` under their second names."""

    DeviceInstanceID: Column[int]
    DeviceModelID: Column[int]
    SerialNumber: Column[str | None]
    Description: Column[str]
    DeviceModel: One[model.DeviceModel]
    ImageInstances: Many[model.ImageInstance]
    images: Many[model.ImageInstance]
    Images: Many[model.ImageInstance]
