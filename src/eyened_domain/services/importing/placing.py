"""Where the images of records belong: the one decision that planner and writer share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import frozen

from eyened_domain.errors import BadInput
from eyened_domain.model.names import fold
from eyened_domain.services.importing.entries import (
    ImageEntry,
    PatientEntry,
    Refusal,
    SeriesEntry,
    StudyEntry,
)
from eyened_domain.services.importing.lookups import Known, KnownImage
from eyened_domain.services.importing.options import ImportOptions, OnConflict


@frozen
class Placement:
    """Where the series of a portion are, or will be.

    Attributes:
        series: SeriesID of each entry; None for a series that is to be made.
        refused: what cannot be where its record puts it, and why; in order, images before
            the series that they are in.
    """

    series: dict[SeriesEntry, int | None]
    refused: list[Refusal]


def match(portion: Iterable[PatientEntry], known: Known, options: ImportOptions) -> Placement:
    """Decide where the series and images of records belong, given what is there.

    An image that is there has to hang where its record puts it, unless it is to be skipped.
    A series is the one that the record or the plan names, or else that of its images which
    are there in this study, or else the one of its DICOM UID.
    """
    placement = Placement({}, [])
    for patient in portion:
        key = patient.key
        whose = (known.projects.get(key[0]), known.patients.get(key))
        for study in patient.studies:
            study_id = known.studies.get((*key, study.study_date))
            for series in study.series:
                beside = None
                for image in series.images:
                    found = known.images.get(image.key)
                    if found is None:
                        continue
                    if beside is None and found.study_id == study_id:
                        beside = found.series_id
                    elsewhere = _elsewhere(found, whose, patient, study, series)
                    if elsewhere is not None and options.conflict is not OnConflict.skip:
                        placement.refused.append((image, elsewhere))
                try:
                    series_id = _series_id(
                        series, study, study_id, beside, known=known, options=options
                    )
                    placement.series[series] = series_id
                except BadInput as error:
                    placement.refused.append((series, error))
    return placement


def _series_id(
    series: SeriesEntry,
    study: StudyEntry,
    study_id: int | None,
    beside: int | None,
    *,
    known: Known,
    options: ImportOptions,
) -> int | None:
    """Return the series that new images go to; None where it is to be made."""
    series_id, uid = series.placed_id, series.uid
    if series_id is None:
        series_id = beside
    elif study_id is None or known.series.get(series_id, (None,))[0] != study_id:
        raise BadInput(
            f"series_id: the study of {study.study_date} has no series {series_id}",
            field="series_id",
            value=series_id,
        )
    if uid is None:
        return series_id
    uid_id, uid_study = known.series_by_uid.get(uid, (None, None))
    if uid_id is not None and series_id is None:
        if uid_study != study_id:
            raise _other_series(uid, f"series {uid_id} of another study")
        return uid_id
    if uid_id not in (None, series_id):
        raise _other_series(uid, f"series {uid_id}, not {series_id}")
    if series_id is not None and options.conflict is not OnConflict.update:
        held = known.series.get(series_id, (0, None))[1]
        if held is not None and fold(held) != uid:
            raise _other_series(uid, f"not that of series {series_id}, {held}")
    return series_id


def forbidden(
    portion: Iterable[PatientEntry], known: Known, options: ImportOptions
) -> Iterator[Refusal]:
    """Give the patients and studies that are not there and may not be made."""
    for patient in portion:
        key, name = patient.key, str(patient.identifier)
        if not options.create_projects and key[0] not in known.projects:
            yield patient, _not_there("Project", "project_name", patient.project_name, "projects")
        elif not options.create_patients and key not in known.patients:
            yield patient, _not_there("Patient", "patient_identifier", name, "patients")
        elif not options.create_studies:
            for study in patient.studies:
                if patient.key_of(study) not in known.studies:
                    day = str(study.study_date)
                    yield study, _not_there("Study", "study_date", day, "studies")


class SeenUids:
    """The DICOM UIDs of the records that were planned: each stands for one series or image.

    Args:
        options: how the import is done.
    """

    def __init__(self, options: ImportOptions) -> None:
        self._options = options
        self._study_of: dict[str, tuple[int, str]] = {}
        self._image_of: dict[str, str] = {}

    def refused(
        self, portion: Iterable[PatientEntry], placement: Placement, known: Known
    ) -> Iterator[Refusal]:
        """Give the series and images that cannot be imported, whatever else is right with them.

        That is when the files have said what they do: what has a UID that is another's, a series
        that may not be made, and an image of which too little is known.
        """
        writes, may_be_made = self._options.writes, self._options.create_series
        for patient, study in ((one, study) for one in portion for study in one.studies):
            for series in study.series:
                if series not in placement.series:
                    continue
                error = self._taken(patient, study, series)
                if error is None and placement.series[series] is None and not may_be_made:
                    error = _unnamed()
                if error is not None:
                    yield series, error
                    continue
                for image in series.images:
                    if writes(image.exists):
                        error = self._lacking(image, known)
                        if error is not None:
                            yield image, error

    def _taken(
        self, patient: PatientEntry, study: StudyEntry, series: SeriesEntry
    ) -> BadInput | None:
        """Return what is wrong where an earlier record gives the UID to a series elsewhere."""
        uid = series.uid
        if uid is None:
            return None
        here = hash(patient.key_of(study))
        elsewhere, where = self._study_of.setdefault(uid, (here, series.where))
        if elsewhere == here:
            return None
        return _other_series(uid, f"that of a series of another study in {where}")

    def _lacking(self, image: ImageEntry, known: Known) -> BadInput | None:
        """Return what an image lacks, or whose its UID is."""
        columns = image.columns
        if not image.exists and columns.get("laterality") is None:
            return BadInput(
                "laterality: neither the record nor the file says which eye it is; give L or R",
                field="laterality",
            )
        for name, ids in known.references.items():
            if columns.get(name) not in (None, *ids):
                return BadInput(f"{name}: there is no {columns[name]}", field=name)
        uid = columns.get("sop_instance_uid")
        if uid is None:
            return None
        there = known.sop_uids.get(fold(uid))
        seen = self._image_of.setdefault(fold(uid), image.where)
        if seen != image.where:
            whose = seen
        elif there not in (None, image.identifier):
            whose = there
        elif there is not None and not image.exists:
            whose = f"{there} in another source"
        else:
            return None
        return BadInput(
            f"sop_instance_uid: {uid} is that of {whose} already",
            field="sop_instance_uid",
            value=uid,
        )


def _elsewhere(
    found: KnownImage,
    whose: tuple[int | None, int | None],
    patient: PatientEntry,
    study: StudyEntry,
    series: SeriesEntry,
) -> BadInput | None:
    """Return what is wrong where an image is there already and hangs elsewhere.

    Args:
        found: the image that is there.
        whose: ids of the project and the patient of its entry.
        patient: its entry's.
        study: its entry's.
        series: its entry's.
    """
    project_id, patient_id = whose
    it = f"as ImageInstance {found.image_id}"
    if project_id != found.project_id:
        place, field = f"{it} of another project, not {patient.project_name!r}", "project_name"
    elif patient_id != found.patient_id:
        names = f"{found.patient_identifier!r}, not of {patient.identifier!r}"
        place, field = f"{it} of patient {names}", "patient_identifier"
    elif study.study_date != found.study_date:
        days = f"{found.study_date}, not of {study.study_date}"
        place, field = f"{it} of the study of {days}", "study_date"
    elif series.series_id not in (None, found.series_id):
        place, field = f"in series {found.series_id}, not {series.series_id}", "series_id"
    else:
        return None
    return BadInput(f"image: it is there already, {place}", field=field)


def _other_series(uid: str, whose: str) -> BadInput:
    return BadInput(
        f"series_instance_uid: {uid} is {whose}", field="series_instance_uid", value=uid
    )


def _unnamed() -> BadInput:
    return BadInput(
        "series_id: the image names no series; give series_id, or allow new series (create_series)",
        field="series_id",
    )


def _not_there(entity: str, field: str, value: str, option: str) -> BadInput:
    return BadInput(
        f"there is no {entity} with {field} {value!r}; make it first, or allow new ones "
        f"(create_{option})",
        entity=entity,
        field=field,
        value=value,
    )
