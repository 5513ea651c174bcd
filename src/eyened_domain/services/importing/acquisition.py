"""Finds or makes what the contract demands of each image: source, device, modality entry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from eyened_domain.model.acquisition import (
    DeviceInstance,
    DeviceModel,
    ModalityTable,
    Scan,
    SourceInfo,
)
from eyened_domain.model.entity import Entity
from eyened_domain.services.importing.options import ImportDefaults
from eyened_domain.services.importing.plan import fold
from eyened_domain.services.importing.ports import Row, Rows
from eyened_domain.services.importing.records import ImageEntry, Origin

UNKNOWN = "unknown"
"""What a device or modality is called when neither record nor file says."""


class Acquisition:
    """Finds or makes the rows that images of one portion refer to.

    Args:
        rows: the storage's set-based reading and writing.
        source: id (None while there is none) and name of the default source.
        defaults: what the configuration says.
    """

    def __init__(
        self, rows: Rows, source: tuple[int | None, str], defaults: ImportDefaults
    ) -> None:
        self._rows = rows
        self._source = source
        self._defaults = defaults
        self.made: dict[str, list[int]] = {}
        """The ids of the rows that were made, by entity."""

    def find_or_make(self, images: list[ImageEntry]) -> dict[int, Row]:
        """Return the foreign keys of each image entry (by its `id`)."""
        sources = self._sources({image.origin.source_name or "" for image in images})
        devices = self._devices({_device(image.origin) for image in images})
        modalities = self._named(
            ModalityTable, "modality_tag", {_modality(image.columns) for image in images}
        )
        scans = self._named(
            Scan, "scan_mode", {i.origin.scan_mode for i in images if i.origin.scan_mode}
        )
        return {
            id(image): {
                "source_info_id": image.columns.get("source_info_id")
                or sources[fold(image.origin.source_name or "")],
                "device_instance_id": image.columns.get("device_instance_id")
                or devices[_device(image.origin)],
                "modality_id": modalities[fold(_modality(image.columns))],
                "scan_id": image.columns.get("scan_id")
                or scans.get(fold(image.origin.scan_mode or "")),
            }
            for image in images
        }

    def _sources(self, names: set[str]) -> dict[str, int]:
        wanted = {name or self._source[1] for name in names}
        found = self._found(SourceInfo, "source_name", wanted)
        for name in sorted(wanted):
            if fold(name) not in found:
                found[fold(name)] = self._make_source(name)
        if self._source[0] is not None:
            found.setdefault(fold(self._source[1]), self._source[0])
        found[""] = found.get(fold(self._source[1]), 0)
        return found

    def _make_source(self, name: str) -> int:
        """Make a source; its paths are those of the configuration, made unique by its name."""
        images, thumbnails = self._defaults.images_basepath, self._defaults.thumbnails_path
        row: Row = {"source_name": name}
        for column, path in (("source_path", images), ("thumbnail_path", thumbnails)):
            plain = str(path)[-250:]
            taken = self._rows.find(SourceInfo, column, [plain], (column,))
            row[column] = f"{plain}#{name}"[-250:] if taken else plain
        return self._insert(SourceInfo, [row], ("source_name",))[0]

    def _devices(
        self, wanted: set[tuple[str, str, str, str | None]]
    ) -> dict[tuple[str, str, str, str | None], int]:
        models = self._device_models({(manufacturer, name) for manufacturer, name, _, _ in wanted})
        columns = ("device_model_id", "description", "device_instance_id")
        found = {
            (model_id, fold(description)): identity
            for model_id, description, identity in self._rows.find(
                DeviceInstance, "device_model_id", set(models.values()), columns
            )
        }
        by_key: dict[tuple[str, str, str, str | None], int] = {}
        for device in sorted(wanted, key=str):
            key = (models[fold(device[0]), fold(device[1])], fold(device[2]))
            if key not in found:
                row = {
                    "device_model_id": key[0],
                    "description": device[2],
                    "serial_number": device[3],
                }
                made = self._insert(DeviceInstance, [row], ("device_model_id", "description"))
                found[key] = made[0]
            by_key[device] = found[key]
        return by_key

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
                made = self._insert(DeviceModel, [row], ("manufacturer", "manufacturer_model_name"))
                found[key] = made[0]
        return found

    def _named(self, entity: type[Entity], column: str, names: set[str]) -> dict[str, int]:
        found = self._found(entity, column, names)
        for name in sorted(names):
            if fold(name) not in found:
                found[fold(name)] = self._insert(entity, [{column: name}], (column,))[0]
        return found

    def _found(self, entity: type[Entity], column: str, names: Iterable[str]) -> dict[str, int]:
        (key,) = entity.__entity__.primary_key
        rows = self._rows.find(entity, column, names, (column, key))
        return {fold(name): identity for name, identity in rows}

    def _insert(self, entity: type[Entity], rows: list[Row], key: tuple[str, ...]) -> list[int]:
        ids = self._rows.insert(entity, rows, key=key)
        self.made.setdefault(entity.__name__, []).extend(ids)
        return ids


def _device(origin: Origin) -> tuple[str, str, str, str | None]:
    """Return manufacturer, model, description and serial number of the device."""
    serial = origin.serial_number
    description = origin.device_description or serial or UNKNOWN
    return (
        origin.manufacturer or UNKNOWN,
        origin.manufacturer_model_name or UNKNOWN,
        description,
        serial,
    )


def _modality(columns: dict[str, Any]) -> str:
    modality = columns.get("modality")
    return UNKNOWN if modality is None else str(modality.name)
