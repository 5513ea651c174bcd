"""The entries of a plan as JSON holds them, and back."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Any

from attrs import asdict

from eyened_domain.model.entity import entity_class
from eyened_domain.model.names import fold
from eyened_domain.services.image_files import normalised_identifier
from eyened_domain.services.importing.columns import DEVICE_COLUMNS
from eyened_domain.services.importing.entries import (
    AllOf,
    Columns,
    ImageEntry,
    Origin,
    PatientEntry,
    SeriesEntry,
    StudyEntry,
)


def patient_out(entry: PatientEntry, all_of: AllOf) -> dict[str, Any]:
    """Return an entry as JSON can hold it; `all_of` gives what all records together say."""
    return {
        "project_name": entry.project_name,
        "identifier": entry.identifier,
        "columns": columns_out(all_of(entry.key, entry.columns)),
        "where": entry.where,
        "studies": [
            {
                "study_date": study.study_date.isoformat(),
                "columns": columns_out(all_of(entry.key_of(study), study.columns)),
                "where": study.where,
                "series": [_series_out(series, all_of) for series in study.series],
            }
            for study in entry.studies
        ],
    }


def _series_out(entry: SeriesEntry, all_of: AllOf) -> dict[str, Any]:
    return {
        "series_id": entry.series_id,
        "found_id": entry.found_id,
        "columns": columns_out(all_of(entry.uid, entry.columns)),
        "where": entry.where,
        "images": [
            {
                "path": image.path,
                "identifier": image.identifier,
                "columns": columns_out(image.columns),
                "origin": asdict(image.origin),
                "exists": image.exists,
                "where": image.where,
            }
            for image in entry.images
        ],
    }


def columns_out(columns: Columns) -> dict[str, Any]:
    """Return columns as JSON can hold them: enum members by name, dates in ISO form."""
    return {name: _value_out(value) for name, value in columns.items()}


def _value_out(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, date):
        return value.isoformat()
    return value


def patient_in(saved: dict[str, Any]) -> PatientEntry:
    """Return the entry that `patient_out` wrote.

    Raises:
        BadInput: a path in it leaves IMAGES_BASEPATH.
        ValueError: it is something else, or was changed; or KeyError, TypeError.
    """
    studies = tuple(_study_in(study) for study in saved["studies"])
    return PatientEntry(
        project_name=str(saved["project_name"]),
        identifier=saved["identifier"],
        columns=columns_in("Patient", saved["columns"]),
        where=saved["where"],
        studies=studies,
        declared=bool(studies),
    )


def _study_in(saved: dict[str, Any]) -> StudyEntry:
    series = tuple(_series_in(one) for one in saved["series"])
    return StudyEntry(
        study_date=date.fromisoformat(saved["study_date"]),
        columns=columns_in("Study", saved["columns"]),
        where=saved["where"],
        series=series,
        declared=bool(series),
    )


def _series_in(saved: dict[str, Any]) -> SeriesEntry:
    return SeriesEntry(
        series_id=saved["series_id"],
        found_id=saved.get("found_id"),  # older plans give it as series_id
        columns=columns_in("Series", saved["columns"]),
        where=saved["where"],
        images=tuple(_image_in(image) for image in saved["images"]),
    )


def _image_in(saved: dict[str, Any]) -> ImageEntry:
    origin = Origin(**{name: saved["origin"][name] for name in DEVICE_COLUMNS})
    identifier = normalised_identifier(saved["identifier"])
    return ImageEntry(
        path=saved["path"],
        columns=columns_in("ImageInstance", saved["columns"]),
        where=saved["where"],
        origin=origin,
        identifier=identifier,
        key=(fold(str(origin.source_name)), fold(identifier)),
        exists=saved["exists"],
    )


def columns_in(entity: str, columns: Columns) -> Columns:
    """Return the columns that `columns_out` wrote."""
    known = entity_class(entity).__entity__.columns
    return {name: known[name].kind.convert(value) for name, value in columns.items()}
