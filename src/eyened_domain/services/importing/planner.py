"""Makes the plan of an import: reads the records, looks, and writes nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import Executor
from typing import Any, TypeVar

from eyened_domain.errors import BadInput, FileMissing, StorageError
from eyened_domain.model.names import fold
from eyened_domain.services.image_files import ImageFiles
from eyened_domain.services.importing.columns import check_name
from eyened_domain.services.importing.entries import (
    ImageEntry,
    PatientEntry,
    SeriesEntry,
    StudyEntry,
    images_of,
    join,
    note,
    prune,
    series_of,
)
from eyened_domain.services.importing.headers import FileReader
from eyened_domain.services.importing.lookups import (
    Known,
    default_source,
    look_up,
    look_up_references,
    look_up_series,
)
from eyened_domain.services.importing.merging import Merging
from eyened_domain.services.importing.options import ImportDefaults, ImportOptions, OnConflict
from eyened_domain.services.importing.placing import SeenUids, match
from eyened_domain.services.importing.plan import ImportPlan
from eyened_domain.services.importing.records import RecordReader
from eyened_domain.services.importing.tally import Tally
from eyened_domain.services.progress import Progress
from eyened_domain.services.storage import Storage

IMAGES_PER_PORTION = 10_000
"""Each portion costs a fixed number of statements."""
FILES_AT_A_TIME = 1000
"""How many files are read between two calls of `progress`."""
T = TypeVar("T")


class Planner:
    """Plans one import.

    Args:
        storage: where the rows are.
        files: where the images are.
        defaults: what the configuration says.
        options: how the import is done.
        executor: reads the files; by default this thread does.
    """

    def __init__(
        self,
        storage: Storage,
        files: ImageFiles,
        defaults: ImportDefaults,
        options: ImportOptions,
        executor: Executor | None = None,
    ) -> None:
        self._storage = storage
        self._files = files
        self._file_reader = FileReader(files, executor)
        self._defaults = defaults
        self._options = options
        self._reader = RecordReader(defaults.study_date)
        self._plan = ImportPlan(options=options)
        self._plan.errors = self._reader.errors
        self._tally = Tally(self._plan)
        self._uids = SeenUids()
        self._seen: dict[int, str] = {}
        self._source = ""
        self._sources: dict[str, int] = {}
        self._tell: Callable[[int, int], None] = lambda _done, _files: None

    def plan(
        self, records: Iterable[Any], *, source: str | None = None, progress: Progress | None = None
    ) -> ImportPlan:
        """Return the plan for the records; they are read once, in portions."""
        self._plan.source = source
        with self._storage.unit_of_work() as uow:
            self._source = default_source(uow.rows, self._options, self._defaults, self._sources)
        total = len(records) if isinstance(records, Sized) else None
        before = 0
        for done, portion in self._portions(records):
            if progress is not None:
                self._tell = _told_of_files(progress, before, done, total)
            self._plan_portion(portion)
            if progress is not None:
                progress(done, total)
            before = done
        return self._plan

    def _portions(self, records: Iterable[Any]) -> Iterator[tuple[int, list[PatientEntry]]]:
        portion: list[PatientEntry] = []
        size = number = 0
        for number, record in enumerate(records, start=1):
            entry = self._reader.read(number, record)
            if entry is None:
                continue
            size += max(1, sum(len(s.images) for study in entry.studies for s in study.series))
            join(portion, entry)
            if size >= IMAGES_PER_PORTION:
                yield number, portion
                portion, size = [], 0
        yield number, portion

    def _plan_portion(self, patients: list[PatientEntry]) -> None:
        self._try_images(images_of(patients), self._identify)
        patients = prune(patients)
        known = self._look_up(patients)
        patients = [patient for patient in patients if self._is_allowed(patient, known)]
        self._place(patients, known)
        patients = prune(patients)
        images = [image for image in images_of(patients) if self._is_read(image)]
        self._read_files(images)
        patients = prune(patients)
        with self._storage.unit_of_work() as uow:
            look_up_series(uow.rows, known, patients)
            look_up_references(uow.rows, known, images_of(patients))
        self._check_series(patients, known)
        patients = self._merged(prune(patients), known)
        if patients:
            self._plan.portions.append(patients)

    def _look_up(self, patients: list[PatientEntry]) -> Known:
        with self._storage.unit_of_work() as uow:
            known = look_up(uow.rows, patients, self._sources)
        for patient in patients:
            if patient.identifier is None:
                patient.name(_identifier(patient, known))
        return known

    def _try_images(self, images: list[ImageEntry], check: Callable[[ImageEntry], None]) -> None:
        """Check images; what is wrong is noted, and the image is left out."""
        for image in images:
            try:
                check(image)
            except (BadInput, FileMissing, StorageError) as error:
                self._plan.errors.append(note(image.where, error))
                self._leave_out([image])

    def _leave_out(self, images: Iterable[ImageEntry]) -> None:
        for image in images:
            if image.good:
                image.good = False
                self._tally.skip_images(1)

    def _identify(self, image: ImageEntry) -> None:
        image.identifier = identifier = self._files.identifier_of(image.path)
        if not identifier.isascii():
            _check_characters(identifier)
        origin = image.origin
        if origin.source_name is None:
            origin.source_name = self._source
        image.key = (fold(origin.source_name), fold(identifier))
        before = self._seen.setdefault(hash(image.key), image.where)
        if before != image.where:
            raise BadInput(
                f"image: {identifier!r}, or a name that differs from it in case or accents only, "
                f"is in {before} already",
                field="image",
            )

    def _is_allowed(self, patient: PatientEntry, known: Known) -> bool:
        """Whether a patient is there or may be made; leaves out the studies that may not."""
        error = _tried(self._check_patient, patient, known)
        if error is not None:
            self._note_all(patient, images_of([patient]), error)
            self._tally.skip_patient(patient)
            return False
        patient.studies = [study for study in patient.studies if self._has_place(study, known)]
        return bool(patient.studies) or not patient.declared

    def _check_patient(self, patient: PatientEntry, known: Known) -> None:
        if known.projects.get(patient.key[0]) is None and not self._options.create_projects:
            raise _not_there("Project", "project_name", patient.project_name, "create_projects")
        identifier = str(patient.identifier)
        if known.patients.get(patient.key) is None and not self._options.create_patients:
            raise _not_there("Patient", "patient_identifier", identifier, "create_patients")

    def _has_place(self, study: StudyEntry, known: Known) -> bool:
        if self._options.create_studies or known.studies.get(study.key) is not None:
            return True
        error = _not_there("Study", "study_date", str(study.study_date), "create_studies")
        self._drop_study(study, error)
        return False

    def _drop_study(self, study: StudyEntry, error: BadInput) -> None:
        images = [image for series in study.series for image in series.images]
        self._note_all(study, images, error)
        self._tally.skip_study(study)

    def _place(self, patients: list[PatientEntry], known: Known) -> None:
        """See which images are there already, and where; leave these out where that is wanted."""
        for image in images_of(patients):
            image.exists = image.key in known.images
        self._match(patients, known)
        if self._options.conflict is OnConflict.skip:
            self._leave_out(image for image in images_of(patients) if image.exists)

    def _match(self, patients: list[PatientEntry], known: Known) -> list[SeriesEntry]:
        """Find the series of the entries; leave out what cannot be where its record puts it.

        Returns:
            The series that can.
        """
        placement = match(patients, known, self._options)
        for entry, error in placement.refused:
            if isinstance(entry, SeriesEntry):
                self._drop_series(entry, error)
            else:
                self._plan.errors.append(note(entry.where, error))
                self._leave_out([entry])
        placed = [series for series in series_of(patients) if id(series) in placement.series]
        for series in placed:
            series.found_id = placement.series[id(series)]
        return placed

    def _drop_series(self, series: SeriesEntry, error: BadInput) -> None:
        """Leave out the new images of a series; with `conflict = update` all of them."""
        update = self._options.conflict is OnConflict.update
        bad = [image for image in series.images if image.good and (update or not image.exists)]
        if bad:
            self._plan.errors.append(note(series.where, error))
            self._leave_out(bad)

    def _is_read(self, image: ImageEntry) -> bool:
        if not self._options.read_files:
            return False
        return not image.exists or self._options.conflict is OnConflict.update

    def _read_files(self, images: list[ImageEntry]) -> None:
        for start in range(0, len(images), FILES_AT_A_TIME):
            self._tell(start, len(images))
            some = images[start : start + FILES_AT_A_TIME]
            self._try_images(some, self._file_reader.begin(some))

    def _check_series(self, patients: list[PatientEntry], known: Known) -> None:
        """Check what the files have said as well: DICOM UIDs, and the eye."""
        update = self._options.conflict is OnConflict.update
        for series in self._match(patients, known):
            error = _tried(self._uids.check_series, series) or self._unmade(series)
            if error is not None:
                self._drop_series(series, error)
            checked = [i for i in series.images if i.good and (update or not i.exists)]
            self._try_images(checked, lambda image: self._uids.check_image(image, known))

    def _unmade(self, series: SeriesEntry) -> BadInput | None:
        """Return what is wrong where a series is not there and may not be made."""
        if series.placed_id is not None or self._options.create_series:
            return None
        return BadInput(
            "series_id: the image names no series; give series_id, or allow new series "
            "(create_series)",
            field="series_id",
        )

    def _merged(self, patients: list[PatientEntry], known: Known) -> list[PatientEntry]:
        """Make the entries part of the plan, without those that contradict earlier ones."""
        merging = Merging(self._plan, self._tally, known)
        if self._options.conflict is OnConflict.update:
            with self._storage.unit_of_work() as uow:
                merging.look_at_rows(uow.rows, patients)
        taken = [patient for patient in patients if self._is_taken(patient, merging)]
        merging.count(taken)
        return taken

    def _is_taken(self, patient: PatientEntry, merging: Merging) -> bool:
        error = _tried(merging.check, patient)
        if error is not None:
            self._note_all(patient, images_of([patient]), error)
            self._tally.skip_patient(patient)
            return False
        for study in patient.studies:
            error = _tried(merging.check, study)
            if error is not None:
                self._drop_study(study, error)
                study.declared, study.series = True, []
            for series in study.series:
                error = _tried(merging.check, series)
                if error is None:
                    merging.take(series)
                else:
                    self._drop_series(series, error)
            if study.series or not study.declared:
                merging.take(study)
        if prune([patient]):
            merging.take(patient)
            return True
        return False

    def _note_all(
        self, entry: PatientEntry | StudyEntry, images: list[ImageEntry], error: BadInput
    ) -> None:
        """Note an error of a patient or study once for each record that it is in."""
        places = {image.where.partition(",")[0]: image.where for image in images}
        if len(places) > 1:
            self._plan.errors += [note(record, error) for record in places]
        else:
            self._plan.errors.append(note(entry.where, error))


def _told_of_files(
    progress: Progress, before: int, after: int, total: int | None
) -> Callable[[int, int], None]:
    """Return what tells how far the files of the records between two numbers were read."""

    def tell(done: int, files: int) -> None:
        if done:
            progress(before + (after - before) * done // files, total)

    return tell


def _tried(check: Callable[..., None], *arguments: Any) -> BadInput | None:
    """Return what a check raises."""
    try:
        check(*arguments)
    except BadInput as error:
        return error
    return None


def _identifier(patient: PatientEntry, known: Known) -> str:
    """Return the identifier of a patient whose record has none.

    It is that of the patient whose images they are, or else 16 random hex digits.
    """
    project_id = known.projects.get(patient.key[0])
    for image in images_of([patient]):
        found = known.images.get(image.key)
        if found is not None and found.project_id == project_id:
            return found.patient_identifier
    return secrets.token_hex(8)


def _check_characters(identifier: str) -> None:
    try:
        check_name(identifier)
    except ValueError as refused:
        raise BadInput(f"image: {refused}", field="image") from None


def _not_there(entity: str, field: str, value: str, option: str) -> BadInput:
    return BadInput(
        f"there is no {entity} with {field} {value!r}; make it first, or allow new ones ({option})",
        entity=entity,
        field=field,
        value=value,
    )
