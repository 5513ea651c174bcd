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
from eyened_domain.services.import_journal import ChangedRow, MadeRows
from eyened_domain.services.importing.acquisition import Acquisition
from eyened_domain.services.importing.changes import HeldOrigins, changes
from eyened_domain.services.importing.entries import (
    ImageEntry,
    PatientEntry,
    PatientKey,
    SeriesEntry,
    StudyEntry,
    StudyKey,
    images_of,
)
from eyened_domain.services.importing.lookups import (
    Known,
    default_source,
    look_up,
)
from eyened_domain.services.importing.options import ImportDefaults, OnConflict
from eyened_domain.services.importing.placing import Placement, match
from eyened_domain.services.importing.plan import ImportPlan
from eyened_domain.services.rows import Row
from eyened_domain.services.unit_of_work import UnitOfWork


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
    """Writes portions of a plan inside an open unit of work, one after the other.

    What the database holds is looked up again: since the plan was made, others may have
    written what it calls new. That is a match then, not an error.

    Args:
        uow: the open unit of work.
        plan: the plan.
        defaults: what the configuration says.
        lock: let one import at a time write images of the same source.
    """

    def __init__(
        self, uow: UnitOfWork, plan: ImportPlan, defaults: ImportDefaults, *, lock: bool = True
    ) -> None:
        self._rows = uow.rows
        self._plan = plan
        # First of all: one import at a time, and what the others wrote is seen from here on.
        self._sources: dict[str, int] = {}
        source = default_source(uow.rows, plan.options, defaults, self._sources, lock=lock)
        self._acquisition = Acquisition(uow.rows, defaults, source, self._sources)
        self._written = Written()
        self._items: list[MadeRows | ChangedRow] = []
        self._known = Known()

    def write(self, patients: list[PatientEntry]) -> Step:
        """Write a portion.

        Raises:
            NotFound: a project, patient, study, series or image is gone since the plan was made.
            BadInput: an image, or the series of a new one, is elsewhere by now.
            Conflict: somebody is writing the same rows; run it again.
        """
        images, known = images_of(patients), look_up(self._rows, patients, self._sources)
        self._written, self._items, self._known = Written(), [], known
        new = [image for image in images if image.key not in known.images]
        _require_not_gone(new)
        self._written.matched = len(images) - len(new)
        placement = self._matched(patients, new)
        wanted = _needed(patients, new)
        self._make_projects(wanted)
        self._make_patients(wanted)
        self._make_studies([study for patient in wanted for study in patient.studies])
        self._make_images(new, self._make_series(new, placement))
        if self._plan.options.conflict is OnConflict.update:
            self._update(patients)
        for name, ids in self._acquisition.take_made().items():
            self._note_made(entity_class(name), ids)
        return Step(self._written, self._items)

    def _matched(self, patients: list[PatientEntry], new: list[ImageEntry]) -> Placement:
        """Decide again where everything belongs, by what is there now."""
        filled = {id(image.series): image.series for image in new}
        ids = {one.placed_id for one in filled.values() if one.placed_id is not None}
        gone = ids - self._known.series.keys()
        if gone:
            raise _gone("Series", map(str, gone))
        placement = match(patients, self._known, self._plan.options)
        for entry, error in placement.refused:
            if isinstance(entry, ImageEntry) or id(entry) in filled:
                raise error
        return placement

    def _make_projects(self, patients: list[PatientEntry]) -> None:
        missing: dict[str, str] = {}
        for patient in patients:
            if patient.key[0] not in self._known.projects:
                missing.setdefault(patient.key[0], patient.project_name)
        if missing and not self._plan.options.create_projects:
            raise _gone("Project", missing.values())
        rows = [{"project_name": name, "external": "N"} for name in missing.values()]
        ids = self._insert(Project, rows, key=("project_name",))
        self._known.projects.update(zip(missing, ids, strict=True))

    def _make_patients(self, patients: list[PatientEntry]) -> None:
        missing: dict[PatientKey, PatientEntry] = {}
        for patient in patients:
            if patient.key not in self._known.patients:
                missing.setdefault(patient.key, patient)
        if missing and not self._plan.options.create_patients:
            raise _gone("Patient", (str(patient.identifier) for patient in missing.values()))
        rows = [
            {
                "project_id": self._known.projects[project],
                "patient_identifier": patient.identifier,
                **self._plan.columns_of(patient),
            }
            for (project, _), patient in missing.items()
        ]
        ids = self._insert(Patient, rows, key=("patient_identifier", "project_id"))
        self._known.patients.update(zip(missing, ids, strict=True))

    def _make_studies(self, studies: list[StudyEntry]) -> None:
        missing: dict[StudyKey, StudyEntry] = {}
        for study in studies:
            if study.key not in self._known.studies:
                missing.setdefault(study.key, study)
        if missing and not self._plan.options.create_studies:
            raise _gone("Study", (str(day) for *_, day in missing))
        rows = [
            {
                "patient_id": self._known.patients[study.patient.key],
                "study_date": study.study_date,
                **self._plan.columns_of(study),
            }
            for study in missing.values()
        ]
        ids = self._insert(Study, rows, key=("patient_id", "study_date"))
        self._known.studies.update(zip(missing, ids, strict=True))

    def _make_series(self, images: list[ImageEntry], placement: Placement) -> dict[int, int]:
        """Make the series of new images; return the SeriesID of each entry (by its `id`)."""
        found: dict[int, int] = {}
        missing: dict[Any, list[SeriesEntry]] = {}
        for number, entry in {id(image.series): image.series for image in images}.items():
            there = placement.series[number]
            if there is not None:
                found[number] = there
            else:
                missing.setdefault(entry.uid or number, []).append(entry)
        rows = [
            {"study_id": self._known.studies[group[0].study.key], **self._plan.columns_of(group[0])}
            for group in missing.values()
        ]
        ids = self._insert(Series, rows, key=("study_id",))
        for group, series_id in zip(missing.values(), ids, strict=True):
            found.update({id(entry): series_id for entry in group})
        return found

    def _make_images(self, images: list[ImageEntry], series: dict[int, int]) -> None:
        if not images:
            return
        keys = self._acquisition.find_or_make([(image.origin, image.columns) for image in images])
        names = {name for image in images for name in image.columns}
        blank: Row = {**dict.fromkeys(names), "inactive": False}
        rows = [
            {
                **blank,
                **key,
                **image.columns,
                "dataset_identifier": image.identifier,
                "series_id": series[id(image.series)],
            }
            for image, key in zip(images, keys, strict=True)
        ]
        self._note_made(
            ImageInstance,
            self._rows.insert(ImageInstance, rows, key=("dataset_identifier", "source_info_id")),
        )

    def _update(self, patients: list[PatientEntry]) -> None:
        images: dict[int, ImageEntry] = {}
        wanted: dict[type[Entity], dict[int, Row]] = {Patient: {}, Study: {}, Series: {}}
        for patient in patients:
            wanted[Patient][self._patient_id(patient)] = self._plan.columns_of(patient)
            for study in patient.studies:
                wanted[Study][self._study_id(study)] = self._plan.columns_of(study)
                for series in study.series:
                    if series.placed_id is not None:
                        columns = wanted[Series].setdefault(series.placed_id, {})
                        columns.update(self._plan.columns_of(series))
                    for image in series.images:
                        found = self._known.images.get(image.key)
                        if found is not None:
                            images[found.image_id] = image
        for entity, by_id in wanted.items():
            self._change(entity, {row_id: given for row_id, given in by_id.items() if given})
        self._change(ImageInstance, self._wanted_of_images(images))

    def _wanted_of_images(self, images: dict[int, ImageEntry]) -> dict[int, Row]:
        """Return what images that are there are to hold, with the ids of what they refer to."""
        held = HeldOrigins(self._rows, images)
        changing = changes(self._rows, ImageInstance, _columns(images))
        remade = {i: one for i, one in images.items() if "modality" in changing.get(i, ((), ()))[1]}
        moved = {i: one for i, one in images.items() if held.differing(i, one.origin)}
        both = remade | moved
        origins = [held.completed(i, one.origin) for i, one in both.items()]
        pairs = zip(origins, (one.columns for one in both.values()), strict=True)
        wanted = _columns(images)
        for image_id, keys in zip(both, self._acquisition.find_or_make([*pairs]), strict=True):
            names = {"device_instance_id", "scan_id"} if image_id in moved else set()
            names |= {"modality_id"} if image_id in remade else set()
            wanted[image_id] = {**{name: keys[name] for name in names}, **wanted[image_id]}
        return wanted

    def _change(self, entity: type[Entity], wanted: dict[int, Row]) -> None:
        """Write what differs from what the rows hold, and note what they held."""
        (key,) = entity.__entity__.primary_key
        found = changes(self._rows, entity, wanted, lock=True)
        if not found:
            return
        self._rows.update(entity, [{key: row_id, **new} for row_id, (_, new) in found.items()])
        self._written.changed[entity.__name__] = len(found)
        self._items += [
            ChangedRow(entity=entity.__name__, row_id=row_id, before=before, after=after)
            for row_id, (before, after) in found.items()
        ]

    def _insert(self, entity: type[Entity], rows: list[Row], *, key: tuple[str, ...]) -> list[int]:
        if not rows:
            return []
        blank: Row = dict.fromkeys(name for row in rows for name in row)
        ids: list[int] = self._rows.insert(entity, [{**blank, **row} for row in rows], key=key)
        self._note_made(entity, ids)
        return ids

    def _note_made(self, entity: type[Entity], ids: list[int]) -> None:
        self._written.made[entity.__name__] = self._written.made.get(entity.__name__, 0) + len(ids)
        self._items += [
            MadeRows(entity=entity.__name__, first_id=first, last_id=last)
            for first, last in runs_of(ids)
        ]

    def _patient_id(self, patient: PatientEntry) -> int:
        found = self._known.patients.get(patient.key)
        if found is None:
            raise _gone("Patient", [str(patient.identifier)])
        return found

    def _study_id(self, study: StudyEntry) -> int:
        found = self._known.studies.get(study.key)
        if found is None:
            raise _gone("Study", [str(study.study_date)])
        return found


def runs_of(ids: Iterable[int]) -> list[tuple[int, int]]:
    """Return the ids as runs (first, last) without gaps."""
    runs: list[tuple[int, int]] = []
    for identity in sorted(ids):
        if runs and identity == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], identity)
        else:
            runs.append((identity, identity))
    return runs


def _columns(images: dict[int, ImageEntry]) -> dict[int, Row]:
    return {image_id: image.columns for image_id, image in images.items()}


def _needed(patients: list[PatientEntry], new: list[ImageEntry]) -> list[PatientEntry]:
    """Return the patients with what has to be there.

    That is what new images hang on, and what stands in the records without any image.
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


def _require_not_gone(new: list[ImageEntry]) -> None:
    """Refuse images that were there when the plan was made: their files were not looked at."""
    gone = [image.identifier for image in new if image.exists]
    if gone:
        raise _gone("ImageInstance", gone)


def _gone(entity: str, names: Iterable[str]) -> NotFound:
    return NotFound(
        f"{entity} {', '.join(sorted(names)[:5])} was there when the plan was made and is gone; "
        "make the plan again",
        entity=entity,
    )
