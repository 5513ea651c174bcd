"""What the database holds of the things that a portion of an import names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from attrs import define, field

from eyened_domain.model.acquisition import SourceInfo
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.patient import Patient
from eyened_domain.model.project import Project
from eyened_domain.model.study import Series, Study
from eyened_domain.services.importing.options import ImportDefaults, ImportOptions
from eyened_domain.services.importing.plan import fold
from eyened_domain.services.importing.ports import Rows
from eyened_domain.services.importing.records import ImageEntry, PatientEntry


@define
class Known:
    """Ids of what is there already, by what records call it."""

    projects: dict[str, int] = field(factory=dict)
    patients: dict[tuple[int, str], int] = field(factory=dict)
    studies: dict[tuple[int, date], int] = field(factory=dict)
    series: dict[int, int] = field(factory=dict)
    """SeriesID to StudyID."""
    series_by_uid: dict[str, tuple[int, int]] = field(factory=dict)
    """SeriesInstanceUid to SeriesID and StudyID."""
    images: dict[tuple[str, str], KnownImage] = field(factory=dict)
    """By source name (folded; "" for the default) and DatasetIdentifier (folded)."""
    sop_uids: dict[str, str] = field(factory=dict)
    """SOPInstanceUid to DatasetIdentifier."""


@define
class KnownImage:
    """An image that is there already, and where it hangs."""

    image_id: int
    series_id: int
    study_id: int = 0
    study_date: date | None = None
    patient_id: int = 0
    patient_identifier: str = ""
    project_id: int = 0


def images_of(patients: Iterable[PatientEntry]) -> list[ImageEntry]:
    """Return all images of the entries, in order."""
    return [
        image
        for patient in patients
        for study in patient.studies
        for series in study.series
        for image in series.images
    ]


def default_source(
    rows: Rows, options: ImportOptions, defaults: ImportDefaults
) -> tuple[int | None, str]:
    """Return the id (None while there is none) and the name of the source of unnamed images.

    It is the source called `options.source_name`, or else the one whose path is
    IMAGES_BASEPATH, or else a new one called "images".
    """
    columns = ("source_info_id", "source_name")
    if options.source_name is not None:
        found = rows.find(SourceInfo, "source_name", [options.source_name], columns)
        return (found[0][0], found[0][1]) if found else (None, options.source_name)
    found = rows.find(SourceInfo, "source_path", [str(defaults.images_basepath)], columns)
    if not found:
        found = rows.find(SourceInfo, "source_name", ["images"], columns)
    return (found[0][0], found[0][1]) if found else (None, "images")


def look_up(
    rows: Rows, patients: list[PatientEntry], source: tuple[int | None, str], *, lock: bool = False
) -> Known:
    """Return what is there of what a portion names, in a constant number of statements.

    Args:
        rows: the storage's set-based reading.
        patients: the portion.
        source: id and name of the default source.
        lock: see what others committed up to now, and keep it from changing.
    """
    known = Known()
    names = {patient.project_name for patient in patients}
    for name, identity in rows.find(Project, "project_name", names, ("project_name", "project_id")):
        known.projects[fold(name)] = identity
    _look_up_images(rows, known, images_of(patients), source, lock=lock)
    look_up_patients(rows, known, patients, lock=lock)
    return known


def _look_up_images(
    rows: Rows,
    known: Known,
    images: list[ImageEntry],
    source: tuple[int | None, str],
    *,
    lock: bool,
) -> None:
    by_source: dict[str, set[str]] = {}
    for image in images:
        by_source.setdefault(image.origin.source_name or "", set()).add(image.identifier)
    named = [name for name in by_source if name]
    source_ids = {
        fold(name): identity
        for name, identity in rows.find(
            SourceInfo, "source_name", named, ("source_name", "source_info_id")
        )
    }
    if source[0] is not None:
        source_ids[""] = source[0]
    for name, identifiers in by_source.items():
        source_id = source_ids.get(fold(name))
        if source_id is not None:
            columns = ("dataset_identifier", "image_instance_id", "series_id")
            for identifier, image_id, series_id in rows.find(
                ImageInstance,
                "dataset_identifier",
                identifiers,
                columns,
                lock=lock,
                source_info_id=source_id,
            ):
                known.images[fold(name), fold(identifier)] = KnownImage(image_id, series_id)
    _place(rows, list(known.images.values()))


def _place(rows: Rows, images: list[KnownImage]) -> None:
    """Fill in the study, patient and project of images that are there."""
    studies = dict(
        rows.find(Series, "series_id", {i.series_id for i in images}, ("series_id", "study_id"))
    )
    patients: dict[int, tuple[int, date]] = {
        study_id: (patient_id, day)
        for study_id, patient_id, day in rows.find(
            Study, "study_id", set(studies.values()), ("study_id", "patient_id", "study_date")
        )
    }
    wanted = {patient_id for patient_id, _ in patients.values()}
    found: dict[int, tuple[str, int]] = {
        patient_id: (identifier, project_id)
        for patient_id, identifier, project_id in rows.find(
            Patient, "patient_id", wanted, ("patient_id", "patient_identifier", "project_id")
        )
    }
    for image in images:
        image.study_id = studies[image.series_id]
        image.patient_id, image.study_date = patients[image.study_id]
        image.patient_identifier, image.project_id = found[image.patient_id]


def look_up_patients(
    rows: Rows, known: Known, patients: list[PatientEntry], *, lock: bool = False
) -> None:
    """Look up the patients of known projects, their studies, and the series that are named."""
    wanted: dict[int, set[str]] = {}
    for patient in patients:
        project_id = known.projects.get(fold(patient.project_name))
        if project_id is not None and patient.identifier is not None:
            wanted.setdefault(project_id, set()).add(patient.identifier)
    for project_id, identifiers in wanted.items():
        for identifier, patient_id in rows.find(
            Patient,
            "patient_identifier",
            identifiers,
            ("patient_identifier", "patient_id"),
            lock=lock,
            project_id=project_id,
        ):
            known.patients[project_id, fold(identifier)] = patient_id
    for patient_id, day, study_id in rows.find(
        Study,
        "patient_id",
        set(known.patients.values()),
        ("patient_id", "study_date", "study_id"),
        lock=lock,
    ):
        known.studies[patient_id, day] = study_id
    _look_up_series(rows, known, patients)


def _look_up_series(rows: Rows, known: Known, patients: list[PatientEntry]) -> None:
    series = [one for patient in patients for study in patient.studies for one in study.series]
    ids = {one.series_id for one in series if one.series_id is not None}
    known.series.update(rows.find(Series, "series_id", ids, ("series_id", "study_id")))
    uids = {one.columns["series_instance_uid"] for one in series if _uid(one.columns)}
    for uid, series_id, study_id in rows.find(
        Series, "series_instance_uid", uids, ("series_instance_uid", "series_id", "study_id")
    ):
        known.series_by_uid[uid] = (series_id, study_id)


def look_up_uids(rows: Rows, known: Known, patients: list[PatientEntry]) -> None:
    """Look up the DICOM UIDs of series and images, once the files have told them."""
    _look_up_series(rows, known, patients)
    uids = {image.columns.get("sop_instance_uid") for image in images_of(patients)} - {None}
    known.sop_uids.update(
        rows.find(
            ImageInstance,
            "sop_instance_uid",
            uids,
            ("sop_instance_uid", "dataset_identifier"),
        )
    )


def _uid(columns: dict[str, Any]) -> bool:
    return columns.get("series_instance_uid") is not None
