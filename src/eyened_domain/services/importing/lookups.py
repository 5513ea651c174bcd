"""What the database holds of the things that a portion of an import names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from attrs import define, field

from eyened_domain.model.acquisition import DeviceInstance, Scan, SourceInfo
from eyened_domain.model.entity import Entity
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.names import fold
from eyened_domain.model.patient import Patient
from eyened_domain.model.study import Series, Study
from eyened_domain.services.importing.entries import (
    ImageEntry,
    PatientEntry,
    PatientKey,
    StudyKey,
    images_of,
    series_of,
)
from eyened_domain.services.importing.options import ImportDefaults, ImportOptions
from eyened_domain.services.rows import Rows

_REFERRED: dict[str, type[Entity]] = {"device_instance_id": DeviceInstance, "scan_id": Scan}


@define
class Known:
    """Ids of what is there already, by the keys of entries."""

    projects: dict[str, int] = field(factory=dict)
    """By folded name."""
    patients: dict[PatientKey, int] = field(factory=dict)
    studies: dict[StudyKey, int] = field(factory=dict)
    series: dict[int, tuple[int, str | None]] = field(factory=dict)
    """SeriesID to StudyID and SeriesInstanceUid."""
    series_by_uid: dict[str, tuple[int, int]] = field(factory=dict)
    """SeriesInstanceUid to SeriesID and StudyID."""
    images: dict[tuple[str, str], KnownImage] = field(factory=dict)
    """By source name and DatasetIdentifier."""
    sop_uids: dict[str, str] = field(factory=dict)
    """SOPInstanceUid to DatasetIdentifier."""
    references: dict[str, set[int]] = field(factory=dict)
    """For columns of images that refer to other things: which of the ids are there."""


class KnownImage(NamedTuple):
    """An image that is there already, and where it hangs."""

    image_id: int
    series_id: int
    study_id: int
    study_date: date
    patient_id: int
    patient_identifier: str
    project_id: int


def default_source(
    rows: Rows,
    options: ImportOptions,
    defaults: ImportDefaults,
    sources: dict[str, int],
    *,
    lock: bool = False,
) -> str:
    """Return the name of the source of images that name none; it need not be there yet.

    It is `options.source_name`, or else the source whose path is IMAGES_BASEPATH, or else
    the one called "images".

    Args:
        rows: the storage's set-based reading.
        options: how the import is done.
        defaults: what the configuration says.
        sources: the ids of sources by folded name; that of this one is added, if it was seen.
        lock: let one import at a time write images of this source.
    """
    columns = ("source_name", "source_info_id")
    name = options.source_name
    if name is None:
        path = str(defaults.images_basepath)
        for found, identity in rows.find(SourceInfo, "source_path", [path], columns, lock=lock):
            sources[fold(found)] = identity
            return str(found)
        name = "images"
    if lock:
        _look_up_sources(rows, sources, {name}, lock=True)
    return name


def _look_up_sources(
    rows: Rows, sources: dict[str, int], names: Iterable[str], *, lock: bool = False
) -> None:
    unknown = {name for name in names if fold(name) not in sources}
    columns = ("source_name", "source_info_id")
    for name, identity in rows.find(SourceInfo, "source_name", unknown, columns, lock=lock):
        sources[fold(name)] = identity


def look_up(rows: Rows, patients: list[PatientEntry], sources: dict[str, int]) -> Known:
    """Look up what is there already of the things that entries name.

    Args:
        rows: the storage's set-based reading.
        patients: the entries; of those who are not named yet, the patients are looked up
            whose images are there already.
        sources: the ids of sources by folded name; those that are not in it are looked up.
    """
    known = Known()
    _look_up_images(rows, known, images_of(patients), sources)
    _look_up_studies(rows, known, patients)
    look_up_series(rows, known, patients)
    return known


def _look_up_images(
    rows: Rows, known: Known, images: list[ImageEntry], sources: dict[str, int]
) -> None:
    by_source: dict[str, list[str]] = {}
    for image in images:
        by_source.setdefault(image.key[0], []).append(image.identifier)
    _look_up_sources(rows, sources, {image.origin.source_name or "" for image in images})
    found = {
        (source, fold(identifier)): (image_id, series_id)
        for source in by_source
        if source in sources
        for identifier, image_id, series_id in rows.find(
            ImageInstance,
            "dataset_identifier",
            by_source[source],
            ("dataset_identifier", "image_instance_id", "series_id"),
            source_info_id=sources[source],
        )
    }
    in_series = {series_id for _, series_id in found.values()}
    studies = dict(rows.find(Series, "series_id", in_series, ("series_id", "study_id")))
    patients = {
        study_id: (patient_id, day)
        for study_id, patient_id, day in rows.find(
            Study, "study_id", set(studies.values()), ("study_id", "patient_id", "study_date")
        )
    }
    wanted = {patient_id for patient_id, _ in patients.values()}
    names = {
        patient_id: (identifier, project_id)
        for patient_id, identifier, project_id in rows.find(
            Patient, "patient_id", wanted, ("patient_id", "patient_identifier", "project_id")
        )
    }
    for key, (image_id, series_id) in found.items():
        study_id = studies[series_id]
        patient_id, day = patients[study_id]
        known.images[key] = KnownImage(
            image_id, series_id, study_id, day, patient_id, *names[patient_id]
        )


def _look_up_studies(rows: Rows, known: Known, patients: list[PatientEntry]) -> None:
    wanted: dict[str, set[str]] = {}
    for patient in patients:
        identifiers = wanted.setdefault(patient.project_name, set())
        if patient.identifier is not None:
            identifiers.add(patient.identifier)
        else:
            there = (known.images.get(image.key) for image in images_of([patient]))
            identifiers |= {image.patient_identifier for image in there if image is not None}
    for row in rows.studies_of(wanted):
        project = fold(row.project_name)
        known.projects[project] = row.project_id
        if row.patient_id is not None and row.patient_identifier is not None:
            key = (project, fold(row.patient_identifier))
            known.patients[key] = row.patient_id
            if row.study_id is not None and row.study_date is not None:
                known.studies[*key, row.study_date] = row.study_id


def look_up_series(rows: Rows, known: Known, patients: Iterable[PatientEntry]) -> None:
    """Look up the series that are named by their id or by their SeriesInstanceUID."""
    series = series_of(patients)
    ids = {one.placed_id for one in series if one.placed_id is not None}
    columns = ("series_id", "study_id", "series_instance_uid")
    for series_id, study_id, uid in rows.find(Series, "series_id", ids, columns):
        known.series[series_id] = (study_id, uid)
    uids = {one.columns["series_instance_uid"] for one in series if one.uid is not None}
    for series_id, study_id, uid in rows.find(Series, "series_instance_uid", uids, columns):
        known.series_by_uid[fold(uid)] = (series_id, study_id)


def look_up_references(rows: Rows, known: Known, images: Iterable[ImageEntry]) -> None:
    """Look up the DICOM UIDs of images, and the devices and scans that they give by id."""
    given: dict[str, set[Any]] = {"sop_instance_uid": set()}
    given |= {name: set() for name in _REFERRED}
    for image in images:
        for name in given.keys() & image.columns.keys():
            given[name].add(image.columns[name])
    columns = ("sop_instance_uid", "dataset_identifier")
    uids = given.pop("sop_instance_uid")
    for uid, identifier in rows.find(ImageInstance, "sop_instance_uid", uids, columns):
        known.sop_uids[fold(uid)] = identifier
    for name, ids in given.items():
        if ids:
            found = rows.find(_REFERRED[name], name, ids, (name,))
            known.references[name] = {row[0] for row in found}
