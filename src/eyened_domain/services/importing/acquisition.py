"""Finds or makes what the contract demands of each image: source, device, modality entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from eyened_domain.model.acquisition import (
    DeviceInstance,
    DeviceModel,
    ModalityTable,
    Scan,
    SourceInfo,
)
from eyened_domain.model.entity import Entity
from eyened_domain.model.names import fold
from eyened_domain.services.importing.entries import Columns, Origin
from eyened_domain.services.importing.options import ImportDefaults
from eyened_domain.services.row_shapes import Row
from eyened_domain.services.rows import Rows

UNKNOWN = "unknown"
"""What a device or modality is called when neither record nor file says."""
_PATH_LENGTH = 250


class Acquisition:
    """Finds or makes the rows that images refer to; each is looked up once in a transaction.

    Args:
        rows: the storage's set-based reading and writing.
        defaults: what the configuration says.
        source: the name of the source of images that name none.
        sources: the ids of sources by folded name, as far as they are known.
    """

    def __init__(
        self, rows: Rows, defaults: ImportDefaults, source: str, sources: dict[str, int]
    ) -> None:
        self._rows = rows
        self._defaults = defaults
        self._source = source
        self._by_name: dict[type[Entity], dict[str, int]] = {SourceInfo: sources}
        self._by_device: dict[_Device, int] = {}
        self._made: dict[str, list[int]] = {}

    def take_made(self) -> dict[str, list[int]]:
        """Return the ids of the rows that were made since the last call, by entity."""
        made, self._made = self._made, {}
        return made

    def find_or_make(self, images: Sequence[tuple[Origin, Columns]]) -> list[Row]:
        """Return the foreign keys of images, given where they come from and their columns."""
        wanted = [_wanted(origin, columns) for origin, columns in images]
        distinct = set(wanted)
        sources = self._named(SourceInfo, "source_name", {one.source for one in distinct})
        devices = self._devices({one.device for one in distinct})
        modalities = self._named(ModalityTable, "modality_tag", {one.modality for one in distinct})
        scans = self._named(Scan, "scan_mode", {one.scan for one in distinct if one.scan})
        keys: dict[_Wanted, Row] = {
            one: {
                "source_info_id": sources[fold(one.source)],
                "device_instance_id": devices[one.device],
                "modality_id": modalities[fold(one.modality)],
                "scan_id": scans[fold(one.scan)] if one.scan else None,
            }
            for one in distinct
        }
        return [keys[one] for one in wanted]

    def _source_row(self, name: str) -> Row:
        """Return a source; its paths are those of the configuration.

        Those of another than the usual source are made unique by its name.
        """
        images, thumbnails = self._defaults.images_basepath, self._defaults.thumbnails_path
        row: Row = {"source_name": name}
        for column, path in (("source_path", images), ("thumbnail_path", thumbnails)):
            plain = str(path)[-_PATH_LENGTH:]
            taken = fold(name) != fold(self._source) or self._rows.find(
                SourceInfo, column, [plain], (column,)
            )
            row[column] = f"{plain}#{name}"[-_PATH_LENGTH:] if taken else plain
        return row

    def _devices(self, named: set[_Device]) -> dict[_Device, int]:
        by_device = self._by_device
        wanted = named - by_device.keys()
        models = self._device_models({(one.manufacturer, one.model) for one in wanted})
        columns = ("device_model_id", "description", "device_instance_id")
        found = {
            (model_id, fold(description)): identity
            for model_id, description, identity in self._rows.find(
                DeviceInstance, "device_model_id", set(models.values()), columns
            )
        }
        for device in sorted(wanted, key=str):
            model_id = models[fold(device.manufacturer), fold(device.model)]
            key = (model_id, fold(device.description))
            if key not in found:
                row = {
                    "device_model_id": model_id,
                    "description": device.description,
                    "serial_number": device.serial,
                }
                found[key] = self._insert(DeviceInstance, row, ("device_model_id", "description"))
            by_device[device] = found[key]
        return by_device

    def _device_models(self, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
        columns = ("manufacturer", "manufacturer_model_name", "device_model_id")
        found = {
            (fold(manufacturer), fold(name)): identity
            for manufacturer, name, identity in self._rows.find(
                DeviceModel, "manufacturer", {manufacturer for manufacturer, _ in wanted}, columns
            )
        }
        for manufacturer, name in sorted(wanted):
            key = (fold(manufacturer), fold(name))
            if key not in found:
                row = {"manufacturer": manufacturer, "manufacturer_model_name": name}
                names = ("manufacturer", "manufacturer_model_name")
                found[key] = self._insert(DeviceModel, row, names)
        return found

    def _named(self, entity: type[Entity], column: str, names: set[str]) -> dict[str, int]:
        (key,) = entity.__entity__.primary_key
        found = self._by_name.setdefault(entity, {})
        unknown = {name for name in names if fold(name) not in found}
        for name, identity in self._rows.find(entity, column, unknown, (column, key)):
            found[fold(name)] = identity
        for name in sorted(unknown):
            if fold(name) not in found:
                row = self._source_row(name) if entity is SourceInfo else {column: name}
                found[fold(name)] = self._insert(entity, row, (column,))
        return found

    def _insert(self, entity: type[Entity], row: Row, key: tuple[str, ...]) -> int:
        (identity,) = self._rows.insert(entity, [row], key=key)
        self._made.setdefault(entity.__name__, []).append(identity)
        return identity


class _Device(NamedTuple):
    """What devices are told apart by, and the serial number of a new one."""

    manufacturer: str
    model: str
    description: str
    serial: str | None


class _Wanted(NamedTuple):
    """What an image refers to."""

    source: str
    device: _Device
    modality: str
    scan: str | None


def _wanted(origin: Origin, columns: Columns) -> _Wanted:
    modality = columns.get("modality")
    device = _Device(
        origin.manufacturer or UNKNOWN,
        origin.manufacturer_model_name or UNKNOWN,
        origin.device_description or origin.serial_number or UNKNOWN,
        origin.serial_number,
    )
    return _Wanted(
        origin.source_name or "",
        device,
        UNKNOWN if modality is None else str(modality.name),
        origin.scan_mode,
    )
