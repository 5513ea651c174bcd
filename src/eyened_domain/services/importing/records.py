"""Import records: what people hand in, nested or flat, as the levels of the database.

One patient record, nested::

    {"project_name": "AREDS", "patient_identifier": "P1", "props": {"sex": "F"},
     "studies": [{"study_date": "2024-01-31", "props": {},
                  "series": [{"series_id": None, "props": {},
                              "images": [{"image": "P1/a.png",
                                          "props": {"laterality": "R"}}]}]}]}

The flat form of one image has ``patient_props``, ``study_props``, ``series_props`` and
``image_props`` instead of the nesting; a column's own name may stand beside them.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from attrs import define, field

from eyened_domain.errors import BadInput, EyenedError, UnknownName
from eyened_domain.model.entity import Entity
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.patient import Patient
from eyened_domain.model.study import Series, Study
from eyened_domain.model.values import shown
from eyened_domain.services.importing import columns
from eyened_domain.services.importing.columns import convert, convert_value, name_value

_PATIENT_KEYS = {"project_name", "patient_identifier", "props", "studies"}
_STUDY_KEYS = {"study_date", "props", "series"}
_SERIES_KEYS = {"series_id", "props", "images"}
_IMAGE_KEYS = {"image", "props"}
_FLAT_KEYS = {"project_name", "patient_identifier", "study_date", "series_id", "image"}
_FLAT_PROPS: dict[str, type[Entity]] = {
    "image_props": ImageInstance,
    "series_props": Series,
    "study_props": Study,
    "patient_props": Patient,
}
_LONGEST_SHOWN = 300


@define
class PatientEntry:
    """A patient that records name, with what they say of it."""

    project_name: str
    identifier: str | None
    columns: dict[str, Any]
    where: str
    studies: list[StudyEntry] = field(factory=list)
    declared: bool = False
    """Whether the record names studies, so that it is void when none of them is good."""


@define
class StudyEntry:
    """A study that records name."""

    patient: PatientEntry
    study_date: date
    columns: dict[str, Any]
    where: str
    series: list[SeriesEntry] = field(factory=list)
    declared: bool = False
    """Whether the record names series, so that it is void when none of them is good."""


@define
class SeriesEntry:
    """A series that records name, or a new one."""

    study: StudyEntry
    series_id: int | None
    columns: dict[str, Any]
    where: str
    images: list[ImageEntry] = field(factory=list)


@define
class ImageEntry:
    """An image that a record names; `columns` holds what is to be stored of it."""

    series: SeriesEntry
    path: str
    columns: dict[str, Any]
    where: str
    origin: Origin = field(factory=lambda: Origin())
    identifier: str = ""
    """Its DatasetIdentifier, once the path has been looked at."""
    exists: bool = False
    """Whether it was there when the plan was made."""


@define
class Origin:
    """Where an image comes from, as far as its record or its file says."""

    source_name: str | None = None
    manufacturer: str | None = None
    manufacturer_model_name: str | None = None
    device_description: str | None = None
    serial_number: str | None = None
    scan_mode: str | None = None


@define
class RecordError:
    """What is wrong with a record: which one, which field, and why."""

    where: str
    field: str | None
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


def random_identifier() -> str:
    """Return the identifier of a patient for whom no record gives one: 16 hex digits."""
    return secrets.token_hex(8)


class RecordReader:
    """Turns records into entries, level by level; what is wrong is collected, not raised.

    Args:
        default_date: the date of studies that have none (DEFAULT_STUDY_DATE).
    """

    def __init__(self, default_date: date) -> None:
        self._default_date = default_date
        self.errors: list[RecordError] = []

    def read(self, number: int, record: Any) -> PatientEntry | None:
        """Return the entries of the record with that number, or None when it is bad as a whole.

        What is wrong at a lower level is left out of the result and noted in `errors`.
        """
        where = f"record {number}"
        with self._noting(where):
            if not isinstance(record, Mapping):
                raise BadInput(f"a record is a mapping, not {type(record).__name__}")
            if not all(isinstance(name, str) for name in record):
                raise BadInput("the names in a record are texts")
            nested = record if "studies" in record or "image" not in record else _nested(record)
            return self._patient(nested, where)
        return None

    def _noting(self, where: str) -> _Noting:
        return _Noting(self.errors, where)

    def _patient(self, record: Mapping[str, Any], where: str) -> PatientEntry | None:
        _known(record, _PATIENT_KEYS, "a patient record", where)
        name = record.get("project_name")
        if name is None:
            raise BadInput("project_name is needed", field="project_name")
        identifier = record.get("patient_identifier")
        entry = PatientEntry(
            project_name=name_value("Project", "project_name", name, 255),
            identifier=None
            if identifier is None
            else name_value("Patient", "patient_identifier", identifier, 255),
            columns=convert(Patient, _mapping(record, "props")),
            where=where,
        )
        for place, study in _each(record, "studies", where):
            entry.declared = True
            with self._noting(place):
                found = self._study(entry, study, place)
                if found is not None:
                    entry.studies.append(found)
        return entry if entry.studies or not entry.declared else None

    def _study(
        self, patient: PatientEntry, record: Mapping[str, Any], where: str
    ) -> StudyEntry | None:
        _known(record, _STUDY_KEYS, "a study", where)
        given = record.get("study_date")
        column = Study.__entity__.columns["study_date"]
        entry = StudyEntry(
            patient=patient,
            study_date=self._default_date
            if given is None
            else convert_value("Study", "study_date", column, given),
            columns=convert(Study, _mapping(record, "props")),
            where=where,
        )
        for place, series in _each(record, "series", where):
            entry.declared = True
            with self._noting(place):
                found = self._series(entry, series, place)
                if found.images:
                    entry.series.append(found)
        return entry if entry.series or not entry.declared else None

    def _series(self, study: StudyEntry, record: Mapping[str, Any], where: str) -> SeriesEntry:
        _known(record, _SERIES_KEYS, "a series", where)
        if not record.get("images"):
            raise BadInput("a series needs images", field="images")
        entry = SeriesEntry(
            study=study,
            series_id=_series_id(record.get("series_id")),
            columns=convert(Series, _mapping(record, "props")),
            where=where,
        )
        for place, image in _each(record, "images", where):
            with self._noting(place):
                entry.images.append(self._image(entry, image, place))
        return entry

    def _image(self, series: SeriesEntry, record: Mapping[str, Any], where: str) -> ImageEntry:
        _known(record, _IMAGE_KEYS, "an image", where)
        path = record.get("image")
        if not isinstance(path, str) or not path:
            raise BadInput(f"image: the path of a file is needed, not {shown(path)}", field="image")
        given = convert(ImageInstance, _mapping(record, "props"))
        origin = {name: given.pop(name) for name in columns.DEVICE_COLUMNS if name in given}
        return ImageEntry(
            series=series, path=path, columns=given, where=where, origin=Origin(**origin)
        )


class _Noting:
    """Turns an error inside the block into a note of what is wrong there."""

    def __init__(self, errors: list[RecordError], where: str) -> None:
        self._errors = errors
        self._where = where

    def __enter__(self) -> None:
        """Nothing is to be done before."""

    def __exit__(self, kind: Any, error: BaseException | None, _trace: Any) -> bool:
        if not isinstance(error, BadInput | UnknownName):
            return False
        self._errors.append(note(self._where, error))
        return True


def note(where: str, error: EyenedError) -> RecordError:
    """Return the note of an error at a place in the records."""
    message = str(error)
    if len(message) > _LONGEST_SHOWN:
        message = f"{message[: _LONGEST_SHOWN - 3]}..."
    return RecordError(where, error.field, message)


def _known(record: Any, keys: set[str], what: str, where: str) -> None:
    if not isinstance(record, Mapping):
        raise BadInput(f"{what} is a mapping, not {type(record).__name__}")
    unknown = sorted(str(name) for name in record.keys() - keys)
    if unknown:
        raise UnknownName(
            f"{what} has no {shown(unknown[0])}; it has {', '.join(sorted(keys))}",
            field=unknown[0],
        )


def _mapping(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = record.get(name)
    if found is None:
        return {}
    if not isinstance(found, Mapping) or not all(isinstance(key, str) for key in found):
        raise BadInput(f"{name} is a mapping from column to value, not {shown(found)}", field=name)
    return found


def _each(record: Mapping[str, Any], name: str, where: str) -> Iterator[tuple[str, Any]]:
    found = record.get(name)
    if found is None:
        return
    if isinstance(found, str | bytes | Mapping) or not hasattr(found, "__iter__"):
        raise BadInput(f"{name} is a list, not {shown(found)}", field=name)
    for index, one in enumerate(found):
        yield f"{where}, {name}[{index}]", one


def _series_id(value: Any) -> int | None:
    if value is None:
        return None
    column = Series.__entity__.columns["series_id"]
    return int(convert_value("Series", "series_id", column, value))


def _nested(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the nested form of a flat record of one image."""
    props: dict[str, dict[str, Any]] = {name: dict(_mapping(record, name)) for name in _FLAT_PROPS}
    for name, value in record.items():
        if name not in _FLAT_KEYS and name not in _FLAT_PROPS:
            level, column = _level_of(name)
            if column in props[level]:
                raise BadInput(f"{name} is given twice", field=name)
            props[level][column] = value
    image = {"image": record["image"], "props": props["image_props"]}
    series = {
        "series_id": record.get("series_id"),
        "props": props["series_props"],
        "images": [image],
    }
    study = {
        "study_date": record.get("study_date"),
        "props": props["study_props"],
        "series": [series],
    }
    return {
        "project_name": record.get("project_name"),
        "patient_identifier": record.get("patient_identifier"),
        "props": props["patient_props"],
        "studies": [study],
    }


def _level_of(name: str) -> tuple[str, str]:
    """Return which props a bare or dotted column name of a flat record belongs to."""
    prefix, _, rest = name.partition(".")
    if rest:
        for level, entity in _FLAT_PROPS.items():
            if prefix in (level, level.removesuffix("_props"), entity.__name__):
                return level, rest
    if name in columns.DEVICE_COLUMNS or name in {n for n, _ in columns.DEVICE_COLUMNS.values()}:
        return "image_props", name
    for level, entity in _FLAT_PROPS.items():
        info = entity.__entity__
        if info.aliases.get(name, name) in info.columns:
            return level, name
    raise UnknownName(
        f"no column {shown(name)} in Patient, Study, Series or ImageInstance{_nearest(name)}",
        field=name,
    )


def _nearest(name: str) -> str:
    import difflib  # noqa: PLC0415 - needed for an error only

    known = {
        known
        for entity in _FLAT_PROPS.values()
        for known in (*entity.__entity__.columns, *entity.__entity__.aliases)
    }
    near = difflib.get_close_matches(name, sorted(known | _FLAT_KEYS), n=2)
    return f"; did you mean {' or '.join(near)}?" if near else ""
