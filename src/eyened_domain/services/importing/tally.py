"""Counts what a plan would do at each level, each patient, study and series once."""

from __future__ import annotations

from eyened_domain.services.importing.lookups import Known
from eyened_domain.services.importing.options import OnConflict
from eyened_domain.services.importing.plan import ImportPlan, Level, fold, patient_key, study_key
from eyened_domain.services.importing.records import (
    ImageEntry,
    PatientEntry,
    SeriesEntry,
    StudyEntry,
)


class Tally:
    """The counts of one plan.

    Args:
        plan: whose levels are filled in.
    """

    def __init__(self, plan: ImportPlan) -> None:
        self._plan = plan
        self._counted: set[int] = set()

    def skip_image(self) -> None:
        """Count an image that is left out."""
        self._level("ImageInstance").skipped += 1

    def skip_study(self, study: StudyEntry) -> None:
        """Count a study that is left out, with its images."""
        self._level("Study").skipped += 1
        self._level("ImageInstance").skipped += sum(len(one.images) for one in study.series)

    def skip_patient(self, patient: PatientEntry) -> None:
        """Count a patient who is left out, with all that hangs there."""
        self._level("Patient").skipped += 1
        for study in patient.studies:
            self.skip_study(study)

    def count(self, patient: PatientEntry, known: Known) -> None:
        """Count a patient's entries."""
        project_id = known.projects.get(fold(patient.project_name))
        if self._first("project", fold(patient.project_name)):
            self._add("Project", new=project_id is None, columns={"project_name": 1})
        patient_id = None
        if project_id is not None:
            patient_id = known.patients.get((project_id, fold(str(patient.identifier))))
        if self._first("patient", *patient_key(patient)):
            columns = self._plan.columns_of_patient(patient)
            self._add("Patient", patient_id is None, {"patient_identifier": 1, **columns})
        for study in patient.studies:
            self._count_study(study, patient_id, known)

    def _count_study(self, study: StudyEntry, patient_id: int | None, known: Known) -> None:
        study_id = None
        if patient_id is not None:
            study_id = known.studies.get((patient_id, study.study_date))
        if self._first("study", *study_key(study)):
            columns = self._plan.columns_of_study(study)
            self._add("Study", study_id is None, {"study_date": 1, **columns})
        for series in study.series:
            self._count_series(series, known)

    def _count_series(self, series: SeriesEntry, known: Known) -> None:
        uid = series.columns.get("series_instance_uid")
        new = (
            series.series_id is None
            and uid not in known.series_by_uid
            and not any(image.exists for image in series.images)
        )
        if uid is None or self._first("series", uid):
            self._add("Series", new, series.columns)
        for image in series.images:
            self._count_image(image)

    def _count_image(self, image: ImageEntry) -> None:
        if image.exists and self._plan.options.conflict is OnConflict.skip:
            self.skip_image()
            return
        self._add("ImageInstance", not image.exists, {"dataset_identifier": 1, **image.columns})

    def _add(self, name: str, new: bool, columns: dict[str, object]) -> None:
        level = self._level(name)
        if new:
            level.new += 1
            level.filled.update(columns.keys())
        else:
            level.existing += 1
            if self._plan.options.conflict is OnConflict.update:
                level.changed.update(
                    columns.keys()
                    - {"project_name", "patient_identifier", "study_date", "dataset_identifier"}
                )

    def _first(self, *key: object) -> bool:
        """Whether this is the first time that something with this key is counted."""
        digest = hash(key)
        if digest in self._counted:
            return False
        self._counted.add(digest)
        return True

    def _level(self, name: str) -> Level:
        return self._plan.levels[name]
