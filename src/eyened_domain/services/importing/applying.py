"""Writes a plan: portion by portion, whole sets of rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from attrs import define, field, frozen

from eyened_domain.errors import NotFound
from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.patient import Patient
from eyened_domain.model.project import Project
from eyened_domain.model.study import Series, Study
from eyened_domain.services.import_journal import ChangedRow, MadeRows
from eyened_domain.services.importing.acquisition import Acquisition
from eyened_domain.services.importing.changes import HeldOrigins, changes, wanted_rows
from eyened_domain.services.importing.entries import (
    ImageEntry,
    PatientEntry,
    PatientKey,
    StudyKey,
    changed,
    images_of,
    rebuilt,
    series_of,
)
from eyened_domain.services.importing.lookups import (
    Known,
    default_source,
    look_up,
)
from eyened_domain.services.importing.options import ImportDefaults, OnConflict
from eyened_domain.services.importing.placing import match
from eyened_domain.services.importing.plan import ImportPlan
from eyened_domain.services.row_shapes import Row, runs_of
from eyened_domain.services.unit_of_work import UnitOfWork

K = TypeVar("K")


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
        known = look_up(self._rows, patients, self._sources)
        self._written, self._items, self._known = Written(), [], known
        wanted = self._matched(patients)
        new = images_of(wanted)
        self._written.matched = len(images_of(patients)) - len(new)
        self._make_projects(wanted)
        self._make_patients(wanted)
        self._make_studies(wanted)
        self._make_images(new, self._make_series(wanted))
        if self._plan.options.conflict is OnConflict.update:
            self._update(patients)
        for name, ids in self._acquisition.take_made().items():
            self._note_made(entity_class(name), ids)
        return Step(self._written, self._items)

    def _matched(self, patients: list[PatientEntry]) -> list[PatientEntry]:
        """Return what has to be there, with the new images, in the series where they belong.

        That is decided again by what is there now. What stands in the records without any image
        has to be there as well.
        """
        known = self._known
        images = images_of(patients)
        new = {image for image in images if image.key not in known.images}
        seen = [image.identifier for image in new if image.exists]
        if seen:  # their files were not looked at
            raise _gone("ImageInstance", seen)
        filled = {one for one in series_of(patients) if not new.isdisjoint(one.images)}
        ids = {one.placed_id for one in filled} - {None}
        if not ids <= known.series.keys():
            raise _gone("Series", map(str, ids - known.series.keys()))
        placement = match(patients, known, self._plan.options)
        for entry, error in placement.refused:
            if isinstance(entry, ImageEntry) or entry in filled:
                raise error
        found = placement.series
        there = {image for image in images if image not in new}
        return [*rebuilt(patients, there, lambda one: changed(one, found_id=found.get(one)))]

    def _make_projects(self, patients: list[PatientEntry]) -> None:
        missing: dict[str, Row] = {}
        for patient in patients:
            if patient.key[0] not in self._known.projects:
                row = {"project_name": patient.project_name, "external": "N"}
                missing.setdefault(patient.key[0], row)
        if missing and not self._plan.options.create_projects:
            raise _gone("Project", (row["project_name"] for row in missing.values()))
        self._known.projects.update(self._make(Project, missing, ("project_name",)))

    def _make_patients(self, patients: list[PatientEntry]) -> None:
        missing: dict[PatientKey, Row] = {}
        for patient in patients:
            key = patient.key
            if key not in self._known.patients and key not in missing:
                missing[key] = {
                    "project_id": self._known.projects[key[0]],
                    "patient_identifier": patient.identifier,
                    **self._plan.all_of(key, patient.columns),
                }
        if missing and not self._plan.options.create_patients:
            raise _gone("Patient", (str(row["patient_identifier"]) for row in missing.values()))
        by = ("patient_identifier", "project_id")
        self._known.patients.update(self._make(Patient, missing, by))

    def _make_studies(self, patients: list[PatientEntry]) -> None:
        missing: dict[StudyKey, Row] = {}
        for patient, study in ((one, study) for one in patients for study in one.studies):
            key = patient.key_of(study)
            if key not in self._known.studies and key not in missing:
                missing[key] = {
                    "patient_id": self._known.patients[patient.key],
                    "study_date": study.study_date,
                    **self._plan.all_of(key, study.columns),
                }
        if missing and not self._plan.options.create_studies:
            raise _gone("Study", (str(row["study_date"]) for row in missing.values()))
        self._known.studies.update(self._make(Study, missing, ("patient_id", "study_date")))

    def _make_series(self, patients: list[PatientEntry]) -> list[int]:
        """Make the series that are not there; return the SeriesID of each image, in order."""
        missing: dict[Any, Row] = {}
        for patient, study in ((one, study) for one in patients for study in one.studies):
            study_id = self._known.studies[patient.key_of(study)]
            for series in study.series:
                uid = series.uid
                if series.placed_id is None:
                    row = {"study_id": study_id, **self._plan.all_of(uid, series.columns)}
                    missing.setdefault(uid or series, row)
        made = self._make(Series, missing, ("study_id",))
        return [
            made[series.uid or series] if series.placed_id is None else series.placed_id
            for series in series_of(patients)
            for _ in series.images
        ]

    def _make_images(self, images: list[ImageEntry], series: list[int]) -> None:
        if not images:
            return
        keys = self._acquisition.find_or_make([(image.origin, image.columns) for image in images])
        missing: dict[ImageEntry, Row] = {
            image: {
                "inactive": False,
                **key,
                **image.columns,
                "dataset_identifier": image.identifier,
                "series_id": series_id,
            }
            for image, key, series_id in zip(images, keys, series, strict=True)
        }
        self._make(ImageInstance, missing, ("dataset_identifier", "source_info_id"))

    def _make(
        self, entity: type[Entity], missing: Mapping[K, Row], by: tuple[str, ...]
    ) -> dict[K, int]:
        """Make rows and note them; return the id of each."""
        if not missing:
            return {}
        rows = [*missing.values()]
        names = {tuple(row): None for row in rows}
        if len(names) > 1:
            blank: Row = dict.fromkeys(name for some in names for name in some)
            rows = [{**blank, **row} for row in rows]
        ids = self._rows.insert(entity, rows, key=by)
        self._note_made(entity, ids)
        return dict(zip(missing, ids, strict=True))

    def _update(self, patients: list[PatientEntry]) -> None:
        wanted = wanted_rows(patients, self._known, self._plan.all_of)
        of_images = wanted.pop(ImageInstance, {})
        for entity, by_id in wanted.items():
            self._change(entity, by_id)
        images = {
            self._known.images[image.key].image_id: image
            for image in images_of(patients)
            if image.key in self._known.images
        }
        self._change(ImageInstance, self._wanted_of_images(images, of_images))

    def _wanted_of_images(
        self, images: dict[int, ImageEntry], wanted: dict[int, Row]
    ) -> dict[int, Row]:
        """Return what images that are there are to hold, with the ids of what they refer to."""
        held = HeldOrigins(self._rows, images)
        changing = changes(self._rows, ImageInstance, wanted)
        remade = {i: one for i, one in images.items() if "modality" in changing.get(i, ((), ()))[1]}
        moved = {i: one for i, one in images.items() if held.differing(i, one.origin)}
        both = remade | moved
        pairs = [(held.completed(i, one.origin), one.columns) for i, one in both.items()]
        for image_id, keys in zip(both, self._acquisition.find_or_make(pairs), strict=True):
            names = {"device_instance_id", "scan_id"} if image_id in moved else set()
            names |= {"modality_id"} if image_id in remade else set()
            said = wanted.get(image_id, {})
            wanted[image_id] = {**{name: keys[name] for name in names}, **said}
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

    def _note_made(self, entity: type[Entity], ids: list[int]) -> None:
        self._written.made[entity.__name__] = self._written.made.get(entity.__name__, 0) + len(ids)
        self._items += [
            MadeRows(entity=entity.__name__, first_id=first, last_id=last)
            for first, last in runs_of(ids)
        ]


def _gone(entity: str, names: Iterable[str]) -> NotFound:
    return NotFound(
        f"{entity} {', '.join(sorted(names)[:5])} was there when the plan was made and is gone; "
        "make the plan again",
        entity=entity,
    )
