"""Where records and rows that exist differ: what `conflict = update` changes."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import Any

from eyened_domain.model.acquisition import DeviceInstance, DeviceModel, Scan
from eyened_domain.model.entity import Entity
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.names import fold
from eyened_domain.model.patient import Patient
from eyened_domain.model.study import Series, Study
from eyened_domain.services.importing.entries import AllOf, Columns, Origin, PatientEntry
from eyened_domain.services.importing.lookups import Known
from eyened_domain.services.row_shapes import Row
from eyened_domain.services.rows import Rows


def same(held: Any, given: Any) -> bool:
    """Whether a column that holds the one would hold the same after writing the other.

    FLOAT columns are of single precision.
    """
    if held == given:
        return True
    if isinstance(held, float) and isinstance(given, float):
        return _single(held) == _single(given)
    return False


def _single(number: float) -> float:
    narrowed: float = struct.unpack("f", struct.pack("f", number))[0]
    return narrowed


def differing(held: Row, given: Columns) -> Row:
    """Return those of the given columns that the row holds something else in."""
    return {
        name: value for name, value in given.items() if name in held and not same(held[name], value)
    }


def held_columns(
    rows: Rows, entity: type[Entity], wanted: Mapping[int, Columns], *, lock: bool = False
) -> dict[int, Row]:
    """Return what rows hold in the columns that are wanted of any of them, by id."""
    names = sorted({name for columns in wanted.values() for name in columns})
    if not names:
        return {}
    (key,) = entity.__entity__.primary_key
    found = rows.find(entity, key, wanted, (key, *names), lock=lock)
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in found}


def changes(
    rows: Rows, entity: type[Entity], wanted: Mapping[int, Columns], *, lock: bool = False
) -> dict[int, tuple[Row, Row]]:
    """Return for each row that would change what it holds, and what it gets.

    Args:
        rows: the storage's set-based reading.
        entity: whose rows.
        wanted: by id, what the columns are to hold.
        lock: keep others from changing these rows until the transaction ends.
    """
    held = held_columns(rows, entity, wanted, lock=lock)
    found: dict[int, tuple[Row, Row]] = {}
    for row_id, given in wanted.items():
        before = held.get(row_id, {})
        after = differing(before, given)
        if after:
            found[row_id] = ({name: before[name] for name in after}, after)
    return found


def wanted_rows(
    patients: Iterable[PatientEntry], known: Known, all_of: AllOf
) -> dict[type[Entity], dict[int, Row]]:
    """Return by id what rows that are there are to hold, as entries say.

    Args:
        patients: the entries.
        known: what is there.
        all_of: gives what is said of what has a key, where one entry says some columns.
    """
    wanted: dict[type[Entity], dict[int, Row]] = {}

    def note(entity: type[Entity], row_id: int | None, columns: Columns) -> None:
        if row_id is not None and columns:
            wanted.setdefault(entity, {}).setdefault(row_id, {}).update(columns)

    for patient in patients:
        key = patient.key
        note(Patient, known.patients.get(key), all_of(key, patient.columns))
        for study in patient.studies:
            key_of_study = patient.key_of(study)
            said = all_of(key_of_study, study.columns)
            note(Study, known.studies.get(key_of_study), said)
            for series in study.series:
                note(Series, series.placed_id, all_of(series.uid, series.columns))
                for image in series.images:
                    if image.key in known.images:
                        note(ImageInstance, known.images[image.key].image_id, image.columns)
    return wanted


class HeldOrigins:
    """Which devices and scan modes images that are there have; for records that say another.

    Args:
        rows: the storage's set-based reading.
        images: ImageInstanceIDs.
    """

    def __init__(self, rows: Rows, images: Iterable[int]) -> None:
        columns = ("image_instance_id", "device_instance_id", "scan_id")
        held = rows.find(ImageInstance, "image_instance_id", images, columns)
        devices = _devices(rows, {device_id for _, device_id, _ in held})
        ids = {scan_id for _, _, scan_id in held if scan_id is not None}
        scans = dict(rows.find(Scan, "scan_id", ids, ("scan_id", "scan_mode")))
        self._held = {
            image_id: {**devices[device_id], "scan_mode": scans.get(scan_id)}
            for image_id, device_id, scan_id in held
        }

    def differing(self, image_id: int, origin: Origin) -> dict[str, str]:
        """Return what an entry's origin says otherwise than the image's device and scan."""
        held = self._held.get(image_id, {})
        return {
            name: value
            for name, value in _said(origin).items()
            if name in held and value is not None and fold(value) != fold(held[name] or "")
        }

    def completed(self, image_id: int, origin: Origin) -> Origin:
        """Return an entry's origin, filled up with what is held of the device and scan."""
        held = self._held[image_id]
        whole = {name: value or held[name] for name, value in _said(origin).items()}
        return Origin(source_name=origin.source_name, serial_number=origin.serial_number, **whole)


def _said(origin: Origin) -> dict[str, str | None]:
    """Return what an origin says of what devices and scan modes are told apart by."""
    return {
        "manufacturer": origin.manufacturer,
        "manufacturer_model_name": origin.manufacturer_model_name,
        "device_description": origin.device_description or origin.serial_number,
        "scan_mode": origin.scan_mode,
    }


def _devices(rows: Rows, ids: set[int]) -> dict[int, dict[str, str | None]]:
    columns = ("device_instance_id", "device_model_id", "description")
    found = rows.find(DeviceInstance, "device_instance_id", ids, columns)
    names = ("device_model_id", "manufacturer", "manufacturer_model_name")
    models = {
        model_id: (manufacturer, name)
        for model_id, manufacturer, name in rows.find(
            DeviceModel, "device_model_id", {row[1] for row in found}, names
        )
    }
    return {
        device_id: {
            "manufacturer": models[model_id][0],
            "manufacturer_model_name": models[model_id][1],
            "device_description": description,
        }
        for device_id, model_id, description in found
    }
