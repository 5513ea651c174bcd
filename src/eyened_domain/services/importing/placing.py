"""Whether images and series fit where their records put them."""

from __future__ import annotations

from eyened_domain.errors import BadInput
from eyened_domain.model.names import fold
from eyened_domain.services.importing.entries import ImageEntry, SeriesEntry
from eyened_domain.services.importing.lookups import Known, KnownImage
from eyened_domain.services.importing.options import ImportOptions, OnConflict


class Placing:
    """Checks the series and images of an import against what is there, and each other.

    Args:
        options: how the import is done.
    """

    def __init__(self, options: ImportOptions) -> None:
        self._options = options
        self._updates = options.conflict is OnConflict.update
        self._study_of: dict[str, tuple[int, str]] = {}
        self._image_of: dict[str, str] = {}

    def check_image(self, image: ImageEntry, known: Known) -> None:
        """Refuse an image that is there already and hangs elsewhere.

        Raises:
            BadInput: saying where it hangs.
        """
        found = known.images.get(image.key)
        if found is not None:
            _check_place(image.series, found, known)

    def find_series(self, series: SeriesEntry, known: Known) -> None:
        """Give a series the id of the one that its images which are there already hang in.

        Raises:
            BadInput: the record names a series that the study does not have.
        """
        study_id = known.study_id(series.study)
        if series.series_id is not None:
            if study_id is None or known.series.get(series.series_id, (None,))[0] != study_id:
                raise BadInput(
                    f"series_id: the study of {series.study.study_date} has no series "
                    f"{series.series_id}",
                    field="series_id",
                    value=series.series_id,
                )
            return
        there = (known.images.get(image.key) for image in series.images)
        series.series_id = next(
            (
                found.series_id
                for found in there
                if found is not None and found.study_id == study_id
            ),
            None,
        )

    def check_series(self, series: SeriesEntry, known: Known) -> None:
        """Refuse a series whose DICOM UID, read by now, is that of another one.

        Raises:
            BadInput: naming the other one; or there is none, and none may be made.
        """
        uid = series.uid
        if uid is not None:
            self._check_uid(series, uid, known)
        if series.series_id is None and not self._options.create_series:
            raise BadInput(
                "series_id: the image names no series; give series_id, or allow new series "
                "(create_series)",
                field="series_id",
            )

    def _check_uid(self, series: SeriesEntry, uid: str, known: Known) -> None:
        study = series.study
        series_id, study_id = known.series_by_uid.get(uid, (None, None))
        if series_id is not None and series.series_id is None:
            if study_id != known.study_id(study):
                raise _other_series(uid, f"series {series_id} of another study")
            series.series_id = series_id
        elif series_id not in (None, series.series_id):
            raise _other_series(uid, f"series {series_id}, not {series.series_id}")
        elif series.series_id is not None and not self._updates:
            held = known.series.get(series.series_id, (0, None))[1]
            if held is not None and fold(held) != uid:
                raise _other_series(uid, f"not that of series {series.series_id}, {held}")
        here = hash(study.key)
        elsewhere, where = self._study_of.setdefault(uid, (here, series.where))
        if elsewhere != here:
            raise _other_series(uid, f"that of a series of another study in {where}")

    def check_new(self, image: ImageEntry, known: Known) -> None:
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


def _check_place(series: SeriesEntry, found: KnownImage, known: Known) -> None:
    study = series.study
    there = f"image: it is there already, as ImageInstance {found.image_id}"
    if known.project_id(study.patient) != found.project_id:
        raise BadInput(
            f"{there} of another project, not {study.patient.project_name!r}", field="project_name"
        )
    if known.patient_id(study.patient) != found.patient_id:
        raise BadInput(
            f"{there} of patient {found.patient_identifier!r}, not of {study.patient.identifier!r}",
            field="patient_identifier",
        )
    if study.study_date != found.study_date:
        raise BadInput(
            f"{there} of the study of {found.study_date}, not of {study.study_date}",
            field="study_date",
        )
    if series.series_id not in (None, found.series_id):
        raise BadInput(
            f"image: it is there already, in series {found.series_id}, not {series.series_id}",
            field="series_id",
        )


def _other_series(uid: str, whose: str) -> BadInput:
    return BadInput(
        f"series_instance_uid: {uid} is {whose}", field="series_instance_uid", value=uid
    )
