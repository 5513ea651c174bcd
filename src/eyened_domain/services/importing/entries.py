"""What records say, level by level: patients, studies, series, images."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from attrs import define, field

from eyened_domain.errors import EyenedError
from eyened_domain.model.names import fold

_LONGEST_SHOWN = 300
_LONGEST_FIELD = 80
PatientKey = tuple[str, str]
"""What patients are told apart by: project and identifier, folded."""
StudyKey = tuple[str, str, date]
"""What studies are told apart by: the key of the patient, and the date."""


@define(eq=False)
class PatientEntry:
    """A patient that records name, with what they say of it."""

    project_name: str
    identifier: str | None
    columns: dict[str, Any]
    where: str
    studies: list[StudyEntry] = field(factory=list)
    declared: bool = False
    """Whether the record names studies, so that it is void when none of them is good."""

    _key: PatientKey | None = field(default=None, init=False, repr=False)

    @property
    def key(self) -> PatientKey:
        """What tells patients apart: project and identifier."""
        if self._key is None:
            self._key = (fold(self.project_name), fold(self.identifier or ""))
        return self._key

    def name(self, identifier: str) -> None:
        """Give an identifier to a patient for whom the record gives none."""
        self.identifier = identifier
        self._key = None


@define(eq=False)
class StudyEntry:
    """A study that records name."""

    patient: PatientEntry
    study_date: date
    columns: dict[str, Any]
    where: str
    series: list[SeriesEntry] = field(factory=list)
    declared: bool = False
    """Whether the record names series, so that it is void when none of them is good."""

    @property
    def key(self) -> StudyKey:
        """What tells studies apart: patient and date."""
        return (*self.patient.key, self.study_date)


@define(eq=False)
class SeriesEntry:
    """A series that records name, or a new one."""

    study: StudyEntry
    series_id: int | None
    columns: dict[str, Any]
    where: str
    images: list[ImageEntry] = field(factory=list)
    found_id: int | None = None
    """The SeriesID that the plan found, where the record gives none."""

    @property
    def placed_id(self) -> int | None:
        """Its SeriesID, as far as the record gives it or the plan found it."""
        return self.found_id if self.series_id is None else self.series_id

    @property
    def key(self) -> tuple[str] | None:
        """What tells series apart, where it is known before they are made: the UID."""
        return None if self.uid is None else (self.uid,)

    @property
    def uid(self) -> str | None:
        """Its DICOM SeriesInstanceUID, in the form in which databases compare it."""
        uid = self.columns.get("series_instance_uid")
        return None if uid is None else fold(uid)


@define(eq=False)
class ImageEntry:
    """An image that a record names; `columns` holds what is to be stored of it."""

    series: SeriesEntry
    path: str
    columns: dict[str, Any]
    where: str
    origin: Origin
    identifier: str = ""
    """Its DatasetIdentifier, once the path has been looked at."""
    key: tuple[str, str] = ("", "")
    """What tells images apart: source and DatasetIdentifier, once the path has been looked at."""
    exists: bool = False
    """Whether it was there when the plan was made."""
    good: bool = True
    """Whether nothing was found to be wrong with it, and it is not to be left out."""


@define
class Origin:
    """Where an image comes from, as far as its record or its file says."""

    source_name: str | None = None
    manufacturer: str | None = None
    manufacturer_model_name: str | None = None
    device_description: str | None = None
    serial_number: str | None = None
    scan_mode: str | None = None


@define
class RecordError:
    """What is wrong with a record: which one, which field, and why."""

    where: str
    field: str | None
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


def note(where: str, error: EyenedError) -> RecordError:
    """Return the note of an error at a place in the records."""
    message = str(error)
    if len(message) > _LONGEST_SHOWN:
        message = f"{message[: _LONGEST_SHOWN - 3]}..."
    return RecordError(where, error.field and error.field[:_LONGEST_FIELD], message)


def series_of(patients: Iterable[PatientEntry]) -> list[SeriesEntry]:
    """Return all series of the entries, in order."""
    return [one for patient in patients for study in patient.studies for one in study.series]


def images_of(patients: Iterable[PatientEntry]) -> list[ImageEntry]:
    """Return all images of the entries, in order."""
    return [image for series in series_of(patients) for image in series.images]


def prune(patients: list[PatientEntry]) -> list[PatientEntry]:
    """Take out the images that are not good, and what is void without them."""
    for patient in patients:
        for study in patient.studies:
            for series in study.series:
                series.images = [image for image in series.images if image.good]
            study.series = [series for series in study.series if series.images]
        patient.studies = [s for s in patient.studies if s.series or not s.declared]
    return [patient for patient in patients if patient.studies or not patient.declared]


def join(patients: list[PatientEntry], entry: PatientEntry) -> None:
    """Add an entry; where it says the same of a patient as the last one, to that one's studies.

    Flat records name the patient and the study of every image again.
    """
    last = patients[-1] if patients else None
    if last is None or not (last.declared and entry.declared and _is_same(last, entry)):
        patients.append(entry)
        return
    for study in entry.studies:
        before = last.studies[-1]
        if (
            before.study_date == study.study_date
            and before.declared
            and study.declared
            and before.columns == study.columns
        ):
            for series in study.series:
                series.study = before
            before.series += study.series
        else:
            study.patient = last
            last.studies.append(study)


def _is_same(last: PatientEntry, entry: PatientEntry) -> bool:
    return (
        entry.identifier is not None
        and last.identifier == entry.identifier
        and last.project_name == entry.project_name
        and last.columns == entry.columns
    )
