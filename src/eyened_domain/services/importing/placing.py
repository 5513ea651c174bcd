"""Where the images of records belong: the one decision that planner and writer share."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from eyened_domain.errors import BadInput
from eyened_domain.model.names import fold
from eyened_domain.services.importing.entries import (
    ImageEntry,
    PatientEntry,
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
    refused: list[tuple[SeriesEntry | ImageEntry, BadInput]]


def match(portion: Iterable[PatientEntry], known: Known, options: ImportOptions) -> Placement:
    """Decide where the series and images of records belong, given what is there.

    An image that is there has to hang where its record puts it, unless it is to be skipped.
    A series is the one that the record or the plan names, or else that of its images which
    are there in this study, or else the one of its DICOM UID.
    """
    placement = Placement({}, [])
    for patient in portion:
        for study in patient.studies:
            study_id = known.studies.get(patient.key_of(study))
            for series in study.series:
                beside = None
                for image in series.images:
                    found = known.images.get(image.key)
                    if found is None:
                        continue
                    if beside is None and found.study_id == study_id:
                        beside = found.series_id
                    elsewhere = _elsewhere(patient, study, series, found, known)
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


class SeenUids:
    """The DICOM UIDs of the records that were planned: each stands for one series or image."""

    def __init__(self) -> None:
        self._study_of: dict[str, tuple[int, str]] = {}
        self._image_of: dict[str, str] = {}

    def check_series(
        self, patient: PatientEntry, study: StudyEntry, series: SeriesEntry
    ) -> BadInput | None:
        """Return what is wrong with a series whose UID an earlier record gives to another study."""
        uid = series.uid
        if uid is None:
            return None
        here = hash(patient.key_of(study))
        elsewhere, where = self._study_of.setdefault(uid, (here, series.where))
        if elsewhere == here:
            return None
        return _other_series(uid, f"that of a series of another study in {where}")

    def check_image(self, image: ImageEntry, known: Known) -> None:
        """Refuse an image of which too little is known, or whose DICOM UID is another's.

        Raises:
            BadInput: saying what is missing, or whose the UID is.
        """
        if not image.exists and image.columns.get("laterality") is None:
            raise BadInput(
                "laterality: neither the record nor the file says which eye it is; give L or R",
                field="laterality",
            )
        for name, ids in known.references.items():
            if image.columns.get(name) not in (None, *ids):
                raise BadInput(f"{name}: there is no {image.columns[name]}", field=name)
        uid = image.columns.get("sop_instance_uid")
        if uid is None:
            return
        there = known.sop_uids.get(fold(uid))
        seen = self._image_of.setdefault(fold(uid), image.where)
        if there not in (None, image.identifier) or seen != image.where:
            other = seen if seen != image.where else there
            raise BadInput(
                f"sop_instance_uid: {uid} is that of {other} already",
                field="sop_instance_uid",
                value=uid,
            )
        if there is not None and not image.exists:
            raise BadInput(
                f"sop_instance_uid: {uid} is that of {there} in another source already",
                field="sop_instance_uid",
                value=uid,
            )


def _elsewhere(
    patient: PatientEntry, study: StudyEntry, series: SeriesEntry, found: KnownImage, known: Known
) -> BadInput | None:
    """Return what is wrong where an image is there already and hangs elsewhere."""
    it = f"as ImageInstance {found.image_id}"
    if known.projects.get(patient.key[0]) != found.project_id:
        place, field = f"{it} of another project, not {patient.project_name!r}", "project_name"
    elif known.patients.get(patient.key) != found.patient_id:
        whose = f"{found.patient_identifier!r}, not of {patient.identifier!r}"
        place, field = f"{it} of patient {whose}", "patient_identifier"
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
