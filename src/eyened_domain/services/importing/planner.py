"""Makes the plan of an import: reads the records, looks, and writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from concurrent.futures import Executor
from hashlib import blake2b
from typing import Any

from eyened_domain.errors import BadInput, StorageError
from eyened_domain.services.image_files import ImageFiles
from eyened_domain.services.importing.headers import fill_from_file
from eyened_domain.services.importing.lookups import (
    Known,
    KnownImage,
    default_source,
    images_of,
    look_up,
    look_up_patients,
    look_up_uids,
)
from eyened_domain.services.importing.options import (
    ImportDefaults,
    ImportOptions,
    OnConflict,
)
from eyened_domain.services.importing.plan import (
    ImportPlan,
    fold,
    patient_key,
    study_key,
)
from eyened_domain.services.importing.ports import ImportStorage, Progress
from eyened_domain.services.importing.records import (
    ImageEntry,
    PatientEntry,
    RecordReader,
    SeriesEntry,
    StudyEntry,
    note,
    random_identifier,
)
from eyened_domain.services.importing.tally import Tally

IMAGES_PER_PORTION = 1000


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
        storage: ImportStorage,
        files: ImageFiles,
        defaults: ImportDefaults,
        options: ImportOptions,
        executor: Executor | None = None,
    ) -> None:
        self._storage = storage
        self._files = files
        self._defaults = defaults
        self._options = options
        self._executor = executor
        self._reader = RecordReader(defaults.study_date)
        self._plan = ImportPlan(options=options)
        self._plan.errors = self._reader.errors
        self._tally = Tally(self._plan)
        self._seen: dict[bytes, str] = {}

    def plan(
        self, records: Iterable[Any], *, source: str | None = None, progress: Progress | None = None
    ) -> ImportPlan:
        """Return the plan for the records; they are read once, in portions."""
        self._plan.source = source
        total = len(records) if isinstance(records, Sized) else None
        for done, portion in self._portions(records):
            self._plan_portion(portion)
            if progress is not None:
                progress(done, total)
        return self._plan

    def _portions(self, records: Iterable[Any]) -> Iterator[tuple[int, list[PatientEntry]]]:
        portion: list[PatientEntry] = []
        images = number = 0
        for number, record in enumerate(records, start=1):
            entry = self._reader.read(number, record)
            if entry is None:
                continue
            portion.append(entry)
            images += 1 + sum(len(s.images) for study in entry.studies for s in study.series)
            if images >= IMAGES_PER_PORTION:
                yield number, portion
                portion, images = [], 0
        yield number, portion

    def _plan_portion(self, patients: list[PatientEntry]) -> None:
        self._keep_images(patients, self._identify)
        with self._storage.unit_of_work() as uow:
            source = default_source(uow.rows, self._options, self._defaults)
            known = look_up(uow.rows, patients, source)
            if self._name_patients(patients, known):
                look_up_patients(uow.rows, known, patients)
        patients = [patient for patient in patients if self._check(patient, known)]
        self._keep_images(patients, lambda image: self._place(image, known))
        self._read_files(patients)
        with self._storage.unit_of_work() as uow:
            look_up_uids(uow.rows, known, patients)
        self._keep_images(patients, lambda image: self._finish(image, known))
        patients = [patient for patient in patients if patient.studies or not patient.declared]
        for patient in patients:
            self._share(patient)
            self._tally.count(patient, known)
        if patients:
            self._plan.portions.append(patients)

    def _keep_images(self, patients: list[PatientEntry], check: Any) -> None:
        """Keep the images that pass a check, and note what is wrong with the others."""
        for patient in patients:
            for study in patient.studies:
                for series in study.series:
                    series.images = [i for i in series.images if self._passes(i, check)]
                study.series = [series for series in study.series if series.images]
            patient.studies = [s for s in patient.studies if s.series or not s.declared]

    def _passes(self, image: ImageEntry, check: Any) -> bool:
        try:
            check(image)
        except (BadInput, StorageError) as error:
            self._plan.errors.append(note(image.where, error))
            self._tally.skip_image()
            return False
        return True

    def _identify(self, image: ImageEntry) -> None:
        image.identifier = self._files.identifier_of(image.path)
        key = f"{fold(image.origin.source_name or '')}\0{fold(image.identifier)}"
        digest = blake2b(key.encode(), digest_size=12).digest()
        before = self._seen.setdefault(digest, image.where)
        if before != image.where:
            raise BadInput(f"image: {image.identifier!r} is in {before} already", field="image")

    def _name_patients(self, patients: list[PatientEntry], known: Known) -> bool:
        """Give an identifier to patients who have none: that of their images, or a random one."""
        nameless = [patient for patient in patients if patient.identifier is None]
        for patient in nameless:
            there = [_known_image(image, known) for image in images_of([patient])]
            identifiers = [image.patient_identifier for image in there if image is not None]
            patient.identifier = identifiers[0] if identifiers else random_identifier()
        return bool(nameless)

    def _check(self, patient: PatientEntry, known: Known) -> bool:
        try:
            self._check_patient(patient, known)
        except BadInput as error:
            self._plan.errors.append(note(patient.where, error))
            self._tally.skip_patient(patient)
            return False
        patient.studies = [study for study in patient.studies if self._check_study(study, known)]
        return bool(patient.studies) or not patient.declared

    def _check_patient(self, patient: PatientEntry, known: Known) -> None:
        project_id = known.projects.get(fold(patient.project_name))
        if project_id is None and not self._options.create_projects:
            raise _not_there("Project", "project_name", patient.project_name, "create_projects")
        there = project_id is not None and (project_id, fold(str(patient.identifier)))
        if there not in known.patients and not self._options.create_patients:
            raise _not_there(
                "Patient", "patient_identifier", str(patient.identifier), "create_patients"
            )
        self._merge(patient_key(patient), patient.columns, patient.where, "Patient")

    def _check_study(self, study: StudyEntry, known: Known) -> bool:
        patient_id = _patient_id(study.patient, known)
        there = patient_id is not None and (patient_id, study.study_date)
        try:
            if there not in known.studies and not self._options.create_studies:
                raise _not_there("Study", "study_date", str(study.study_date), "create_studies")
            self._merge(study_key(study), study.columns, study.where, "Study")
        except BadInput as error:
            self._plan.errors.append(note(study.where, error))
            self._tally.skip_study(study)
            return False
        return True

    def _merge(
        self, key: tuple[Any, ...], columns: dict[str, Any], where: str, entity: str
    ) -> None:
        """Put together what several records say of one patient or study.

        Raises:
            BadInput: they contradict each other.
        """
        if not columns:
            return
        merged = self._plan.shared.setdefault(key, {})
        for name, value in columns.items():
            if merged.get(name, value) != value:
                raise BadInput(
                    f"{entity}.{name}: {value} here, {merged[name]} in an earlier record of the "
                    f"same {entity.lower()}",
                    field=name,
                )
        merged.update(columns)

    def _place(self, image: ImageEntry, known: Known) -> None:
        """See whether an image is there already, and whether it hangs where the record says."""
        found = _known_image(image, known)
        image.exists = found is not None
        series = image.series
        if found is None:
            self._check_series(series, known)
        elif self._options.conflict is not OnConflict.skip:
            _check_place(series, found, known)

    def _check_series(self, series: SeriesEntry, known: Known) -> None:
        if series.series_id is None:
            if not self._options.create_series:
                raise BadInput(
                    "series_id: the image names no series; give series_id, or allow new series "
                    "(create_series)",
                    field="series_id",
                )
            return
        study_id = _study_id(series.study, known)
        if study_id is None or known.series.get(series.series_id) != study_id:
            raise BadInput(
                f"series_id: the study of {series.study.study_date} has no series "
                f"{series.series_id}",
                field="series_id",
                value=series.series_id,
            )

    def _read_files(self, patients: list[PatientEntry]) -> None:
        if not self._options.read_files:
            return
        if self._executor is None:
            self._keep_images(patients, self._read_file)
            return
        wanted = [image for image in images_of(patients) if self._is_read(image)]
        futures = {
            id(image): self._executor.submit(_read_apart, image, self._files) for image in wanted
        }
        self._keep_images(patients, lambda image: _take_over(image, futures.get(id(image))))

    def _is_read(self, image: ImageEntry) -> bool:
        return not image.exists or self._options.conflict is OnConflict.update

    def _read_file(self, image: ImageEntry) -> None:
        if self._is_read(image):
            fill_from_file(image, self._files)

    def _finish(self, image: ImageEntry, known: Known) -> None:
        """Check what is only known once the file was read."""
        if image.exists:
            return
        if image.columns.get("laterality") is None:
            raise BadInput(
                "laterality: neither the record nor the file says which eye it is; give L or R",
                field="laterality",
            )
        uid = image.columns.get("sop_instance_uid")
        if uid is None:
            return
        there = known.sop_uids.get(uid)
        seen = self._seen.setdefault(
            blake2b(f"uid\0{uid}".encode(), digest_size=12).digest(), image.where
        )
        if there is not None or seen != image.where:
            raise BadInput(
                f"sop_instance_uid: {uid} is that of {there or seen} already",
                field="sop_instance_uid",
                value=uid,
            )

    def _share(self, patient: PatientEntry) -> None:
        """Let go of what is kept once for all records of a patient or study."""
        if patient_key(patient) in self._plan.shared:
            patient.columns = {}
        for study in patient.studies:
            if study_key(study) in self._plan.shared:
                study.columns = {}


def _read_apart(image: ImageEntry, files: ImageFiles) -> tuple[Any, Any, Any]:
    """Read a file in another thread or process; what was filled in travels back."""
    fill_from_file(image, files)
    return image.columns, image.origin, image.series.columns


def _take_over(image: ImageEntry, future: Any) -> None:
    if future is not None:
        image.columns, image.origin, series_columns = future.result()
        image.series.columns.update(series_columns)


def _known_image(image: ImageEntry, known: Known) -> KnownImage | None:
    return known.images.get((fold(image.origin.source_name or ""), fold(image.identifier)))


def _patient_id(patient: PatientEntry, known: Known) -> int | None:
    project_id = known.projects.get(fold(patient.project_name))
    if project_id is None:
        return None
    return known.patients.get((project_id, fold(str(patient.identifier))))


def _study_id(study: StudyEntry, known: Known) -> int | None:
    patient_id = _patient_id(study.patient, known)
    return None if patient_id is None else known.studies.get((patient_id, study.study_date))


def _check_place(series: SeriesEntry, found: KnownImage, known: Known) -> None:
    study = series.study
    if _patient_id(study.patient, known) != found.patient_id:
        raise BadInput(
            f"image: it is there already, as ImageInstance {found.image_id} of patient "
            f"{found.patient_identifier!r}, not of {study.patient.identifier!r}",
            field="patient_identifier",
        )
    if study.study_date != found.study_date:
        raise BadInput(
            f"image: it is there already, as ImageInstance {found.image_id} of the study of "
            f"{found.study_date}, not of {study.study_date}",
            field="study_date",
        )
    if series.series_id not in (None, found.series_id):
        raise BadInput(
            f"image: it is there already, in series {found.series_id}, not {series.series_id}",
            field="series_id",
        )


def _not_there(entity: str, field: str, value: str, option: str) -> BadInput:
    return BadInput(
        f"there is no {entity} with {field} {value!r}; make it first, or allow new ones ({option})",
        entity=entity,
        field=field,
        value=value,
    )
