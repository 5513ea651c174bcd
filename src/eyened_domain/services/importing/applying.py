"""Writes a plan: portion by portion, whole sets of rows at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import define, field, frozen

from eyened_domain.errors import NotFound
from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.patient import Patient
from eyened_domain.model.project import Project
from eyened_domain.model.study import Series, Study
from eyened_domain.services.importing.acquisition import Acquisition
from eyened_domain.services.importing.lookups import (
    Known,
    KnownImage,
    default_source,
    images_of,
    look_up,
    look_up_patients,
)
from eyened_domain.services.importing.options import ImportDefaults, OnConflict
from eyened_domain.services.importing.plan import ImportPlan, fold
from eyened_domain.services.importing.ports import ChangedRow, MadeRows, Row
from eyened_domain.services.importing.records import (
    ImageEntry,
    PatientEntry,
    SeriesEntry,
    StudyEntry,
)


@define
class Written:
    """What was written so far."""

    made: dict[str, int] = field(factory=dict)
    """How many rows of which entity."""
    changed: dict[str, int] = field(factory=dict)
    matched: int = 0
    """Images that were there already."""

    def add(self, other: Written) -> None:
        """Add the counts of another portion."""
        for name, count in other.made.items():
            self.made[name] = self.made.get(name, 0) + count
        for name, count in other.changed.items():
            self.changed[name] = self.changed.get(name, 0) + count
        self.matched += other.matched


@frozen
class Step:
    """What writing one portion did: counts, and the rows for the record of the import."""

    written: Written
    items: list[MadeRows | ChangedRow]


class PortionWriter:
    """Writes one portion of a plan inside an open unit of work.

    What the database holds is looked up again: since the plan was made, others may have
    written what it calls new. That is a match then, not an error.
    """

    def __init__(self, uow: Any, plan: ImportPlan, defaults: ImportDefaults) -> None:
        self._rows = uow.rows
        self._plan = plan
        self._defaults = defaults
        self._written = Written()
        self._items: list[MadeRows | ChangedRow] = []

    def write(self, patients: list[PatientEntry]) -> Step:
        """Write a portion.

        Raises:
            NotFound: a project, patient or study is gone since the plan was made.
            Conflict: somebody is writing the same rows; run it again.
        """
        self._source = default_source(self._rows, self._plan.options, self._defaults)
        known = look_up(self._rows, patients, self._source, lock=True)
        new = [image for image in images_of(patients) if _known(image, known) is None]
        self._written.matched = sum(1 for image in images_of(patients)) - len(new)
        wanted = _needed(patients, new)
        self._make_projects(wanted, known)
        self._make_patients(wanted, known)
        self._make_studies(wanted, known)
        self._make_images(new, self._make_series(new, known))
        if self._plan.options.conflict is OnConflict.update:
            self._update(patients, known)
        return Step(self._written, self._items)

    def _make_projects(self, patients: list[PatientEntry], known: Known) -> None:
        names = {
            fold(p.project_name): p.project_name
            for p in patients
            if fold(p.project_name) not in known.projects
        }
        if names and not self._plan.options.create_projects:
            raise _gone("Project", *names.values())
        rows = [{"project_name": name, "external": "N"} for name in names.values()]
        ids = self._insert(Project, rows, key=("project_name",))
        known.projects.update(zip(names, ids, strict=True))

    def _make_patients(self, patients: list[PatientEntry], known: Known) -> None:
        look_up_patients(self._rows, known, patients, lock=True)
        missing: dict[tuple[int, str], PatientEntry] = {}
        for patient in patients:
            key = (known.projects[fold(patient.project_name)], fold(str(patient.identifier)))
            if key not in known.patients:
                missing.setdefault(key, patient)
        if missing and not self._plan.options.create_patients:
            raise _gone("Patient", *(str(p.identifier) for p in missing.values()))
        rows = [
            {
                "project_id": project_id,
                "patient_identifier": patient.identifier,
                **self._plan.columns_of_patient(patient),
            }
            for (project_id, _), patient in missing.items()
        ]
        ids = self._insert(Patient, rows, key=("patient_identifier", "project_id"))
        known.patients.update(zip(missing, ids, strict=True))

    def _make_studies(self, patients: list[PatientEntry], known: Known) -> None:
        missing: dict[tuple[int, Any], StudyEntry] = {}
        for patient in patients:
            for study in patient.studies:
                key = (_patient_id(patient, known), study.study_date)
                if key not in known.studies:
                    missing.setdefault(key, study)
        if missing and not self._plan.options.create_studies:
            raise _gone("Study", *(str(day) for _, day in missing))
        rows = [
            {"patient_id": patient_id, "study_date": day, **self._plan.columns_of_study(study)}
            for (patient_id, day), study in missing.items()
        ]
        ids = self._insert(Study, rows, key=("patient_id", "study_date"))
        known.studies.update(zip(missing, ids, strict=True))

    def _make_series(self, images: list[ImageEntry], known: Known) -> dict[int, int]:
        """Make the series of new images; return the SeriesID of each entry (by its `id`)."""
        entries = {id(image.series): image.series for image in images}
        found: dict[int, int] = {}
        missing: dict[Any, list[SeriesEntry]] = {}
        for entry in entries.values():
            there = _series_there(entry, known)
            if there is not None:
                found[id(entry)] = there
            else:
                uid = entry.columns.get("series_instance_uid")
                missing.setdefault(uid if uid is not None else id(entry), []).append(entry)
        studies = {_study_id(group[0].study, known) for group in missing.values()}
        self._rows.find(Study, "study_id", studies, ("study_id",), lock=True)
        rows = [
            {"study_id": _study_id(group[0].study, known), **group[0].columns}
            for group in missing.values()
        ]
        ids = self._insert(Series, rows, key=("study_id",))
        for group, series_id in zip(missing.values(), ids, strict=True):
            found.update({id(entry): series_id for entry in group})
        return found

    def _make_images(self, images: list[ImageEntry], series: dict[int, int]) -> None:
        if not images:
            return
        acquisition = Acquisition(self._rows, self._source, self._defaults)
        origins = acquisition.find_or_make(images)
        for name, ids in acquisition.made.items():
            self._note_made(entity_class(name), ids)
        rows = [
            {
                "dataset_identifier": image.identifier,
                "series_id": series[id(image.series)],
                "inactive": False,
                **image.columns,
                **origins[id(image)],
            }
            for image in images
        ]
        self._insert(ImageInstance, rows, key=("dataset_identifier", "source_info_id"))

    def _update(self, patients: list[PatientEntry], known: Known) -> None:
        wanted: dict[type[Entity], dict[int, Row]] = {
            Patient: {},
            Study: {},
            Series: {},
            ImageInstance: {},
        }
        for patient in patients:
            for study in patient.studies:
                for series in study.series:
                    for image in series.images:
                        found = _known(image, known)
                        if found is not None:
                            wanted[ImageInstance][found.image_id] = image.columns
                            wanted[Series].setdefault(found.series_id, {}).update(series.columns)
                wanted[Study][_study_id(study, known)] = self._plan.columns_of_study(study)
            wanted[Patient][_patient_id(patient, known)] = self._plan.columns_of_patient(patient)
        for entity, columns in wanted.items():
            self._change(entity, {row_id: given for row_id, given in columns.items() if given})

    def _change(self, entity: type[Entity], wanted: dict[int, Row]) -> None:
        """Write what differs from what the rows hold, and note what they held."""
        (key,) = entity.__entity__.primary_key
        names = sorted({name for columns in wanted.values() for name in columns})
        held = {
            row[0]: dict(zip(names, row[1:], strict=True))
            for row in self._rows.find(entity, key, wanted, (key, *names), lock=True)
        }
        changed = []
        for row_id, columns in wanted.items():
            before = held.get(row_id, {})
            differing = {n: v for n, v in columns.items() if n in before and before[n] != v}
            if differing:
                changed.append({key: row_id, **differing})
                was = {name: before[name] for name in differing}
                self._items.append(
                    ChangedRow(entity=entity.__name__, row_id=row_id, before=was, after=differing)
                )
        if changed:
            self._rows.update(entity, changed)
            self._written.changed[entity.__name__] = len(changed)

    def _insert(self, entity: type[Entity], rows: list[Row], *, key: tuple[str, ...]) -> list[int]:
        if not rows:
            return []
        names = {name for row in rows for name in row}
        ids: list[int] = self._rows.insert(
            entity, [{name: row.get(name) for name in names} for row in rows], key=key
        )
        self._note_made(entity, ids)
        return ids

    def _note_made(self, entity: type[Entity], ids: list[int]) -> None:
        self._written.made[entity.__name__] = self._written.made.get(entity.__name__, 0) + len(ids)
        self._items.extend(
            MadeRows(entity=entity.__name__, first_id=first, last_id=last)
            for first, last in runs_of(ids)
        )


def runs_of(ids: Iterable[int]) -> list[tuple[int, int]]:
    """Return the ids as runs (first, last) without gaps."""
    runs: list[tuple[int, int]] = []
    for identity in sorted(ids):
        if runs and identity == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], identity)
        else:
            runs.append((identity, identity))
    return runs


def _needed(patients: list[PatientEntry], new: list[ImageEntry]) -> list[PatientEntry]:
    """Return the patients with what has to be there: what new images hang on, and what stands
    in the records without any image.
    """
    series = {id(image.series) for image in new}
    needed = []
    for patient in patients:
        studies = [
            s for s in patient.studies if not s.series or any(id(x) in series for x in s.series)
        ]
        if studies or not patient.studies:
            kept = PatientEntry(
                patient.project_name, patient.identifier, patient.columns, patient.where, studies
            )
            needed.append(kept)
    return needed


def _known(image: ImageEntry, known: Known) -> KnownImage | None:
    return known.images.get((fold(image.origin.source_name or ""), fold(image.identifier)))


def _series_there(entry: SeriesEntry, known: Known) -> int | None:
    """Return the series that a new image goes to, where there is one."""
    if entry.series_id is not None:
        return entry.series_id
    by_uid = known.series_by_uid.get(str(entry.columns.get("series_instance_uid")))
    if by_uid is not None:
        return by_uid[0]
    siblings = (_known(image, known) for image in entry.images)
    return next((found.series_id for found in siblings if found is not None), None)


def _patient_id(patient: PatientEntry, known: Known) -> int:
    return known.patients[known.projects[fold(patient.project_name)], fold(str(patient.identifier))]


def _study_id(study: StudyEntry, known: Known) -> int:
    return known.studies[_patient_id(study.patient, known), study.study_date]


def _gone(entity: str, *names: str) -> NotFound:
    return NotFound(
        f"{entity} {', '.join(sorted(names)[:5])} was there when the plan was made and is gone; "
        "make the plan again",
        entity=entity,
    )
