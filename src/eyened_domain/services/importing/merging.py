"""Puts together what several records say of one patient, study or series; counts the result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from eyened_domain.errors import BadInput
from eyened_domain.model.entity import Entity
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.patient import Patient
from eyened_domain.model.study import Series, Study
from eyened_domain.services.importing.changes import (
    HeldOrigins,
    differing,
    held_columns,
    wanted_rows,
)
from eyened_domain.services.importing.entries import (
    Columns,
    Entry,
    ImageEntry,
    PatientEntry,
    Refusal,
    images_of,
    rebuilt,
)
from eyened_domain.services.importing.lookups import Known
from eyened_domain.services.importing.plan import ImportPlan
from eyened_domain.services.row_shapes import Row
from eyened_domain.services.rows import Rows


class Merging:
    """The last step of planning: entries are good, and become part of the plan.

    Args:
        plan: what they become part of.
    """

    def __init__(self, plan: ImportPlan) -> None:
        self._plan = plan
        self._counted: set[int] = set()
        self._held: dict[type[Entity], dict[int, Row]] = {}
        self._origins: HeldOrigins | None = None

    def look_at_rows(self, rows: Rows, patients: list[PatientEntry], known: Known) -> None:
        """Look up what the rows hold that the entries would change (`conflict = update`)."""
        wanted = wanted_rows(patients, known, lambda _key, columns: columns)
        self._held = {entity: held_columns(rows, entity, ids) for entity, ids in wanted.items()}
        there = [image for image in images_of(patients) if image.exists]
        self._origins = HeldOrigins(rows, [known.images[one.key].image_id for one in there])

    def merge(
        self, patients: Iterable[PatientEntry], known: Known, left_out: Collection[Entry]
    ) -> Iterator[Refusal]:
        """Put together what entries and earlier ones say; give those that contradict them.

        Args:
            patients: the entries.
            known: what is there.
            left_out: takes up what is given here, before the next is asked for.
        """
        for patient in patients:
            key = patient.key
            error = self._contradiction(Patient, key, patient.columns)
            if error is not None:
                yield patient, error
                continue
            for study in patient.studies:
                key_of_study = patient.key_of(study)
                error = self._contradiction(Study, key_of_study, study.columns)
                if error is not None:
                    yield study, error
                    continue
                self._take(Study, key_of_study, study.columns, known.studies.get(key_of_study))
                for series in study.series:
                    if series.columns:
                        uid = series.uid
                        error = self._contradiction(Series, uid, series.columns)
                        if error is None:
                            self._take(Series, uid, series.columns, series.placed_id)
                        else:
                            yield series, error
            if any(rebuilt([patient], left_out)):
                self._take(Patient, key, patient.columns, known.patients.get(key))

    def _contradiction(self, entity: type[Entity], key: Any, columns: Columns) -> BadInput | None:
        merged = self._plan.all_of(key, {})
        for name, value in columns.items():
            if merged.get(name, value) != value:
                what = entity.__name__
                return BadInput(
                    f"{what}.{name}: {_shown(value)} here, {_shown(merged[name])} in an earlier "
                    f"record of the same {what.lower()}",
                    field=name,
                )
        return None

    def _take(self, entity: type[Entity], key: Any, columns: Columns, row_id: int | None) -> None:
        """Put what an entry says together with what earlier ones said; count what is new."""
        merged = self._plan.all_of(key, {})
        fresh = {name: value for name, value in columns.items() if name not in merged}
        if not fresh:
            return
        if key is not None:
            self._plan.shared[key] = {**merged, **fresh} if merged else columns
        level = self._plan.levels[entity.__name__]
        if row_id is None:
            level.filled.update(fresh.keys())
        else:
            held = self._held.get(entity, {}).get(row_id, {})
            level.changed.update(differing(held, fresh).keys())

    def count(self, patients: list[PatientEntry], known: Known) -> None:
        """Count the entries of a portion, each patient, study and series once."""
        for patient in patients:
            key = patient.key
            self._count("Project", key[0], known.projects.get(key[0]), "project_name")
            self._count("Patient", key, known.patients.get(key), "patient_identifier")
            for study in patient.studies:
                key_of_study = patient.key_of(study)
                row_id = known.studies.get(key_of_study)
                self._count("Study", key_of_study, row_id, "study_date")
                for series in study.series:
                    self._count("Series", series.placed_id or series.uid, series.placed_id)
        images = images_of(patients)
        self._count_new([image for image in images if not image.exists])
        self._count_existing([image for image in images if image.exists], known)

    def _count(self, name: str, key: Any, row_id: int | None, *filled: str) -> None:
        """Count a row, once for each key; without one it is named once only."""
        digest = hash((name, key))
        if key is not None and digest in self._counted:
            return
        self._counted.add(digest)
        level = self._plan.levels[name]
        level.existing += row_id is not None
        level.new += row_id is None
        if row_id is None:
            level.filled.update(filled)

    def _count_new(self, images: list[ImageEntry]) -> None:
        level = self._plan.levels["ImageInstance"]
        level.new += len(images)
        for names, times in Counter(tuple(image.columns) for image in images).items():
            for name in ("dataset_identifier", *names):
                level.filled[name] += times

    def _count_existing(self, images: list[ImageEntry], known: Known) -> None:
        level = self._plan.levels["ImageInstance"]
        level.existing += len(images)
        if self._origins is None:
            return
        for image in images:
            row_id = known.images[image.key].image_id
            held = self._held.get(ImageInstance, {}).get(row_id, {})
            names = differing(held, image.columns) | self._origins.differing(row_id, image.origin)
            level.changed.update(names.keys())


def _shown(value: Any) -> str:
    return str(getattr(value, "name", value))[:60]
