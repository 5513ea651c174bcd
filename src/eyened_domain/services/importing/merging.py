"""Puts together what several records say of one patient, study or series; counts the result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from eyened_domain.errors import BadInput
from eyened_domain.model.entity import Entity
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.patient import Patient
from eyened_domain.model.study import Series, Study
from eyened_domain.services.importing.changes import HeldOrigins, differing, held_columns
from eyened_domain.services.importing.entries import (
    ImageEntry,
    PatientEntry,
    SeriesEntry,
    StudyEntry,
    images_of,
)
from eyened_domain.services.importing.lookups import Known
from eyened_domain.services.importing.plan import ImportPlan
from eyened_domain.services.importing.tally import Tally
from eyened_domain.services.rows import Row, Rows

Entry = PatientEntry | StudyEntry | SeriesEntry


class Merging:
    """The last step of planning a portion: its entries are good, and become part of the plan.

    Args:
        plan: what they become part of.
        tally: counts them.
        known: what of them is there already.
    """

    def __init__(self, plan: ImportPlan, tally: Tally, known: Known) -> None:
        self._plan = plan
        self._tally = tally
        self._known = known
        self._held: dict[type[Entity], dict[int, Row]] = {}
        self._origins: HeldOrigins | None = None

    def check(self, entry: Entry) -> None:
        """Refuse an entry that contradicts an earlier one of the same patient, study or series.

        Raises:
            BadInput: naming the column and both values.
        """
        if not entry.columns or entry.key is None:
            return
        merged = self._plan.shared.get(entry.key, {})
        for name, value in entry.columns.items():
            if merged.get(name, value) != value:
                what = type(entry).__name__.removesuffix("Entry")
                raise BadInput(
                    f"{what}.{name}: {_shown(value)} here, {_shown(merged[name])} in an earlier "
                    f"record of the same {what.lower()}",
                    field=name,
                )

    def take(self, entry: Entry) -> None:
        """Put what an entry says together with what earlier ones said."""
        if not entry.columns:
            return
        self._count_columns(entry)
        if entry.key is not None:
            self._plan.shared.setdefault(entry.key, {}).update(entry.columns)
            if not isinstance(entry, SeriesEntry):  # its UID is in the columns
                entry.columns = {}

    def look_at_rows(self, rows: Rows, patients: list[PatientEntry]) -> None:
        """Look up what the rows hold that the entries would change (`conflict = update`)."""
        wanted: dict[type[Entity], dict[int, Row]] = {
            Patient: {},
            Study: {},
            Series: {},
            ImageInstance: {},
        }
        for entry in _entries(patients):
            entity, row_id = self._row_of(entry)
            if row_id is not None and entry.columns:
                wanted[entity][row_id] = {**wanted[entity].get(row_id, {}), **entry.columns}
        self._held = {entity: held_columns(rows, entity, ids) for entity, ids in wanted.items()}
        there = [image for image in images_of(patients) if image.exists]
        self._origins = HeldOrigins(rows, [self._known.images[one.key].image_id for one in there])

    def count(self, patients: list[PatientEntry]) -> None:
        """Count the entries of a portion, each patient, study and series once."""
        for patient in patients:
            project = patient.key[0]
            new = project not in self._known.projects
            if self._tally.count("Project", (project,), new=new) and new:
                self._tally.fill("Project", ("project_name",), new=True)
            self._count("Patient", patient, patient.key, "patient_identifier")
            for study in patient.studies:
                self._count("Study", study, study.key, "study_date")
                self._count_series(study.series)
        images = images_of(patients)
        self._count_new([image for image in images if not image.exists])
        self._count_existing([image for image in images if image.exists])

    def _count(self, name: str, entry: Entry, key: tuple[Any, ...], *always: str) -> None:
        new = self._row_of(entry)[1] is None
        if self._tally.count(name, key, new=new) and new:
            self._tally.fill(name, always, new=True)

    def _count_series(self, series: list[SeriesEntry]) -> None:
        known = [one for one in series if one.placed_id is not None or one.uid is not None]
        for one in known:
            self._count("Series", one, (one.placed_id or one.uid,))
        self._tally.add("Series", new=len(series) - len(known))

    def _count_new(self, images: list[ImageEntry]) -> None:
        self._tally.add("ImageInstance", new=len(images))
        for names, times in Counter(tuple(image.columns) for image in images).items():
            self._tally.fill("ImageInstance", ("dataset_identifier", *names), new=True, times=times)

    def _count_existing(self, images: list[ImageEntry]) -> None:
        self._tally.add("ImageInstance", existing=len(images))
        if self._origins is None:
            return
        for image in images:
            row_id = self._known.images[image.key].image_id
            held = self._held[ImageInstance].get(row_id, {})
            names = {*differing(held, image.columns)}
            names |= self._origins.differing(row_id, image.origin).keys()
            self._tally.fill("ImageInstance", names, new=False)

    def _count_columns(self, entry: Entry) -> None:
        merged = self._plan.shared.get(entry.key, {}) if entry.key is not None else {}
        fresh = {name: value for name, value in entry.columns.items() if name not in merged}
        if not fresh:
            return
        entity, row_id = self._row_of(entry)
        if row_id is not None:
            fresh = differing(self._held.get(entity, {}).get(row_id, {}), fresh)
        self._tally.fill(entity.__name__, fresh, new=row_id is None)

    def _row_of(self, entry: Entry | ImageEntry) -> tuple[type[Entity], int | None]:
        if isinstance(entry, PatientEntry):
            return Patient, self._known.patients.get(entry.key)
        if isinstance(entry, StudyEntry):
            return Study, self._known.studies.get(entry.key)
        if isinstance(entry, SeriesEntry):
            return Series, entry.placed_id
        found = self._known.images.get(entry.key)
        return ImageInstance, None if found is None else found.image_id


def _entries(patients: list[PatientEntry]) -> Iterator[Entry | ImageEntry]:
    for patient in patients:
        yield patient
        for study in patient.studies:
            yield study
            for series in study.series:
                yield series
                yield from series.images


def _shown(value: Any) -> str:
    return str(getattr(value, "name", value))[:60]
