"""Makes the plan of an import: reads the records, looks, and writes nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import Executor
from typing import Any

from attrs import evolve

from eyened_domain.errors import BadInput, FileMissing, StorageError
from eyened_domain.model.names import fold
from eyened_domain.services.image_files import ImageFiles, ImageHeader
from eyened_domain.services.importing.columns import check_name
from eyened_domain.services.importing.entries import (
    UNSAID,
    Entry,
    ImageEntry,
    PatientEntry,
    Refusal,
    SeriesEntry,
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
from eyened_domain.services.importing.placing import SeenUids, forbidden, match
from eyened_domain.services.importing.plan import ImportPlan
from eyened_domain.services.importing.records import RecordReader
from eyened_domain.services.progress import Progress
from eyened_domain.services.storage import Storage

IMAGES_PER_PORTION = 10_000
"""Each portion costs a fixed number of statements."""
FILES_AT_A_TIME = 1000
"""How many files are read between two calls of `progress`."""


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
        self._uids = SeenUids(options)
        self._left_out: set[Entry] = set()
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
            size += max(1, sum(len(s.images) for study in entry.studies for s in study.series))
            portion.append(entry)
            if size >= IMAGES_PER_PORTION:
                yield number, joined(portion)
                portion, size = [], 0
        yield number, joined(portion)

    def _plan_portion(self, patients: list[PatientEntry]) -> None:
        self._left_out = set()
        patients = [*rebuilt(patients, (), self._identified)]
        with self._storage.unit_of_work() as uow:
            known = look_up(uow.rows, patients, self._sources)
        patients = [_seen(patient, known) for patient in patients]
        self._leave_out(forbidden(patients, known, self._options))
        patients = self._placed([*rebuilt(patients, self._left_out)], known)
        if self._options.read_files:
            patients = self._read(patients)
        with self._storage.unit_of_work() as uow:
            look_up_series(uow.rows, known, patients)
            look_up_references(uow.rows, known, images_of(patients))
        patients = self._placed(patients, known, self._uids)
        if self._options.conflict is OnConflict.update:
            with self._storage.unit_of_work() as uow:
                self._merging.look_at_rows(uow.rows, patients, known)
        self._leave_out(self._merging.merge(patients, known, self._left_out))
        patients = [*rebuilt(patients, self._left_out)]
        self._merging.count(patients, known)
        if patients:
            self._plan.portions.append(patients)

    def _identified(self, series: SeriesEntry) -> SeriesEntry:
        images = self._tried(series.images, self._identify)
        return SeriesEntry(series.series_id, series.columns, series.where, images)

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

    def _placed(
        self, patients: list[PatientEntry], known: Known, uids: SeenUids | None = None
    ) -> list[PatientEntry]:
        """Find the series of entries; leave out what cannot be where its record puts it.

        Args:
            patients: the entries.
            known: what is there.
            uids: checks what can be where it is put.
        """
        placement = match(patients, known, self._options)
        self._leave_out(placement.refused)
        if uids is not None:
            self._leave_out(uids.refused(patients, placement, known))
        if self._options.conflict is OnConflict.skip:
            there = {one for one in images_of(patients) if one.exists} - self._left_out
            self._plan.levels["ImageInstance"].skipped += len(there)
            self._left_out |= there

        def placed(series: SeriesEntry) -> SeriesEntry:
            found_id = placement.series.get(series, series.found_id)
            return series if found_id == series.found_id else evolve(series, found_id=found_id)

        return [*rebuilt(patients, self._left_out, placed)]

    def _read(self, patients: list[PatientEntry]) -> list[PatientEntry]:
        """Read the files of images that are new, or are to be updated."""
        writes = self._options.writes
        headers = self._headers([one for one in images_of(patients) if writes(one.exists)])

        def read(series: SeriesEntry) -> SeriesEntry:
            columns = series.columns

            def filled(image: ImageEntry) -> ImageEntry:
                nonlocal columns
                if writes(image.exists):
                    image, columns = filled_in(image, columns, next(headers)())
                return image

            images = self._tried(series.images, filled)
            return changed(series, images=images, columns=columns)

        return [*rebuilt(patients, (), read)]

    def _headers(self, images: list[ImageEntry]) -> Iterator[Callable[[], ImageHeader]]:
        for start in range(0, len(images), FILES_AT_A_TIME):
            self._tell(start, len(images))
            some = images[start : start + FILES_AT_A_TIME]
            yield from begin_to_read(self._files, some, self._executor)

    def _tried(
        self, images: Iterable[ImageEntry], change: Callable[[ImageEntry], ImageEntry]
    ) -> tuple[ImageEntry, ...]:
        """Return images after a step, without those that it refuses."""
        kept = []
        for image in images:
            try:
                kept.append(change(image))
            except (BadInput, FileMissing, StorageError) as error:
                self._leave_out([(image, error)])
        return tuple(kept)

    def _leave_out(self, refused: Iterable[Refusal]) -> None:
        """Note what is wrong, and count what is left out for it.

        Of a series that is what is not there, or would be updated. An error of a patient or study
        is noted once for each record that it is in.
        """
        levels, left_out = self._plan.levels, self._left_out
        for entry, error in refused:
            places: Iterable[str] = [entry.where]
            if isinstance(entry, ImageEntry):
                images = [entry]
            elif isinstance(entry, SeriesEntry):
                writes = self._options.writes
                images = [i for i in entry.images if writes(i.exists) and i not in left_out]
                places = places if images else ()
            else:
                studies = entry.studies if isinstance(entry, PatientEntry) else (entry,)
                images = [i for study in studies for one in study.series for i in one.images]
                levels["Patient"].skipped += isinstance(entry, PatientEntry)
                levels["Study"].skipped += len(studies)
                records = dict.fromkeys(image.where.partition(",")[0] for image in images)
                places = records if len(records) > 1 else places
                left_out.add(entry)
            left_out.update(images)
            levels["ImageInstance"].skipped += len(images)
            self._plan.errors += [note(place, error) for place in places]


def _told_of_files(
    progress: Progress, before: int, after: int, total: int | None
) -> Callable[[int, int], None]:
    """Return what tells how far the files of the records between two numbers were read."""

    def tell(done: int, files: int) -> None:
        if done:
            progress(before + (after - before) * done // files, total)

    return tell


def _seen(patient: PatientEntry, known: Known) -> PatientEntry:
    """Return a patient with the images marked that are there, and an identifier.

    Where the record has none it is that of the patient whose images they are, or else 16 random
    hex digits.
    """
    there = [known.images[one.key] for one in images_of([patient]) if one.key in known.images]
    if there:

        def seen(series: SeriesEntry) -> SeriesEntry:
            images = [
                ImageEntry(i.path, i.columns, i.where, i.origin, i.identifier, i.key, True)
                if i.key in known.images
                else i
                for i in series.images
            ]
            return SeriesEntry(series.series_id, series.columns, series.where, tuple(images))

        (patient,) = rebuilt([patient], (), seen)
    if patient.identifier is not None:
        return patient
    project_id = known.projects.get(patient.key[0])
    names = (one.patient_identifier for one in there if one.project_id == project_id)
    return evolve(patient, identifier=next(names, None) or secrets.token_hex(8))


def _check_characters(identifier: str) -> None:
    try:
        check_name(identifier)
    except ValueError as refused:
        raise BadInput(f"image: {refused}", field="image") from None
