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
    series_of,
)
from eyened_domain.services.importing.lookups import Known, KnownImage
from eyened_domain.services.importing.options import ImportOptions, OnConflict


@frozen
class Placement:
    """Where the series of a portion are, or will be.

    Attributes:
        series: SeriesID of each entry (by its `id`); None for a series that is to be made.
        refused: what cannot be where its record puts it, and why; in order, images before
            the series that they are in.
    """

    series: dict[int, int | None]
    refused: list[tuple[SeriesEntry | ImageEntry, BadInput]]


def match(portion: Iterable[PatientEntry], known: Known, options: ImportOptions) -> Placement:
    """Decide where the series and images of records belong, given what is there.

    An image that is there has to hang where its record puts it, unless it is to be skipped.
    A series is the one that the record or the plan names, or else that of its images which
    are there in this study, or else the one of its DICOM UID.
    """
    placement = Placement({}, [])
    for series in series_of(portion):
        if options.conflict is not OnConflict.skip:
            for image in series.images:
                refused = _elsewhere(image, known)
                if refused is not None:
                    placement.refused.append((image, refused))
        try:
            placement.series[id(series)] = _series_id(series, known, options)
        except BadInput as error:
            placement.refused.append((series, error))
    return placement


def _series_id(series: SeriesEntry, known: Known, options: ImportOptions) -> int | None:
    """Return the series that new images go to; None where it is to be made."""
    study_id = known.studies.get(series.study.key)
    series_id = series.placed_id
    if series_id is None:
        there = (known.images.get(image.key) for image in series.images)
        in_study = (one.series_id for one in there if one is not None and one.study_id == study_id)
        series_id = next(in_study, None)
    elif study_id is None or known.series.get(series_id, (None,))[0] != study_id:
        raise BadInput(
            f"series_id: the study of {series.study.study_date} has no series {series_id}",
            field="series_id",
            value=series_id,
        )
    uid = series.uid
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

    def check_series(self, series: SeriesEntry) -> None:
        """Refuse a series whose UID an earlier record gives to one of another study.

        Raises:
            BadInput: naming the other record.
        """
        if series.uid is None:
            return
        here = hash(series.study.key)
        elsewhere, where = self._study_of.setdefault(series.uid, (here, series.where))
        if elsewhere != here:
            raise _other_series(series.uid, f"that of a series of another study in {where}")

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


def _elsewhere(image: ImageEntry, known: Known) -> BadInput | None:
    """Return what is wrong where an image is there already and hangs elsewhere."""
    found, series = known.images.get(image.key), image.series
    if found is None:
        return None
    place, field = _difference(series, found, known)
    if field is None:
        return None
    return BadInput(f"image: it is there already, {place}", field=field)


def _difference(series: SeriesEntry, found: KnownImage, known: Known) -> tuple[str, str | None]:
    study, it = series.study, f"as ImageInstance {found.image_id}"
    if known.projects.get(study.patient.key[0]) != found.project_id:
        return f"{it} of another project, not {study.patient.project_name!r}", "project_name"
    if known.patients.get(study.patient.key) != found.patient_id:
        whose = f"{found.patient_identifier!r}, not of {study.patient.identifier!r}"
        return f"{it} of patient {whose}", "patient_identifier"
    if study.study_date != found.study_date:
        days = f"{found.study_date}, not of {study.study_date}"
        return f"{it} of the study of {days}", "study_date"
    if series.series_id not in (None, found.series_id):
        return f"in series {found.series_id}, not {series.series_id}", "series_id"
    return "", None


def _other_series(uid: str, whose: str) -> BadInput:
    return BadInput(
        f"series_instance_uid: {uid} is {whose}", field="series_instance_uid", value=uid
    )
