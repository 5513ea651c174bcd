"""What records say, level by level: patients, studies, series, images.

Entries are never changed. Each holds what hangs on it, and nothing of what it hangs on; a step of
the import that learns more of them gives other ones (`rebuilt`), or its results beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any, TypeVar

from attrs import define, evolve, frozen

from eyened_domain.errors import EyenedError
from eyened_domain.model.names import fold

_LONGEST_SHOWN = 300
_ERRORS_PRINTED = 20
_LONGEST_FIELD = 80
Columns = Mapping[str, Any]
"""What is said of a row, by field name."""
AllOf = Callable[[Any, Columns], Columns]
"""Gives what all records together say of what has a key, where one of them says some columns."""
PatientKey = tuple[str, str]
"""What patients are told apart by: project and identifier, folded."""
StudyKey = tuple[str, str, date]
"""What studies are told apart by: the key of the patient, and the date."""


@frozen
class Origin:
    """Where an image comes from, as far as its record or its file says."""

    source_name: str | None = None
    manufacturer: str | None = None
    manufacturer_model_name: str | None = None
    device_description: str | None = None
    serial_number: str | None = None
    scan_mode: str | None = None


UNSAID = Origin()
"""The origin of an image whose record says nothing of it."""


@frozen(eq=False)
class ImageEntry:
    """An image that a record names; `columns` holds what is to be stored of it."""

    path: str
    columns: Columns
    where: str
    origin: Origin
    identifier: str = ""
    """Its DatasetIdentifier, once the path has been looked at."""
    key: tuple[str, str] = ("", "")
    """What tells images apart: source and DatasetIdentifier, once the path has been looked at."""
    exists: bool = False
    """Whether it was there when the plan was made."""


@frozen(eq=False)
class SeriesEntry:
    """A series that records name, or a new one."""

    series_id: int | None
    columns: Columns
    where: str
    images: tuple[ImageEntry, ...] = ()
    found_id: int | None = None
    """The SeriesID that was found, where the record gives none."""

    @property
    def placed_id(self) -> int | None:
        """Its SeriesID, as far as the record gives it or it was found."""
        return self.found_id if self.series_id is None else self.series_id

    @property
    def uid(self) -> str | None:
        """Its DICOM SeriesInstanceUID, in the form in which databases compare it."""
        uid = self.columns.get("series_instance_uid")
        return None if uid is None else fold(uid)


@frozen(eq=False)
class StudyEntry:
    """A study that records name."""

    study_date: date
    columns: Columns
    where: str
    series: tuple[SeriesEntry, ...] = ()
    declared: bool = False
    """Whether the record names series, so that it is void when none of them is good."""


@frozen(eq=False)
class PatientEntry:
    """A patient that records name, with what they say of it."""

    project_name: str
    identifier: str | None
    columns: Columns
    where: str
    studies: tuple[StudyEntry, ...] = ()
    declared: bool = False
    """Whether the record names studies, so that it is void when none of them is good."""

    @property
    def key(self) -> PatientKey:
        """What tells patients apart."""
        return (fold(self.project_name), fold(self.identifier or ""))

    def key_of(self, study: StudyEntry) -> StudyKey:
        """Return what tells a study of this patient apart."""
        return (*self.key, study.study_date)


@define
class RecordError:
    """What is wrong with a record: which one, which field, and why."""

    where: str
    field: str | None
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


Entry = PatientEntry | StudyEntry | SeriesEntry | ImageEntry
E = TypeVar("E", PatientEntry, StudyEntry, SeriesEntry, ImageEntry)
Change = Callable[[SeriesEntry], SeriesEntry]
Refusal = tuple[Entry, EyenedError]
"""What cannot be imported, and why."""


def error_lines(errors: Sequence[RecordError]) -> list[str]:
    """Return lines that tell the first errors, and how many more there are."""
    lines = [f"error in {error}" for error in errors[:_ERRORS_PRINTED]]
    if len(errors) > _ERRORS_PRINTED:
        lines.append(f"… and {len(errors) - _ERRORS_PRINTED:,} more errors")
    return lines


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


def changed(entry: E, **changes: Any) -> E:
    """Return an entry with other values; the same where they are what it has."""
    for name, value in changes.items():
        if getattr(entry, name) != value:
            return evolve(entry, **changes)
    return entry


def rebuilt(
    patients: Iterable[PatientEntry], left_out: Collection[Entry], series_as: Change | None = None
) -> Iterator[PatientEntry]:
    """Give the entries as they are after a step, without what is void then.

    Args:
        patients: the entries as they were.
        left_out: patients, studies and images that are left out.
        series_as: returns a series as it is after the step, with the images to be left out.
    """
    if not left_out and series_as is None:
        yield from patients
        return
    for patient in patients:
        if patient in left_out:
            continue
        studies = []
        for study in patient.studies:
            if study in left_out:
                continue
            series = []
            for one in study.series:
                after = one if series_as is None else series_as(one)
                images = after.images
                if left_out:
                    images = tuple([image for image in images if image not in left_out])
                if images:
                    is_whole = len(images) == len(after.images)
                    series.append(after if is_whole else evolve(after, images=images))
            if series or not study.declared:
                studies.append(changed(study, series=tuple(series)))
        if studies or not patient.declared:
            yield changed(patient, studies=tuple(studies))


def joined(entries: Iterable[PatientEntry]) -> list[PatientEntry]:
    """Put together entries that follow each other and say the same of a patient.

    Flat records name the patient and the study of every image again.
    """
    found = []
    for _, (first, *more) in groupby(entries, _said_of_patient):
        found.append(_with_studies_of(first, more) if more else first)
    return found


def _said_of_patient(entry: PatientEntry) -> tuple[Any, ...]:
    is_alone = entry.identifier is None or not entry.declared
    return (entry if is_alone else None, entry.identifier, entry.project_name, entry.columns)


def _with_studies_of(first: PatientEntry, more: list[PatientEntry]) -> PatientEntry:
    studies = [(study, [*study.series]) for study in first.studies]
    for study in (study for entry in more for study in entry.studies):
        before, series = studies[-1]
        if (
            before.study_date == study.study_date
            and before.declared
            and study.declared
            and before.columns == study.columns
        ):
            series += study.series
        else:
            studies.append((study, [*study.series]))
    return evolve(
        first, studies=tuple(changed(study, series=tuple(series)) for study, series in studies)
    )
