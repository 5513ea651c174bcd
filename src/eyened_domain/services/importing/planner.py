"""Makes the plan of an import: reads the records, looks, and writes nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import Executor
from functools import partial
from typing import Any

from attrs import evolve

from eyened_domain.errors import BadInput, EyenedError, FileMissing, StorageError
from eyened_domain.model.names import fold
from eyened_domain.model.patient import Patient
from eyened_domain.model.study import Series, Study
from eyened_domain.services.image_files import ImageFiles, ImageHeader
from eyened_domain.services.importing.columns import check_name
from eyened_domain.services.importing.entries import (
    UNSAID,
    ImageEntry,
    PatientEntry,
    SeriesEntry,
    StudyEntry,
    changed,
    images_of,
    joined,
    note,
    rebuilt,
)
from eyened_domain.services.importing.headers import begin_to_read, filled_in
from eyened_domain.services.importing.lookups import (
    Known,
    default_source,
    look_up,
    look_up_references,
    look_up_series,
)
from eyened_domain.services.importing.merging import Merging
from eyened_domain.services.importing.options import ImportDefaults, ImportOptions, OnConflict
from eyened_domain.services.importing.placing import Placement, SeenUids, match
from eyened_domain.services.importing.plan import ImportPlan
from eyened_domain.services.importing.records import RecordReader
from eyened_domain.services.progress import Progress
from eyened_domain.services.storage import Storage

IMAGES_PER_PORTION = 10_000
"""Each portion costs a fixed number of statements."""
FILES_AT_A_TIME = 1000
"""How many files are read between two calls of `progress`."""
Change = Callable[[PatientEntry, StudyEntry, SeriesEntry], SeriesEntry]


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
        self._executor = executor
        self._defaults = defaults
        self._options = options
        self._reader = RecordReader(defaults.study_date)
        self._plan = ImportPlan(options=options)
        self._plan.errors = self._reader.errors
        self._merging = Merging(self._plan)
        self._uids = SeenUids()
        self._seen: dict[int, str] = {}
        self._source, self._origin = "", UNSAID
        self._sources: dict[str, int] = {}
        self._tell: Callable[[int, int], None] = lambda _done, _files: None

    def plan(
        self, records: Iterable[Any], *, source: str | None = None, progress: Progress | None = None
    ) -> ImportPlan:
        """Return the plan for the records; they are read once, in portions."""
        self._plan.source = source
        with self._storage.unit_of_work() as uow:
            self._source = default_source(uow.rows, self._options, self._defaults, self._sources)
        self._origin = evolve(UNSAID, source_name=self._source)
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
            size += max(1, len(images_of([entry])))
            portion.append(entry)
            if size >= IMAGES_PER_PORTION:
                yield number, joined(portion)
                portion, size = [], 0
        yield number, joined(portion)

    def _plan_portion(self, patients: Iterable[PatientEntry]) -> None:
        patients = [*rebuilt(patients, series_as=self._identified)]
        with self._storage.unit_of_work() as uow:
            known = look_up(uow.rows, patients, self._sources)
        patients = self._allowed([_named(patient, known) for patient in patients], known)
        patients = self._placed(patients, known)
        if self._options.read_files:
            patients = self._read(patients)
        with self._storage.unit_of_work() as uow:
            look_up_series(uow.rows, known, patients)
            look_up_references(uow.rows, known, images_of(patients))
        patients = self._merged(
            self._placed(patients, known, check=partial(self._checked, known)), known
        )
        if patients:
            self._plan.portions.append(patients)

    # --- steps: each takes entries, and gives those that are left, with what it learnt ------------

    def _identified(self, _p: PatientEntry, _s: StudyEntry, series: SeriesEntry) -> SeriesEntry:
        images = self._tried(series.images, self._identify)
        return SeriesEntry(series.series_id, series.columns, series.where, images)

    def _allowed(self, patients: list[PatientEntry], known: Known) -> list[PatientEntry]:
        """Leave out the patients and studies that are not there and may not be made."""

        def patient_is_kept(patient: PatientEntry) -> bool:
            return self._is_left(patient, patient.studies, self._forbidden(patient, known))

        def study_is_kept(patient: PatientEntry, study: StudyEntry) -> bool:
            if self._options.create_studies or patient.key_of(study) in known.studies:
                return True
            day = str(study.study_date)
            error = _not_there("Study", "study_date", day, "create_studies")
            return self._is_left(study, (study,), error)

        return [*rebuilt(patients, patient_is_kept=patient_is_kept, study_is_kept=study_is_kept)]

    def _placed(
        self, patients: list[PatientEntry], known: Known, check: Change | None = None
    ) -> list[PatientEntry]:
        """Find the series of the entries; leave out what cannot be where its record puts it.

        Args:
            patients: the entries.
            known: what is there.
            check: checks the series that can be, and returns them as they are left.
        """
        placement = match(patients, known, self._options)
        left_out = self._refused(placement, known)
        if self._options.conflict is OnConflict.skip:
            there = {i for i in images_of(patients) if i.key in known.images} - left_out
            self._plan.levels["ImageInstance"].skipped += len(there)
            left_out |= there

        def placed(patient: PatientEntry, study: StudyEntry, series: SeriesEntry) -> SeriesEntry:
            there = [image for image in series.images if image not in left_out]
            images = [
                evolve(image, exists=True) if image.key in known.images else image
                for image in there
            ]
            found_id = placement.series.get(series, series.found_id)
            after = changed(series, images=tuple(images), found_id=found_id)
            if check is None or series not in placement.series:
                return after
            return check(patient, study, after)

        return [*rebuilt(patients, series_as=placed)]

    def _refused(self, placement: Placement, known: Known) -> set[ImageEntry]:
        """Note what is refused; return the images that are left out for it."""
        left_out: set[ImageEntry] = set()
        for entry, error in placement.refused:
            if isinstance(entry, ImageEntry):
                bad = {entry}
            else:
                update = self._options.conflict is OnConflict.update
                bad = {i for i in entry.images if update or i.key not in known.images} - left_out
            if bad:
                self._note_images(entry.where, error, len(bad))
                left_out |= bad
        return left_out

    def _read(self, patients: list[PatientEntry]) -> list[PatientEntry]:
        """Read the files of images that are new, or are to be updated."""
        headers = self._headers([i for i in images_of(patients) if self._is_written(i)])

        def read(_p: PatientEntry, _s: StudyEntry, series: SeriesEntry) -> SeriesEntry:
            columns = series.columns

            def filled(image: ImageEntry) -> ImageEntry:
                nonlocal columns
                if self._is_written(image):
                    image, columns = filled_in(image, columns, next(headers)())
                return image

            images = self._tried(series.images, filled)
            return changed(series, images=images, columns=columns)

        return [*rebuilt(patients, series_as=read)]

    def _checked(
        self, known: Known, patient: PatientEntry, study: StudyEntry, series: SeriesEntry
    ) -> SeriesEntry:
        """Check what the files have said as well: DICOM UIDs, and the eye."""
        error = self._uids.check_series(patient, study, series)
        if error is None and series.placed_id is None and not self._options.create_series:
            error = BadInput(
                "series_id: the image names no series; give series_id, or allow new series "
                "(create_series)",
                field="series_id",
            )
        if error is not None:
            series = self._without_new(series, error)

        def checked(image: ImageEntry) -> ImageEntry:
            if self._is_written(image):
                self._uids.check_image(image, known)
            return image

        return changed(series, images=self._tried(series.images, checked))

    def _merged(self, patients: list[PatientEntry], known: Known) -> list[PatientEntry]:
        """Make the entries part of the plan, without those that contradict earlier ones."""
        merging = self._merging
        if self._options.conflict is OnConflict.update:
            with self._storage.unit_of_work() as uow:
                merging.look_at_rows(uow.rows, patients, known)

        def patient_is_kept(one: PatientEntry) -> bool:
            error = merging.contradiction(Patient, one.key, one.columns)
            return self._is_left(one, one.studies, error)

        def study_is_kept(patient: PatientEntry, one: StudyEntry) -> bool:
            key = patient.key_of(one)
            error = merging.contradiction(Study, key, one.columns)
            if error is None:
                merging.take(Study, key, one.columns, known.studies.get(key))
            return self._is_left(one, (one,), error)

        def merged(_p: PatientEntry, _s: StudyEntry, one: SeriesEntry) -> SeriesEntry:
            if not one.columns:
                return one
            uid = one.uid
            error = merging.contradiction(Series, uid, one.columns)
            if error is not None:
                return self._without_new(one, error)
            merging.take(Series, uid, one.columns, one.placed_id)
            return one

        taken = []
        for patient in rebuilt(
            patients, patient_is_kept=patient_is_kept, study_is_kept=study_is_kept, series_as=merged
        ):
            key = patient.key
            merging.take(Patient, key, patient.columns, known.patients.get(key))
            taken.append(patient)
        merging.count(taken, known)
        return taken

    # --- what is left out, and why ----------------------------------------------------------------

    def _tried(
        self, images: Iterable[ImageEntry], change: Callable[[ImageEntry], ImageEntry]
    ) -> tuple[ImageEntry, ...]:
        """Return images after a step; what is wrong is noted, and the image left out."""
        kept = []
        for image in images:
            try:
                kept.append(change(image))
            except (BadInput, FileMissing, StorageError) as error:
                self._note_images(image.where, error, 1)
        return tuple(kept)

    def _note_images(self, where: str, error: EyenedError, count: int) -> None:
        self._plan.errors.append(note(where, error))
        self._plan.levels["ImageInstance"].skipped += count

    def _without_new(self, series: SeriesEntry, error: BadInput) -> SeriesEntry:
        """Return a series without its new images; with `conflict = update` without any."""
        kept = tuple(image for image in series.images if not self._is_written(image))
        if len(kept) < len(series.images):
            self._note_images(series.where, error, len(series.images) - len(kept))
        return changed(series, images=kept)

    def _is_left(
        self,
        entry: PatientEntry | StudyEntry,
        studies: tuple[StudyEntry, ...],
        error: BadInput | None,
    ) -> bool:
        """Whether there is no error; else it is noted once for each record that the entry is in."""
        if error is None:
            return True
        images = [image for study in studies for one in study.series for image in one.images]
        levels = self._plan.levels
        levels["Patient"].skipped += isinstance(entry, PatientEntry)
        levels["Study"].skipped += len(studies)
        levels["ImageInstance"].skipped += len(images)
        records = dict.fromkeys(image.where.partition(",")[0] for image in images)
        places = records if len(records) > 1 else [entry.where]
        self._plan.errors += [note(place, error) for place in places]
        return False

    # --- what a step asks -------------------------------------------------------------------------

    def _identify(self, image: ImageEntry) -> ImageEntry:
        identifier = self._files.identifier_of(image.path)
        if not identifier.isascii():
            _check_characters(identifier)
        origin = image.origin
        if origin is UNSAID:
            origin = self._origin
        elif origin.source_name is None:
            origin = evolve(origin, source_name=self._source)
        key = (fold(str(origin.source_name)), fold(identifier))
        before = self._seen.setdefault(hash(key), image.where)
        if before != image.where:
            raise BadInput(
                f"image: {identifier!r}, or a name that differs from it in case or accents only, "
                f"is in {before} already",
                field="image",
            )
        return ImageEntry(image.path, image.columns, image.where, origin, identifier, key)

    def _forbidden(self, patient: PatientEntry, known: Known) -> BadInput | None:
        project, identifier = patient.project_name, str(patient.identifier)
        if not self._options.create_projects and patient.key[0] not in known.projects:
            return _not_there("Project", "project_name", project, "create_projects")
        if not self._options.create_patients and patient.key not in known.patients:
            return _not_there("Patient", "patient_identifier", identifier, "create_patients")
        return None

    def _is_written(self, image: ImageEntry) -> bool:
        """Whether an image is new, or is to be updated."""
        return not image.exists or self._options.conflict is OnConflict.update

    def _headers(self, images: list[ImageEntry]) -> Iterator[Callable[[], ImageHeader]]:
        for start in range(0, len(images), FILES_AT_A_TIME):
            self._tell(start, len(images))
            some = images[start : start + FILES_AT_A_TIME]
            yield from begin_to_read(self._files, some, self._executor)


def _told_of_files(
    progress: Progress, before: int, after: int, total: int | None
) -> Callable[[int, int], None]:
    """Return what tells how far the files of the records between two numbers were read."""

    def tell(done: int, files: int) -> None:
        if done:
            progress(before + (after - before) * done // files, total)

    return tell


def _named(patient: PatientEntry, known: Known) -> PatientEntry:
    """Return a patient with an identifier, also where the record has none.

    It is that of the patient whose images they are, or else 16 random hex digits.
    """
    if patient.identifier is not None:
        return patient
    project_id = known.projects.get(patient.key[0])
    for image in images_of([patient]):
        found = known.images.get(image.key)
        if found is not None and found.project_id == project_id:
            return evolve(patient, identifier=found.patient_identifier)
    return evolve(patient, identifier=secrets.token_hex(8))


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
