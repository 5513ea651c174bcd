"""Counts what a plan would do at each level, each patient, study and series once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from eyened_domain.services.importing.entries import PatientEntry, StudyEntry
from eyened_domain.services.importing.plan import ImportPlan


class Tally:
    """The counts of one plan.

    Args:
        plan: whose levels are filled in.
    """

    def __init__(self, plan: ImportPlan) -> None:
        self._levels = plan.levels
        self._counted: set[int] = set()

    def skip_images(self, count: int) -> None:
        """Count images that are left out."""
        self._levels["ImageInstance"].skipped += count

    def skip_study(self, study: StudyEntry) -> None:
        """Count a study that is left out, with its images."""
        self._levels["Study"].skipped += 1
        self.skip_images(sum(image.good for one in study.series for image in one.images))

    def skip_patient(self, patient: PatientEntry) -> None:
        """Count a patient who is left out, with all that hangs there."""
        self._levels["Patient"].skipped += 1
        for study in patient.studies:
            self.skip_study(study)

    def count(self, name: str, key: tuple[Any, ...], *, new: bool) -> bool:
        """Count a row of a level, once for each key; return whether it was the first time."""
        digest = hash((name, key))
        if digest in self._counted:
            return False
        self._counted.add(digest)
        level = self._levels[name]
        level.new += new
        level.existing += not new
        return True

    def add(self, name: str, *, new: int = 0, existing: int = 0) -> None:
        """Count rows of a level that are named once only."""
        level = self._levels[name]
        level.new += new
        level.existing += existing

    def fill(self, name: str, columns: Iterable[str], *, new: bool, times: int = 1) -> None:
        """Count the columns that rows get: new ones, or ones that exist and change."""
        level = self._levels[name]
        counts = level.filled if new else level.changed
        for column in columns:
            counts[column] += times
